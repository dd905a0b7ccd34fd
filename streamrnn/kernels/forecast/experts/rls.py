"""Recursive least squares on lagged changes, one vector of coefficients for each step ahead.

y[t + h] - y[t] is regressed on x = (y[t] - y[t - 1], ..., y[t - L + 1] - y[t - L]); all steps share the inverse
correlation matrix P of x, and learn together when the last of their values has come::

    k = P x / (lambda + x' P x)      W_h += k (target_h - W_h' x)      P = (P - k x' P) / lambda

(:mod:`streamrnn.kernels.least_squares`.) What keeps it alive: P is kept as one half, so that it cannot lose its symmetry; with
lambda < 1 a direction that is never excited would grow without end, so P is not divided while its trace is beyond ``GROWN`` times the first; changes and targets are limited to ``CHANGE_LIMIT`` usual ones; and a step that is not finite starts P anew.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.cells.activations import ZERO
from streamrnn.kernels.compile import kernel
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.experts.contract import Expert, place
from streamrnn.kernels.least_squares import diagonal, packed_size, padded_size, times, update
from streamrnn.kernels.reinterpret import reinterpret

RLS_CODE: Final = 4
RLS_ROW: Final = Expert("rls", RLS_CODE, prior=1.5, lags=48)
RLS_SHORT_ROW: Final = Expert("rls_short", RLS_CODE, prior=1.0, lags=13, forget=0.998)

RIDGE: Final = (
    10.0  # usual changes squared: prior weight of "no change", as of ten events. 1 is wild for the first hundred events
)
CHANGE_LIMIT: Final = 8.0  # root mean square changes
GROWN: Final = 1e4


@kernel
def changes(hd, d, c, t, L, x):
    """Write the L changes before t into x (L), newest first, limited."""
    Q = hd[at.RING_SIZE]
    ring = hd[at.VALUE_RING] + c * Q
    most = CHANGE_LIMIT * np.sqrt(d[hd[at.MEAN_CHANGE] + c * hd[at.HORIZON]])
    place = t % Q
    newer = d[ring + place]
    for i in range(L):
        place = place - 1 if place > 0 else Q - 1
        older = d[ring + place]
        v = newer - older
        known = abs(v) >= 0.0
        v = v if v < most else most
        v = v if v > -most else -most
        x[i] = v if known else 0.0
        newer = older


@kernel
def gain(P, x, g, h, forget, grow, most_trace):
    """Write P x into g (n) and move P on, growing by ``grow`` while its trace is below ``most_trace``. h (n): scratch.

    Returns forget + x' P x, or 0 where that is no number; P then stays as it is.
    """
    n = x.size
    q, trace = times(P, x, g, n)
    power = forget + q
    if not (power > 0.0 and power < 1e300):
        return 0.0
    update(P, g, h, 1.0 / power, grow if trace < most_trace else 1.0, n)
    return power


@kernel
def _restart(P, L, s):
    for i in range(P.size):
        P[i] = 0.0
    for i in range(L):
        P[diagonal(i)] = 1.0 / (RIDGE * s)


@kernel
def learn(hd, d, c, k, t):
    """Learn from the forecasts made at t - H, now that y[t] has come."""
    H, Q, b = hd[at.HORIZON], hd[at.RING_SIZE], at.RLS_0 + k * at.RLS_WORDS
    L = hd[b + at.LAGS]
    source, n = t - H, padded_size(L)
    s = d[hd[at.MEAN_CHANGE] + c * H]
    if source < 1 or not s > 0.0:
        return
    scratch, size = hd[at.SCRATCH], packed_size(n)
    x, g, h = d[scratch : scratch + n], d[scratch + n : scratch + 2 * n], d[scratch + 2 * n : scratch + 3 * n]
    P = d[hd[b + at.GAIN] + c * size : hd[b + at.GAIN] + (c + 1) * size]
    forget = d[hd[b + at.SETTINGS]]
    if P[0] == 0.0:
        _restart(P, L, s)
    changes(hd, d, c, source, L, x)
    for i in range(L, n):
        x[i] = 0.0
    power = gain(P, x, g, h, forget, 1.0 / forget, GROWN * L / (RIDGE * s))
    if power == 0.0:
        _restart(P, L, s)
        return
    f = reinterpret(d, np.float32)
    ring = hd[at.VALUE_RING] + c * Q
    start = d[ring + source % Q]
    for i in range(H):
        w = f[hd[b + at.COEFFICIENTS] + (c * H + i) * L : hd[b + at.COEFFICIENTS] + (c * H + i + 1) * L]
        most = CHANGE_LIMIT * np.sqrt(d[hd[at.MEAN_CHANGE] + c * H + i])
        learn_coefficients(w, x, g, min(max(d[ring + (source + 1 + i) % Q] - start, -most), most), power)


@kernel
def learn_coefficients(w, x, g, y, power):
    """w += g (y - w . x) / power, where the error is a number. w (n); x and g may be longer."""
    error = y
    for i in range(w.size):
        error -= w[i] * x[i]
    error /= power
    if abs(error) < 1e150:
        for i in range(w.size):
            w[i] += error * g[i]


@kernel
def rls(hd, d, c, e, k, t, value):
    """Write the forecasts made at t."""
    H, b = hd[at.HORIZON], at.RLS_0 + k * at.RLS_WORDS
    L = hd[b + at.LAGS]
    f = reinterpret(d, np.float32)
    x = f[2 * hd[at.SCRATCH] : 2 * hd[at.SCRATCH] + L]
    changes(hd, d, c, t, L, x)
    into = place(hd, c, e)
    for h in range(H):
        w = f[hd[b + at.COEFFICIENTS] + (c * H + h) * L : hd[b + at.COEFFICIENTS] + (c * H + h + 1) * L]
        total = ZERO
        for i in range(L):
            total += w[i] * x[i]
        d[into + h] = value + total
