"""The same time last season, by value or by change since.

``seasonal`` forecasts y[t + h - m], ``drift`` forecasts y[t] + y[t + h - m] - y[t - m]; m is the main season, given or found
(:mod:`streamrnn.kernels.forecast.season`).
"""

from __future__ import annotations

from typing import Final

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.experts.bounds import after
from streamrnn.kernels.forecast.experts.contract import Expert, place
from streamrnn.kernels.forecast.season import main_season

SEASONAL_CODE: Final = 2
DRIFT_CODE: Final = 3
SEASONAL_ROW: Final = Expert("seasonal", SEASONAL_CODE, prior=0.5)
DRIFT_ROW: Final = Expert("drift", DRIFT_CODE, prior=1.5)


@kernel
def seasonal(hd, d, c, e, t, value, by_change):
    """Write the values of the season before; the last value where there is no season."""
    H, Q = hd[at.HORIZON], hd[at.RING_SIZE]
    ring = hd[at.VALUE_RING] + c * Q
    m = main_season(hd, d, c)
    phase, back, into = 0, 0, place(hd, c, e)
    there = start = t % Q
    for h in range(H):
        v = value
        if m > 0:
            if phase == 0:  # a season further back
                back += m
                start = (t - back) % Q
                there = start
            phase = phase + 1 if phase + 1 < m else 0
            there = after(there, Q)
            v = d[ring + there]
            if by_change:
                v += value - d[ring + start]
        d[into + h] = v
