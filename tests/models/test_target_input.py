"""The last known target and its age are inputs: what the net is told, for each key, with late and missing labels."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from streamrnn import RNNClassifier, RNNMultiTargetRegressor, RNNRegressor, RNNSupervisedAnomalyDetector
from streamrnn.kernels.net import words as at

ALONE = {"hidden_size": 8, "experts": ("net",)}


def told(model, x=None):
    """What the net is told with the next event: its age, the last targets, and those as they came."""
    model.predict_one(x or {"a": 0.0})
    return model._net.array("prepared_targets").tolist()


def random_walk(n=1500, seed=3):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 2)), np.cumsum(rng.normal(size=n))


def test_the_last_known_target_is_told_with_its_age():
    """Standardised as targets are; an event without a label makes it older, and what is told fades."""
    model = RNNRegressor(hidden_size=8)
    assert told(model)[:2] == [0.0, 0.0]
    for y in (1.0, 3.0, 5.0):
        model.learn_one({"a": 0.0}, y)
    mean, var = model._net.array("y_mean")[0], model._net.array("y_var")[0]

    assert told(model)[:3] == [0.0, pytest.approx((5.0 - mean) / math.sqrt(var)), 5.0]
    model.learn_one({"a": 0.0}, None)
    model.learn_one({"a": 0.0}, math.nan)
    faded = 1.0 / math.sqrt(3.0)
    assert told(model)[:3] == [pytest.approx(1.0 - faded), pytest.approx(faded * (5.0 - mean) / math.sqrt(var)), 5.0]


def test_the_last_class_is_one_of_all():
    """One input a class, as they appear; a class that comes later gets one behind the others."""
    model = RNNClassifier(hidden_size=8)
    model.learn_one({"a": 0.0}, "x")
    model.learn_one({"a": 0.0}, "y")
    assert told(model) == [0.0, 0.0, 1.0, 1.0]
    model.learn_one({"a": 0.0}, "z")
    assert told(model) == [0.0, 0.0, 0.0, 1.0, 2.0]


def test_each_target_has_its_last_value():
    """A target that is missing in an event keeps the one it had."""
    model = RNNMultiTargetRegressor(hidden_size=8)
    model.learn_one({"a": 0.0}, {"u": 1.0, "v": 2.0})
    model.learn_one({"a": 0.0}, {"u": 7.0})
    assert told(model)[3:] == [7.0, 2.0]


def test_each_key_has_its_own():
    """What one key has had is not told to another, nor to one that is new."""
    model = RNNRegressor(hidden_size=8, key="k")
    for i in range(6):
        model.learn_one({"a": 0.0, "k": i % 2}, float(i % 2))
    assert [told(model, {"a": 0.0, "k": k})[2] for k in (0, 1)] == [0.0, 1.0]
    assert told(model, {"a": 0.0, "k": "new"})[0] == 0.0
    assert math.isnan(told(model, {"a": 0.0, "k": "new"})[2])


@pytest.mark.parametrize("delay", [1, 10])
def test_the_age_says_how_late_labels_are(delay):
    """With ``advance="predict"`` an event is told what was known when it was predicted, and learns with that."""
    model = RNNRegressor(hidden_size=8, advance="predict")
    for i in range(40):
        found = told(model, {"a": float(i)})
        if i >= delay:
            model.learn_one({"a": float(i - delay)}, float(i - delay))
        if i == 20:
            model = pickle.loads(pickle.dumps(model))
    waiting = [np.frombuffer(one.scaled) for one in model._pending[0]]

    assert found[0] == pytest.approx(1.0 - 1.0 / math.sqrt(delay + 1))
    assert found[2] == 39.0 - delay - 1.0
    assert [one[3] for one in waiting] == [float(i - delay - 1) for i in range(40 - delay, 40)]
    assert model._net.array("area")[at.A_EVENTS : at.A_KNOWN + 1].tolist() == [40 - delay, 40, 40 - delay]


def test_waiting_events_keep_what_they_were_told_as_the_model_grows():
    """A new feature goes in front of it; it has no value in the events that wait."""
    model = RNNRegressor(hidden_size=8, advance="predict")
    for i in range(6):
        model.predict_one({"a": float(i)})
        model.learn_one({"a": float(i)}, float(i)) if i < 4 else None
    before = [np.frombuffer(one.scaled) for one in model._pending[0]]
    model.predict_one({"a": 6.0, "b": 1.0})
    after = [np.frombuffer(one.scaled) for one in model._pending[0]]

    assert [one.tolist() for one in after[:2]] == [[one[0], 0.0, *one[1:]] for one in before]


@pytest.mark.parametrize("experts", [("net",), None])
def test_growing_changes_no_answer(experts):
    """New features get weights of their own between the others: those stay bit for bit, and answers but for the order of their sums."""
    X, _ = random_walk(60)
    model = RNNClassifier(hidden_size=8, experts=experts)
    for x in X:
        model.learn_one(dict(zip("ab", x, strict=True)), "up" if x[0] > 0 else "down")
    before = model.predict_proba_one({"a": 0.5, "b": -0.5})
    weights = {name: model.weights[name].copy() for name in ("layer0.targets", "head.targets", "layer0.recurrent")}
    model._grow(["c", "d"])

    assert model.predict_proba_one({"a": 0.5, "b": -0.5}) == pytest.approx(before, rel=1e-6)
    assert all((model.weights[name] == kept).all() for name, kept in weights.items())


@pytest.mark.parametrize("make", [RNNRegressor, RNNMultiTargetRegressor, RNNSupervisedAnomalyDetector])
def test_what_hangs_on_the_last_target_is_learned(make):
    """A target that swings to and fro by itself: the net alone knows it from the last one, and cannot know it from the features."""
    rng, y = np.random.default_rng(3), np.zeros(1500)
    X, noise = rng.normal(size=(1500, 2)), rng.normal(size=1500)
    for i in range(1, 1500):
        y[i] = -0.95 * y[i - 1] + noise[i]
    errors = []
    for autoregressive in (True, False):
        params = {"hidden_size": 8, "autoregressive": autoregressive}
        model = make(**params) if make is RNNSupervisedAnomalyDetector else make(**params, experts=("net",))
        found = model.progressive_many(X, y[:, np.newaxis] if make is RNNMultiTargetRegressor else y)
        found = found["prediction"] if isinstance(found, dict) and "prediction" in found else found
        found = found[0] if isinstance(found, dict) else found
        errors.append(np.abs(np.asarray(found) - y)[500:].mean())

    assert errors[0] < 0.6 * errors[1]


def test_without_it_the_net_has_the_inputs_of_its_features_alone():
    """``autoregressive=False``: no further input, and the net alone answers."""
    model = RNNRegressor(hidden_size=8, autoregressive=False)
    model.learn_one({"a": 1.0}, 2.0)

    assert model._net.sizes.width == 1
    assert model.weights_ == {"net": 1.0}
    assert "layer0.targets" not in model.weights


def test_beyond_sixty_four_classes_some_share_an_input():
    """A thousand classes cost no head of a thousand by a thousand."""
    model = RNNClassifier(hidden_size=8)
    for label in range(70):
        model.learn_one({"a": 0.0}, label)

    assert model._net.sizes.target_inputs == 65
    assert told(model)[1:-1].index(1.0) == 69 % 64
