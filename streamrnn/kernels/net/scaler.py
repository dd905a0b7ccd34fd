"""Running standardisation: mean and variance with exponential forgetting, robust to spikes and constants.

With a = max(alpha, 1/n): d = v - mean; mean += a d; var = (1 - a) (var + a d^2). From the tenth value on, d is
limited to ``SPIKE_LIMIT`` standard deviations inside the update: a spike of 1e6 moves the statistics no further than an
outlier of that size, and a lasting change of level by 1e6 is still learned in a few hundred events, since the
variance can grow by a few per cent an event. A variance of zero (a frozen sensor) lifts the limit.

float64: a float32 counter stops at 1.7e7, and values are centred before they are narrowed.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel

SPIKE_LIMIT: Final = 8.0  # standard deviations; lower starves the variance of heavy tails, higher lets spikes in
SETTLED_COUNT: Final = 10.0  # values after which the limit holds: before, the variance itself is noise
WELL_WITHIN: Final = (
    SPIKE_LIMIT * SPIKE_LIMIT * (1.0 - 1e-6)
)  # of squares: no rounding takes what is below beyond the limit
RELATIVE_FLOOR: Final = 1e-7  # of |mean|: below it a spread is rounding noise of the values themselves
LARGEST_USABLE: Final = 1e150  # the square of anything larger is not a float64


@kernel
def is_usual(v, mean, var, n, alpha):
    """Tell whether ``v`` is within the limit for certain, and n so large that 1/n does not count."""
    d = v - mean
    return (d * d <= WELL_WITHIN * var) & (alpha * n > 1.0)


@kernel
def absorb(v, mean, var, n, alpha, usual):
    """Return mean, variance and count with ``v`` taken in; ``usual``: it is known to be (:func:`is_usual`), and the next value waits for no root and no quotient.

    Free of branches otherwise: it runs in vector lanes.
    """
    d = v - mean
    if usual:
        return mean + alpha * d, (1.0 - alpha) * (var + alpha * d * d), n + 1.0
    n = n + 1.0
    share = 1.0 / n
    a = alpha if alpha > share else share
    floor = RELATIVE_FLOOR * abs(mean)
    most = SPIKE_LIMIT * np.sqrt(var)
    least = -most
    limited = d if d < most else most
    limited = limited if limited > least else least
    d = limited if (n > SETTLED_COUNT) & (var > floor * floor) else d
    return mean + a * d, (1.0 - a) * (var + a * d * d), n


@kernel
def spread(mean, var):
    """Return the standard deviation, never below rounding noise, never zero."""
    floor = RELATIVE_FLOOR * abs(mean)
    return np.sqrt(var + floor * floor + 1e-300)


@kernel
def size_of(mean, var):
    """Return the root of the mean square, never zero: what a count is divided by, whose 0 stays 0."""
    return np.sqrt(var + mean * mean + 1e-300)


@kernel
def usable(v):
    """Tell whether ``v`` is a number whose square exists: no NaN, no infinity, not beyond ``LARGEST_USABLE``."""
    return abs(v) < LARGEST_USABLE
