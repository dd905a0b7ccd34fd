"""How far from the last value a forecast may go."""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel

FARTHEST: Final = (
    4.0  # root mean square changes over as many steps; 2 cuts seasons off, none lets one wild forecast decide
)


FARTHEST_KEPT: Final = 3e38  # a distance that float32 holds


@kernel
def kept_distance(v):
    """Return a distance as float32 keeps it, never infinite; NaN stays NaN."""
    v = FARTHEST_KEPT if v > FARTHEST_KEPT else v
    return np.float32(-FARTHEST_KEPT if v < -FARTHEST_KEPT else v)


@kernel
def after(slot, H):
    """Return the next of H slots."""
    return slot + 1 if slot + 1 < H else 0


@kernel
def reach(change, far):
    """Write how far from the last value a forecast may go: far (H), from the mean square changes."""
    for h in range(change.size):
        far[h] = FARTHEST * np.sqrt(change[h])


@kernel
def bound(forecasts, far, value):
    """Keep forecasts (H) within reach of the last value; where one is no number, the last value stands for it."""
    for h in range(far.size):
        v = forecasts[h]
        low, high = value - far[h], value + far[h]
        kept = v if v > low else low
        kept = kept if kept < high else high
        forecasts[h] = kept if abs(v) >= 0.0 else value
