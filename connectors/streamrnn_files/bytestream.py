"""The bytes of a file, of a pipe, or of a growing file that is rotated and truncated."""

from __future__ import annotations

import io
import os
import re
import select
import stat
import sys
import time
from pathlib import Path
from typing import BinaryIO

from streamrnn.errors import SourceError

__all__ = ["ByteStream"]

CHUNK = 1 << 20
"""Bytes read at once: some ten thousand rows, so that what is done once a chunk costs nothing."""

HEAD = 4096
"""First bytes of a followed file that are compared to notice that it was written anew."""

WAIT_S = 0.05
"""Time between two looks at a followed file."""


class ByteStream:
    """Reads ``path`` (``-``: standard input) from its first byte on.

    Parameters
    ----------
    path
        A file, a named pipe, or ``-``.
    follow
        Whether to wait for more at the end of a file, and to go on with the file that takes its place.
    """

    def __init__(self, path: str, *, follow: bool) -> None:
        self._path = path
        self._follow = follow
        self._file: BinaryIO | None = None
        self._regular = False
        self._pollable = False
        self._offset = 0
        self._at_end = False
        self._head = b""
        self._next: list[str] = []

    @property
    def regular(self) -> bool:
        """Whether it is a plain file, which can be read again."""
        return self._regular

    def open(self) -> None:
        """Open ``path`` at its first byte."""
        self._open(self._path)
        self._next = []

    def close(self) -> None:
        """Close what is open; standard input is left open."""
        if self._file is not None and self._path != "-":
            self._file.close()
        self._file = None

    def _opened(self) -> BinaryIO:
        if self._file is None:
            raise SourceError(f"The input {self._path!r} is not open: read it inside a with statement.")
        return self._file

    def _open(self, path: str) -> None:
        try:
            # Unbuffered: a pipe's bytes must be had as they come.
            file: BinaryIO = sys.stdin.buffer if path == "-" else Path(path).open("rb", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise SourceError(f"The input {path!r} cannot be read: {error.strerror}.") from error
        self.close()
        self._file = file
        try:
            mode = os.fstat(self._file.fileno()).st_mode
        except (OSError, io.UnsupportedOperation):  # a stand-in for standard input
            mode = 0
        self._regular = stat.S_ISREG(mode) and path != "-"
        self._pollable = mode != 0 and not stat.S_ISREG(mode)
        self._offset = 0
        self._at_end = False
        self._head = b""

    def read(self, timeout_s: float) -> bytes | None:
        """Return what comes next: bytes, ``b""`` at the end of this file, None when nothing came in time.

        Parameters
        ----------
        timeout_s
            Longest wait for the first byte, in seconds; 0: none.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            if self.endless and self._at_end and self._replaced() == "truncated":
                return b""  # what there is to read now may be the middle of another content
            data = self._read(max(0.0, deadline - time.monotonic()))
            if data is None or data or not self.endless:
                return data
            if self._next:
                return b""
            match self._replaced():
                case "rotated":
                    return self._read(0.0)  # what was written before the new file was there
                case "truncated":
                    return b""
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            time.sleep(min(WAIT_S, left))

    def _read(self, timeout_s: float) -> bytes | None:
        file = self._opened()
        try:
            if self._pollable:
                ready, _, _ = select.select([file], [], [], timeout_s)
                if not ready:
                    return None
                data = os.read(file.fileno(), CHUNK)
            else:
                data = file.read(CHUNK)
        except OSError as error:
            raise SourceError(f"The input {self._path!r} cannot be read: {error.strerror}.") from error
        self._offset += len(data)
        self._at_end = len(data) < CHUNK
        if len(self._head) < HEAD:
            self._head += data[: HEAD - len(self._head)]
        return data

    def _replaced(self) -> str:
        """Tell whether another file has taken the place of this one, or its content was replaced."""
        descriptor = self._opened().fileno()
        try:
            now = Path(self._path).stat()
        except OSError:  # between two files, or out of reach for now: there may be more in this one
            return ""
        mine = os.fstat(descriptor)
        if (now.st_dev, now.st_ino) != (mine.st_dev, mine.st_ino):
            return "rotated"
        if mine.st_size < self._offset or os.pread(descriptor, len(self._head), 0) != self._head:
            return "truncated"
        return ""

    @property
    def endless(self) -> bool:
        """Whether another file may take the place of one that has ended."""
        return self._follow and self._regular

    def rewind(self) -> None:
        """Go back to the first byte of this file."""
        self._opened().seek(0)
        self._offset = 0
        self._at_end = False
        self._head = b""

    def advance(self) -> bool:
        """Open the file that comes after one that has ended; return False while it is not there."""
        if not self._next:
            mine = os.fstat(self._opened().fileno())
            rotated = self.rotated()
            at = [i for i, one in enumerate(rotated) if _identity(one) == (mine.st_dev, mine.st_ino)]
            self._next = [*rotated[at[0] + 1 :], self._path] if at else [self._path]
        while self._next:
            try:
                self._open(self._next[0])
            except SourceError:
                if len(self._next) == 1:
                    time.sleep(WAIT_S)
                    return False
            else:
                self._next.pop(0)
                return True
            self._next.pop(0)
        return False

    def rotated(self) -> list[str]:
        """Return the files that were rotated away from ``path``, oldest first: its name and digits behind it."""
        path = Path(self._path)
        pattern = re.compile(re.escape(path.name) + r"[.-]\d+([.T_-]\d+)*")
        # At equal age, a.csv.2 was rotated before a.csv.1.
        found = sorted((str(one) for one in path.parent.iterdir() if pattern.fullmatch(one.name)), reverse=True)
        ages = {one: age for one in found if (age := _modified(one)) is not None}
        return sorted(ages, key=lambda one: ages[one])

    def open_rotated(self, path: str) -> None:
        """Open one of :meth:`rotated`; those after it and the followed path come after it.

        Parameters
        ----------
        path
            One of :meth:`rotated`.
        """
        rotated = self.rotated()
        self._open(path)
        self._next = [*rotated[rotated.index(path) + 1 :], self._path]


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _modified(path: str) -> int | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_mtime_ns if stat.S_ISREG(found.st_mode) else None
