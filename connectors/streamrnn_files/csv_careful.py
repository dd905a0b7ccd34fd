"""One CSV record to values, cell by cell: whatever a table's numbers and times look like."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from streamrnn.io import MISSING, Tally, kind_of
from streamrnn_files.cells import CellError, PassedOverError, is_number, show
from streamrnn_files.columns import Layout
from streamrnn_files.dialect_rows import BLANKS, is_ruler, like_data, split_row
from streamrnn_files.keys import joined
from streamrnn_files.numerals import Numerals
from streamrnn_files.rows import Row, Time
from streamrnn_files.samples import Head

__all__ = ["CsvCells", "again", "settle"]

_STROKES = tuple("-+=| :")

_times = msgspec.json.Decoder(list[int | float]).decode


class CsvCells:
    """Reads one record of a CSV.

    Parameters
    ----------
    head
        How the file is written.
    allow_missing
        Whether a record may lack some of the features; it must never lack all.
    tally
        Where bad cells are counted.
    """

    def __init__(self, head: Head, *, allow_missing: bool, tally: Tally) -> None:
        layout = head.layout
        place = {name: i for i, name in enumerate(layout.header)}
        self._head = head
        self._layout: Layout = layout
        self._features = [(name, place[name], layout.numerals_of(name)) for name in layout.features]
        self._times = [place[name] for name in layout.timing.columns] if layout.timing.columns else (
            [] if layout.time is None else [place[layout.time]]
        )  # fmt: skip
        self._keys = [place[name] for name in layout.keys]
        self._width = len(layout.header)
        self._names = [name.strip() for name in layout.header] if head.named else []
        self._allow_missing = allow_missing
        self._tally = tally

    def read(self, record: bytes) -> Row:
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
        cells = self._cells(record)
        time = self._time(cells)
        key = joined([cells[i] for i in self._keys]) or None
        if key is not None and "\ufffd" in key:
            raise CellError(f"column {self._layout.key!r}: {show(key)} is not {self._head.encoding} text")
        return self._values(cells), time, key

    def _cells(self, record: bytes) -> list[str]:
        text = record.decode(self._head.encoding, "replace")
        if self._head.comment and text.startswith(self._head.comment):
            raise PassedOverError("it is a comment")
        cells = split_row(text, self._head.delimiter or ",")
        if not any(map(str.strip, cells)):
            raise PassedOverError("it is blank")
        if self._width > 1 and text[:1] in _STROKES and is_ruler(text.strip()):
            raise PassedOverError("it is a line drawn under names")
        if len(cells) != self._width:
            cells = self._fitted(cells)
        if self._names and again(cells, self._names):
            raise PassedOverError("it is the header once more")
        return cells

    def _fitted(self, cells: list[str]) -> list[str]:
        """Return a record's cells without empty ones at its end that have no column."""
        if len(cells) > self._width and not any(cell.strip() for cell in cells[self._width :]):
            return cells[: self._width]
        if (
            self._head.delimiter == BLANKS
            and not any(map(is_number, cells[self._width :]))
            and len(cells) > self._width
        ):
            return cells[: self._width]  # a remark behind the row
        raise CellError(f"it has {len(cells)} columns; the header has {self._width}")

    def _values(self, cells: list[str]) -> list[float]:
        values, bad = [], []
        for name, i, numerals in self._features:
            try:
                value = numerals.read(cells[i])
            except CellError as error:
                value = math.nan
                bad.append((name, kind_of(cells[i]), str(error)))
            values.append(value)
        marked = len(bad) < len(values) and all(map(math.isnan, values)) and self._marked(cells)
        settle(list(self._layout.features), values, bad, self._tally, allowed=self._allow_missing, marked=marked)
        return values

    def _marked(self, cells: list[str]) -> bool:
        """Whether a cell holds a mark for "no value" that is not one of the usual words: it was measured, and failed."""
        found = [(cells[i].strip().lower(), numerals) for _, i, numerals in self._features]
        return any(cell not in MISSING and _is_mark(cell, numerals) for cell, numerals in found)

    def _time(self, cells: list[str]) -> Time:
        if not self._times:
            return None
        first = cells[self._times[0]]
        timing = self._layout.timing
        total = timing.is_total(first) or (
            self._layout.epoch and bool(first.strip()) and not any(map(str.isdigit, first))
        )
        if total and first.strip().lower() not in ("nan", "null", "na", "none"):
            why = f"{show(first.strip())} is not a time" if first.strip() else "it is empty: a row of totals"
            raise CellError(f"column {self._layout.time!r}: {why}")
        if timing.made:
            return timing.read([cells[i] for i in self._times])
        if self._layout.epoch:
            try:
                found = _times(f"[{first}]")
            except msgspec.DecodeError:
                return first or None
            if len(found) == 1:
                return found[0]
        return first or None


def again(cells: Sequence[str], names: Sequence[str]) -> bool:
    """Whether a row holds the names of the columns once more; a column without a name has none there either.

    Parameters
    ----------
    cells
        The row.
    names
        Those of the columns.
    """
    held = [(cell.strip(), name) for cell, name in zip(cells, names, strict=False) if cell.strip()]
    same = sum(cell == name for cell, name in held)
    if not held or not same:
        return False
    others = [cell for cell, name in held if cell != name]
    if others:  # names behind the moment of writing them, as sar repeats them
        return (
            2 * same > len(held) > 2
            and all(map(like_data, others))
            and not any(like_data(c) for c, n in held if c == n)
        )
    return not all(like_data(cell) for cell, _ in held)


def _is_mark(cell: str, numerals: Numerals) -> bool:
    """Whether a cell holds something that stands for "no value".

    Parameters
    ----------
    cell
        The cell.
    numerals
        How its column is written.
    """
    try:
        return bool(cell) and math.isnan(numerals.read(cell))
    except CellError:
        return False


def settle(
    names: Sequence[str],
    values: Sequence[float],
    bad: Sequence[tuple[str, str, str]],
    tally: Tally,
    *,
    allowed: bool,
    marked: bool,
) -> None:
    """Count the cells that could not be read; raise CellError where too many values are missing: all, or any that must not.

    Parameters
    ----------
    names
        The features, in order.
    values
        Their values; NaN is a missing one.
    bad
        Column, kind and reason of each cell that holds something that is no number.
    tally
        Where they are counted.
    allowed
        Whether some of them may be missing.
    marked
        Whether all may be: a mark says so.

    Raises
    ------
    CellError
        With the first column that is missing.
    """
    missing = [name for name, value in zip(names, values, strict=True) if math.isnan(value)]
    lost = len(missing) == len(names) and not (marked and allowed)
    if bad and (lost or not allowed):
        raise CellError(f"column {bad[0][0]!r}: {bad[0][2]}")
    if missing and lost:
        some = ", ".join(repr(name) for name in names[:5]) + (", ..." if len(names) > 5 else "")
        raise CellError(f"it holds no value in column {some}")
    if missing and not allowed:
        raise CellError(f"column {show(missing[0])}: the value is missing")
    for cell in bad:
        tally.bad(*cell)
