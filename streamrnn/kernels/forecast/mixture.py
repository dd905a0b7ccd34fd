"""The mixture's forecasts: the experts' weighted mean, kept until the moments that they speak of."""

from __future__ import annotations

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.experts.bounds import after, bound
from streamrnn.kernels.forecast.experts.last import STEADY


@kernel
def mix(hd, d, t):
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
