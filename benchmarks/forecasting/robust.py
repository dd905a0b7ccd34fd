"""What streams go through: a unit that shrinks, values and rows that are missing, an outage, holidays.

A sine of 24 hours under noise of .8 and a walk, 24 and 6 steps ahead, the defaults; seeds are streams and nets. Errors are root mean squares over all steps.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pandas as pd
from forecasting.streams import Array

from streamrnn import RNNForecaster

MONDAY = dt.date(2018, 1, 1)
HEAD = ("what happens", "figure", "of", "bar")


def daily(seed: int, n: int = 3000) -> Array:
    """A sine of 24 events under noise."""
    return np.asarray(
        50 + 10 * np.sin(2 * np.pi * np.arange(n) / 24) + 0.8 * np.random.default_rng(seed).normal(size=n)
    )


def walk(seed: int, n: int = 4500) -> Array:
    """A walk at random."""
    return np.asarray(np.cumsum(np.random.default_rng(seed).normal(size=n)))


def _error(told: Array, y: Array, origins: range) -> float:
    steps = np.arange(told.shape[1])
    return float(np.sqrt(np.mean([(told[o] - y[o + steps]) ** 2 for o in origins])))


def _follow(y: Array, seed: int, horizon: int = 24, **params: object) -> Array:
    return np.asarray(RNNForecaster(horizon=horizon, seed=seed, **params).progressive_many(y))  # type: ignore[arg-type]


def shrunk(make: Callable[[int], Array]) -> Callable[[int], list[float]]:
    """A thousandth of the unit from row 3000 on: the mean squared error of rows 3100-3999 over that of the last value."""

    def run(seed: int) -> list[float]:
        y = make(seed)
        y[3000:] /= 1000.0
        told, origins = _follow(y, seed, 6), range(3101, 4001)
        last = np.repeat(np.roll(y, 1)[:, None], 6, axis=1)
        return [(_error(told, y, origins) / _error(last, y, origins)) ** 2]

    return run


def holes(seed: int) -> list[float]:
    """Thirty values missing: the error in the gap, and in the day behind it."""
    y = daily(seed)
    holed = y.copy()
    holed[2000:2030] = np.nan
    told = _follow(holed, seed)
    return [_error(told, y, range(2001, 2031)), _error(told, y, range(2031, 2055))]


def absent(seed: int) -> list[float]:
    """Thirty rows missing, with event time: the error in the day behind the gap."""
    y = daily(seed)
    there = np.r_[0:2000, 2030:3000]
    model = RNNForecaster(horizon=24, seed=seed, time="at")
    told = model.progressive_many(y[there], pd.DataFrame({"at": 3600.0 * there}))
    whole = np.full((3000, 24), np.nan)
    whole[there] = told
    return [_error(whole, y, range(2031, 2055))]


def zeros(seed: int) -> list[float]:
    """A day of zeros: the error in the second day behind it."""
    y = daily(seed)
    holed = y.copy()
    holed[2016:2040] = 0.0
    return [_error(_follow(holed, seed), y, range(2065, 2089))]


def holidays(share: float) -> Callable[[int], list[float]]:
    """Hourly weeks, noise of 1; 25 of 250 days go by ``share`` as a Sunday: MSE of rows 4000-5899 with no calendar, with hour and weekday, with the days listed too."""

    def run(seed: int) -> list[float]:
        rng, t = np.random.default_rng([seed, 9]), np.arange(6000)
        off = rng.choice(250, 25, replace=False)
        free = np.where(t // 24 % 7 >= 5, 1.0, share * np.isin(t // 24, off))
        wave = 10 * np.sin(2 * np.pi * t / 24)
        y = 50 + free * 0.3 * wave + (1 - free) * (wave + 3.5) + rng.normal(size=6000)
        days = tuple(str(MONDAY + dt.timedelta(int(day))) for day in np.sort(off))
        at = pd.DataFrame({"at": (MONDAY - dt.date(1970, 1, 1)).days * 86_400.0 + 3600.0 * t})
        week = {"time": "at", "calendar": ("hour", "weekday")}
        return [
            _error(
                np.asarray(RNNForecaster(horizon=24, seed=seed, **known).progressive_many(y, at)), y, range(4000, 5900)
            )
            ** 2  # type: ignore[arg-type]
            for known in ({"time": "at"}, week, {**week, "holidays": days})
        ]

    return run


KNOWN = tuple(
    (f"MSE (noise 1), {known}", bar)
    for known, bar in (("no calendar", "-"), ("hour and weekday", "-"), ("and the days listed", "1.7"))
)
CASES: dict[str, tuple[Callable[[int], list[float]], tuple[tuple[str, str], ...]]] = {
    "unit / 1000, a season": (shrunk(lambda seed: daily(seed, 4500)), (("over the last value's MSE, events 100-1000", "1.05"),)),
    "unit / 1000, a walk": (shrunk(walk), (("over the last value's MSE, events 100-1000", "1.05"),)),
    "30 values missing": (holes, (("rmse in the gap (noise .8)", "1.7"), ("rmse of the day after", "1.7"))),
    "30 rows absent": (absent, (("rmse of the day after", "1.7"),)),
    "holidays that go as Sundays": (holidays(1.0), KNOWN),
    "holidays that go half as Sundays": (holidays(0.5), KNOWN),
    "holidays that go as any day": (holidays(0.0), KNOWN),
    "a day of zeros": (zeros, (("rmse of the second day after", "3"),)),
}  # fmt: skip


def measure(name: str, seed: int) -> list[float]:
    """Return the figures of one case for one seed."""
    return CASES[name][0](seed)


def rows(name: str, found: list[list[float]]) -> list[list[str]]:
    """Return the rows of one case."""
    figures = np.array(found)
    return [
        [name, f"{figures[:, i].mean():.3g} ± {figures[:, i].std():.1g}", what, bar]
        for i, (what, bar) in enumerate(CASES[name][1])
    ]
