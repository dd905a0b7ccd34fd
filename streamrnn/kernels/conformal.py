"""Prediction intervals: quantiles of errors, tracked online, one set for each lane: a channel and horizon of a forecaster, a target of a regressor.

Each tracked quantile q of level a moves by q += step (a - 1{z <= q}), z the error in units of its running spread. Whatever
the errors do, the share of z <= q is a up to O(1 / (step n)): A. Angelopoulos, E. Candes, R. Tibshirani, Conformal PID control
for time series prediction, NeurIPS 2023, Proposition 1 (quantile tracking), after I. Gibbs, E. Candes, NeurIPS 2021.
An interval h steps ahead is verified h events after it was made, and errors of h steps overlap: they come in runs. Tracking the runs at full pace
gives intervals that hold now and not then (75 % coverage instead of 80 at 48 steps on ETTh2), so steps are smaller for longer
horizons, by 1 + h / ``OVERLAP``; only once the quantiles are there, for heavy tails are far from the normal ones of the start (decaying
steps: A. Angelopoulos, R. Barber, S. Bates, ICML 2024). Quantiles can cross while they move; readers sort them (V. Chernozhukov et al.,
Econometrica 78(3), 2010).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import apart, kernel

F32, ZERO = np.float32, np.float32(0.0)
LEVELS: Final = (
    0.005, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.975, 0.995,
)  # fmt: skip
# quantiles of the standard normal distribution: where each set starts
NORMAL: Final = np.array((
    -2.5758, -1.96, -1.6449, -1.2816, -1.0364, -0.8416, -0.5244, -0.2533, 0.0, 0.2533, 0.5244, 0.8416, 1.0364, 1.2816,
    1.6449, 1.96, 2.5758,
))  # fmt: skip
STEP: Final = 0.03  # of the errors' spread; 0.1 follows faster and is ragged, 0.01 needs a thousand events to settle
OVERLAP: Final = 12.0  # steps ahead at which the pace is halved
YOUNG_ERRORS: Final = 1000.0  # errors: until so many have come, the pace is no less than half, whatever the horizon


_STEP: Final = F32(STEP)
_UP: Final = (STEP * np.array(LEVELS)).astype(F32)
_START: Final = NORMAL.astype(F32)


@kernel
def _tracked(v, i, z, move):
    """Return where quantile i, now at v, is after the error z."""
    moved = v + move * (_UP[i] - (_STEP if z <= v else ZERO))
    v = moved if move > ZERO else v
    return _START[i] if move < ZERO else v


@apart
def track(quantiles, z, moves):
    """Move each lane's quantiles (levels, lanes) by its error z, at the pace ``moves``; where that is negative they start. All float32."""
    n = z.size
    if n == 1:  # quantiles of one lane lie behind one another: so they are one vector
        error, move = z[0], moves[0]
        for i in range(_UP.size):
            quantiles[i] = _tracked(quantiles[i], i, error, move)
        return
    for i in range(_UP.size):
        q = quantiles[i * n : (i + 1) * n]
        for k in range(n):
            q[k] = _tracked(q[k], i, z[k], moves[k])
