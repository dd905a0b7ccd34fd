"""The season of a number that is learned: what is told of it, by the formula and by no other value; late, missing and hostile ones."""

from __future__ import annotations

import math
import pickle
import random

import numpy as np
import pytest

from streamrnn import RNNMultiTargetRegressor, RNNRegressor
from streamrnn.kernels.net import words as at

SETTINGS = {"hidden_size": 8}
DAY = [10.0, 4.0, 7.0, 12.0, 20.0, 16.0, 3.0, 9.0, 14.0, 18.0, 6.0, 1.0]


def daily(n, seed=0, shape=DAY):
    """A shape that comes again, on a level that walks."""
    drawn, level, found = random.Random(seed), 0.0, []
    for t in range(n):
        level += drawn.gauss(0.0, 0.3)
        found.append(level + shape[t % len(shape)] + drawn.gauss(0.0, 0.3))
    return found


def season(model):
    return int(model._net.array("season")[0])


def told(model):
    """What the season says of the next event."""
    model.predict_one({"a": 0.0})
    return model._net.array("prepared_targets")[-2:].tolist()


def expected(model, values, ahead):
    """The same by its formula: values, one an event, None where not known; ahead: events that have been predicted since the last of them."""
    m, n = season(model), len(values) + ahead
    last = max(i for i, y in enumerate(values) if y is not None)
    pairs = []
    for k in range(1, 5):
        there, then = n - k * m, last - k * m
        if then < 0 or then < len(values) - at.TARGET_RING:
            break
        if there < len(values) and values[there] is not None and values[then] is not None:
            pairs.append((values[there], values[then]))
    sd = math.sqrt(model._net.array("y_var")[0])
    if not pairs:
        return [0.0, 0.0]
    moved = sum(u - v for u, v in pairs) / len(pairs)
    return [moved / sd, (sum(u for u, _ in pairs) / len(pairs) - values[last]) / sd]


def learn(model, values):
    for y in values:
        model.learn_one({"a": 0.0}, y)


def test_the_season_is_found_and_told():
    """Nothing is told before; then the mean change and the mean level of the same time in the last four seasons, longer than the ring too."""
    values = daily(1000)
    model = RNNRegressor(**SETTINGS)
    learn(model, values[:8])
    assert (season(model), told(model)) == (0, [0.0, 0.0])
    for i in (200, 500, 1000):
        learn(model, values[int(model._net.header[at.EVENTS]) : i])
        assert season(model) == 12
        assert told(model) == pytest.approx(expected(model, values[:i], 0), rel=1e-6)


def test_it_foretells():
    """The error is near that of who knows the shape; of the net and the last value alone it is not."""
    values = daily(1500)
    errors = {}
    for experts in (None, ("net", "last")):
        model = RNNRegressor(experts=experts, **SETTINGS)
        found = []
        for y in values:
            found.append(abs(model.predict_one({"a": 0.0}) - y))
            model.learn_one({"a": 0.0}, y)
        errors[experts] = float(np.mean(found[500:]))
    knows = float(np.mean([abs(values[i] - values[i - 1] - DAY[i % 12] + DAY[i % 12 - 1]) for i in range(500, 1500)]))

    assert errors[None] < 1.35 * knows < 0.5 * errors["net", "last"]


def test_values_that_are_missing():
    """An event without a label keeps its place in the season, and a value that is not known says nothing."""
    values = [None if i > 300 and i % 7 in (2, 3) else y for i, y in enumerate(daily(500))]
    model = RNNRegressor(**SETTINGS)
    learn(model, values)

    assert season(model) == 12
    assert (
        values[-1] is None or values[-2] is None or told(model) == pytest.approx(expected(model, values, 0), rel=1e-6)
    )
    learn(model, [None] * 3)
    assert told(model) == pytest.approx(expected(model, [*values, None, None, None], 0), rel=1e-6)


@pytest.mark.parametrize("delay", [1, 5, 20])
def test_late_labels(delay):
    """What is told when an event is predicted is of values known by then, and is what is learned from later."""
    values = daily(600)
    model = RNNRegressor(advance="predict", **SETTINGS)
    for i in range(len(values)):
        model.predict_one({"a": 0.0})
        if i >= 400:
            heard = np.frombuffer(model._pending[0][-1].scaled)[1 + 3 : 1 + 5]
            assert heard.tolist() == pytest.approx(
                expected(model, values[: max(i - delay, 0)], min(delay, i)), rel=1e-6
            )
        if i >= delay:
            model.learn_one({"a": 0.0}, values[i - delay])
    assert season(model) == 12


@pytest.mark.parametrize("block", [1, 7, 600])
def test_blocks_and_resumes_are_equal(block):
    """In blocks of any length, written and read again in the middle: the same bits."""
    values = np.array(daily(1200))
    x = np.zeros((len(values), 1))
    alone = RNNRegressor(**SETTINGS)
    for y in values.tolist():
        alone.learn_one({0: 0.0}, y)
    model = RNNRegressor(**SETTINGS)
    for start in range(0, len(values), block):
        model.learn_many(x[start : start + block], values[start : start + block])
        if start <= 600 < start + block:
            model = pickle.loads(pickle.dumps(model))

    assert season(model) == 12
    assert model.predict_one({0: 0.0}) == alone.predict_one({0: 0.0})
    assert model._net.array("season").tobytes() == alone._net.array("season").tobytes()


def test_a_new_feature_changes_nothing():
    """The season stays where it was, and what was told of it keeps its weight."""
    values = daily(400)
    model = RNNRegressor(**SETTINGS)
    learn(model, values)
    before, weights = (
        model._net.array("season").copy(),
        model._net.array("linear")[0, model._net.header[at.N_OWN] - 2 :][:2].copy(),
    )
    model.predict_one({"a": 0.0, "new": 1.0})
    model.learn_one({"a": 0.0, "new": 1.0}, None)

    after = model._net.array("season")
    assert (after[0], np.nansum(after[1:690] - before[1:690])) == (12.0, 0.0)
    assert model._net.array("linear")[0, model._net.header[at.N_OWN] - 2 :][:2].tolist() == weights.tolist()


@pytest.mark.parametrize("word", [math.nan, math.inf, -5.0, 2.0, 1e300, 345.0])
def test_a_season_that_none_can_be_is_none(word):
    """Whatever a snapshot claims: nothing beyond the memory is read."""
    model = RNNRegressor(**SETTINGS)
    learn(model, daily(100))
    model._net.array("season")[0] = word
    assert told(model) == [0.0, 0.0]
    learn(model, daily(20))


def test_garbage_does_not_end_it():
    """One wild value is no other season, and what it says is limited."""
    values = daily(500)
    values[400] = 2147483647.0
    model = RNNRegressor(**SETTINGS)
    learn(model, values)
    assert season(model) == 12
    assert max(map(abs, told(model))) <= model._net.array("settings")[at.Y_CLIP]


def test_who_has_one():
    """A net of one number without keys, whose linear expert it is for."""
    others = [
        RNNRegressor(key="k", **SETTINGS), RNNRegressor(experts=("net", "last"), **SETTINGS), RNNRegressor(autoregressive=False, **SETTINGS),
        RNNMultiTargetRegressor(**SETTINGS),
    ]  # fmt: skip
    assert [one._net.sizes.seasons for one in (RNNRegressor(**SETTINGS), *others)] == [2, 0, 0, 0, 0]
