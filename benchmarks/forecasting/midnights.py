"""The day ahead at midnight: learned online, against batch models that are refitted every day.

A road's hourly traffic; at each of the last 60 midnights the 24 hours that follow are forecast, with all that lies before. MASE is the mean absolute error over that of the last value one step ahead,
both of what is scored from the first quarter on. The others are fitted anew at each midnight: LightGBM on all days before (hour, weekday, the same hour
1 to 7 and 14 days back, the last value), MSTL of a day and a week with exponential smoothing of what is left, and ETS with a season of a day, both of Nixtla's statsforecast, on the last four and ten weeks; a
ridge on the last 336 values of all days before. "With holidays" knows the federal holidays of the United States, in advance, as a calendar does.
"""

from __future__ import annotations

import datetime as dt
import time
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from forecasting.places import table
from forecasting.streams import Array

from streamrnn import RNNForecaster

DAY, DAYS = 24, 60
FIRST = dt.date(2016, 10, 1)
HOLIDAYS = (
    "2016-10-10", "2016-11-11", "2016-11-24", "2016-12-26", "2017-01-02", "2017-01-16", "2017-02-20", "2017-05-29", "2017-07-04", "2017-09-04",
    "2017-10-09", "2017-11-10", "2017-11-23", "2017-12-25", "2018-01-01", "2018-01-15", "2018-02-19", "2018-05-28", "2018-07-04", "2018-09-03",
)  # fmt: skip
LAGS = tuple(24 * back for back in (1, 2, 3, 4, 5, 6, 7, 14))
HEAD = ("model", "MASE", "CPU a day, ms")

Model = Callable[[Array, int], Array]
"""Forecasts the 24 hours from row o on, of a series whose rows from o on it may not look at."""


def _online(y: Array, origins: list[int], **params: object) -> list[Array]:
    model, done, told = RNNForecaster(horizon=DAY, **params), 0, []  # type: ignore[arg-type]
    start = (FIRST - dt.date(1970, 1, 1)).days * 86_400.0
    at = pd.DataFrame({"at": start + 3600.0 * np.arange(len(y))})
    for o in origins:
        model.learn_many(y[done:o], at[done:o] if "time" in params else None)
        done = o
        told.append(np.array(model.forecast(DAY)))
    return told


def last_week(y: Array, o: int) -> Array:
    """Return the values of the week before."""
    return y[o - 168 : o - 144]


def ridge(y: Array, o: int) -> Array:
    """Windows of 336 values minus their last, at every hour before; penalty 1e-3 of the mean eigenvalue."""
    L = 336
    windows = np.lib.stride_tricks.sliding_window_view(y[:o], L + DAY)[:: 1 if o < 4000 else 2]
    X, Y = windows[:, : L - 1] - windows[:, L - 1 : L], windows[:, L:] - windows[:, L - 1 : L]
    G = X.T @ X
    G += np.eye(L - 1) * 1e-3 * np.trace(G) / (L - 1)
    return np.asarray(y[o - 1] + (y[o - L : o - 1] - y[o - 1]) @ np.linalg.solve(G, X.T @ Y))


def features(y: Array, o: int, *, holidays: bool) -> Array:
    """Return what trees are given for the 24 rows from o on: (24, features)."""
    hours = np.arange(o, o + DAY)
    day = hours // 24
    columns = [hours % 24, (day + FIRST.weekday()) % 7, *(y[hours - lag] for lag in LAGS), np.full(DAY, y[o - 1])]
    if holidays:
        off = {(dt.date.fromisoformat(one) - FIRST).days for one in HOLIDAYS}
        columns += [np.isin(day - back, list(off)).astype(float) for back in (0, 1, 7)]
    return np.column_stack(columns)


def boosted(y: Array, o: int, *, holidays: bool = False) -> Array:
    """LightGBM, one model for all hours, 200 trees; by absolute errors, which is an eighth better here than by squared ones."""
    from lightgbm import LGBMRegressor  # noqa: PLC0415

    before = range(336, o - DAY + 1, DAY)
    X, z = (
        np.concatenate([features(y, b, holidays=holidays) for b in before]),
        np.concatenate([y[b : b + DAY] for b in before]),
    )
    model = LGBMRegressor(objective="l1", n_estimators=200, n_jobs=1, verbose=-1, random_state=0).fit(X, z)
    return np.asarray(model.predict(features(y, o, holidays=holidays)))


def mstl(y: Array, o: int) -> Array:
    """A day and a week taken off, the rest by exponential smoothing; on four weeks, which is better here than ten or twenty."""
    from statsforecast.models import MSTL, AutoETS  # noqa: PLC0415

    model = MSTL(season_length=[24, 168], trend_forecaster=AutoETS(model="ZZN"))
    return np.asarray(model.forecast(y[o - 672 : o], h=DAY)["mean"])


def ets(y: Array, o: int) -> Array:
    """Exponential smoothing with a season of a day, level and season additive: to choose the form costs six times as much."""
    from statsforecast.models import AutoETS  # noqa: PLC0415

    return np.asarray(AutoETS(season_length=24, model="ANA").forecast(y[o - 1680 : o], h=DAY)["mean"])


MODELS: dict[str, Callable[[Array, list[int]], list[Array]]] = {
    "RNNForecaster, defaults": _online,
    "the same with holidays": lambda y, origins: _online(y, origins, time="at", holidays=HOLIDAYS),
    **{
        label: (lambda y, origins, model=model: [model(y, o) for o in origins])
        for label, model in {
            "last week": last_week, "ridge on 336 values, refitted daily": ridge, "MSTL + ETS, refitted daily": mstl,
            "ETS of a day, refitted daily": ets, "LightGBM, refitted daily": boosted,
            "LightGBM with holidays, refitted daily": lambda y, o: boosted(y, o, holidays=True),
        }.items()
    },
}  # fmt: skip


def measure(label: str) -> list[str]:
    """Return the row of one model."""
    warnings.simplefilter("ignore")
    y = table("hourly/traffic.csv", 1)[:, 0]
    end = len(y) // DAY * DAY
    origins = list(range(end - DAYS * DAY, end, DAY))
    scale = np.abs(np.diff(y[len(y) // 4 :])).mean()
    try:
        MODELS[label](y, origins[:1])  # what is compiled once is no cost of a day
        start = time.process_time()
        told = MODELS[label](y, origins)
        spent = time.process_time() - start
    except ImportError as error:
        return [label, f"not installed: {error.name}", "-"]
    online = label.startswith(("RNN", "the same"))
    a_day = spent / (origins[-1] / DAY) if online else spent / DAYS
    missed = np.mean([np.abs(one - y[o : o + DAY]).mean() for one, o in zip(told, origins, strict=True)])
    return [label, f"{missed / scale:.3f}", f"{1e3 * a_day:.2g}"]
