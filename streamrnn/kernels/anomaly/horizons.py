"""Forecasts of one feature several steps ahead, learned by recursive least squares.

The regression reads phi = hidden state (H) | last values (D) | two fixed random units of each of those, tanh(+-1.5 z + b) | 1 and
forecasts, for each horizon h, by how much the feature will have changed: x(t + h) - x(t) = s (w_h . phi), s the feature's running spread.
All horizons learn together when the value of the longest has come, so that one gain serves them all::

    g = P phi,  w_h += g (y_h - w_h . phi) / (l + phi . g),  P = (P - g g' / (l + phi . g)) / l

(:mod:`streamrnn.kernels.least_squares`.) It forgets with l = 0.999 while P is smaller than at the start: directions that nothing excites
would grow without end. Errors are limited to three of their running spreads. Each unit reads one value only: what a few units of many values respond to differs from seed to seed, and how values act
together is the net's part. A hidden state that learns by gradient follows slowly; this regression makes the most of it within some
hundred events.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.anomaly.novelty import FORECAST_RINGS, HEAD_ERRORS, RECENT_VALUES, SEEN, UNITS
from streamrnn.kernels.cells.activations import tanh
from streamrnn.kernels.compile import kernel
from streamrnn.kernels.least_squares import diagonal, packed_size, times, update
from streamrnn.kernels.net.words import DEPTH, ECHO_LAGS, ECHO_UNITS, RECENT

HEAD_FORGET: Final = 0.999  # of 1000 events learned: the hidden state that it reads is itself learned, and drifts
START_GAIN: Final = 0.1  # of P's diagonal: ten standardised events pull towards persistence
ERROR_LIMIT: Final = 3.0
MOST_CHANGE: Final = 8.0  # spreads that a change may count
YOUNG_EVENTS: Final = 8192  # events from which on
SELDOM: Final = 2  # the regression learns from every other: by then an event holds little that is new, and learning is most of its cost
FIRST_LEARNED: Final = 10  # events before the spread means anything


@kernel
def start(head, phi):
    """Set P of a head (P packed | w (horizons, phi)) to its start, w to 0: persistence."""
    for i in range(packed_size(phi)):
        head[i] = 0.0
    for i in range(phi):
        head[diagonal(i)] = START_GAIN


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
    P = head[: packed_size(phi)]
    q, trace = times(P, x, g, phi)
    if not (q >= 0.0 and trace < 1e9):  # rounding has eaten what P was
        start(head, phi)
        return
    forget = HEAD_FORGET if trace < START_GAIN * phi else 1.0
    share = 1.0 / (forget + q)
    update(P, g, h, share, 1.0 / forget, phi)
    base, unit = w[RECENT_VALUES + u % RECENT], w[UNITS + u % DEPTH]
    for k in range(2):
        came = w[RECENT_VALUES + (u + 2 if k == 0 else n) % RECENT]
        v = head[packed_size(phi) + k * phi : packed_size(phi) + (k + 1) * phi]
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
            v = head[packed_size(phi) + k * phi : packed_size(phi) + (k + 1) * phi]
            for i in range(phi):
                s += v[i] * x[i]
        w[FORECAST_RINGS + k * DEPTH + n % DEPTH] = last + min(max(s, -MOST_CHANGE), MOST_CHANGE) * unit
