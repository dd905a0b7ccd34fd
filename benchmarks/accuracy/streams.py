"""The streams of the accuracy benchmark: events (x, y) in their order, each a function of a seed.

``order`` says whether the order of the events matters. ``label``: y is a class and the error is the share of wrong answers; else it is a number, and the error
the mean absolute one. Real streams are the same for every seed. ETTh2 and the taxis of NAB are read from the folder that ``STREAMRNN_DATA`` names.
"""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from river import datasets
from river.datasets import synth

Events = list[tuple[dict[str, float], Any]]
MOST = 3000  # events of a generated stream, half of those of a long real one: river's forests take a millisecond or two for each


@dataclass(frozen=True)
class Stream:
    """One stream.

    Parameters
    ----------
    events
        From a seed to its events.
    label
        Whether y is a class.
    order
        Whether the order of the events matters.
    """

    events: Callable[[int], Events]
    label: bool
    order: bool


def _plain(events: Iterable[Any], n: int = MOST) -> Events:
    return [({str(name): float(value) for name, value in x.items()}, y) for x, y in itertools.islice(events, n)]


def _joined(parts: list[Any]) -> Events:
    return [event for part in parts for event in _plain(part, MOST // len(parts))]


def persistent(seed: int) -> Events:
    """Return labels that stay, each left once in sixty events, with weak features whose meaning drifts."""
    rng, y, found = np.random.default_rng(seed), 0, []
    for i in range(MOST):
        y = int(rng.integers(3)) if rng.random() < 1 / 60 else y
        a, b = (np.cos(i / 4000 + 2 * y), np.sin(i / 5000 + y)) + rng.normal(size=2) * 1.5
        found.append(({"a": float(a), "b": float(b)}, f"s{y}"))
    return found


def regimes(seed: int) -> Events:
    """Return an autoregression with one of three coefficients and one variance; the label says which."""
    rng, k, v, found = np.random.default_rng(seed), 0, 0.0, []
    for _ in range(MOST):
        k = int(rng.integers(3)) if rng.random() < 1 / 150 else k
        a = (0.9, 0.0, -0.9)[k]
        v = a * v + math.sqrt(1.0 - a * a) * rng.normal()
        found.append(({"v": float(v)}, f"r{k}"))
    return found


def copied(seed: int) -> Events:
    """Return symbols; the label is the one of five events ago."""
    s = np.random.default_rng(seed).integers(0, 4, MOST)
    return [({f"s{i}": float(s[t] == i) for i in range(4)}, f"s{s[t - 5]}") for t in range(5, MOST)]


def parity(seed: int) -> Events:
    """Return bits; the label is the parity of the last three."""
    b = np.random.default_rng(seed).integers(0, 2, MOST)
    return [({"bit": float(b[t])}, bool((b[t] + b[t - 1] + b[t - 2]) % 2)) for t in range(2, MOST)]


def water(_: int) -> Events:
    """Return river's WaterFlow with the hour and the weekend as features."""
    found = []
    for x, y in datasets.WaterFlow():
        hour = (x["Time"].hour + x["Time"].minute / 60.0) * math.pi / 12.0
        found.append(
            ({"sin": math.sin(hour), "cos": math.cos(hour), "weekend": float(x["Time"].weekday() >= 5)}, float(y))
        )
    return found


def _table(path: str, time: str, target: str) -> Events:
    """Return a file of the data folder, its hour of the day and its other columns as features."""
    root = Path(os.environ["STREAMRNN_DATA"])
    found = []
    with next(root.rglob(path)).open(encoding="utf-8") as file:
        for row in itertools.islice(csv.DictReader(file), 2 * MOST):
            moment = dt.datetime.fromisoformat(row.pop(time))
            hour, y = (moment.hour + moment.minute / 60.0) * math.pi / 12.0, float(row.pop(target))
            calendar = {"sin": math.sin(hour), "cos": math.cos(hour), "weekend": float(moment.weekday() >= 5)}
            found.append(({name: float(value) for name, value in row.items()} | calendar, y))
    return found


def lags(seed: int) -> Events:
    """Return two features; the target is a sum of one of three events ago, and of another of seven ago where a third was positive."""
    rng = np.random.default_rng(seed)
    u, v, e = rng.normal(size=(3, MOST))
    y = [u[t - 3] + 0.5 * u[t - 7] * (v[t - 1] > 0) + 0.1 * e[t] for t in range(8, MOST)]
    return [({"u": float(u[t + 8]), "v": float(v[t + 8])}, float(value)) for t, value in enumerate(y)]


def lorenz(seed: int) -> Events:
    """Return the first coordinate of Lorenz' system with noise; the target is the third."""
    rng = np.random.default_rng(seed)
    (x, y, z), found = rng.normal(size=3) + np.array([0.0, 1.0, 20.0]), []
    for _ in range(MOST):
        for _ in range(5):
            dx, dy, dz = 10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z
            x, y, z = x + 0.01 * dx, y + 0.01 * dy, z + 0.01 * dz
        found.append(({"x": float(x + 0.1 * rng.normal())}, float(z)))
    return found


def stagger(seed: int) -> Events:
    """Return three rules on three attributes, one after the other."""
    parts = [synth.STAGGER(classification_function=f, seed=seed + f, balance_classes=False) for f in (0, 1, 2)]
    return [(x, bool(y)) for x, y in _joined(parts)]


def sea(seed: int) -> Events:
    """Return four thresholds on the sum of two features, one after the other, with a tenth of the labels wrong."""
    return _joined([synth.SEA(variant=v, noise=0.1, seed=seed + v) for v in (0, 2, 1, 3)])


def friedman(seed: int) -> Events:
    """Return Friedman's function, which changes twice."""
    return _plain(synth.FriedmanDrift(drift_type="gra", position=(MOST // 3, 2 * MOST // 3), seed=seed))


STREAMS: dict[str, Stream] = {
    "persistent labels": Stream(persistent, label=True, order=True),
    "regimes": Stream(regimes, label=True, order=True),
    "copy, 5 back": Stream(copied, label=True, order=True),
    "parity of 3": Stream(parity, label=True, order=True),
    "STAGGER, 2 switches": Stream(stagger, label=True, order=False),
    "SEA, 3 switches": Stream(sea, label=True, order=False),
    "Phishing": Stream(lambda _: _plain(datasets.Phishing()), label=True, order=False),
    "Bananas": Stream(lambda _: _plain(datasets.Bananas()), label=True, order=False),
    "TrumpApproval": Stream(lambda _: _plain(datasets.TrumpApproval()), label=False, order=True),
    "WaterFlow": Stream(water, label=False, order=True),
    "ETTh2": Stream(lambda _: _table("ETTh2.csv", "date", "OT"), label=False, order=True),
    "taxis of New York": Stream(lambda _: _table("nyc_taxi.csv", "timestamp", "value"), label=False, order=True),
    "lags 3 and 7": Stream(lags, label=False, order=True),
    "Lorenz, x to z": Stream(lorenz, label=False, order=True),
    "Friedman, drift": Stream(friedman, label=False, order=False),
}
