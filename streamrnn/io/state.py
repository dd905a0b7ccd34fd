"""What a sink keeps of earlier runs: where they left off, and snapshots."""

from __future__ import annotations

from dataclasses import dataclass

from streamrnn.io.events import Position

__all__ = ["Restored", "StoredSnapshot"]


@dataclass(frozen=True, slots=True)
class Restored:
    """What a sink knows of a partition from earlier runs.

    Parameters
    ----------
    position
        Where the last commit left off: outputs up to here have been written.
    snapshot
        The newest model state, or None.
    snapshot_position
        The position that ``snapshot`` corresponds to. Events between it and ``position`` are
        replayed without output.
    passing
        Whether the store may not hold that snapshot for long: the next commit brings another.

    Examples
    --------
    >>> from streamrnn.io import Restored
    >>> Restored(position=120).snapshot is None
    True
    """

    position: Position
    snapshot: bytes | None = None
    snapshot_position: Position | None = None
    passing: bool = False


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """A snapshot as it lies in a store.

    Parameters
    ----------
    partition
        Whose state it is.
    name
        What the store calls it.
    position
        Where reading goes on after it.
    data
        Its bytes; empty where they cannot be read.
    problem
        What is wrong with it, or None.

    Examples
    --------
    >>> from streamrnn.io import StoredSnapshot
    >>> StoredSnapshot("0", "0-7.snapshot", 120, b"weights").problem is None
    True
    """

    partition: str
    name: str
    position: Position
    data: bytes = b""
    problem: str | None = None
