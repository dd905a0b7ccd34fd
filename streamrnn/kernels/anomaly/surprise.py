"""Surprise: the size of the error of what was expected, and when it alarms.

An event is looked at in three ways: the error itself; its running mean m over about four events, which sees what creeps in without a jump; and, where there is a season,
the course of the last eight events (:func:`~streamrnn.kernels.anomaly.expectation.course`): by how much they have left its shape, which sees what each next event is expected
to go on with. Each look has a running size of its own, and each error is first divided by how much larger errors usually are where so much is expected to change
(:func:`~streamrnn.kernels.anomaly.size.conditional_size`). With v = abs(error) over the size, the tail of v is a power law fitted as the stream runs: u, its 98 % quantile,
moves by small steps, and h is the mean of log(v / u) beyond it (B. M. Hill, 1975)::

    m += SMOOTHING (error - m)
    p = 0.02 (v / u)^(-1 / h)            exceeds:  p <= a exp(D)  and  v >= LEAST_SIZE

The p-value of a feature is the least of the three. Of courses every eighth is learned: those between share its events, and a fault that comes slowly would be usual before it
is large.

**Debt.** Far below zero the debt D (as in :mod:`~streamrnn.kernels.anomaly.alarm`, but without a bound on that side) leaves only what is rarer and rarer: on a stream
whose bursts no power law foresees the rate is held all the same. What novelty alarms for is charged to it too, so that the two views together keep the rate.

**Episodes.** What is charged to D is an episode of exceedances no more than ``QUIET`` events apart, not each of them. An episode is *free* while they are
few: it is charged only by the share of how many there were of late (1 for ``OFTEN`` times the rate), and its events teach u and h nothing. So a fault
that comes back alarms again, and what becomes usual stops alarming. Within an episode an exceedance that is ``RARER`` times rarer than all of it
before begins anew and alarms, at no further charge: what is faint does not hide what follows. The debt is that of all features together.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.anomaly import outlook as at
from streamrnn.kernels.anomaly.size import SETTLED, conditional_size, follow_change, follow_size
from streamrnn.kernels.compile import kernel

QUANTILE: Final = 0.98
TAIL_STEP: Final = 0.005
LEAST_COURSES: Final = (
    50.0  # before so many such a quantile is not known; errors come each event, and are known by the end of the warm-up
)
FIRST_TAIL, FIRST_HILL = 2.5, 0.4
LEAST_TAIL: Final = 1.0  # running sizes: on a stream that mostly stands still nothing else would stop it
LEAST_HILL, MOST_HILL = 0.05, 1.5
MOST_LOG: Final = 3.0  # of v / u, that one error counts in h
SMOOTHING: Final = 0.25  # of the second look
LEAST_SIZE: Final = 6.0  # running sizes that an alarm needs
FIRST_LEVEL: Final = 2.4  # times the rate, the level without a debt: with less first faults are missed
QUIET: Final = 60.0  # events between exceedances of one episode: with 10 a burst is many
RARER: Final = 30.0  # times rarer than all before it in its episode: another
REMEMBERED: Final = 2000.0  # events in which free episodes are counted
OFTEN: Final = 1.5  # times the rate: with so many free episodes of late none is free
MOST_SURPRISE_DEBT, LEAST_SURPRISE_DEBT = 2.0, -50.0


@kernel
def size_of(look, error):
    """Return an absolute error in running sizes of a look; 0 before there is any."""
    return min(error / look[at.LOOK_SIZE], 1e100) if look[at.LOOK_SIZE] > 0.0 else 0.0


@kernel
def tail(look, v):
    """Return the p-value of a size."""
    u, h = (look[at.LOOK_TAIL], look[at.LOOK_HILL]) if look[at.LOOK_TAIL] > 0.0 else (FIRST_TAIL, FIRST_HILL)
    return max((1.0 - QUANTILE) * (v / u) ** (-1.0 / h), 1e-300) if v > u else 1.0


@kernel
def smoothed(o, error):
    """Return the running mean of errors with one more. ``error``: that of the value that is learned, so that no single one sets it."""
    return o[at.SMOOTHED_ERROR] + SMOOTHING * (error - o[at.SMOOTHED_ERROR])


@kernel
def level(debt, rate):
    """Return the p-value at or below which an event exceeds. ``rate``: a feature's share of the alarms."""
    return FIRST_LEVEL * rate * np.exp(debt)


@kernel
def exceeds(v, p, most):
    """Tell whether a size with this p-value exceeds a level ``most``."""
    return v >= LEAST_SIZE and p <= most


@kernel
def course_size(o, course):
    """Return a course in running sizes of its look; 0 before it is known what is usual."""
    look = o[at.COURSE : at.COURSE + at.LOOK_WORDS]
    return size_of(look, abs(course)) if look[at.LOOK_COUNTED] > LEAST_COURSES else 0.0


@kernel
def begins(o, p):
    """Tell whether an exceedance with this p-value would be the first of an episode, or begins the one that runs anew."""
    return o[at.QUIET_LEFT] <= 0.0 or p * RARER < o[at.LEAST_P]


@kernel
def price(free, rate):
    """Return what a free episode is charged when there were so many of late; ``rate``: of all features' alarms."""
    return min(free / (OFTEN * max(rate * REMEMBERED, 1.0)), 1.0)


@kernel
def paid(debt, rate, charge):
    """Return the alarm debt of all features after an event."""
    return min(max(debt + rate - charge, LEAST_SURPRISE_DEBT), MOST_SURPRISE_DEBT)


@kernel
def _learn(look, error, teaches):
    """Take an absolute error into a look; ``teaches``: whether into its tail too."""
    v = size_of(look, error)
    follow_size(look, error)
    if not (look[at.LOOK_COUNTED] > SETTLED and teaches):
        return
    if not look[at.LOOK_TAIL] > 0.0:
        look[at.LOOK_TAIL], look[at.LOOK_HILL] = FIRST_TAIL, FIRST_HILL
    u = look[at.LOOK_TAIL]
    look[at.LOOK_TAIL] = max(u + TAIL_STEP * u * (QUANTILE if v > u else QUANTILE - 1.0), LEAST_TAIL)
    if v > u:
        h = look[at.LOOK_HILL] + TAIL_STEP * (min(np.log(v / u), MOST_LOG) - look[at.LOOK_HILL])
        look[at.LOOK_HILL] = min(max(h, LEAST_HILL), MOST_HILL)


@kernel
def follow(o, error, taken_error, course, p, exceeding, cost):
    """Take an error into the memory of a feature. p, exceeding: as found of it before; ``taken_error``, ``course``: of the value that is learned.

    Returns what is charged: 1 for an episode that begins, ``cost`` (:func:`price`) for a free one, else 0; and 1 where it is free.
    """
    charge, free = 0.0, 0.0
    if exceeding:
        if o[at.QUIET_LEFT] <= 0.0:
            free = 1.0 if cost < 1.0 else 0.0
            charge = cost
            o[at.IS_FREE], o[at.LEAST_P] = free, p
        o[at.QUIET_LEFT], o[at.LEAST_P] = QUIET, min(o[at.LEAST_P], p)
    else:
        o[at.QUIET_LEFT] = max(o[at.QUIET_LEFT] - 1.0, 0.0)
    teaches = not (o[at.QUIET_LEFT] > 0.0 and o[at.IS_FREE] > 0.0)
    o[at.SMOOTHED_ERROR] = smoothed(o, taken_error)
    times = conditional_size(o)
    follow_change(o, abs(error))
    _learn(o[at.ONE_STEP : at.ONE_STEP + at.LOOK_WORDS], abs(error) / times, teaches)
    _learn(o[at.SMOOTHED : at.SMOOTHED + at.LOOK_WORDS], abs(o[at.SMOOTHED_ERROR]) / times, teaches)
    if course != 0.0 and o[at.AGE] % at.COURSE_EVENTS == 0.0:
        _learn(o[at.COURSE : at.COURSE + at.LOOK_WORDS], abs(course) / times, teaches)
    return charge, free
