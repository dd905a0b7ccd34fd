"""From scores and surprises to alarms, at no more than the rate asked for, on any stream.

Novelty (the score) and surprise (:mod:`~streamrnn.kernels.anomaly.surprise`) have a budget each, ``NOVELTY_SHARE`` and ``SURPRISE_SHARE`` of the
rate, and what novelty alarms for surprise pays as well. What follows is novelty's.

**Habituation.** What follows a surprise scores less: score = max(raw - m / 2, raw / 100), where m is the largest raw score, fading over a
seventh of the stream so far and at most 200 events. The view "residual" is exempt: what it compares with is the errors themselves, those of a moment ago among them, so that a fault
that goes on is new at its onset only.

**Threshold.** The p-value of a score is its rank among about the last 1000 scores, which are kept as counts in bins a seventh of a score
wide: 160 numbers instead of a window. The light form has 56, each half a score wide. An alarm is p <= level, and the level moves with the alarm debt D::

    level = a exp(D),   D += a - [alarm]        a = 1.2 share rate

the multiplicative form of adaptive conformal inference (I. Gibbs, E. Candes, Adaptive conformal inference under
distribution shift, NeurIPS 2021, eq. 2): over n events the number of alarms differs from a n by at most the bound of D, with any
stream. Of six alarms one is presumed to be a true one; five count against the rate.

**Floor.** The rate is a promise of at most: the highest score of a harmless stream may be next to nothing. A score below ``SCORE_FLOOR``
raises no alarm, and the alarm is not made up for later.

**Episodes.** Alarms of either kind within ``TOGETHER`` events are one. An alarm opens an episode. While most values since lie outside what was usual before it (three standard deviations), no
further alarm is raised; after ``patience`` such events the episode ends as a change.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel

# ---- settings (float64 words) ---------------------------------------------------------------------
RATE, COOLDOWN, WARM_UP, PROTECT, PATIENCE, PERSISTENCE, RATE_PER_S = range(7)
# ---- memory (float64 words) -----------------------------------------------------------------------
(
    ALARM_EVENTS,
    HABITUATED,
    ALARM_DEBT,
    COUNT_WEIGHT,
    COUNT_TOTAL,
    COOLDOWN_LEFT,
    EPISODE_EVENTS,
    EPISODE_OUTSIDE,
    GUARD,
    EPISODES,
    TOGETHER_LEFT,
    FREE_EPISODES,
    SURPRISE_DEBT,
) = range(13)
WRONG_EVENTS = 15  # in a row in which a value was outside its range, or stuck
COUNTS = 16  # and bins up to the end of the memory

# ---- flags of an event ------------------------------------------------------------------------------
FLAG_ALARM, FLAG_EXCEEDS, FLAG_WARM, FLAG_CHANGE = 1, 2, 4, 8
FLAG_FAINT = 16  # an alarm by its rank, not by its score
FLAG_NOVEL = 32  # exceeds by its score: novelty's debt pays
FLAG_WRONG = 64  # a value is outside its range, or sticks: nobody pays

# ---- what surprise says of an event ---------------------------------------------------------------
NOT_SURPRISED, STILL_SURPRISED, NEWLY_SURPRISED = range(3)

OCTAVES: Final = 32.0
NO_THRESHOLD: Final = 2.0  # a threshold that no score reaches
LEAST_SCORE: Final = 1e-9  # a score below counts as none
SCORE_FLOOR: Final = 0.05  # least score of an alarm: those below are mostly harmless maxima
LEAST_NOVEL: Final = 512  # remembered events below which novelty raises no alarm: in a day or a week all is new that is not of the last hours
NOVELTY_SHARE: Final = 0.4  # of the rate; with more, harmless maxima alarm, with less what has no sharp onset does not
SURPRISE_SHARE: Final = 0.7
TOGETHER: Final = 10.0  # events within which alarms are one
BEYOND: Final = 0.2  # counted above the highest score kept: with 1000 kept the least p-value is 2e-4
PRESUMED: Final = 1.2  # alarms over false alarms
COUNT_FADE: Final = 1e-3  # counts forget over 1000 events: 300 are too few for a rate of 1e-3, 3000 follow drift late
FASTEST_HABITUATION: Final = 0.15
LONGEST_HABITUATION: Final = 200.0
HABITUATION: Final = 0.5
LEAST_SHARE: Final = 0.01  # least share of a raw score: habituated scores must still differ, or no rate could be held
DEBT_BOUND: Final = 4.0  # of D in the exponent
MOST_DEBT: Final = 50.0
LEAST_RATE, MOST_RATE = 1e-5, 0.5
MOSTLY: Final = 0.8  # share of an episode's values outside the usual
SOME: Final = 10.0  # events of an episode before that share means anything


@kernel
def after_habituation(a, raw):
    """Return the score of an event whose raw score is ``raw``, after habituation. ``a``: the rule's memory."""
    return max(raw - HABITUATION * a[HABITUATED], LEAST_SHARE * raw)


@kernel
def _place(e, bins):
    return min(max((np.log2(max(e, 1e-12)) + OCTAVES) * (bins / OCTAVES), 0.0), bins - 1e-6)


@kernel
def p_value(a, e):
    """Return the share of about the last 1000 events with a score of at least e."""
    if not a[COUNT_TOTAL] > 0.0 or not e > LEAST_SCORE:
        return 1.0
    bins = a.size - COUNTS
    place = _place(e, bins)
    b = int(place)
    above = a[COUNTS + b] * (b + 1 - place)
    for i in range(b + 1, bins):
        above += a[COUNTS + i]
    return min((BEYOND + above / a[COUNT_WEIGHT]) / (1.0 + a[COUNT_TOTAL]), 1.0)


@kernel
def rate_of(rule, gap):
    """Return the rate of alarms, ``rule`` (16): as it was given, or by time. gap: the mean time between two events, in seconds."""
    per_s = rule[RATE_PER_S]
    return min(max(per_s * gap, LEAST_RATE), MOST_RATE) if per_s > 0.0 else rule[RATE]


@kernel
def threshold(a, rate):
    """Return the least score that alarms at a rate. ``a``: the rule's memory."""
    if not a[COUNT_TOTAL] > 0.0:
        return NO_THRESHOLD
    level = PRESUMED * NOVELTY_SHARE * rate * np.exp(min(max(a[ALARM_DEBT], -DEBT_BOUND), DEBT_BOUND))
    room = (level * (1.0 + a[COUNT_TOTAL]) - BEYOND) * a[COUNT_WEIGHT]
    if room <= 0.0:
        return NO_THRESHOLD
    bins = a.size - COUNTS
    for back in range(bins):
        i = bins - 1 - back
        here = a[COUNTS + i]
        if here > room:
            return max(2.0 ** ((i + 1 - room / here) / (bins / OCTAVES) - OCTAVES), LEAST_SCORE)
        room -= here
    return LEAST_SCORE


@kernel
def decide(a, rule, e, least, outside, surprised):
    """Return the flags of an event with score e and threshold ``least``.

    ``outside``: 1 if a value is outside the usual, else 0; ``surprised``: whether a feature is surprised, and newly so.
    """
    since = a[EPISODE_EVENTS] + 1.0 if a[EPISODE_EVENTS] > 0.0 else 0.0
    out = a[EPISODE_OUTSIDE] + outside
    lasting = since >= SOME and out >= MOSTLY * since
    flags = FLAG_WARM if a[ALARM_EVENTS] >= rule[WARM_UP] else 0
    if flags and least <= e < SCORE_FLOOR:
        flags |= FLAG_FAINT
    elif flags and e >= least:
        flags |= FLAG_EXCEEDS | FLAG_NOVEL
    if flags and surprised != NOT_SURPRISED:
        flags |= FLAG_EXCEEDS
    begins = flags & FLAG_NOVEL != 0 or (flags != 0 and surprised == NEWLY_SURPRISED)
    if begins and free(a) and not lasting:
        flags |= FLAG_ALARM
    if lasting and since >= rule[PATIENCE]:
        flags |= FLAG_CHANGE
    return flags


@kernel
def follow(a, rule, rate, raw, e, flags, outside):
    """Take an event into the memory ``a``; return whether an episode begins with it. ``raw``, ``e``: its score before and after habituation."""
    n = a[ALARM_EVENTS]
    fade = max(min(LONGEST_HABITUATION, FASTEST_HABITUATION * n), 1.0)
    a[HABITUATED] = max(raw, a[HABITUATED] * (1.0 - 1.0 / fade))
    exceeds = flags & FLAG_EXCEEDS != 0
    if flags & FLAG_WARM:
        paid = 1.0 if flags & (FLAG_NOVEL | FLAG_FAINT) else 0.0
        a[ALARM_DEBT] = min(max(a[ALARM_DEBT] + PRESUMED * NOVELTY_SHARE * rate - paid, -MOST_DEBT), MOST_DEBT)
    if 2.0 * n >= rule[WARM_UP]:
        if not a[COUNT_WEIGHT] > 0.0:
            a[COUNT_WEIGHT] = 1.0
        a[COUNT_WEIGHT] /= 1.0 - COUNT_FADE
        a[COUNT_TOTAL] = a[COUNT_TOTAL] * (1.0 - COUNT_FADE) + 1.0
        a[COUNTS + int(_place(e, a.size - COUNTS))] += a[COUNT_WEIGHT]
        if a[COUNT_WEIGHT] > 1e9:
            for i in range(a.size - COUNTS):
                a[COUNTS + i] /= a[COUNT_WEIGHT]
            a[COUNT_WEIGHT] = 1.0
    a[ALARM_EVENTS] = n + 1.0
    a[WRONG_EVENTS] = a[WRONG_EVENTS] + 1.0 if flags & FLAG_WRONG else 0.0
    a[COOLDOWN_LEFT] = rule[COOLDOWN] if flags & FLAG_ALARM else max(a[COOLDOWN_LEFT] - 1.0, 0.0)
    a[TOGETHER_LEFT] = TOGETHER if flags & FLAG_ALARM else max(a[TOGETHER_LEFT] - 1.0, 0.0)
    a[GUARD] = rule[PROTECT] if exceeds else max(a[GUARD] - 1.0, 0.0)
    if a[EPISODE_EVENTS] > 0.0:
        a[EPISODE_EVENTS] += 1.0
        a[EPISODE_OUTSIDE] += outside
        if a[EPISODE_EVENTS] >= rule[PATIENCE] or (
            a[EPISODE_EVENTS] >= SOME and a[EPISODE_OUTSIDE] < MOSTLY * a[EPISODE_EVENTS]
        ):
            a[EPISODE_EVENTS], a[EPISODE_OUTSIDE] = 0.0, 0.0
    begins = a[EPISODE_EVENTS] == 0.0 and flags & FLAG_ALARM != 0
    if begins:
        a[EPISODE_EVENTS], a[EPISODE_OUTSIDE] = 1.0, 1.0
        a[EPISODES] += 1.0
    return begins


@kernel
def free(a):
    """Tell whether an alarm now would be one of its own."""
    return a[COOLDOWN_LEFT] <= 0.0 and a[TOGETHER_LEFT] <= 0.0


@kernel
def since(a, flags):
    """Return for how many events an episode has gone on before an event with these flags, or a value been wrong; 0 for none."""
    return max(a[EPISODE_EVENTS], a[WRONG_EVENTS] if flags & FLAG_WRONG else 0.0)


@kernel
def episode(a, flags):
    """Return the number of the episode that an event with these flags belongs to, from 1 on; 0 for none."""
    if since(a, flags) > 0.0:
        return a[EPISODES]
    return a[EPISODES] + 1.0 if flags & FLAG_ALARM else 0.0
