"""What stages that go line by line share: whole lines of what comes in pieces, as text."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

__all__ = ["LineStage", "encoding_of", "text_of"]

_KANA = 3
"""Syllables of Japanese that show that bytes are such: other text does not hold them by chance."""

_HIGH, _PAIRS = re.compile(rb"[\x80-\xff]+"), re.compile(rb"(?:[\xa1\xa3\xb0-\xd7][\xa1-\xfe])+")
"""Bytes beyond ASCII, and those that are common signs of Chinese or Korean, two by two."""

_CHINESE = re.compile(rb"^(?:..)*?[\xc9-\xd7]", re.DOTALL)
"""Signs behind all that Korean is written with."""

_LETTERS = {
    "cp1251": re.compile(rb"[\xc0-\xff][\xe0-\xff]{3}"),
    "cp1250": re.compile(
        rb"[A-Za-z][\xb3\xb9\xbf\x9f][a-z]{2}|\A(?!.*[\xe5\xf5]).*[\x8a\x8e\x9a\x9e][a-z\xe0-\xff]", re.DOTALL
    ),
    "cp1254": re.compile(
        rb"\A(?!.*[\xe1\xe6\xed]).*[A-Za-z\xc0-\xff][\xd0\xdd\xde\xf0\xfd\xfe][A-Za-z\xc0-\xff;,\t\" ]", re.DOTALL
    ),
}
"""Bytes that are letters of words in another alphabet: Russian, Polish and Czech, Turkish; in cp1252 they would stand in no word, but for those of Estonian and Icelandic,
which have others beside them."""


def encoding_of(data: bytes) -> str:
    """Return the encoding of text: UTF-8, Shift-JIS where it holds syllables of Japanese, GB 18030 or cp949 where nothing but common signs of Chinese or Korean, that of the letters it holds, else cp1252.

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
    pairs = _PAIRS.findall(data)
    if len(pairs) >= _KANA and b"".join(pairs) == b"".join(_HIGH.findall(data)):
        return "cp949" if not _CHINESE.search(b"".join(pairs)) else "gb18030"
    return next((encoding for encoding, letters in _LETTERS.items() if letters.search(data)), "cp1252")


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
