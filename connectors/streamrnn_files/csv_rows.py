"""CSV records to values."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamrnn.io import Tally
from streamrnn_files.csv_careful import CsvCells
from streamrnn_files.dialect_rows import BLANKS
from streamrnn_files.keys import joined
from streamrnn_files.numerals import Numerals
from streamrnn_files.rows import Fast, Row, Time
from streamrnn_files.samples import Head

__all__ = ["CsvParser"]

_numbers = msgspec.json.Decoder(list[float | None]).decode
_times = msgspec.json.Decoder(list[int | float]).decode

_NO_DIGIT = re.compile(r"^[^\d\n]+$", re.MULTILINE)
"""A time that is none: that of a row of totals, say."""

_COMMON_MISSING = frozenset(("", "NaN", "nan", "NA", "NULL", "None", "N/A"))
"""What pandas, R, databases and Python write for "no value", letter by letter; the careful way knows more."""


class CsvParser:
    """Two ways through a CSV, see :class:`streamrnn_files.rows.Parser`.

    The fast way leaves the digits to the JSON reader, which is several times faster than ``float`` and rounds as
    correctly. It takes what JSON calls a number, and nothing where a cell is empty; anything else is for the careful way.

    Parameters
    ----------
    head
        How the file is written.
    allow_missing
        Whether a record may lack some of the features; it must never lack all.
    tally
        Where bad cells are counted.
    """

    def __init__(self, head: Head, *, allow_missing: bool, tally: Tally | None = None) -> None:
        layout = head.layout
        place = {name: i for i, name in enumerate(layout.header)}
        self._cells = CsvCells(head, allow_missing=allow_missing, tally=tally or Tally())
        self._at = [place[name] for name in layout.features]
        self._numerals = [layout.numerals_of(name) for name in layout.features]
        self._plain = all(one.plain for one in self._numerals)
        self._timing = layout.timing
        self._times = [place[name] for name in layout.timing.columns if layout.timing.made]
        self._time = None if layout.time is None or self._times else place[layout.time]
        self._keys = [place[name] for name in layout.keys]
        self._epoch = layout.epoch
        self._columns = len(layout.header)
        self._delimiter = head.delimiter or ","
        self._encoding = head.encoding
        self._comment = head.comment.encode(head.encoding)
        self._allow_missing = allow_missing

    @property
    def width(self) -> int:
        """How many features there are."""
        return len(self._at)

    @property
    def least(self) -> int:
        """How many numbers an event has at least."""
        return min(1, self.width) if self._allow_missing else self.width

    def fast(self, records: Sequence[bytes]) -> Fast | None:
        """Return the columns of all records, or None where any of them is not plainly clean.

        Parameters
        ----------
        records
            Records without their line ends.
        """
        if self._comment and any(record.startswith(self._comment) for record in records):
            return None
        try:
            text = b"\n".join(records).decode(self._encoding)
        except UnicodeDecodeError:
            return None
        columns = self._columns_of(text, records)
        if columns is None:
            return None
        times: Sequence[Time] | None = ()
        keys: Sequence[str | None] = ()
        if self._times:
            times = self.made_times(list(map(columns, self._times)))
        elif self._time is not None:
            times = self.plain_times(columns(self._time))
        if len(self._keys) == 1:
            keys = [key or None for key in columns(self._keys[0])]
        elif self._keys:
            keys = [joined(cells) or None for cells in zip(*map(columns, self._keys), strict=True)]
        cells = [columns(i) for i in self._at]
        values = self._fast_values(cells, len(records)) if self._plain else self._other_values(cells, len(records))
        return None if values is None or times is None else (values, times, keys)

    def _columns_of(self, text: str, records: Sequence[bytes]) -> Callable[[int], Sequence[str]] | None:
        """Return a look-up of the columns, None where rows differ in length."""
        if self._delimiter == BLANKS:
            rows = [row.split() for row in text.split("\n")]
            if any(len(row) != self._columns for row in rows):
                return None
            columns = list(zip(*rows, strict=True))
            return lambda i: columns[i]
        return self._quoted_columns(records) if '"' in text else self._plain_columns(text, len(records))

    def made_times(self, columns: Sequence[Sequence[str]]) -> Sequence[Time] | None:
        """Return times that are not passed on as they are written; None where one is none.

        Parameters
        ----------
        columns
            The cells of each column that makes them.
        """
        if self._timing.totals and not all(map(str.strip, columns[0])):
            return None
        if (
            not _begin_with_digits(columns[0])
            and _NO_DIGIT.search("\n".join(columns[0]))
            and any(map(self._timing.is_total, columns[0]))
        ):
            return None
        return list(map(self._timing.read, zip(*columns, strict=True)))

    def _other_values(self, columns: list[Sequence[str]], n: int) -> NDArray[np.float64] | None:
        """Return values whose digits are not JSON's: without units, with a point for a decimal comma, without sentinels."""
        plain: list[Sequence[str]] = []
        for cells, numerals in zip(columns, self._numerals, strict=True):
            found = _in_json(cells, numerals)
            if found is None:
                return None
            plain.append(found)
        marks = [numerals.sentinels for numerals in self._numerals]
        return self._fast_values(plain, n, marks)

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
            texts = [record.decode(self._encoding) for record in records]
            rows = list(csv.reader(texts, delimiter=self._delimiter, strict=True))
        except csv.Error:
            return None
        if len(rows) != len(records) or any(len(row) != self._columns for row in rows):
            return None
        columns = list(zip(*rows, strict=True))
        return lambda i: columns[i]

    def plain_times(self, cells: Sequence[str]) -> Sequence[Time] | None:
        """Return times that are passed on as they are written; None where one is none.

        Parameters
        ----------
        cells
            Those of their column.
        """
        if self._epoch:
            try:
                times = _times("[" + ",".join(cells) + "]")
            except msgspec.DecodeError:
                return None
            return times if len(times) == len(cells) else None
        if self._timing.form is not None and not _begin_with_digits(cells) and _NO_DIGIT.search("\n".join(cells)):
            return None
        if self._timing.totals and not all(map(str.strip, cells)):
            return None
        return [cell or None for cell in cells] if "" in cells else cells

    def _fast_values(
        self, columns: list[Sequence[str]], n: int, marks: Sequence[tuple[float, ...]] = ()
    ) -> NDArray[np.float64] | None:
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
        for i, sentinels in enumerate(marks):
            if sentinels:
                table[np.isin(table[:, i], sentinels), i] = np.nan
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
        return self._cells.read(record)


def _begin_with_digits(cells: Sequence[str]) -> bool:
    """Whether all cells do: the least and the greatest of them tell. Times are sorted, or nearly: to sort them takes one look at each."""
    found = sorted(cells)
    return found[0][:1] >= "0" and found[-1][:1] <= "9"


def _in_json(cells: Sequence[str], numerals: Numerals) -> Sequence[str] | None:
    """Return numbers as JSON writes them; None where they are not plainly so many digits with a decimal mark and a unit."""
    if numerals.scales:
        return None
    before, behind = numerals.unit
    if before:
        cells = [cell.strip().removeprefix(before) for cell in cells]
    if behind:
        cells = [cell.strip().removesuffix(behind) for cell in cells]
    if numerals.decimal == ",":
        text = "\n".join(cells)
        if "." in text:
            return None
        cells = text.replace(",", ".").split("\n")
    return cells
