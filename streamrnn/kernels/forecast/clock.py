"""Rows that are absent: with event time, a gap in it is as many missing values as would have fitted.

The step between two events is learned: what most are apart, within ``SLACK`` of it. Only where that is certain does a longer pause count as
absent rows, rounded to the step; then the seasons' phase and the lags follow time, and not the number of rows.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.net.scaler import usable

SLACK: Final = 0.25  # of the step
SURE: Final = 10.0  # steps that fitted, less those that did not, from which on a pause counts
MOST_SURE: Final = 50.0
STEP_PACE: Final = 0.05
MOST_ABSENT: Final = 512  # rows, and up to a season more: a longer pause is shortened by whole seasons


@kernel
def absent(hd, d, row):
    """Return how many rows are absent before this one, and move the clock on."""
    if hd[at.HAS_TIME] == 0 or not usable(row[0]):
        return 0
    clock = hd[at.CLOCK]
    gone, step = row[0] - d[clock], d[clock + 1]
    d[clock] = row[0]
    if not gone > 0.0:  # the first event, or none later than the one before
        return 0
    found = 0
    if d[clock + 2] >= SURE and gone > 1.5 * step:
        longest = 0
        for c in range(hd[at.CHANNELS]):
            longest = max(longest, int(d[hd[at.PERIOD] + c]))
        found = int(min(np.floor(gone / step + 0.5), 1e9)) - 1
        if found > MOST_ABSENT:
            found = MOST_ABSENT + ((found - MOST_ABSENT) % longest if longest > 0 else 0)
    if abs(gone - step) <= SLACK * step:
        d[clock + 2] = min(d[clock + 2] + 1.0, MOST_SURE)
        d[clock + 1] += STEP_PACE * (gone - step)
    else:
        d[clock + 2] -= 1.0
        if not d[clock + 2] >= 0.0:
            d[clock + 1], d[clock + 2] = gone, 1.0
    return found


@kernel
def write_absent(hd, d, row, behind):
    """Write a row without values, ``behind`` steps before ``row``."""
    n = row.size
    blank = d[hd[at.ABSENT_ROW] : hd[at.ABSENT_ROW] + n]
    for i in range(n):
        blank[i] = np.nan
    blank[0] = row[0] - behind * d[hd[at.CLOCK] + 1]
    blank[n - 1] = abs(row[n - 1])
