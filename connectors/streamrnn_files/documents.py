"""JSON documents to JSON Lines: arrays as they come, objects that hold a table whole."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import msgspec

from streamrnn.errors import SourceError
from streamrnn.io import nests_too_deep
from streamrnn_files.dialect_rows import like_data
from streamrnn_files.meanings import is_key_name
from streamrnn_files.tabular import points_of, tabular

__all__ = ["ArrayLines", "DocumentLines", "RowLines"]

MOST = 256 << 20
"""Bytes of an object that is read whole."""

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]|"', re.DOTALL)
_SERIES = re.compile(rb'\[\s*\[|:\s*\[\s*\{|\{\s*"(?:\d{9,19}|\d{4}-\d\d-\d\d[^"]{0,20})"\s*:')
"""What an element holds that is a series: lists of points, or values by time."""

_BLANKS = re.compile(rb"[\r\n\t]+\s*")


class ArrayLines:
    r"""Makes lines of the elements of an array, in bounded memory.

    Parameters
    ----------
    path
        What is read, for messages.
    limit
        Bytes of the longest element.
    nested
        Whether its elements are arrays themselves, and theirs are the records.

    Examples
    --------
    >>> from streamrnn_files.documents import ArrayLines
    >>> lines = ArrayLines("a.json", 100)
    >>> lines.feed(b'[{"a":\n 1}, {"a', final=False) + lines.feed(b'": 2}]', final=True)
    b'{"a":1}\n{"a": 2}\n'
    """

    def __init__(self, path: str, limit: int, *, nested: bool = False) -> None:
        self._level = 2 if nested else 1
        self._path = path
        self._limit = limit
        self._buffer = b""
        self._at = 0  # behind what was looked at
        self._depth = 0
        self._begin = -1
        self._count = 0
        self._first: list[bytes] = []  # the first element, until the next one tells what it is
        self._keys: dict[str, Any] | None = None  # what the first element of an inner array says of the others

    def _taken(self, element: bytes) -> list[bytes]:
        """Return the records of an element; one that stands before a list of records tells about it, and is none."""
        records = _records(element)
        if self._count == 0 and element[:1] == b"{":
            self._count, self._first = 1, records
            return []
        held, self._first = self._first, []
        self._count += 1
        return records if element[:1] == b"[" and self._count == 2 else held + records

    def _named(self, element: bytes) -> bytes:
        """Return an element of an inner array, with the names of its series that only the first one has."""
        if self._keys == {}:
            return element
        try:
            row = msgspec.json.decode(element)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return element
        if not isinstance(row, dict):
            return element
        if self._keys is None:
            self._keys = {name: value for name, value in row.items() if isinstance(value, str) and is_key_name(name)}
            return element
        missing = {name: value for name, value in self._keys.items() if name not in row}
        return msgspec.json.encode(row | missing) if missing else element

    def feed(self, data: bytes, *, final: bool) -> bytes:
        """Return the lines of the elements that are whole by now.

        Parameters
        ----------
        data
            What comes next.
        final
            Whether there is no more.

        Raises
        ------
        SourceError
            When an element is too long.
        """
        buffer = self._buffer + data
        found = []
        for token in _TOKEN.finditer(buffer, self._at):
            text = token.group()
            if text == b'"':  # a text that goes on behind what is here
                self._at = token.start()
                break
            self._at = token.end()
            if text in (b"{", b"["):
                self._depth += 1
                if self._depth == self._level + 1:
                    self._begin = token.start()
            elif text in (b"}", b"]"):
                self._depth -= 1
                if self._depth == self._level and self._begin >= 0:
                    element = _BLANKS.sub(b"", buffer[self._begin : self._at])
                    found += self._taken(element) if self._level == 1 else [self._named(element)]
                    self._begin = -1
                elif self._depth < self._level:
                    self._keys = None
        else:
            self._at = len(buffer) if self._begin < 0 else max(self._at, self._begin)
        cut = self._begin if self._begin >= 0 else self._at
        if len(buffer) - cut > self._limit + (1 << 20):
            raise SourceError(
                f"{self._path!r}: an element of its array is longer than max_line_bytes = {self._limit}. Raise max_line_bytes."
            )
        if final:
            found, self._first = self._first + found, []
        if final and self._depth > 0 and self._begin >= 0:
            found.append(_BLANKS.sub(b"", buffer[self._begin :]))  # cut off: a bad record, which says so
        self._buffer = buffer[cut:]
        self._at -= cut
        self._begin = 0 if self._begin >= 0 else -1
        return b"".join(one + b"\n" for one in found)


def _records(element: bytes) -> list[bytes]:
    """Return the records of an element of an array: itself, or the points of the series that it is."""
    if element[:2] == b"[{" and not nests_too_deep(element):
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
            return list(map(bytes, msgspec.json.decode(element, type=list[msgspec.Raw])))
    if _SERIES.search(element) is None or nests_too_deep(element):
        return [element]
    try:
        series = msgspec.json.decode(element)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return [element]
    points = points_of(series) if isinstance(series, dict) else None
    return [element] if points is None else [msgspec.json.encode(one) for one in points]


class DocumentLines:
    r"""Makes lines of the table inside one object: what Prometheus, InfluxDB or a weather service answers.

    Parameters
    ----------
    path
        What is read, for messages.

    Examples
    --------
    >>> from streamrnn_files.documents import DocumentLines
    >>> DocumentLines("a.json").feed(b'{"hourly": {"time": [1, 2], "rain": [0.5, null]}}', final=True)
    b'{"time":1,"rain":0.5}\n{"time":2,"rain":null}\n'
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._parts: list[bytes] = []
        self._length = 0

    def feed(self, data: bytes, *, final: bool) -> bytes:
        """Return the lines, all of them once the document is whole.

        Parameters
        ----------
        data
            What comes next.
        final
            Whether there is no more.

        Raises
        ------
        SourceError
            When it is too long, no JSON, or holds no table.
        """
        self._parts.append(data)
        self._length += len(data)
        if self._length > MOST:
            raise SourceError(f"{self._path!r} is one JSON object of more than 256 MB: make JSON Lines of it first.")
        if not final:
            return b""
        document = b"".join(self._parts)
        try:
            if nests_too_deep(document):
                raise SourceError(f"{self._path!r} is JSON nested too deep to be a table.")
            rows = tabular(msgspec.json.decode(document))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise SourceError(
                f"{self._path!r} is not JSON: {error}. Are these JSON Lines? Set format = 'jsonl' (--format jsonl)."
            ) from None
        if rows is None:
            raise SourceError(f"{self._path!r} is one JSON object without a table in it: make JSON Lines of it first.")
        return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


class RowLines:
    r"""Makes lines of the elements of an array that are arrays of cells; the first one names them where it holds nothing but texts.

    Parameters
    ----------
    path
        What is read, for messages.
    limit
        Bytes of the longest element.

    Examples
    --------
    >>> from streamrnn_files.documents import RowLines
    >>> RowLines("a.json", 100).feed(b'[["time", "load"], [1, 2.5]]', final=True)
    b'{"time":1,"load":2.5}\n'
    >>> RowLines("a.json", 100).feed(b'[[1, "2.5"]]', final=True)
    b'{"c0":1,"c1":"2.5"}\n'
    """

    def __init__(self, path: str, limit: int) -> None:
        self._elements = ArrayLines(path, limit)
        self._names: list[str] | None = None

    def feed(self, data: bytes, *, final: bool) -> bytes:
        """Return the lines of the elements that are whole by now.

        Parameters
        ----------
        data
            What comes next.
        final
            Whether there is no more.

        Raises
        ------
        SourceError
            When an element is too long.
        """
        return b"".join(map(self._line, self._elements.feed(data, final=final).splitlines()))

    def _line(self, element: bytes) -> bytes:
        try:
            cells = msgspec.json.decode(element)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return element + b"\n"
        if not isinstance(cells, list):
            return element + b"\n"
        if self._names is None:
            texts = all(isinstance(cell, str) and not like_data(cell) for cell in cells)
            self._names = cells if texts else [f"c{i}" for i in range(len(cells))]
            if texts:
                return b""
        return msgspec.json.encode(dict(zip(self._names, cells, strict=False))) + b"\n"
