"""The seasons of a channel, found as the stream runs by what they would have foretold.

A season is a clear minimum in the curve of the lags' errors (:mod:`streamrnn.kernels.season_curve`). Up to ``CURVE_LAGS`` lags on the events themselves, and as many on means of ``BLOCK_EVENTS`` of them: a week
of five minutes is 336 such blocks. The *main* season is the shortest whose error is within ``NEAR`` of the best one's; the *short* season
is the clearest one that divides it: the day in the week. A season that was found stays until another is clearly better.

By the first peak of an autocorrelation the day hides the week, and levels that matter to a forecast do not count.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.net.scaler import usable
from streamrnn.kernels.reinterpret import reinterpret
from streamrnn.kernels.season_curve import (
    DIP,
    FADED,
    LAG_ERROR_LIMIT,
    NEAR,
    REMEMBERED,
    SETTLED_LAGS,
    SWITCH,
    best_season,
    curve_sums,
    depth,
    take_stretch,
)

SHORT_DIP: Final = 0.85  # times its surroundings' mean error must that of a season within a season be below
FARTHEST_ERROR: Final = 3.0  # mean errors of all lags: the most that one counts of a lag that has seen few, so that lags without an outage are no better
EVERY: Final = 16  # events between two searches, once there are many
BEGINNING: Final = 256  # events with a search each
NEIGHBOURS: Final = 48  # a share of a season: lags so near are told apart by the values themselves
REFINED: Final = 256  # how many of them, at least ...
SEASONS_REFINED: Final = 4  # ... and as many seasons, if the ring holds them
CLEARER: Final = 1.5  # standard errors by which a neighbour must be better; 2 leaves a day of 289 as it is, 1 changes it with each draw
EVERY_LOOK: Final = 128  # events between two looks at the neighbours of a season that stays


@kernel
def main_season(hd, d, c):
    """Return the channel's main season; 0 for none."""
    return int(d[hd[at.PERIOD] + c])


@kernel
def short_season(hd, d, c):
    """Return the season within the main one; 0 for none."""
    return int(d[hd[at.SHORT_PERIOD] + c])


@kernel
def _steady_stretch(curve, usual, values, first, y, newest, most):
    """Do as ``take_stretch`` where every lag has seen ``REMEMBERED`` values: one share for all."""
    for i in range(curve.size):
        b, kept = usual[i], curve[i]
        v = y - values[newest - first - i] - b
        size = abs(v)
        limit = LAG_ERROR_LIMIT * kept
        limit = limit if (limit > 0.0) & (limit < most) else most
        cut = size > limit
        moved = (limit if v > 0.0 else -limit) if cut else v
        size = limit if cut else size
        usual[i] = b + (1.0 / REMEMBERED) * moved if size >= 0.0 else b
        curve[i] = kept + (1.0 / REMEMBERED) * (size - kept) if size >= 0.0 else kept


@kernel
def _into(curves, y, values, newest, t, most):
    """Take y against the values 1, 2 ... before it into curves (2, N + 1): D and B. values: a ring whose newest, t, lies at ``newest``."""
    N, Q = at.CURVE_LAGS, values.size
    lags = min(t, N)
    split = min(newest, lags)
    curve, usual = curves[: N + 1], curves[N + 1 :]
    if t - N > REMEMBERED:
        _steady_stretch(curve[1 : split + 1], usual[1 : split + 1], values, 1, y, newest, most)
        _steady_stretch(curve[split + 1 :], usual[split + 1 :], values, split + 1, y, newest + Q, most)
        return
    take_stretch(curve[1 : split + 1], usual[1 : split + 1], values, 1, t, y, newest, most)
    take_stretch(curve[split + 1 : lags + 1], usual[split + 1 : lags + 1], values, split + 1, t, y, newest + Q, most)


@kernel
def observe(hd, d, c, t, known):
    """Take y[t], which lies in the ring, into both curves."""
    Q, N = hd[at.RING_SIZE], at.CURVE_LAGS
    ring = d[hd[at.VALUE_RING] + c * Q : hd[at.VALUE_RING] + (c + 1) * Q]
    y, block = ring[t % Q], hd[at.BLOCK_SUM] + 2 * c
    f = reinterpret(d, np.float32)
    most = FARTHEST_ERROR * d[block + 1] if d[block + 1] > 0.0 else np.inf
    if known:
        _into(f[hd[at.LAG_CURVE] + 2 * c * (N + 1) : hd[at.LAG_CURVE] + 2 * (c + 1) * (N + 1)], y, ring, t % Q, t, most)
    d[block] += y if usable(y) else 0.0
    if t % at.BLOCK_EVENTS == at.BLOCK_EVENTS - 1:
        k = t // at.BLOCK_EVENTS
        coarse = d[hd[at.COARSE_VALUES] + c * (N + 1) : hd[at.COARSE_VALUES] + (c + 1) * (N + 1)]
        mean = d[block] / at.BLOCK_EVENTS
        coarse[k % (N + 1)] = mean
        d[block] = 0.0
        _into(
            f[hd[at.COARSE_CURVE] + 2 * c * (N + 1) : hd[at.COARSE_CURVE] + 2 * (c + 1) * (N + 1)],
            mean,
            coarse,
            k % (N + 1),
            k,
            most,
        )


@kernel
def _valley(curve, sums, seen, m):
    """Return the same where m is within ``NEAR`` of the least of its surroundings: of a divisor that is enough."""
    near = max(2, m // 4)
    low, high = max(1, m - near), min(seen, m + near)
    least = np.inf
    for k in range(low, high + 1):
        least = min(least, curve[k])
    mean = (sums[high] - sums[low - 1]) / (high - low + 1)
    return curve[m] / mean if mean > 0.0 and curve[m] <= NEAR * least else np.inf


@kernel
def _foot(curve, sums, seen, m):
    """Return the lag of least error in the valley that begins at m: the shortest of those within ``NEAR`` lies at its edge."""
    found = m
    for k in range(m + 1, min(m + max(2, m // 4), seen - 1) + 1):
        if curve[k] < curve[found] and depth(curve, sums, seen, k) < np.inf:
            found = k
    return found


@kernel
def _misses(ring, t, m, n):
    """Return the sum of what "as m events ago" would have missed the last n values by, whatever their size."""
    Q, total = ring.size, 0.0
    now, then = t % Q, (t - m) % Q
    for _ in range(n):
        v = abs(ring[now] - ring[then])
        total += v if v >= 0.0 else 0.0
        now = now - 1 if now > 0 else Q - 1
        then = then - 1 if then > 0 else Q - 1
    return total


@kernel
def _is_clearer(ring, t, m, other, n):
    """Tell whether m foretold the last n values better than ``other`` by ``CLEARER`` standard errors of the difference."""
    Q, total, squares = ring.size, 0.0, 0.0
    for k in range(n):
        y = ring[(t - k) % Q]
        v = abs(y - ring[(t - k - other) % Q]) - abs(y - ring[(t - k - m) % Q])
        v = v if abs(v) >= 0.0 else 0.0
        total += v
        squares += v * v
    return total > CLEARER * np.sqrt(squares)


@kernel
def _refine(ring, t, about, reach, now):
    """Return the lag within ``reach`` of ``about`` that foretold the last values best; ``now``, if it is one of them, unless another is clearly better.

    Errors count in full here: neighbouring lags see the same outliers, and where a series is noisy and jumps, the jumps alone tell which of them is meant.
    """
    n = min(t - about - reach, ring.size - about - reach - 1, max(REFINED, SEASONS_REFINED * about))
    if n < 1:
        return about
    best, found = np.inf, about
    for m in range(max(about - reach, 2), about + reach + 1):
        total = _misses(ring, t, m, n)
        if total < best:
            best, found = total, m
    return now if abs(now - about) <= reach and now > 1 and not _is_clearer(ring, t, found, now, n) else found


@kernel
def _long(hd, d, c, t, main, sums):
    """Return the season found on blocks if it foretells clearly better than ``main``; else ``main``."""
    N, B, Q = at.CURVE_LAGS, at.BLOCK_EVENTS, hd[at.RING_SIZE]
    k = t // B
    seen = min(2 * k // 3, N)
    first = N // B + 1
    if seen <= first + 1:
        return main
    curve = reinterpret(d, np.float32)[
        hd[at.COARSE_CURVE] + 2 * c * (N + 1) : hd[at.COARSE_CURVE] + (2 * c + 1) * (N + 1)
    ]
    curve_sums(curve, seen, sums)
    last = min(seen, at.MAX_PERIOD // B + 1)
    p = best_season(curve, sums, last, k, first, SHORT_DIP)
    if p == 0:
        return main
    p = _foot(curve, sums, last, p)
    if main > 0:
        q = main // B
        own = min(curve[max(q, 1)], curve[min(q + 1, N)])
        if curve[p] * (SWITCH + 2.0 / np.sqrt(k - p)) > own:
            return main
    now = main_season(hd, d, c)
    if now > N and curve[min(now // B, N)] <= SWITCH * curve[p] and abs(now // B - p) > p // 4:
        return now
    whole = (p * B + main // 2) // main * main if main > 0 else 0
    if main > 0 and abs(whole - p * B) <= B:
        return min(whole, at.MAX_PERIOD)
    if now > N and abs(now - p * B) <= B:
        return now
    return min(_refine(d[hd[at.VALUE_RING] + c * Q : hd[at.VALUE_RING] + (c + 1) * Q], t, p * B, B, 0), at.MAX_PERIOD)


@kernel
def find(hd, d, c, t):
    """Set the channel's seasons from its curves; 0 where there is none."""
    N = at.CURVE_LAGS
    seen = min(2 * (t + 1) // 3, N)  # half a season more than one must have passed
    if seen < 3:
        return
    curve = reinterpret(d, np.float32)[hd[at.LAG_CURVE] + 2 * c * (N + 1) : hd[at.LAG_CURVE] + (2 * c + 1) * (N + 1)]
    sums = d[hd[at.SCRATCH] : hd[at.SCRATCH] + N + 1]
    curve_sums(curve, seen, sums)
    ring = d[hd[at.VALUE_RING] + c * hd[at.RING_SIZE] : hd[at.VALUE_RING] + (c + 1) * hd[at.RING_SIZE]]
    d[hd[at.BLOCK_SUM] + 2 * c + 1] = sums[seen] / seen if t > 2.0 * SETTLED_LAGS else 0.0
    main = best_season(curve, sums, seen, t + 1, 2, DIP)
    main = _foot(curve, sums, seen, main) if main > 0 else 0
    now = main_season(hd, d, c)
    if 1 < now < seen and abs(now - main) > main // NEIGHBOURS and (main == 0 or curve[now] <= SWITCH * curve[main]):
        main = now if depth(curve, sums, seen, now) < FADED else main
    near = main // NEIGHBOURS
    if near > 0 and abs(now - main) <= near:
        main = _refine(ring, t, now, near, now) if t % EVERY_LOOK == 0 else now
    elif near > 0:
        main = _refine(ring, t, main, near, 0)
    longest = _long(hd, d, c, t, main, sums)
    if longest != main:
        curve_sums(curve, seen, sums)
    short = 0
    for m in range(min(seen - 1, longest // 2), 1, -1):  # the shortest that foretells
        if longest % m == 0 and _valley(curve, sums, seen, m) < SHORT_DIP:
            short = m
    kept = short_season(hd, d, c)
    if short != kept and longest == now and 1 < kept < seen and _valley(curve, sums, seen, kept) < FADED:
        short = kept
    d[hd[at.PERIOD] + c] = longest
    d[hd[at.SHORT_PERIOD] + c] = short


@kernel
def seasons(hd, d, c, t, known):
    """Follow the channel's seasons, unless they are given."""
    if hd[at.GIVEN_PERIOD] > 0:
        return
    observe(hd, d, c, t, known)
    if t < BEGINNING or t % EVERY == 0:
        find(hd, d, c, t)
