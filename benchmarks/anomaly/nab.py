"""The Numenta Anomaly Benchmark, scored from its published definition.

Each label is a window of events. Of the alerts in a window the earliest counts, weighted by a sigmoid of its place; an
alert outside costs up to 0.11 (``standard``), less close behind a window; a window without an alert costs 1. One threshold
serves all files: the one with the highest total. Totals are stated on a line on which never alerting is 0 and a perfect
detector 100. The first 15 % of a file, 750 events at most, are not judged.

A. Lavin, S. Ahmad, Evaluating Real-Time Anomaly Detection Algorithms - the Numenta Anomaly Benchmark, ICMLA 2015; the
scaling of the sigmoid and of what follows a window is that of the benchmark's code, version 1.1 (``sweeper.py``).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PROBATION: Final = 0.15
PROBATION_FROM: Final = 5000  # events; beyond, the probation does not grow
NOTHING: Final = 1e-9  # a score below says nothing


@dataclass(frozen=True, slots=True)
class Profile:
    """What a false alarm and a missed window cost; a window found at its first event earns 1."""

    false_alarm: float
    miss: float


PROFILES: Final = {
    "standard": Profile(0.11, 1.0),
    "low FP": Profile(0.22, 1.0),
    "low FN": Profile(0.11, 2.0),
}


@dataclass(frozen=True, slots=True)
class Series:
    """One file: seconds since 1970, values, and the labelled windows as places of first and last event, inclusive."""

    name: str
    times: Array
    values: Array
    windows: tuple[tuple[int, int], ...]

    @property
    def probation(self) -> int:
        """Events that are not judged."""
        return int(PROBATION * min(len(self.values), PROBATION_FROM))


def load(folder: Path) -> list[Series]:
    """Read ``combined_windows.json`` and the files it names, in the order of their names."""
    labels = json.loads((folder / "combined_windows.json").read_text(encoding="utf-8"))
    found = []
    for name in sorted(labels):
        with (folder / "data" / name).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        stamps = [datetime.fromisoformat(row["timestamp"]) for row in rows]
        place = {stamp: i for i, stamp in reversed(list(enumerate(stamps)))}
        windows = tuple(
            (place[datetime.fromisoformat(start)], place[datetime.fromisoformat(end)]) for start, end in labels[name]
        )
        seconds = [(stamp - datetime(1970, 1, 1)).total_seconds() for stamp in stamps]  # noqa: DTZ001
        values = [float(row["value"]) for row in rows]
        found.append(Series(name, np.array(seconds), np.array(values), windows))
    return found


def scaled_sigmoid(place: Array) -> Array:
    """Return 2 / (1 + exp(5 place)) - 1: 0.99 at the start of a window (-1), 0 at its end, -1 far behind."""
    return np.where(place > 3.0, -1.0, 2.0 / (1.0 + np.exp(5.0 * np.minimum(place, 3.0))) - 1.0)


def worth(series: Series) -> tuple[Array, NDArray[np.int64]]:
    """Return what an alert at each event is worth, before costs, and the window it lies in; -1 for none."""
    n = len(series.values)
    places = np.arange(n, dtype=float)
    value, window = np.full(n, -1.0), np.full(n, -1)
    for k, (first, last) in enumerate(series.windows):
        width = last - first + 1.0
        if last + 1 < n:
            value[last + 1 :] = scaled_sigmoid((places[last + 1 :] - last) / max(width - 1.0, 1.0))
        value[first : last + 1] = scaled_sigmoid(-(last - places[first : last + 1] + 1.0) / width) / scaled_sigmoid(
            np.array(-1.0)
        )
        window[first : last + 1] = k
    return value, window


@numba.njit(cache=True)
def _totals(scores: Array, order: Array, value: Array, window: Array, n: int, false_alarm: float, miss: float) -> Array:
    """Return the total after each alert, taken from the highest score down; NaN inside a run of equal scores."""
    totals, best = np.full(len(order), np.nan), np.full(n, -miss)
    total = 0.0
    for i in range(len(order)):
        k = order[i]
        if window[k] < 0:
            total += false_alarm * value[k]
        elif value[k] > best[window[k]]:
            total += value[k] - best[window[k]]
            best[window[k]] = value[k]
        if i + 1 == len(order) or scores[order[i + 1]] != scores[k]:
            totals[i] = total
    return totals


def n_windows(one: Series) -> int:
    """Return how many of a file's windows are judged."""
    return sum(last >= one.probation for _, last in one.windows)


def _judged(corpus: Sequence[Series], scores: Sequence[Array]) -> tuple[Array, Array, NDArray[np.int64], int]:
    """Return score, worth and window of every judged event of all files, and the number of windows."""
    values, windows, n = [], [], 0
    for one in corpus:
        value, window = worth(one)
        values.append(value[one.probation :])
        windows.append(np.where(window >= 0, window + n, -1)[one.probation :])
        n += len(one.windows)
    kept = [np.asarray(s, float)[one.probation :] for one, s in zip(corpus, scores, strict=True)]
    return np.concatenate(kept), np.concatenate(values), np.concatenate(windows), n


def best(corpus: Sequence[Series], scores: Sequence[Array], profile: Profile) -> tuple[float, float]:
    """Return the score of the benchmark, 0 for never alerting and 100 for perfect, and the threshold that earns it."""
    found, value, window, n = _judged(corpus, scores)
    order = np.argsort(-found, kind="stable")
    order = order[found[order] >= NOTHING]
    totals = _totals(found, order, value, window, n, profile.false_alarm, profile.miss)
    perfect = (1.0 + profile.miss) * sum(map(n_windows, corpus))
    if not np.nanmax(totals, initial=0.0) > 0.0 or not perfect:
        return 0.0, 2.0
    place = int(np.nanargmax(totals))
    return 100.0 * float(totals[place]) / perfect, float(found[order[place]])


def earned(one: Series, scores: Array, threshold: float, profile: Profile) -> float:
    """Return what a file earns at a threshold, never alerting being 0."""
    value, window = worth(one)
    alerts = (np.asarray(scores, float) >= max(threshold, NOTHING)) & (np.arange(len(value)) >= one.probation)
    total = profile.false_alarm * float(value[alerts & (window < 0)].sum())
    for k in range(len(one.windows)):
        inside = value[alerts & (window == k)]
        total += float(inside.max()) + profile.miss if len(inside) else 0.0
    return total


def at_threshold(corpus: Sequence[Series], scores: Sequence[Array], threshold: float, profile: Profile) -> float:
    """Return the score of the benchmark at a threshold that was chosen elsewhere."""
    total = sum(earned(one, s, threshold, profile) for one, s in zip(corpus, scores, strict=True))
    return 100.0 * total / ((1.0 + profile.miss) * sum(map(n_windows, corpus)))
