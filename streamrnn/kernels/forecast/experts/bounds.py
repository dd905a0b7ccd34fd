"""How far from the last value a forecast may go."""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel

FARTHEST: Final = (
    4.0  # root mean square changes over as many steps; 2 cuts seasons off, none lets one wild forecast decide
)


@kernel
def after(slot, H):
    """Return the next of H slots."""
    return slot + 1 if slot + 1 < H else 0


@kernel
def bound(forecasts, change, value):
    """Keep forecasts (H) within reach of the last value; where one is no number, the last value stands for it."""
    for h in range(change.size):
        far = FARTHEST * np.sqrt(change[h])
        v = forecasts[h]
        low, high = value - far, value + far
        kept = v if v > low else low
        kept = kept if kept < high else high
        forecasts[h] = kept if abs(v) >= 0.0 else value
