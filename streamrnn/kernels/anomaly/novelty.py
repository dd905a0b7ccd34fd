"""What a detector remembers of one feature, and how far a value is from all of it.

Three views, each the distance to the nearest of the last M events, over the range of the values so far:

- *value*: to the nearest value;
- *expectation*: to the nearest pair of value and forecast error, eight steps ahead: a value that has been seen, but not where
  the net expected another one;
- *shape*: to the nearest pair of value and mean of the last 32: a value that has been seen, but not among such.

The fourth, *residual*, is the distance of the forecast error two steps ahead to the nearest such error, in units of the
errors' own spread, and counts as far as the net foretells the stream at all.

Memory is float32, relative to the first value; :mod:`~streamrnn.kernels.anomaly.nearest` keeps and searches it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.anomaly import nearest
from streamrnn.kernels.anomaly.nearest import MOST_BITS, single
from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net.words import DEPTH, RECENT

# ---- words of a feature's watch (float64) ---------------------------------------------------------
SEEN, ORIGIN, LOW, HIGH, ERRORS, CHANGES, SCALES, SPREAD = 0, 1, 2, 3, 4, 5, 6, 8
USUAL, USUAL_SPREAD, OUTSIDE = 9, 10, 11
VALUES, FORECASTS, UNITS = 16, 48, 96  # rings: values (RECENT), forecasts (2 x DEPTH), spreads (DEPTH)

# ---- words of what was found for a feature (float64) ----------------------------------------------
NEW, ERROR_2, ERROR_8, MEAN, EVIDENCE, VALUE, EXPECTATION, SHAPE, RESIDUAL = range(9)

WEIGHT: Final = 0.4  # of a forecast error beside a value; below 0.2 it says nothing, beyond 0.8 noise says all
ALONE: Final = 0.15  # of the view "expectation" for a value that is not new at all; beyond 0.2 noise alarms
SHAPE_WEIGHT: Final = 0.3  # of the view "shape" beside the value itself: means wander further than values
SHARPNESS: Final = 16.0  # power of the net's skill that the view "residual" is multiplied with
SURPRISE: Final = 20.0  # errors' spreads at which that view is half sure
MOST: Final = 64.0  # an error's square enters its mean up to so many times that mean: one outlier moves it by 6 %


@kernel
def short_of(M):
    """Return how many errors are remembered: a third of the events."""
    return M // 3


@kernel
def mean_with(w, x):
    """Return the mean of x and the up to 31 values before it."""
    n = int(w[SEEN])
    k = min(n, RECENT - 1)
    s = x
    for i in range(1, k + 1):
        s += w[VALUES + (n - i) % RECENT]
    return s / (k + 1)


@kernel
def _nearest_error(errors, n, error):
    """Return the least squared distance to the first n places."""
    least = MOST_BITS
    for i in range(n):
        d = error - errors[i]
        least = min(least, np.float32(d * d).view(np.int32))
    return float(np.int32(least).view(np.float32))


@kernel
def compare(w, kept, M, x, gains, found):
    """Judge a value x (relative to the origin) against the memory: write ``found``.

    Evidence = max(sqrt(value * expectation), 0.15 expectation, 0.3 shape, skill^16 r / (r + 20)), each view times
    1 + its gain; r the
    distance of the error in units of the errors' spread; skill = 1 - (mean squared error) / (mean squared change over the same steps).
    """
    n = int(w[SEEN])
    error_2 = x - w[FORECASTS + (n - 2) % DEPTH] if n >= 2 else 0.0
    error_8 = x - w[FORECASTS + DEPTH + (n - 8) % DEPTH] if n >= 8 else 0.0
    mean = mean_with(w, x)
    found[NEW], found[ERROR_2], found[ERROR_8], found[MEAN] = x, error_2, error_8, mean
    found[EVIDENCE] = 0.0
    for i in range(VALUE, RESIDUAL + 1):
        found[i] = 0.0
    if n == 0:
        return
    found[VALUE], found[EXPECTATION], found[SHAPE] = nearest.search(
        kept[short_of(M) :], M, n, single(x), single(WEIGHT * error_8), single(mean)
    )
    span = max(w[HIGH], x) - min(w[LOW], x)
    scale = 1.0 / span if span > 0.0 else 0.0
    found[VALUE] = min(np.sqrt(found[VALUE]) * scale, 1.0)
    found[EXPECTATION] = min(np.sqrt(found[EXPECTATION]) * scale, 1.0)
    found[SHAPE] = min(SHAPE_WEIGHT * np.sqrt(0.5 * found[SHAPE]) * scale, 1.0)
    if w[CHANGES] > w[ERRORS]:
        L = short_of(M)
        r, unit = np.sqrt(_nearest_error(kept, min(n, L), single(error_2))), np.sqrt(w[ERRORS])
        skill = max(1.0 - w[ERRORS] / w[CHANGES], 0.0)
        skill *= skill
        skill *= skill
        skill *= skill
        found[RESIDUAL] = skill * skill * r / (r + SURPRISE * unit + 1e-300)
    likeness = max(np.sqrt(found[VALUE] * found[EXPECTATION]), ALONE * found[EXPECTATION])
    shape, residual = (1.0 + gains[1]) * found[SHAPE], (1.0 + gains[2]) * found[RESIDUAL]
    found[EVIDENCE] = min(max((1.0 + gains[0]) * likeness, shape, residual), 1.0)


@kernel
def decider(gains, found):
    """Return which view gave the evidence in ``found``: 0 to 3 in the order of its words, -1 where there is none."""
    if not found[EVIDENCE] > 0.0:
        return -1
    value = np.sqrt(found[VALUE] * found[EXPECTATION])
    alone = ALONE * found[EXPECTATION]
    best, most = (0, value) if value >= alone else (1, alone)
    most *= 1.0 + gains[0]
    for i in range(1, 3):
        part = (1.0 + gains[i]) * found[EXPECTATION + i]
        if part > most:
            best, most = i + 1, part
    return best


@kernel
def clipped(mean, square, n):
    """Return the running mean of squared errors with one more; the first twenty errors teach nothing."""
    if n < 2 * 20:
        return mean + (square - mean) / max(n - 19, 1) if n >= 20 else 0.0
    return mean + max(1e-3, 1.0 / n) * (min(square, MOST * mean) - mean)


@kernel
def remember(w, kept, M, found, order):
    """Take what :func:`compare` found into the memory of a feature. Scratch: as :func:`nearest.insert` needs it."""
    n, x = int(w[SEEN]), found[NEW]
    nearest.insert(kept[short_of(M) :], M, n, single(x), single(WEIGHT * found[ERROR_8]), single(found[MEAN]), order)
    kept[n % short_of(M)] = single(found[ERROR_2])
    change = x - w[VALUES + (n - 2) % RECENT] if n >= 2 else 0.0
    w[ERRORS] = clipped(w[ERRORS], found[ERROR_2] * found[ERROR_2], n)
    w[CHANGES] = clipped(w[CHANGES], change * change, n)
    w[VALUES + n % RECENT] = x
    w[LOW], w[HIGH] = min(w[LOW], x), max(w[HIGH], x)
    w[SEEN] = n + 1.0
