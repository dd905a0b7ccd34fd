"""What an operator has said of one feature: which deviations count, and which values there may be. Settings, nothing learned.

**Which count.** With a direction only what lies on that side of what was expected is a deviation, and with a least deviation only what is as
large. What does not count counts for nothing: the feature scores 0 with it, and it is charged to no budget. So a rate is one of the alarms that are wanted.

**The way back.** A fault on the side that nobody asked for, ``LEAST_SIZE`` running errors or more, has an end, which lies on the other side.
For ``patience`` events what was expected when it began, moved with the season since, is still expected too: what lies between is the way back,
and no deviation, nor is what lies less than ``LEAST_SIZE`` beyond.

**Valid values.** What lies outside the range is an alarm at once, in the warm-up too, one until ten events in a row are valid; for all
that is learned it is missing.
"""

from __future__ import annotations

from typing import Final

from streamrnn.kernels.anomaly import outlook as at
from streamrnn.kernels.anomaly.alarm import TOGETHER
from streamrnn.kernels.anomaly.expectation import shape_at
from streamrnn.kernels.anomaly.surprise import LEAST_SIZE
from streamrnn.kernels.compile import kernel

# ---- settings of a feature (float64 words) --------------------------------------------------------
SIDE, MIN_UNITS, MIN_SHARE, LOWEST, HIGHEST, IS_COUNTER = range(6)
EITHER_SIDE: Final = 0.0  # of SIDE; above is 1, below -1
CERTAIN: Final = 1e-300  # p-value of what cannot be

# ---- what a value is, by its range or its standing still ------------------------------------------
FINE, STILL_WRONG, NEWLY_WRONG = range(3)


@kernel
def is_valid(po, x):
    """Tell whether a value, if there is one, lies in the range. ``po`` (8): settings."""
    return not (x < po[LOWEST] or x > po[HIGHEST])


@kernel
def deviation(po, o, x, expected):
    """Return how far x is from what was expected, 0 on a side that does not count; NaN where nothing was expected. ``o``: the outlook."""
    side = po[SIDE]
    if side == EITHER_SIDE:
        return x - expected
    base = expected
    if o[at.IGNORED_LEFT] > 0.0:
        before = shape_at(o, int(o[at.AGE])) + o[at.IGNORED_FROM]
        base = max(base, before) if side > 0.0 else min(base, before)
    away = x - base
    return on_side(po, away) if away == away else away  # noqa: PLR0124  NaN


@kernel
def on_side(po, error):
    """Return an error, 0 on a side that does not count."""
    return error if po[SIDE] == EITHER_SIDE or error * po[SIDE] > 0.0 else 0.0


@kernel
def counts(po, o, away, expected):
    """Tell whether a :func:`deviation` is one that counts; without an expectation all do."""
    if away != away:  # noqa: PLR0124  NaN
        return True
    if away == 0.0:
        return po[SIDE] == EITHER_SIDE and po[MIN_UNITS] == 0.0 and po[MIN_SHARE] == 0.0
    least = LEAST_SIZE * o[at.SIZE] if o[at.IGNORED_LEFT] > 0.0 else 0.0
    return abs(away) >= max(po[MIN_UNITS], po[MIN_SHARE] * abs(expected), least)


@kernel
def follow_ignored(po, o, x, expected, patience):
    """Take a value into what is known of faults on the side that does not count."""
    if po[SIDE] == EITHER_SIDE:
        return
    o[at.IGNORED_LEFT] = max(o[at.IGNORED_LEFT] - 1.0, 0.0)
    if o[at.SIZE] > 0.0 and po[SIDE] * (expected - x) >= LEAST_SIZE * o[at.SIZE] and o[at.IGNORED_LEFT] <= 0.0:
        o[at.IGNORED_FROM], o[at.IGNORED_LEFT] = expected - shape_at(o, int(o[at.AGE])), patience


@kernel
def kind_of(going_on):
    """Return what a value is that is wrong: whether newly."""
    return STILL_WRONG if going_on else NEWLY_WRONG


@kernel
def follow_wrong(left, wrong):
    """Return how many events it takes until what is wrong now is over."""
    return TOGETHER if wrong != FINE else max(left - 1.0, 0.0)
