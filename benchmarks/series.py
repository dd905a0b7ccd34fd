"""Ordinary series, none with a long lag: what the default settings must not pay for long memory with.

``python benchmarks/series.py`` prints the mean absolute error of the expected next value over that of persistence,
second half of each series, 16 units: that of a detector, two seeds, and that of a regressor at several strides, five seeds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from river import datasets

from streamrnn import RNNAnomalyDetector, RNNRegressor

Array = NDArray[np.float64]


def mackey_glass(n: int = 20_000) -> Array:
    """Return the chaotic series of Mackey & Glass (Science 197, 1977), tau = 17, every sixth step of dt = 1."""
    x = np.full(6 * n + 1000, 1.2)
    for t in range(17, len(x) - 1):
        x[t + 1] = 0.9 * x[t] + 0.2 * x[t - 17] / (1.0 + x[t - 17] ** 10)
    return x[1000::6]


def switching(n: int = 20_000) -> Array:
    """Return an AR(2) with Student-t noise (3 degrees) whose coefficients change every 2000 events, scaled by 1000."""
    rng = np.random.default_rng(5)
    noise, x = rng.standard_t(3, n), np.zeros(n)
    modes = ((1.6, -0.8), (0.2, -0.7), (-0.9, -0.2))
    for t in range(2, n):
        a, b = modes[t // 2000 % len(modes)]
        x[t] = a * x[t - 1] + b * x[t - 2] + noise[t]
    return 1000.0 * x


def slow_period(n: int = 20_000) -> Array:
    """Return a sine of period 1000 under white noise of the same power."""
    t = np.arange(n)
    return np.sin(2 * np.pi * t / 1000) + np.random.default_rng(6).normal(0.0, np.sqrt(0.5), n)


def water_flow() -> Array:
    """Return river's WaterFlow: 1268 hourly values."""
    return np.array([flow for _, flow in datasets.WaterFlow()])


def approval() -> Array:
    """Return the target of river's TrumpApproval: 1001 daily values."""
    return np.array([y for _, y in datasets.TrumpApproval()])


def airline() -> Array:
    """Return the target of river's AirlinePassengers: 144 monthly values."""
    return np.array([y for _, y in datasets.AirlinePassengers()], float)


SERIES = {
    "Mackey-Glass": mackey_glass, "WaterFlow": water_flow, "TrumpApproval": approval, "switching": switching,
    "period 1000": slow_period, "AirlinePassengers": airline,
}  # fmt: skip


def against_persistence(x: Array, cell: str, seed: int) -> float:
    """Return the error of a detector's expectation over that of the last value."""
    model = RNNAnomalyDetector(cell=cell, seed=seed)
    expected = model.progressive_many(x[:, None], ["value"])["prediction"][:, 0]
    half = len(x) // 2
    return float(np.abs(expected - x)[half:].mean() / np.abs(np.diff(x))[half - 1 :].mean())


def at_stride(x: Array, stride: int, seed: int) -> float:
    """Return the error of a regressor that learns the next value from this one, over that of this one."""
    y = x[1:]
    model = RNNRegressor(window=16, stride=stride, optimizer="adam", autoregressive=False, seed=seed)
    answers = model.progressive_many(x[:-1, None], y)
    half = len(y) // 2
    return float(np.abs(answers - y)[half:].mean() / np.abs(np.diff(x))[half:].mean())


def main() -> None:
    """Print the tables."""
    print(f"| cell | {' | '.join(SERIES)} |\n|---{'|---' * len(SERIES)}|")
    for cell in ("lstm", "trace_lstm"):
        errors = (np.mean([against_persistence(make(), cell, seed) for seed in (0, 1)]) for make in SERIES.values())
        print(f"| `{cell}` | {' | '.join(f'{error:.3f}' for error in errors)} |", flush=True)
    print(f"\n| stride | {' | '.join(SERIES)} |\n|---{'|---' * len(SERIES)}|")
    for stride in (4, 8, 16):
        found = [[at_stride(make(), stride, seed) for seed in range(5)] for make in SERIES.values()]
        line = " | ".join(f"{np.mean(one):.3f} ± {np.std(one, ddof=1):.3f}" for one in found)
        print(f"| {stride} | {line} |", flush=True)


if __name__ == "__main__":
    main()
