"""The conformance suite on every estimator, and the suite itself on estimators that break a promise."""

from __future__ import annotations

import pytest

import streamrnn
from streamrnn.testing import estimators
from tests.estimators.violators import VIOLATORS

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


def failures(model):
    """The checks that an estimator does not pass."""
    found = []
    for check in estimators.checks_for(model):
        try:
            check(model.clone())
        except AssertionError:
            found.append(check)
    return found


@pytest.mark.parametrize(("check", "violator"), VIOLATORS.items(), ids=[check.__name__ for check in VIOLATORS])
def test_a_planted_violator_is_caught(check, violator):
    """An estimator that breaks one promise, and keeps the others, fails one check, and passes the others."""
    assert failures(violator(hidden_size=8)) == [check]


def test_every_check_has_a_violator():
    """A check that nothing fails would be no check."""
    assert list(VIOLATORS) == list(estimators.CHECKS)
