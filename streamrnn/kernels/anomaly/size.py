"""The running size of a feature's errors: a mean of absolute values that no one value can set.

An error counts at most ``SIZE_CUT`` sizes. After ``LASTING`` errors in a row beyond that, the limit doubles with each further one: the stream then has
another unit. And the size is never above the largest error of the last one to two stretches, so that a unit that shrinks is noticed.

Errors are often larger where much is expected to change: on the slopes of a daily curve, or where many events are counted. By how much, says the
regression of their size e on that of the change expected, c, from running means of both, of c^2 and of e c::

    b = (mean(e c) - mean(e) mean(c)) / (mean(c^2) - mean(c)^2),   size = max(1 + b (c - mean(c)) / mean(e), 1)
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.anomaly import outlook as at
from streamrnn.kernels.compile import kernel

SIZE_CUT: Final = 4.0
SIZE_PACE: Final = 2e-3
SETTLED: Final = 20.0  # errors before which nothing is limited
LASTING: Final = 32.0
MOST_DOUBLINGS: Final = 40.0
PEAK_STRETCH: Final = 600.0  # with 48 a quiet stretch makes whatever follows it enormous

CHANGE_CUT: Final = 4.0  # means: the most that a change expected counts, and an error beside it
CHANGES_REMEMBERED: Final = 2000.0  # events in which those means are taken
LEAST_CHANGES: Final = 100.0  # before so many the regression is noise


@kernel
def _expected_change(o):
    """Return the size of the change that is expected, and limited as it counts."""
    change, mean = abs(o[at.EXPECTED] - o[at.FORECASTS + at.EXPERT_LAST]), o[at.CHANGE_MEAN]
    return min(change, CHANGE_CUT * mean) if o[at.COUNTED] > SETTLED and mean > 0.0 else change


@kernel
def conditional_size(o):
    """Return how many times larger errors usually are where so much is expected to change as now; at least 1. ``o``: the outlook."""
    e, mean = o[at.CHANGE_ERROR], o[at.CHANGE_MEAN]
    variance = o[at.CHANGE_SQUARE] - mean * mean
    if not (o[at.COUNTED] > LEAST_CHANGES and e > 0.0 and variance > 0.0):
        return 1.0
    slope = (o[at.CHANGE_PRODUCT] - e * mean) / variance
    return max(1.0 + slope * (_expected_change(o) - mean) / e, 1.0)


@kernel
def follow_change(o, error):
    """Take an absolute error into the means, beside the change that was expected."""
    share = max(1.0 / CHANGES_REMEMBERED, 1.0 / (o[at.COUNTED] + 1.0))
    e, c = o[at.CHANGE_ERROR], _expected_change(o)
    error = min(error, CHANGE_CUT * e) if o[at.COUNTED] > SETTLED and e > 0.0 else error
    o[at.CHANGE_ERROR] += share * (error - e)
    o[at.CHANGE_MEAN] += share * (c - o[at.CHANGE_MEAN])
    o[at.CHANGE_SQUARE] += share * (c * c - o[at.CHANGE_SQUARE])
    o[at.CHANGE_PRODUCT] += share * (error * c - o[at.CHANGE_PRODUCT])


@kernel
def follow_size(look, error):
    """Take an absolute error into the running size of a look."""
    n, s = look[at.LOOK_COUNTED] + 1.0, look[at.LOOK_SIZE]
    usual = SIZE_CUT * s if n > SETTLED and s > 0.0 else np.inf
    most = usual * 2.0 ** min(max(look[at.LOOK_WIDE] - LASTING, 0.0), MOST_DOUBLINGS)
    if error > most:
        look[at.LOOK_WIDE] += 1.0
    elif error <= usual:
        look[at.LOOK_WIDE] = 0.0
    s += max(SIZE_PACE, 1.0 / n) * (min(error, most) - s)
    if n % PEAK_STRETCH == 0.0:
        look[at.LOOK_PEAK_BEFORE], look[at.LOOK_PEAK] = look[at.LOOK_PEAK], 0.0
    look[at.LOOK_PEAK] = max(look[at.LOOK_PEAK], error)
    if n > 2.0 * PEAK_STRETCH:
        s = min(s, max(look[at.LOOK_PEAK], look[at.LOOK_PEAK_BEFORE]))
    look[at.LOOK_SIZE], look[at.LOOK_COUNTED] = s, n
