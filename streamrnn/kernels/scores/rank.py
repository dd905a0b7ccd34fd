"""How a score ranks among the last ones of its key, for many keys in one call: a few numbers a key, however many scores are kept.

The rank of a score s among the n that are kept is read as a p-value, and an alarm is p <= rate::

    p = (u + #{kept >= s}) / (1 + n)        0 < u <= 1

(V. Vovk, A. Gammerman, G. Shafer, Algorithmic Learning in a Random World, 2005, section 2.2: smoothed p-values). u is the share that the score has of its own rank: it runs through 65536 values, evenly spread and
in the same order for each key, with the number of its events. Where scores come in exchangeable order no more than the share ``rate`` of them alarms, whatever their scale, and with all u at 1 it
would be less for small rates, of which n is no multiple; ties count against an alarm.

**Parts.** Scores are counted in ``RANK_PARTS`` parts, of which the newest is being filled. When it is full the oldest goes: so three parts are kept at least, and less
than four.

**Intervals.** Kept scores are not stored but counted, in at most ``RANK_INTERVALS - 1`` intervals: an interval is known by its largest score. Whatever lies in it counts as
being as large as that, so p is never less than it would be with all scores. A new score begins an interval while there is room; from then on it is counted in the one that it falls
into, unless that would be too wide: then it begins one all the same, and the two neighbours that are least wide together become one. What is too wide goes by
ranks, so that it is the same on every scale: more than 5/8 of the scores at or above it, and less the nearer to the rank at which an alarm begins: there single scores are told apart.

All of it is whole numbers, but for the scores, which are rounded to float32, and p.
"""

from __future__ import annotations

import functools
from typing import Any, Final

import numpy as np

from streamrnn.kernels.compile import entry, kernel, sources_digest
from streamrnn.kernels.reinterpret import reinterpret
from streamrnn.kernels.scores.rows import row_at
from streamrnn.kernels.scores.words import (
    COUNT_BITS,
    COUNT_MASK,
    RANK_COOLDOWN,
    RANK_COOLDOWN_LEFT,
    RANK_COUNTS,
    RANK_EVENTS,
    RANK_FILL,
    RANK_INTERVALS,
    RANK_KEPT,
    RANK_PART,
    RANK_PART_LENGTH,
    RANK_PARTS,
    RANK_RATE,
    RANK_TOPS,
    RANK_USED,
    RANK_WARM_UP,
    RANK_WORDS,
)

COUNT_MASKS: Final = 0x0000FFFF0000FFFF
LOW_WORD: Final = 0xFFFFFFFF
NEAR_ALARM: Final = 4  # ranks of width for each rank off the alarm's: with 1 most intervals lie there; without it a tenth of the alarms is lost
WIDTH_OF_RANK, WIDTH_UNITS = 5, 8  # width over rank: with 0.3 more intervals are asked for than there are
GOLDEN_SECTION: Final = 40503  # of 65536: each multiple falls into the widest gap between those before
LARGEST_SINGLE: Final = 3.4028234663852886e38  # float32


@kernel
def _held(word):
    """Return how many scores an interval holds: the sum of its four counts."""
    pairs = (word & COUNT_MASKS) + ((word >> COUNT_BITS) & COUNT_MASKS)
    return (pairs + (pairs >> 32)) & LOW_WORD


@kernel
def _widest(above, held, most):
    """Return how wide an interval may be, in eighths of five scores: ``held`` scores below ``above`` others, of which ``most`` may be alarms."""
    off = max(above - most, most - above - held, 0)
    return min(1 + above, 1 + NEAR_ALARM * off)


@kernel
def _join(words, tops, counts, at, used, most):
    """Make one of the two neighbouring intervals that are least wide together."""
    best, best_both, best_widest = 0, 0, 0
    above, held = 0, _held(words[counts])
    for i in range(used - 1):
        following = _held(words[counts + i + 1])
        both = held + following
        widest = _widest(above, both, most)
        if i == 0 or both * best_widest < best_both * widest:
            best, best_both, best_widest = i, both, widest
        above, held = above + held, following
    words[counts + best] += words[counts + best + 1]
    for i in range(best + 1, used - 1):
        words[counts + i], tops[at + i] = words[counts + i + 1], tops[at + i + 1]
    words[counts + used - 1], tops[at + used - 1] = 0, np.float32(0.0)


@kernel
def _count(words, tops, base, place, above, score, most):
    """Count a score, with ``above`` scores in the ``place`` intervals whose largest is no less."""
    counts, at = base + RANK_COUNTS, 2 * (base + RANK_TOPS)
    one, used = 1 << (COUNT_BITS * words[base + RANK_PART]), words[base + RANK_USED]
    if place > 0:
        held = _held(words[counts + place - 1])
        width = WIDTH_UNITS * (held + 1)
        fits = used == RANK_INTERVALS - 1 and width <= WIDTH_OF_RANK * _widest(above - held, held + 1, most)
        if fits or tops[at + place - 1] == score:
            words[counts + place - 1] += one
            return
    for i in range(used, place, -1):
        words[counts + i], tops[at + i] = words[counts + i - 1], tops[at + i - 1]
    words[counts + place], tops[at + place] = one, score
    if used + 1 < RANK_INTERVALS:
        words[base + RANK_USED] = used + 1
    else:
        _join(words, tops, counts, at, used + 1, most)


@kernel
def _begin_part(words, tops, base):
    """Begin the next part: what was counted in it goes, and intervals that hold nothing any more."""
    counts, at = base + RANK_COUNTS, 2 * (base + RANK_TOPS)
    part = (words[base + RANK_PART] + 1) % RANK_PARTS
    used, gone = 0, 0
    for i in range(words[base + RANK_USED]):
        word, top = words[counts + i], tops[at + i]
        here = (word >> (COUNT_BITS * part)) & COUNT_MASK
        words[counts + i], tops[at + i] = 0, np.float32(0.0)
        word -= here << (COUNT_BITS * part)
        gone += here
        if word != 0:
            words[counts + used], tops[at + used] = word, top
            used += 1
    words[base + RANK_PART], words[base + RANK_FILL], words[base + RANK_USED] = part, 0, used
    words[base + RANK_KEPT] -= gone


@kernel
def _take(words, tops, base, rule, score):
    """Take a score of the key whose words begin at ``base``; return its p-value. One that is no finite number is not kept: 1."""
    if not -np.inf < score < np.inf:
        return 1.0
    used, at, kept = words[base + RANK_USED], 2 * (base + RANK_TOPS), words[base + RANK_KEPT]
    rounded = np.float32(min(max(score, -LARGEST_SINGLE), LARGEST_SINGLE))
    place, above = 0, 0
    while place < used and tops[at + place] >= rounded:
        above += _held(words[base + RANK_COUNTS + place])
        place += 1
    share = ((words[base + RANK_EVENTS] & COUNT_MASK) * GOLDEN_SECTION) & COUNT_MASK
    p = (above + (1 + share) / (1 + COUNT_MASK)) / (1 + kept) if kept > 0 else 1.0
    if words[base + RANK_EVENTS] >= rule[RANK_WARM_UP] // 2:
        most = int(rule[RANK_RATE] * (1 + kept)) if rule[RANK_RATE] > 0.0 else 0
        _count(words, tops, base, place, above, rounded, most)
        words[base + RANK_KEPT], words[base + RANK_FILL] = kept + 1, words[base + RANK_FILL] + 1
        if words[base + RANK_FILL] >= rule[RANK_PART_LENGTH]:
            _begin_part(words, tops, base)
    return p


@functools.cache
def ranking() -> Any:
    """Return the entry ``run(words, codes, scores, rule, alarms, p_values)``.

    ``words`` (keys * RANK_WORDS,) int64; ``codes`` (n,) int64: the key of each score, negative where it begins anew; ``scores`` (n,) float64; ``rule`` (RANK_SETTINGS,) float64;
    ``alarms`` (n,) uint8 and ``p_values`` (n,) float64 are written.
    """
    stamp = sources_digest()

    def run(words, codes, scores, rule, alarms, p_values):
        stamp  # noqa: B018  part of the cache's key
        tops = reinterpret(words, np.float32)
        for e in range(scores.size):
            base = row_at(words, codes, e, RANK_WORDS)
            event, left = words[base + RANK_EVENTS], words[base + RANK_COOLDOWN_LEFT]
            p = _take(words, tops, base, rule, scores[e])
            alarm = p <= rule[RANK_RATE] and left == 0 and event >= rule[RANK_WARM_UP]
            words[base + RANK_EVENTS] = event + 1
            words[base + RANK_COOLDOWN_LEFT] = int(rule[RANK_COOLDOWN]) if alarm else max(left - 1, 0)
            alarms[e], p_values[e] = alarm, p

    return entry(run)
