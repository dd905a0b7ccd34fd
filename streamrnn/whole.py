"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file, whole or not at all: a crash leaves the one that was there before.

    A symbolic link stays, and the file that it leads to is written. A file that is there keeps its mode; a new one gets that of
    any new file (0666 less the umask).

    Parameters
    ----------
    path
        The file; it is replaced.
    data
        All that it will hold.

    Raises
    ------
    OSError
        When it cannot be written; what was there is there still.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from streamrnn.whole import write_whole
    >>> path = pathlib.Path(tempfile.mkdtemp(), "kept")
    >>> write_whole(path, b"weights")
    >>> path.read_bytes()
    b'weights'
    """
    target = Path(os.path.realpath(path))
    try:
        mode: int | None = stat.S_IMODE(target.stat().st_mode)  # a link that leads to itself raises
    except FileNotFoundError:
        mode = None
    beside = target.with_name(f".{target.name[:200]}.{secrets.token_hex(8)}")
    handle = os.open(
        beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666 if mode is None else mode & 0o666
    )
    try:
        with os.fdopen(handle, "wb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the new name is on disk, too
    finally:
        os.close(folder)
