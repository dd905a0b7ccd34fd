"""The Mackey-Glass Anomaly Benchmark: chaotic series with anomalies that no single value shows.

M. Thill, W. Konen, T. Baeck, Time series anomaly detection with discrete wavelet transforms and maximum likelihood
estimation, and MGAB (github.com/MarkusThill/MGAB, CC0). The published area under the precision-recall curve uses labels of 20
points, centred on each anomaly (base rate 0.002); the files mark 401.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
LABEL: Final = 20


@dataclass(frozen=True, slots=True)
class Series:
    """One file: values, places of the anomalies' centres, and what is judged."""

    name: str
    values: Array
    centres: NDArray[np.int64]
    judged: NDArray[np.bool_]

    def labels(self) -> NDArray[np.bool_]:
        """Return the ``LABEL`` points around each centre."""
        found = np.zeros(len(self.values), bool)
        for centre in self.centres:
            found[centre - LABEL // 2 : centre + LABEL // 2] = True
        return found


def load(folder: Path) -> list[Series]:
    """Read all files of the folder."""
    found = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        marked = np.array([int(row["is_anomaly"]) for row in rows])
        edges = np.diff(np.concatenate([[0], marked, [0]]))
        centres = (np.flatnonzero(edges == 1) + np.flatnonzero(edges == -1) - 1) // 2
        judged = np.array([row["is_ignored"] == "0" for row in rows])
        found.append(Series(path.name, np.array([float(row["value"]) for row in rows]), centres, judged))
    return found


def average_precision(scores: Array, labels: NDArray[np.bool_]) -> float:
    """Return the area under the precision-recall curve: the sum of precision times the gain in recall."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(labels[order])
    last = np.r_[scores[order][1:] != scores[order][:-1], True]
    precision, recall = (hits / np.arange(1, len(hits) + 1))[last], (hits / hits[-1])[last]
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def area(one: Series, scores: Array) -> float:
    """Return a file's area under the precision-recall curve."""
    return average_precision(scores[one.judged], one.labels()[one.judged])


def recall_at(one: Series, scores: Array, alarms: int = 10) -> float:
    """Return the share of anomalies in whose marked 401 points one of the file's highest scores lies, 200 points apart."""
    left, found = np.where(one.judged, scores, -1.0), set()
    for _ in range(alarms):
        place = int(np.argmax(left))
        left[max(place - 200, 0) : place + 200] = -1.0
        found |= {int(c) for c in one.centres if abs(place - c) <= 200}
    return len(found) / len(one.centres)
