"""Rows as they come from the server to a block of columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamrnn.io import Block, DeadLetter, SourceContext, Tally
from streamrnn_postgres.options import SourceOptions

__all__ = ["block_of"]


def block_of(
    rows: Sequence[tuple[Any, ...]],
    options: SourceOptions,
    context: SourceContext,
    exact: Sequence[int],
    tally: Tally,
    partition: str,
) -> Block:
    """Return rows as a block, those that are no events as dead letters in it.

    Parameters
    ----------
    rows
        At least one: the position, the watched columns, the time, the key.
    options, context
        What was asked for.
    exact
        Which of the watched columns are texts of numbers.
    tally
        Counts those that no float64 holds.
    partition
        Its name.
    """
    n, columns = len(options.columns), list(zip(*rows, strict=True))
    values = np.empty((len(rows), n))
    for i in range(n):
        cells = columns[i + 1]
        values[:, i] = list(map(_number, cells)) if i in exact else cells  # None becomes NaN
    dead = _dead(values, options, context)
    letters = []
    if dead.any():
        letters = [_letter(rows[i], options, exact, partition) for i in np.flatnonzero(dead).tolist()]
        rows, values = [rows[i] for i in np.flatnonzero(~dead).tolist()], values[~dead]
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    for i in exact:
        for cell in columns[i + 1]:
            if _too_large(cell):
                tally.bad(options.columns[i], "too large", f"{cell[:80]!r} is too large for a float64")
    at = n + 1 + (options.time is not None)
    return Block(
        names=options.columns,
        values=values,
        positions=list(columns[0]),
        next_position=max([one.position for one in letters[-1:]] + list(columns[0][-1:])) + 1,
        keys=None if options.key is None else list(columns[at]),
        times=None if options.time is None else list(columns[n + 1]),
        raws=[_raw(row, options) for row in rows] if context.keep_raw else (),
        dead_letters=letters,
        partition=partition,
        time_name=options.time,
    )


def _too_large(cell: str | None) -> bool:
    """Whether a numeric is a number that no float64 holds."""
    return cell is not None and math.isinf(float(cell)) and "Infinity" not in cell


def _number(cell: str | None) -> float:
    return math.nan if cell is None or _too_large(cell) else float(cell)


def _dead(values: NDArray[np.float64], options: SourceOptions, context: SourceContext) -> NDArray[np.bool_]:
    """Return which rows are no events, bool, shape (n,)."""
    lacking = np.isnan(values).sum(axis=1)
    n = len(options.columns)
    most = 0 if options.on_missing == "dead_letter" else n if context.counted else n - 1
    return np.asarray(lacking > most)


def _letter(row: tuple[Any, ...], options: SourceOptions, exact: Sequence[int], partition: str) -> DeadLetter:
    cells = row[1 : len(options.columns) + 1]
    large = next((i for i in exact if _too_large(cells[i])), None)
    if large is None:
        lacking = next(i for i, cell in enumerate(cells) if cell is None or math.isnan(float(cell)))
        reason = f"It holds no value in column {options.columns[lacking]!r}."
    else:
        reason = f"column {options.columns[large]!r}: {cells[large][:80]!r} is too large for a float64."
    return DeadLetter(row[0], reason, _raw(row, options), None, partition)


def _raw(row: tuple[Any, ...], options: SourceOptions) -> bytes:
    more = [one for one in (options.time, options.key) if one is not None]
    return msgspec.json.encode(dict(zip([options.position, *options.columns, *more], row, strict=True)))
