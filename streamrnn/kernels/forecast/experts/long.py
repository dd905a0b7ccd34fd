"""A direct linear regression on hundreds of lags, in closed form, one vector of coefficients for each step ahead.

y[t + h] - y[t] is regressed on y[t - i] - y[t], i = 1 ... L - 1, with a ridge of ``RIDGE_SHARE`` of the mean eigenvalue, over all past events and all
channels of the model, discounted over ``LONG_REMEMBERED``. Of the normal equations only one row is kept, event by event: with z the changes
in units of their spread, and K = L + H, ::

    C[a, b] = sum over s of lambda^(t - s) z[s - a] z[s - b],   C[0, b] kept for b < K
    C[a + 1, b + 1] = (C[a, b] - z[t - a] z[t - b]) / lambda

so that the last K changes and that row give the whole matrix when it is needed (the covariance method: J. Makhoul, Linear prediction: a
tutorial review, Proceedings of the IEEE 63(4), 1975). Levels are sums of changes: the matrix of levels is that of the changes summed twice.

Solving takes as many events as there are lags: a few rows of the matrix at each, then a row of its Cholesky factor, then rows of the
coefficients. No event costs more than some ten microseconds, and all of it is state: a model that stops in the middle goes on there. Sums are in a
fixed order, which LAPACK's are not. Half the lags come first, when there are three times as many events. Until then it has no opinion.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.cells.activations import ZERO
from streamrnn.kernels.compile import kernel
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.experts.contract import Expert, place
from streamrnn.kernels.forecast.experts.rls import CHANGE_LIMIT
from streamrnn.kernels.net.scaler import usable
from streamrnn.kernels.reinterpret import reinterpret

LONG_CODE: Final = 9
LONG_ROW: Final = Expert("long", LONG_CODE, prior=2.0, lags=336)  # two weeks of hours

LONG_REMEMBERED: Final = 4000.0  # events
RIDGE_SHARE: Final = 1e-3  # of the mean eigenvalue of the levels' matrix
ENOUGH: Final = 3  # events for each lag, before it is solved
LEAST_EVERY: Final = 200  # events between the beginnings of two solutions, and at most:
MOST_EVERY: Final = 1500
ROWS_BUILT: Final = 4  # rows of the matrix an event; one row of the factor costs thirty times as much
ROWS_BACK: Final = 4  # rows of the coefficients an event
IDLE, BUILD, FACTOR, BACK = range(4)


@kernel
def packed(i, width):
    """Return where row i of an upper triangle begins whose row 0 has ``width`` numbers."""
    return i * width - i * (i - 1) // 2


@kernel
def _take(hd, d, row, t, learns):
    """Put every channel's change into the rings, and move the sums on."""
    C, H, T = hd[at.CHANNELS], hd[at.HORIZON], hd[at.HAS_TIME]
    K, Q = hd[at.LONG_LAGS] + H, hd[at.RING_SIZE]
    f = reinterpret(d, np.float32)
    now = t % K
    sums = d[hd[at.LONG_SUMS] : hd[at.LONG_SUMS] + K]
    if learns:
        for k in range(K):
            sums[k] *= 1.0 - 1.0 / LONG_REMEMBERED
    for c in range(C):
        z = f[hd[at.LONG_CHANGES] + c * K : hd[at.LONG_CHANGES] + (c + 1) * K]
        s = np.sqrt(d[hd[at.MEAN_CHANGE] + c * H])
        raw, before = hd[at.RAW_VALUES] + c * (H + 1), (t - 1) % (H + 1)
        v = 0.0
        if learns and t > 0 and s > 0.0 and usable(row[T + c]) and usable(d[raw + before]):
            ring = hd[at.VALUE_RING] + c * Q
            v = (d[ring + t % Q] - d[ring + (t - 1) % Q]) / s
            v = min(max(v, -CHANGE_LIMIT), CHANGE_LIMIT) if abs(v) >= 0.0 else 0.0
        z[now] = v
        v = np.float64(z[now])
        if v != 0.0:
            for k in range(now + 1):
                sums[k] += v * z[now - k]
            for k in range(now + 1, K):
                sums[k] += v * z[now - k + K]
    if learns:
        hd[at.LONG_SEEN] += 1


@kernel
def _start(hd, d, t):
    """Begin a solution if it is time: fix what the matrix is rebuilt from."""
    full, H, C = hd[at.LONG_LAGS], hd[at.HORIZON], hd[at.CHANNELS]
    n = hd[at.LONG_SEEN]
    if n < ENOUGH * (full // 2) or full // 2 < 2:
        return
    every = min(max(LEAST_EVERY, n // 4), MOST_EVERY)
    if hd[at.LONG_READY] > 0 and n - hd[at.LONG_BEGUN] < every:
        return
    L, K = full if n >= ENOUGH * full else full // 2, full + H
    f = reinterpret(d, np.float32)
    for c in range(C):
        z, kept = hd[at.LONG_CHANGES] + c * K, hd[at.LONG_KEPT] + c * K
        for k in range(K):
            f[kept + k] = f[z + (t - k) % K]
    for k in range(K):
        d[hd[at.LONG_MATRIX_ROW] + k] = d[hd[at.LONG_SUMS] + k]
        d[hd[at.LONG_COLUMNS] + k] = 0.0
    d[hd[at.LONG_TRACE]] = 0.0
    hd[at.LONG_BEGUN], hd[at.LONG_SOLVED], hd[at.LONG_PLACE], hd[at.LONG_PHASE] = n, L, 0, BUILD


@kernel
def _row_of_levels(hd, d, j, n, row, columns):
    """Write row j of the levels' matrix: the row before it, and the sums of the changes' row."""
    H = hd[at.HORIZON]
    here = hd[at.LONG_FACTOR] + packed(j, n + H)
    above = hd[at.LONG_FACTOR] + packed(j - 1, n + H) + 1
    total = columns[H + j]
    for k in range(n - j):
        total += row[H + j + k]
        d[here + k] = total
    if j > 0:
        for k in range(n - j):
            d[here + k] += d[above + k]
    for k in range(n - j):
        columns[H + j + k] += row[H + j + k]
    d[hd[at.LONG_TRACE]] += d[here]


@kernel
def _targets(hd, d, n):
    """Write the right-hand sides behind the rows of the matrix: sums of the changes between lags and steps ahead."""
    H = hd[at.HORIZON]
    targets = hd[at.LONG_TARGETS]
    for a in range(H):
        total = 0.0
        for j in range(n):
            total += d[targets + a * n + j]
            d[targets + a * n + j] = total
    for j in range(n):
        here = hd[at.LONG_FACTOR] + packed(j, n + H) + n - j
        total = 0.0
        for h in range(H):
            total -= d[targets + (H - 1 - h) * n + j]
            d[here + h] = total


@kernel
def _build(hd, d):
    """Write the next row of the matrix."""
    H, C, L = hd[at.HORIZON], hd[at.CHANNELS], hd[at.LONG_SOLVED]
    a, n, K = hd[at.LONG_PLACE], L - 1, hd[at.LONG_LAGS] + H
    row, columns = (
        d[hd[at.LONG_MATRIX_ROW] : hd[at.LONG_MATRIX_ROW] + K],
        d[hd[at.LONG_COLUMNS] : hd[at.LONG_COLUMNS] + K],
    )
    if a < H:
        for j in range(n):
            d[hd[at.LONG_TARGETS] + a * n + j] = row[H + j]
    else:
        _row_of_levels(hd, d, a - H, n, row, columns)
    last = n + H
    for c in range(C):
        z = reinterpret(d, np.float32)[hd[at.LONG_KEPT] + c * K : hd[at.LONG_KEPT] + (c + 1) * K]
        v = np.float64(z[a])
        if v != 0.0:
            for b in range(a, last):
                row[b] -= v * z[b]
    grow = 1.0 / (1.0 - 1.0 / LONG_REMEMBERED)
    for k in range(last - 1 - a):  # from the far end, for row b + 1 takes what stood at b
        b = last - 2 - k
        row[b + 1] = row[b] * grow
    hd[at.LONG_PLACE] = a + 1
    if a + 1 == last:
        _targets(hd, d, n)
        hd[at.LONG_PLACE], hd[at.LONG_PHASE] = 0, FACTOR


@kernel
def _factor(hd, d):
    """Write the next row of the Cholesky factor, and of the right-hand sides divided by it."""
    H, n, i = hd[at.HORIZON], hd[at.LONG_SOLVED] - 1, hd[at.LONG_PLACE]
    width = n + H
    start = hd[at.LONG_FACTOR] + packed(i, width)
    row = d[start : start + width - i]
    row[0] += RIDGE_SHARE * d[hd[at.LONG_TRACE]] / n
    m = width - i
    for k in range(0, i - 3, 4):  # four rows at once: the row is read and written a quarter as often
        at_0 = hd[at.LONG_FACTOR] + packed(k, width) + i - k
        at_1 = at_0 + width - k - 1
        at_2 = at_1 + width - k - 2
        at_3 = at_2 + width - k - 3
        a_0, a_1, a_2, a_3 = d[at_0 : at_0 + m], d[at_1 : at_1 + m], d[at_2 : at_2 + m], d[at_3 : at_3 + m]
        v_0, v_1, v_2, v_3 = a_0[0], a_1[0], a_2[0], a_3[0]
        for j in range(m):
            row[j] -= (v_0 * a_0[j] + v_1 * a_1[j]) + (v_2 * a_2[j] + v_3 * a_3[j])
    for k in range(i // 4 * 4, i):
        other = hd[at.LONG_FACTOR] + packed(k, width) + i - k
        above = d[other : other + m]
        v = above[0]
        for j in range(m):
            row[j] -= v * above[j]
    pivot = row[0]
    if not (pivot > 0.0 and pivot < 1e300):  # nothing moved, or it is beyond float64: the coefficients stay as they are
        hd[at.LONG_PHASE] = IDLE
        return
    share = 1.0 / np.sqrt(pivot)
    for j in range(width - i):
        row[j] *= share
    hd[at.LONG_PLACE] = i + 1
    if i + 1 == n:
        hd[at.LONG_PLACE], hd[at.LONG_PHASE] = n - 1, BACK


@kernel
def _back(hd, d):
    """Write the next row of the coefficients, from the last one on; with the first the solution is complete."""
    H, n, i = hd[at.HORIZON], hd[at.LONG_SOLVED] - 1, hd[at.LONG_PLACE]
    width = n + H
    start = hd[at.LONG_FACTOR] + packed(i, width)
    row = d[start : start + width - i]
    mine = d[hd[at.LONG_NEXT] + i * H : hd[at.LONG_NEXT] + (i + 1) * H]
    for h in range(H):
        mine[h] = row[n - i + h]
    for k in range(i + 1, n):
        other = d[hd[at.LONG_NEXT] + k * H : hd[at.LONG_NEXT] + (k + 1) * H]
        v = row[k - i]
        for h in range(H):
            mine[h] -= v * other[h]
    for h in range(H):
        mine[h] /= row[0]
    hd[at.LONG_PLACE] = i - 1
    if i == 0:
        for k in range(n * H):
            reinterpret(d, np.float32)[hd[at.LONG_COEFFICIENTS] + k] = d[hd[at.LONG_NEXT] + k]
        hd[at.LONG_READY], hd[at.LONG_PHASE], hd[at.LONG_PLACE] = hd[at.LONG_SOLVED], IDLE, 0


@kernel
def learn(hd, d, row, t, learns):
    """Take an event into the sums, and do this event's part of a solution."""
    if hd[at.LONG_LAGS] == 0:
        return
    _take(hd, d, row, t, learns)
    if not learns:
        return
    if hd[at.LONG_PHASE] == IDLE:
        _start(hd, d, t)
    elif hd[at.LONG_PHASE] == BUILD:
        for _ in range(ROWS_BUILT):
            if hd[at.LONG_PHASE] == BUILD:
                _build(hd, d)
    elif hd[at.LONG_PHASE] == FACTOR:
        _factor(hd, d)
    else:
        for _ in range(ROWS_BACK):
            if hd[at.LONG_PHASE] == BACK:
                _back(hd, d)


@kernel
def long(hd, d, e, t):
    """Write the forecasts made at t, of all channels; NaN, which is no opinion, before the first solution."""
    C, H, Q, L = hd[at.CHANNELS], hd[at.HORIZON], hd[at.RING_SIZE], hd[at.LONG_READY]
    start = place(hd, 0, e)
    out = d[start : start + C * H]
    for c in range(C):
        value = d[hd[at.BASE] + c * (H + 1) + t % (H + 1)] if L > 0 else np.nan
        for h in range(H):
            out[c * H + h] = value
    f = reinterpret(d, np.float32)
    x = f[2 * hd[at.SCRATCH] : 2 * hd[at.SCRATCH] + L]
    total = f[2 * hd[at.SCRATCH] + L : 2 * hd[at.SCRATCH] + L + H]
    first = hd[at.LONG_COEFFICIENTS]
    for c in range(C if L > 0 else 0):
        value, there = d[hd[at.BASE] + c * (H + 1) + t % (H + 1)], t % Q
        for i in range(L - 1):
            there = there - 1 if there > 0 else Q - 1
            x[i] = d[hd[at.VALUE_RING] + c * Q + there] - value
        for h in range(H):
            total[h] = ZERO
        for i in range(0, L - 4, 4):
            w = f[first + i * H : first + (i + 4) * H]
            w_0, w_1, w_2, w_3 = w[:H], w[H : 2 * H], w[2 * H : 3 * H], w[3 * H :]
            for h in range(H):
                total[h] += (w_0[h] * x[i] + w_1[h] * x[i + 1]) + (w_2[h] * x[i + 2] + w_3[h] * x[i + 3])
        for i in range((L - 1) // 4 * 4, L - 1):
            w = f[first + i * H : first + (i + 1) * H]
            for h in range(H):
                total[h] += w[h] * x[i]
        for h in range(H):
            out[c * H + h] += total[h]
