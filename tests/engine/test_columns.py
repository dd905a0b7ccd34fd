"""Columns that come and go between two runs."""

from __future__ import annotations

import io
import json
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from streamrnn.config import Forecast
from streamrnn.container import unpack
from streamrnn.daemon.daemon import _Loud
from streamrnn.daemon.log import set_up
from streamrnn.engine.loop import Runtime
from streamrnn.engine.shard import Shard
from streamrnn.errors import ModelChangedError
from streamrnn.io import Block, Poll
from streamrnn.scorers.kinds import model_kind
from tests.engine.memory import MemorySink, MemorySource
from tests.engine.test_loop import ALARM, KIND

SMALL = {"hidden_size": 8, "seed": 3}
MODELS = {
    "detector": ("RNNAnomalyDetector", SMALL),
    "with words": ("RNNAnomalyDetector", {**SMALL, "label": "y"}),
    "supervised": ("RNNSupervisedAnomalyDetector", {**SMALL, "label": "y"}),
    "regressor": ("RNNRegressor", {**SMALL, "label": "y"}),
    "classifier": ("RNNClassifier", {**SMALL, "label": "y"}),
}


def block(names: tuple[str, ...], start: int, stop: int, keys: int = 0) -> Block:
    """Events of a stream whose columns are always the same ones, by name."""
    rng = np.random.default_rng(1)
    drawn = {name: rng.normal(size=400) for name in ("a", "b", "c")} | {"y": np.arange(400) % 2.0}
    values = np.array([drawn[name][start:stop] for name in names]).T.copy()
    key = [f"k{i % keys}" for i in range(start, stop)] if keys else None
    return Block(names, values, range(start, stop), stop, keys=key)


@pytest.mark.parametrize("keys", [0, 3])
@pytest.mark.parametrize("kind", MODELS)
def test_a_column_comes(kind: str, keys: int) -> None:
    """Restored, and with a column more: every kind of model goes on with what it has learned, as it would without a restart."""
    made = model_kind(*MODELS[kind])
    old, new = ("a", "y"), ("b", "a", "y")
    never_stopped = Shard(made, ALARM, forecast=Forecast(horizon=2) if kind == "detector" else None)
    never_stopped.score(block(old, 0, 100, keys))
    again = Shard(made, ALARM, forecast=never_stopped.forecast, watched=new)

    again.restore(never_stopped.snapshot())
    found, expected = (one.score(block(new, 100, 200, keys)) for one in (again, never_stopped))

    np.testing.assert_array_equal(found.scores, expected.scores)
    np.testing.assert_array_equal(found.predictions, expected.predictions)
    assert again.take_growth() == ["b"]
    assert again.take_growth() == []
    manifest, _ = unpack(again.snapshot())
    assert manifest["columns"] == {"a": 0, "y": 0, "b": 100}
    assert (manifest["events"], again.snapshot()) == (200, never_stopped.snapshot())


def test_a_column_goes() -> None:
    """A column of the snapshot is missing: refused with the difference, at once where the columns are known, else at the first block."""
    shard = Shard(KIND, ALARM)
    shard.score(block(("a", "b"), 0, 50))
    said = r"with the columns a, b; now b is missing, and there are a, c\. Restore the old \[source\] columns"

    with pytest.raises(ModelChangedError, match=said):
        Shard(KIND, ALARM, watched=("a", "c")).restore(shard.snapshot())
    again = Shard(KIND, ALARM)
    again.restore(shard.snapshot())
    before = again.snapshot()
    for learn in (again.score, again.relearn):
        with pytest.raises(ModelChangedError, match=said):
            learn(block(("a", "c"), 50, 60))
    assert again.snapshot() == before


class Wider(MemorySource):
    """The same stream, with or without its second column."""

    wide = False

    def __init__(self, n: int, **options: Any) -> None:
        super().__init__(300, **options)
        self.values = self.values[:n]

    def poll(self, max_events: int, timeout_s: float) -> Poll:
        found = super().poll(max_events, timeout_s)
        if self.wide:
            return found
        return replace(found, blocks=[replace(one, names=("a",), values=one.values[:, :1]) for one in found.blocks])


def crashing(sink: MemorySink, drawn: random.Random, *, wide: bool, until: int, every: int, **options: Any) -> None:
    """Run, killed again and again, until so many events are written."""
    while len(sink.outputs) < until:
        sink.fail_after = drawn.randint(1, 6)
        source = Wider(until, cut=drawn)
        source.wide = wide
        try:
            Runtime(source, sink, lambda: Shard(KIND, ALARM), every=every, block_events=40, **options).run()
        except ConnectionAbortedError:
            continue


@pytest.mark.parametrize("seed", range(8))
def test_where_it_comes_is_a_matter_of_events(seed: int) -> None:
    """Killed before and after the column came: what was written before it is replayed without it, however old the snapshot."""
    whole, shard = [], Shard(KIND, ALARM)
    for start, stop, wide in ((0, 150, False), (150, 300, True)):
        source = Wider(stop)
        source.wide, source.at = wide, start
        [one] = source.poll(1000, 0).blocks
        whole += shard.score(one).scores.tolist()
    drawn, sink = random.Random(seed), MemorySink()

    crashing(sink, drawn, wide=False, until=150, every=10_000, every_s=drawn.choice([0, 1e-9]))
    crashing(sink, drawn, wide=True, until=300, every=10_000)

    assert [json.loads(line)["score"] for line in sink.outputs] == whole


def test_it_is_logged() -> None:
    """The log names the column that came."""
    sink, out = MemorySink(), io.StringIO()
    Runtime(Wider(50), sink, lambda: Shard(KIND, ALARM), every=1000).run()
    set_up("json", "info", out)
    source = Wider(100)
    source.wide = True

    Runtime(source, sink, lambda: Shard(KIND, ALARM), every=1000, monitor=_Loud()).run()

    [line] = [line for line in map(json.loads, out.getvalue().splitlines()) if line["event"] == "columns_added"]
    assert (line["partition"], line["columns"]) == ("0", "b")


@pytest.mark.parametrize("watched", [(), ("a",)], ids=["found", "named"])
def test_a_new_model_where_a_column_goes(watched: tuple[str, ...]) -> None:
    """[state] on_change = fresh: a new model goes on where the results end, also where the columns are found by looking."""

    def make() -> Shard:
        return Shard(KIND, ALARM, watched=watched)

    sink, source = MemorySink(), Wider(100)
    source.wide = True
    Runtime(source, sink, lambda: Shard(KIND, ALARM), every=1000).run()

    with pytest.raises(ModelChangedError, match="now b is missing, and there is a"):
        Runtime(Wider(200), sink, make, every=1000).run()
    with pytest.warns(RuntimeWarning, match="A new model goes on"):
        again = Runtime(Wider(200), sink, make, every=1000, on_change="fresh").run()

    assert (again.events, again.replayed, len(sink.outputs)) == (100, 0, 200)
