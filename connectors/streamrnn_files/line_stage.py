"""What stages that go line by line share: whole lines of what comes in pieces, as text."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

__all__ = ["LineStage", "encoding_of", "text_of"]

_KANA = 3
"""Syllables of Japanese that show that bytes are such: other text does not hold them by chance."""


def encoding_of(data: bytes) -> str:
    """Return the encoding of text: UTF-8, Shift-JIS where it holds syllables of Japanese, else cp1252.

    Parameters
    ----------
    data
        Whole lines.
    """
    for encoding in ("utf-8", "cp932"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8" or sum("\u3041" <= sign <= "\u30fe" for sign in text) >= _KANA:
            return encoding
    return "cp1252"


def text_of(line: bytes) -> str:
    """Return a line as text: UTF-8, or cp1252 where it cannot be that.

    Parameters
    ----------
    line
        The line.
    """
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


class LineStage:
    r"""Makes JSON Lines of lines: none, one or more of each.

    Parameters
    ----------
    rows
        What returns the records of a line, None where it is another kind of line: that is passed on as it is, to be a bad record.

    Examples
    --------
    >>> from streamrnn_files.line_stage import LineStage
    >>> LineStage(lambda line: [{"a": int(line)}] if line.isdecimal() else None).feed(b"1\nx\n2", final=True)
    b'{"a":1}\nx\n{"a":2}\n'
    """

    def __init__(self, rows: Callable[[str], list[dict[str, object]] | None]) -> None:
        self._rows = rows
        self._buffer = b""

    def feed(self, data: bytes, *, final: bool) -> bytes:
        """Return the lines of what is whole by now.

        Parameters
        ----------
        data
            What comes next.
        final
            Whether there is no more.
        """
        lines = (self._buffer + data).split(b"\n")
        self._buffer = b"" if final else lines.pop()
        found: list[bytes] = []
        for line in lines:
            if not line.strip():
                continue
            rows = self._rows(text_of(line).rstrip("\r"))
            found += [line.strip()] if rows is None else map(msgspec.json.encode, rows)
        return b"".join(one + b"\n" for one in found)
