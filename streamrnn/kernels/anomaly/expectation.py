"""What is expected of one feature one event ahead, from three experts: the last value, the net, and the shape of a season.

The third is a level and a shape of m bins, learned bin by bin, and a regression of what they leave on its last 13 values::

    v = l + S[t mod m],   r = y - v,   f = v + w . (r[t-1] ... r[t-13])
    l += LEVEL_PACE r + s,   S[t mod m] += g r,   g = max(SHAPE_PACE, 1 / (seasons seen + 1))

s is what is usually added over a season, by event (:func:`~streamrnn.kernels.anomaly.outlook.slope`): without it the shape of a counter has a step at its end.
Without a season S is 0, and the regression is one on the values. The season is the one that :mod:`streamrnn.kernels.forecast.season` would find among
up to ``SEASON_LAGS`` lags; the regression learns by recursive least squares (:mod:`streamrnn.kernels.least_squares`). An expert
weighs the eighth power of the least running error over its own.

The light form (:mod:`~streamrnn.kernels.anomaly.outlook`) reads the last 8 values, and looks for a season among up to ``LIGHT_LAGS`` lags.

No value can lead it astray: what is learned lies within ``TAKEN`` running errors of what was expected. A second value in a row beyond that on the same side is
believed, so that an outage and its end are followed at once; where values lie beyond on one side and the other, the limit doubles.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.anomaly import outlook as at
from streamrnn.kernels.anomaly.outlook_season import observe, season
from streamrnn.kernels.anomaly.size import MOST_DOUBLINGS, SETTLED
from streamrnn.kernels.compile import kernel
from streamrnn.kernels.forecast.experts.rls import GROWN, RIDGE, gain
from streamrnn.kernels.least_squares import diagonal

TAKEN: Final = 12.0  # running errors: how far from what was expected a value is learned
ERROR_CUT: Final = 4.0  # running errors: the most that the regression learns from
LEVEL_PACE: Final = 2e-3
SHAPE_PACE: Final = 0.1
OUTLOOK_FORGET: Final = 0.999  # of the regression
YOUNG: Final = 2048  # events from which on
SELDOM: Final = 2  # regression and season learn from every other: by then an event holds little that is new
SEARCH_EVERY: Final = 64  # events between two searches for a season, once there are many
SEARCH_BEGINNING: Final = 512
LEAST_SEASONS: Final = 4.0  # before so many a shape is noise
WEIGHT_PACE: Final = 0.01  # of the experts' running errors


@kernel
def shape_at(o, t):
    """Return level and shape of event t."""
    m = int(o[at.SEASON])
    return o[at.BASE_LEVEL] + (at.bin_of_shape(o, t % m) if m > 0 else 0.0)


@kernel
def _last_residuals(o, t, x):
    """Write the residuals of the events before t into x, newest first."""
    first = at.residuals_at(o)
    n, room = at.lags_of(o)
    for i in range(n):
        x[i] = o[first + (t - 1 - i) % room]
    for i in range(n, room):
        x[i] = 0.0


@kernel
def course(o, y):
    """Return by how much the last ``COURSE_EVENTS`` events, up to value y, have left the course of the season; 0 as long as none is known."""
    t, m = int(o[at.AGE]), o[at.SEASON]
    if not (m > 0.0 and t - o[at.SHAPE_BEGAN] >= LEAST_SEASONS * m):
        return 0.0
    return y - shape_at(o, t) - o[at.residuals_at(o) + (t - at.COURSE_EVENTS) % at.lags_of(o)[1]]


@kernel
def _regressed(o, x):
    s = 0.0
    for i in range(at.lags_of(o)[0]):
        s += o[at.LAG_COEFFICIENTS + i] * x[i]
    return s


@kernel
def _adapt(o, t, y, age, x, g, h):
    """Take y, the value of event t, into regression, level and shape; x, g, h (16): scratch."""
    r = y - shape_at(o, t)
    size = o[at.SIZE]
    n, room = at.lags_of(o)
    if age >= n and size > 0.0 and not (age > YOUNG and age % SELDOM != 0):
        _last_residuals(o, t, x)
        begin, end = at.gain_at(o)
        P = o[begin:end]
        start = 1.0 / (RIDGE * size * size)
        if P[0] == 0.0:
            for i in range(n):
                P[diagonal(i)] = start
        e = r - _regressed(o, x)
        most = ERROR_CUT * size
        e = min(max(e, -most), most) if age > SETTLED else e
        power = gain(P, x[:room], g, h, OUTLOOK_FORGET, 1.0 / OUTLOOK_FORGET, GROWN * n * start)
        if power == 0.0:
            for i in range(P.size):
                P[i] = 0.0
        else:
            for i in range(n):
                o[at.LAG_COEFFICIENTS + i] += g[i] * e / power
    o[at.residuals_at(o) + t % room] = r
    o[at.BASE_LEVEL] += at.slope(o) + max(LEVEL_PACE, 1.0 / (age + 2.0) if age < 100 else 0.0) * r
    m = int(o[at.SEASON])
    if m > 0:
        at.set_bin(o, t % m, at.bin_of_shape(o, t % m) + max(SHAPE_PACE, 1.0 / (age // m + 2.0)) * r)


@kernel
def _begin(o, t, m):
    """Forget shape and regression, to be learned anew for a season of m events; return the event to begin with: the oldest in the ring."""
    first = max(0, t + 1 - at.ring_size(o))
    o[at.SEASON], o[at.SHAPE_BEGAN] = float(m), float(first)
    for i in range(at.season_lags(o)):
        at.set_bin(o, i, 0.0)
    for i in range(at.LAG_COEFFICIENTS, at.gain_at(o)[1]):
        o[i] = 0.0
    total = 0.0
    for i in range(first, t + 1):
        total += at.kept_value(o, i)
    o[at.BASE_LEVEL] = total / (t + 1 - first) - 0.5 * (t - first) * at.slope(o)
    return first


@kernel
def _weigh(o, y):
    """Take value y into the running errors of the experts; none counts more than ``ERROR_CUT`` sizes."""
    most = ERROR_CUT * o[at.SIZE] if o[at.COUNTED] > SETTLED and o[at.SIZE] > 0.0 else np.inf
    pace = max(WEIGHT_PACE, 1.0 / o[at.AGE])
    for j in range(at.N_FORECASTS):
        o[at.EXPERT_ERRORS + j] += pace * (min(abs(y - o[at.FORECASTS + j]), most) - o[at.EXPERT_ERRORS + j])


@kernel
def _side(o, x):
    """Return on which side of what was expected x lies beyond the limit, 0.0 where it does not."""
    away = x - o[at.EXPECTED]
    return 0.0 if abs(away) <= TAKEN * o[at.SIZE] else 1.0 if away > 0.0 else -1.0


@kernel
def taken(o, x):
    """Return the value that is learned in place of x."""
    if not (o[at.COUNTED] > SETTLED and o[at.SIZE] > 0.0):
        return x
    if _side(o, x) * o[at.BEYOND_SIDE] > 0.0:
        return x
    most = TAKEN * o[at.SIZE] * 2.0 ** min(o[at.CUT_IN_A_ROW], MOST_DOUBLINGS)
    return min(max(x, o[at.EXPECTED] - most), o[at.EXPECTED] + most)


@kernel
def learn(o, y, x, known, beyond, learns, scratch):
    """Learn from the next value y, limited by :func:`taken`.

    ``known``: False where it is missing; ``beyond``: whether it was limited; ``learns``: False for a frozen model; scratch (OUTLOOK_SCRATCH).
    """
    t = int(o[at.AGE])
    if not known:
        if t == 0:
            return
        y = o[at.EXPECTED]
    o[at.AGE] = t + 1.0
    at.keep_value(o, t, y)
    if t == 0:
        o[at.BASE_LEVEL] = y
        return
    if not (known and learns):
        o[at.residuals_at(o) + t % at.lags_of(o)[1]] = y - shape_at(o, t)
        o[at.BASE_LEVEL] += at.slope(o)
        return
    o[at.CUT_IN_A_ROW] = min(o[at.CUT_IN_A_ROW] + 1.0, MOST_DOUBLINGS) if beyond else 0.0
    o[at.BEYOND_SIDE] = _side(o, x) if o[at.COUNTED] > SETTLED else 0.0
    _weigh(o, y)
    if not (t > YOUNG and t % SELDOM == 0):
        observe(o, t)
    first = t
    if t % (8 if t < SEARCH_BEGINNING else SEARCH_EVERY) == 0:
        m = season(o, t, scratch)
        if m != int(o[at.SEASON]):
            first = _begin(o, t, m)
    for k in range(first, t + 1):
        _adapt(
            o,
            k,
            y if k == t else at.kept_value(o, k),
            k - int(o[at.SHAPE_BEGAN]),
            scratch[:16],
            scratch[16:32],
            scratch[32:48],
        )


@kernel
def forecast(o, last, net, scratch):
    """Write what the experts expect next, and their mixture. last: the value learned last; net: the net's forecast (NaN: it has none)."""
    t, x = int(o[at.AGE]), scratch[:16]
    if t == 0:
        return
    _last_residuals(o, t, x)
    f = o[at.FORECASTS : at.FORECASTS + at.N_FORECASTS]
    f[at.EXPERT_LAST] = last
    f[at.EXPERT_NET] = net if abs(net) < np.inf else last
    f[at.EXPERT_SHAPE] = shape_at(o, t) + _regressed(o, x) if t > 2 * at.lags_of(o)[0] else last
    least = np.inf
    for j in range(at.N_FORECASTS):
        least = min(least, o[at.EXPERT_ERRORS + j])
    total, mixed = 0.0, 0.0
    for j in range(at.N_FORECASTS):
        share = least / o[at.EXPERT_ERRORS + j] if o[at.EXPERT_ERRORS + j] > 0.0 else 1.0
        share *= share
        share *= share
        share *= share
        total += share
        mixed += share * f[j]
    o[at.EXPECTED] = mixed / total
