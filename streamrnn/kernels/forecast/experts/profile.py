"""The shape of a season, learned bin by bin, and a regression on how far the last values were from it.

A profile is a level l and shapes S1 (m1 bins, the main season) and, for ``profile``, S2 (m2 bins, the season within it)::

    v = l + S1[t mod m1] + S2[t mod m2]      r = y[t] - v, limited to ``RESIDUAL_LIMIT`` spreads
    l += LEVEL_PACE r      S2[t mod m2] += g2 r      r *= 1 - g2      S1[t mod m1] += g1 r

with g = max(the row's floor, 1 / (seasons seen + 2)). What is left goes on for some hours: r[t + h] is regressed on the last ``LAGS`` residuals by
recursive least squares with one gain for all steps, as in :mod:`streamrnn.kernels.forecast.experts.rls`; the forecast is the shape and that.

On a listed holiday the main shape of a week is partly that of its Sunday, by a share that is learned on holidays; the shapes learn nothing there.

Where a season is found late, or another is, the profile is learned anew at once from the values that are still there. Before that it
has no opinion. A missing value teaches nothing: what stands for it only keeps the residuals in step.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.calendar import (
    BY_HOUR,
    BY_WEEKDAY,
    DAY_S,
    WEEK_S,
    events_in,
    is_week,
    marked,
    past_holiday,
)
from streamrnn.kernels.forecast.experts.bounds import after
from streamrnn.kernels.forecast.experts.contract import Expert, place
from streamrnn.kernels.forecast.experts.rls import GROWN, RIDGE, gain
from streamrnn.kernels.forecast.season import main_season, short_season
from streamrnn.kernels.least_squares import diagonal, packed_size, padded_size
from streamrnn.kernels.reinterpret import reinterpret

PROFILE_CODE: Final = 8
PROFILE_ROW: Final = Expert("profile", PROFILE_CODE, prior=2.0, forget=0.9997, floor=0.1, short_floor=0.05)
PROFILE_MAIN_ROW: Final = Expert("profile_main", PROFILE_CODE, prior=1.0, forget=0.999, floor=0.1)

PROFILE_LAGS: Final = 13  # residuals; what lies further back the shapes know
LEVEL_PACE: Final = 0.002
RESIDUAL_LIMIT: Final = 5.0  # mean absolute residuals: a day of zeros is not learned
SPREAD_ALPHA: Final = 0.01
SETTLED_SPREAD: Final = 10  # residuals before which there is no limit
SHARE_PRIOR: Final = 0.5  # of the way from its weekday to Sunday is a holiday before any was seen ...
SHARE_POWER: Final = 100.0  # ... as sure as of so many events whose way is one mean absolute residual
SHARE_FORGET: Final = 0.999  # an event of a holiday: a year or two
SHARE_MOST: Final = 1.5
BOTH: Final = 65536  # the seasons of a profile in one number: m1 + BOTH m2


@kernel
def _wanted(hd, d, c, o, t):
    """Return the seasons that the profile should be of, in one number; 0 where too little has passed of them."""
    m = main_season(hd, d, c)
    settings = hd[at.PROFILE_SETTINGS] + 3 * o
    short = short_season(hd, d, c) if d[settings + 1] > 0.0 else 0
    if hd[at.CALENDAR] > 0 and d[settings + 1] > 0.0:
        day = events_in(hd, d, DAY_S, hd[at.SHORT_ROOM]) if hd[at.CALENDAR] & BY_HOUR else 0
        week = events_in(hd, d, WEEK_S, hd[at.LONGEST_PERIOD]) if hd[at.CALENDAR] & BY_WEEKDAY else 0
        if week > 0 or day > 0:
            m, short = (week, day) if week > 0 else (day, 0)
    return m + BOTH * short if m > 0 and t >= m + m // 2 else 0


@kernel
def _shape(hd, d, c, base, season, t):
    """Return what the profile says of event t."""
    f = reinterpret(d, np.float32)
    m, short = season % BOTH, season // BOTH
    v = d[hd[base + at.LEVEL] + c] + f[hd[base + at.SHAPE] + c * hd[at.LONGEST_PERIOD] + t % m]
    return v + f[hd[base + at.SHORT_SHAPE] + c * hd[at.SHORT_ROOM] + t % short] if short > 0 else v


@kernel
def _to_sunday(hd, d, c, base, m, t, days):
    """Return by how much more the main shape is on the Sunday ``days`` later, at the same time of the day; 0 where the season is no week."""
    if not (days >= 0.0 and is_week(hd, d, m)):
        return 0.0
    f = reinterpret(d, np.float32)
    shape = hd[base + at.SHAPE] + c * hd[at.LONGEST_PERIOD]
    return float(f[shape + (t + int(days) * (m // 7)) % m]) - float(f[shape + t % m])


@kernel
def _share(hd, d, c, o):
    """Return which share of the way to Sunday a holiday is."""
    sums = hd[at.HOLIDAY_SHARE] + (o * hd[at.CHANNELS] + c) * 2
    share = (SHARE_PRIOR * SHARE_POWER + d[sums + 1]) / (SHARE_POWER + d[sums])
    return min(max(share, 0.0), SHARE_MOST)


@kernel
def _adapt_share(hd, d, c, o, way, r):
    """Learn the share from a residual r (without it), where Sunday is ``way`` off; both in mean absolute residuals."""
    sums = hd[at.HOLIDAY_SHARE] + (o * hd[at.CHANNELS] + c) * 2
    d[sums] = SHARE_FORGET * d[sums] + way * way
    d[sums + 1] = SHARE_FORGET * d[sums + 1] + way * r


@kernel
def _adapt(hd, d, c, o, season, t, y, age, learns, holiday):
    """Take y[t] into the profile, ``age`` events after it began; return the residual, limited."""
    base = at.PROFILE_0 + o * at.PROFILE_WORDS
    m, short = season % BOTH, season // BOTH
    r = y - _shape(hd, d, c, base, season, t)
    way = _to_sunday(hd, d, c, base, m, t, holiday)
    known = _share(hd, d, c, o) * way if way != 0.0 else 0.0
    r -= known
    if not abs(r) >= 0.0:
        return 0.0
    s = hd[base + at.RESIDUAL_SPREAD] + c
    most = RESIDUAL_LIMIT * d[s]
    if age > SETTLED_SPREAD and most > 0.0:
        r = min(max(r, -most), most)
    if not learns:
        return r
    if holiday >= 0.0:
        if way != 0.0 and age > m and d[s] > 0.0:
            _adapt_share(hd, d, c, o, way / d[s], (r + known) / d[s])
        return r
    d[s] += max(SPREAD_ALPHA, 1.0 / (age + 1.0)) * (abs(r) - d[s])
    d[hd[base + at.LEVEL] + c] += LEVEL_PACE * r
    settings = hd[at.PROFILE_SETTINGS] + 3 * o
    f = reinterpret(d, np.float32)
    left = r
    if short > 0:
        g = max(d[settings + 1], 1.0 / (age // short + 2.0))
        f[hd[base + at.SHORT_SHAPE] + c * hd[at.SHORT_ROOM] + t % short] += g * left
        left *= 1.0 - g
    g = max(d[settings], 1.0 / (age // m + 2.0))
    f[hd[base + at.SHAPE] + c * hd[at.LONGEST_PERIOD] + t % m] += g * left
    return r


@kernel
def _begin(hd, d, c, o, season, t):
    """Learn the profile anew from all values in the ring."""
    base, Q, M = at.PROFILE_0 + o * at.PROFILE_WORDS, hd[at.RING_SIZE], hd[at.LONGEST_PERIOD]
    R = hd[at.HORIZON] + PROFILE_LAGS + 1
    ring = hd[at.VALUE_RING] + c * Q
    f = reinterpret(d, np.float32)
    for i in range(M):
        f[hd[base + at.SHAPE] + c * M + i] = 0.0
    for i in range(hd[at.SHORT_ROOM] if d[hd[at.PROFILE_SETTINGS] + 3 * o + 1] > 0.0 else 0):
        f[hd[base + at.SHORT_SHAPE] + c * hd[at.SHORT_ROOM] + i] = 0.0
    first = max(0, t - Q + 1)
    total, n = 0.0, 0
    for k in range(first, t + 1):
        v = d[ring + k % Q]
        if abs(v) >= 0.0:
            total += v
            n += 1
    d[hd[base + at.LEVEL] + c] = total / n if n > 0 else 0.0
    d[hd[base + at.RESIDUAL_SPREAD] + c] = 0.0
    for i in range(R):
        d[hd[base + at.RESIDUALS] + c * R + i] = 0.0
    for k in range(first, t + 1):
        d[hd[base + at.RESIDUALS] + c * R + k % R] = _adapt(
            hd, d, c, o, season, k, d[ring + k % Q], k - first, True, past_holiday(hd, d, t - k)
        )  # fmt: skip
    d[hd[base + at.SEASON_OF] + 2 * c] = season
    d[hd[base + at.SEASON_OF] + 2 * c + 1] = first


@kernel
def _residuals(hd, d, c, base, t, x):
    """Write the residuals from t back into x, newest first."""
    R = hd[at.HORIZON] + PROFILE_LAGS + 1
    there = t % R
    for i in range(PROFILE_LAGS):
        x[i] = d[hd[base + at.RESIDUALS] + c * R + there]
        there = there - 1 if there > 0 else R - 1


@kernel
def _regress(hd, d, c, o, t):
    """Learn what the residuals of t - H were followed by."""
    base, H, L = at.PROFILE_0 + o * at.PROFILE_WORDS, hd[at.HORIZON], PROFILE_LAGS
    R, s = H + L + 1, d[hd[base + at.RESIDUAL_SPREAD] + c]
    n = padded_size(L)
    scratch, size = hd[at.SCRATCH], packed_size(n)
    x, g, k = d[scratch : scratch + n], d[scratch + n : scratch + 2 * n], d[scratch + 2 * n : scratch + 3 * n]
    error = d[scratch + 3 * n : scratch + 3 * n + H]
    P = d[hd[base + at.RESIDUAL_GAIN] + c * size : hd[base + at.RESIDUAL_GAIN] + (c + 1) * size]
    if not s > 0.0:
        return
    forget = d[hd[at.PROFILE_SETTINGS] + 3 * o + 2]
    for i in range(L):
        if P[diagonal(i)] == 0.0:
            P[diagonal(i)] = 1.0 / (RIDGE * s * s)
    _residuals(hd, d, c, base, t - H, x)
    for i in range(L, n):
        x[i] = 0.0
    power = gain(P, x, g, k, forget, 1.0 / forget, GROWN * L / (RIDGE * s * s))
    if power == 0.0:
        for i in range(size):
            P[i] = 0.0
        return
    there = (t - H) % R
    for h in range(H):
        there = after(there, R)
        error[h] = d[hd[base + at.RESIDUALS] + c * R + there]
    w = reinterpret(d, np.float32)[
        hd[base + at.RESIDUAL_COEFFICIENTS] + c * L * H : hd[base + at.RESIDUAL_COEFFICIENTS] + (c + 1) * L * H
    ]
    known = x[:L].size  # L, which LLVM does not know: it would write out the loop inside so many times, each in vectors
    for i in range(known):
        v = w[i * H : (i + 1) * H]
        for h in range(H):
            error[h] -= v[h] * x[i]
    for h in range(H):
        error[h] = error[h] / power if abs(error[h] / power) < 1e150 else 0.0
    for i in range(known):
        v = w[i * H : (i + 1) * H]
        for h in range(H):
            v[h] += error[h] * g[i]


@kernel
def learn(hd, d, c, o, t, known, learns):
    """Take the newest value into profile o of a channel, or begin the profile."""
    base, R = at.PROFILE_0 + o * at.PROFILE_WORDS, hd[at.HORIZON] + PROFILE_LAGS + 1
    season, own = _wanted(hd, d, c, o, t), hd[base + at.SEASON_OF] + 2 * c
    if season == 0 or season != int(d[own]):
        d[own] = 0.0
        if season > 0:
            _begin(hd, d, c, o, season, t)
        return
    first = int(d[own + 1])
    y = d[hd[at.VALUE_RING] + c * hd[at.RING_SIZE] + t % hd[at.RING_SIZE]]
    d[hd[base + at.RESIDUALS] + c * R + t % R] = _adapt(
        hd, d, c, o, season, t, y, t - first, known and learns, marked(hd, d, 0)
    )  # fmt: skip
    if known and learns and t - first > R:
        _regress(hd, d, c, o, t)


@kernel
def profile(hd, d, c, e, o, t):
    """Write the forecasts made at t; NaN, which is no opinion, where there is no season."""
    base, H, L, M = at.PROFILE_0 + o * at.PROFILE_WORDS, hd[at.HORIZON], PROFILE_LAGS, hd[at.LONGEST_PERIOD]
    season, into = int(d[hd[base + at.SEASON_OF] + 2 * c]), place(hd, c, e)
    out = d[into : into + H]
    if season == 0:
        for h in range(H):
            out[h] = np.nan
        return
    f = reinterpret(d, np.float32)
    m, short = season % BOTH, season // BOTH
    level, shape, there = d[hd[base + at.LEVEL] + c], hd[base + at.SHAPE] + c * M, t % m
    for h in range(H):
        there = after(there, m)
        out[h] = level + f[shape + there]
    if short > 0:
        shape, there = hd[base + at.SHORT_SHAPE] + c * hd[at.SHORT_ROOM], t % short
        for h in range(H):
            there = after(there, short)
            out[h] += f[shape + there]
    if hd[at.N_HOLIDAYS] > 0:
        share = _share(hd, d, c, o)
        for h in range(H):
            out[h] += share * _to_sunday(hd, d, c, base, m, t + 1 + h, marked(hd, d, h + 1))
    x = d[hd[at.SCRATCH] : hd[at.SCRATCH] + L]
    _residuals(hd, d, c, base, t, x)
    w = f[hd[base + at.RESIDUAL_COEFFICIENTS] + c * L * H : hd[base + at.RESIDUAL_COEFFICIENTS] + (c + 1) * L * H]
    for i in range(x.size):
        v = w[i * H : (i + 1) * H]
        for h in range(H):
            out[h] += v[h] * x[i]
