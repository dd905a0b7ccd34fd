"""What an event weighs, and river's wrappers that learn an event any number of times."""

from __future__ import annotations

import pickle
import random
from typing import Any

import numpy as np
import pytest
from river import drift, ensemble, imblearn, metrics

from streamrnn import RNNClassifier, RNNMultiTargetRegressor, RNNRegressor
from streamrnn.errors import ParameterError


def two_back(n: int, share: float = 0.5) -> list[tuple[dict[str, float], bool]]:
    """Return n events whose label is the bit of two events ago."""
    rng = random.Random(1)
    bits = [rng.random() < share for _ in range(n + 2)]
    return [({"bit": float(now), "noise": rng.random()}, then) for now, then in zip(bits[2:], bits, strict=False)]


def found_by(model: Any, events: list[tuple[Any, Any]], metric: Any) -> float:
    """Return the metric over the second half of the events."""
    for i, (x, y) in enumerate(events):
        answer = model.predict_one(x)
        if i >= len(events) // 2:
            metric.update(y, answer)
        model.learn_one(x, y)
    return float(metric.get())


def net(**given: Any) -> RNNClassifier:
    """Return a classifier that is at an event once, whatever a wrapper does."""
    return RNNClassifier(hidden_size=8, advance="event", **given)


@pytest.mark.parametrize(
    "wrapper",
    [
        pytest.param(lambda: ensemble.BaggingClassifier(net(), n_models=3, seed=1), id="bagging"),
        pytest.param(lambda: ensemble.ADWINBaggingClassifier(net(), n_models=3, seed=1), id="adwin bagging"),
        pytest.param(lambda: ensemble.LeveragingBaggingClassifier(net(), n_models=3, seed=1), id="leveraging bagging"),
        pytest.param(lambda: ensemble.AdaBoostClassifier(net(), n_models=3, seed=1), id="boosting"),
        pytest.param(lambda: drift.DriftRetrainingClassifier(net()), id="retraining"),
        pytest.param(lambda: imblearn.RandomOverSampler(net(), {True: 0.7, False: 0.3}, seed=1), id="oversampling"),
    ],
)
def test_time_passes_once_in_a_wrapper(wrapper: Any) -> None:
    """An ensemble or a sampler that learns or predicts an event 0, 1, 2 times leaves the memory of ``advance="event"`` whole."""
    assert found_by(wrapper(), two_back(800), metrics.Accuracy()) >= 0.99


def test_undersampling_keeps_rare_labels() -> None:
    """A sampler that passes over most of the frequent class does not pass over their time."""
    sampler = imblearn.RandomUnderSampler(net(), {True: 0.3, False: 0.7}, seed=1)

    assert found_by(sampler, two_back(2000, 0.05), metrics.F1()) > 0.95


def test_each_dict_is_an_event() -> None:
    """In a plain loop ``advance="event"`` is ``advance="predict"`` to the bit, and labels that are left out are events without one."""
    once, ahead = (RNNRegressor(hidden_size=8, advance=advance) for advance in ("event", "predict"))
    for t, (x, y) in enumerate(two_back(60)):
        assert once.predict_one(x) == ahead.predict_one(x) == once.predict_one(x)
        for model in (once, ahead):
            model.learn_one(x, y if t % 3 else None)

    assert once.__getstate__()["state"] == ahead.__getstate__()["state"]


@pytest.mark.parametrize("advance", ["learn", "predict"])
def test_no_weight_is_time_without_learning(advance: str) -> None:
    """An event that weighs nothing moves the state and is told, and teaches nothing."""
    model = RNNRegressor(hidden_size=8, advance=advance)
    for x, y in two_back(40):
        model.predict_one(x)
        model.learn_one(x, y)
    before, learned = {name: w.copy() for name, w in model.weights.items()}, model.learning_counters.learned
    for x, y in two_back(9):
        model.predict_one(x)
        model.learn_one(x, y, w=0)

    assert (model.learning_counters.learned, model.n_events) == (learned, 49)
    for name, w in model.weights.items():
        if "own" not in name:
            np.testing.assert_allclose(w, before[name], atol=0.05)  # one window was half learned


def test_weights_scale_what_is_learned() -> None:
    """Weight 1 is no weight, to the bit; a heavier event moves the answer further."""
    plain, one, heavy = (RNNRegressor(hidden_size=8) for _ in range(3))
    for t, (x, y) in enumerate(two_back(80)):
        plain.learn_one(x, y)
        one.learn_one(x, y, w=1.0)
        heavy.learn_one(x, y, w=4.0 if t == 79 else 1.0)

    assert pickle.dumps(plain) == pickle.dumps(one)
    assert plain.predict_one({"bit": 0.5, "noise": 0.5}) != heavy.predict_one({"bit": 0.5, "noise": 0.5})


def test_class_weights_are_weights() -> None:
    """A dict of class weights is ``w`` of each event, in a loop and in blocks, to the bit."""
    events = [(dict(enumerate(x.values())), y) for x, y in two_back(60)]
    by_class, by_event, block = (RNNClassifier(hidden_size=8, class_weight=w) for w in ({True: 3}, None, {True: 3}))
    for x, y in events:
        by_class.learn_one(x, y)
        by_event.learn_one(x, y, w=3 if y else 1)
    block.learn_many(np.array([list(x.values()) for x, _ in events]), [y for _, y in events])

    assert by_class.__getstate__()["state"] == by_event.__getstate__()["state"] == block.__getstate__()["state"]


def test_balanced_classes_weigh_the_same() -> None:
    """A class that is rare and cannot be told from the other is as likely as the other, where they are balanced."""
    rng, models = random.Random(1), [RNNClassifier(hidden_size=8, class_weight=w) for w in (None, "balanced")]
    for _ in range(900):
        x, y = {"noise": rng.random()}, rng.random() < 0.1
        for model in models:
            model.learn_one(x, y)
    usual, balanced = (model.predict_proba_one({"noise": 0.5})[True] for model in models)

    assert usual < 0.2
    assert 0.3 < balanced < 0.7


@pytest.mark.parametrize("w", [-1.0, float("nan"), "2"])
def test_weights_are_numbers_from_zero(w: Any) -> None:
    """What is no weight is refused before anything has changed."""
    for model, y in ((RNNRegressor(hidden_size=8), 1.0), (RNNMultiTargetRegressor(hidden_size=8), {"y": 1.0})):
        with pytest.raises(ParameterError, match=r"'w' parameter of RNN\w+ must be a number >= 0"):
            model.learn_one({"a": 1.0}, y, w=w)  # type: ignore[arg-type]
        assert model.n_events == 0
