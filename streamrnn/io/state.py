"""What a sink keeps of earlier runs: where they left off, and snapshots."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from streamrnn.errors import StateError
from streamrnn.io.events import Position

__all__ = ["Restored", "StoredSnapshot", "restored_from", "stored_row"]


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


def stored_row(row: Sequence[Any]) -> StoredSnapshot:
    """Return the snapshot that a row of a table of snapshots holds.

    Parameters
    ----------
    row
        Its number, the partition, the position as JSON, the SHA-256 of the bytes in hexadecimal digits, and the bytes.

    Examples
    --------
    >>> from streamrnn.io import stored_row
    >>> one = stored_row((7, "0", "120", "not that of these", b"weights"))
    >>> one.name, one.position, one.problem
    ('0-7', 120, 'its SHA-256 differs')
    """
    number, partition, position, digest, data = row
    problem = None if hashlib.sha256(data).hexdigest() == digest else "its SHA-256 differs"
    return StoredSnapshot(partition, f"{partition}-{number}", msgspec.json.decode(position), data, problem)


def restored_from(partition: str, position: str, kept: Sequence[StoredSnapshot]) -> Restored:
    """Return what a partition goes on from: its newest whole snapshot, with a warning where that is not the newest.

    Parameters
    ----------
    partition
        Its name.
    position
        Where the last commit left off, as JSON.
    kept
        Its snapshots, the newest first.

    Raises
    ------
    StateError
        When there are snapshots, and none of them is whole.

    Examples
    --------
    >>> from streamrnn.io import StoredSnapshot, restored_from
    >>> restored_from("0", "130", [StoredSnapshot("0", "0-7", 120, b"weights")]).snapshot_position
    120
    """
    good = next((one for one in kept if one.problem is None), None)
    if kept and good is None:
        raise StateError(f"No snapshot of partition {partition!r} is whole. Start anew with --fresh.")
    if good is not None and good is not kept[0]:
        warnings.warn(f"Snapshot {kept[0].name} is damaged; going on from {good.name}.", RuntimeWarning, stacklevel=3)
    reached = msgspec.json.decode(position)
    return Restored(reached) if good is None else Restored(reached, good.data, good.position)
