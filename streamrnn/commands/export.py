"""A snapshot in a file of its own: what ``snapshot export`` writes and ``snapshot import`` and ``replay`` read.

The container of :mod:`streamrnn.container` with partition, name and position of the snapshot, and its bytes as they were stored.
"""

from __future__ import annotations

from pathlib import Path

from streamrnn.container import pack, unpack
from streamrnn.errors import SinkError, SourceError, StateError
from streamrnn.io import StoredSnapshot
from streamrnn.whole import write_whole

__all__ = ["read_export", "write_export"]


def write_export(one: StoredSnapshot, path: str) -> None:
    """Write a snapshot to a file, whole or not at all.

    Parameters
    ----------
    one
        The snapshot.
    path
        Of the file.

    Raises
    ------
    SinkError
        When it cannot be written.
    """
    told = {"content": "export", "partition": one.partition, "name": one.name, "position": one.position}
    try:
        write_whole(path, pack(told, [one.data]))
    except OSError as error:
        raise SinkError(f"The snapshot cannot be written to {path!r}: {error.strerror}.") from error


def read_export(path: str) -> StoredSnapshot:
    """Return the snapshot of a file that :func:`write_export` wrote.

    Parameters
    ----------
    path
        Of the file.

    Raises
    ------
    SourceError
        When there is no such file, or it cannot be read.
    StateError
        When it is damaged, or no exported snapshot.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from streamrnn.io import StoredSnapshot
    >>> from streamrnn.commands.export import read_export, write_export
    >>> path = str(pathlib.Path(tempfile.mkdtemp(), "kept"))
    >>> write_export(StoredSnapshot("0", "0-7.snapshot", 120, b"weights"), path)
    >>> read_export(path).position
    120
    """
    try:
        manifest, blobs = unpack(Path(path).read_bytes())
    except OSError as error:
        raise SourceError(f"The snapshot {path!r} cannot be read: {error.strerror}.") from error
    except StateError as error:
        raise StateError(f"{path!r}: {error}") from error
    position, names = manifest.get("position"), [manifest.get("partition"), manifest.get("name")]
    if manifest.get("content") != "export" or len(blobs) != 1 or not isinstance(position, int | str):
        raise StateError(f"{path!r} is no exported snapshot. Write one with: streamrnn snapshot export CONFIG FILE.")
    if not all(isinstance(name, str) for name in names):
        raise StateError(f"{path!r} does not say whose snapshot it is.")
    if isinstance(position, int) and not (type(position) is int and -(2**63) <= position < 2**63):
        raise StateError(f"{path!r} has a position that no input can have.")
    return StoredSnapshot(str(names[0]), str(names[1]), position, blobs[0])
