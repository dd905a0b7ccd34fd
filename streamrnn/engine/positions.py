"""Where a block begins, and part of a block."""

from __future__ import annotations

from dataclasses import replace

from streamrnn.io import Block, Position, reached

__all__ = ["cut", "distance", "start_of"]


def cut(block: Block, start: int, end: int) -> Block:
    """Return events ``start`` to ``end`` of a block, without its dead letters.

    Parameters
    ----------
    block
        Events of one partition.
    start
        First event.
    end
        The one behind the last.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.io import Block
    >>> from streamrnn.engine.positions import cut
    >>> cut(Block(("a",), np.array([[1.0], [2.0]]), (0, 4), 8), 1, 2).positions
    (4,)
    """
    return replace(
        block,
        values=block.values[start:end],
        positions=block.positions[start:end],
        keys=None if block.keys is None else block.keys[start:end],
        times=None if block.times is None else block.times[start:end],
        raws=block.raws[start:end],
        dead_letters=(),
    )


def distance(start: Position, end: Position) -> int | None:
    """Return how many positions lie from ``start`` to ``end``, negative where it lies before; None where they are no numbers.

    Parameters
    ----------
    start
        A position.
    end
        Another one.

    Examples
    --------
    >>> from streamrnn.engine.positions import distance
    >>> distance(3, 10), distance("f:3", "f:10")
    (7, None)
    """
    return end - start if isinstance(start, int) and isinstance(end, int) else None


def start_of(block: Block) -> Position | None:
    """Return the position of a block's first record.

    Parameters
    ----------
    block
        Events of one partition.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.io import Block
    >>> from streamrnn.engine.positions import start_of
    >>> start_of(Block(("a",), np.array([[1.0], [2.0]]), (4, 8), 12))
    4
    """
    first = [*block.positions[:1], *(letter.position for letter in block.dead_letters[:1])]
    if not first:
        return None
    return first[0] if len(first) == 1 or reached(first[1], first[0]) else first[1]
