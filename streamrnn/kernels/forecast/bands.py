"""The question for bands: how far quantiles of the errors lie from the forecasts, for each level, step and channel."""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.conformal import LEVELS
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.reinterpret import reinterpret

BANDS_HEAD: Final = 3  # numbers of a question before the places: how many levels, how many known steps, how many steps


@kernel
def _sorted(tracked, first, n, found):
    """Write one lane's quantiles, every n-th number from ``first`` on, into found in ascending order."""
    for k in range(found.size):
        v, there = tracked[first + k * n], k
        while there > 0 and found[there - 1] > v:
            found[there] = found[there - 1]
            there -= 1
        found[there] = v


@kernel
def bands(hd, d, asked):
    """Write the distances from the forecasts (levels, horizon, C), ascending with the level, behind the question.

    asked: ``[levels | known | horizon | places (levels) | distances]``; places: each level's place among the tracked ones, between two of them
    too. The first ``known`` steps are those of the mixture with known features; beyond the model's own horizon bands widen with the square root
    of the steps. Changes scratch alone.
    """
    C, H = hd[at.CHANNELS], hd[at.HORIZON]
    N, known, horizon = int(asked[0]), int(asked[1]), int(asked[2])
    f, n, found = reinterpret(d, np.float32), C * H, d[hd[at.SCRATCH] : hd[at.SCRATCH] + len(LEVELS)]
    places, out = asked[BANDS_HEAD : BANDS_HEAD + N], asked[BANDS_HEAD + N :]
    for c in range(C):
        for h in range(horizon):
            own = min(h, H - 1)
            base = at.INFORMED if h < known else at.PLAIN
            spread = np.sqrt(d[hd[base + at.MEAN_ERROR] + c * H + own]) * np.sqrt((h + 1.0) / (own + 1.0))
            if h <= own:
                _sorted(f, hd[base + at.QUANTILES] + c * H + own, n, found)
            for k in range(N):
                below = min(int(places[k]), len(LEVELS) - 2)
                v = found[below] + (places[k] - below) * (found[below + 1] - found[below])
                out[(k * horizon + h) * C + c] = v * spread
