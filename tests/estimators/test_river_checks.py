"""River's own checks of estimators: all of them, on all of ours, alone and behind a scaler."""

from __future__ import annotations

import pytest
from river import checks, compose, linear_model, preprocessing
from river.checks import time_series
from river.datasets import base as datasets_base

import streamrnn
from tests.estimators.offline import CreditCard

BLOCKWISE = (streamrnn.RNNClassifier, streamrnn.RNNRegressor)
ESTIMATORS = [getattr(streamrnn, name) for name in streamrnn.__all__ if name.startswith("RNN")]


# Checks of river's that no model passes behind river's StandardScaler, by name, with the reason. Strict: river's own models fail them,
# too, and so do ours; else the row has to go.
WAIVED_BEHIND_A_SCALER = {
    "check_learn_many_matches_learn_one": (
        "In a block a StandardScaler scales every row by the statistics at the block's end, one by one by those so far: the model behind "
        "it sees other numbers. test_blocks.py holds what a block does behind a scaler to the bit."
    ),
}


class ByKeyword:
    """A forecaster called with (y, x) and (horizon, xs), who hands both on by name, as river's own evaluation does.

    The checks of forecasters call ``learn_one(y, x)`` by position, but ``Pipeline.learn_one`` is (x, y): no pipeline passes.
    """

    def __init__(self, model):
        self.model = model

    def learn_one(self, y, x):
        self.model.learn_one(y=y, x=x)

    def forecast(self, horizon, xs):
        return self.model.forecast(horizon=horizon, xs=xs)


def instances():
    """Each estimator with its test parameters, alone and behind a scaler."""
    for cls in ESTIMATORS:
        for params in cls._unit_test_params():
            model = cls(**params)
            yield pytest.param(model, id=cls.__name__)
            yield pytest.param(preprocessing.StandardScaler() | model.clone(), id=f"StandardScaler | {cls.__name__}")


@pytest.fixture
def _offline(monkeypatch):
    """The one file that a check would download is made here; any other download is an error."""

    def refuse(self, *args, **kwargs):
        raise AssertionError(f"{type(self).__name__} would be downloaded")

    monkeypatch.setattr("river.datasets.CreditCard", CreditCard)
    monkeypatch.setattr(datasets_base.RemoteDataset, "download", refuse)


@pytest.mark.usefixtures("_offline")
@pytest.mark.parametrize("model", list(instances()))
def test_river_checks_pass(model):
    """Every check that river has for an estimator of this kind passes, at the model's own settings, and none is skipped but the waived."""
    assert set(model._unit_test_skips()) == set()
    waived = WAIVED_BEHIND_A_SCALER if isinstance(model, compose.Pipeline) else {}
    ran = 0
    for check in checks.yield_checks(model):
        if check.__name__ not in waived:
            check(ByKeyword(model.clone()) if check.__module__ == time_series.__name__ else model.clone())
            ran += 1

    assert ran >= 14


@pytest.mark.parametrize("name", WAIVED_BEHIND_A_SCALER)
@pytest.mark.parametrize(
    "model",
    [
        linear_model.LinearRegression(),
        linear_model.LogisticRegression(),
        *(cls(hidden_size=8, experts=("net",)) for cls in BLOCKWISE),
    ],
    ids=lambda model: type(model).__name__,
)
def test_what_is_waived_no_model_passes(model, name):
    """Behind a scaler a waived check fails for river's own models as for ours; without it ours pass: the scaler is the reason. Ours is the net alone: the last value beside it needs no scaler."""
    found = [
        check for check in checks.yield_checks(preprocessing.StandardScaler() | model.clone()) if check.__name__ == name
    ]

    assert found
    for check in found:
        with pytest.raises(AssertionError):
            check(preprocessing.StandardScaler() | model.clone())
        if isinstance(model, BLOCKWISE):
            check(model.clone())
