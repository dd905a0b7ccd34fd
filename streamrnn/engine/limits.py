"""Results that their sink cannot take: each becomes a dead letter, decided before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from streamrnn.engine.shard import Shard
from streamrnn.io import Block, DeadLetter, LimitedSink

__all__ = ["Fitting", "fitting"]


class Fitting(NamedTuple):
    """What can be written of a block: lines, their events, and dead letters in place of the other lines.

    Parameters
    ----------
    lines
        The lines of JSON that fit.
    block
        The events of those lines.
    letters
        Dead letters in place of the lines that do not fit.

    Examples
    --------
    >>> from streamrnn.engine.limits import Fitting
    >>> Fitting._fields
    ('lines', 'block', 'letters')
    """

    lines: Sequence[bytes]
    block: Block
    letters: Sequence[DeadLetter]


def fitting(sink: object, shard: Shard, block: Block, lines: Sequence[bytes]) -> Fitting:
    """Return what a sink takes of a block's results. The shard has learned from all events; it counts what is not written.

    Parameters
    ----------
    sink
        Where they go; one without a limit takes all.
    shard
        What gave them.
    block, lines
        Events and their results, one for each.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.io import Block, find_connector
    >>> from streamrnn.engine.limits import fitting
    >>> sink = find_connector("sink", "files")(find_connector("sink", "files").Options(path="-"))
    >>> fitting(sink, None, Block(("a",), np.array([[2.0]]), (0,), 1), [b"{}"]).lines
    [b'{}']
    """
    refused = sink.too_long(block, lines) if isinstance(sink, LimitedSink) else {}
    if not refused:
        return Fitting(lines, block, ())
    shard.unwritten += len(refused)
    keys = block.keys
    letters = [
        DeadLetter(
            block.positions[i],
            f"{reason} The event was learned; what is here is its result.",
            lines[i],
            partition=block.partition,
            key=None if keys is None else (keys[i] or "").encode() or None,
        )
        for i, reason in sorted(refused.items())
    ]
    kept = [i for i in range(len(block)) if i not in refused]
    written = replace(
        block,
        values=block.values[kept],
        positions=[block.positions[i] for i in kept],
        keys=None if keys is None else [keys[i] for i in kept],
        times=None if block.times is None else [block.times[i] for i in kept],
        raws=[block.raws[i] for i in kept] if block.raws else (),
    )
    return Fitting([lines[i] for i in kept], written, letters)
