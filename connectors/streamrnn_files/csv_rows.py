"""CSV records to values."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamrnn_files.cells import CellError, number, show, split_cells
from streamrnn_files.columns import Layout
from streamrnn_files.rows import Fast, Row, Time

__all__ = ["CsvParser", "check_missing"]

_numbers = msgspec.json.Decoder(list[float | None]).decode
_times = msgspec.json.Decoder(list[int | float]).decode

_COMMON_MISSING = frozenset(("", "NaN", "nan", "NA", "NULL", "None", "N/A"))
"""What pandas, R, databases and Python write for "no value", letter by letter; the careful way knows more."""


class CsvParser:
    """Two ways through a CSV, see :class:`streamrnn_files.rows.Parser`.

    The fast way leaves the digits to the JSON reader, which is several times faster than ``float`` and rounds as
    correctly. It takes what JSON calls a number, and nothing where a cell is empty; anything else is for the careful way.

    Parameters
    ----------
    layout
        The columns of the file.
    delimiter
        The character between two cells.
    allow_missing
        Whether a record may lack some of the features; it must never lack all.
    """

    def __init__(self, layout: Layout, delimiter: str, *, allow_missing: bool) -> None:
        place = {name: i for i, name in enumerate(layout.header)}
        self._names = layout.features
        self._at = [place[name] for name in layout.features]
        self._time = None if layout.time is None else place[layout.time]
        self._key = None if layout.key is None else place[layout.key]
        self._epoch = layout.epoch
        self._columns = len(layout.header)
        self._delimiter = delimiter
        self._allow_missing = allow_missing

    @property
    def width(self) -> int:
        """How many features there are."""
        return len(self._at)

    def fast(self, records: Sequence[bytes]) -> Fast | None:
        """Return the columns of all records, or None where any of them is not plainly clean.

        Parameters
        ----------
        records
            Records without their line ends.
        """
        try:
            text = b"\n".join(records).decode()
        except UnicodeDecodeError:
            return None
        columns = self._quoted_columns(records) if '"' in text else self._plain_columns(text, len(records))
        if columns is None:
            return None
        times: Sequence[Time] | None = ()
        keys: Sequence[str | None] = ()
        if self._time is not None:
            times = self._fast_times(columns(self._time))
        if self._key is not None:
            keys = [key or None for key in columns(self._key)]
        values = self._fast_values([columns(i) for i in self._at], len(records))
        return None if values is None or times is None else (values, times, keys)

    def _plain_columns(self, text: str, n: int) -> Callable[[int], Sequence[str]] | None:
        """Return a look-up of the columns of rows without quotes."""
        # A line end now opens the first cell of its row: where the first column holds all of them, rows are aligned.
        cells = text.replace("\n", self._delimiter + "\n").split(self._delimiter)
        if len(cells) != n * self._columns:
            return None
        first = "".join(cells[:: self._columns]).split("\n")
        if len(first) != n:
            return None
        return lambda i: cells[i :: self._columns] if i else first

    def _quoted_columns(self, records: Sequence[bytes]) -> Callable[[int], Sequence[str]] | None:
        """Return a look-up of the columns of rows with quotes."""
        try:
            texts = [record.decode() for record in records]
            rows = list(csv.reader(texts, delimiter=self._delimiter, strict=True))
        except csv.Error:
            return None
        if len(rows) != len(records) or any(len(row) != self._columns for row in rows):
            return None
        columns = list(zip(*rows, strict=True))
        return lambda i: columns[i]

    def _fast_times(self, cells: Sequence[str]) -> Sequence[Time] | None:
        if self._epoch:
            try:
                times = _times("[" + ",".join(cells) + "]")
            except msgspec.DecodeError:
                return None
            return times if len(times) == len(cells) else None
        return [cell or None for cell in cells] if "" in cells else cells

    def _fast_values(self, columns: list[Sequence[str]], n: int) -> NDArray[np.float64] | None:
        width = self.width
        try:
            found = _numbers("[" + ",".join(map(",".join, columns)) + "]")
        except msgspec.DecodeError:
            filled = [["null" if cell in _COMMON_MISSING else cell for cell in column] for column in columns]
            try:
                found = _numbers("[" + ",".join(map(",".join, filled)) + "]")
            except msgspec.DecodeError:
                return None
        # No cell makes no number; where one makes two (a comma inside), there are too many.
        if len(found) != n * width:
            return None
        try:
            values = np.fromiter(found, np.float64, n * width)
        except TypeError:  # None, where a value is missing
            values = np.array(found, dtype=np.float64)
        table = np.ascontiguousarray(values.reshape(width, n).T)
        missing = np.isnan(table)
        if missing.any() and (not self._allow_missing or missing.all(axis=1).any()):
            return None
        return table

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
        try:
            text = record.decode()
        except UnicodeDecodeError as error:
            raise CellError(f"it is not UTF-8 text: {error.reason} at byte {error.start}") from None
        cells = split_cells(text, self._delimiter)
        if len(cells) != self._columns:
            raise CellError(f"it has {len(cells)} columns; the header has {self._columns}")
        values = []
        for name, i in zip(self._names, self._at, strict=True):
            try:
                values.append(number(cells[i]))
            except CellError as error:
                raise CellError(f"column {name!r}: {error}") from None
        check_missing(self._names, values, allowed=self._allow_missing)
        return (
            values,
            None if self._time is None else self._careful_time(cells[self._time]),
            None if self._key is None else cells[self._key] or None,
        )

    def _careful_time(self, cell: str) -> Time:
        if self._epoch:
            try:
                found = _times(f"[{cell}]")
            except msgspec.DecodeError:
                return cell or None
            if len(found) == 1:
                return found[0]
        return cell or None


def check_missing(names: Sequence[str], values: Sequence[float], *, allowed: bool) -> None:
    """Raise CellError where too many values are missing: all of them, or any that is not allowed to.

    Parameters
    ----------
    names
        The features, in order.
    values
        Their values; NaN is a missing one.
    allowed
        Whether some of them may be missing.

    Raises
    ------
    CellError
        With the first column that is missing.
    """
    missing = [name for name, value in zip(names, values, strict=True) if math.isnan(value)]
    if len(missing) == len(names):
        some = ", ".join(repr(name) for name in names[:5]) + (", ..." if len(names) > 5 else "")
        raise CellError(f"it holds no value in column {some}")
    if missing and not allowed:
        raise CellError(f"column {show(missing[0])}: the value is missing")
