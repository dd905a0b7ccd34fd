"""From evidence to alarms: a running threshold that holds the rate asked for, whatever the stream.

**Tiredness.** What follows a surprise surprises less: evidence is what exceeds half of the recent surprise, e = max(raw - m / 2, raw / 100);
m is the largest raw evidence, fading over a seventh of the stream so far and 200 events at most.

**Threshold.** The p-value of e is its rank among about the last 1000, kept as counts in bins a seventh of e wide: 160 numbers instead of a
window. An alarm is p <= level, and the level moves with what is owed::

    level = a exp(D),   D += a - [alarm]        a = 1.2 rate

the multiplicative form of adaptive conformal inference (I. Gibbs, E. Candes, Adaptive conformal inference under
distribution shift, NeurIPS 2021, eq. 2): over n events the number of alarms differs from a n by the few that D may be, with any
stream. Of six alarms one is presumed to be true, and five count against the rate.

**Floor.** On a stream where next to nothing happens the highest rank may be next to nothing. Evidence below 1e-7 over the rate (1e-4 for one in a
thousand) raises no alarm, and is not owed later.

**Episodes.** An alarm opens an episode. While most values since lie outside what was usual before it (three standard deviations), no
further alarm is raised; when that has been so for ``patience`` events, the episode ends as a change.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel

# ---- settings (float64 words) ---------------------------------------------------------------------
RATE, QUIET, WARM_UP, PROTECT, PATIENCE, PERSISTENCE = range(6)
# ---- memory (float64 words) -----------------------------------------------------------------------
EVENTS, TIRED, OWED, WEIGHT, TOTAL, QUIET_LEFT, SINCE, OUT, GUARD = range(9)
COUNTS, BINS = 16, 160

# ---- what an event's row says ---------------------------------------------------------------------
ALARM, EXCEEDS, WARM, CHANGE = 1, 2, 4, 8
FAINT = 16  # by rank an alarm, by evidence none

PER_OCTAVE: Final = 5.0
OCTAVES: Final = 32.0
NEVER: Final = 2.0  # a threshold that no evidence reaches
LEAST: Final = 1e-9  # evidence below is none
FLOOR: Final = 1e-7  # least evidence of an alarm times the rate: ten times more costs quiet streams a fifth of the alarms asked for
MOST_FLOOR: Final = 0.01  # a hundredth of the range of all values is worth saying at any rate
BEYOND: Final = 0.2  # counted above the highest evidence kept: with 1000 kept the least p-value is 2e-4
PRESUMED: Final = 1.2  # alarms over false alarms
FADE: Final = 1e-3  # counts forget over 1000 events: 300 are too few for a rate of 1e-3, 3000 follow drift late
FASTEST: Final = 0.15
LONGEST: Final = 200.0
TIRING: Final = 0.5
LEFT: Final = 0.01  # share that is always left: what is tired must still be told apart, or no rate could be held
BOUND: Final = 4.0  # of D in the exponent
MOST_OWED: Final = 50.0
MOSTLY: Final = 0.8  # share of an episode's values outside the usual
SOME: Final = 10.0  # events of an episode before that share means anything


@kernel
def rest(a, raw):
    """Return the evidence that is left of ``raw``."""
    return max(raw - TIRING * a[TIRED], LEFT * raw)


@kernel
def _place(e):
    return min(max((np.log2(max(e, 1e-12)) + OCTAVES) * PER_OCTAVE, 0.0), BINS - 1e-6)


@kernel
def p_value(a, e):
    """Return the share of about the last 1000 events with at least this evidence."""
    if not a[TOTAL] > 0.0 or not e > LEAST:
        return 1.0
    place = _place(e)
    b = int(place)
    above = a[COUNTS + b] * (b + 1 - place)
    for i in range(b + 1, BINS):
        above += a[COUNTS + i]
    return min((BEYOND + above / a[WEIGHT]) / (1.0 + a[TOTAL]), 1.0)


@kernel
def threshold(a, rule):
    """Return the evidence from which on an event alarms."""
    if not a[TOTAL] > 0.0:
        return NEVER
    level = PRESUMED * rule[RATE] * np.exp(min(max(a[OWED], -BOUND), BOUND))
    room = (level * (1.0 + a[TOTAL]) - BEYOND) * a[WEIGHT]
    if room <= 0.0:
        return NEVER
    for back in range(BINS):
        i = BINS - 1 - back
        here = a[COUNTS + i]
        if here > room:
            return max(2.0 ** ((i + 1 - room / here) / PER_OCTAVE - OCTAVES), LEAST)
        room -= here
    return LEAST


@kernel
def floor(rule):
    """Return the evidence that an alarm needs whatever its rank: the rarer alarms are to be, the more each has to say."""
    return min(FLOOR / rule[RATE], MOST_FLOOR)


@kernel
def decide(a, rule, e, least, outside):
    """Return the flags of an event: evidence e, threshold ``least``; ``outside``: whether a value is outside the usual."""
    since = a[SINCE] + 1.0 if a[SINCE] > 0.0 else 0.0
    out = a[OUT] + outside
    lasting = since >= SOME and out >= MOSTLY * since
    flags = WARM if a[EVENTS] >= rule[WARM_UP] else 0
    if flags and least <= e < floor(rule):
        flags |= FAINT
    elif flags and e >= least:
        flags |= EXCEEDS
        if a[QUIET_LEFT] <= 0.0 and not lasting:
            flags |= ALARM
    if lasting and since >= rule[PATIENCE]:
        flags |= CHANGE
    return flags


@kernel
def follow(a, rule, raw, e, flags, outside):
    """Take an event into the memory; return whether an episode begins with it."""
    n = a[EVENTS]
    fade = max(min(LONGEST, FASTEST * n), 1.0)
    a[TIRED] = max(raw, a[TIRED] * (1.0 - 1.0 / fade))
    exceeds = flags & EXCEEDS != 0
    if flags & WARM:
        paid = 1.0 if flags & (EXCEEDS | FAINT) else 0.0
        a[OWED] = min(max(a[OWED] + PRESUMED * rule[RATE] - paid, -MOST_OWED), MOST_OWED)
    if 2.0 * n >= rule[WARM_UP]:
        if not a[WEIGHT] > 0.0:
            a[WEIGHT] = 1.0
        a[WEIGHT] /= 1.0 - FADE
        a[TOTAL] = a[TOTAL] * (1.0 - FADE) + 1.0
        a[COUNTS + int(_place(e))] += a[WEIGHT]
        if a[WEIGHT] > 1e9:
            for i in range(BINS):
                a[COUNTS + i] /= a[WEIGHT]
            a[WEIGHT] = 1.0
    a[EVENTS] = n + 1.0
    a[QUIET_LEFT] = rule[QUIET] if flags & ALARM else max(a[QUIET_LEFT] - 1.0, 0.0)
    a[GUARD] = rule[PROTECT] if exceeds else max(a[GUARD] - 1.0, 0.0)
    if a[SINCE] > 0.0:
        a[SINCE] += 1.0
        a[OUT] += outside
        if a[SINCE] >= rule[PATIENCE] or (a[SINCE] >= SOME and a[OUT] < MOSTLY * a[SINCE]):
            a[SINCE], a[OUT] = 0.0, 0.0
    begins = a[SINCE] == 0.0 and flags & ALARM != 0
    if begins:
        a[SINCE], a[OUT] = 1.0, 1.0
    return begins
