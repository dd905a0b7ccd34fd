"""What a value that has come says of the forecasts that spoke of it: belief in the experts, spread and quantiles of the errors.

All channels C and steps ahead H are learned from at once, in C * H lanes.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.aggregation import MOST, SLOPE, believe
from streamrnn.kernels.forecast.aggregation import SETTLED as BELIEVED
from streamrnn.kernels.forecast.conformal import LEVELS, OVERLAP, YOUNG, track
from streamrnn.kernels.net.scaler import usable

ALPHA: Final = 1e-3  # changes and errors are remembered over a thousand events
WILD: Final = 8.0  # usual errors or changes beyond which one counts no more
SETTLED: Final = 10.0  # values before which nothing is wild


@kernel
def mean_square(mean, count, v, on):
    """Take v^2 into the running mean squares where ``on``; no more than ``WILD``^2 of them, once there are enough."""
    for i in range(mean.size):
        n = count[i] + 1.0
        square, m = v[i] * v[i], mean[i]
        most = WILD * WILD * m
        limited = square if square < most else most
        square = limited if (n > SETTLED) & (m > 0.0) else square
        share = 1.0 / n
        a = share if share > ALPHA else ALPHA
        mean[i] = m + a * (square - m) if on[i] > 0.0 else m
        count[i] = n if on[i] > 0.0 else count[i]


@kernel
def verify(hd, d, row, t, base):
    """Compare the forecasts of one mixture, whose words begin at ``base``, with what came: y at ``row[timed :]``."""
    C, H, E, T = hd[at.CHANNELS], hd[at.HORIZON], hd[at.EXPERTS], hd[at.TIMED]
    n = C * H
    if base == at.INFORMED:
        E += 1
    s = d[hd[at.LANES] : hd[at.LANES] + 3 * (hd[at.EXPERTS] + 1) * n + at.LANE_ROWS * n]
    e, on, now, rms = s[:n], s[n : 2 * n], s[2 * n : 3 * n], s[3 * n : 4 * n]
    g, limit, context, p = s[4 * n : 5 * n], s[5 * n : 6 * n], s[6 * n : 7 * n], s[7 * n : 8 * n]
    scratch = s[8 * n : 8 * n + (3 * E + 4) * n]
    said = hd[at.FORECASTS] + t % H * (hd[at.EXPERTS] + hd[at.GIVEN]) * n
    f = d[said : said + E * n]
    mixed = hd[base + at.MIXED] + t % H * n
    share = hd[base + at.SHARE] + t % H * n
    any_on = False
    behind = False
    for c in range(C):
        y = row[T + c]
        known = usable(y)
        origin = t % (H + 1)
        for h in range(H):
            i = c * H + h
            origin = origin - 1 if origin > 0 else H
            v = d[mixed + i]
            if base == at.INFORMED:
                v += d[share + i] * f[(E - 1) * n + i]
            good = known and usable(v)
            p[i] = v
            on[i] = 1.0 if good else 0.0
            e[i] = v - y if good else 0.0
            context[i] = d[hd[at.CONTEXT] + c * (H + 1) + origin]
            any_on = any_on or good
            behind = behind or (good and context[i] > 0.0)
    if not any_on:
        return
    error, errors = d[hd[base + at.ERROR] : hd[base + at.ERROR] + n], d[hd[base + at.ERRORS] : hd[base + at.ERRORS] + n]
    for i in range(n):
        rms[i] = np.sqrt(error[i]) if errors[i] > 0.0 else abs(e[i])
    for i in range(n):
        most = SLOPE * rms[i] if errors[i] > BELIEVED else np.inf
        v = e[i] if e[i] < most else most
        g[i] = v if v > -most else -most
        limit[i] = MOST * most * abs(g[i]) if errors[i] > BELIEVED else np.inf
    prior = d[hd[base + at.PRIOR] : hd[base + at.PRIOR] + E]
    for k in range(2 if behind else 1):
        for i in range(n):
            now[i] = on[i] if context[i] == float(k) else 0.0
        first, last = k * E * n, (k + 1) * E * n
        believe(
            d[hd[base + at.REGRET] + first : hd[base + at.REGRET] + last],
            d[hd[base + at.SQUARES] + first : hd[base + at.SQUARES] + last],
            d[hd[base + at.BOUND] + first : hd[base + at.BOUND] + last],
            d[hd[base + at.WEIGHTS] + first : hd[base + at.WEIGHTS] + last],
            f, prior, g, p, limit, now, scratch,
        )  # fmt: skip
    for c in range(C):
        for h in range(H):
            i = c * H + h
            pace = max(1.0 / (1.0 + h / OVERLAP), 1.0 / (1.0 + errors[i] / YOUNG))
            now[i] = on[i] * pace if rms[i] > 0.0 else 0.0
            now[i] = -on[i] if errors[i] == 0.0 else now[i]
    for i in range(n):
        g[i] = -e[i] / rms[i]
    track(d[hd[base + at.QUANTILES] : hd[base + at.QUANTILES] + len(LEVELS) * n], g, now)
    mean_square(error, errors, e, on)
