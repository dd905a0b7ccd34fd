"""The conformance suite on every estimator, and the suite itself on estimators that break a promise."""

from __future__ import annotations

import pytest

import streamrnn
from streamrnn.testing import estimators

ESTIMATORS = [getattr(streamrnn, name) for name in streamrnn.__all__ if name.startswith("RNN")]
CASES = [
    pytest.param(cls(**params), check, id=f"{cls.__name__}-{check.__name__}")
    for cls in ESTIMATORS
    for params in cls._unit_test_params()
    for check in estimators.checks_for(cls(**params))
]


@pytest.mark.parametrize(("model", "check"), CASES)
def test_estimator_conforms(model, check):
    """Every estimator keeps every promise of its kind."""
    check(model.clone())


class Forgetful(streamrnn.RNNRegressor):
    """Loses a parameter when cloned."""

    def _get_params(self):
        return {**super()._get_params(), "lr": None}


class Restless(streamrnn.RNNRegressor):
    """Moves its state when asked."""

    def predict_one(self, x):
        answer = super().predict_one(x)
        self.learn_one(x, None)
        return answer


class Counting(streamrnn.RNNRegressor):
    """Loses something that it has learned when it is stored."""

    def __setstate__(self, state):
        super().__setstate__(state)
        self._net.array("y_mean")[:] += 1.0


class Fragile(streamrnn.RNNRegressor):
    """Takes whatever comes into its weights."""

    def learn_one(self, x, y):
        super().learn_one(x, y)
        if y is not None and not abs(y) < 1e20:
            self._net.array("head")[:] *= float("nan")


PLANTED = [
    (Restless, estimators.check_asking_is_pure),
    (Restless, estimators.check_asking_is_not_needed),
    (Counting, estimators.check_resume_is_exact),
    (Forgetful, estimators.check_clone_keeps_every_parameter),
    (Fragile, estimators.check_odd_values_survive),
]


@pytest.mark.parametrize(("cls", "check"), PLANTED)
def test_a_planted_violator_is_caught(cls, check):
    """The checks themselves: an estimator that breaks the promise does not pass."""
    with pytest.raises((AssertionError, streamrnn.errors.StateError)):
        check(cls(hidden_size=8))
