"""Sticking: a value that no longer moves, where it always did.

A run of equal values sticks when it is longer than runs of this feature are: at least ``TIMES_LONGEST`` times the longest of late, ``LEAST_RUN`` events or
half a season, and as rare as the alarm rate asks for. The longest of n runs is one that comes about once in n, and each further time its
length makes it n times as rare::

    p = n^(-run / longest)

**What is learned.** The longest run fades over ``FADE_RUN`` events. A run that has alarmed is not learned, while fewer than ``OFTEN_STUCK`` did within about
2000 events: a sensor that sticks again alarms again, and standing still that becomes usual stops being one.

Nothing is charged to a budget: what alarms falsely doubles the longest run, at the latest the third time, so there are few of them on any stream.
"""

from __future__ import annotations

from typing import Final

from streamrnn.kernels.anomaly import outlook as at
from streamrnn.kernels.anomaly.surprise import REMEMBERED
from streamrnn.kernels.compile import kernel

TIMES_LONGEST: Final = 2.0  # at 1.5 streams of small counts alarm
LEAST_RUN: Final = 8.0
LEAST_RUNS: Final = 20.0  # from so many on it is known how long they are
MOST_RUNS: Final = 1000.0  # as many as a rate of 0.001 needs to be sure at twice the longest
FADE_RUN: Final = 4000.0
OFTEN_STUCK: Final = 3.0


@kernel
def run_with(o, v):
    """Return how many times in a row there has been this value, with it. ``o``: the outlook."""
    return o[at.EQUAL_RUN] + 1.0 if o[at.EQUAL_RUN] > 0.0 and v == o[at.LAST_VALUE] else 1.0


@kernel
def p_of_run(o, run, rate):
    """Return the p-value of a run that sticks at this rate; 1 for one that does not."""
    season = o[at.SEASON]
    least = min(LEAST_RUN, 0.5 * season) if season > 0.0 else LEAST_RUN
    if not (o[at.RUNS] >= LEAST_RUNS and run >= max(least, TIMES_LONGEST * o[at.LONGEST_RUN])):
        return 1.0
    p = max(min(o[at.RUNS], MOST_RUNS) ** (-run / o[at.LONGEST_RUN]), 1e-300)
    return p if p <= rate else 1.0


@kernel
def follow_run(o, v, sticks, alarmed):
    """Take a value into the runs. ``sticks``: whether its run does; ``alarmed``: whether it need not alarm any more."""
    o[at.STUCK_OF_LATE] *= 1.0 - 1.0 / REMEMBERED
    o[at.LONGEST_RUN] = max(o[at.LONGEST_RUN] * (1.0 - 1.0 / FADE_RUN), 1.0)
    run = run_with(o, v)
    if run == 1.0:
        if o[at.EQUAL_RUN] > 0.0:
            o[at.RUNS] += 1.0
            if o[at.IS_STUCK] == 0.0 or o[at.STUCK_OF_LATE] >= OFTEN_STUCK:
                o[at.LONGEST_RUN] = max(o[at.LONGEST_RUN], o[at.EQUAL_RUN])
        o[at.IS_STUCK] = 0.0
    elif sticks and alarmed and o[at.IS_STUCK] == 0.0:
        o[at.IS_STUCK] = 1.0
        o[at.STUCK_OF_LATE] += 1.0
    o[at.EQUAL_RUN], o[at.LAST_VALUE] = run, v
