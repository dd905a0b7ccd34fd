"""Parameters: stored as given, checked by one table, described once."""

from __future__ import annotations

import inspect
import re

import pytest

from streamrnn import RNNAnomalyDetector, RNNClassifier, RNNForecaster, RNNRegressor
from streamrnn.errors import ParameterError
from streamrnn.models.parameters import PARAMETERS

WRONG = {
    "cell": "LSTM", "hidden_size": 0, "n_layers": 1.0, "window": True, "stride": 17, "learning": "rtrl",
    "optimizer": "adamw", "lr": 0.0, "loss": "log", "normalize": 1, "max_features": 0, "horizon": 0, "max_classes": 0, "seed": -1,
    "key": ["sensor"], "max_keys": 0, "advance": "both", "max_pending": 0, "time": {}, "experts": ["last"], "period": 1,
    "alarm_rate": 0.0, "quiet": -1, "warm_up": 1.5, "protect": -1, "patience": 9, "memory": 63,
}  # fmt: skip


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_wrong_value_is_named(name):
    """The error gives the parameter, the estimator and the value."""
    of_detector = dict.fromkeys(("alarm_rate", "quiet", "warm_up", "protect", "patience", "memory"), RNNAnomalyDetector)
    of_forecaster = dict.fromkeys(("horizon", "experts", "period"), RNNForecaster)
    cls = {"max_classes": RNNClassifier, **of_forecaster, **of_detector}.get(name, RNNRegressor)

    with pytest.raises(
        ParameterError, match=f"'{name}' parameter of {cls.__name__} must be .* Got {re.escape(repr(WRONG[name]))}"
    ):
        cls(**{name: WRONG[name]})


def test_every_parameter_of_the_table_is_described():
    """The docstring of an estimator has an entry, with text, for each parameter of its signature."""
    doc = inspect.getdoc(RNNRegressor)

    for name in inspect.signature(RNNRegressor).parameters:
        assert f"\n{name}\n    " in doc
    assert "{" not in doc.partition("Examples")[0]
