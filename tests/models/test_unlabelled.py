"""Events without a label: taken in by every model, whatever says that the label is not known."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pandas as pd
import pytest

from streamrnn import (
    RNNAnomalyDetector,
    RNNClassifier,
    RNNForecaster,
    RNNMultiTargetRegressor,
    RNNRegressor,
    RNNSupervisedAnomalyDetector,
)

N = 40
ROWS = np.random.default_rng(2).normal(size=(N, 2))
UNKNOWN = [None, math.nan, np.float32("nan"), pd.NA, np.array([math.nan])]
ids = [type(value).__name__ + str(value) for value in UNKNOWN]


def events():
    return [dict(enumerate(row)) for row in ROWS.tolist()]


@pytest.mark.parametrize("unknown", UNKNOWN, ids=ids)
@pytest.mark.parametrize("cls", [RNNClassifier, RNNMultiTargetRegressor, RNNRegressor, RNNSupervisedAnomalyDetector])
def test_every_form_of_not_known_is_one(cls, unknown):
    """Nothing but unlabelled events: whatever says so, the model is the one that was told None, and the label behind them is learned."""
    label = {RNNClassifier: "up", RNNMultiTargetRegressor: {"y": 1.0}}.get(cls, 1.0)
    model, other = cls(hidden_size=8), cls(hidden_size=8)
    for x in events():
        model.learn_one(x, unknown)
        other.learn_one(x, None)

    assert pickle.dumps(model) == pickle.dumps(other)
    assert (model.n_events, model.n_updates) == (N, 0)
    for x in events():
        model.learn_one(x, label)
    assert model.n_updates > 0


def test_classes_that_come_late_are_learned_as_by_a_block():
    """Forty events before the first label: a block is a loop, bit for bit, over the rows where a net has no output yet, too."""
    y = [None] * 37 + ["a", None, "b"]
    one, many = RNNClassifier(hidden_size=8), RNNClassifier(hidden_size=8)
    for x, label in zip(events(), y, strict=True):
        one.learn_one(x, label)

    many.learn_many(ROWS, y)

    assert pickle.dumps(one) == pickle.dumps(many)
    assert many.classes == ["a", "b"]


@pytest.mark.parametrize("unknown", UNKNOWN, ids=ids)
@pytest.mark.parametrize("cls", [RNNAnomalyDetector, RNNSupervisedAnomalyDetector])
def test_a_word_that_is_not_known_is_none(cls, unknown):
    """NaN for ``feedback`` says nothing of an event; it was taken for an anomaly."""
    model, other = cls(hidden_size=8), cls(hidden_size=8)
    y = [] if cls is RNNAnomalyDetector else [1.0]
    for x in events():
        model.learn_one(x, *y, feedback=unknown)
        other.learn_one(x, *y)

    assert pickle.dumps(model) == pickle.dumps(other)


@pytest.mark.parametrize("unknown", UNKNOWN, ids=ids)
def test_channels_none_of_which_is_known(unknown):
    """A forecaster of channels takes None for "no channel has a value", as {}; a forecaster of one number takes it for that number."""
    models = [RNNForecaster(horizon=2, hidden_size=8) for _ in range(2)]
    for model, missing in zip(models, (unknown, {}), strict=True):
        for t in range(20):
            model.learn_one(missing if t % 3 == 2 else {"a": float(t)})

    assert pickle.dumps(models[0]) == pickle.dumps(models[1])
    assert list(models[0].forecast(1)[0]) == ["a"]


@pytest.mark.parametrize("horizon", [1, 2, 7])
def test_before_the_first_value_there_are_as_many_forecasts_as_asked_for(horizon):
    """0 for each step, beyond the model's own horizon too."""
    model = RNNForecaster(horizon=2, hidden_size=8)

    assert model.forecast(horizon) == [0.0] * horizon
    model.learn_one(None)
    assert model.forecast(horizon) == [0.0] * horizon
    assert len(model.forecast_quantiles(horizon)) == horizon
