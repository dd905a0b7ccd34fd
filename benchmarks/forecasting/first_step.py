"""What the first step costs by being one of 24: its squared error at horizon 24 over that at horizon 1, and the same of absolute errors.

The defaults, on the series of :mod:`forecasting.held_out` from a quarter of each on, and on generators where they are scored; one seed.
"""

from __future__ import annotations

import numpy as np
from forecasting import held_out
from forecasting.streams import STREAMS, Array

from streamrnn import RNNForecaster

FAR = 24
HEAD = ("series", "MSE of step 1 of 24, over that alone", "MAE")
GENERATORS = ("switching", "threshold", "latch")


def names() -> list[str]:
    """Return the names of all series and generators."""
    return [*held_out.series(), *GENERATORS]


def _errors(y: Array, x: Array | None, horizon: int, first: int) -> Array:
    found = RNNForecaster(horizon=horizon, seed=0).progressive_many(y, x)
    return np.stack([found[c][first:, 0] for c in range(y.shape[1])], axis=1) - y[first:]


def measure(name: str) -> list[str]:
    """Return the row of one series; of several channels the geometric mean."""
    if name in STREAMS:
        stream = STREAMS[name](0)
        label, y, x, first = stream.name, stream.y, stream.x if stream.x.size else None, stream.start
    else:
        one = held_out.read(name)
        label, y, x, first = one.name, one.y, None, len(one.y) // 4
    far, near = (_errors(y, x, horizon, first) for horizon in (FAR, 1))
    cells = []
    for p in (2, 1):
        ours, alone = np.nanmean(abs(far) ** p, axis=0), np.nanmean(abs(near) ** p, axis=0)
        known = (ours > 0.0) & (alone > 0.0)
        cells.append(f"{np.exp(np.mean(np.log(ours[known] / alone[known]))):.3f}" if known.any() else "-")
    return [label, *cells]
