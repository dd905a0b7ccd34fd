"""What a detector remembers of one feature, and how far a value is from all of it.

Three views, each the distance to the nearest of the last M events, as a share of the range of the values:

- *value*: to the nearest value;
- *expectation*: to the nearest pair of value and error of the forecast made eight steps before: a known value, but not where the
  net expected another one;
- *shape*: to the nearest pair of value and mean of the last 32: a known value, but not among such values.

The fourth, *residual*, is the distance of the error of the forecast made two steps before to the nearest such error, in units of the
errors' own spread; it counts as far as the net forecasts the stream at all.

The range is that of what is remembered but for the outermost (one value on either side, and one more of ``OUTERMOST``), renewed with each batch that is sorted in; until the next one a
value beyond moves its end, by no more than the range itself. So no one value sets it. Where it is compared itself the range reaches to
it: a distance is a share of at most 1, and the larger the further out.

Memory is float32, relative to the first value; :mod:`~streamrnn.kernels.anomaly.nearest` keeps and searches it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.anomaly import nearest
from streamrnn.kernels.anomaly.nearest import NO_NEIGHBOUR_BITS, single
from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net.words import DEPTH, RECENT

# ---- words of a feature's watch (float64) ---------------------------------------------------------
SEEN, ORIGIN, LOW, HIGH, MEAN_SQUARED_ERROR, MEAN_SQUARED_CHANGE, HEAD_ERRORS, SPREAD = 0, 1, 2, 3, 4, 5, 6, 8
USUAL_MEAN, USUAL_SPREAD, OUTSIDE = 9, 10, 11
RECENT_VALUES, FORECAST_RINGS, UNITS = 16, 48, 66  # rings: values (RECENT), forecasts (2 x DEPTH), spreads (DEPTH)

# ---- words of what was found for a feature (float64) ----------------------------------------------
(
    NEW_VALUE, ERROR_2, ERROR_8, RECENT_MEAN, FEATURE_SCORE, VALUE_VIEW, EXPECTATION_VIEW, SHAPE_VIEW, RESIDUAL_VIEW, SURPRISE_VIEW,
    RANGE_VIEW, STICKING_VIEW, SURPRISE_P, SURPRISED, TAKEN_VALUE, WRONG, STICKS,
) = range(17)  # fmt: skip

ERROR_WEIGHT: Final = 0.4  # of a forecast error beside a value; below 0.2 it has no effect, beyond 0.8 noise decides
EXPECTATION_ALONE: Final = 0.15  # of the view "expectation" for a value that is not new at all; beyond 0.2 noise alarms
SHAPE_WEIGHT: Final = 0.3  # of the view "shape" beside the value itself: means wander further than values
SHARPNESS: Final = 16.0  # power of the net's skill that the view "residual" is multiplied with
HALF_SURE: Final = 20.0  # errors' spreads at which that view is half sure
OUTERMOST: Final = 2048  # remembered values of which one on either side, and one more, does not count in the range
SETTLED_RANGE: Final = 8  # values before which the range reaches to whatever comes
MOST_SQUARES: Final = (
    64.0  # an error's square enters its mean up to so many times that mean: one outlier moves it by 6 %
)


@kernel
def is_light(w):
    """Tell whether a watch has the light form: no forecasts but the last value, and no errors remembered."""
    return w.size <= FORECAST_RINGS


@kernel
def short_of(w, M):
    """Return how many errors are remembered: a third of the events."""
    return 0 if is_light(w) else M // 3


@kernel
def forecast_before(w, k, n):
    """Return what was forecast for event n, from the event 2 (k = 0) or 8 (k = 1) before."""
    from_ = n - (2 if k == 0 else 8)
    return w[RECENT_VALUES + from_ % RECENT] if is_light(w) else w[FORECAST_RINGS + k * DEPTH + from_ % DEPTH]


@kernel
def mean_with(w, x):
    """Return the mean of x and the up to 31 values before it."""
    n = int(w[SEEN])
    k = min(n, RECENT - 1)
    s = x
    for i in range(1, k + 1):
        s += w[RECENT_VALUES + (n - i) % RECENT]
    return s / (k + 1)


@kernel
def _nearest_error(errors, n, error):
    """Return the least squared distance to the first n places."""
    least = NO_NEIGHBOUR_BITS
    for i in range(n):
        d = error - errors[i]
        least = min(least, np.float32(d * d).view(np.int32))
    return float(np.int32(least).view(np.float32))


@kernel
def compare(w, kept, M, x, gains, found):
    """Compare a value x (relative to the first value) with the memory: write ``found`` (16).

    Score = max(sqrt(value * expectation), 0.15 expectation, 0.3 shape, skill^16 r / (r + 20)), each view times
    1 + its gain; r the
    distance of the error in units of the errors' spread; skill = 1 - (mean squared error) / (mean squared change over the same steps).
    """
    n = int(w[SEEN])
    error_2 = x - forecast_before(w, 0, n) if n >= 2 else 0.0
    error_8 = x - forecast_before(w, 1, n) if n >= 8 else 0.0
    mean = mean_with(w, x)
    found[NEW_VALUE], found[ERROR_2], found[ERROR_8], found[RECENT_MEAN] = x, error_2, error_8, mean
    found[FEATURE_SCORE] = 0.0
    for i in range(VALUE_VIEW, RESIDUAL_VIEW + 1):
        found[i] = 0.0
    if n == 0:
        return
    found[VALUE_VIEW], found[EXPECTATION_VIEW], found[SHAPE_VIEW] = nearest.search(
        kept[short_of(w, M) :], M, n, single(x), single(ERROR_WEIGHT * error_8), single(mean)
    )
    v = float(single(x))
    span = max(w[HIGH], v) - min(w[LOW], v)
    scale = 1.0 / span if span > 0.0 else 0.0
    found[VALUE_VIEW] = min(np.sqrt(found[VALUE_VIEW]) * scale, 1.0)
    found[EXPECTATION_VIEW] = min(np.sqrt(found[EXPECTATION_VIEW]) * scale, 1.0)
    found[SHAPE_VIEW] = min(SHAPE_WEIGHT * np.sqrt(0.5 * found[SHAPE_VIEW]) * scale, 1.0)
    if w[MEAN_SQUARED_CHANGE] > w[MEAN_SQUARED_ERROR] and not is_light(w):
        L = short_of(w, M)
        r, unit = np.sqrt(_nearest_error(kept, min(n, L), single(error_2))), np.sqrt(w[MEAN_SQUARED_ERROR])
        skill = max(1.0 - w[MEAN_SQUARED_ERROR] / w[MEAN_SQUARED_CHANGE], 0.0)
        skill *= skill
        skill *= skill
        skill *= skill
        found[RESIDUAL_VIEW] = skill * skill * r / (r + HALF_SURE * unit + 1e-300)
    likeness = max(np.sqrt(found[VALUE_VIEW] * found[EXPECTATION_VIEW]), EXPECTATION_ALONE * found[EXPECTATION_VIEW])
    shape, residual = (1.0 + gains[1]) * found[SHAPE_VIEW], (1.0 + gains[2]) * found[RESIDUAL_VIEW]
    found[FEATURE_SCORE] = min(max((1.0 + gains[0]) * likeness, shape, residual), 1.0)


@kernel
def decider(gains, found):
    """Return which view gave the score in ``found``: 0 to 3 in the order of its words, -1 where the score is 0."""
    if not found[FEATURE_SCORE] > 0.0:
        return -1
    value = np.sqrt(found[VALUE_VIEW] * found[EXPECTATION_VIEW])
    alone = EXPECTATION_ALONE * found[EXPECTATION_VIEW]
    best, most = (0, value) if value >= alone else (1, alone)
    most *= 1.0 + gains[0]
    for i in range(1, 3):
        part = (1.0 + gains[i]) * found[EXPECTATION_VIEW + i]
        if part > most:
            best, most = i + 1, part
    return best


@kernel
def clipped(mean, square, n):
    """Return the running mean of squared errors with one more; the first twenty errors are left out."""
    if n < 2 * 20:
        return mean + (square - mean) / max(n - 19, 1) if n >= 20 else 0.0
    return mean + max(1e-3, 1.0 / n) * (min(square, MOST_SQUARES * mean) - mean if mean > 0.0 else square)


@kernel
def _follow_range(w, kept, M, n, x):
    """Move the range after a value x, the n-th (from 0), that has been inserted."""
    span = w[HIGH] - w[LOW]
    most = span if n >= SETTLED_RANGE and span > 0.0 else np.inf
    w[LOW], w[HIGH] = max(min(w[LOW], x), w[LOW] - most), min(max(w[HIGH], x), w[HIGH] + most)
    if (n + 1) % nearest.batch(M) == 0:
        s = min(n + 1, M // nearest.unit(M) * nearest.unit(M))
        k = 1 + s // OUTERMOST
        w[LOW], w[HIGH] = float(kept[k]), float(kept[s - 1 - k])


@kernel
def remember(w, kept, M, taken, found, order):
    """Take what :func:`compare` found into the memory of a feature; ``taken``: the value that is learned. Scratch: as :func:`nearest.insert` needs it."""
    n, x = int(w[SEEN]), found[NEW_VALUE]
    events = kept[short_of(w, M) :]
    nearest.insert(
        events, M, n, single(x), single(ERROR_WEIGHT * found[ERROR_8]), single(found[RECENT_MEAN]), order
    )  # fmt: skip
    if not is_light(w):
        kept[n % short_of(w, M)] = single(found[ERROR_2])
    change = taken - w[RECENT_VALUES + (n - 2) % RECENT] if n >= 2 else 0.0
    error = found[ERROR_2] + taken - x
    w[MEAN_SQUARED_ERROR] = clipped(w[MEAN_SQUARED_ERROR], error * error, n)
    w[MEAN_SQUARED_CHANGE] = clipped(w[MEAN_SQUARED_CHANGE], change * change, n)
    w[RECENT_VALUES + n % RECENT] = taken
    _follow_range(w, events, M, n, float(single(x)))
    w[SEEN] = n + 1.0
