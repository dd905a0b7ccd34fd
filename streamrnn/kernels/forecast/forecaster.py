"""The entry for forecasting: verify, learn, forecast, over a block of events.

One row an event, float64: ``[time] | y (C) | x (F) | forecasts (C H) | area, if the nets are keyed``. The forecasts are those
made before y is read. An event passes::

    absent    rows that time says are absent pass first, as missing values (:mod:`streamrnn.kernels.forecast.clock`)
    advance   the paths of the expert with known features (:mod:`streamrnn.kernels.forecast.experts.arx`)
    verify    the forecasts for this event: errors -> weights of the experts, quantiles of the errors
    remember  the value; whether it was a jump, whether the one before came back
    learn     each expert that learns, from its forecasts of H events ago
    forecast  every expert's from here; the mixture's are their weighted mean

The mixture's next forecasts lie ready in the forecast state: reading them costs nothing and changes nothing. What has to be computed is asked of
the same entry, so that nothing is compiled later: ``n`` is then one of :data:`ASK_BANDS` (:mod:`streamrnn.kernels.forecast.bands`) and
:data:`ASK_INFORMED` (:mod:`streamrnn.kernels.forecast.informed`), and ``rows`` the question, with room for the answer. Neither changes anything.
"""

from __future__ import annotations

import functools
from typing import Any, Final

import numpy as np

from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.compile import entry, kernel
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.bands import bands
from streamrnn.kernels.forecast.calendar import mark_holidays
from streamrnn.kernels.forecast.clock import absent, write_absent
from streamrnn.kernels.forecast.experts import arx
from streamrnn.kernels.forecast.experts import long as long_lags
from streamrnn.kernels.forecast.experts import profile as profiles
from streamrnn.kernels.forecast.experts import rls as least_squares
from streamrnn.kernels.forecast.experts.arx import AR_CODE, ar
from streamrnn.kernels.forecast.experts.last import LAST_CODE, STEADY_CODE, last
from streamrnn.kernels.forecast.experts.lstm import NET_CODE, advance_live, forecast_net, learn_behind, write_inputs
from streamrnn.kernels.forecast.experts.profile import PROFILE_CODE, profile
from streamrnn.kernels.forecast.experts.rls import RLS_CODE, rls
from streamrnn.kernels.forecast.experts.seasonal import DRIFT_CODE, SEASONAL_CODE, seasonal
from streamrnn.kernels.forecast.informed import informed
from streamrnn.kernels.forecast.mixture import mix
from streamrnn.kernels.forecast.pending import find_pending
from streamrnn.kernels.forecast.remember import remember
from streamrnn.kernels.forecast.verify import verify
from streamrnn.kernels.net.areas import choose_area, views
from streamrnn.kernels.net.scaler import usable
from streamrnn.kernels.net.stamp import stamp_of

ASK_BANDS: Final = -1
ASK_INFORMED: Final = -2


@kernel
def begin(hd, d, row):
    """Do what comes before the nets: write the forecasts into the row, verify, remember, let all experts but the nets learn."""
    C, F, H, T = hd[at.CHANNELS], hd[at.FEATURES], hd[at.HORIZON], hd[at.HAS_TIME]
    t = hd[at.N_EVENTS]
    find_pending(hd, t)
    learns = hd[at.IS_FROZEN] == 0
    given = hd[at.GIVEN] > 0 and C > 0
    x = row[T + C : T + C + F]
    for i in range(C * H):
        row[T + C + F + i] = d[hd[at.PLAIN + at.NEXT_FORECASTS] + i]
    if given:
        arx.advance_paths(hd, d, t, x)
    for k in range(2 if given else 1):
        if learns:
            verify(hd, d, row, t, at.PLAIN if k == 0 else at.INFORMED)
    mark_holidays(hd, d, row[0] if T else np.nan)
    remember(hd, d, row, t, learns)
    complete = arx.complete(hd, x)
    for c in range(C):
        if learns and usable(row[T + c]):
            for k in range(hd[at.MODELS]):
                least_squares.learn(hd, d, c, k, t)
            for k in range(2 if given and complete else 1):
                if k > 0 or hd[at.AR_0 + at.LAGS] > 0:
                    arx.learn(hd, d, c, t, k > 0, x)
        for o in range(hd[at.PROFILES]):
            profiles.learn(hd, d, c, o, t, usable(row[T + c]), learns)
    long_lags.learn(hd, d, row, t, learns)
    if given:
        arx.remember_features(hd, d, x)


@kernel
def state_forecasts(hd, d, t):
    """Write the forecasts of all experts but the nets."""
    H = hd[at.HORIZON]
    for c in range(hd[at.CHANNELS]):
        value = d[hd[at.BASE] + c * (H + 1) + t % (H + 1)]
        jumped = d[hd[at.CONTEXT] + c * (H + 1) + t % (H + 1)] == 1.0
        for e in range(hd[at.N_EXPERTS]):
            code = hd[at.CODE + e]
            if code == LAST_CODE:
                last(hd, d, c, e, value)
            elif code == STEADY_CODE:
                before = d[hd[at.VALUE_RING] + c * hd[at.RING_SIZE] + (t - 1) % hd[at.RING_SIZE]]
                last(hd, d, c, e, before if jumped else value)
            elif code == SEASONAL_CODE or code == DRIFT_CODE:
                seasonal(hd, d, c, e, t, value, code == DRIFT_CODE)
            elif code == RLS_CODE:
                rls(hd, d, c, e, hd[at.OWN + e], t, value)
            elif code == AR_CODE:
                ar(hd, d, c, e, t, value)
            elif code == PROFILE_CODE:
                profile(hd, d, c, e, hd[at.OWN + e], t)
        if hd[at.GIVEN] > 0:
            arx.begin_path(hd, d, c, t)
    for e in range(hd[at.N_EXPERTS]):
        if hd[at.CODE + e] == long_lags.LONG_CODE:
            long_lags.long(hd, d, e, t)


@kernel
def _width(hd):
    """Return how many numbers a row has."""
    return hd[at.HAS_TIME] + hd[at.CHANNELS] * (1 + hd[at.HORIZON]) + hd[at.FEATURES] + 1


@kernel
def _answer(hd, d, question, asked):
    """Answer a question: the codes in place of a number of rows."""
    if question == ASK_BANDS:
        bands(hd, d, asked)
    else:
        informed(hd, d, asked)


@functools.cache
def forecaster(cell: str, hidden: int) -> Any:
    """Return ``run(state, net_0, net_1, rows, n)`` for one cell and one hidden size; hidden 0: for no net at all.

    n: how many rows, or which question ``rows`` holds.
    """
    stamp = stamp_of(CELLS[cell])

    def run(state, net_0, net_1, rows, n):
        stamp  # noqa: B018  part of the cache's key
        hd, _, d = views(state)
        if n < 0:
            _answer(hd, d, n, rows)
        C, H, width = hd[at.CHANNELS], hd[at.HORIZON], _width(hd)
        for i in range(n):
            given = rows[i * width : (i + 1) * width]
            missing = absent(hd, d, given)
            blank = d[hd[at.ABSENT_ROW] : hd[at.ABSENT_ROW] + width]
            for j in range(missing + 1):
                row = given if j == missing else blank
                if j < missing:
                    write_absent(hd, d, given, missing - j)
                t = hd[at.N_EVENTS]
                begin(hd, d, row)
                state_forecasts(hd, d, t)
                write_inputs(hd, d, t, row)
                for k in range(hd[at.NETS]):
                    nh, nf, nd = views(net_0 if k == 0 else net_1)
                    choose_area(nh, nd, row[width - 1])
                    advance_live(cell, hidden, hd, d, nh, nf, nd, k, t)
                    if t >= H:
                        learn_behind(cell, hidden, hd, d, nh, nf, nd, k, t)
                    for e in range(hd[at.N_EXPERTS]):
                        if hd[at.CODE + e] == NET_CODE and hd[at.OWN + e] == k:
                            for c in range(C):
                                value = d[hd[at.BASE] + c * (H + 1) + t % (H + 1)]
                                forecast_net(hd, d, nh, nf, nd, c, e, value)
                mix(hd, d, t)

    def run_without(state, net_0, net_1, rows, n):
        stamp  # noqa: B018  part of the cache's key
        hd, _, d = views(state)
        if n < 0:
            _answer(hd, d, n, rows)
        width = _width(hd)
        for i in range(n):
            given = rows[i * width : (i + 1) * width]
            missing = absent(hd, d, given)
            blank = d[hd[at.ABSENT_ROW] : hd[at.ABSENT_ROW] + width]
            for j in range(missing + 1):
                if j < missing:
                    write_absent(hd, d, given, missing - j)
                t = hd[at.N_EVENTS]
                begin(hd, d, given if j == missing else blank)
                state_forecasts(hd, d, t)
                mix(hd, d, t)

    return entry(run if hidden else run_without)
