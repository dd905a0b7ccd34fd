"""Series of an answer to events: step by step, those of a step in the order of their labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import SourceError
from streamrnn.io import Block, DeadLetter, SourceContext, Tally
from streamrnn_prometheus.client import Series
from streamrnn_prometheus.options import SourceOptions

__all__ = ["BEHIND", "ROWS", "Rows", "block_of", "canonical", "iso", "rows_of"]

ROWS = 1_000_000
"""Positions of a step: its milliseconds times this, and the number of the row."""

BEHIND = ROWS - 1
"""The number behind the last row of a step: whatever comes there later is not read."""

NAME = "__name__"

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def canonical(metric: dict[str, str], *, named: bool) -> str:
    r"""Return the labels of a series as PromQL writes them, in one order.

    Parameters
    ----------
    metric
        The labels.
    named
        Whether the name of the metric is among what tells series apart.

    Examples
    --------
    >>> from streamrnn_prometheus.steps import canonical
    >>> print(canonical({"job": 'a"b', "__name__": "up", "host": "x"}, named=True))
    up{host="x",job="a\"b"}
    >>> canonical({"__name__": "up"}, named=False)
    '{}'
    """
    labels = ",".join(f'{name}="{metric[name].translate(_ESCAPES)}"' for name in sorted(metric) if name != NAME)
    return (metric.get(NAME, "") if named else "") + f"{{{labels}}}"


def iso(ms: int) -> str:
    """Return a time in ISO-8601.

    Parameters
    ----------
    ms
        Milliseconds since 1970.

    Examples
    --------
    >>> from streamrnn_prometheus.steps import iso
    >>> iso(1704067200000), iso(1704067200500)
    ('2024-01-01T00:00:00Z', '2024-01-01T00:00:00.500Z')
    """
    whole = datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{ms % 1000:03}Z" if ms % 1000 else f"{whole}Z"


@dataclass(slots=True)
class Rows:
    """Events of some steps: those of a step in the order of their labels, step by step.

    Parameters
    ----------
    first
        The first step, milliseconds since 1970.
    labels
        Of each series, sorted.
    metrics
        The same, as they came.
    at
        Which step each row is of, counted from the first, int, shape (n,).
    series
        Which series it is of, int, shape (n,).
    numbers
        Which row of its step it is, int, shape (n,).
    ends
        Whether it is the last one of its step, bool, shape (n,).
    values
        float64, shape (n, values); NaN where there is none.
    """

    first: int
    labels: list[str]
    metrics: list[dict[str, str]]
    at: NDArray[np.intp]
    series: NDArray[np.intp]
    numbers: NDArray[np.intp]
    ends: NDArray[np.bool_]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.at)

    def behind(self, step: int, number: int) -> int:
        """Return how many rows lie before a place.

        Parameters
        ----------
        step
            Counted from the first.
        number
            Of a row in that step.
        """
        lower, upper = np.searchsorted(self.at, (step, step + 1)).tolist()
        return int(min(lower + number, upper))


def _cube(
    answers: Sequence[list[Series]], options: SourceOptions, first: int, n: int, tally: Tally
) -> tuple[dict[str, dict[str, str]], NDArray[np.float64], NDArray[np.bool_]]:
    """Return the labels of each series, sorted; values, shape (steps, series, values); and where a series has one."""
    found: dict[str, dict[str, str]] = {}
    columns: list[dict[str, Series]] = []
    for name, answer in zip(options.names, answers, strict=True):
        column: dict[str, Series] = {}
        for one in answer:
            label = canonical(one.metric, named=not options.queries)
            if column.setdefault(label, one) is not one:
                raise SourceError(
                    f"Two series of the query of {name!r} are {label} when the name of the metric is left out."
                )
            found.setdefault(label, one.metric)
            if one.histograms:
                tally.bad(name, "histogram", f"{label} is a histogram, and no number")
        columns.append(column)
    if len(found) >= BEHIND:
        raise SourceError(f"The queries give {len(found)} series. There may be {BEHIND - 1} at most.")
    values = np.full((n, len(found), len(columns)), np.nan)
    there = np.zeros((n, len(found)), np.bool_)
    for i, label in enumerate(sorted(found)):
        for j, column in enumerate(columns):
            if (series := column.get(label)) is not None and series.values:
                times, texts = zip(*series.values, strict=True)
                at = np.rint((np.array(times) * 1000 - first) / options.step_ms).astype(np.intp)
                values[at, i, j] = list(map(float, texts))
                there[at, i] = True
    return dict(sorted(found.items())), values, there


def rows_of(answers: Sequence[list[Series]], options: SourceOptions, first: int, n: int, tally: Tally) -> Rows:
    """Return what the queries gave, as rows.

    Parameters
    ----------
    answers
        Of each query.
    options
        What was asked for.
    first
        The first step that was asked for.
    n
        How many.
    tally
        Counts series that are no numbers.

    Raises
    ------
    SourceError
        When two series of a query cannot be told apart, or there are too many.
    """
    found, values, there = _cube(answers, options, first, n, tally)
    at, series = np.nonzero(there)
    numbers = np.arange(len(at)) - np.searchsorted(at, at)
    ends = np.ones(len(at), np.bool_)
    ends[:-1] = at[1:] != at[:-1]
    return Rows(first, list(found), list(found.values()), at, series, numbers, ends, values[at, series])


def block_of(rows: Rows, start: int, end: int, options: SourceOptions, context: SourceContext, partition: str) -> Block:
    """Return some rows as a block, those without any number as dead letters in it.

    Parameters
    ----------
    rows
        Where they are.
    start, end
        The first, and the one behind the last; there is at least one.
    options, context
        What was asked for.
    partition
        Its name.
    """
    values, series = rows.values[start:end], rows.series[start:end].tolist()
    clock = (rows.first + rows.at[start:end] * options.step_ms).tolist()
    texts = {ms: iso(ms) for ms in set(clock)}
    places = [ms * ROWS + number for ms, number in zip(clock, rows.numbers[start:end].tolist(), strict=True)]
    dead = np.isnan(values).all(axis=1) & (not context.counted)
    keys = rows.labels if options.key is None else [one.get(options.key) for one in rows.metrics]

    def raw(i: int) -> bytes:
        told = dict(zip(options.names, values[i].tolist(), strict=True))
        return msgspec.json.encode({"time": texts[clock[i]], "labels": rows.metrics[series[i]], "values": told})

    good = np.flatnonzero(~dead).tolist()
    return Block(
        names=options.names,
        values=values[~dead],
        positions=[places[i] for i in good],
        next_position=clock[-1] * ROWS + BEHIND if rows.ends[end - 1] else places[-1] + 1,
        keys=[keys[series[i]] for i in good],
        times=[texts[clock[i]] for i in good],
        raws=[raw(i) for i in good] if context.keep_raw else (),
        dead_letters=[
            DeadLetter(places[i], "It holds no number.", raw(i), None, partition) for i in np.flatnonzero(dead).tolist()
        ],
        partition=partition,
        time_name="time",
    )
