"""JSON documents to JSON Lines: arrays as they come, objects that hold a table whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from streamrnn.errors import SourceError
from streamrnn.io import nests_too_deep

__all__ = ["ArrayLines", "DocumentLines", "tabular"]

MOST = 256 << 20
"""Bytes of an object that is read whole."""

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]|"', re.DOTALL)
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
                    found += _records(_BLANKS.sub(b"", buffer[self._begin : self._at]))
                    self._begin = -1
        else:
            self._at = len(buffer) if self._begin < 0 else max(self._at, self._begin)
        cut = self._begin if self._begin >= 0 else self._at
        if len(buffer) - cut > self._limit + (1 << 20):
            raise SourceError(
                f"{self._path!r}: an element of its array is longer than max_line_bytes = {self._limit}. Raise max_line_bytes."
            )
        if final and self._depth > 0 and self._begin >= 0:
            found.append(_BLANKS.sub(b"", buffer[self._begin :]))  # cut off: a bad record, which says so
        self._buffer = buffer[cut:]
        self._at -= cut
        self._begin = 0 if self._begin >= 0 else -1
        return b"".join(one + b"\n" for one in found)


def _records(element: bytes) -> list[bytes]:
    """Return the records of an element of an array: itself, or the points of the series that it is."""
    if re.search(rb"\[\s*\[", element) is None or nests_too_deep(element):
        return [element]
    try:
        series = msgspec.json.decode(element)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return [element]
    points = _pairs(series) if isinstance(series, dict) else None
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


def _prometheus(found: Any) -> Iterator[dict[str, Any]] | None:
    """Return the rows of an answer to a range query."""
    result = found.get("data", {}).get("result") if isinstance(found.get("data"), dict) else None
    if not isinstance(result, list) or not all(isinstance(one, dict) and "metric" in one for one in result):
        return None
    return (row for row in _by_time([(_series(one["metric"]), one) for one in result]))


def _series(metric: Mapping[str, Any]) -> str:
    labels = ",".join(f'{name}="{value}"' for name, value in sorted(metric.items()) if name != "__name__")
    return f"{metric.get('__name__', '')}{{{labels}}}" if labels else str(metric.get("__name__", ""))


def _by_time(series: list[tuple[str, Mapping[str, Any]]]) -> Iterator[dict[str, Any]]:
    rows = [
        (pair[0], i, name, pair[1])
        for i, (name, one) in enumerate(series)
        for pair in (one.get("values") or [one.get("value")])
        if isinstance(pair, list) and len(pair) == 2
    ]
    for time, _, name, value in sorted(rows, key=lambda row: row[:2]):
        yield {"time": time, "series": name, "value": value}


def _columns(found: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return rows where an object holds lists of equal length, one a column."""
    lists = {name: value for name, value in found.items() if isinstance(value, list)}
    lengths = {len(value) for value in lists.values()}
    if len(lists) < 2 or len(lengths) != 1 or lengths == {0}:
        return None
    if any(isinstance(cell, list | dict) for value in lists.values() for cell in value[:3]):
        return None
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


_NAMES = ("target", "metric", "name", "label", "series", "scope")


def _pairs(found: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return rows where an object holds points, a list of a time and a value each, in either order."""
    for value in found.values():
        points = value if isinstance(value, list) else []
        if len(points) < 2 or not all(isinstance(one, list) and len(one) == 2 for one in points):
            continue
        at = next((i for i in (0, 1) if all(_is_moment(one[i]) for one in points)), None)
        if at is None:
            continue
        named = {"series": " ".join(str(found[name]) for name in _NAMES if isinstance(found.get(name), str))}
        return [{"time": one[at], **(named if named["series"] else {}), "value": one[1 - at]} for one in points]
    return None


def _is_moment(value: Any) -> bool:
    """Whether a number is a moment from 1980 to 2100, in seconds or milliseconds."""
    return isinstance(value, int | float) and (3.2e8 <= value <= 4.2e9 or 3.2e11 <= value <= 4.2e12)


def _spread(found: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return rows where an object holds a list of times, and as long lists lie deeper inside of it."""
    here = {name: value for name, value in found.items() if _is_column(value)}
    if len(here) != 1:
        return None
    length = len(next(iter(here.values())))
    inside = {name: value for name, value in _inside(found, 0) if len(value) == length}
    return _columns(here | inside) if len(inside) > 1 else None


def _is_column(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 1 and not any(isinstance(cell, list | dict) for cell in value)


def _inside(found: Any, depth: int) -> Iterator[tuple[str, list[Any]]]:
    if isinstance(found, list):
        for one in found if len(found) > 1 else ():  # series, each with its name
            name = (
                next((one[key] for key in _NAMES if isinstance(one.get(key), str)), None)
                if isinstance(one, dict)
                else None
            )
            columns = [value for value in one.values() if _is_column(value)] if name else []
            if name is not None and len(columns) == 1:
                yield name, columns[0]
        found = found[0] if len(found) == 1 else None
    if isinstance(found, dict) and depth < 6:
        for name, value in found.items():
            if _is_column(value):
                yield name, value
            else:
                yield from _inside(value, depth + 1)


def _influx(found: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return rows where an object names its columns beside lists of values."""
    names, values = found.get("columns"), found.get("values", found.get("rows", found.get("data")))
    if not isinstance(names, list) or not isinstance(values, list) or not values:
        return None
    names = [name.get("text", name.get("name")) if isinstance(name, dict) else name for name in names]
    tags: Any = found.get("tags") if isinstance(found.get("tags"), dict) else {}
    return [{**tags, **dict(zip(names, row, strict=False))} for row in values if isinstance(row, list)]


def tabular(found: Any, depth: int = 0) -> list[dict[str, Any]] | None:
    """Return the longest table inside a document, None where there is none.

    Parameters
    ----------
    found
        Decoded JSON.
    depth
        How deep it lies.
    """
    if isinstance(found, list):
        rows = [row for row in found if isinstance(row, dict)]
        inner = [tabular(row, depth + 1) for row in rows[:50]] if depth < 6 else []
        tables = [table for table in inner if table is not None]
        if tables and len(tables) == len(rows):  # a list of series
            return [row for table in tables for row in table]
        if rows and 2 * len(rows) > len(found):
            return rows
        lists = [one for one in found if isinstance(one, list)]
        nested = [table for one in lists[:50] if (table := tabular(one, depth + 1))] if depth < 6 else []
        return [row for table in nested for row in table] or None
    if not isinstance(found, dict) or depth > 6:
        return None
    prometheus = _prometheus(found)
    if prometheus is not None:
        return list(prometheus)
    rows_here = _influx(found) or _columns(found) or _pairs(found) or _spread(found)
    if rows_here:
        return rows_here
    tables = [table for value in found.values() if (table := tabular(value, depth + 1))]
    return max(tables, key=len) if tables else None
