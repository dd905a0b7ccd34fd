"""The protocol: every forecast is made before the values that it speaks of are shown, and every value is learned once.

Row t of what :func:`follow` returns was stated after rows 0 ... t - 1 had been learned, one by one, and before row t was shown in any way:
its step 0 speaks of row t. A model gets copies, so that nothing it does reaches the stream. Where a stream says so, the features x of the
rows ahead are told with the question, never y.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from forecasting.streams import Array, Stream

LEVELS = tuple(k / 10 for k in range(1, 10))  # of CRPS; the first and last are the 80 % band
ASKED = 5  # bands are asked at one event in so many; of short forecasts at each
SHORT = 3


class Model(Protocol):
    """What the engine asks of a model."""

    def learn(self, y: Array, x: Array) -> None:
        """Take a row in: y (C), x (F)."""

    def forecast(self, xs: Array | None = None) -> Array:
        """Return the forecasts of the next rows (H, C); xs (H, F): their features, where those are known."""

    def bands(self, xs: Array | None = None) -> Array | None:
        """Return quantiles of the next rows (H, C, levels), or None."""


@dataclass
class Run:
    """What a model stated.

    Parameters
    ----------
    forecasts
        (n, H, C).
    asked
        Events at which bands were asked.
    bands
        (asked, H, C, levels); or None.
    us
        CPU microseconds an event, learning included, bands not.
    """

    forecasts: Array
    asked: list[int]
    bands: Array | None
    us: float


def _to_come(x: Array, t: int, horizon: int) -> Array:
    """Return the features of rows t ... t + horizon - 1, NaN beyond the end."""
    found = np.full((horizon, x.shape[1]), np.nan)
    found[: len(x) - t] = x[t : t + horizon]
    return found


def follow(model: Model, stream: Stream, horizon: int, n: int | None = None) -> Run:
    """Run a model over a stream, one event at a time."""
    y, x = stream.y[:n], stream.x[:n]
    found = np.full((len(y), horizon, y.shape[1]), np.nan)
    asked: list[int] = []
    bands: list[Array] = []
    spent = 0.0
    every = 1 if horizon * y.shape[1] <= SHORT else ASKED
    for t in range(len(y)):
        xs = _to_come(x, t, horizon) if stream.known else None
        start = time.process_time()
        found[t] = model.forecast(xs)
        spent += time.process_time() - start
        if t >= stream.start - horizon and t % every == 0 and (one := model.bands(xs)) is not None:
            asked.append(t)
            bands.append(one)
        start = time.process_time()
        model.learn(y[t].copy(), x[t].copy())
        spent += time.process_time() - start
    return Run(found, asked, np.array(bands) if asked else None, 1e6 * spent / len(y))


def errors(stream: Stream, forecasts: Array) -> Array:
    """Return forecast minus value (n, H, C) where both exist and the value is scored, NaN elsewhere.

    For a scaled stream (ETTh2) the windows are those of the literature: whole ones only.
    """
    n, H, _ = forecasts.shape
    found = np.full(forecasts.shape, np.nan)
    for h in range(H):
        first = stream.start if stream.whole else max(stream.start - h, 1)
        t = np.arange(first, n - H + 1 if stream.whole else n - h)
        found[t, h] = forecasts[t, h] - stream.y[t + h]
    return found


def scores(stream: Stream, run: Run) -> dict[str, Any]:
    """Return the row of the table for one run: MSE, MAE, MASE, coverage, CRPS, what was not finite, CPU."""
    e = errors(stream, run.forecasts)
    scored = np.isfinite(errors(stream, np.zeros_like(run.forecasts)))
    last = np.full_like(run.forecasts, np.nan)
    last[1:] = stream.y[:-1, None, :]
    persistence = np.nanmean(np.abs(errors(stream, last)))
    row: dict[str, Any] = {
        "mse": float(np.nanmean(e**2)), "first": float(np.nanmean(e[:, 0] ** 2)), "mae": float(np.nanmean(np.abs(e))),
        "lost": int((~np.isfinite(run.forecasts) & scored).sum()), "us": run.us,
    }  # fmt: skip
    row["mase"] = row["mae"] / persistence if persistence > 0.0 else float("nan")
    if run.bands is not None:
        truth = (run.forecasts - e)[run.asked]
        known = np.isfinite(truth)[..., None] & np.isfinite(run.bands)
        inside = (run.bands[..., 0] <= truth) & (truth <= run.bands[..., -1])
        row["cover"] = [float(inside[:, h][known[:, h, :, 0]].mean()) for h in range(e.shape[1]) if known[:, h].any()]
        miss = truth[..., None] - run.bands
        pinball = np.maximum(np.array(LEVELS) * miss, (np.array(LEVELS) - 1.0) * miss)
        row["crps"] = 2.0 * float(pinball[known].mean())
    return row
