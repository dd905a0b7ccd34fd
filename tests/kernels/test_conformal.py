"""Quantile tracking against its definition, and the coverage that it promises."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from streamrnn.kernels.compile import entry
from streamrnn.kernels.conformal import LEVELS, STEP, track

RNG = np.random.default_rng(9)


def _run(quantiles, z, moves):
    for i in range(z.shape[0]):
        track(quantiles, z[i], moves[i])


run = entry(_run)


def test_each_quantile_moves_by_its_level():
    """Quantile tracking, lane by lane: up by step a where the error is above, down by step (1 - a) where not."""
    n, lanes = 500, 3
    z, moves = RNG.normal(size=(n, lanes)), RNG.choice([0.0, 0.5, 1.0], (n, lanes))
    moves[0] = -1.0, 0.0, -1.0
    moves[20, 1] = -1.0
    quantiles = RNG.normal(size=(len(LEVELS), lanes))
    expected = quantiles.copy()
    for errors, paces in zip(z, moves, strict=True):
        for k, pace in enumerate(paces):
            for i, level in enumerate(LEVELS):
                below = errors[k] <= expected[i, k]
                moved = expected[i, k] + pace * STEP * (level - below)
                expected[i, k] = norm.ppf(level) if pace < 0.0 else moved

    run(quantiles.reshape(-1), z, moves)

    np.testing.assert_allclose(quantiles, expected, atol=5e-4)  # the quantiles of the start have four digits


@pytest.mark.parametrize("errors", ["normal", "heavy tails", "runs"])
def test_the_coverage_is_the_level(errors):
    """Over n errors the share at or below each quantile differs from its level by the range of the errors over step n."""
    n = 4000
    z = {
        "normal": RNG.normal(size=n),
        "heavy tails": np.clip(RNG.standard_t(2, n), -20.0, 20.0),
        "runs": np.repeat(RNG.normal(size=n // 40), 40),
    }[errors]
    quantiles, below = np.zeros((len(LEVELS), 1)), np.zeros(len(LEVELS))
    run(quantiles.reshape(-1), z[:1, None], np.array([[-1.0]]))
    for value in z:
        below += value <= quantiles[:, 0]
        run(quantiles.reshape(-1), np.array([[value]]), np.array([[1.0]]))

    most = (np.ptp(z) + 6.0 + STEP) / (STEP * n)
    assert (abs(below / n - LEVELS) <= most).all()
