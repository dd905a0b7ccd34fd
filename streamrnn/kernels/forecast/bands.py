"""The entry for bands: forecasts and how far quantiles of the errors lie from them, for each channel, step and level."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.compile import entry, kernel
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.conformal import LEVELS
from streamrnn.kernels.net.areas import views
from streamrnn.kernels.net.stamp import stamp_of


@kernel
def _sorted(tracked, first, n, found):
    """Write one lane's quantiles, every n-th number from ``first`` on, into found in ascending order."""
    for k in range(found.size):
        v, there = tracked[first + k * n], k
        while there > 0 and found[there - 1] > v:
            found[there] = found[there - 1]
            there -= 1
        found[there] = v


@functools.cache
def bands() -> Any:
    """Return ``run(state, places, known, horizon, out)``: distances from the forecasts (C, horizon, levels), ascending with the level.

    places: each level's place among the tracked ones, between two of them too. The first ``known`` steps are those of the mixture with known
    features; beyond the model's own horizon bands widen with the square root of the steps. Changes scratch alone.
    """
    stamp = stamp_of(CELLS["lstm"])

    def run(state, places, known, horizon, out):
        stamp  # noqa: B018  part of the cache's key
        hd, _, d = views(state)
        C, H = hd[at.CHANNELS], hd[at.HORIZON]
        n, N, found = C * H, places.size, d[hd[at.SCRATCH] : hd[at.SCRATCH] + len(LEVELS)]
        for c in range(C):
            for h in range(horizon):
                own = min(h, H - 1)
                base = at.INFORMED if h < known else at.PLAIN
                spread = np.sqrt(d[hd[base + at.MEAN_ERROR] + c * H + own]) * np.sqrt((h + 1.0) / (own + 1.0))
                if h <= own:
                    _sorted(d, hd[base + at.QUANTILES] + c * H + own, n, found)
                for k in range(N):
                    below = min(int(places[k]), len(LEVELS) - 2)
                    v = found[below] + (places[k] - below) * (found[below + 1] - found[below])
                    out[(c * horizon + h) * N + k] = v * spread

    return entry(run)
