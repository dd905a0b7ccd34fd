"""JSON Lines to values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from streamrnn.io import MAX_NESTING, nests_too_deep
from streamrnn_files.cells import CellError, number, show
from streamrnn_files.columns import Layout
from streamrnn_files.csv_rows import check_missing
from streamrnn_files.rows import Fast, Row, Time

__all__ = ["JsonParser"]


class JsonParser:
    """Two ways through JSON Lines, see :class:`streamrnn_files.rows.Parser`.

    The fast way decodes into a struct that has just the fields in use; others are skipped, not built.

    Parameters
    ----------
    layout
        The fields to read.
    allow_missing
        Whether a record may lack some of the features; it must never lack all.
    """

    def __init__(self, layout: Layout, *, allow_missing: bool) -> None:
        self._names = layout.features
        self._time = layout.time
        self._key = layout.key
        self._allow_missing = allow_missing
        width = len(layout.features)
        fields: list[tuple[str, Any, Any]] = [(f"x{i}", float | None, None) for i in range(width)]
        rename = {f"x{i}": name for i, name in enumerate(layout.features)}
        if layout.time is not None:
            fields.append(("time", str | int | float | None, None))
            rename["time"] = layout.time
        if layout.key is not None:
            fields.append(("key", str | None, None))
            rename["key"] = layout.key
        self._decode = msgspec.json.Decoder(msgspec.defstruct("Record", fields, rename=rename)).decode

    @property
    def width(self) -> int:
        """How many features there are."""
        return len(self._names)

    def fast(self, records: Sequence[bytes]) -> Fast | None:
        """Return the columns of all records, or None where any of them is not plainly clean.

        Parameters
        ----------
        records
            Records without their line ends.
        """
        data = b"\n".join(records)
        if data.count(b"[") + data.count(b"{") > len(records) + MAX_NESTING - 1:
            return None
        try:
            if not data.isascii():
                data.decode()
            rows = [msgspec.structs.astuple(self._decode(record)) for record in records]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        width = self.width
        columns = list(zip(*rows, strict=True))
        values = np.array(columns[:width], dtype=np.float64).T
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
        try:
            row = msgspec.structs.astuple(self._decode(record))
        except msgspec.DecodeError:
            row = self._explain(record)
        values = [math.nan if value is None else value for value in row[: self.width]]
        check_missing(self._names, values, allowed=self._allow_missing)
        time = None if self._time is None or row[self.width] == "" else row[self.width]
        return values, time, None if self._key is None else row[-1] or None

    def _explain(self, record: bytes) -> tuple[Any, ...]:
        """Read a record of unexpected types: numbers written as text pass, the rest is refused with the reason."""
        try:
            found = msgspec.json.decode(record)
        except msgspec.DecodeError as error:
            raise CellError(f"it is not JSON: {error}") from None
        if not isinstance(found, dict):
            raise CellError(f"it is not a JSON object: {show(record[:60].decode(errors='replace'))}")
        row: list[Any] = [self._value(name, found.get(name)) for name in self._names]
        if self._time is not None:
            time = found.get(self._time)
            if isinstance(time, bool | list | dict):
                raise CellError(f"column {self._time!r}: {_text(time)} is not a time")
            row.append(time)
        if self._key is not None:
            key = found.get(self._key)
            if isinstance(key, list | dict):
                raise CellError(f"column {self._key!r}: {_text(key)} is not a key")
            row.append(key if key is None or isinstance(key, str) else msgspec.json.encode(key).decode())
        return tuple(row)

    @staticmethod
    def _value(name: str, value: Any) -> float | None:
        if value is None or type(value) is float:
            return value
        try:
            if isinstance(value, str):
                return number(value)
            if isinstance(value, int):  # true and false are 1 and 0
                return float(value)
        except CellError as error:
            raise CellError(f"column {name!r}: {error}") from None
        except OverflowError:
            pass
        raise CellError(f"column {name!r}: {_text(value)} is not a number")


def _text(value: Any) -> str:
    return show(msgspec.json.encode(value).decode()) if not isinstance(value, int) else str(value)[:40]
