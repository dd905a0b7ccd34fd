"""What numbers of a stream's memory can be: looked at in one pass before bytes that somebody has written are taken over.

A rule is a row of whole numbers, its kind first, and two bounds::

    RULE_WHOLE      int64 at + i * step, i < count, is in [low, high]
    RULE_NUMBERS    the same of float64
    RULE_SINGLES    the same of float32
    RULE_AT_MOST    int64 at is not larger than int64 other plus high
    RULE_CLASSES    where int64 other is positive: float64 at + i is a whole number in [low, high]

Places are in units of the type, from the beginning of an area. A number that is none breaks every rule.
"""

from __future__ import annotations

import functools
from typing import Any, Final

import numpy as np

from streamrnn.kernels.compile import entry, kernel, sources_digest
from streamrnn.kernels.reinterpret import reinterpret

RULE_WHOLE, RULE_NUMBERS, RULE_SINGLES, RULE_AT_MOST, RULE_CLASSES = range(5)
RULE_KIND, RULE_PLACE, RULE_COUNT, RULE_STEP, RULE_OTHER, RULE_LENGTH = range(6)
LARGEST_DOUBLE: Final = 1.7976931348623157e308


@kernel
def _within(values, start, step, count, low, high):
    good = 0
    for i in range(count):
        v = values[start + i * step]
        good += (v >= low) & (v <= high)
    return good == count


@kernel
def _classes(values, start, count, low, high):
    for i in range(count):
        v = values[start + i]
        if not (v >= low and v <= high and v == np.floor(v)):
            return False
    return True


@kernel
def _holds(rule, low, high, words, numbers, singles, start):
    """Tell whether an area, which begins at byte ``start``, keeps a rule."""
    kind, place, count, step, other = (
        rule[RULE_KIND],
        rule[RULE_PLACE],
        rule[RULE_COUNT],
        rule[RULE_STEP],
        rule[RULE_OTHER],
    )
    at = start // 8
    if kind == RULE_WHOLE:
        return _within(words, at + place, step, count, np.int64(low), np.int64(high))
    if kind == RULE_NUMBERS:
        return _within(numbers, at + place, step, count, low, high)
    if kind == RULE_SINGLES:
        return _within(singles, start // 4 + place, step, count, low, high)
    if kind == RULE_AT_MOST:
        return words[at + place] <= words[at + other] + np.int64(high)
    return words[at + other] <= 0 or _classes(numbers, at + place, count, low, high)


@functools.cache
def broken_rule() -> Any:
    """Return the entry: ``(rules, bounds, state, areas, size)`` -> -1, or area times rules plus the first rule that is broken.

    ``rules`` (R, RULE_LENGTH) int64, ``bounds`` (R, 2) float64; ``state`` (areas * size,) uint8 is the areas, one behind the other; ``size`` is that of
    one, in bytes.
    """
    stamp = sources_digest()

    def run(rules, bounds, state, areas, size):
        _ = stamp
        words, numbers, singles = (
            reinterpret(state, np.int64),
            reinterpret(state, np.float64),
            reinterpret(state, np.float32),
        )
        for area in range(areas):
            for i in range(len(rules)):
                if not _holds(rules[i], bounds[i, 0], bounds[i, 1], words, numbers, singles, area * size):
                    return area * len(rules) + i
        return -1

    return entry(run)
