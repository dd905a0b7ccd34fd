"""Tables whose columns are moments, a year or a month or an hour each, to JSON Lines: a record for each cell."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from streamrnn.io import MARKS
from streamrnn_files.cells import CellError, is_number
from streamrnn_files.dialect import LIVE_LINES, find_start
from streamrnn_files.dialect_rows import cells_of
from streamrnn_files.meanings import calendar_part
from streamrnn_files.moments import day_first, find_form
from streamrnn_files.months import month_of
from streamrnn_files.numerals import Numerals, decimal_mark
from streamrnn_files.options import SourceOptions

__all__ = ["Wide", "find_wide", "moments_of_names"]

FEWEST = 5
"""Columns that make a table one of moments: with fewer, two years beside one another are two columns."""

_DECORATED = re.compile(r"[XYF_]?((?:1[6-9]|20|21)\d\d)(?: \[YR\d{4}\])?")
_FLAG = re.compile(r"(?<=[\d.])\s*[a-z]{1,3}$")
"""What stands behind a number: estimated, provisional."""


@dataclass(frozen=True, slots=True)
class Wide:
    """How a table is turned.

    Parameters
    ----------
    skip
        Lines before its first row.
    delimiter
        The character between two cells.
    comment
        What lines begin with that are no rows.
    labels
        What the name of a column says of the moment, by the column's place, the oldest first.
    moment
        What makes a time of a row and a label; None where there is none.
    series
        The places of the cells that say which series a row is; none where all are one.
    decimal
        The decimal mark.
    """

    skip: int
    delimiter: str
    comment: str
    labels: dict[int, str]
    moment: Callable[[Sequence[str], str], str | None]
    series: tuple[int, ...]
    decimal: str

    def reader(self) -> Callable[[str], list[dict[str, object]] | None]:
        """Return what makes the records of each line, from the first of the file on."""
        left = itertools.count(-self.skip)
        numerals = Numerals(self.decimal)

        def rows(line: str) -> list[dict[str, object]]:
            if next(left) < 0 or (self.comment and line.startswith(self.comment)):
                return []
            cells = [cell.strip() for cell in cells_of(line, self.delimiter)]
            named = [cells[i] for i in self.series if i < len(cells) and cells[i]]
            name = {"series": ", ".join(named)} if self.series else {}
            found: list[dict[str, object]] = []
            for i, label in self.labels.items():
                cell = cells[i] if i < len(cells) else ""
                time = None if cell.lower() in MARKS or cell in (":", label) else self.moment(cells, label)
                if time is not None:
                    found.append({"time": time, **name, "value": _number(_FLAG.sub("", cell), numerals)})
            return found

        return rows


def _number(cell: str, numerals: Numerals) -> object:
    try:
        return numerals.read(cell)
    except CellError:
        return cell


def moments_of_names(names: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, str]:
    """Return the moments that names of columns are, the oldest first; none where they are no years, quarters, months or days in a row.

    Parameters
    ----------
    names
        Of columns.
    rows
        The first cells below them.
    """
    found = _dates(names, rows, False)
    return {} if found is None else {names[i]: moment for i, moment in found[0].items()}


def find_wide(lines: Sequence[str], options: SourceOptions) -> Wide | None:
    """Return how a table is turned whose columns are moments, None where it is another one.

    Parameters
    ----------
    lines
        The first lines of the file, blank ones left out.
    options
        What the user asks for.
    """
    start = find_start(lines, delimiter=options.delimiter, comment=options.comment, complete=True, live=False)
    if start is None or any(line.count('"') % 2 for line in lines[:LIVE_LINES]):
        return None
    first = start.line
    names = [name.strip() for name in start.heading or cells_of(lines[first], start.delimiter)]
    begin = first + (not start.heading and not _is_year_row(names))
    rows = [[cell.strip() for cell in cells_of(line, start.delimiter)] for line in lines[begin : begin + LIVE_LINES]]
    rows = [row for row in rows if len(row) >= 0.8 * len(names)]
    if set(options.columns) & set(names) or not rows:
        return None
    for way in (_dates, _year_rows, _months, _days, _clocks):
        found = way(names, rows, start.delimiter == ";")
        if found is not None:
            labels, moment, used, alone = found
            series = () if alone and len(rows) < 2 else _series(names, rows, min(labels), used, alone=alone)
            cells = [row[i] for row in rows for i in labels if i < len(row)]
            decimal = options.decimal or decimal_mark([_FLAG.sub("", cell) for cell in cells], start.delimiter)
            return Wide(begin, start.delimiter, start.comment, labels, moment, series, decimal)
    return None


_Found = tuple[dict[int, str], Callable[[Sequence[str], str], str | None], frozenset[int], bool]
"""Labels, what makes a time, the places that the time needs, whether each row is a series."""


def _series(
    names: Sequence[str], rows: Sequence[Sequence[str]], until: int, used: frozenset[int], *, alone: bool
) -> tuple[int, ...]:
    """Return the places of the cells that say which series a row is: texts before the moments, or else whole numbers."""
    free = [i for i in range(min(until, len(names))) if i not in used]
    texts = [i for i in free if any(row[i : i + 1] and re.search(r"[^\W\d]", row[i]) for row in rows)]
    if texts or not alone:
        return tuple(texts)
    return tuple(i for i in free if all(row[i].isdecimal() or not row[i] for row in rows if i < len(row)))


def _dates(names: Sequence[str], rows: Sequence[Sequence[str]], _: object) -> _Found | None:
    """Return years, quarters, months or days as names of columns."""
    plain = [match.group(1) if (match := _DECORATED.fullmatch(name)) else name for name in names]
    at = [i for i, name in enumerate(plain) if any(map(str.isdigit, name)) and find_form([name]) is not None]
    form = find_form([plain[i] for i in at]) if len(at) >= FEWEST else None
    if form is None or form.name.endswith("since 1970"):
        return None
    labels = {i: (form.read(plain[i]) if form.name != "ISO 8601" else plain[i]) or "" for i in at}
    steps = {a < b for a, b in itertools.pairwise(labels.values())}
    if len(steps) != 1 or "" in labels.values() or _go_up(rows[0], at):
        return None
    return labels if steps == {True} else dict(reversed(labels.items())), lambda _, label: label, frozenset(), True


def _go_up(row: Sequence[str], at: Sequence[int]) -> bool:
    """Whether the cells below the moments are moments in a row themselves: then the first row names nothing."""
    cells = [row[i] for i in at if i < len(row)]
    return find_form(cells) is not None and all(a < b for a, b in itertools.pairwise(cells))


def _held(rows: Sequence[Sequence[str]], i: int) -> list[str]:
    return [row[i] for row in rows if i < len(row) and row[i]]


def _years(rows: Sequence[Sequence[str]], until: int) -> int | None:
    return next(
        (
            i
            for i in range(until)
            if (held := _held(rows, i)) and all(re.fullmatch(r"(?:1[6-9]|20|21)\d\d", c) for c in held)
        ),
        None,
    )


def _months(names: Sequence[str], rows: Sequence[Sequence[str]], _: object) -> _Found | None:
    """Return the months of a year as names of columns, beside one for the year."""
    at = {i: month for i, name in enumerate(names) if name.isalpha() and (month := month_of(name)) is not None}
    at = dict(itertools.takewhile(lambda one: one[1] == one[0] - min(at) + 1, at.items()))
    year = _years(rows, min(at)) if len(at) == 12 else None
    if year is None:
        return None
    labels = {i: f"{month:02}" for i, month in at.items()}
    return labels, lambda cells, label: f"{cells[year]}-{label}", frozenset((year,)), False


def _is_year_row(row: Sequence[str]) -> bool:
    """Whether a row holds a year and a number for each of its months."""
    return len(row) == 13 and re.fullmatch(r"(?:1[6-9]|20|21)\d\d", row[0]) is not None and all(map(is_number, row))


def _year_rows(names: Sequence[str], rows: Sequence[Sequence[str]], _: object) -> _Found | None:
    """Return the months of a table without names: a year and twelve numbers in a row, and the next year below."""
    if not _is_year_row(names) or len(rows) < 3 or not all(map(_is_year_row, rows)):
        return None
    if any(int(b[0]) - int(a[0]) != 1 for a, b in itertools.pairwise(rows)):
        return None

    def moment(cells: Sequence[str], label: str) -> str | None:
        return f"{cells[0]}-{label}" if _is_year_row(cells) else None

    return {month: f"{month:02}" for month in range(1, 13)}, moment, frozenset((0,)), False


def _days(names: Sequence[str], _rows: Sequence[Sequence[str]], _: object) -> _Found | None:
    """Return the days of a month as names of columns, beside some for year and month."""
    at = {i: int(m[1]) for i, name in enumerate(names) if (m := re.fullmatch(r"(?i:day|d|value)?_?(\d{1,2})", name))}
    parts = {
        part: i for i, name in enumerate(names) if i not in at and (part := calendar_part(name)) in ("year", "month")
    }
    if len(at) < 28 or list(at.values()) != list(range(1, len(at) + 1)) or len(parts) < 2:
        return None

    def moment(cells: Sequence[str], label: str) -> str | None:
        try:
            return date(int(cells[parts["year"]]), int(cells[parts["month"]]), int(label)).isoformat()
        except ValueError:
            return None

    return {i: str(day) for i, day in at.items()}, moment, frozenset(parts.values()), False


_HOUR = re.compile(
    r"(?i:h|hr|he|hour|hour ending|stunde)[ _]?(?P<h>\d{1,2})|(?P<H>\d{1,2}):(?P<M>[0-5]\d)(?::\d\d)?(?:\s*[-\u2013]\s*\d{1,2}:\d\d(?::\d\d)?)?"
)


def _clocks(names: Sequence[str], rows: Sequence[Sequence[str]], is_day_first: bool) -> _Found | None:
    """Return the hours of a day as names of columns, beside one for the day."""
    at = {
        i: int(m["h"] or m["H"]) * 60 + int(m["M"] or 0) for i, name in enumerate(names) if (m := _HOUR.fullmatch(name))
    }
    if len(at) < FEWEST or not all(a < b for a, b in itertools.pairwise(at.values())) or max(at.values()) > 1440:
        return None
    for i in range(min(at)):
        form = find_form(_held(rows, i))
        if form is not None and form.name != "year" and not form.name.endswith("since 1970"):
            form = day_first(form) if is_day_first and form.doubt else form
            read = form.read if form.name != "ISO 8601" else str

            def moment(
                cells: Sequence[str], label: str, i: int = i, read: Callable[[str], str | None] = read
            ) -> str | None:
                try:
                    return (datetime.fromisoformat(read(cells[i]) or "") + timedelta(minutes=int(label))).isoformat()
                except ValueError:
                    return None

            return {i: str(minutes) for i, minutes in at.items()}, moment, frozenset((i,)), False
    return None
