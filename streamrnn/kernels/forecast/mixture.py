"""The mixture's forecasts: the experts' weighted mean, kept until they are verified."""

from __future__ import annotations

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.experts.bounds import after, bound
from streamrnn.kernels.forecast.experts.last import STEADY_CODE


@kernel
def mix(hd, d, t):
    """Write each mixture's forecasts from t, and keep its experts' until the events that they are for."""
    C, H, E = hd[at.CHANNELS], hd[at.HORIZON], hd[at.N_EXPERTS]
    G, n = hd[at.GIVEN], hd[at.CHANNELS] * hd[at.HORIZON]
    for c in range(C):
        value = d[hd[at.BASE] + c * (H + 1) + t % (H + 1)]
        context = int(d[hd[at.CONTEXT] + c * (H + 1) + t % (H + 1)])
        change = d[hd[at.MEAN_CHANGE] + c * H : hd[at.MEAN_CHANGE] + (c + 1) * H]
        for e in range(E):
            forecasts = d[hd[at.SCRATCH_LANES] + e * n + c * H : hd[at.SCRATCH_LANES] + e * n + (c + 1) * H]
            if hd[at.CODE + e] > STEADY_CODE:
                bound(forecasts, change, value)
            slot = t % H
            for h in range(H):
                slot = after(slot, H)
                d[hd[at.EXPERT_FORECASTS] + (slot * (E + G) + e) * n + c * H + h] = forecasts[h]
        for k in range(1 + G):
            base = at.PLAIN if k == 0 else at.INFORMED
            weights = hd[base + at.WEIGHTS] + context * (E + k) * n + c * H
            now = d[hd[base + at.NEXT_FORECASTS] + c * H : hd[base + at.NEXT_FORECASTS] + (c + 1) * H]
            for h in range(H):
                now[h] = value  # and what experts add to it: weights that sum to 1 but for rounding spoil no constant
            for e in range(E):
                forecasts = d[hd[at.SCRATCH_LANES] + e * n + c * H : hd[at.SCRATCH_LANES] + e * n + (c + 1) * H]
                w = d[weights + e * n : weights + e * n + H]
                for h in range(H):
                    now[h] += w[h] * (forecasts[h] - value)
            slot = t % H
            for h in range(H):
                slot = after(slot, H)
                if k > 0:
                    share = d[weights + E * n + h]
                    now[h] -= share * value
                    d[hd[base + at.SHARE] + slot * n + c * H + h] = share
                d[hd[base + at.MIXED_FORECASTS] + slot * n + c * H + h] = now[h]
    hd[at.N_EVENTS] = t + 1
