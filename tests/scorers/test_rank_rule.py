"""The alarm rule."""

from __future__ import annotations

import json
import random
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamrnn import RNNAnomalyDetector
from streamrnn.columns import ranks, sliding
from streamrnn.config import Alarm
from streamrnn.engine.output import encode_block
from streamrnn.engine.shard import Shard
from streamrnn.errors import StateError
from streamrnn.io import Block
from streamrnn.kernels.anomaly.alarm import NO_THRESHOLD
from streamrnn.kernels.anomaly.views import VIEWS
from streamrnn.scorers import rank_rule
from streamrnn.scorers.kinds import model_kind
from streamrnn.scorers.rank_rule import AlarmRule

SCORES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]) | st.floats(0, 1), max_size=80)
WAYS: dict[str, list[object]] = {"compiled": [sliding.entry()], "arrays": []}


def naive(scores: list[float], rate: float, window: int, warm_up: int, quiet: int) -> tuple[list[bool], list[float]]:
    """The definition, written as it is said."""
    alarms: list[bool] = []
    p_values: list[float] = []
    for i, score in enumerate(scores):
        kept = scores[max(0, i - window, min(i, warm_up // 2)) : i]
        p = (1 + sum(one >= score for one in kept)) / (1 + len(kept))
        alarms.append(p <= rate and i >= warm_up and not any(alarms[max(0, i - quiet) : i]))
        p_values.append(p)
    return alarms, p_values


@given(SCORES, st.sampled_from([0.05, 0.2, 0.5]), st.integers(10, 30), st.integers(0, 20), st.integers(0, 5))
def test_definition(scores: list[float], rate: float, window: int, warm_up: int, quiet: int) -> None:
    """The fast rule is the slow definition, ties included, where few scores come and where many do."""
    expected = naive(scores, rate, window, warm_up, quiet)

    assert expected == AlarmRule(rate, window, warm_up, quiet).update_many(scores)
    for ready in WAYS.values():
        with mock.patch.object(rank_rule, "_WORTH_IT", 1), mock.patch.object(ranks, "_ready", ready):
            assert expected == AlarmRule(rate, window, warm_up, quiet).update_many(scores)


@pytest.mark.parametrize("way", WAYS)
def test_many_at_once(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a stream's usual size give what one score at a time gives, alarms that silence others included, by compiled code too."""
    monkeypatch.setattr(ranks, "_ready", WAYS[way])
    drawn = np.random.default_rng(7)
    scores = np.round(drawn.normal(size=6000), 2).tolist()  # ties, zeros of both signs
    whole, single = AlarmRule(0.05, 1000, 200, 7), AlarmRule(0.05, 1000, 200, 7)

    parts = [whole.update_many(scores[i : i + 777]) for i in range(0, 6000, 777)]
    ones = [single.update_many([score]) for score in scores]

    for side in (0, 1):
        assert [one for part in parts for one in part[side]] == [part[side][0] for part in ones]
    assert sum(part[0][0] for part in ones) > 100
    assert whole.to_bytes() == single.to_bytes()
    assert whole.cooldown_left == single.cooldown_left


@given(SCORES, st.sampled_from([0.05, 0.2, 0.5]), st.integers(10, 30), st.integers(0, 20), st.integers(0, 5))
def test_blocks(scores: list[float], rate: float, window: int, warm_up: int, quiet: int) -> None:
    """One score at a time is all at once, also where one that is no number lies in between."""
    mixed = [*scores, *scores, float("nan"), *scores]
    whole, single = AlarmRule(rate, window, warm_up, quiet), AlarmRule(rate, window, warm_up, quiet)

    parts = [whole.update_many(part) for part in (scores, mixed, scores)]
    ones = [single.update_many([score]) for score in [*scores, *mixed, *scores]]

    for side in (0, 1):
        assert [one for part in parts for one in part[side]] == [part[side][0] for part in ones]
    assert whole.to_bytes() == single.to_bytes()


@given(SCORES, st.integers(0, 80), st.integers(0, 5))
def test_resume(scores: list[float], cut: int, quiet: int) -> None:
    """Stopped, written, read and resumed is never stopped."""
    whole = AlarmRule(0.2, 15, 5, quiet)
    expected = whole.update_many(scores)
    first, second = AlarmRule(0.2, 15, 5, quiet), AlarmRule(0.2, 15, 5, quiet)

    head = first.update_many(scores[:cut])
    second.restore(first.to_bytes())
    tail = second.update_many(scores[cut:])

    assert expected == (head[0] + tail[0], head[1] + tail[1])
    assert whole.to_bytes() == second.to_bytes()


def test_rate_is_held() -> None:
    """Scores in exchangeable order alarm at the nominal rate, whatever their scale."""
    drawn = random.Random(1)
    scores = [drawn.random() ** 9 * 1e-3 for _ in range(40_000)]

    alarms, _ = AlarmRule(0.01, 2000, 200, 0).update_many(scores)

    assert 0.008 <= sum(alarms) / len(alarms) <= 0.012


def test_ties_never_alarm() -> None:
    """A constant score is no surprise."""
    alarms, p_values = AlarmRule(0.5, 100, 0, 0).update_many([0.7] * 500)

    assert not any(alarms[1:])
    assert set(p_values) == {1.0}


def test_not_finite() -> None:
    """A score that is no number does not alarm and is not kept."""
    rule = AlarmRule(0.5, 100, 0, 0)

    alarms, _ = rule.update_many([float("nan"), float("inf")])

    assert alarms == [False, False]
    assert len(rule.to_bytes()) == 16


def test_memory_is_bounded() -> None:
    """Only ``window`` scores are kept."""
    rule = AlarmRule(0.1, 50, 0, 0)

    rule.update_many([i / 1000 for i in range(1000)])

    assert len(rule.to_bytes()) == 16 + 8 * 50


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 15, b"\0" * 17, b"\xff" * 16, b"\0" * 24, b"\1" * 8 + b"\0" * 8 + b"\xff" * 8]
)
def test_damage(data: bytes) -> None:
    """A memory that no rule can have is refused."""
    with pytest.raises(StateError):
        AlarmRule().restore(data)


def test_smaller_window() -> None:
    """A rule restored with a smaller window keeps the newest scores."""
    old, new = AlarmRule(0.1, 100, 0, 0), AlarmRule(0.1, 10, 0, 0)
    old.update_many([i / 100 for i in range(100)])

    new.restore(old.to_bytes())

    assert new.update_many([0.895]) == ([False], [11 / 11])


def test_a_model_with_a_rule_of_its_own_is_asked() -> None:
    """The shard gives the detector the settings of ``[alarm]``, passes on what it says, and changes its rate on the way."""
    values = np.random.default_rng(5).normal(size=(900, 1))
    own = RNNAnomalyDetector(hidden_size=8, alarm_rate=0.05, cooldown=3, warm_up=100)
    said = own.progressive_many(values, ("a",))
    kind = model_kind("RNNAnomalyDetector", {"hidden_size": 8})
    shard = Shard(kind, Alarm(rate=0.05, cooldown=3, warm_up=100))

    first = shard.score(block(values[:500], 0))
    again = Shard(kind, Alarm(rate=0.05, cooldown=3, warm_up=100))
    again.restore(shard.snapshot())
    second = again.score(block(values[500:], 500))

    assert first.alarms + second.alarms == said["alarm"].tolist()
    assert first.p_values + second.p_values == said["p_value"].tolist()
    for name in ("threshold", "contribution", "views", "low", "warm", "since", "change"):
        np.testing.assert_array_equal(np.concatenate([first.details[name], second.details[name]]), said[name])
    line = json.loads(encode_block(block(values[:500], 0), first, ("threshold", "views", "contribution", "warm"))[-1])
    assert line["views"] == dict(zip(VIEWS, said["views"][499].tolist(), strict=True))
    lines = [json.loads(one) for one in encode_block(block(values[:500], 0), first, ("feature", "view"))]
    assert [one["view"] for one in lines] == [None if i < 0 else VIEWS[i] for i in said["view"][:500].tolist()]
    assert [one["feature"] for one in lines] == [None if i < 0 else "ab"[i] for i in said["feature"][:500].tolist()]
    assert (line["threshold"], line["contribution"]) == (said["threshold"][499], said["contribution"][499, 0])
    again.set_alarm(Alarm(rate=1e-4))
    assert again.score(block(values[:1], 900)).details["threshold"].item() == NO_THRESHOLD > said["threshold"][-1]


def block(values: NDArray[np.float64], start: int) -> Block:
    return Block(("a",), values, tuple(range(start, start + len(values))), start + len(values))
