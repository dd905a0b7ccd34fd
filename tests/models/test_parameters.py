"""Parameters: stored as given, checked by one table, described once."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest
from river import optim

from streamrnn import (
    RNNAnomalyDetector,
    RNNClassifier,
    RNNForecaster,
    RNNMultiTargetRegressor,
    RNNRegressor,
    RNNTransformer,
)
from streamrnn.errors import ParameterError
from streamrnn.models._parameter_table import PARAMETERS

WRONG = {
    "cell": "LSTM", "hidden_size": 0, "n_layers": 1.0, "window": True, "stride": 17, "learning": "rtrl",
    "optimizer": "adamw", "lr": 0.0, "loss": "log", "normalize": 1, "max_features": 0, "horizon": 0, "max_classes": 0, "seed": -1,
    "key": ["sensor"], "max_keys": 0, "advance": "both", "max_pending": 0, "time": {}, "experts": ["last"], "period": 1, "minimum": "zero", "calendar": ("hour",), "holidays": ("25.12.",),
    "missing": None, "class_weight": {"a": -1}, "autoregressive": 1, "experts of labels": ("rls",), "alarm_rate": 0.0, "cooldown": -1, "warm_up": 1.5, "protect": -1, "patience": 9, "expectation": "short", "memory": 15,
    "direction": "up", "min_deviation": "ten", "valid_range": (1, 1), "maintenance": ["Sun"], "counters": "a", "by_feature": {"a": {"up": 1}},
}  # fmt: skip


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_wrong_value_is_named(name):
    """The error gives the parameter, the estimator and the value."""
    alone = ("direction", "min_deviation", "valid_range", "maintenance", "by_feature", "counters")
    of_detector = dict.fromkeys(
        ("alarm_rate", "cooldown", "warm_up", "protect", "patience", "expectation", "memory", *alone),
        RNNAnomalyDetector,
    )
    of_forecaster = dict.fromkeys(("horizon", "experts", "period", "minimum", "calendar", "holidays"), RNNForecaster)
    cls = {"max_classes": RNNClassifier, "class_weight": RNNClassifier, **of_forecaster, **of_detector}.get(
        name, RNNRegressor
    )

    wrong = WRONG[name]
    name = name.removesuffix(" of labels")
    with pytest.raises(
        ParameterError, match=f"'{name}' parameter of {cls.__name__} must be .* Got {re.escape(repr(wrong))}"
    ):
        cls(**{name: wrong}, **({"window": 16} if name == "stride" else {}))


def test_every_parameter_of_the_table_is_described():
    """The docstring of an estimator has an entry, with text, for each parameter of its signature."""
    doc = inspect.getdoc(RNNRegressor)

    for name in inspect.signature(RNNRegressor).parameters:
        assert f"\n{name}\n    " in doc
    assert "{" not in doc.partition("Examples")[0]


@pytest.mark.parametrize(
    ("model", "stride"),
    [
        (RNNRegressor(), 2), (RNNClassifier(), 2), (RNNMultiTargetRegressor(), 2), (RNNTransformer(), 8),
        (RNNRegressor(window=16), 8), (RNNRegressor(window=64), 8), (RNNRegressor(cell="gru"), 8), (RNNRegressor(window=1), 1),
        (RNNRegressor(key="k"), 2), (RNNRegressor(key="k", window=16), 4), (RNNRegressor(window=3), 1), (RNNRegressor(stride=16), 16), (RNNTransformer(window=3), 3),
        (RNNAnomalyDetector(), 4), (RNNForecaster(), 4),
    ],
)  # fmt: skip
def test_the_stride_goes_with_what_is_learned(model, stride):
    """With labels it is half the window, which is 4 by key, at most 8, and 4 by key; others learn every 4 events, and a transformer every 8."""
    assert model._net.sizes.stride == stride


@pytest.mark.parametrize(("gap", "rate"), [(1, 0.01), (2, 0.005), (8, 0.005)])
def test_an_update_of_many_targets_takes_the_place_of_several(gap, rate):
    """Eight events with targets are learned at twice the rate, up to 4 at the rule's own; the decays are for 8 events."""
    rule = optim.Adam(lr=rate, beta_1=0.9**2, beta_2=0.99**2)
    params = {"hidden_size": 8, "window": 16}
    model, plain = RNNRegressor(**params, optimizer="adam"), RNNRegressor(**params, optimizer=rule)
    X = np.random.default_rng(1).normal(size=(400, 3))
    y = np.where(np.arange(400) % gap == 0, X.sum(1), np.nan)

    assert model.progressive_many(X, y).tolist() == plain.progressive_many(X, y).tolist()
    assert model.n_updates == 50


def test_a_rate_that_is_given_is_taken_as_it_is():
    """With ``lr`` all other settings are the rule's own too, whatever the stride."""
    X = np.random.default_rng(1).normal(size=(200, 3))
    given, plain = (
        RNNRegressor(hidden_size=8, **kw) for kw in ({"lr": 0.004}, {"optimizer": optim.RMSProp(lr=0.004, rho=0.99)})
    )

    assert given.progressive_many(X, X.sum(1)).tolist() == plain.progressive_many(X, X.sum(1)).tolist()
