"""What every scorer promises, held to each implementation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from river.anomaly import HalfSpaceTrees

from streamrnn.config import Alarm, Forecast
from streamrnn.container import MAGIC
from streamrnn.errors import StateError
from streamrnn.scorers.kinds import ModelKind, model_kind
from streamrnn.scorers.make import new_scorer
from streamrnn.scorers.scored import Scored, join
from streamrnn.scorers.scorer import Scorer, read

NAMES = ("a", "b", "said")
NET = {"hidden_size": 8, "seed": 3}
ALARM = Alarm(rate=0.2, warm_up=10, window=30, cooldown=1)
KINDS: dict[str, tuple[ModelKind, Forecast | None]] = {
    "detector": (model_kind("RNNAnomalyDetector", NET), None),
    "detector with the time": (model_kind("RNNAnomalyDetector", {**NET, "time": "at"}), None),
    "feedback": (model_kind("RNNAnomalyDetector", {**NET, "label": "said", "feedback_memory": 20}), None),
    "label": (model_kind("RNNRegressor", {**NET, "label": "b"}), None),
    "class": (model_kind("RNNClassifier", {**NET, "label": "said"}), None),
    "label that is judged": (model_kind("RNNSupervisedAnomalyDetector", {**NET, "label": "b"}), None),
    "forecasts": (model_kind("RNNAnomalyDetector", NET), Forecast(horizon=2)),
}


def made(name: str) -> Scorer:
    kind, forecast = KINDS[name]
    return new_scorer(kind, ALARM, forecast)


def stream(n: int = 90) -> tuple[NDArray[np.float64], list[Any]]:
    """Values with some missing, feedback on some events and some that comes alone; and the times."""
    drawn = np.random.default_rng(1)
    values = np.column_stack(
        [drawn.normal(size=(n, 2)), np.where(drawn.random(n) < 0.3, drawn.integers(2, size=n), np.nan)]
    )
    values[drawn.random(n) < 0.1, 0] = np.nan
    times: list[Any] = list(range(n))
    for i in range(20, n, 17):
        values[i, :2], values[i, 2], times[i] = np.nan, 1.0, i - 5
    return values, times


def same(one: Scored, other: Scored) -> None:
    """Raise where results are not the same, to the last bit."""
    assert one.columns().keys() == other.columns().keys()
    for name, part in one.columns().items():
        np.testing.assert_array_equal(part, other.columns()[name], err_msg=name)


def blobs_of(scorer: Any) -> list[bytes]:
    """Return what a scorer keeps, each in one piece."""
    return [bytes(blob) for blob in scorer.dumps()]


@pytest.mark.parametrize("name", KINDS)
def test_blocks_and_restores_leave_no_mark(name: str) -> None:
    """At once, in pieces, and in pieces with a new scorer that takes up the old one's blobs before each: the same bits."""
    values, times = stream()
    whole = read(made(name).run(values, NAMES, times))
    scorer, parts = made(name), []
    for start in range(0, 90, 13):
        rows = list(range(start, min(90, start + 13)))
        parts.append((rows, scorer.run(values[rows], NAMES, [times[i] for i in rows])))
        after = made(name)
        after.restore(blobs_of(scorer))
        assert blobs_of(after) == blobs_of(scorer)
        assert after.counters == scorer.counters
        scorer = after

    same(join(parts), whole)


@pytest.mark.parametrize("name", KINDS)
def test_blobs(name: str) -> None:
    """As many as was said, none a container of its own; too few, or those of another kind, are refused."""
    scorer = made(name)
    read(scorer.run(*_first(stream())))
    blobs = blobs_of(scorer)

    assert len(blobs) == scorer.parts
    assert not [blob for blob in blobs if blob.startswith(MAGIC)]
    assert scorer.memory() > sum(map(len, blobs))
    for place in range(len(blobs)):
        with pytest.raises(StateError):
            made(name).restore([*blobs[:place], b"\xff" * 15, *blobs[place + 1 :]])


def _first(found: tuple[NDArray[np.float64], list[Any]]) -> tuple[NDArray[np.float64], tuple[str, ...], list[Any]]:
    values, times = found
    return values[:40], NAMES, times[:40]


@pytest.mark.parametrize("name", KINDS)
def test_nets_count(name: str) -> None:
    """A net's targets and losses are counted: what it learned is in the metrics of a run, whatever is around it."""
    scorer = made(name)
    read(scorer.run(*_first(stream())))

    assert scorer.counters.learned > 0
    assert scorer.counters.loss > 0.0
    assert scorer.counters.refused == 0


@pytest.mark.parametrize("name", KINDS)
def test_another_rate(name: str) -> None:
    """A rate taken over while the stream goes on counts from the next event; with no cooldown more may alarm."""
    values, times = stream()
    few, many = made(name), made(name)
    for scorer in (few, many):
        read(scorer.run(values, NAMES, times))
    values[[10, 30, 50, 70], :2] = np.array([[20.0], [40.0], [80.0], [160.0]])  # each of them new
    few.set_alarm(Alarm(rate=0.01, cooldown=80))
    many.set_alarm(Alarm(rate=0.5))

    found = [sum(read(scorer.run(values, NAMES, times)).alarms) for scorer in (few, many)]

    assert found[0] <= 2 < found[1]


def test_a_model_without_a_form_says_so() -> None:
    """What cannot be written without pickle is named when it is to be."""
    scorer = new_scorer(ModelKind("HalfSpaceTrees", {}, HalfSpaceTrees), ALARM)

    with pytest.raises(StateError, match="A HalfSpaceTrees cannot be written without pickle"):
        scorer.dumps()


def test_no_rule_where_none_is_used() -> None:
    """Our detector has a rule of its own, and no other beside it, in memory or in a snapshot."""
    assert (made("detector").parts, made("label").parts) == (1, 4)
