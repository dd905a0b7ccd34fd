"""The same time last season, by value or by change since: and the season, found as the stream runs.

``seasonal`` forecasts y[t + h - m], ``drift`` forecasts y[t] + y[t + h - m] - y[t - m]; m is the season, given or found. It is found
by the autocorrelation of the changes y[t] - y[t - 1] (levels would see a trend in every lag), discounted over ``REMEMBERED`` events: the first
local maximum that is within ``NEAR`` of the highest, behind the first lag that is not positive. Multiples
of a season correlate as well as the season does; the first of them is meant.
"""

from __future__ import annotations

from typing import Final

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.experts.bounds import after, place
from streamrnn.kernels.forecast.experts.contract import Expert

SEASONAL_CODE: Final = 2
DRIFT_CODE: Final = 3
SEASONAL_ROW: Final = Expert("seasonal", SEASONAL_CODE, prior=0.5)
DRIFT_ROW: Final = Expert("drift", DRIFT_CODE, prior=1.5)

REMEMBERED: Final = 2000.0  # events; a season of a year of days is seen five times
NEAR: Final = 0.85  # of the highest: a week is chosen over its days only if it correlates clearly better
LEAST_CORRELATION: Final = 0.2  # correlation below which there is no season
EVERY: Final = 16  # events between two searches, once there are many


@kernel
def correlate(hd, d, c, change):
    """Take a change (winsorised) into the correlations with those of ``LONGEST`` events."""
    n, size = hd[at.N_EVENTS], hd[at.LONGEST_PERIOD] + 1
    kept = d[hd[at.DIFFERENCES] + c * size : hd[at.DIFFERENCES] + (c + 1) * size]
    sums = d[hd[at.CORRELATION] + c * size : hd[at.CORRELATION] + (c + 1) * size]
    share = max(1.0 / REMEMBERED, 1.0 / (n + 1.0))
    now = n % size
    kept[now] = change
    d[hd[at.ENERGY] + c] += share * (change * change - d[hd[at.ENERGY] + c])
    for m in range(now + 1):  # kept[now - m] is m events old
        sums[m] += share * (change * kept[now - m] - sums[m])
    for m in range(now + 1, size):
        sums[m] += share * (change * kept[now - m + size] - sums[m])


@kernel
def search(hd, d, c):
    """Set the channel's season from its correlations; 0 where there is none."""
    size = hd[at.LONGEST_PERIOD] + 1
    seen = min(2 * hd[at.N_EVENTS] // 3, hd[at.LONGEST_PERIOD])  # two seasons must have passed
    r = d[hd[at.CORRELATION] + c * size : hd[at.CORRELATION] + (c + 1) * size]
    found = 0
    start = 1
    while start < seen and r[start] > 0.0:
        start += 1
    best = 0.0
    for m in range(start, seen):
        best = max(best, r[m])
    if best > LEAST_CORRELATION * d[hd[at.ENERGY] + c]:
        for m in range(max(start, 2), seen):
            if found == 0 and r[m] >= NEAR * best and r[m] >= r[m - 1] and r[m] >= r[m + 1]:
                found = m
    d[hd[at.PERIOD] + c] = found


@kernel
def seasonal(hd, d, c, e, t, value, by_change):
    """Write the values of the season before; the last value where there is no season."""
    H, Q = hd[at.HORIZON], hd[at.RING_SIZE]
    ring = hd[at.VALUE_RING] + c * Q
    m = hd[at.GIVEN_PERIOD] if hd[at.GIVEN_PERIOD] > 0 else int(d[hd[at.PERIOD] + c])
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
