"""Whether a place can be written, without writing there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

__all__ = ["full", "unwritable"]


def unwritable(path: Path) -> str | None:
    """Say why ``path`` cannot be written or made, or None where it can.

    Parameters
    ----------
    path
        The file or directory, which need not exist.
    """
    if path.is_dir():
        return None if os.access(path, os.W_OK | os.X_OK) else f"{str(path)!r} is not writable"
    if path.exists():
        return None if os.access(path, os.W_OK) else f"{str(path)!r} is not writable"
    above = next(one for one in path.absolute().parents if one.exists())
    if not above.is_dir():
        return f"{str(above)!r} is not a directory"
    return None if os.access(above, os.W_OK | os.X_OK) else f"{str(above)!r} is not writable"


def full(path: Path) -> str | None:
    """Say that the disk of ``path`` is full, or None where there is room, or where it is no matter of a disk.

    Parameters
    ----------
    path
        The file, which need not exist.
    """
    if path.exists() and not path.is_dir() and not path.is_file():
        return None  # a pipe, a device
    disk = shutil.disk_usage(next(one for one in (path.absolute(), *path.absolute().parents) if one.exists()))
    return "no space is left on its disk" if disk.total and not disk.free else None
