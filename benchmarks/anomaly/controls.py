"""What any detector is measured beside: no model at all, or none that looks."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def never(values: Array, probation: int) -> Array:  # noqa: ARG001  one form for all
    """Alert never."""
    return np.zeros(len(values))


def random(values: Array, probation: int, seed: int = 0) -> Array:  # noqa: ARG001
    """Return uniform numbers."""
    return np.random.default_rng([seed, len(values)]).random(len(values))


def windowed_gaussian(values: Array, probation: int, width: int = 6400, step: int = 100) -> Array:  # noqa: ARG001
    """Return 1 - Q(|z|), z in mean and standard deviation of the last 6400 values, renewed every 100 once there are so many.

    The benchmark's own baseline; it rounds nothing here.
    """
    n, fresh, out = 0, 0, np.zeros(len(values))
    mean, spread = 0.0, 1.0
    for t, x in enumerate(values.tolist()):
        if t:
            out[t] = 1.0 - 0.5 * math.erfc(abs((x - mean) / spread) / math.sqrt(2.0))
        if n < width:
            n += 1
        else:
            fresh += 1
        if n < width or fresh in (0, step):
            last = values[max(t + 1 - width, 0) : t + 1]
            mean, spread = float(last.mean()), float(last.std()) or 1e-6
            fresh = 0
    return out


@numba.njit(cache=True)
def _novelty(values: Array, memory: int, quiet: int) -> Array:
    n, low, high = len(values), values[0], values[0]
    raw, out = np.zeros(n), np.zeros(n)
    for t in range(1, n):
        near = np.inf
        for k in range(max(0, t - memory), t):
            near = min(near, abs(values[t] - values[k]))
        low, high = min(low, values[t]), max(high, values[t])
        raw[t] = near / (high - low) if high > low else 0.0
        most = 0.0
        for k in range(max(0, t - quiet), t):
            most = max(most, raw[k])
        out[t] = raw[t] if raw[t] > most else 0.0
    return out


def value_novelty(values: Array, probation: int) -> Array:
    """Return the distance to the nearest of the last 6000 values, over the range so far, where it exceeds all lately.

    Lately is 0.3 of the probation: it knows the file's length by that, as nothing else here does.
    """
    return _novelty(values, 6000, int(0.3 * probation))


CONTROLS = {
    "never": never, "random": random, "windowed Gaussian": windowed_gaussian, "value novelty": value_novelty,
}  # fmt: skip
