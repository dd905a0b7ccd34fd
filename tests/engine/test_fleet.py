"""Keys that share one net: the results of a run are those of the estimator with ``key``, wherever blocks end and runs stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from streamrnn import RNNAnomalyDetector, RNNClassifier, RNNRegressor, RNNSupervisedAnomalyDetector
from streamrnn.config import Alarm, Alarms, Forecast, Records
from streamrnn.container import unpack
from streamrnn.engine.positions import cut
from streamrnn.engine.shard import STALE_ROUNDS, Shard
from streamrnn.errors import ModelChangedError, StateError
from streamrnn.io import Block
from streamrnn.scorers.kinds import ModelKind, model_kind
from streamrnn.scorers.scored import Scored

N, ROOM = 60, 4
NAMES = ("a", "b", "said")
NET = {"hidden_size": 8, "seed": 3}
ALARM = Alarm(rate=0.2, warm_up=5, window=20, cooldown=1)
KEYS = tuple(f"s{i}" for i in np.random.default_rng(5).integers(0, 7, N))
KINDS: dict[str, ModelKind] = {
    "detector": model_kind("RNNAnomalyDetector", NET),
    "detector with the time": model_kind("RNNAnomalyDetector", {**NET, "time": "at"}),
    "feedback": model_kind("RNNAnomalyDetector", {**NET, "label": "said", "feedback_memory": 20}),
    "label": model_kind("RNNRegressor", {**NET, "label": "b"}),
    "class": model_kind("RNNClassifier", {**NET, "label": "said"}),
    "label that is judged": model_kind("RNNSupervisedAnomalyDetector", {**NET, "label": "b"}),
}
MORE: dict[str, dict[str, Any]] = {
    "alone": {},
    "with alarms": {"alarms": Alarms(path="alarms.jsonl", max_gap=9.0, ends_after=2)},
    "with forecasts": {"forecast": Forecast(horizon=2, limits={"high": 1.0})},
    "of windows": {"records": Records(every=4, aggregate="mean")},
}


def stream() -> Block:
    """Values with some missing, feedback on some events and some that comes alone."""
    drawn = np.random.default_rng(1)
    said = np.where(drawn.random(N) < 0.3, drawn.integers(2, size=N), np.nan)
    values = np.column_stack([drawn.normal(size=(N, 2)), said])
    values[drawn.random(N) < 0.1, 0] = np.nan
    times: list[Any] = list(range(N))
    for i in range(20, N, 17):
        values[i, :2], values[i, 2], times[i] = np.nan, 1.0, i - 5
    return Block(NAMES, values, tuple(range(N)), N, times=tuple(times), time_name="at", keys=KEYS)


def shard(kind: ModelKind, **more: Any) -> Shard:
    return Shard(kind, ALARM, ROOM, keyed=True, **more)


def run(made: Shard, block: Block) -> Iterator[tuple[tuple[str, ...] | None, Scored]]:
    for piece in made.gather(block):
        yield piece.block.keys, made.score(piece.block)


def columns(parts: list[tuple[Any, Scored]]) -> dict[str, NDArray[Any]]:
    """Return all that was said, row by row."""
    found = [one.columns() for _, one in parts if len(one.scores)]
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


@pytest.mark.parametrize("more", MORE)
@pytest.mark.parametrize("name", KINDS)
def test_blocks_and_restarts_leave_no_mark(name: str, more: str) -> None:
    """At once, one by one, and in blocks of 13, stopped and resumed before each: the same results, episodes and snapshot, keys that go included."""
    if name == "feedback" and more == "of windows":
        return  # check refuses it
    kind, options, block = KINDS[name], MORE[more], stream()
    made = shard(kind, **options)
    expected = list(run(made, block))
    snapshot = made.snapshot()
    said = [event for _, one in expected for event in one.episodes]

    for size, resumes in ((1, False), (13, True)):
        other, found = shard(kind, **options), []
        for start in range(0, N, size):
            found += list(run(other, cut(block, start, min(N, start + size))))
            if resumes:
                other, before = shard(kind, **options), other.snapshot()
                other.restore(before)
                assert other.snapshot() == before

        for part, column in columns(expected).items():
            np.testing.assert_array_equal(columns(found)[part], column, err_msg=part)
        assert [event for _, one in found for event in one.episodes] == said
        assert other.snapshot() == snapshot
    assert made.evicted > 0
    assert len(made) == ROOM
    assert made.shares


def detector(block: Block) -> Iterator[tuple[float, float, bool]]:
    model = RNNAnomalyDetector(ALARM.rate, ALARM.cooldown, ALARM.warm_up, **NET, key="k", max_keys=ROOM)
    for key, row in zip(block.keys or (), block.values.tolist(), strict=True):
        x = {**dict(zip(NAMES, row, strict=True)), "k": key}
        why = model.explain_one(x)
        model.learn_one(x)
        yield why["score"], why["features"].get("b", {}).get("prediction", np.nan), why["alarm"]


def regressor(block: Block) -> Iterator[tuple[float, float, None]]:
    model = RNNRegressor(**NET, window=4, learning="tbptt", key="k", max_keys=ROOM)
    for key, (a, b, said) in zip(block.keys or (), block.values.tolist(), strict=True):
        x = {0: a, 1: said, "k": key}
        yield np.nan, model.predict_one(x), None
        model.learn_one(x, b)


def classifier(block: Block) -> Iterator[tuple[float, float, None]]:
    model = RNNClassifier(**NET, window=4, learning="tbptt", key="k", max_keys=ROOM)
    for key, (a, b, said) in zip(block.keys or (), block.values.tolist(), strict=True):
        x = {name: value for name, value in (("a", a), ("b", b)) if value == value} | {"k": key}  # noqa: PLR0124
        shares = model.predict_proba_one(x)
        known = said == said  # noqa: PLR0124
        score = np.nan if not known else 1.0 - shares.get(said, 0.0) if shares else 0.0
        yield score, max(shares, key=shares.__getitem__) if shares else np.nan, None
        model.learn_one(x, said if known else None)


def judged(block: Block) -> Iterator[tuple[float, float, bool]]:
    model = RNNSupervisedAnomalyDetector(ALARM.rate, ALARM.cooldown, ALARM.warm_up, **NET, key="k", max_keys=ROOM)
    for key, (a, b, said) in zip(block.keys or (), block.values.tolist(), strict=True):
        x = {0: a, 1: said, "k": key}
        why = model.explain_one(x, b)
        model.learn_one(x, b)
        yield why["score"], why["prediction"], why["alarm"]


@pytest.mark.parametrize(
    ("name", "alone"),
    [("detector", detector), ("label", regressor), ("class", classifier), ("label that is judged", judged)],
)
def test_results_are_those_of_the_estimator(name: str, alone: Callable[[Block], Iterator[tuple[Any, ...]]]) -> None:
    """Of each event what the estimator with ``key`` and ``max_keys`` says, fed the same events one by one, bit for bit."""
    block = stream()
    scored = shard(KINDS[name]).score(block)
    scores, predictions, alarms = map(list, zip(*alone(block), strict=True))

    column = NAMES.index("said" if name == "class" else "b")
    np.testing.assert_array_equal(scored.predictions[:, column], predictions)
    if name != "label":
        np.testing.assert_array_equal(scored.scores, scores)
    if alarms[0] is not None:
        assert scored.alarms == alarms


def test_a_net_each_where_that_is_asked_for() -> None:
    """With ``share = "none"``, and for models without such a way; and a snapshot of one is none of the other."""
    own = shard(model_kind("RNNAnomalyDetector", {**NET, "share": "none"}))
    own.score(stream())
    shared = shard(KINDS["detector"])
    shared.score(stream())

    assert not own.shares
    assert not shard(model_kind("river.anomaly.HalfSpaceTrees", {})).shares
    with pytest.raises(ModelChangedError, match="share = 'net'"):
        shard(model_kind("RNNAnomalyDetector", NET | {"share": "none"})).restore(shared.snapshot())
    with pytest.raises(StateError):
        shared.restore(own.snapshot())


def test_memory_is_what_a_key_takes() -> None:
    """A budget of bytes holds as many keys as it has room for beside the net; lowered, those seen last stay."""
    kind, block = KINDS["detector"], stream()
    whole = shard(kind)
    each = whole.key_bytes(NAMES)
    least = Shard(kind, ALARM, 1000, keyed=True, max_bytes=1)
    least.score(block)
    whole.score(block)
    fewer = Shard(kind, ALARM, 2, keyed=True)
    fewer.restore(whole.snapshot())

    assert Shard(kind, ALARM, 10**6, keyed=True, max_bytes=10**9).room_for(NAMES) == pytest.approx(1e9 / each, rel=0.02)
    assert len(least) == 1
    assert fewer.keys() == whole.keys()[-2:]


@pytest.mark.parametrize("name", ["detector", "label", "label that is judged"])
def test_a_key_seen_again_moves_nothing(name: str) -> None:
    """Of a snapshot that differs: what all share, the key's own place, and when it was seen; the places of all other keys stay as they are."""
    made, few = (Shard(KINDS[name], ALARM, 100, keyed=True) for _ in range(2))
    keys, values = tuple(f"s{i}" for i in range(100)), np.random.default_rng(2).normal(size=(100, 3))
    for _ in range(4):
        made.score(Block(NAMES, values, tuple(range(100)), 100, times=tuple(range(100)), keys=keys))
    one = Block(NAMES, values[:1], (100,), 101, times=(100,), keys=("s40",))
    few.score(one)
    before = made.snapshot()
    made.score(one)
    after = made.snapshot()

    differ = np.frombuffer(before, np.uint8) != np.frombuffer(after, np.uint8)
    assert differ.sum() < len(few.snapshot()) + 2 * made.key_bytes(NAMES)
    models = [next(blob for blob in unpack(data)[1] if blob.startswith(b"streamrnn")) for data in (before, after)]
    assert (
        models[0].partition(b'"ticks",')[0] == models[1].partition(b'"ticks",')[0]
    )  # the keys are in the order of their places


@pytest.mark.parametrize("share", ["net", "none"])
def test_the_coldest_keys_and_the_stale_ones(share: str) -> None:
    """By events since each one's last, whether keys share a net or not; a key that comes again, or goes, is stale no more."""
    made = Shard(model_kind("RNNAnomalyDetector", NET | {"share": share}), Alarm(), 5, keyed=True)
    last: dict[str, int] = {}
    n, stale = 0, []
    turns = ["a", "b", "c", *"bc" * 40, "a", *"bcd" * 40, "e", "f"]
    for key in turns:
        made.score(Block(("a",), np.ones((1, 1)), (n,), n + 1, keys=(key,)))
        n, last[key] = n + 1, n
        if len(last) > 5:
            del last[min(last, key=last.__getitem__)]
        cold = sorted(((name, n - 1 - seen) for name, seen in last.items()), key=lambda one: -one[1])
        assert made.coldest(2) == cold[:2]
        assert made.coldest(99) == cold
        assert made.stale == sum(events > STALE_ROUNDS * len(last) for _, events in cold)
        stale.append(made.stale)
    assert [one for i, one in enumerate(stale) if i == 0 or one != stale[i - 1]] == [0, 1, 0, 1, 0]


def test_the_coldest_keys_of_a_snapshot() -> None:
    """Are those of the run that wrote it, with as many events since."""
    kind = model_kind("RNNAnomalyDetector", NET)
    one, other = (Shard(kind, Alarm(), 100, keyed=True) for _ in range(2))
    keys = tuple(f"k{i}" for i in np.random.default_rng(2).integers(0, 50, 400))
    one.score(Block(("a",), np.ones((400, 1)), range(400), 400, keys=keys))
    other.restore(one.snapshot())

    assert other.coldest(7) == one.coldest(7)
    assert other.stale == one.stale
