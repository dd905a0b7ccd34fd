"""The curve of a stream's lags: by how much a value differs from that of m events ago, for every m, and the season that it shows.

With d = y[t] - y[t - m] and B(m) the running mean of d, D(m) is that of |d - B(m)|: the error of the forecast "as m events ago, and what is
usually added". A season is a local minimum of D that is clearly below its surroundings; one that was found stays until another is clearly better. What few
values or seasons tell counts less.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import apart, kernel

REMEMBERED: Final = 2000.0  # events; a season of a year of days is seen five times
NEAR: Final = (
    1.05  # times the best season's error: the shortest within it is meant, for multiples of a season foretell as well
)
DIP: Final = 0.9  # times its surroundings' mean error must a season's be below
SWITCH: Final = 1.1  # times the error of another must that of the season in use be before it is given up for it
FEIGNED: Final = 0.4  # of an error, where one season has been compared with the next: a walk has dips too
FADED: Final = 0.97  # a season that was found is given up beyond it
LAG_ERROR_LIMIT: Final = (
    4.0  # running errors: the most that one counts; with 8 a day of zeros makes another season the best
)
SETTLED_LAGS: Final = 10.0  # errors before which there is no such limit


@apart
def take_stretch(curve, usual, values, first, t, y, newest, most):
    """Take y against a stretch of a ring into the curve: lag m of ``first`` and on is values[newest - m]; no error counts more than ``most``."""
    for i in range(curve.size):
        m = first + i
        n = float(t - m + 1)
        share = 1.0 / n
        share = share if share > 1.0 / REMEMBERED else 1.0 / REMEMBERED
        b, kept = usual[i], curve[i]
        v = y - values[newest - m] - b
        size = abs(v)
        limit = LAG_ERROR_LIMIT * kept
        limit = limit if (limit > 0.0) & (n > SETTLED_LAGS) & (limit < most) else most
        cut = size > limit
        moved = (limit if v > 0.0 else -limit) if cut else v
        size = limit if cut else size
        usual[i] = b + share * moved if size >= 0.0 else b
        curve[i] = kept + share * (size - kept) if size >= 0.0 else kept


@kernel
def take_newest(curve, usual, ring, t):
    """Take the value of event t, which lies at t % its size in the ring, into the curve (N + 1): against the N values before it."""
    newest, lags = t % ring.size, min(t, curve.size - 1)
    first, last = 1, min(newest, lags)
    for turn in range(2):  # the lags before the ring's end, then those behind
        take_stretch(
            curve[first : last + 1], usual[first : last + 1], ring, first, t, ring[newest], newest + turn * ring.size, np.inf
        )  # fmt: skip
        first, last = last + 1, lags


@kernel
def curve_sums(curve, seen, sums):
    """Write the curve's running sums up to lag ``seen``."""
    sums[0] = 0.0
    for m in range(1, seen + 1):
        sums[m] = sums[m - 1] + curve[m]


@kernel
def depth(curve, sums, seen, m):
    """Return the error at lag m over the mean of its surroundings; infinity where that is 0 or m is no local minimum."""
    near = max(2, m // 4)
    low, high = max(1, m - near), min(seen, m + near)
    mean = (sums[high] - sums[low - 1]) / (high - low + 1)
    return curve[m] / mean if mean > 0.0 and curve[m] <= curve[m - 1] and curve[m] <= curve[m + 1] else np.inf


@kernel
def _doubt(t, m):
    """Return by how much more than 1 a dip must be, where t values and t / m seasons have passed."""
    return 1.0 + 1.0 / np.sqrt(t - m) + FEIGNED * m / (t - m)


@kernel
def best_season(curve, sums, seen, t, first, dip):
    """Return the shortest lag from ``first`` on, of those clear by ``dip``, that is within ``NEAR`` of the best; 0 for none."""
    best = np.inf
    for m in range(first, seen):
        v = _doubt(t, m)
        if curve[m] * v < best and depth(curve, sums, seen, m) * v < dip:
            best = curve[m] * v
    for m in range(first, seen):
        v = _doubt(t, m)
        if curve[m] * v <= NEAR * best and depth(curve, sums, seen, m) * v < dip:
            return m
    return 0


@kernel
def season_after(curve, sums, seen, t, first, now):
    """Return the season to use after t values, from lag ``first`` on, where ``now`` is in use; 0 for none. sums: scratch."""
    curve_sums(curve, seen, sums)
    found = best_season(curve, sums, seen, t, first, DIP)
    if 1 < now < seen and now != found and (found == 0 or curve[now] <= SWITCH * curve[found]):
        found = now if depth(curve, sums, seen, now) < FADED else found
    return found
