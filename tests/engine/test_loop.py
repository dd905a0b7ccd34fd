"""The loop: blocks, restarts, replay."""

from __future__ import annotations

import json
import random
from collections.abc import Collection
from typing import Any

import pytest

from streamrnn.config import Alarm
from streamrnn.config.options import DEFAULT_FIELDS
from streamrnn.engine.loop import MAX_LOST, Runtime
from streamrnn.engine.shard import Shard
from streamrnn.errors import RetriableSinkError, StateError
from streamrnn.scorers.kinds import ModelKind
from tests.engine.memory import MemorySink, MemorySource

ALARM = Alarm(rate=0.1, window=50, warm_up=20)


class Mean:
    """A detector small enough to be written as JSON: distance to the running mean."""

    def __init__(self) -> None:
        self.sums: dict[str, list[float]] = {}

    def expected_one(self) -> dict[str, float]:
        return {name: total / n for name, (total, n) in self.sums.items()}

    def score_one(self, x: dict[str, float]) -> float:
        expected = self.expected_one()
        far = sum(abs(value - expected.get(name, value)) for name, value in x.items())
        return far / (1 + far)

    def learn_one(self, x: dict[str, float]) -> None:
        for name, value in x.items():
            total, n = self.sums.get(name, [0.0, 0])
            self.sums[name] = [total + value, n + 1]


def mean_loads(data: bytes) -> Mean:
    model = Mean()
    model.sums = json.loads(data)
    return model


KIND = ModelKind("Mean", {}, Mean, lambda model: json.dumps(model.sums).encode(), mean_loads)


def runtime(source: MemorySource, sink: MemorySink, max_keys: int = 100, **options: Any) -> Runtime:
    return Runtime(source, sink, lambda: Shard(KIND, ALARM, max_keys), **options)


@pytest.mark.parametrize("keys", [0, 7])
def test_block_size(keys: int) -> None:
    """Where blocks are cut leaves no mark, not even when keys are evicted in the middle of one."""
    results = []
    for size, cut in ((1, None), (1000, None), (64, random.Random(2))):
        sink = MemorySink()
        runtime(MemorySource(600, keys=keys, bad=9, cut=cut), sink, max_keys=4, block_events=size).run()
        results.append((sink.outputs, sink.dead))

    assert results[0] == results[1] == results[2]
    assert len(results[0][0]) + len(results[0][1]) == 600


@pytest.mark.parametrize("text", [False, True], ids=["int", "text"])
@pytest.mark.parametrize("keys", [0, 7])
def test_restart(keys: int, text: bool) -> None:
    """Crashed anywhere and restarted any number of times is one uninterrupted pass."""
    whole = MemorySink()
    runtime(MemorySource(500, keys=keys, bad=9, text=text), whole, max_keys=4).run()

    for seed in range(12):
        drawn = random.Random(seed)
        sink = MemorySink()
        replayed = 0
        while True:
            sink.fail_after = drawn.randint(0, 8)
            source = MemorySource(500, keys=keys, bad=9, text=text, cut=drawn)
            one = runtime(source, sink, max_keys=4, every=60, block_events=40)
            try:
                one.run()
                break
            except ConnectionAbortedError:
                replayed += one.summary.replayed

        assert (whole.outputs, whole.dead) == (sink.outputs, sink.dead)
        assert replayed > 0


def test_stop_and_resume() -> None:
    """Asked to stop between blocks, it snapshots; the next run goes on without replay."""
    whole, sink = MemorySink(), MemorySink()
    runtime(MemorySource(300), whole).run()
    asked = iter([False, False, False, True])

    first = runtime(MemorySource(300), sink, every=10_000, block_events=50, stopped=lambda: next(asked)).run()
    second = runtime(MemorySource(300), sink, every=10_000, block_events=50).run()

    assert (first.events, first.snapshots) == (150, 2)  # with the first commit, and when asked to stop
    assert (second.events, second.replayed) == (150, 0)
    assert whole.outputs == sink.outputs


def test_nothing_new() -> None:
    """A restart at the end writes nothing and takes no snapshot."""
    sink = MemorySink()
    runtime(MemorySource(100), sink, every=10).run()
    before = list(sink.outputs)

    again = runtime(MemorySource(100), sink, every=10).run()

    assert (again.events, again.snapshots) == (0, 0)
    assert before == sink.outputs


def test_input_replaced() -> None:
    """An input that ends before the position already written is refused, not mixed with the old outputs."""
    sink = MemorySink()
    runtime(MemorySource(100), sink, every=1000).run()
    sink.positions["0"] = 5000

    with pytest.raises(StateError, match="truncated or replaced"):
        runtime(MemorySource(100), sink, every=1000).run()


def test_other_model() -> None:
    """A snapshot of another configuration is refused with the difference."""
    sink = MemorySink()
    runtime(MemorySource(50), sink, every=10).run()
    other = ModelKind("Mean", {"seed": 3}, Mean, KIND.dumps, KIND.loads)

    with pytest.raises(StateError, match="seed: 'unset' then, 3 now"):
        Runtime(MemorySource(50), sink, lambda: Shard(other, ALARM)).run()


def test_fields() -> None:
    """The fields of an output, in their order; null for what is missing."""
    sink = MemorySink()
    runtime(MemorySource(40), sink, fields=(*DEFAULT_FIELDS, "p_value")).run()

    rows = [json.loads(line) for line in sink.outputs]
    names = ["time", "key", "value", "prediction", "score", "alarm", "position", "p_value"]
    assert all(list(row) == names for row in rows)
    assert rows[0]["prediction"] == {"a": None, "b": None}
    assert any(None in row["value"].values() for row in rows)


def test_river_detector() -> None:
    """Any river anomaly detector runs, pipelines included."""
    from river import anomaly, preprocessing

    sink = MemorySink()
    kind = ModelKind(
        "pipeline", {}, lambda: preprocessing.MinMaxScaler() | anomaly.HalfSpaceTrees(seed=1, window_size=20)
    )

    summary = Runtime(MemorySource(200), sink, lambda: Shard(kind, ALARM)).run()

    assert summary.events == len(sink.outputs) == 200
    with pytest.raises(StateError, match="without pickle"):
        Runtime(MemorySource(200), MemorySink(), lambda: Shard(kind, ALARM), every=10).run()


def test_snapshot_damage() -> None:
    """A damaged snapshot is an error of state, never a half-restored shard."""
    shard = Shard(KIND, ALARM)
    shard.score(MemorySource(50, keys=3).poll(50, 0).blocks[0])
    data = shard.snapshot()
    drawn = random.Random(4)

    for _ in range(200):
        damaged = bytearray(data)
        damaged[drawn.randrange(len(data))] ^= 1 << drawn.randrange(8)
        with pytest.raises(StateError):
            Shard(KIND, ALARM).restore(bytes(damaged))


class LosingSink(MemorySink):
    """Loses the commits whose turn is among ``lost``, counted from 0, whole."""

    def __init__(self, lost: Collection[int]) -> None:
        super().__init__()
        self.lost = lost
        self.turn = -1

    def commit(self, *args: Any, **kwargs: Any) -> None:
        self.turn += 1
        if self.turn in self.lost:
            raise RetriableSinkError("the transaction is gone")
        super().commit(*args, **kwargs)


@pytest.fixture
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two tries nothing is waited for."""
    monkeypatch.setattr("streamrnn.engine.loop.time.sleep", lambda seconds: None)


@pytest.mark.usefixtures("_no_pauses")
def test_lost_commits_that_are_not_in_a_row() -> None:
    """However many commits are lost, a run goes on as long as some come through, and writes what a run writes that lost none."""
    whole, sink = MemorySink(), LosingSink([turn for turn in range(200) if turn % MAX_LOST])

    runtime(MemorySource(400), whole, every=60, block_events=40).run()
    done = runtime(MemorySource(400), sink, every=60, block_events=40).run()

    assert done.lost_commits >= 5 * (MAX_LOST - 1)
    assert (sink.outputs, sink.dead) == (whole.outputs, whole.dead)


@pytest.mark.usefixtures("_no_pauses")
@pytest.mark.parametrize("start", [0, 3])
@pytest.mark.parametrize("lost", [MAX_LOST - 1, MAX_LOST])
def test_lost_commits_in_a_row(start: int, lost: int) -> None:
    """``MAX_LOST`` of them end the run with the sink's own error, one fewer does not."""
    sink = LosingSink(range(start, start + lost))
    run = runtime(MemorySource(400), sink, every=60, block_events=40)

    if lost < MAX_LOST:
        assert run.run().lost_commits == lost
        assert len(sink.outputs) == 400
    else:
        with pytest.raises(RetriableSinkError, match="the transaction is gone"):
            run.run()
        assert (run.summary.lost_commits, sink.turn) == (MAX_LOST, start + MAX_LOST - 1)


def test_a_snapshot_is_due_after_so_many_events_replayed_ones_among_them() -> None:
    """Seventy events behind the snapshot are replayed; with the next ten it is due, in that commit and not in one to come."""
    sink = MemorySink()
    sink.fail_after = 8
    with pytest.raises(ConnectionAbortedError):
        runtime(MemorySource(400), sink, every=80, block_events=10).run()
    assert (sink.snapshots["0"][1], sink.positions["0"]) == (100, 800)

    sink.fail_after = 1
    again = runtime(MemorySource(400), sink, every=80, block_events=10)
    with pytest.raises(ConnectionAbortedError):
        again.run()

    assert again.summary.replayed == 70
    assert (sink.snapshots["0"][1], sink.positions["0"]) == (900, 900)
