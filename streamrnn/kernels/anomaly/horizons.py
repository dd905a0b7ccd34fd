"""Forecasts of one feature several steps ahead, learned by recursive least squares.

The regression reads phi = hidden state (H) | last values (D) | two fixed random units of each of those, tanh(+-1.5 z + b) | 1 and
forecasts, for each horizon h, by how much the feature will have changed: x(t + h) - x(t) = s (w_h . phi), s the feature's running spread.
All horizons learn together when the value of the longest has come, so that one gain serves them all::

    g = P phi,  w_h += g (y_h - w_h . phi) / (l + phi . g),  P = (P - g g' / (l + phi . g)) / l

(L. Ljung, T. Soderstrom, Theory and Practice of Recursive Identification, 1983, ch. 2.2.) P is symmetric; its rows lie in blocks of eight,
each row up to the end of its block's diagonal: half the memory to pass through, which is what an update costs. It forgets with l = 0.999
while P is smaller than at the start: directions that nothing excites would grow without end. Errors are limited to three of their
running spreads. Each unit reads one value only: what a few units of many values respond to differs from seed to seed, and how values act
together is the net's part. A hidden state that learns by gradient follows slowly; this regression makes the most of it within some
hundred events.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.anomaly.novelty import FORECAST_RINGS, HEAD_ERRORS, RECENT_VALUES, SEEN, UNITS
from streamrnn.kernels.cells.activations import tanh
from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net.words import DEPTH, ECHO_LAGS, ECHO_UNITS, LANES, RECENT

HEAD_FORGET: Final = 0.999  # of 1000 events learned: the hidden state that it reads is itself learned, and drifts
START_GAIN: Final = 0.1  # of P's diagonal: ten standardised events pull towards persistence
ERROR_LIMIT: Final = 3.0
MOST_CHANGE: Final = 8.0  # spreads that a change may count
YOUNG_EVENTS: Final = 8192  # events from which on
SELDOM: Final = 2  # the regression learns from every other: by then an event holds little that is new, and learning is most of its cost
FIRST_LEARNED: Final = 10  # events before the spread means anything


@kernel
def packed(phi):
    """Return how many numbers P takes."""
    return phi * (phi + LANES) // 2


@kernel
def _row(i):
    """Return where row i of P begins, and its length."""
    b = i // LANES
    return LANES * LANES // 2 * b * (b + 1) + (i - LANES * b) * LANES * (b + 1), LANES * (b + 1)


@kernel
def start(head, phi):
    """Set P of a head (P packed | w (horizons, phi)) to its start, w to 0: persistence."""
    for i in range(packed(phi)):
        head[i] = 0.0
    for i in range(phi):
        head[_row(i)[0] + i] = START_GAIN


@kernel
def _times(P, x, g, phi):
    """Write g = P x; return x . g and the trace of P. Four rows at a time, each number of P read once for both of its places."""
    for i in range(phi):
        g[i] = 0.0
    trace = 0.0
    for i in range(0, phi, 4):
        at, n = _row(i)
        p0, p1, p2, p3 = P[at : at + n], P[at + n : at + 2 * n], P[at + 2 * n : at + 3 * n], P[at + 3 * n : at + 4 * n]
        x0, x1, x2, x3 = x[i], x[i + 1], x[i + 2], x[i + 3]
        s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
        for j in range(n):
            v = x[j]
            s0 += p0[j] * v
            s1 += p1[j] * v
            s2 += p2[j] * v
            s3 += p3[j] * v
        for j in range(n - LANES):
            g[j] += x0 * p0[j] + x1 * p1[j] + x2 * p2[j] + x3 * p3[j]
        g[i] += s0
        g[i + 1] += s1
        g[i + 2] += s2
        g[i + 3] += s3
        trace += p0[i] + p1[i + 1] + p2[i + 2] + p3[i + 3]
    q = 0.0
    for i in range(phi):
        q += x[i] * g[i]
    return q, trace


@kernel
def _shrink(P, h, more, phi):
    """P = (P - h h') more."""
    for i in range(0, phi, 4):
        at, n = _row(i)
        p0, p1, p2, p3 = P[at : at + n], P[at + n : at + 2 * n], P[at + 2 * n : at + 3 * n], P[at + 3 * n : at + 4 * n]
        h0, h1, h2, h3 = h[i], h[i + 1], h[i + 2], h[i + 3]
        for j in range(n):
            p0[j] = (p0[j] - h0 * h[j]) * more
            p1[j] = (p1[j] - h1 * h[j]) * more
            p2[j] = (p2[j] - h2 * h[j]) * more
            p3[j] = (p3[j] - h3 * h[j]) * more


@kernel
def write_features(w, rows, echo, phi, H, z):
    """Write phi of the event just remembered into its row of the ring ``rows`` (9, phi); the hidden state (H) is in place already."""
    n = int(w[SEEN]) - 1
    row = rows[n % DEPTH * phi : (n % DEPTH + 1) * phi]
    before = rows[(n - 1) % DEPTH * phi : ((n - 1) % DEPTH + 1) * phi]
    lags, units = row[H : H + ECHO_LAGS], row[H + ECHO_LAGS : H + ECHO_LAGS + ECHO_UNITS]
    for i in range(1, ECHO_LAGS):
        lags[i] = before[H + i - 1] if n > 0 else z
    lags[0] = z
    for j in range(ECHO_UNITS):
        units[j] = tanh(echo[j] * lags[j % ECHO_LAGS] + echo[ECHO_UNITS + j])
    row[H + ECHO_LAGS + ECHO_UNITS] = 1.0
    for i in range(H + ECHO_LAGS + ECHO_UNITS + 1, phi):
        row[i] = 0.0


@kernel
def learn(w, head, rows, phi, scratch):
    """Learn from the forecasts made eight events ago; ``head``: P packed | w (2, phi); scratch: 3 phi."""
    n = int(w[SEEN]) - 1
    u = n - 8
    if u < FIRST_LEARNED or (u > YOUNG_EVENTS and u % SELDOM != 0):
        return
    line = rows[u % DEPTH * phi : (u % DEPTH + 1) * phi]
    x, g, h = scratch[:phi], scratch[phi : 2 * phi], scratch[2 * phi :]
    for i in range(phi):
        x[i] = line[i]
    P = head[: packed(phi)]
    q, trace = _times(P, x, g, phi)
    if not (q >= 0.0 and trace < 1e9):  # rounding has eaten what P was
        start(head, phi)
        return
    forget = HEAD_FORGET if trace < START_GAIN * phi else 1.0
    share = 1.0 / (forget + q)
    for i in range(phi):
        h[i] = g[i] * np.sqrt(share)
    _shrink(P, h, 1.0 / forget, phi)
    base, unit = w[RECENT_VALUES + u % RECENT], w[UNITS + u % DEPTH]
    for k in range(2):
        came = w[RECENT_VALUES + (u + 2 if k == 0 else n) % RECENT]
        v = head[packed(phi) + k * phi : packed(phi) + (k + 1) * phi]
        s = 0.0
        for i in range(phi):
            s += v[i] * x[i]
        e = min(max((came - base) / unit, -MOST_CHANGE), MOST_CHANGE) - s
        scale = w[HEAD_ERRORS + k]
        most = ERROR_LIMIT * np.sqrt(scale)
        limited = min(max(e, -most), most) if u > 20 else e
        square = min(e * e, 64.0 * scale) if u > 20 else e * e
        w[HEAD_ERRORS + k] = scale + max(1e-3, 1.0 / (u + 1)) * (square - scale)
        for i in range(phi):
            v[i] += g[i] * share * limited


@kernel
def forecast(w, head, rows, phi, unit, persistence):
    """Write the forecasts for 2 and 8 steps after the event just remembered; ``unit``: the feature's running spread."""
    n = int(w[SEEN]) - 1
    x = rows[n % DEPTH * phi : (n % DEPTH + 1) * phi]
    last = w[RECENT_VALUES + n % RECENT]
    w[UNITS + n % DEPTH] = unit
    for k in range(2):
        s = 0.0
        if not persistence:
            v = head[packed(phi) + k * phi : packed(phi) + (k + 1) * phi]
            for i in range(phi):
                s += v[i] * x[i]
        w[FORECAST_RINGS + k * DEPTH + n % DEPTH] = last + min(max(s, -MOST_CHANGE), MOST_CHANGE) * unit
