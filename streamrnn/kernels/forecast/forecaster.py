"""The entry for forecasting: verify, learn, forecast, over a block of events.

One row an event, float64: ``[time] | y (C) | x (F) | forecasts (C H) | area, if the nets are keyed``. The forecasts are those
made before y is looked at. An event passes::

    lead on   the paths of the expert that reads the features of the very step (:mod:`streamrnn.kernels.forecast.experts.arx`)
    verify    the forecasts that aimed at it: errors -> belief in the experts, bands
    remember  the value; was it a jump, did the one before come back
    learn     what was said H events ago, by each expert that learns
    state     every expert's forecasts from here; the mixture's are their weighted mean

The mixture's next forecasts lie ready in the book: to ask for them costs nothing and changes nothing. Only where the features to
come are given there is something to work out (:func:`informed`), and that changes nothing either.
"""

from __future__ import annotations

import functools
from typing import Any

from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.compile import entry, kernel
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.experts import arx
from streamrnn.kernels.forecast.experts import rls as least_squares
from streamrnn.kernels.forecast.experts.arx import AR, ar
from streamrnn.kernels.forecast.experts.last import LAST, STEADY, last
from streamrnn.kernels.forecast.experts.lstm import NET, ahead, follow, inputs, net
from streamrnn.kernels.forecast.experts.rls import RLS, rls
from streamrnn.kernels.forecast.experts.seasonal import DRIFT, EVERY, SEASONAL, search, seasonal
from streamrnn.kernels.forecast.mixture import mix
from streamrnn.kernels.forecast.remember import remember
from streamrnn.kernels.forecast.verify import verify
from streamrnn.kernels.net.areas import choose_area, views
from streamrnn.kernels.net.scaler import usable
from streamrnn.kernels.net.stamp import stamp_of


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
    remember(hd, d, row, t, learns)
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


@functools.cache
def forecaster(cell: str, hidden: int) -> Any:
    """Return ``run(book, net_0, net_1, rows, n)`` for one cell and one hidden size; hidden 0: for no net at all."""
    stamp = stamp_of(CELLS[cell])

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
            mix(hd, d, t)

    def run_without(book, net_0, net_1, rows, n):
        stamp  # noqa: B018  part of the cache's key
        hd, _, d = views(book)
        C, F, H, T = hd[at.CHANNELS], hd[at.FEATURES], hd[at.HORIZON], hd[at.TIMED]
        width = T + C + F + C * H + 1
        for i in range(n):
            t = hd[at.EVENTS]
            _begin(hd, d, rows[i * width : (i + 1) * width])
            _state(hd, d, t)
            mix(hd, d, t)

    return entry(run if hidden else run_without)
