"""Series that nothing was chosen on: the Numenta benchmark's, beside the two that were.

Every series is followed from its beginning, 24 steps ahead at each event, by the defaults; scored are the forecasts from a quarter of it on. The control is the better of the
last value and, chosen once a series with knowledge of all of it, the value of a day or a week before. Bands are asked at every fifth event; their coverage is
given for both halves of what is scored, as the least and the most of all steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from forecasting.places import data, table
from forecasting.streams import Array

from streamrnn import RNNForecaster

HORIZON, ASKED = 24, 5
LEVELS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
LONG = 10_000  # events from which on coverage is promised to be within 2 points
HEAD = (
    "series",
    "events",
    "MASE",
    "against the better naive, worst channel",
    "MASE with the absolute loss",
    "CRPS",
    "80 % band, first half",
    "second half",
)


@dataclass(frozen=True)
class Series:
    """Values (n, C), and the seasons that the control may choose of."""

    name: str
    y: Array
    seasons: tuple[int, ...]


def series() -> Iterator[str]:
    """Return the names of all series: the two that settings were chosen on, then the others."""
    yield from ("ett/ETTh2.csv", "hourly/traffic.csv")
    folder = data() / "nab" / "data"
    yield from sorted(str(file.relative_to(data())) for file in folder.glob("*/*.csv"))


def read(path: str) -> Series:
    """Return one of them; the seasons are a day and a week of its usual step."""
    times = np.genfromtxt(data() / path, delimiter=",", skip_header=1, usecols=0, dtype="U19")
    step = np.median(np.diff(times.astype("datetime64[s]").astype(float)))
    seasons = tuple(round(seconds / step) for seconds in (86_400, 604_800))
    y = table(path, 1)
    return Series(Path(path).stem, y, tuple(m for m in seasons if m < len(y) // 4))


def _naive(one: Series, m: int, origins: Array, n: int) -> Array:
    """Return the forecasts of the last value (m = 0), or of the season before, for rows o, o + 1 ...: (origins, H, C)."""
    steps = np.arange(HORIZON)
    rows = (
        np.repeat(origins[:, None] - 1, HORIZON, axis=1) if m == 0 else origins[:, None] + steps - m * (steps // m + 1)
    )
    return one.y[np.minimum(rows, n - 1)]


def measure(path: str, seed: int = 0) -> dict[str, float | str | int]:
    """Return the row of one series."""
    one = read(path)
    n, C = one.y.shape
    model = RNNForecaster(horizon=HORIZON, seed=seed)
    origins = np.arange(max(n // 4, HORIZON), n - HORIZON + 1, ASKED)
    told, bands, done = [], [], 0
    for o in origins:
        model.learn_many(one.y[done:o])
        done = o
        told.append([[step[c] for c in range(C)] for step in model.forecast(HORIZON)])
        steps = model.forecast_quantiles(HORIZON, LEVELS)
        bands.append([[list(step[c].values()) for c in range(C)] for step in steps])
    other = RNNForecaster(horizon=HORIZON, seed=seed, loss="absolute").progressive_many(one.y)
    median = np.stack([other[c][origins] for c in range(C)], axis=2)
    truth = np.array([one.y[o : o + HORIZON] for o in origins])
    e, q = np.abs(np.array(told) - truth), np.array(bands)
    controls = [np.abs(_naive(one, m, origins, n) - truth).mean(axis=(0, 1)) for m in (0, *one.seasons)]
    best = np.min(controls, axis=0)
    scale = np.abs(np.diff(one.y[n // 4 :], axis=0)).mean(axis=0)
    moves = scale > 0.0
    miss = truth[..., None] - q
    pinball = 2.0 * np.maximum(np.array(LEVELS) * miss, (np.array(LEVELS) - 1.0) * miss).mean(axis=(0, 1, 3))
    inside = (q[..., 1] <= truth) & (truth <= q[..., -2])
    half = len(origins) // 2
    own, for_median = e.mean(axis=(0, 1)), np.abs(median - truth).mean(axis=(0, 1))
    return {
        "name": one.name, "n": n, "mase": float((own[moves] / scale[moves]).mean()) if moves.any() else 0.0,
        "absolute": float((for_median[moves] / scale[moves]).mean()) if moves.any() else 0.0,
        "worst": float((own[best > 0.0] / best[best > 0.0]).max()) if (best > 0.0).any() else 1.0,
        "crps": float((pinball[moves] / scale[moves]).mean()) if moves.any() else 0.0,
        "first": _range(inside[:half]), "second": _range(inside[half:]),
    }  # fmt: skip


def _range(inside: Array) -> str:
    by_step = inside.mean(axis=(0, 2))
    return f"{by_step.min():.0%} to {by_step.max():.0%}"


def row(found: dict[str, float | str | int]) -> list[str]:
    """Return one row of the table."""
    return [
        str(found["name"]), f"{found['n']:,}", f"{found['mase']:.3f}", f"{found['worst']:.3f}", f"{found['absolute']:.3f}", f"{found['crps']:.3f}",
        str(found["first"]), str(found["second"]),
    ]  # fmt: skip
