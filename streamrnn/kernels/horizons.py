"""The head of a detector: forecasts of one feature several steps ahead, learned by recursive least squares.

It reads phi = hidden state (H) | last values (D) | E fixed random units of those, tanh(R z + b) | 1 and states, for each horizon h, by how
much the feature will have changed: x(t + h) - x(t) = s (w_h . phi), s the feature's running spread. All horizons learn
together when the longest of them has come, so that one gain serves them all::

    g = P phi,  w_h += g (y_h - w_h . phi) / (l + phi . g),  P = (P - g g' / (l + phi . g)) / l

(L. Ljung, T. Soderstrom, Theory and Practice of Recursive Identification, 1983, ch. 2.2.) It forgets with l = 0.999 while
P is smaller than at the start: directions that nothing excites would grow without end. Errors are
limited to three of their running spreads. A hidden state that learns by gradient follows slowly; this head makes the most of
it within some hundred events.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.activations import tanh
from streamrnn.kernels.compile import kernel
from streamrnn.kernels.layout import DEPTH, ECHO_LAGS, ECHO_UNITS, RECENT
from streamrnn.kernels.novelty import FORECASTS, SCALES, SEEN, UNITS, VALUES

FORGET: Final = 0.999  # of 1000 events learned: the hidden state that it reads is itself learned, and drifts
START: Final = 0.1  # of P's diagonal: ten standardised events pull towards persistence
LIMIT: Final = 3.0
MOST: Final = 8.0  # spreads that a change may count
YOUNG: Final = 8192  # events from which on
SELDOM: Final = 2  # the head learns from every other: by then every event says little new, and this is most of its cost
FIRST: Final = 10  # events before the spread means anything


@kernel
def start(head, phi):
    """Set P of a head (P (phi, phi) | w (horizons, phi)) to its start, w to 0: persistence."""
    for i in range(phi * phi):
        head[i] = 0.0
    for i in range(phi):
        head[i * phi + i] = START


@kernel
def look(w, rows, echo, phi, H, z):
    """Write phi of the event just remembered into its row of the ring; the hidden state is in place already."""
    n = int(w[SEEN]) - 1
    row = rows[n % DEPTH * phi : (n % DEPTH + 1) * phi]
    before = rows[(n - 1) % DEPTH * phi : ((n - 1) % DEPTH + 1) * phi]
    lags, units = row[H : H + ECHO_LAGS], row[H + ECHO_LAGS : H + ECHO_LAGS + ECHO_UNITS]
    for i in range(1, ECHO_LAGS):
        lags[i] = before[H + i - 1] if n > 0 else z
    lags[0] = z
    for j in range(ECHO_UNITS):
        units[j] = echo[ECHO_LAGS * ECHO_UNITS + j]
    for i in range(ECHO_LAGS):
        r, lag = echo[i * ECHO_UNITS : (i + 1) * ECHO_UNITS], lags[i]
        for j in range(ECHO_UNITS):
            units[j] += r[j] * lag
    for j in range(ECHO_UNITS):
        units[j] = tanh(units[j])
    row[H + ECHO_LAGS + ECHO_UNITS] = 1.0
    for i in range(H + ECHO_LAGS + ECHO_UNITS + 1, phi):
        row[i] = 0.0


@kernel
def learn(w, head, rows, phi, scratch):
    """Teach the head what came of its forecasts of eight events ago; scratch: 2 phi."""
    n = int(w[SEEN]) - 1
    u = n - 8
    if u < FIRST or (u > YOUNG and u % SELDOM != 0):
        return
    line, x, g = rows[u % DEPTH * phi : (u % DEPTH + 1) * phi], scratch[:phi], scratch[phi:]
    for i in range(phi):
        x[i] = line[i]
    P = head[: phi * phi]
    q, trace = 0.0, 0.0
    for i in range(phi):
        s = 0.0
        p = P[i * phi : (i + 1) * phi]
        for j in range(phi):
            s += p[j] * x[j]
        g[i] = s
        q += s * x[i]
        trace += p[i]
    if not (q >= 0.0 and trace < 1e9):  # rounding has eaten what P was
        start(head, phi)
        return
    forget = FORGET if trace < START * phi else 1.0
    share, more = 1.0 / (forget + q), 1.0 / forget
    for i in range(phi):
        p, a = P[i * phi : (i + 1) * phi], g[i] * share
        for j in range(phi):
            p[j] = (p[j] - a * g[j]) * more
    base, unit = w[VALUES + u % RECENT], w[UNITS + u % DEPTH]
    for k in range(2):
        came = w[VALUES + (u + 2 if k == 0 else n) % RECENT]
        v = head[(phi + k) * phi : (phi + k + 1) * phi]
        s = 0.0
        for i in range(phi):
            s += v[i] * x[i]
        e = min(max((came - base) / unit, -MOST), MOST) - s
        scale = w[SCALES + k]
        most = LIMIT * np.sqrt(scale)
        limited = min(max(e, -most), most) if u > 20 else e
        square = min(e * e, 64.0 * scale) if u > 20 else e * e
        w[SCALES + k] = scale + max(1e-3, 1.0 / (u + 1)) * (square - scale)
        for i in range(phi):
            v[i] += g[i] * share * limited


@kernel
def forecast(w, head, rows, phi, unit, persistence):
    """Write what the head expects 2 and 8 steps after the event just remembered."""
    n = int(w[SEEN]) - 1
    x = rows[n % DEPTH * phi : (n % DEPTH + 1) * phi]
    last = w[VALUES + n % RECENT]
    w[UNITS + n % DEPTH] = unit
    for k in range(2):
        s = 0.0
        if not persistence:
            v = head[(phi + k) * phi : (phi + k + 1) * phi]
            for i in range(phi):
                s += v[i] * x[i]
        w[FORECASTS + k * DEPTH + n % DEPTH] = last + min(max(s, -MOST), MOST) * unit
