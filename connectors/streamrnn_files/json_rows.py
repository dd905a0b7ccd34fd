"""JSON Lines to values."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from streamrnn.io import MAX_NESTING, MISSING, Tally, json_of, kind_of, nests_too_deep
from streamrnn_files.cells import CellError, show
from streamrnn_files.columns import Layout
from streamrnn_files.csv_careful import settle
from streamrnn_files.json_record import RecordDecoder
from streamrnn_files.keys import joined
from streamrnn_files.rows import Fast, Row, Time
from streamrnn_files.samples import flat

__all__ = ["JsonParser", "decoded"]


class JsonParser:
    """Two ways through JSON Lines, see :class:`streamrnn_files.rows.Parser`.

    The fast way decodes into a struct that has just the fields in use; others are skipped, not built.

    Parameters
    ----------
    layout
        The fields to read.
    allow_missing
        Whether a record may lack some of the features; it must never lack all.
    tally
        Where bad cells are counted.
    """

    def __init__(self, layout: Layout, *, allow_missing: bool, tally: Tally | None = None) -> None:
        self._tally = tally or Tally()
        self._layout = layout
        self._nested = any("." in name for name in layout.used)
        self._other = layout.timing.made or bool(layout.numerals) or len(layout.keys) > 1
        self._names = layout.features
        self._time = layout.time
        self._key = layout.key
        self._allow_missing = allow_missing
        self._record = RecordDecoder(
            [(name, float | None) for name in layout.features]
            + ([] if layout.time is None else [(layout.time, str | int | float | None)])
            + ([] if layout.key is None else [(layout.key, str | None)])
        )

    @property
    def width(self) -> int:
        """How many features there are."""
        return len(self._names)

    @property
    def least(self) -> int:
        """How many numbers an event has at least."""
        return min(1, self.width) if self._allow_missing else self.width

    def plain_fields(self) -> tuple[tuple[str, ...], str | None, str | None] | None:
        """Return the fields of numbers, of the time and of the key; None where they are not read as they stand."""
        if self._other or not self._names or self._record.odd:
            return None
        return self._names, self._time, self._key

    def fast(self, records: Sequence[bytes]) -> Fast | None:
        """Return the columns of all records, or None where any of them is not plainly clean.

        Parameters
        ----------
        records
            Records without their line ends.
        """
        if self._other:
            return None
        rows = self._record.rows(records)
        if rows is None:
            return None
        width = self.width
        columns = list(zip(*rows, strict=True))
        values = np.array(columns[:width], dtype=np.float64).reshape(width, len(rows)).T
        missing = np.isnan(values)
        if missing.any() and (not self._allow_missing or missing.all(axis=1).any()):
            return None
        times: Sequence[Time] = ()
        keys: Sequence[str | None] = ()
        if self._time is not None:
            times = [None if time == "" else time for time in columns[width]]
        if self._key is not None:
            keys = [key or None for key in columns[-1]]
        return np.ascontiguousarray(values), times, keys

    def careful(self, record: bytes) -> Row:
        """Return one record's values, or say why it is no event.

        Parameters
        ----------
        record
            A record without its line end.

        Raises
        ------
        CellError
            When it is no event; the message says why.
        """
        if nests_too_deep(record):
            raise CellError(f"it is nested deeper than {MAX_NESTING} levels")
        try:
            record.decode()
        except UnicodeDecodeError as error:
            raise CellError(f"it is not UTF-8 text: {error.reason} at byte {error.start}") from None
        row: tuple[Any, ...] | None = None
        bad: list[tuple[str, str, str]] = []
        marked = False
        if not self._other and not self._nested:
            row = self._record.row(record)
        if row is None:
            row, bad, marked = self._explain(record)
        values = [math.nan if value is None else value for value in row[: self.width]]
        settle(self._names, values, bad, self._tally, allowed=self._allow_missing, marked=marked)
        time = None if self._time is None or row[self.width] == "" else row[self.width]
        return values, time, None if self._key is None else row[-1] or None

    def _explain(self, record: bytes) -> tuple[tuple[Any, ...], list[tuple[str, str, str]], bool]:
        """Read a record of unexpected types; say which fields hold something that is no number, and whether one is a mark."""
        found = decoded(record)
        if not isinstance(found, dict):
            raise CellError(f"it is not a JSON object: {show(record[:60].decode(errors='replace'))}")
        if self._nested:
            found = flat(found)
        row: list[Any] = []
        bad: list[tuple[str, str, str]] = []
        marked = False
        for name in self._names:
            value = found.get(name)
            try:
                row.append(self._value(name, value))
            except CellError as error:
                row.append(None)
                bad.append((name, _kind(value), str(error)))
            else:
                marked |= row[-1] is not None and math.isnan(row[-1]) and str(value).strip().lower() not in MISSING
        if self._time is not None:
            row.append(self._when(found))
        if self._key is not None:
            keys = [self._key_of(name, found.get(name)) for name in self._layout.keys]
            row.append(keys[0] if len(keys) == 1 else joined([key or "" for key in keys]))
        return tuple(row), bad, marked

    @staticmethod
    def _key_of(name: str, key: Any) -> str | None:
        if isinstance(key, list | dict):
            raise CellError(f"column {name!r}: {_text(key)} is not a key")
        return key if key is None or isinstance(key, str) else msgspec.json.encode(key).decode()

    def _when(self, found: dict[str, Any]) -> Time:
        timing = self._layout.timing
        names = timing.columns if timing.made else (self._time or "",)
        times = [found.get(name) for name in names]
        for name, time in zip(names, times, strict=True):
            if isinstance(time, bool | list | dict):
                raise CellError(f"column {name!r}: {_text(time)} is not a time")
        if not timing.made:
            return times[0]
        return timing.read(["" if time is None else str(time) for time in times])

    def _value(self, name: str, value: Any) -> float | None:
        """Return a field's number, None or NaN where it has none; raise CellError where it holds something else."""
        if value is None:
            return None
        numerals = self._layout.numerals_of(name)
        if isinstance(value, str):
            return numerals.read(value)
        try:
            if isinstance(value, int | float):  # true and false are 1 and 0
                number = float(value)
                return math.nan if number in numerals.sentinels else number
        except OverflowError:
            pass
        raise CellError(f"{_text(value)} is not a number")


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return kind_of(value)
    return "too large" if isinstance(value, int) else type(value).__name__


def decoded(record: bytes) -> Any:
    """Return decoded JSON, see :func:`streamrnn.io.json_of`.

    Parameters
    ----------
    record
        JSON, nested no deeper than ``MAX_NESTING``.

    Raises
    ------
    CellError
        When it is none.
    """
    try:
        return json_of(record)
    except ValueError as error:
        raise CellError(f"it is not JSON: {error}") from None


def _text(value: Any) -> str:
    return show(json.dumps(value, separators=(",", ":"))) if not isinstance(value, int) else str(value)[:40]
