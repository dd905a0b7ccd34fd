"""Seasons and long lags: published protocols, and streams of people's days and weeks.

Every value is learned once,
in order, by the defaults; a forecast is asked at each origin and knows what lies before it. Shown are MASE (mean absolute error over the scale that
each protocol names), MSE where the generator's noise is 1, CRPS over the same scale (11 levels), and the share in the 80 % band.

GIFT-Eval on ETTh2 (T. Aksu et al., arXiv 2410.10393): horizon 48, the last 20 windows, scale: the seasonal naive of 24 on what lies before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from forecasting.places import table
from forecasting.streams import Array

from streamrnn import RNNForecaster

LEVELS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
HEAD = ("stream", "score", "seasonal naive", "CRPS", "80 % band holds")
PUBLISHED = "published: seasonal naive .923, auto-ARIMA .952, TimesFM 2.5 .739, Chronos-2 .736, TiRex .723"


@dataclass(frozen=True)
class Case:
    """Values (n, C), origins (forecasts are of rows o, o + 1 ...), the season of the naive control, and each origin's scale (C)."""

    name: str
    y: Array
    origins: tuple[int, ...]
    horizon: int
    season: int
    scales: Array
    squared: bool = False


def gift(seed: int) -> Case:  # noqa: ARG001  real: one stream for all seeds
    """ETTh2 by GIFT-Eval's protocol."""
    y = table("ett/ETTh2.csv", 1)
    origins = tuple(len(y) - 960 + 48 * i for i in range(20))
    scales = np.array([np.abs(y[24:o] - y[: o - 24]).mean(axis=0) for o in origins])
    return Case(f"ETTh2, GIFT-Eval ({PUBLISHED})", y, origins, 48, 24, scales)


def traffic(seed: int) -> Case:  # noqa: ARG001
    """Every 7th hour of a road's traffic, from the first quarter on; the scale is the last value's error one step ahead."""
    y = table("hourly/traffic.csv", 1)
    n = len(y)
    origins = tuple(range(n // 4 + 1, n - 23, 7))
    scale = np.abs(np.diff(y[n // 4 :], axis=0)).mean(axis=0)
    return Case("traffic, hourly", y, origins, 24, 168, np.tile(scale, (len(origins), 1)))


def weekly(weekend: float, day: int, seed: int) -> Case:
    """Working days and weekends of a known shape under white noise of variance 1: no forecast has a smaller MSE than 1."""
    first = {24: 4000}.get(day, 56 * day)
    n = first + 1900 + 24
    t = np.arange(n)
    free = t // day % 7 >= 5
    swing = 10 * np.sin(2 * np.pi * t / day) * np.where(free, weekend, 1.0)
    y = 50 + swing + np.where(free, 0.0, 5 * (1 - weekend)) + np.random.default_rng([seed, 9]).normal(size=n)
    origins = tuple(range(first, first + 1900, 3))
    return Case(
        f"week of {day} a day, weekend x {weekend}", y[:, None], origins, 24, 7 * day, np.ones((len(origins), 1)), True
    )


CASES = {"gift": gift, "traffic": traffic} | {
    f"week-{day}-{a}": (lambda seed, a=a, day=day: weekly(a, day, seed))
    for day, a in ((24, 0.3), (24, 0.5), (24, 0.7), (48, 0.5), (288, 0.5))
}


def measure(name: str, seed: int) -> dict[str, float]:
    """Return what one case gives for one seed: ours, bands, and the seasonal naive."""
    case = CASES[name](seed)
    model, n = RNNForecaster(horizon=case.horizon, seed=seed), 0
    told, bands = [], []
    for o in case.origins:
        model.learn_many(case.y[n:o])
        n = o
        told.append([[step[c] for c in range(case.y.shape[1])] for step in model.forecast(case.horizon)])
        steps = model.forecast_quantiles(case.horizon, LEVELS)
        bands.append([[list(step[c].values()) for c in range(case.y.shape[1])] for step in steps])
    truth = np.array([case.y[o : o + case.horizon] for o in case.origins])
    back = np.arange(case.horizon) // case.season + 1
    naive = np.array([case.y[o + np.arange(case.horizon) - case.season * back] for o in case.origins])
    scale = case.scales[:, None, :]
    e, q, miss = (np.array(told) - truth) / scale, np.array(bands), 0.0
    miss = truth[..., None] - q
    pinball = np.maximum(np.array(LEVELS) * miss, (np.array(LEVELS) - 1.0) * miss).mean(axis=-1)
    inside = (q[..., 1] <= truth) & (truth <= q[..., -2])
    other = (naive - truth) / scale
    own, control = (np.mean(v**2 if case.squared else np.abs(v)) for v in (e, other))
    return {"own": own, "naive": control, "crps": 2.0 * np.mean(pinball / scale), "inside": inside.mean()}


def rows(name: str, found: list[dict[str, float]]) -> list[list[str]]:
    """Return the row of one case."""
    own, naive, crps, inside = (np.array([one[k] for one in found]) for k in ("own", "naive", "crps", "inside"))
    case = CASES[name](0)
    return [
        [
            case.name, f"{'MSE' if case.squared else 'MASE'} {own.mean():.3f} ± {own.std():.1g}", f"{naive.mean():.3f}",
            f"{crps.mean():.3f}", f"{inside.mean():.1%}",
        ]
    ]  # fmt: skip
