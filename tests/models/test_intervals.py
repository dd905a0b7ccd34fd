"""Prediction intervals of what is learned from labels: quantiles of the errors of what was answered, in units of the usual error."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from streamrnn import RNNMultiTargetRegressor, RNNRegressor, dumps, loads
from streamrnn.errors import ParameterError
from streamrnn.kernels.conformal import LEVELS, NORMAL, OVERLAP, STEP
from streamrnn.kernels.net.usual_errors import ERROR_ALPHA, KNOWN_ERRORS, NORMAL_SPREAD, WILD_ERROR

EXPERTS: Any = (None, ("net",))
LEVEL = 0.9


def events(n: int, seed: int = 3) -> list[tuple[dict[str, Any], float | None]]:
    rng, found = random.Random(seed), []
    for t in range(n):
        x = {"a": rng.gauss(0.0, 1.0), "k": "left" if t % 3 else "right"}
        y = 3.0 * x["a"] + rng.gauss(0.0, 1.0) * (5.0 if x["k"] == "left" else 1.0)
        found.append((x, None if t % 41 == 5 else y))
    return found


def plain(one: dict[str, Any]) -> dict[str, Any]:
    return {"a": one["a"]}


class Expected:
    """The same computed from what was answered and what came, with Python's floats and float32 where the kernel has it."""

    def __init__(self) -> None:
        self.usual, self.seen = 0.0, 0.0
        self.quantiles = np.zeros(len(LEVELS), np.float32)

    def learn(self, answer: float, y: float, overlap: float = 1.0) -> None:
        if self.seen == 0.0:
            self.seen = 1.0
            return
        e, settled = y - answer, self.seen > KNOWN_ERRORS and self.usual > 0.0
        size = min(abs(e), WILD_ERROR * self.usual) if settled else abs(e)
        if settled:
            z, pace = np.float32(e / (NORMAL_SPREAD * self.usual)), np.float32(OVERLAP / (OVERLAP + overlap - 1.0))
            moves = [np.float32(STEP * (a - 1.0 if z <= q else a)) for a, q in zip(LEVELS, self.quantiles, strict=True)]
            started = self.quantiles.any()
            self.quantiles = self.quantiles + pace * np.array(moves) if started else NORMAL.astype(np.float32)
        self.usual += max(ERROR_ALPHA, 1.0 / self.seen) * (size - self.usual)
        self.seen += 1.0

    def interval(self, answer: float, level: float = LEVEL) -> tuple[float, float]:
        ends = np.interp((0.5 - level / 2, 0.5 + level / 2), LEVELS, np.sort(self.quantiles))
        low, high = ends * (NORMAL_SPREAD * self.usual)
        return answer + low, answer + high


@pytest.mark.parametrize("experts", EXPERTS)
def test_formula(experts: Any) -> None:
    model, own = RNNRegressor(experts=experts, seed=1), Expected()
    for t, (x, y) in enumerate(events(500)):
        answer, found = model.predict_one(plain(x)), model.predict_interval_one(plain(x), LEVEL)
        if t > 20:
            assert found == pytest.approx(own.interval(answer), rel=1e-9)
        model.learn_one(plain(x), y)
        if y is not None:
            own.learn(answer, y)


@pytest.mark.parametrize("experts", EXPERTS)
def test_labels_that_come_late_are_compared_with_what_was_answered(experts: Any) -> None:
    """What the state that learns would answer by then knows labels that nobody knew."""
    late, model, own = 6, RNNRegressor(experts=experts, advance="predict", seed=1), Expected()
    waiting: list[tuple[dict[str, Any], float, float]] = []
    for t, (x, y) in enumerate(events(400)):
        answer = model.predict_one(plain(x))
        waiting.append((x, answer, 1.0 if y is None else y))
        if len(waiting) > late:
            then, stated, label = waiting.pop(0)
            model.learn_one(plain(then), label)
            own.learn(stated, label, overlap=min(t - late, late) + 1.0 if t > late else 1.0)
    assert model._net.array("usual_errors")[0, 0] == pytest.approx(own.usual, rel=1e-12)
    np.testing.assert_allclose(model._net.array("bands")[:, 0], own.quantiles, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("experts", EXPERTS)
@pytest.mark.parametrize(
    "noise", [lambda rng: rng.gauss(0, 1), lambda rng: rng.expovariate(1)], ids=["normal", "skewed"]
)
def test_coverage(experts: Any, noise: Callable[[random.Random], float]) -> None:
    """The share within is the level in the long run: quantile tracking promises it for whatever the errors are."""
    rng, model, inside = random.Random(2), RNNRegressor(experts=experts, seed=1), np.zeros((4000, 3))
    levels = (0.5, 0.8, 0.95)
    for t in range(len(inside)):
        x = {"a": rng.random()}
        y = 10.0 * x["a"] + noise(rng)
        bands = [model.predict_interval_one(x, level) for level in levels]
        inside[t] = [low <= y <= high for low, high in bands]
        model.learn_one(x, y)
    np.testing.assert_allclose(inside[1000:].mean(axis=0), levels, atol=0.03)


def test_wider_levels_hold_narrower_ones() -> None:
    model = RNNRegressor(seed=1)
    for x, y in events(300):
        model.learn_one(plain(x), y)
    ends = [model.predict_interval_one({"a": 0.5}, level) for level in (0.1, 0.5, 0.8, 0.95, 0.99, 0.9999)]
    lows, highs = zip(*ends, strict=True)
    assert list(lows) == sorted(lows, reverse=True)
    assert list(highs) == sorted(highs)


def test_before_anything_is_known() -> None:
    model = RNNRegressor()
    assert model.predict_interval_one({"a": 1.0}) == (0.0, 0.0)
    model.learn_one({"a": 1.0}, 5.0)
    assert model.predict_interval_one({"a": 1.0}) == (5.0, 5.0)


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, 80.0, float("nan")])
def test_levels_are_checked(level: float) -> None:
    with pytest.raises(ParameterError, match="level"):
        RNNRegressor().predict_interval_one({"a": 1.0}, level)


def test_a_question_changes_nothing() -> None:
    asked, other = RNNRegressor(seed=1), RNNRegressor(seed=1)
    for x, y in events(200):
        asked.predict_interval_one(plain(x))
        for model in (asked, other):
            model.learn_one(plain(x), y)
    assert dumps(asked) == dumps(other)


@pytest.mark.parametrize("experts", EXPERTS)
def test_blocks_and_a_resume(experts: Any) -> None:
    """Blocks leave the bits of a loop, and so does a resume in the middle."""
    given = events(600)
    X, y = np.array([[x["a"]] for x, _ in given]), np.array([np.nan if y is None else y for _, y in given])
    one, block = RNNRegressor(experts=experts, seed=1), RNNRegressor(experts=experts, seed=1)
    for t, (x, label) in enumerate(given):
        one.learn_one({0: x["a"]}, label)
        if t == 333:
            one = loads(dumps(one))
    for start in range(0, 600, 7):
        block.learn_many(X[start : start + 7], y[start : start + 7])
    assert dumps(one) == dumps(block)
    assert one.predict_interval_one({0: 1.0}) == block.predict_interval_one({0: 1.0})


@pytest.mark.parametrize("experts", EXPERTS)
def test_a_key_has_a_unit_of_its_own_and_the_quantiles_of_all(experts: Any) -> None:
    model, inside = RNNRegressor(experts=experts, key="k", seed=1), {"left": [], "right": []}  # type: ignore[var-annotated]
    for x, y in events(6000):
        low, high = model.predict_interval_one(x)
        if y is not None:
            inside[x["k"]].append(low <= y <= high)
        model.learn_one(x, y)
    for found in inside.values():
        assert np.mean(found[500:]) == pytest.approx(0.8, abs=0.04)
    low, high = model.predict_interval_one({"a": 0.0, "k": "never seen"})
    assert low == high


def test_targets_by_name() -> None:
    model, single = RNNMultiTargetRegressor(seed=1), RNNRegressor(seed=1)
    for x, y in events(400):
        model.learn_one(plain(x), {"wide": None if y is None else 7.0 * y, "none": None})
        single.learn_one(plain(x), y)
    found = model.predict_interval_one({"a": 1.0})
    assert set(found) == {"wide", "none"}
    assert found["none"][0] == found["none"][1]
    low, high = single.predict_interval_one({"a": 1.0})
    assert found["wide"][1] - found["wide"][0] == pytest.approx(7.0 * (high - low), rel=0.3)


def test_counts_have_no_interval_below_zero() -> None:
    rng, model = np.random.default_rng(1), RNNRegressor(loss="poisson", seed=1)
    for count in rng.poisson(0.3, 500).tolist():
        low, high = model.predict_interval_one({})
        assert 0.0 <= low <= high
        model.learn_one({}, count)
    assert high > 0.5


def test_a_frozen_model_keeps_its_intervals() -> None:
    model = RNNRegressor(seed=1)
    for x, y in events(300):
        model.learn_one(plain(x), y)
    before = model._net.array("bands").copy()
    model.freeze()
    for x, y in events(100, seed=9):
        model.learn_one(plain(x), y)
    np.testing.assert_array_equal(model._net.array("bands"), before)
