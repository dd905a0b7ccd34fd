"""The running size of a feature's errors: a mean of absolute values that no one value can set.

An error counts at most ``SIZE_CUT`` sizes. After ``LASTING`` errors in a row beyond that, the limit doubles with each further one: the stream then has
another unit. And the size is never above the largest error of the last one to two stretches, so that a unit that shrinks is noticed.
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
