"""Surprise: the size of the error of what was expected, and when it alarms.

With v = abs(error) over its running size, the tail of v is a power law fitted as the stream runs: u, its 98 % quantile, moves by 2 % steps, and h is
the mean of log(v / u) beyond it (B. M. Hill, 1975)::

    p = 0.02 (v / u)^(-1 / h)            exceeds:  p <= a exp(D)  and  v >= LEAST_SIZE

**Episodes.** What is charged to the alarm debt D (as in :mod:`~streamrnn.kernels.anomaly.alarm`) is an episode of exceedances no more than ``TOGETHER``
events apart, not each of them. An episode that begins far out (p below half of the level) is *free* while such ones are rare: it is charged only by
the share of how many there were of late (1 for ``OFTEN`` times the rate), and its exceedances teach u and h nothing. So a fault that comes back
alarms again, and what becomes usual stops alarming: as free episodes at x times the rate are charged x^2 / ``OFTEN``, there are no more than 1.2 times the
rate. The debt is that of all features together.
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
FAR_BELOW: Final = 2.0  # how far below the level p must begin for a free episode
REMEMBERED: Final = 2000.0  # events in which free episodes are counted
OFTEN: Final = 1.5  # times the rate: with so many free episodes of late none is free
MOST_SURPRISE_DEBT, LEAST_SURPRISE_DEBT = 6.0, -50.0
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
def level(debt, rate):
    """Return the p-value at or below which an event exceeds. ``rate``: a feature's share of the alarms."""
    return PRESUMED * rate * np.exp(min(max(debt, -DEBT_BOUND), DEBT_BOUND))


@kernel
def exceeds(v, p, most):
    """Tell whether a size with this p-value exceeds a level ``most``."""
    return v >= LEAST_SIZE and p <= most


@kernel
def begins(o):
    """Tell whether an exceedance now would be the first of an episode."""
    return o[at.QUIET_LEFT] <= 0.0


@kernel
def price(free, rate):
    """Return what a free episode is charged when there were so many of late; ``rate``: of all features' alarms."""
    return min(free / (OFTEN * max(rate * REMEMBERED, 1.0)), 1.0)


@kernel
def paid(debt, rate, charge):
    """Return the alarm debt of all features after an event."""
    return min(max(debt + rate - charge, LEAST_SURPRISE_DEBT), MOST_SURPRISE_DEBT)


@kernel
def follow(o, error, v, p, exceeding, most, cost):
    """Take an error into the memory of a feature. v, p, exceeding: as found of it before.

    Returns what is charged: 1 for an episode that begins, ``cost`` for a free one, else 0; and 1 where it is free. ``most``: the level; ``cost``: :func:`price`.
    """
    charge, free = 0.0, 0.0
    if exceeding:
        if begins(o):
            free = 1.0 if cost < 1.0 and p < most / FAR_BELOW else 0.0
            charge = cost if free > 0.0 else 1.0
            o[at.IS_FREE] = free
        o[at.QUIET_LEFT] = TOGETHER
    else:
        o[at.QUIET_LEFT] = max(o[at.QUIET_LEFT] - 1.0, 0.0)
    follow_size(o, error)
    if o[at.COUNTED] > SETTLED and not (exceeding and o[at.IS_FREE] > 0.0):
        if not o[at.TAIL] > 0.0:
            o[at.TAIL], o[at.HILL] = FIRST_TAIL, FIRST_HILL
        u = o[at.TAIL]
        o[at.TAIL] = max(u + TAIL_STEP * u * (QUANTILE if v > u else QUANTILE - 1.0), LEAST_TAIL)
        if v > u:
            h = o[at.HILL] + TAIL_STEP * (min(np.log(v / u), MOST_LOG) - o[at.HILL])
            o[at.HILL] = min(max(h, LEAST_HILL), MOST_HILL)
    return charge, free
