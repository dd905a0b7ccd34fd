"""Whether values may enter an update: finite, and not absurdly large."""

from __future__ import annotations

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.reinterpret import reinterpret

# Exponent bits of 2^40. Larger errors or factors are refused: their squares, summed, would leave float32.
TOO_BIG = np.uint32((127 + 40) << 23)
MAGNITUDE = np.uint32(0x7FFFFFFF)


@kernel
def finite(f, start, n):
    """Tell whether n values are finite and below 2^40, by their bits: no float comparison, nothing to optimise away."""
    bits = reinterpret(f[start : start + n], np.uint32)
    worst = np.uint32(0)
    for i in range(n):
        worst = max(worst, np.uint32(bits[i] & MAGNITUDE))  # numba widens what & gives: half the speed
    return worst < TOO_BIG
