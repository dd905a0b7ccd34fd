"""The entry for forecasting: verify, learn, forecast, over a block of events.

One row an event, float64: ``[time] | y (C) | x (F) | forecasts (C H) | area, if the nets are keyed``. The forecasts are those
made before y is looked at. An event passes::

    lead on   the paths of the expert that reads the features of the very step (:mod:`streamrnn.kernels.experts.arx`)
    verify    the forecasts that aimed at it: errors -> belief in the experts, bands
    remember  the value; was it a jump, did the one before come back
    learn     what was said H events ago, by each expert that learns
    state     every expert's forecasts from here; the mixture's are their weighted mean

The mixture's next forecasts lie ready in the book: to ask for them costs nothing and changes nothing. Only where the features to
come are given there is something to work out (:func:`informed`), and that changes nothing either.
"""

from __future__ import annotations

import functools
from typing import Any, Final

import numpy as np

from streamrnn.kernels import book as at
from streamrnn.kernels.cells import CELLS
from streamrnn.kernels.compile import entry, kernel, sources_digest
from streamrnn.kernels.events import choose_area, views
from streamrnn.kernels.experts import arx
from streamrnn.kernels.experts import rls as least_squares
from streamrnn.kernels.experts.arx import AR, ar
from streamrnn.kernels.experts.bounds import after, bound
from streamrnn.kernels.experts.last import LAST, STEADY, last
from streamrnn.kernels.experts.lstm import NET, ahead, follow, inputs, net
from streamrnn.kernels.experts.rls import RLS, rls
from streamrnn.kernels.experts.seasonal import DRIFT, EVERY, SEASONAL, correlate, search, seasonal
from streamrnn.kernels.scaler import usable
from streamrnn.kernels.verify import SETTLED, WILD, mean_square, verify

JUMP: Final = 7.5  # usual changes (6 root mean square ones): a larger one waits for a second value to confirm it
USUAL_ALPHA: Final = (
    0.01  # what is usual is learned in a hundred events: a stream may grow a hundredfold in two hundred
)
USUAL_MOST: Final = (
    4.0  # usual changes: no change counts more, so that spikes at up to a quarter of all events stay spikes
)


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
    if known and not usable(d[hd[at.ANCHOR] + c]):
        d[hd[at.ANCHOR] + c] = y
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


@kernel
def _remember_all(hd, d, row, t, learns):
    """Put every channel's y into the rings, and learn how far it moves within 1 ... H steps."""
    C, H, T = hd[at.CHANNELS], hd[at.HORIZON], hd[at.TIMED]
    n = C * H
    moved, on = d[hd[at.LANES] : hd[at.LANES] + n], d[hd[at.LANES] + n : hd[at.LANES] + 2 * n]
    longest = min(H, t)
    for c in range(C):
        y = row[T + c]
        _remember(hd, d, c, t, y, learns)
        known = learns and usable(y)
        origin = t % (H + 1)
        for h in range(H):
            origin = origin - 1 if origin > 0 else H
            then = d[hd[at.BASE] + c * (H + 1) + origin]
            good = known and h < longest and usable(then)
            moved[c * H + h] = y - then if good else 0.0
            on[c * H + h] = 1.0 if good else 0.0
    if not learns:
        return
    change, changes = d[hd[at.CHANGE] : hd[at.CHANGE] + n], d[hd[at.CHANGES] : hd[at.CHANGES] + n]
    mean_square(change, changes, moved, on)
    for c in range(C):
        if usable(row[T + c]):
            for h in range(max(longest, 1), H):  # not seen yet: as a walk at random would have it
                if changes[c * H + h] == 0.0:
                    change[c * H + h] = change[c * H] * (h + 1.0)


@kernel
def _begin(hd, d, row):
    """Do what comes before the nets: hand out the forecasts, verify, remember, teach those that are no nets."""
    C, F, H, T = hd[at.CHANNELS], hd[at.FEATURES], hd[at.HORIZON], hd[at.TIMED]
    t = hd[at.EVENTS]
    learns = hd[at.FROZEN] == 0
    given = hd[at.GIVEN] > 0 and C > 0
    x = row[T + C : T + C + F]
    for i in range(C * H):
        row[T + C + F + i] = d[hd[at.PLAIN + at.NOW] + i]
    if given:
        arx.lead_on(hd, d, t, x)
    for k in range(2 if given else 1):
        if learns:
            verify(hd, d, row, t, at.PLAIN if k == 0 else at.INFORMED)
    _remember_all(hd, d, row, t, learns)
    complete = arx.complete(hd, x)
    for c in range(C):
        if learns and usable(row[T + c]):
            for k in range(hd[at.MODELS]):
                least_squares.teach(hd, d, c, k, t)
            for k in range(2 if given and complete else 1):
                if k > 0 or hd[at.AR + at.LAGS] > 0:
                    arx.learn(hd, d, c, t, k > 0, x)
        if hd[at.GIVEN_PERIOD] == 0 and (t < 1024 or t % EVERY == 0):
            search(hd, d, c)
    if given:
        arx.see(hd, d, x)


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
                last(hd, d, c, e, value)
            elif code == STEADY:
                before = d[hd[at.VALUES] + c * hd[at.MEMORY] + (t - 1) % hd[at.MEMORY]]
                last(hd, d, c, e, before if jumped else value)
            elif code == SEASONAL or code == DRIFT:
                seasonal(hd, d, c, e, t, value, code == DRIFT)
            elif code == RLS:
                rls(hd, d, c, e, hd[at.OWN + e], t, value)
            elif code == AR:
                ar(hd, d, c, e, t, value)
        if hd[at.GIVEN] > 0:
            arx.begin(hd, d, c, t)


@kernel
def _mix(hd, d, t):
    """Write each mixture's forecasts from t, and keep what its experts said for the moments that they spoke of."""
    C, H, E = hd[at.CHANNELS], hd[at.HORIZON], hd[at.EXPERTS]
    G, n = hd[at.GIVEN], hd[at.CHANNELS] * hd[at.HORIZON]
    for c in range(C):
        value = d[hd[at.BASE] + c * (H + 1) + t % (H + 1)]
        context = int(d[hd[at.CONTEXT] + c * (H + 1) + t % (H + 1)])
        change = d[hd[at.CHANGE] + c * H : hd[at.CHANGE] + (c + 1) * H]
        for e in range(E):
            said = d[hd[at.LANES] + e * n + c * H : hd[at.LANES] + e * n + (c + 1) * H]
            if hd[at.CODE + e] > STEADY:
                bound(said, change, value)
            slot = t % H
            for h in range(H):
                slot = after(slot, H)
                d[hd[at.FORECASTS] + (slot * (E + G) + e) * n + c * H + h] = said[h]
        for k in range(1 + G):
            base = at.PLAIN if k == 0 else at.INFORMED
            weights = hd[base + at.WEIGHTS] + context * (E + k) * n + c * H
            now = d[hd[base + at.NOW] + c * H : hd[base + at.NOW] + (c + 1) * H]
            for h in range(H):
                now[h] = value  # and what experts add to it: weights that sum to 1 but for rounding spoil no constant
            for e in range(E):
                said = d[hd[at.LANES] + e * n + c * H : hd[at.LANES] + e * n + (c + 1) * H]
                w = d[weights + e * n : weights + e * n + H]
                for h in range(H):
                    now[h] += w[h] * (said[h] - value)
            slot = t % H
            for h in range(H):
                slot = after(slot, H)
                if k > 0:
                    share = d[weights + E * n + h]
                    now[h] -= share * value
                    d[hd[base + at.SHARE] + slot * n + c * H + h] = share
                d[hd[base + at.MIXED] + slot * n + c * H + h] = now[h]
    hd[at.EVENTS] = t + 1


@functools.cache
def informed() -> Any:
    """Return ``ask(book, xs, out)``: forecasts (C H) where the features of the steps to come are xs (H F). Changes scratch alone.

    Step h has one if every feature that counts has a value in all rows up to h, and NaN else.
    """
    stamp = sources_digest(CELLS["lstm"])

    def ask(book, xs, out):
        stamp  # noqa: B018  part of the cache's key
        hd, _, d = views(book)
        C, F, H, E = hd[at.CHANNELS], hd[at.FEATURES], hd[at.HORIZON], hd[at.EXPERTS]
        n, L, t = C * H, hd[at.ARX + at.LAGS], hd[at.EVENTS] - 1
        kept = d[hd[at.SCRATCH] : hd[at.SCRATCH] + H + L]
        for c in range(C):
            path = t % H * C + c
            begun = hd[at.ARX + at.PATH_CHANGES] + path * (H + L)
            for i in range(H + L):
                kept[i] = d[begun + i]
            level = d[hd[at.ARX + at.PATH_LEVEL] + path]
            context = int(d[hd[at.CONTEXT] + c * (H + 1) + t % (H + 1)])
            weights = hd[at.INFORMED + at.WEIGHTS] + (context * (E + 1) + E) * n + c * H
            before = d[hd[at.KNOWN] : hd[at.KNOWN] + hd[at.KNOWN_FEATURES]]
            known = True
            for h in range(H):
                x = xs[h * F : (h + 1) * F]
                known = known and arx.complete(hd, x)
                level = arx.step(hd, d, c, path, h, level, kept, before, x) if known else np.nan
                before = x
                out[c * H + h] = d[hd[at.INFORMED + at.NOW] + c * H + h] + d[weights + h] * level

    return entry(ask)


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
                            net(hd, d, nh, nf, nd, c, e, value)
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
