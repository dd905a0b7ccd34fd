"""Results of a block as lines of JSON, by compiled code: byte for byte those of :mod:`streamrnn.engine.output`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamrnn.columns.sequences import Numbered, Texts
from streamrnn.engine.output import FIELDS, NAMED, encode_block
from streamrnn.io import Block, WholeLinesSink
from streamrnn.kernels.anomaly.views import VIEWS
from streamrnn.scorers.scored import Scored

if TYPE_CHECKING:  # numba, which a run may not need
    from streamrnn.columns.json_write import Row

__all__ = ["encode_columns", "encoder"]

LEAST = 32
"""Of a block: below it the call costs more than it saves."""

Encode = Callable[[Block, Scored, tuple[str, ...]], Sequence[bytes]]
"""What makes a line of each event."""

_encode = msgspec.json.Encoder().encode


def _numbers(row: Row, values: NDArray[Any]) -> None:
    """Add a column of numbers, truth values or whatever else."""
    kind = values.dtype.kind
    if kind == "f":
        row.floats(values.astype(np.float64, copy=False), infinite=True)
    elif kind == "b":
        row.truths(values)
    elif kind == "i":
        row.wholes(values)
    else:
        row.raws(list(map(_encode, values.tolist())))


def _object(row: Row, names: Sequence[str], values: NDArray[Any], *, infinite: bool) -> None:
    """Add an object of numbers by name."""
    for i, name in enumerate(names):
        row.literal((b"," if i else b"{") + _encode(name) + b":")
        row.floats(values[:, i].astype(np.float64, copy=False), infinite=infinite)
    row.literal(b"}")


def _cells(row: Row, names: tuple[str, ...], values: NDArray[Any]) -> None:
    if len(names) == 1:
        _numbers(row, values[:, 0])
    else:
        _object(row, names, values, infinite=True)


def _predicted(row: Row, block: Block, scored: Scored, values: NDArray[Any]) -> None:
    if scored.label is None:
        _cells(row, block.names, values)
    else:
        _numbers(row, values[:, scored.column(block.names)])


def _mixed(row: Row, values: Sequence[Any] | None) -> None:
    """Add texts, or numbers, or some of both; None: nothing but nulls."""
    if values is None:
        row.literal(b"null")
        return
    if isinstance(values, Texts):
        row.texts(values)
        return
    kinds = set(map(type, values)) - {type(None)}
    if kinds <= {str}:
        row.texts(values)
    elif kinds == {float}:
        row.floats(np.array(values, np.float64))
    else:
        row.raws(list(map(_encode, values)))


def _positions(row: Row, block: Block) -> None:
    if isinstance(block.positions, Numbered):
        row.literal(_encode(block.positions.start)[:-1])
        row.wholes(block.positions.numbers).literal(b'"')
    elif isinstance(block.positions, range) or set(map(type, block.positions)) == {int}:
        row.wholes(np.array(block.positions, np.int64))
    else:
        _mixed(row, block.positions)


def _detail(row: Row, name: str, block: Block, scored: Scored) -> None:
    """Add a field that only some models have."""
    found = scored.details.get(name)
    if found is None or found.ndim > 2 or (found.ndim == 2 and found.dtype.kind != "f"):
        row.raws(list(map(_encode, FIELDS[name](block, scored))))
    elif name == "views":
        _object(row, VIEWS, found, infinite=False)
    elif name in NAMED:
        known = [_encode(one) for one in (*(block.names if name == "feature" else VIEWS), None)]
        row.raws([known[i] for i in found.tolist()])
    elif found.ndim == 1:
        _numbers(row, found)
    else:
        _predicted(row, block, scored, found)


COLUMNS: dict[str, Callable[[Row, Block, Scored], Any]] = {
    "time": lambda row, block, _: _mixed(row, block.times),
    "key": lambda row, block, _: _mixed(row, block.keys),
    "value": lambda row, block, _: _cells(row, block.names, block.values),
    "prediction": lambda row, block, scored: _predicted(row, block, scored, scored.predictions),
    "residual": lambda row, block, scored: _predicted(
        row, block, scored, np.subtract(scored.observed(block.values), scored.predictions)
    ),
    "score": lambda row, _, scored: row.floats(scored.scores),
    "alarm": lambda row, _, scored: row.truths(scored.alarms),
    "p_value": lambda row, _, scored: row.floats(np.array(scored.p_values, np.float64)),
    "position": lambda row, block, _: _positions(row, block),
    "partition": lambda row, block, _: row.literal(_encode(block.partition)),
}
"""Fields that most results have; all others are details."""


def encoder(sink: object) -> Encode:
    """Return what encodes the results for a sink: where it takes them in one piece, compiled code, ready for the first block; and that of the alarm rule.

    Parameters
    ----------
    sink
        Where they go, attached to its source.

    Examples
    --------
    >>> from streamrnn.engine.output_columns import encoder
    >>> encoder(None).__name__
    'encode_block'
    """
    if not isinstance(sink, WholeLinesSink) or not sink.whole_lines():
        return encode_block
    if import_module("streamrnn.columns.compiled").INTERPRETED:
        return encode_block
    import_module("streamrnn.columns.json_write").Row(1).lines()
    return encode_columns


def encode_columns(block: Block, scored: Scored, fields: tuple[str, ...]) -> Sequence[bytes]:
    """Return one line for each event of a block, without line ends.

    Parameters
    ----------
    block, scored
        The events and their results.
    fields
        What to write, in this order: see :func:`streamrnn.engine.output.encode_block`.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.io import Block
    >>> from streamrnn.engine.output_columns import encode_columns
    >>> from streamrnn.scorers.scored import Scored
    >>> block = Block(("flow",), np.full((99, 1), 100.5), range(99), 99, times=["2022-03-20"] * 99)
    >>> scored = Scored(np.full(99, 0.5), np.full((99, 1), 99.25), [False] * 99, [1.0] * 99)
    >>> encode_columns(block, scored, ("time", "value", "score", "alarm", "position"))[98].decode()
    '{"time":"2022-03-20","value":100.5,"score":0.5,"alarm":false,"position":98}'
    """
    n, names = len(block), block.names
    if n < LEAST or (not names and set(fields) & {"value", "prediction", "residual"}):
        return encode_block(block, scored, fields)
    row = import_module("streamrnn.columns.json_write").Row(n)
    for i, name in enumerate(fields):
        row.literal((b"," if i else b"{") + _encode(name) + b":")
        if name in COLUMNS:
            COLUMNS[name](row, block, scored)
        else:
            _detail(row, name, block, scored)
    lines: Sequence[bytes] = row.literal(b"}").lines()
    return lines
