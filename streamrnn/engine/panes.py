"""What a window keeps of its records: a row of the table ``AGGREGATES`` for each way to aggregate."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Aggregate", "Pane"]

COUNT = "count"
"""The aggregate that needs no values, and the name of its column."""


@dataclass(slots=True)
class Pane:
    """The records of one key in one window, so far.

    Parameters
    ----------
    values
        What is kept of each column.
    marks
        A second number for each column: how many values there were, or when the last one was.
    count
        How many records there were.
    """

    values: list[float]
    marks: list[float]
    count: int = 0


def _sum(values: list[float], marks: list[float], row: Sequence[float], _: float) -> None:
    for i, x in enumerate(row):
        if not math.isnan(x):
            values[i] = values[i] + x if marks[i] else x
            marks[i] += 1.0


def _max(values: list[float], marks: list[float], row: Sequence[float], _: float) -> None:
    for i, x in enumerate(row):
        if not math.isnan(x) and not (marks[i] and values[i] >= x):
            values[i], marks[i] = x, 1.0


def _last(values: list[float], marks: list[float], row: Sequence[float], when: float) -> None:
    for i, x in enumerate(row):
        if not math.isnan(x) and when >= marks[i]:
            values[i], marks[i] = x, when


def _nothing(values: list[float], marks: list[float], row: Sequence[float], when: float) -> None:
    del values, marks, row, when


def _kept(pane: Pane) -> list[float]:
    return pane.values


def _mean(pane: Pane) -> list[float]:
    return [total / n if n else math.nan for total, n in zip(pane.values, pane.marks, strict=True)]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One way to aggregate.

    Parameters
    ----------
    add
        Takes in a row: what is kept, the marks, the row's values and its time in seconds.
    result
        Makes the window's values of what was kept.
    first_mark
        A column's mark before its first value.
    """

    add: Callable[[list[float], list[float], Sequence[float], float], None]
    result: Callable[[Pane], list[float]]
    first_mark: float = 0.0


AGGREGATES: dict[str, Aggregate] = {
    COUNT: Aggregate(_nothing, lambda pane: [float(pane.count)]),
    "sum": Aggregate(_sum, _kept),
    "mean": Aggregate(_sum, _mean),
    "max": Aggregate(_max, _kept),
    "last": Aggregate(_last, _kept, -math.inf),
}
"""By the name that ``[source] aggregate`` gives."""
