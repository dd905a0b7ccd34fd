"""The transformer without y: it learns to expect the next event, and turns to y when one comes."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pandas as pd
import pytest
from river import anomaly, linear_model, metrics

from streamrnn import RNNTransformer, dumps, loads
from streamrnn.errors import FeatureError, ParameterError

RNG = np.random.default_rng(3)
N = 70
EVENTS = [{"a": float(a), "b": None if i % 7 == 2 else float(b)} for i, (a, b) in enumerate(RNG.normal(size=(N, 2)))]
FRAME = pd.DataFrame(EVENTS)
SETTINGS = [{}, {"stride": 16}, {"stride": 1}, {"window": 3, "stride": 3}, {"key": "k"}, {"time": "b"}, {"n_layers": 2}]


def make(**settings):
    return RNNTransformer(hidden_size=8, **settings)


def with_keys(settings):
    return [{**x, "k": i % 3} if "key" in settings else x for i, x in enumerate(EVENTS)]


def play(model, events, labels):
    """Ask, learn; return what was answered."""
    answers = []
    for x, y in zip(events, labels, strict=True):
        answers.append(model.transform_one(x))
        model.learn_one(x, y)
    return answers


@pytest.mark.parametrize("settings", SETTINGS)
def test_it_learns_without_labels(settings):
    """Weights and the learning curve move; no slot of the window is ever written beyond its end."""
    model = make(**settings)
    play(model, with_keys(settings), [None] * N)

    assert model.n_updates > 0
    assert model.n_refused_updates == 0
    assert model.n_events == N
    assert all(np.isfinite(view).all() for view in model.weights.values())


@pytest.mark.parametrize("turn", [0, 1, 30, N])
@pytest.mark.parametrize("settings", SETTINGS)
def test_a_block_is_the_loop(settings, turn):
    """``learn_many`` and ``transform_many`` give the bits of single events, before and after the first y."""
    one, many = make(**settings), make(**settings)
    labels = [math.nan] * turn + [float(i) for i in range(N - turn)]
    events = with_keys(settings)
    for x, y in zip(events, labels, strict=True):
        one.learn_one(x, y)
    frame = pd.DataFrame(events)
    many.learn_many(frame[:20], labels[:20])
    many.learn_many(frame[20:], labels[20:] if turn < N else None)

    if "key" not in settings:  # areas are made room for in other steps
        assert pickle.dumps(one) == pickle.dumps(many)
    singles = pd.DataFrame([one.transform_one(x) for x in events])
    assert many.transform_many(frame).to_numpy().tolist() == singles.to_numpy().tolist()


@pytest.mark.parametrize("settings", SETTINGS)
def test_resume_is_exact(settings):
    """Stopped at every event and resumed, before, at and after the turn to y, nothing changes."""
    labels = [None] * 40 + [1.0 * i for i in range(N - 40)]
    events = with_keys(settings)
    whole, parts, answers = make(**settings), make(**settings), []
    expected = play(whole, events, labels)
    for x, y in zip(events, labels, strict=True):
        answers += play(parts, [x], [y])
        parts = loads(dumps(parts))

    assert answers == expected
    assert dumps(parts) == dumps(whole)


def test_each_event_is_a_target_once():
    """All events but the newest have been learned, whatever the stride; a new feature has no change at first."""
    for stride in (1, 3, 16):
        model = make(stride=stride)
        for x in EVENTS:
            model.learn_one({"a": x["a"]})
        learned = model.learning_curve[-1][0]
        model.learn_one({"a": 0.0, "new": 1.0})

        assert learned == N - 1
        assert model.weights["head.bias"].shape == (2,)


def test_asking_is_pure():
    """Transforming changes nothing, with an event waiting for its target."""
    model = make(stride=3)
    for x in EVENTS:
        before = pickle.dumps(model)
        model.transform_one({**x, "never seen": 1.0})
        assert pickle.dumps(model) == before
        model.learn_one(x)


def test_from_the_first_number_on_it_learns_y():
    """Then an event without y teaches nothing, and what a y-model learns is not touched by text."""
    model = make(stride=1)
    play(model, EVENTS, ["text"] * N)
    assert model.n_updates > 0
    model.learn_one(EVENTS[0], 2.0)
    updates, weights = model.n_updates, {name: view.copy() for name, view in model.weights.items()}
    play(model, EVENTS, [None] * N)

    assert model.n_updates == updates
    assert all(np.array_equal(view, weights[name]) for name, view in model.weights.items())
    with pytest.raises(FeatureError, match="'y'"):
        model.learn_one(EVENTS[0], "text")


def test_a_feature_named_y_is_a_feature():
    """A stream whose feature is called y is learned as any other."""
    first, second = make(seed=1), make(seed=1)
    for x in EVENTS:
        first.learn_one({"y": x["a"]})
        second.learn_one({"y": x["a"]})

    assert first.n_updates > 0
    assert pickle.dumps(first) == pickle.dumps(second) == pickle.dumps(loads(dumps(first)))


def test_a_window_of_one_has_no_room_for_the_next_event():
    """It is refused with the remedy, and nothing has changed; with y it works."""
    model = make(window=1, stride=1)
    before = pickle.dumps(model)
    with pytest.raises(ParameterError, match=r"window.*>= 2"):
        model.learn_one({"a": 1.0})
    assert pickle.dumps(model) == before
    play(model, EVENTS, [1.0] * N)
    assert model.n_updates == N


def test_the_state_tells_a_model_without_memory_what_comes():
    """Behind it a linear model predicts the next of a period of 4 values that it cannot tell apart by the event alone."""
    values = [0.0, 1.0, 0.0, 2.0]
    model, bare = make(lr=0.01), linear_model.LinearRegression()
    behind, error, without = linear_model.LinearRegression(), metrics.MAE(), metrics.MAE()
    for t in range(4000):
        x, y = {"level": values[t % 4]}, values[(t + 1) % 4]
        h = model.transform_one(x)
        if t > 3000:
            error.update(y, behind.predict_one(h))
            without.update(y, bare.predict_one(x))
        behind.learn_one(h, y)
        bare.learn_one(x, y)
        model.learn_one(x)

    assert error.get() < 0.25 * without.get()


def test_pipelines_of_both_kinds():
    """A detector and a classifier behind it, neither of which has a y that the net could learn."""
    detector = make() | anomaly.HalfSpaceTrees(seed=1)
    classifier = make() | linear_model.SoftmaxRegression()
    for x in EVENTS:
        plain = {"a": x["a"]}
        detector.learn_one(plain)
        assert 0.0 <= detector.score_one(plain) <= 1.0
        classifier.predict_one(plain)
        classifier.learn_one(plain, "up" if x["a"] > 0 else "down")

    assert detector["RNNTransformer"].n_updates > 0
    assert classifier["RNNTransformer"].n_updates > 0
