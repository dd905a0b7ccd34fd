"""Days and weeks by the events' time: listed holidays, for the newest event and those ahead, and how many events a day and a week are.

Days begin at midnight of the time as it comes, and 1970-01-01 was a Thursday. Time goes on by the learned step (:mod:`streamrnn.kernels.forecast.clock`).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.clock import SURE
from streamrnn.kernels.net.scaler import usable

DAY_S: Final = 86_400.0
WEEK_S: Final = 604_800.0
WHOLE: Final = 1e-6  # of a season: so exactly must events fit into it, or its phase would drift
ABOUT: Final = 0.05  # of a week: a season so close to one is meant to be one
BY_HOUR, BY_WEEKDAY = 1, 2  # what is known of the calendar, as bits of one word


@kernel
def days_to_sunday(hd, d, when):
    """Return how many days after a time the next Sunday is, if its day is a holiday; -1 if it is none."""
    if not usable(when):
        return -1.0
    day = np.floor(when / DAY_S)
    first, last = hd[at.HOLIDAYS], hd[at.HOLIDAYS] + hd[at.N_HOLIDAYS]
    low, high = first, last
    while low < high:
        middle = (low + high) // 2
        if d[middle] < day:
            low = middle + 1
        else:
            high = middle
    if low == last or d[low] != day:
        return -1.0
    return (3.0 - day) % 7.0


@kernel
def mark_holidays(hd, d, time):
    """Note for the newest event and the H ahead whether they lie in holidays."""
    if hd[at.N_HOLIDAYS] == 0:
        return
    marks, step = hd[at.DAYS_OFF], d[hd[at.CLOCK] + 1]
    now = time if usable(time) else d[marks] + step
    d[marks] = now
    sure = d[hd[at.CLOCK] + 2] >= SURE
    for h in range(hd[at.HORIZON] + 1):
        d[marks + 1 + h] = days_to_sunday(hd, d, now + h * step) if h == 0 or sure else -1.0


@kernel
def past_holiday(hd, d, ago):
    """Return the same as :func:`days_to_sunday` of the event that lies ``ago`` before the newest."""
    if hd[at.N_HOLIDAYS] == 0:
        return -1.0
    return days_to_sunday(hd, d, d[hd[at.DAYS_OFF]] - ago * d[hd[at.CLOCK] + 1])


@kernel
def marked(hd, d, h):
    """Return the same of the event that lies ``h`` ahead of the newest."""
    return d[hd[at.DAYS_OFF] + 1 + h] if hd[at.N_HOLIDAYS] > 0 else -1.0


@kernel
def is_week(hd, d, m):
    """Tell whether a season of m events is a week of whole days."""
    return m % 7 == 0 and abs(m * d[hd[at.CLOCK] + 1] - WEEK_S) < ABOUT * WEEK_S


@kernel
def events_in(hd, d, seconds, most):
    """Return how many events a stretch of time is; 0 where they do not fit into it, or are more than ``most``."""
    step = d[hd[at.CLOCK] + 1]
    if not (d[hd[at.CLOCK] + 2] >= SURE and step > 0.0):
        return 0
    n = seconds / step
    whole = np.floor(n + 0.5)
    return int(whole) if 2.0 <= whole <= most and abs(n - whole) <= WHOLE * whole else 0
