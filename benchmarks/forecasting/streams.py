"""The streams of the forecasting benchmark: real ones, and generators whose best possible error is known.

A generator takes a seed, so that "three seeds" means three streams and three nets. ``optimum`` is the mean squared error
of the best one-step forecast, the variance of the noise that nobody can know.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Stream:
    """One stream: y (n, C), exogenous x (n, F), and how it is scored.

    Parameters
    ----------
    name
        Row of the table.
    y, x
        Values and exogenous features; row t of x is known when row t of y is, not before.
    horizons
        Steps ahead that are shown.
    start
        First row whose value is scored.
    period
        Season of the seasonal naive; 1 where there is none.
    optimum
        Mean squared error of the oracle one step ahead, or None.
    whole
        Score whole windows only, all steps of each, as the literature on this stream does.
    real
        The same for every seed.
    by_mae
        Judged by mean absolute error, as this stream usually is.
    known
        Models are told x of the steps ahead when they are asked, as one knows a calendar.
    """

    name: str
    y: Array
    x: Array
    horizons: tuple[int, ...] = (3,)
    start: int = 1000
    period: int = 1
    optimum: float | None = None
    whole: bool = False
    real: bool = False
    by_mae: bool = False
    known: bool = False


def _univariate(name: str, y: Array, **rest: object) -> Stream:
    return Stream(name, y.reshape(-1, 1), np.empty((len(y), 0)), **rest)  # type: ignore[arg-type]


def latch(seed: int, n: int = 40_000, noise: float = 0.1) -> Stream:
    """A pulse of +1 or -1 at random moments (mean gap 150); at marked queries the answer is the last pulse.

    Features: the pulse, and the mark, which comes one event before the answer. No model with finitely many lags solves it, and
    none that is linear.
    """
    rng = np.random.default_rng([seed, 1])
    pulse = np.where(rng.random(n) < 1 / 150, rng.choice([-1.0, 1.0], n), 0.0)
    query = (rng.random(n) < 0.12).astype(float)
    held = np.zeros(n)
    last = 0.0
    for t in range(n):
        last = pulse[t] if pulse[t] != 0.0 else last
        held[t] = last
    y = rng.normal(0.0, noise, n)
    y[1:] += query[:-1] * held[:-1]
    return Stream("latch", y[:, None], np.column_stack([pulse, query]), (1,), n // 2, optimum=noise**2)


def switching(seed: int, n: int = 20_000) -> Stream:
    """AR(2) whose coefficients change every 2000 events among three regimes that recur; Student-t noise (3 degrees)."""
    rng = np.random.default_rng([seed, 2])
    noise, y = rng.standard_t(5, n), np.zeros(n)
    modes = ((1.6, -0.8), (0.2, -0.7), (-0.9, -0.2))
    for t in range(2, n):
        a, b = modes[t // 2000 % 3]
        y[t] = a * y[t - 1] + b * y[t - 2] + noise[t]
    return _univariate("switching AR", y, optimum=5 / 3)


def threshold(seed: int, n: int = 20_000) -> Stream:
    """Smooth-threshold AR: two AR(1) regimes, mixed by a logistic function of the value two steps back."""
    rng = np.random.default_rng([seed, 3])
    noise, y = rng.normal(0.0, 0.3, n), np.zeros(n)
    for t in range(2, n):
        mix = 1.0 / (1.0 + np.exp(-8.0 * y[t - 2]))
        y[t] = (0.9 * y[t - 1] + 0.5) * (1.0 - mix) + (-0.7 * y[t - 1] - 0.2) * mix + noise[t]
    return _univariate("threshold AR", y, optimum=0.09)


def driven(seed: int, n: int = 10_000) -> Stream:
    """What two features do at once, a smooth one and a rare one, under an AR(1) that nobody knows; their future is not told."""
    rng = np.random.default_rng([seed, 7])
    noise, u, warm = rng.normal(0.0, 0.3, n), np.zeros(n), np.zeros(n)
    drift, holiday = rng.normal(0.0, 1.0, n), (rng.random(n) < 1 / 20).astype(float)
    for t in range(1, n):
        u[t] = 0.7 * u[t - 1] + noise[t]
        warm[t] = 0.9 * warm[t - 1] + drift[t]
    y = u + 2.0 * warm - 5.0 * holiday
    return Stream("driven", y[:, None], np.column_stack([warm, holiday]), start=2000, optimum=0.09)


def driven_known(seed: int) -> Stream:
    """The same, and the features of the steps ahead are told."""
    return replace(driven(seed), name="driven, xs given", known=True)


def transferred(seed: int, n: int = 10_000) -> Stream:
    """y[t] = 0.8 y[t - 1] + x[t] - 0.4 x[t - 1] + noise, x white and known ahead: what a feature does goes on."""
    rng = np.random.default_rng([seed, 8])
    x, noise, y = rng.normal(0.0, 1.0, n), rng.normal(0.0, 0.3, n), np.zeros(n)
    for t in range(1, n):
        y[t] = 0.8 * y[t - 1] + x[t] - 0.4 * x[t - 1] + noise[t]
    return Stream("transfer, xs given", y[:, None], x[:, None], start=2000, optimum=0.09, known=True)


def slow(seed: int, n: int = 20_000) -> Stream:
    """A sine of period 1000 under white noise of the same power."""
    rng = np.random.default_rng([seed, 4])
    y = np.sin(2 * np.pi * np.arange(n) / 1000) + rng.normal(0.0, np.sqrt(0.5), n)
    return _univariate("period 1000", y, start=3000, period=1000, optimum=0.5)


def constant(seed: int, n: int = 5000) -> Stream:
    """One value for ever."""
    return _univariate("constant", np.full(n, 17.25 + seed), optimum=0.0)


def large(seed: int, n: int = 10_000) -> Stream:
    """AR(1) around 1e6 with a spread of 1e6."""
    rng = np.random.default_rng([seed, 5])
    noise, y = rng.normal(0.0, 1.0, n), np.zeros(n)
    for t in range(1, n):
        y[t] = 0.8 * y[t - 1] + noise[t]
    return _univariate("scale 1e6", 1e6 * (1.0 + y), optimum=1e12)


def spikes(seed: int, n: int = 20_000) -> Stream:
    """AR(1) with a spike of 50 standard deviations at one event in 200."""
    rng = np.random.default_rng([seed, 6])
    noise, y = rng.normal(0.0, 1.0, n), np.zeros(n)
    for t in range(1, n):
        y[t] = 0.9 * y[t - 1] + noise[t]
    y += np.where(rng.random(n) < 1 / 200, 50.0 * rng.choice([-1.0, 1.0], n), 0.0)
    return _univariate("spikes", y)


def _river(name: str, seed: int, **rest: object) -> Stream:  # noqa: ARG001  real: one stream for all seeds
    from river import datasets  # noqa: PLC0415

    return _univariate(
        name, np.array([float(y) for _, y in getattr(datasets, name)()]), horizons=(3,), real=True, by_mae=True, **rest
    )


def airline(seed: int) -> Stream:
    """144 months of airline passengers."""
    return _river("AirlinePassengers", seed, start=12, period=12)


def approval(seed: int) -> Stream:
    """1001 days of approval of a president."""
    return _river("TrumpApproval", seed, start=12)


def water(seed: int) -> Stream:
    """1268 hours of flow in a water main."""
    return _river("WaterFlow", seed, start=12, period=24)


def ett(seed: int) -> Stream:  # noqa: ARG001
    """ETTh2: 7 channels, hourly, scaled by its rows 0-2879; scored are rows 3600-14399.

    Raises
    ------
    FileNotFoundError
        When ``STREAMRNN_DATA`` names no folder with ``ett/ETTh2.csv``.
    """
    folder = os.environ.get("STREAMRNN_DATA")
    if not folder:
        raise FileNotFoundError("Set STREAMRNN_DATA to the folder that holds ett/, hourly/ and nab/.")
    rows = np.genfromtxt(Path(folder) / "ett" / "ETTh2.csv", delimiter=",", skip_header=1, usecols=range(1, 8))[:14400]
    y = (rows - rows[:2880].mean(axis=0)) / rows[:2880].std(axis=0)
    return Stream("ETTh2", y, np.empty((len(y), 0)), (1, 24, 48), 3600, 24, whole=True, real=True)


STREAMS: dict[str, Callable[[int], Stream]] = {
    "airline": airline, "approval": approval, "water": water, "latch": latch, "switching": switching,
    "threshold": threshold, "slow": slow, "constant": constant, "large": large, "spikes": spikes,
    "driven": driven, "driven_known": driven_known, "transferred": transferred, "ett": ett,
}  # fmt: skip
