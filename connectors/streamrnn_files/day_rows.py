"""Rows without names that hold a day each, a date and a number for each interval of it, to JSON Lines: a record for each number."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from streamrnn.io import MARKS
from streamrnn_files.cells import is_number, number
from streamrnn_files.dialect_rows import cells_of
from streamrnn_files.moments import TimeForm, find_form
from streamrnn_files.options import SourceOptions

__all__ = ["DayRows", "find_day_rows"]

INTERVALS = (24, 48, 96, 144, 288)
"""How many intervals a day has: of an hour, of 30, 15, 10 and 5 minutes."""

FEWEST = 2
"""Rows that make a table of days."""

_BEFORE = 3
"""Places where the date may stand."""


@dataclass(frozen=True, slots=True)
class DayRows:
    """How rows of days are read.

    Parameters
    ----------
    delimiter
        The character between two cells.
    at
        The place of the date.
    form
        How it is written.
    kind
        What the first cell of the rows is that say which series the rows below them are of; None where there are none.
    """

    delimiter: str
    at: int
    form: TimeForm
    kind: str | None

    def reader(self) -> Callable[[str], list[dict[str, object]] | None]:
        """Return what makes the records of each line, from the first of the file on."""
        series: dict[str, object] = {}

        def rows(line: str) -> list[dict[str, object]]:
            cells = [cell.strip() for cell in cells_of(line, self.delimiter)]
            count = _intervals(cells, self.at)
            if not count:
                if self.kind is not None and cells[:1] == [self.kind]:
                    series["series"] = ", ".join(filter(None, cells[1:]))
                return []
            try:
                day = datetime.fromisoformat(self._day(cells[self.at]))
            except ValueError:
                return []
            step = timedelta(days=1) / count
            return [
                {"time": (day + i * step).isoformat(), **series, "value": number(cell)}
                for i, cell in enumerate(cells[self.at + 1 : self.at + 1 + count])
                if cell.lower() not in MARKS and is_number(cell)
            ]

        return rows

    def _day(self, cell: str) -> str:
        return cell if self.form.name == "ISO 8601" else self.form.read(cell) or ""


def _intervals(cells: Sequence[str], at: int) -> int:
    """Return how many intervals of a day stand behind the cell at a place; 0 where it is no row of a day."""
    held = 0
    for cell in cells[at + 1 :]:
        if not (is_number(cell) or cell.lower() in MARKS - {""}):
            break
        held += 1
    return held if held in INTERVALS and any(map(is_number, cells[at + 1 :])) else 0


def find_day_rows(lines: Sequence[str], options: SourceOptions) -> DayRows | None:
    """Return how rows of days are read, None where lines are something else.

    Parameters
    ----------
    lines
        The first lines of the file, blank ones left out.
    options
        What the user asks for.
    """
    for delimiter in (options.delimiter,) if options.delimiter else ",;\t|":
        if sum(line.count(delimiter) >= INTERVALS[0] for line in lines) < FEWEST:
            continue
        rows = [[cell.strip() for cell in cells_of(line, delimiter)] for line in lines]
        for at in range(_BEFORE):
            days = [i for i, row in enumerate(rows) if _intervals(row, at)]
            form = find_form([rows[i][at] for i in days], bare=True) if len(days) >= FEWEST else None
            if form is None or form.name == "year" or form.name.endswith("since 1970"):
                continue
            named = any(sum(map(bool, row)) > INTERVALS[0] for row in rows[: days[0]])
            long = sum(sum(map(bool, row)) > INTERVALS[0] for row in rows)
            dates = [rows[i][at] if i in days else None for i in range(len(rows))]
            if named or 2 * len(days) < long or not _one_by_one(dates, form):
                continue
            above = rows[days[0] - 1][:1] if days[0] else []
            return DayRows(delimiter, at, form, above[0] if above and above[0] != rows[days[0]][0] else None)
    return None


def _one_by_one(cells: Sequence[str | None], form: TimeForm) -> bool:
    """Whether dates go on from row to row, but for those behind other rows, and are no more than dates."""
    dates = [cell if cell is None or form.name == "ISO 8601" else form.read(cell) for cell in cells]
    if any(cell is not None and ":" in cell for cell in cells):
        return False
    steps = [a < b for a, b in itertools.pairwise(dates) if a is not None and b is not None]
    return all(steps) and (bool(steps) or None in dates)
