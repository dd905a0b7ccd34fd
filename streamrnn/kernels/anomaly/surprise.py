"""Surprise: the size of the error of what was expected, and when it alarms.

With v = abs(error) over its running size, the tail of v is a power law fitted as the stream runs: u, its 98 % quantile, moves by 2 % steps, and h is
the mean of log(v / u) beyond it (B. M. Hill, 1975)::

    p = 0.02 (v / u)^(-1 / h)            exceeds:  p <= a exp(D)  and  v >= LEAST_SIZE

**Episodes.** What is charged to the alarm debt D (as in :mod:`~streamrnn.kernels.anomaly.alarm`) is an episode of exceedances no more than ``TOGETHER``
events apart, not each of them. An episode that begins far out (p below half of the level) is *free* while such ones are rare: it is charged only by
the share of how many there were of late (1 for ``OFTEN`` times the rate), and its exceedances teach u and h nothing. So a fault that comes back
alarms again, and what becomes usual stops alarming: as free episodes at x times the rate are charged x^2 / ``OFTEN``, there are no more than 1.4 times the
rate.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.anomaly import outlook as at
from streamrnn.kernels.anomaly.size import SETTLED, follow_size
from streamrnn.kernels.compile import kernel

QUANTILE: Final = 0.98
TAIL_STEP: Final = 0.02
FIRST_TAIL, FIRST_HILL = 2.5, 0.4
LEAST_TAIL: Final = 1.0  # running sizes: on a stream that mostly stands still nothing else would stop it
LEAST_HILL, MOST_HILL = 0.05, 1.0
MOST_LOG: Final = 3.0  # of v / u, that one error counts in h
LEAST_SIZE: Final = 5.0  # running sizes that an alarm needs
PRESUMED: Final = 1.2  # alarms over false alarms
TOGETHER: Final = 10.0  # events between exceedances of one episode
FAR: Final = 2.0  # how far below the level p must begin for a free episode
REMEMBERED: Final = 2000.0  # events in which free episodes are counted
OFTEN: Final = 2.0  # times the rate: with so many free episodes of late none is free
MOST_DEBT, LEAST_DEBT = 6.0, -50.0
DEBT_BOUND: Final = 4.0


@kernel
def size_of(o, error):
    """Return an error in running sizes; 0 before there is any."""
    return min(error / o[at.SIZE], 1e100) if o[at.SIZE] > 0.0 else 0.0


@kernel
def tail(o, v):
    """Return the p-value of a size."""
    u, h = (o[at.TAIL], o[at.HILL]) if o[at.TAIL] > 0.0 else (FIRST_TAIL, FIRST_HILL)
    return max((1.0 - QUANTILE) * (v / u) ** (-1.0 / h), 1e-300) if v > u else 1.0


@kernel
def level(o, rate):
    """Return the p-value at or below which an event exceeds."""
    return PRESUMED * rate * np.exp(min(max(o[at.DEBT], -DEBT_BOUND), DEBT_BOUND))


@kernel
def exceeds(o, v, p, rate):
    """Tell whether an event of this size and p-value exceeds; ``rate``: the feature's share of the alarms."""
    return v >= LEAST_SIZE and p <= level(o, rate)


@kernel
def begins(o):
    """Tell whether an exceedance now would be the first of an episode."""
    return o[at.TOGETHER_LEFT] <= 0.0


@kernel
def price(free, rate):
    """Return what a free episode is charged when there were so many of late in the whole stream; ``rate``: of its alarms."""
    return min(free / (OFTEN * max(rate * REMEMBERED, 1.0)), 1.0)


@kernel
def follow(o, error, v, p, exceeding, warm, rate, cost):
    """Take an error into the rule's memory; return whether a free episode begins. v, p, exceeding: as found of it before.

    ``warm``: whether the warm-up is over; ``cost``: :func:`price` of a free episode.
    """
    charge, is_free = 0.0, False
    if exceeding:
        if begins(o):
            is_free = cost < 1.0 and p < level(o, rate) / FAR
            charge = cost if is_free else 1.0
            o[at.IS_FREE] = 1.0 if is_free else 0.0
        o[at.TOGETHER_LEFT] = TOGETHER
    else:
        o[at.TOGETHER_LEFT] = max(o[at.TOGETHER_LEFT] - 1.0, 0.0)
    if warm:
        o[at.DEBT] = min(max(o[at.DEBT] + rate - charge, LEAST_DEBT), MOST_DEBT)
    follow_size(o, error)
    if o[at.COUNTED] > SETTLED and not (exceeding and o[at.IS_FREE] > 0.0):
        if not o[at.TAIL] > 0.0:
            o[at.TAIL], o[at.HILL] = FIRST_TAIL, FIRST_HILL
        u = o[at.TAIL]
        o[at.TAIL] = max(u + TAIL_STEP * u * (QUANTILE if v > u else QUANTILE - 1.0), LEAST_TAIL)
        if v > u:
            h = o[at.HILL] + TAIL_STEP * (min(np.log(v / u), MOST_LOG) - o[at.HILL])
            o[at.HILL] = min(max(h, LEAST_HILL), MOST_HILL)
    return is_free
