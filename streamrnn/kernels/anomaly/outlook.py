"""The memory of what is expected of one feature: where each part of an outlook lies (float64 words).

An outlook holds the season and its shape, the regression on what the shape leaves, the running errors of the three experts, and the rule that tells a
surprise, which looks in three ways at what was not expected: see :mod:`~streamrnn.kernels.anomaly.expectation` and :mod:`~streamrnn.kernels.anomaly.surprise`. A blank one is zero all over.

It has one of two forms, which its size tells: the *full* one, ``OUTLOOK_WORDS`` words, and the *light* one, with a shorter regression, a shorter season or none, and
values, curve and shape of the season in float32, the values relative to the first one.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.least_squares import packed_size
from streamrnn.kernels.net.words import (
    LIGHT_LAGS,
    LIGHT_RING,
    OUTLOOK_RING,
    OUTLOOK_WORDS,
    SEASON_LAGS,
    SEASONLESS_WORDS,
)
from streamrnn.kernels.reinterpret import reinterpret

N_FORECASTS: Final = 3
EXPERT_LAST, EXPERT_NET, EXPERT_SHAPE = range(N_FORECASTS)
RESIDUAL_LAGS, LIGHT_RESIDUAL_LAGS = 13, 8
LAGS_ROOM, LIGHT_LAGS_ROOM = 16, 8  # of the regression's arrays: multiples of eight
COURSE_EVENTS: Final = (
    8  # of a course: as many residuals as the light form keeps; a curve of 96 events is as well seen by 12 or 16
)
GAIN_ROOM: Final = 192  # of its matrix P, packed

# events since the first value, the missing ones among them; what is expected next; values in a row that were learned as others
AGE, EXPECTED, CUT_IN_A_ROW = range(3)
# the season, the event its shape begins with, and the level
SEASON, SHAPE_BEGAN, BASE_LEVEL = range(3, 6)
# a look, relative to its place. Running size of the errors: itself, errors counted, those in a row beyond its limit, largest of this stretch and of the
# one before; then the tail's quantile and Hill's mean
LOOK_SIZE, LOOK_COUNTED, LOOK_WIDE, LOOK_PEAK, LOOK_PEAK_BEFORE, LOOK_TAIL, LOOK_HILL = range(7)
LOOK_WORDS: Final = 7
ONE_STEP, SMOOTHED, COURSE = 6, 16, 48  # places of the looks: at the error itself, at its running mean, at the course
SIZE, COUNTED = ONE_STEP + LOOK_SIZE, ONE_STEP + LOOK_COUNTED
# events until an episode is over; whether this one is free; its least p-value; the errors' running mean
QUIET_LEFT, IS_FREE, LEAST_P, SMOOTHED_ERROR = 13, 14, 15, 23
# events until a value outside the valid range is over; what was expected above the shape when a fault began that does not count, and for how many events still
INVALID_LEFT, IGNORED_FROM, IGNORED_LEFT = range(24, 27)
# the last value, how many times in a row, the longest such run, how many there were; alarms of runs of late
LAST_VALUE, EQUAL_RUN, LONGEST_RUN, RUNS, STUCK_OF_LATE = range(27, 32)
# whether this run has alarmed; a counter's last reading, its time, and how many events ago it was; 0: there was none
IS_STUCK, READING, READ_AT, READ_AGO = range(40, 44)
FORECASTS, EXPERT_ERRORS = 32, 36  # of each expert
BEYOND_SIDE: Final = 45  # on which side of what was expected the last value lay beyond the limit; 0: it did not
# running means: of the size of the change that is expected, of its square, of its product with the size of the error, and of that
CHANGE_MEAN, CHANGE_SQUARE, CHANGE_PRODUCT, CHANGE_ERROR = 35, 39, 46, 47
LIGHT_ORIGIN: Final = 44  # of a light outlook: what the values in its ring are relative to
# the regression: coefficients, then the last residuals and P behind as many as there is room for
LAG_COEFFICIENTS: Final = 56
SEASON_CURVE: Final = LAG_COEFFICIENTS + 2 * LAGS_ROOM + GAIN_ROOM
RING: Final = SEASON_CURVE + 2 * (SEASON_LAGS + 1)
SEASON_SHAPE: Final = RING + OUTLOOK_RING
END: Final = SEASON_SHAPE + SEASON_LAGS
# of a light one, in float32: its last values, the curve, the shape
LIGHT_VALUES: Final = 2 * SEASONLESS_WORDS
LIGHT_CURVE: Final = LIGHT_VALUES + LIGHT_RING
LIGHT_SHAPE: Final = LIGHT_CURVE + LIGHT_LAGS + 1
LIGHT_END: Final = (LIGHT_SHAPE + LIGHT_LAGS + 1) // 2


@kernel
def is_full(o):
    """Tell whether an outlook has the full form."""
    return o.size == OUTLOOK_WORDS


@kernel
def lags_of(o):
    """Return how many residuals the regression reads, and the room that its arrays have."""
    return (RESIDUAL_LAGS, LAGS_ROOM) if o.size == OUTLOOK_WORDS else (LIGHT_RESIDUAL_LAGS, LIGHT_LAGS_ROOM)


@kernel
def residuals_at(o):
    """Return where the ring of the last residuals begins: behind the coefficients."""
    return LAG_COEFFICIENTS + lags_of(o)[1]


@kernel
def gain_at(o):
    """Return where the regression's matrix P begins, packed, and where it ends."""
    room = lags_of(o)[1]
    return LAG_COEFFICIENTS + 2 * room, LAG_COEFFICIENTS + 2 * room + packed_size(room)


@kernel
def season_lags(o):
    """Return the longest season that it can have; 0: none."""
    return SEASON_LAGS if o.size == OUTLOOK_WORDS else LIGHT_LAGS if o.size > SEASONLESS_WORDS else 0


@kernel
def ring_size(o):
    """Return how many values it keeps; 0: none."""
    return OUTLOOK_RING if o.size == OUTLOOK_WORDS else LIGHT_RING if o.size > SEASONLESS_WORDS else 0


@kernel
def slope(o):
    """Return by how much the level grows from event to event where there is a season; 0 in the light form.

    It is what is usually added over a season, b, spread over its m events; it counts as far as it is beyond the error e of a season ago: b / m times b^2 / (b^2 + e^2).
    """
    m = int(o[SEASON])
    if m == 0 or o.size != OUTLOOK_WORDS:
        return 0.0
    e, b = o[SEASON_CURVE + m], o[SEASON_CURVE + SEASON_LAGS + 1 + m]
    square = b * b
    return b / m * (square / (square + e * e)) if 0.0 < square < np.inf else 0.0


@kernel
def kept_value(o, t):
    """Return the value of event t, one of the last :func:`ring_size`."""
    if o.size == OUTLOOK_WORDS:
        return o[RING + t % OUTLOOK_RING]
    return o[LIGHT_ORIGIN] + float(reinterpret(o, np.float32)[LIGHT_VALUES + t % LIGHT_RING])


@kernel
def keep_value(o, t, y):
    """Keep the value of event t, where there is room for values."""
    if o.size == OUTLOOK_WORDS:
        o[RING + t % OUTLOOK_RING] = y
        return
    if t == 0:
        o[LIGHT_ORIGIN] = y
    if o.size > SEASONLESS_WORDS:
        reinterpret(o, np.float32)[LIGHT_VALUES + t % LIGHT_RING] = np.float32(y - o[LIGHT_ORIGIN])


@kernel
def bin_of_shape(o, i):
    """Return bin i of the shape of the season."""
    if o.size == OUTLOOK_WORDS:
        return o[SEASON_SHAPE + i]
    return float(reinterpret(o, np.float32)[LIGHT_SHAPE + i])


@kernel
def set_bin(o, i, v):
    """Set bin i of the shape of the season."""
    if o.size == OUTLOOK_WORDS:
        o[SEASON_SHAPE + i] = v
    else:
        reinterpret(o, np.float32)[LIGHT_SHAPE + i] = np.float32(v)
