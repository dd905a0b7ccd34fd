"""One regression of the next change, rolled on from its own forecasts: without features, and with known features of the steps to come.

``ar`` regresses y[t + 1] - y[t] on 1 and the last L changes. It learns from the very next event, and has one vector of coefficients for
all steps: on a short series it is ahead of :mod:`streamrnn.kernels.forecast.experts.rls`, which waits for each step's value; where one
step is not the rule for many, that one is.

``arx`` (L. Ljung, System Identification, 2nd ed., eq. 4.14) also reads the level y[t] - a, and each feature at t + 1 and at t: what a
feature does at once, what it leaves behind, and by the lags what it sets going. The features to come are known only where they are given,
so it is no part of the ordinary mixture, but of a second one, which forecasts where ``xs`` is given. What it would have forecast is known
later, when the features have come: a path is begun at each event, with the coefficients of that moment, and advanced by each event's
features. Step for step it is the path that ``forecast`` takes over ``xs``, and its errors are what the second mixture's weights and
intervals learn from.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.experts.bounds import FARTHEST, kept_distance
from streamrnn.kernels.forecast.experts.contract import Expert, place
from streamrnn.kernels.forecast.experts.rls import CHANGE_LIMIT, RIDGE, changes, gain, learn_coefficients
from streamrnn.kernels.forecast.pending import rings_of
from streamrnn.kernels.least_squares import diagonal, packed_size, padded_size
from streamrnn.kernels.net.scaler import usable
from streamrnn.kernels.reinterpret import reinterpret

AR_CODE: Final = 6
ARX_CODE: Final = 7
AR_ROW: Final = Expert("ar", AR_CODE, prior=1.5, lags=13)
ARX_ROW: Final = Expert("arx", ARX_CODE, prior=4.0, lags=13)

EASY: Final = 0.01  # usual changes squared: what is left when the features are known may be far smaller than a change
PATH_REACH: Final = 4.0  # times as far as others may a path go: what a rare feature does is more than a usual change


@kernel
def _regressors(hd, d, c, t, with_features, x):
    """Write what the change from t on is regressed on, all but the features' values at t + 1, into x."""
    L, F = (hd[at.ARX_0 + at.LAGS], hd[at.KNOWN_FEATURES]) if with_features else (hd[at.AR_0 + at.LAGS], 0)
    first = 2 if with_features else 1
    x[0] = 1.0
    if with_features:
        x[1] = d[hd[at.VALUE_RING] + c * hd[at.RING_SIZE] + t % hd[at.RING_SIZE]] - d[hd[at.ANCHOR] + c]
    changes(hd, d, c, t, L, x[first : first + L])
    for f in range(F):
        x[first + L + 2 * f + 1] = away(hd, d, f, d[hd[at.LAST_FEATURES] + f])


@kernel
def away(hd, d, f, v):
    """Return how far feature f is from its first value; 0 before it has had one."""
    first = d[hd[at.FIRST_FEATURES] + f]
    return v - first if usable(first) and usable(v) else 0.0


@kernel
def complete(hd, x):
    """Tell whether every feature has a value."""
    known = True
    for f in range(hd[at.KNOWN_FEATURES]):
        known = known and usable(x[f])
    return known


@kernel
def learn(hd, d, c, t, with_features, x_now):
    """Learn the change to y[t], which has come; the features at t - 1 are still the last that are known."""
    H, Q = hd[at.HORIZON], hd[at.RING_SIZE]
    base = at.ARX_0 if with_features else at.AR_0
    L, F = hd[base + at.LAGS], hd[at.KNOWN_FEATURES] if with_features else 0
    first = 2 if with_features else 1
    n = first + L + 2 * F
    s = d[hd[at.MEAN_CHANGE] + c * H]
    if t < 2 or not s > 0.0 or not usable(d[hd[at.RAW_VALUES] + c * (H + 1) + (t - 1) % (H + 1)]):
        return
    m = padded_size(n)
    scratch, size = hd[at.SCRATCH], packed_size(m)
    x, g, h = d[scratch : scratch + m], d[scratch + m : scratch + 2 * m], d[scratch + 2 * m : scratch + 3 * m]
    P = d[hd[base + at.GAIN] + c * size : hd[base + at.GAIN] + (c + 1) * size]
    w = d[hd[base + at.COEFFICIENTS] + c * n : hd[base + at.COEFFICIENTS] + (c + 1) * n]
    _regressors(hd, d, c, t - 1, with_features, x)
    for f in range(F):
        x[first + L + 2 * f] = away(hd, d, f, x_now[f])
    for i in range(n, m):
        x[i] = 0.0
    ridge = EASY if with_features else RIDGE
    if P[0] == 0.0:
        P[0] = 1.0 / ridge
        for i in range(1, first + L):
            P[diagonal(i)] = 1.0 / (ridge * s)
    for i in range(first + L, n):  # a feature's own scale: its first value that differs
        v = 1.0 / (ridge * x[i] * x[i])
        if P[diagonal(i)] == 0.0 and v > 0.0 and usable(v):
            P[diagonal(i)] = v
    power = gain(P, x, g, h, 1.0, 1.0, np.inf)
    if power == 0.0:
        for i in range(size):
            P[i] = 0.0
        return
    ring = hd[at.VALUE_RING] + c * Q
    most = CHANGE_LIMIT * np.sqrt(s) * (PATH_REACH if with_features else 1.0)
    learn_coefficients(w, x, g, min(max(d[ring + t % Q] - d[ring + (t - 1) % Q], -most), most), power)


@kernel
def ar(hd, d, c, e, t, value):
    """Write the forecasts made at t."""
    H, L = hd[at.HORIZON], hd[at.AR_0 + at.LAGS]
    w = d[hd[at.AR_0 + at.COEFFICIENTS] + c * (1 + L) : hd[at.AR_0 + at.COEFFICIENTS] + (c + 1) * (1 + L)]
    x = d[hd[at.SCRATCH] : hd[at.SCRATCH] + H + L]  # the newest change first: each forecast goes in front
    changes(hd, d, c, t, L, x[H:])
    v, into = value, place(hd, c, e)
    for h in range(H):
        total = w[0]
        lags = x[H - h : H - h + L]
        for i in range(L):
            total += w[1 + i] * lags[i]
        far = FARTHEST * np.sqrt(d[hd[at.MEAN_CHANGE] + c * H + h])
        following = min(max(v + total, value - far), value + far)
        x[H - 1 - h] = following - v
        v = following
        d[into + h] = v


@kernel
def begin_path(hd, d, c, t):
    """Begin a path at t: coefficients, changes, level and bounds are those of this moment."""
    C, H, L, F = hd[at.CHANNELS], hd[at.HORIZON], hd[at.ARX_0 + at.LAGS], hd[at.KNOWN_FEATURES]
    n, path = 2 + L + 2 * F, t % H * C + c
    source = hd[at.ARX_0 + at.COEFFICIENTS] + c * n
    into = hd[at.ARX_0 + at.PATH_COEFFICIENTS] + path * n
    for i in range(n):
        d[into + i] = d[source + i]
    kept = hd[at.ARX_0 + at.PATH_CHANGES] + path * (H + L)
    changes(hd, d, c, t, L, d[kept + H : kept + H + L])
    value = d[hd[at.BASE] + c * (H + 1) + t % (H + 1)]
    d[hd[at.ARX_0 + at.PATH_LEVEL] + path] = value
    limits = hd[at.ARX_0 + at.PATH_BOUND] + path * (1 + H)
    d[limits] = value
    for h in range(H):
        d[limits + 1 + h] = PATH_REACH * FARTHEST * np.sqrt(d[hd[at.MEAN_CHANGE] + c * H + h])


@kernel
def step(hd, d, c, path, h, level, kept, x_before, x_now):
    """Return the level one step on. ``kept`` (H + L): changes, newest first from H - h on; the next goes in front.

    x_before, x_now (F): features of the step before and of this one.
    """
    H, L, F = hd[at.HORIZON], hd[at.ARX_0 + at.LAGS], hd[at.KNOWN_FEATURES]
    n = 2 + L + 2 * F
    w = d[hd[at.ARX_0 + at.PATH_COEFFICIENTS] + path * n : hd[at.ARX_0 + at.PATH_COEFFICIENTS] + (path + 1) * n]
    lags = kept[H - h : H - h + L]
    total = w[0] + w[1] * (level - d[hd[at.ANCHOR] + c])
    for i in range(L):
        total += w[2 + i] * lags[i]
    for f in range(F):
        total += w[2 + L + 2 * f] * away(hd, d, f, x_now[f]) + w[2 + L + 2 * f + 1] * away(hd, d, f, x_before[f])
    limits = hd[at.ARX_0 + at.PATH_BOUND] + path * (1 + H)
    value, far = d[limits], d[limits + 1 + h]
    following = min(max(level + total, value - far), value + far)
    kept[H - 1 - h] = following - level
    return following


@kernel
def advance_paths(hd, d, t, x_now):
    """Advance the paths of the last H events to t, by the features of t: each is then the forecast that it would have made."""
    C, H, L, E = hd[at.CHANNELS], hd[at.HORIZON], hd[at.ARX_0 + at.LAGS], hd[at.N_EXPERTS]
    known = complete(hd, x_now)
    before = d[hd[at.LAST_FEATURES] : hd[at.LAST_FEATURES] + hd[at.KNOWN_FEATURES]]
    start = hd[at.EXPERT_FORECASTS] + E * C * rings_of(hd)
    f = reinterpret(d, np.float32)
    for h in range(min(H, t)):
        for c in range(C):
            value = d[hd[at.BASE] + c * (H + 1) + (t - 1 - h) % (H + 1)]
            path = (t - 1 - h) % H * C + c
            kept = hd[at.ARX_0 + at.PATH_CHANGES] + path * (H + L)
            at_level = hd[at.ARX_0 + at.PATH_LEVEL] + path
            v = step(hd, d, c, path, h, d[at_level], d[kept : kept + H + L], before, x_now) if known else np.nan
            d[at_level] = v
            f[start + c * rings_of(hd) + hd[hd[at.PENDING_AT] + h]] = kept_distance(v - value)


@kernel
def remember_features(hd, d, x_now):
    """Remember the features' newest values, and the first of each."""
    for f in range(hd[at.KNOWN_FEATURES]):
        v = x_now[f]
        if usable(v):
            d[hd[at.LAST_FEATURES] + f] = v
            if not usable(d[hd[at.FIRST_FEATURES] + f]):
                d[hd[at.FIRST_FEATURES] + f] = v
