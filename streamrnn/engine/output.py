"""One event's result as a line of JSON."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamrnn.config.options import DEFAULT_FIELDS, LIMIT_FIELDS
from streamrnn.io import Block
from streamrnn.kernels.anomaly.views import VIEWS
from streamrnn.scorers.forecast import HIGH, LOW, MIDDLE
from streamrnn.scorers.scored import Scored

__all__ = ["encode_block"]

NAMED = ("feature", "view")  # what a model gives as a number and a person reads by name
DETAILS = (
    "threshold", "warm", "change", "since", "low", "high", "contribution", "severity", "episode", "views", "feedback",
    *LIMIT_FIELDS, *NAMED,
)  # fmt: skip

# Writes NaN as null, infinity too unless it is text by then, and a float with the fewest digits that read back the same.
_encode = msgspec.json.Encoder().encode


@functools.lru_cache(maxsize=64)
def _object(names: tuple[str, ...]) -> Callable[..., Any]:
    """Return what makes an object by feature name of a row: a struct, which msgspec writes twice as fast as a dict."""
    if all(name.isprintable() and not set(name) & set('"\\') for name in names):
        return msgspec.defstruct(
            "Features", [(f"f{i}", Any, msgspec.field(name=name)) for i, name in enumerate(names)], gc=False
        )
    return lambda *row: dict(zip(names, row, strict=True))  # a struct's names are written as they are, unescaped


def _numbers(values: NDArray[Any]) -> list[Any]:
    """Return numbers as a result holds them: infinity, which JSON has not, as the text that sources read as such."""
    if values.dtype.kind != "f" or not np.isinf(values).any():
        return values.tolist()  # type: ignore[no-any-return]
    found = values.astype(object)
    found[values == np.inf], found[values == -np.inf] = "Infinity", "-Infinity"
    return found.tolist()  # type: ignore[no-any-return]


def _cells(names: tuple[str, ...], values: NDArray[Any]) -> list[Any]:
    """Return a number for each row where there is one feature, else an object by feature name."""
    if len(names) == 1:
        return _numbers(values[:, 0])
    return list(itertools.starmap(_object(names), _numbers(values)))


def _predicted(block: Block, scored: Scored, values: NDArray[Any]) -> list[Any]:
    """Return the cells of what is predicted: of the label alone, where the model has one."""
    if scored.label is None:
        return _cells(block.names, values)
    return _numbers(values[:, scored.column(block.names)])


def _or_nulls(values: Sequence[Any] | None, n: int) -> Sequence[Any]:
    return [None] * n if values is None else values


def _forecast(names: tuple[str, ...], scored: Scored, part: int) -> Sequence[Any]:
    """Return a list of the next steps for each row where there is one feature, else an object of them by name."""
    found = scored.forecasts
    if found is None:
        return [None] * len(scored.scores)
    if len(names) == 1:
        return found[:, :, 0, part].tolist()  # type: ignore[no-any-return]
    return list(itertools.starmap(_object(names), found[:, :, :, part].transpose(0, 2, 1).tolist()))


def _detail(name: str) -> Callable[[Block, Scored], Sequence[Any]]:
    """Return a detail of the results, null where the scorer has none such."""

    def cells(block: Block, scored: Scored) -> Sequence[Any]:
        found = scored.details.get(name)
        if found is None:
            return [None] * len(block)
        if name == "views":
            return [dict(zip(VIEWS, row, strict=True)) for row in found.tolist()]
        if name in NAMED:
            known = (*(block.names if name == "feature" else VIEWS), None)  # the last is -1: nothing was found
            return [known[i] for i in found.tolist()]
        return _numbers(found) if found.ndim == 1 else _predicted(block, scored, found)

    return cells


# A field of the results: what it holds for each event of a block.
FIELDS: dict[str, Callable[[Block, Scored], Sequence[Any]]] = {
    "time": lambda block, _: _or_nulls(block.times, len(block)),
    "key": lambda block, _: _or_nulls(block.keys, len(block)),
    "value": lambda block, _: _cells(block.names, block.values),
    "prediction": lambda block, scored: _predicted(block, scored, scored.predictions),
    "residual": lambda block, scored: _predicted(
        block, scored, np.subtract(scored.observed(block.values), scored.predictions)
    ),
    "score": lambda _, scored: scored.scores.tolist(),
    "alarm": lambda _, scored: scored.alarms,
    "p_value": lambda _, scored: scored.p_values,
    **{name: _detail(name) for name in DETAILS},
    "position": lambda block, _: block.positions,
    "partition": lambda block, _: [block.partition] * len(block),
    "forecast": lambda block, scored: _forecast(block.names, scored, MIDDLE),
    "forecast_low": lambda block, scored: _forecast(block.names, scored, LOW),
    "forecast_high": lambda block, scored: _forecast(block.names, scored, HIGH),
    "input": lambda block, _: [raw.decode(errors="backslashreplace") for raw in block.raws],
}


@functools.cache
def _row(fields: tuple[str, ...]) -> Callable[..., Any]:
    """Return the struct whose fields are written in this order; msgspec writes it faster than a dict."""
    return msgspec.defstruct("Row", fields, gc=False)


def encode_block(block: Block, scored: Scored, fields: tuple[str, ...] = DEFAULT_FIELDS) -> list[bytes]:
    """Return one line for each event of a block, without line ends.

    ``value``, ``prediction`` and ``residual`` are a number where the stream has one feature, else an object by feature name;
    A model with a label predicts that one alone: then ``prediction`` and ``residual`` are numbers.
    ``null`` stands for what is missing, or was not expected, the text ``"Infinity"`` or ``"-Infinity"`` for infinity. ``time`` and ``key`` are null where the stream has none.

    Parameters
    ----------
    block, scored
        The events and their results.
    fields
        What to write, in this order: names of the table ``FIELDS``.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.io import Block
    >>> from streamrnn.engine.output import encode_block
    >>> from streamrnn.scorers.scored import Scored
    >>> block = Block(("flow",), np.array([[100.5]]), (17,), 24, times=("2022-03-20",))
    >>> scored = Scored(np.array([0.5]), np.array([[99.25]]), [False], [1.0])
    >>> encode_block(block, scored)[0].decode()
    '{"time":"2022-03-20","key":null,"value":100.5,"prediction":99.25,"score":0.5,"alarm":false,"position":17}'
    >>> encode_block(block, scored, ("residual", "score"))
    [b'{"residual":1.25,"score":0.5}']
    """
    row = _row(fields)
    columns = [FIELDS[name](block, scored) for name in fields]
    return list(map(_encode, map(row, *columns)))
