"""The mixture's forecasts: the experts' weighted mean, kept until they are verified.

An expert that states NaN for the first step has no opinion yet: its forecasts are then the mean of the others, so that its weight stays as it is
(Y. Freund et al., Using and combining predictors that specialize, STOC 1997).
"""

from __future__ import annotations

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.experts.bounds import bound, kept_distance, reach
from streamrnn.kernels.forecast.experts.last import STEADY_CODE
from streamrnn.kernels.forecast.experts.profile import PROFILE_CODE
from streamrnn.kernels.forecast.pending import rings_of
from streamrnn.kernels.reinterpret import reinterpret


@kernel
def _keep(hd, d, c, e, forecasts, value):
    """Keep an expert's forecasts until the events that they are for, as distances from the last value."""
    f = reinterpret(d, np.float32)
    rings = hd[at.EXPERT_FORECASTS] + (e * hd[at.CHANNELS] + c) * rings_of(hd)
    for h in range(hd[at.HORIZON]):
        f[rings + hd[hd[at.PENDING_AT] + h]] = kept_distance(forecasts[h] - value)


@kernel
def _awake(hd, d, c, t, value, weights, now):
    """Write the weighted mean of those with an opinion into now (H); what the others state is that."""
    f = reinterpret(d, np.float32)
    H, E, n = hd[at.HORIZON], hd[at.N_EXPERTS], hd[at.CHANNELS] * hd[at.HORIZON]
    scratch = hd[at.SCRATCH]
    share, low, high = d[scratch : scratch + H], d[scratch + H : scratch + 2 * H], d[scratch + 2 * H : scratch + 3 * H]
    reach(hd, d, c, t, value, low, high)
    asleep = 0
    for h in range(H):
        now[h] = value  # and what experts add to it: weights that sum to 1 but for rounding spoil no constant
        share[h] = 0.0
    for e in range(E):
        forecasts = d[hd[at.SCRATCH_LANES] + e * n + c * H : hd[at.SCRATCH_LANES] + e * n + (c + 1) * H]
        w = f[weights + e * n : weights + e * n + H]
        if hd[at.CODE + e] >= PROFILE_CODE and not abs(forecasts[0]) >= 0.0:
            asleep += 1
            continue
        if hd[at.CODE + e] > STEADY_CODE:
            bound(forecasts, low, high, value)
        _keep(hd, d, c, e, forecasts, value)
        for h in range(H):
            now[h] += w[h] * (forecasts[h] - value)
            share[h] += w[h]
    if asleep == 0:
        return
    for h in range(H):
        now[h] = value + (now[h] - value) / share[h] if share[h] > 0.0 else value
    for e in range(E):
        forecasts = d[hd[at.SCRATCH_LANES] + e * n + c * H : hd[at.SCRATCH_LANES] + e * n + (c + 1) * H]
        if hd[at.CODE + e] >= PROFILE_CODE and not abs(forecasts[0]) >= 0.0:
            for h in range(H):
                forecasts[h] = now[h]
            _keep(hd, d, c, e, forecasts, value)


@kernel
def mix(hd, d, t):
    """Write each mixture's forecasts from t, and keep its experts' until the events that they are for."""
    f = reinterpret(d, np.float32)
    C, H, E = hd[at.CHANNELS], hd[at.HORIZON], hd[at.N_EXPERTS]
    G, n = hd[at.GIVEN], hd[at.CHANNELS] * hd[at.HORIZON]
    for c in range(C):
        value = d[hd[at.BASE] + c * (H + 1) + t % (H + 1)]
        context = int(d[hd[at.CONTEXT] + c * (H + 1) + t % (H + 1)])
        for k in range(1 + G):
            base = at.PLAIN if k == 0 else at.INFORMED
            weights = hd[base + at.WEIGHTS] + context * (E + k) * n + c * H
            now = d[hd[base + at.NEXT_FORECASTS] + c * H : hd[base + at.NEXT_FORECASTS] + (c + 1) * H]
            if k == 0:
                _awake(hd, d, c, t, value, weights, now)
            else:
                for h in range(H):
                    now[h] = value
                for e in range(E):
                    forecasts = d[hd[at.SCRATCH_LANES] + e * n + c * H : hd[at.SCRATCH_LANES] + e * n + (c + 1) * H]
                    w = f[weights + e * n : weights + e * n + H]
                    for h in range(H):
                        now[h] += w[h] * (forecasts[h] - value)
            for h in range(H):
                waits = c * rings_of(hd) + hd[hd[at.PENDING_AT] + h]
                f[hd[base + at.MIXED_FORECASTS] + waits] = kept_distance(now[h] - value)
                if k > 0:
                    share = f[weights + E * n + h]
                    now[h] -= share * value
                    f[hd[base + at.SHARE] + waits] = share
    hd[at.N_EVENTS] = t + 1
