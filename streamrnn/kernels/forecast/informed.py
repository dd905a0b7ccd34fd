"""The question for forecasts with given features of the steps to come."""

from __future__ import annotations

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.experts import arx
from streamrnn.kernels.reinterpret import reinterpret


@kernel
def informed(hd, d, asked):
    """Write the forecasts (C H) where the features of the steps to come are given, behind those. Changes scratch alone.

    asked: ``[features of the steps to come (H F) | forecasts]``. Step h has one if every feature that counts has a value in all rows up to h, and NaN
    else.
    """
    C, F, H, E = hd[at.CHANNELS], hd[at.FEATURES], hd[at.HORIZON], hd[at.N_EXPERTS]
    n, L, t = C * H, hd[at.ARX_0 + at.LAGS], hd[at.N_EVENTS] - 1
    kept = d[hd[at.SCRATCH] : hd[at.SCRATCH] + H + L]
    out = asked[H * F :]
    for c in range(C):
        path = t % H * C + c
        begun = hd[at.ARX_0 + at.PATH_CHANGES] + path * (H + L)
        for i in range(H + L):
            kept[i] = d[begun + i]
        level = d[hd[at.ARX_0 + at.PATH_LEVEL] + path]
        context = int(d[hd[at.CONTEXT] + c * (H + 1) + t % (H + 1)])
        weights = hd[at.INFORMED + at.WEIGHTS] + (context * (E + 1) + E) * n + c * H
        before = d[hd[at.LAST_FEATURES] : hd[at.LAST_FEATURES] + hd[at.KNOWN_FEATURES]]
        known = True
        for h in range(H):
            x = asked[h * F : (h + 1) * F]
            known = known and arx.complete(hd, x)
            level = arx.step(hd, d, c, path, h, level, kept, before, x) if known else np.nan
            before = x
            out[c * H + h] = (
                d[hd[at.INFORMED + at.NEXT_FORECASTS] + c * H + h] + reinterpret(d, np.float32)[weights + h] * level
            )
