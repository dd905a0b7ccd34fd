"""Losses: the suite's checks, and river's own values and gradients."""

from __future__ import annotations

import numpy as np
import pytest
from river import optim

from streamrnn.kernels.net.losses.table import LOSSES
from streamrnn.models._translate import loss as translated
from streamrnn.testing import loss_checks
from streamrnn.testing.losses import evaluate
from tests.kernels import reference

CHECKS = [pytest.param(check, id=f"{loss}-{name}") for loss in LOSSES for name, check in loss_checks(loss)]
RNG = np.random.default_rng(4)


@pytest.mark.parametrize("check", CHECKS)
def test_loss(check):
    """Each check of the suite."""
    check()


REGRESSION = [
    optim.losses.Squared(),
    optim.losses.Absolute(),
    optim.losses.Huber(0.7),
    optim.losses.Quantile(0.8),
    optim.losses.Cauchy(2.0),
    optim.losses.Poisson(),
    optim.losses.EpsilonInsensitiveHinge(0.4),
]
BINARY = [
    optim.losses.Log(2.0, 0.5),
    optim.losses.Hinge(0.8),
    optim.losses.BinaryFocalLoss(gamma=1.5, beta=0.3),
]


def evaluated(spec, y, o):
    """Value and gradient by our kernel, for one target and one output."""
    name, settings = translated(spec)
    _, value, grad = evaluate(name, np.array([y]), np.array([o]), settings)
    return value, grad[0]


@pytest.mark.parametrize("spec", REGRESSION, ids=lambda spec: type(spec).__name__)
def test_regression_gradients_are_rivers(spec):
    """On and off the target, near and far: the gradient is river's, the value too where river's belongs to it."""
    for y, o in [*RNG.normal(size=(50, 2)) * 3, (1.0, 1.0), (0.0, 0.4), (2.0, -1e3), (-2.0, 20.0)]:
        # river's takes its target as a class and makes -1 of 0 and 1 of 1
        y_river = (y + 1) / 2 if isinstance(spec, optim.losses.EpsilonInsensitiveHinge) else y
        value, grad = evaluated(spec, y, o)
        assert grad == pytest.approx(spec.gradient(y_river, o), rel=1e-12, abs=1e-12)
        if not isinstance(spec, optim.losses.Quantile):  # river's value is that of the opposite quantile
            assert value == pytest.approx(spec(y_river, o), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("spec", BINARY, ids=lambda spec: type(spec).__name__)
def test_binary_losses_are_rivers(spec):
    """For both classes and logits of any size: value and gradient are river's."""
    for y in (0, 1):
        for o in [*RNG.normal(size=20) * 3, 0.0, 17.0, -17.0]:
            value, grad = evaluated(spec, float(y), o)
            assert grad == pytest.approx(spec.gradient(y, o), rel=1e-7, abs=1e-12)
            assert value == pytest.approx(spec(y, o), rel=1e-7, abs=1e-12)


def test_cross_entropy_is_rivers_behind_a_softmax():
    """River's takes probabilities, ours logits: the same value and the gradient for the logits."""
    spec = optim.losses.CrossEntropy()
    for right in range(4):
        logits = RNG.normal(size=4) * 2
        p = dict(enumerate((np.exp(logits) / np.exp(logits).sum()).tolist()))

        known, value, grad = evaluate("cross_entropy", np.array([right, np.nan, np.nan, np.nan]), logits)

        assert known == 1
        assert value == pytest.approx(spec(right, p), rel=1e-9)
        gradient = spec.gradient(right, p)
        np.testing.assert_allclose(grad, [gradient[k] for k in range(4)], rtol=1e-9)


@pytest.mark.parametrize("right", [-1.0, 4.0, 1e18, np.inf])
def test_a_class_without_an_output_is_not_known(right):
    """The index of a class beyond the outputs is not read from elsewhere in memory: it is not known."""
    known, value, grad = evaluate("cross_entropy", np.array([right, 0, 0, 0]), RNG.normal(size=4))

    assert (known, value, grad.tolist()) == (0, 0.0, [0.0] * 4)


@pytest.mark.parametrize(
    "name", [name for name, row in LOSSES.items() if row.task != "multiclass" and name != "cauchy"]
)
def test_values_are_the_references(name):
    """The value of each loss is that of the plain formula, for several outputs at once."""
    for _ in range(10):
        out = RNG.normal(size=4) * 2
        y = RNG.integers(0, 2, 4).astype(float) if LOSSES[name].task == "binary" else RNG.normal(size=4)
        settings = [*LOSSES[name].defaults.values(), 0.0, 0.0][:2]

        known, value, _ = evaluate(name, y, out)

        assert value / known == pytest.approx(reference.loss(name, out[None], y[None], *settings), rel=1e-12)
