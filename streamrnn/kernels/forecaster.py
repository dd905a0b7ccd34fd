"""The entry for forecasting: verify, learn, forecast, over a block of events.

One row an event, float64: ``[time] | y (C) | x (F) | forecasts (C H) | area, if the nets are keyed``. The forecasts are those
made before y is looked at. An event passes::

    verify    the forecasts that aimed at it: errors -> belief in the experts, bands
    remember  the value; was it a jump, did the one before come back
    learn     what was said H events ago, by each expert that learns
    state     every expert's forecasts from here; the mixture's are their weighted mean

The mixture's next forecasts lie ready in the book: to ask for them costs nothing and changes nothing.
"""

from __future__ import annotations

import functools
from typing import Any, Final

import numpy as np

from streamrnn.kernels import book as at
from streamrnn.kernels.aggregation import believe
from streamrnn.kernels.cells import CELLS
from streamrnn.kernels.compile import entry, kernel, sources_digest
from streamrnn.kernels.conformal import LEVELS, NORMAL, track
from streamrnn.kernels.events import choose_area, views
from streamrnn.kernels.experts import rls as least_squares
from streamrnn.kernels.experts.last import LAST, STEADY, last
from streamrnn.kernels.experts.lstm import NET, ahead, follow, inputs, net
from streamrnn.kernels.experts.rls import RLS, rls
from streamrnn.kernels.experts.seasonal import DRIFT, EVERY, SEASONAL, correlate, search, seasonal
from streamrnn.kernels.scaler import usable

ALPHA: Final = 1e-3  # changes and errors are remembered over a thousand events
WILD: Final = 8.0  # usual errors or changes beyond which one counts no more
JUMP: Final = 7.5  # usual changes (6 root mean square ones): a larger one waits for a second value to confirm it
USUAL_ALPHA: Final = (
    0.01  # what is usual is learned in a hundred events: a stream may grow a hundredfold in two hundred
)
USUAL_MOST: Final = (
    4.0  # usual changes: no change counts more, so that spikes at up to a quarter of all events stay spikes
)
SETTLED: Final = 10.0  # values before which nothing is wild

NQ: Final = len(LEVELS)


@kernel
def _mean_square(d, mean, count, v, alpha):
    """Take v^2 into a running mean square at ``d[mean]``; no more than ``WILD``^2 of it, once there are enough."""
    d[count] += 1.0
    square = v * v
    if d[count] > SETTLED and d[mean] > 0.0:
        square = min(square, WILD * WILD * d[mean])
    d[mean] += max(alpha, 1.0 / d[count]) * (square - d[mean])


@kernel
def _verify(hd, d, c, t, y):
    """Compare the forecasts of y with y: belief in the experts, spread and quantiles of the errors."""
    C, H, E = hd[at.CHANNELS], hd[at.HORIZON], hd[at.EXPERTS]
    origin = t % (H + 1)
    for h in range(H):
        place = (t % H * C + c) * H + h
        origin = origin - 1 if origin > 0 else H
        p = d[hd[at.MIXED] + place]
        if not usable(p):
            continue
        error, errors = hd[at.ERROR] + c * H + h, hd[at.ERRORS] + c * H + h
        e = p - y
        n = d[errors]
        rms = np.sqrt(d[error]) if n > 0.0 else abs(e)
        context = int(d[hd[at.CONTEXT] + c * (H + 1) + origin])
        first = ((c * at.CONTEXTS + context) * H + h) * E
        believe(
            d, first, E, hd[at.FORECASTS] + place * E, p, e, rms, n, hd[at.PRIOR],
            hd[at.REGRET], hd[at.SQUARES], hd[at.BOUND], hd[at.WEIGHTS],
        )  # fmt: skip
        quantiles = d[hd[at.QUANTILES] + (c * H + h) * NQ : hd[at.QUANTILES] + (c * H + h + 1) * NQ]
        if n == 0.0:
            for i in range(NQ):
                quantiles[i] = NORMAL[i]
        elif rms > 0.0:
            track(quantiles, -e / rms)
        _mean_square(d, error, errors, e, ALPHA)


@kernel
def _remember(hd, d, c, t, y, learns):
    """Put y into the rings. A jump that was taken back by the next value leaves no trace among the values."""
    H, Q = hd[at.HORIZON], hd[at.MEMORY]
    ring, slot, before = hd[at.VALUES] + c * Q, t % (H + 1), (t - 1) % (H + 1)
    raw, base, context = hd[at.RAW] + c * (H + 1), hd[at.BASE] + c * (H + 1), hd[at.CONTEXT] + c * (H + 1)
    old = d[ring + (t - 1) % Q] if t > 0 else np.nan
    known = usable(y)
    d[raw + slot] = y if known else np.nan
    d[base + slot] = y if known else (d[base + before] if t > 0 else np.nan)
    d[context + slot] = 0.0
    d[ring + t % Q] = y if known else old
    change = y - old if known and usable(old) else 0.0
    usual = d[hd[at.USUAL] + c]
    n = d[hd[at.CHANGES] + c * H]
    settled = n > SETTLED and usual > 0.0
    if known and usable(old) and learns:
        size = min(abs(change), USUAL_MOST * usual) if settled else abs(change)
        d[hd[at.USUAL] + c] += max(USUAL_ALPHA, 1.0 / (n + 1.0)) * (size - usual)
    if known and not usable(d[hd[at.FIRST] + c]):
        d[hd[at.FIRST] + c] = y
    if d[hd[at.SIGN] + c] == 0.0 and change != 0.0:
        d[hd[at.SIGN] + c] = 1.0 if change > 0.0 else -1.0
    if known and settled and abs(change) > JUMP * usual:
        older = d[ring + (t - 2) % Q] if t > 1 else np.nan
        if t > 1 and d[context + before] == 1.0 and abs(y - older) <= JUMP * usual:
            d[ring + (t - 1) % Q] = older
            change = y - older
        else:
            d[context + slot] = 1.0
    most = WILD * usual
    limited = min(max(change, -most), most) if settled else change
    correlate(hd, d, c, limited)
    if known and learns:
        longest = min(H, t)
        origin = slot
        for h in range(longest):
            origin = origin - 1 if origin > 0 else H
            then = d[base + origin]
            if usable(then):
                _mean_square(d, hd[at.CHANGE] + c * H + h, hd[at.CHANGES] + c * H + h, y - then, ALPHA)
        for h in range(max(longest, 1), H):  # not seen yet: as a walk at random would have it
            if d[hd[at.CHANGES] + c * H + h] == 0.0:
                d[hd[at.CHANGE] + c * H + h] = d[hd[at.CHANGE] + c * H] * (h + 1.0)


@kernel
def _begin(hd, d, row):
    """Do what comes before the nets: hand out the forecasts, verify, remember, teach those that are no nets."""
    C, F, H, T = hd[at.CHANNELS], hd[at.FEATURES], hd[at.HORIZON], hd[at.TIMED]
    t = hd[at.EVENTS]
    learns = hd[at.FROZEN] == 0
    for i in range(C * H):
        row[T + C + F + i] = d[hd[at.NOW] + i]
    for c in range(C):
        y = row[T + c]
        if usable(y) and learns:
            _verify(hd, d, c, t, y)
        _remember(hd, d, c, t, y, learns)
        if learns and usable(y):
            for k in range(hd[at.MODELS]):
                least_squares.teach(hd, d, c, k, t)
        if hd[at.GIVEN_PERIOD] == 0 and (t < 1024 or t % EVERY == 0):
            search(hd, d, c)


@kernel
def _state(hd, d, t):
    """Let the experts that are no nets state their forecasts."""
    H = hd[at.HORIZON]
    for c in range(hd[at.CHANNELS]):
        value = d[hd[at.BASE] + c * (H + 1) + t % (H + 1)]
        jumped = d[hd[at.CONTEXT] + c * (H + 1) + t % (H + 1)] == 1.0
        for e in range(hd[at.EXPERTS]):
            code = hd[at.CODE + e]
            if code == LAST:
                last(hd, d, c, e, t, value)
            elif code == STEADY:
                before = d[hd[at.VALUES] + c * hd[at.MEMORY] + (t - 1) % hd[at.MEMORY]]
                last(hd, d, c, e, t, before if jumped else value)
            elif code == SEASONAL or code == DRIFT:
                seasonal(hd, d, c, e, t, value, code == DRIFT)
            elif code == RLS:
                rls(hd, d, c, e, hd[at.OWN + e], t, value)


@kernel
def _mix(hd, d, t):
    """Write the mixture's forecasts from t."""
    C, H, E = hd[at.CHANNELS], hd[at.HORIZON], hd[at.EXPERTS]
    for c in range(C):
        context = int(d[hd[at.CONTEXT] + c * (H + 1) + t % (H + 1)])
        slot = t % H
        for h in range(H):
            slot = slot + 1 if slot + 1 < H else 0
            place = (slot * C + c) * H + h
            f, w = hd[at.FORECASTS] + place * E, hd[at.WEIGHTS] + ((c * at.CONTEXTS + context) * H + h) * E
            total = 0.0
            for j in range(E):
                total += d[w + j] * d[f + j]
            d[hd[at.MIXED] + place] = total
            d[hd[at.NOW] + c * H + h] = total
    hd[at.EVENTS] = t + 1


@functools.cache
def forecaster(cell: str, hidden: int) -> Any:
    """Return ``run(book, net_0, net_1, rows, n)`` for one cell and one hidden size; hidden 0: for no net at all."""
    stamp = sources_digest(CELLS[cell])

    def run(book, net_0, net_1, rows, n):
        stamp  # noqa: B018  part of the cache's key
        hd, _, d = views(book)
        C, F, H, T = hd[at.CHANNELS], hd[at.FEATURES], hd[at.HORIZON], hd[at.TIMED]
        width = T + C + F + C * H + 1
        for i in range(n):
            row = rows[i * width : (i + 1) * width]
            t = hd[at.EVENTS]
            _begin(hd, d, row)
            _state(hd, d, t)
            inputs(hd, d, t, row)
            for k in range(hd[at.NETS]):
                nh, nf, nd = views(net_0 if k == 0 else net_1)
                choose_area(nh, nd, row[width - 1])
                ahead(cell, hidden, hd, d, nh, nf, nd, k, t)
                if t >= H:
                    follow(cell, hidden, hd, d, nh, nf, nd, k, t)
                for e in range(hd[at.EXPERTS]):
                    if hd[at.CODE + e] == NET and hd[at.OWN + e] == k:
                        for c in range(C):
                            value = d[hd[at.BASE] + c * (H + 1) + t % (H + 1)]
                            net(hd, d, nh, nf, nd, c, e, t, value)
            _mix(hd, d, t)

    def run_without(book, net_0, net_1, rows, n):
        stamp  # noqa: B018  part of the cache's key
        hd, _, d = views(book)
        C, F, H, T = hd[at.CHANNELS], hd[at.FEATURES], hd[at.HORIZON], hd[at.TIMED]
        width = T + C + F + C * H + 1
        for i in range(n):
            t = hd[at.EVENTS]
            _begin(hd, d, rows[i * width : (i + 1) * width])
            _state(hd, d, t)
            _mix(hd, d, t)

    return entry(run if hidden else run_without)
