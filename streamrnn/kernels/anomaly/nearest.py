"""The memory of one feature, and the distance of a new event to the nearest remembered one.

An event is three float32: value, error, mean. The last M are kept in two parts: most of them sorted by value, and the newest
(*fresh*) as they came. Every :func:`batch` events the fresh are merged into the sorted, and those that are too old leave. A search
begins at the place of the value in the sorted part and goes outward, ``SEARCH_REACH`` events at a time, until the next value alone is
further away than the best found: a few hundred events of 6000. Only where nothing is near are all compared: the answer is always that
of a full scan.

``kept`` holds values | errors | means, each M sorted and then K fresh; and the ages of the sorted, in events at the last merge, as int16.
Beyond 32000 events ages are counted in steps of a few events.

Distances are compared by their bits: floats that are not negative are ordered as integers, whose minimum runs in vector lanes;
the minimum of floats waits for itself at every step.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net import detector_memory
from streamrnn.kernels.reinterpret import reinterpret

LARGEST_REMEMBERED: Final = 1e18  # the difference of two such has a square in float32
NO_NEIGHBOUR: Final = np.float32(1e38)  # further than all; with another square it still is a float32
NO_NEIGHBOUR_BITS: Final = np.int32(0x7F7FFFFF)  # the largest float32, as its bits
SEARCH_REACH: Final = 64  # whole vectors; with less the steps outward cost more than what they spare

batch, unit = kernel(detector_memory.batch), kernel(detector_memory.unit)


@kernel
def single(v):
    """Return v as a float32 whose square exists."""
    return np.float32(min(max(v, -LARGEST_REMEMBERED), LARGEST_REMEMBERED))


@kernel
def _scan(values, errors, means, ages, limit, x, error, mean, best):
    """Lower ``best``, the bits of the least squared distances: of the value, with the error, with the mean."""
    value, pair, other = best
    for i in range(values.size):
        dx, de, dm = x - values[i], error - errors[i], mean - means[i]
        dx = dx * dx if ages[i] < limit else NO_NEIGHBOUR
        de, dm = de * de, dm * dm
        value = min(value, np.float32(dx).view(np.int32))
        pair = min(pair, np.float32(dx + de).view(np.int32))
        other = min(other, np.float32(dx + dm).view(np.int32))
    return np.int32(value), np.int32(pair), np.int32(other)


@kernel
def _bits(v):
    return np.float32(v * v).view(np.int32)


@kernel
def _squared(bits):
    return float(np.int32(bits).view(np.float32))


@kernel
def _place(values, x):
    """Return how many of the sorted values are not above x."""
    low, n = 0, values.size
    while n > 0:
        half = n // 2
        beyond = values[low + half] <= x
        low = low + half + 1 if beyond else low
        n = n - half - 1 if beyond else half
    return low


@kernel
def search(kept, M, n, x, error, mean):
    """Return the least squared distances of an event to the n before it: of the value, with the error, with the mean."""
    K, step = batch(M), unit(M)
    fresh, full, width = n % K, M // step * step, M + K
    s = min(n - fresh, full)
    limit = np.int16((full - fresh + step - 1) // step)
    values, errors, means = kept[:width], kept[width : 2 * width], kept[2 * width : 3 * width]
    ages = reinterpret(kept[3 * width : 3 * width + width // 2 + 1], np.int16)
    # whole vectors: what lies behind the fresh is the batch before, and remembered anyway
    first, last = M, M + (fresh + 31) // 32 * 32
    left = right = _place(values[:s], x)
    best = NO_NEIGHBOUR_BITS, NO_NEIGHBOUR_BITS, NO_NEIGHBOUR_BITS
    while True:
        best = _scan(
            values[first:last], errors[first:last], means[first:last], ages[first:last], limit, x, error, mean, best
        )
        worst = max(best[1], best[2])
        below = _bits(x - values[left - 1]) if left > 0 else NO_NEIGHBOUR_BITS
        above = _bits(values[right] - x) if right < s else NO_NEIGHBOUR_BITS
        if min(below, above) >= worst:
            return _squared(best[0]), _squared(best[1]), _squared(best[2])
        # a step that would leave the array begins earlier: events seen twice change nothing
        if below <= above:
            first = max(left - SEARCH_REACH, 0)
            left, last = first, min(first + SEARCH_REACH, s)
        else:
            last = min(right + SEARCH_REACH, s)
            right, first = last, max(last - SEARCH_REACH, 0)


@kernel
def insert(kept, M, n, x, error, mean, order):
    """Remember an event, the n-th (from 0). Scratch: a batch of int64."""
    K = batch(M)
    width, place = M + K, M + n % K
    kept[place], kept[width + place], kept[2 * width + place] = x, error, mean
    if (n + 1) % K == 0:
        _merge(kept, M, n + 1, order)


@kernel
def _merge(kept, M, n, order):
    """Take the fresh events into the sorted ones, in place, from the back."""
    K, step = batch(M), unit(M)
    full, width = M // step * step, M + K
    x, error, mean = kept[:width], kept[width : 2 * width], kept[2 * width : 3 * width]
    ages = reinterpret(kept[3 * width : 3 * width + width // 2 + 1], np.int16)
    live = 0
    for i in range(min(n - K, full)):
        age = int(ages[i]) + K // step
        if age < full // step:
            x[live], error[live], mean[live], ages[live] = x[i], error[i], mean[i], age
            live += 1
    live = min(live, full - K)  # a state from outside may say anything
    _sort_fresh(x[M:width], order[:K])
    i, to = live - 1, live + K - 1
    for back in range(K):
        r = order[K - 1 - back] & 0xFFFF
        new = x[M + r]
        while i >= 0 and x[i] > new:
            x[to], error[to], mean[to], ages[to] = x[i], error[i], mean[i], ages[i]
            i -= 1
            to -= 1
        x[to], error[to], mean[to], ages[to] = new, error[M + r], mean[M + r], (K - 1 - r) // step
        to -= 1


@kernel
def _sort_fresh(x, order):
    """Write the places of x in ascending order of value, into the low 16 bits (D. L. Shell, 1959; gaps of N. Tokuda, 1992)."""
    bits, n = reinterpret(x, np.int32), x.size
    for r in range(n):
        b = np.int64(bits[r])
        order[r] = ((b if b >= 0 else b ^ 0x7FFFFFFF) << 16) | r
    gap = 1
    while 9 * gap < 4 * n:
        gap = 9 * gap // 4 + 1
    while gap > 0:
        for r in range(gap, n):
            one, place = order[r], r
            while place >= gap and order[place - gap] > one:
                order[place] = order[place - gap]
                place -= gap
            order[place] = one
        gap = gap * 4 // 9
