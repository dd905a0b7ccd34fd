"""Forecasting: what a district takes from two mains in the next 24 hours, at every hour, with bands.

``python examples/forecasting.py`` prints errors by hours ahead, beside two simple forecasts, with and without what is known of those hours, and
draws the last day that was forecast to ``forecast.png`` if matplotlib is there (``pip install 'streamrnn[plot]'``). The
rows are aligned by hand: what was forecast of y[t + k] before y[t] was learned is compared with y[t + k].
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn import RNNForecaster

HORIZON = 24
START = 600  # hours at the beginning that are not counted
CHANNELS = ("north", "south")
Array = NDArray[np.float64]


def district(n: int = 1200) -> tuple[list[dict[str, float]], list[dict[str, float]]]:
    """Return hourly flows in two mains, and what is known beforehand: the temperature's forecast, and when a works runs."""
    rng = np.random.default_rng(7)
    hours = np.arange(n)
    day = np.sin((hours - 8) * 2 * np.pi / 24)
    warm = 15 + 6 * np.sin((hours - 10) * 2 * np.pi / 24) + np.cumsum(rng.normal(0, 0.3, n))
    works = np.repeat(rng.random(n // 8) < 0.2, 8).astype(float)  # shifts of eight hours
    noise = rng.normal(0, 1, (n, 2))
    north = 60 + 12 * day + 0.8 * warm + noise[:, 0]
    south = 30 + 6 * day + 0.3 * warm + 15 * works + noise[:, 1]
    flows = [{"north": a, "south": b} for a, b in zip(north.tolist(), south.tolist(), strict=True)]
    known = [{"degrees": d, "works": w} for d, w in zip(warm.tolist(), works.tolist(), strict=True)]
    return flows, known


def values(steps: list[Any]) -> Array:
    """Return forecasts by channel as an array (steps, C)."""
    return np.array([[step[name] for name in CHANNELS] for step in steps])


def draw(path: Path, past: Array, came: Array, bands: list[Any]) -> None:
    """Draw the bands of 24 hours, and what then came."""
    from matplotlib.figure import Figure  # noqa: PLC0415  an extra: the figures are printed without it

    figure = Figure(figsize=(9, 5), layout="constrained")
    hours, before = np.arange(1, len(came) + 1), np.arange(1 - len(past), 1)
    for c, (ax, name) in enumerate(zip(figure.subplots(2, 1, sharex=True), CHANNELS, strict=True)):
        levels = np.array([[band[name][level] for level in (0.05, 0.25, 0.5, 0.75, 0.95)] for band in bands])
        ax.fill_between(hours, levels[:, 0], levels[:, 4], color="#e08214", alpha=0.25, label="90 % band", linewidth=0)
        ax.fill_between(hours, levels[:, 1], levels[:, 3], color="#e08214", alpha=0.4, label="50 % band", linewidth=0)
        ax.plot(hours, levels[:, 2], color="#b35806", label="median")
        ax.plot(before, past[:, c], color="#1b3a57")
        ax.plot(hours, came[:, c], color="#1b3a57", marker="o", markersize=3, label="what came")
        ax.set_ylabel(f"{name}, l/s")
    ax.set_xlabel("hours from now")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=4, frameon=False)
    figure.savefig(path, dpi=110)


def main(path: Path) -> None:
    """Forecast before each hour, learn it, and compare."""
    flows, known = district()
    y = np.array([[flow[name] for name in CHANNELS] for flow in flows])
    model = RNNForecaster(horizon=HORIZON, experts=("last", "seasonal", "drift", "rls", "rls_short", "ar", "arx"))
    blind, told, inside, times = [], [], [], range(START, len(y) - HORIZON)
    for t, flow in enumerate(flows):
        if t in times:
            xs = known[t : t + HORIZON]
            blind.append(values(model.forecast(HORIZON)))
            told.append(values(model.forecast(HORIZON, xs)))
            if t % 10 == 0:
                band = model.forecast_interval(HORIZON, 0.8, xs)
                low, high = (np.array([[step[name][side] for name in CHANNELS] for step in band]) for side in (0, 1))
                inside.append((low <= y[t : t + HORIZON]) & (y[t : t + HORIZON] <= high))
            if t == times[-1] and importlib.util.find_spec("matplotlib"):
                bands = model.forecast_quantiles(HORIZON, (0.05, 0.25, 0.5, 0.75, 0.95), xs)
                draw(path, y[t - 72 : t], y[t : t + HORIZON], bands)
        model.learn_one(flow, known[t])

    print(f"mean absolute error in l/s, both mains, hours {START} to {len(y)}")
    print("hours ahead   forecast   and the plan known   last value   same hour yesterday")
    hours = np.array(times)
    for ahead in (1, 2, 6, 12, 24):
        true = y[hours + ahead - 1]
        stated = (np.array(blind)[:, ahead - 1], np.array(told)[:, ahead - 1], y[hours - 1], y[hours + ahead - 1 - 24])
        print(
            "{:11d} {:10.2f} {:20.2f} {:12.2f} {:21.2f}".format(ahead, *(np.abs(one - true).mean() for one in stated))
        )
    print(f"80 % bands held {np.mean(inside):.0%} of the values")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "forecast.png"))
