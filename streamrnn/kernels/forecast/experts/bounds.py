"""How far from the last value a forecast may go."""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.season import main_season

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
def reach(hd, d, c, t, value, low, high):
    """Write between what values forecasts made at t may lie (H): some root mean square changes from the last value.

    Farther where in both of the last two seasons the series had moved farther from the same time on: a jump that comes every day is no wild
    forecast. The nearer of the two counts.
    """
    H, Q, m = hd[at.HORIZON], hd[at.RING_SIZE], main_season(hd, d, c)
    change, ring = d[hd[at.MEAN_CHANGE] + c * H : hd[at.MEAN_CHANGE] + (c + 1) * H], hd[at.VALUE_RING] + c * Q
    for h in range(H):
        far = FARTHEST * np.sqrt(change[h])
        low[h], high[h] = value - far, value + far
    if m == 0 or 2 * m >= min(Q, t + 1):
        return
    once, twice = (t - m) % Q, (t - 2 * m) % Q
    to_once, to_twice = value - d[ring + once], value - d[ring + twice]
    for h in range(min(H, m)):
        once, twice = after(once, Q), after(twice, Q)
        a, b = to_once + d[ring + once], to_twice + d[ring + twice]
        nearest = min(a, b)
        high[h] = nearest if nearest > high[h] else high[h]
        nearest = max(a, b)
        low[h] = nearest if nearest < low[h] else low[h]


@kernel
def bound(forecasts, low, high, value):
    """Keep forecasts (H) within reach; where one is no number, the last value stands for it."""
    for h in range(low.size):
        v = forecasts[h]
        kept = v if v > low[h] else low[h]
        kept = kept if kept < high[h] else high[h]
        forecasts[h] = kept if abs(v) >= 0.0 else value
