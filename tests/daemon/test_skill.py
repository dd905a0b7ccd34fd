"""Skill, coverage and drift are their definitions, whatever the blocks and the keys."""

from __future__ import annotations

import numpy as np
import pytest

from streamrnn.daemon.last_values import KEYS_JUDGED
from streamrnn.daemon.skill import HORIZONS, Skill
from streamrnn.io import Block
from streamrnn.scorers.scored import Scored


def stream(n=600, features=2, keys=0, seed=0):
    """Values with gaps, predictions that know something of them, bands, keys on scales of their own, times of twenty days."""
    rng = np.random.default_rng(seed)
    names = tuple(f"f{i}" for i in range(features))
    owner = rng.integers(0, keys, n) if keys else np.zeros(n, int)
    scale = 10.0 ** np.arange(-2, -2 + max(keys, 1))[owner][:, None] if keys else 1.0
    values = (np.cumsum(rng.normal(size=(n, features)), axis=0) + rng.normal(size=(n, features))) * scale
    stated = values + 0.5 * scale * rng.normal(size=values.shape)
    values[rng.random(values.shape) < 0.1] = np.nan
    values[5, 0] = np.inf
    stated[:3] = np.nan
    half = 0.6 * scale * np.ones_like(values)
    names_of = tuple(f"k{i}" for i in owner) if keys else None
    times = tuple(1.7e9 + 86_400.0 * 20 * i / n for i in range(n))
    scored = Scored(
        np.zeros(n), stated, [i % 50 == 7 for i in range(n)], [], details={"low": stated - half, "high": stated + half}
    )
    return Block(names, values, tuple(range(n)), n, keys=names_of, times=times), scored


def cut(block, scored, size):
    """The same in blocks."""
    for a in range(0, len(block), size):
        b = min(a + size, len(block))
        keys = None if block.keys is None else block.keys[a:b]
        details = {name: part[a:b] for name, part in scored.details.items()}
        yield (
            Block(block.names, block.values[a:b], tuple(range(a, b)), b, keys=keys, times=block.times[a:b]),
            Scored(scored.scores[a:b], scored.predictions[a:b], scored.alarms[a:b], [], details=details),
        )


def taken(block, scored, size):
    skill = Skill()
    for one in cut(block, scored, size):
        skill.take(*one)
    return skill.status()


def by_hand(block, scored, horizon):
    """One event after the other, in words: without keys."""
    keep, n, width = 1.0 - 1.0 / horizon, *block.values.shape
    error, last_error, inside, known = np.zeros((4, width))
    last = [np.nan] * width
    for i in range(n):
        error, last_error, inside, known = (keep * sums for sums in (error, last_error, inside, known))
        for j in range(width):
            x, p = block.values[i, j], scored.predictions[i, j]
            if not np.isfinite(x):
                continue
            if np.isfinite(p):
                known[j] += 1.0
                inside[j] += scored.details["low"][i, j] <= x <= scored.details["high"][i, j]
                if np.isfinite(last[j]):
                    error[j] += abs(x - p)
                    last_error[j] += abs(x - last[j])
            last[j] = x
    return float(np.mean(1.0 - error / last_error)), float(np.mean(inside / known))


@pytest.mark.parametrize("size", [1, 7, 600])
def test_it_is_its_definition(size):
    """Against a loop over events; the last value is the last that was there."""
    block, scored = stream()
    found = taken(block, scored, size)

    for horizon in HORIZONS:
        skill, inside = by_hand(block, scored, horizon)
        assert found["skill"][str(horizon)] == pytest.approx(skill, rel=1e-9)
        assert found["coverage"][str(horizon)] == pytest.approx(inside, rel=1e-9)


def test_keys_count_alike():
    """Series on scales from .01 to 1e7: each counts by its own usual step, and none sees the last value of another."""
    block, scored = stream(6000, 1, keys=10)
    alone = [
        by_hand(
            Block(block.names, block.values[rows], tuple(range(len(rows))), len(rows)),
            Scored(
                scored.scores[rows], scored.predictions[rows], [False] * len(rows), [],
                details={name: part[rows] for name, part in scored.details.items()},
            ),
            10_000,
        )[0]
        for i in range(10)
        for rows in [[r for r in range(6000) if block.keys[r] == f"k{i}"]]
    ]  # fmt: skip

    assert taken(block, scored, 100)["skill"]["10000"] == pytest.approx(np.mean(alone), abs=0.02)


def test_memory_is_bounded():
    """Of a fleet the first thousand series are judged; days are kept for two weeks."""
    skill = Skill()
    for a in range(0, 5000, 500):
        keys, values = tuple(f"k{i}" for i in range(a, a + 500)), np.ones((500, 1))
        times = tuple(86_400.0 * (20_000 + i) for i in range(a, a + 500))
        skill.take(
            Block(("a",), values, keys, a + 500, keys=keys, times=times),
            Scored(np.zeros(500), values, [False] * 500, []),
        )

    skill._digest()
    assert len(skill._last) == len(skill._last._last) == KEYS_JUDGED
    assert len(skill._days) <= 14
    assert skill.status()["skill"]["10000"] is None  # each came once: there is nothing to compare with


def test_what_moves_drifts():
    """A mean that moves by three spreads is told, one that stays is not; a column that comes later has no past."""
    rng = np.random.default_rng(3)
    skill = Skill()
    for shift in (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0):
        values = rng.normal((shift, 0.0), size=(20_000, 2))
        skill.take(
            Block(("a", "b"), values, range(20_000), 20_000), Scored(np.zeros(20_000), values, [False] * 20_000, [])
        )
    found = skill.status()["features"]

    assert found["a"]["drift"] > 1.5
    assert found["b"]["drift"] < 0.05
    skill.take(
        Block(("a", "b", "c"), np.ones((3, 3)), range(3), 3), Scored(np.zeros(3), np.ones((3, 3)), [False] * 3, [])
    )
    assert skill.status()["features"]["c"] == {"skill": {"10000": None, "1000000": None}, "drift": None}


def test_a_day_ahead_of_the_clock_counts_nowhere():
    """One record from 2099 does not end the weeks."""
    block, scored = stream(2000)
    skill = Skill()
    for one in cut(block, scored, 20):
        skill.take(*one)
    ahead = Block(("f0", "f1"), np.ones((1, 2)), (0,), 1, times=("2999-01-01",))
    skill.take(ahead, Scored(np.zeros(1), np.ones((1, 2)), [False], []))

    assert skill.status()["weeks"] == taken(block, scored, 20)["weeks"]


def test_this_week_beside_the_last():
    """By the input's own times: days, events, alarms and skill of each week."""
    block, scored = stream(2000)
    found = taken(block, scored, 20)["weeks"]

    assert found["this"]["days"] == found["last"]["days"] == 7
    assert 640 < found["this"]["events"] < 720
    assert found["this"]["alarms"] == pytest.approx(14, abs=1)
    assert found["this"]["skill"] == pytest.approx(by_hand(block, scored, 10**9)[0], abs=0.1)
