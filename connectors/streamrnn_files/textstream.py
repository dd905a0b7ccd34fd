"""The text of a file, a pipe, or a growing file: its bytes, through the stages that its first ones ask for."""

from __future__ import annotations

from streamrnn_files.bytestream import ByteStream
from streamrnn_files.options import SourceOptions
from streamrnn_files.translate import Translator

__all__ = ["TextStream"]

SLICE = 1 << 15
"""Bytes that go through the stages at once: a compressed file may hold a thousand times as many."""


class TextStream:
    """Reads like :class:`streamrnn_files.bytestream.ByteStream`, but text: offsets are those of the text.

    Parameters
    ----------
    options
        What to read.
    """

    def __init__(self, options: SourceOptions) -> None:
        self._options = options
        self._bytes = ByteStream(options.path, follow=options.follow)
        self._begin()

    def _begin(self) -> None:
        self._translator = Translator(self._options)
        self._raw = b""
        self._ended = False

    @property
    def regular(self) -> bool:
        """Whether it is a plain file, which can be read again."""
        return self._bytes.regular

    @property
    def endless(self) -> bool:
        """Whether another file may take the place of one that has ended."""
        return self._bytes.endless

    @property
    def made_json(self) -> bool:
        """Whether the text is JSON Lines that the stages made, whatever the file is called."""
        return self._translator.made_json

    def stages(self) -> tuple[str, ...]:
        """Return what the bytes go through."""
        return self._translator.told()

    def open(self) -> None:
        """Open the path at its first byte."""
        self._bytes.open()
        self._begin()

    def close(self) -> None:
        """Close what is open."""
        self._bytes.close()

    def rewind(self) -> None:
        """Go back to the first byte of this file."""
        self._bytes.rewind()
        self._begin()

    def advance(self) -> bool:
        """Open the file that comes after one that has ended; return False while it is not there."""
        if not self._bytes.advance():
            return False
        self._begin()
        return True

    def rotated(self) -> list[str]:
        """Return the files that were rotated away from the path, oldest first."""
        return self._bytes.rotated()

    def open_rotated(self, path: str) -> None:
        """Open one of :meth:`rotated`.

        Parameters
        ----------
        path
            One of :meth:`rotated`.
        """
        self._bytes.open_rotated(path)
        self._begin()

    def read(self, timeout_s: float) -> bytes | None:
        """Return what comes next: text, ``b""`` at the end of this file, None when nothing came in time.

        Parameters
        ----------
        timeout_s
            Longest wait for the first byte, in seconds; 0: none.
        """
        if self._translator.plain:
            return self._bytes.read(timeout_s)
        while True:
            if self._ended:
                return b""
            if not self._raw:
                data = self._bytes.read(timeout_s)
                if data is None:
                    return None
                self._ended, self._raw = not data, data
            part, self._raw = self._raw[:SLICE], self._raw[SLICE:]
            text = self._translator.feed(part, final=self._ended)
            if self._translator.plain and self._raw:
                text, self._raw = text + self._raw, b""
            if text:
                return text
