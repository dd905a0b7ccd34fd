"""How far from the last value a forecast may go."""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels import book as at
from streamrnn.kernels.compile import kernel

FARTHEST: Final = (
    4.0  # root mean square changes over as many steps; 2 cuts seasons off, none lets one wild forecast decide
)


@kernel
def after(slot, H):
    """Return the next of H slots: forecasts lie by the moment that they speak of."""
    return slot + 1 if slot + 1 < H else 0


@kernel
def state(hd, d, c, e, slot, h, value, forecast):
    """Write an expert's forecast of step h, bounded; the last value where it is no number. ``slot``: see :func:`after`."""
    C, H, E = hd[at.CHANNELS], hd[at.HORIZON], hd[at.EXPERTS]
    far = FARTHEST * np.sqrt(d[hd[at.CHANGE] + c * H + h])
    low, high = value - far, value + far
    v = forecast if forecast > low else low
    v = v if v < high else high
    v = v if abs(forecast) >= 0.0 else value
    d[hd[at.FORECASTS] + ((slot * C + c) * H + h) * E + e] = v
