"""One event's result as a line of JSON."""

from __future__ import annotations

from typing import Any

import msgspec
from numpy.typing import NDArray

from streamrnn.io import Block
from streamrnn.runtime.shard import Scored

__all__ = ["Output", "encode_block"]


class Output(msgspec.Struct):
    """The fields of a result, in the order they are written.

    ``value`` and ``prediction`` are a number where the stream has one feature, else an object by feature name;
    ``null`` stands for what is missing, or was not expected. ``time`` and ``key`` are null where the stream has none.

    Examples
    --------
    >>> import msgspec
    >>> from streamrnn.runtime.output import Output
    >>> msgspec.json.encode(Output("2022-03-20", None, 100.5, 99.25, 0.5, False, 17)).decode()
    '{"time":"2022-03-20","key":null,"value":100.5,"prediction":99.25,"score":0.5,"alarm":false,"position":17}'
    """

    time: str | float | None
    key: str | None
    value: Any
    prediction: Any
    score: float
    alarm: bool
    position: int | str


class _OutputP(Output):
    p_value: float


_encode = (
    msgspec.json.Encoder().encode
)  # writes NaN as null, and a float with the fewest digits that read back the same


def _cells(names: tuple[str, ...], values: NDArray[Any]) -> list[Any]:
    if len(names) == 1:
        return values[:, 0].tolist()  # type: ignore[no-any-return]
    return [dict(zip(names, row, strict=True)) for row in values.tolist()]


def encode_block(block: Block, scored: Scored, p_value: bool = False) -> list[bytes]:
    """Return one line for each event of a block, without line ends.

    Parameters
    ----------
    block, scored
        The events and their results.
    p_value
        Whether to add ``p_value`` as the last field.
    """
    n = len(block)
    columns: list[Any] = [
        block.times if block.times is not None else [None] * n,
        block.keys if block.keys is not None else [None] * n,
        _cells(block.names, block.values),
        _cells(block.names, scored.predictions),
        scored.scores.tolist(),
        scored.alarms,
        block.positions,
    ]
    if p_value:
        return [_encode(_OutputP(*row)) for row in zip(*columns, scored.p_values, strict=True)]
    return [_encode(Output(*row)) for row in zip(*columns, strict=True)]
