"""How a CSV is written: what stands before its table, what separates columns, whether its first row names them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from streamrnn.io import MARKS
from streamrnn_files.cells import CellError, looks_like_data, split_cells

__all__ = [
    "BLANKS",
    "Start",
    "find_start",
    "has_header",
    "is_short_units",
    "is_units",
    "like_data",
    "names_below",
    "split_row",
    "unique",
]

BLANKS = " "
"""The delimiter of tables whose columns are separated by any number of blanks."""

LINES = 200
"""Lines of a file that a table is looked for in."""

LIVE_LINES = 20
"""The same where the next line may be hours away, and the first ones are no plain table."""

_DELIMITERS = ("\t", ";", "|", ",", BLANKS)
_DATA = re.compile(
    r"[-+(<>~€$£¥]?[\d.,:/\-+TZ%°']*\d[\d.,:/\-+TZ%°']*(?:[eE][-+]?\d+)?(?: \d{1,2}:\d\d[\d:.,]*)?(?: ?[AaPp][Mm]|(?<=:\d\d)[AaPp])?"
    r"(?: ?(?:[-+]\d\d:?\d\d|UTC|GMT|Z|%|°?[CF]))?\)?"
)


@dataclass(frozen=True, slots=True)
class Start:
    """Where the table of a CSV starts, and how it is written.

    Parameters
    ----------
    delimiter
        The character between two cells; :data:`BLANKS` for any number of blanks.
    line
        How many lines stand before its first row.
    comment
        What lines begin with that are no rows; ``""`` where there are none.
    heading
        The names, where they stand in a comment.
    """

    delimiter: str
    line: int
    comment: str
    heading: tuple[str, ...] = ()


def like_data(cell: str) -> bool:
    """Whether a cell holds what a header's cell would not: a number, a date, written in whatever way, or a mark for no value.

    Parameters
    ----------
    cell
        The cell.
    """
    cell = cell.strip()
    return bool(cell) and (_DATA.fullmatch(cell) is not None or looks_like_data(cell) or cell.lower() in MARKS)


def split_row(line: str, delimiter: str) -> list[str]:
    """Return the cells of one row.

    Parameters
    ----------
    line
        The row, without its line end.
    delimiter
        See :class:`Start`.

    Raises
    ------
    CellError
        When text follows a closing quote.
    """
    return line.split() if delimiter == BLANKS else split_cells(line, delimiter)


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return split_row(line, delimiter)
    except CellError:
        return []


def _commonest(line: str) -> str:
    """Return the commonest of the usual delimiters in a row.

    Parameters
    ----------
    line
        The row.
    """
    unquoted = "".join(line.split('"')[::2])
    return max(",;\t|", key=unquoted.count)


def _plain(rows: Sequence[str], delimiter: str) -> bool:
    """Whether the first row and those behind it make a table as they are."""
    first = _cells(rows[0], delimiter)
    width = len(first)
    if 2 * sum(not cell.strip() for cell in first) > width > 1:
        return False  # a title, with the separators of a spreadsheet behind it
    others = [_cells(row, delimiter) for row in rows[1:]]
    if any(row.count('"') % 2 for row in rows):  # a quoted line end: rows are not lines
        return width > 1
    same = [cells for cells in others if len(cells) == width]
    if width == 1:
        return 2 * sum(like_data(cells[0]) for cells in same) >= len(others)
    return len(same) >= 0.8 * len(others)


def find_start(
    lines: Sequence[str], *, delimiter: str | None, comment: str | None, complete: bool, live: bool
) -> Start | None:
    """Find the table in the first lines of a file, or return None while too few of them are there.

    Parameters
    ----------
    lines
        The first lines, whole ones.
    delimiter
        What the user says; None: found.
    comment
        What the user says; None: found.
    complete
        Whether there are as many lines as are looked at, or no more.
    live
        Whether to decide as soon as can be.
    """
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return None
    declared = re.fullmatch(r"\ufeff?\"?sep=(.)\"?", lines[first].strip("\r\n"))
    if declared:
        delimiter, first = delimiter or declared.group(1), first + 1
    mark = comment if comment is not None else "#" if lines[first : first + 1] and lines[first].startswith("#") else ""
    rows = [(i, line) for i, line in enumerate(lines) if i >= first and line.strip()]
    table = [(i, line) for i, line in rows if not (mark and line.startswith(mark))]
    if not table or (not complete and len(table) < 2 and not live):
        return None if not complete else Start(delimiter or ",", first, mark)
    looked = [line for _, line in table[: 2 if live else LIVE_LINES + 1]]
    usual = delimiter or _commonest(looked[0])
    if _plain(looked, usual):
        return _with_heading(lines, table, usual, mark)
    if not complete and len(rows) < (LIVE_LINES if live else LINES):
        return None
    return _search(lines, table[: LIVE_LINES if live else LINES], delimiter, usual, mark)


def _with_heading(lines: Sequence[str], table: Sequence[tuple[int, str]], delimiter: str, mark: str) -> Start:
    """Return the start at the first row; the last comment before it is the header where it fits and the row is data."""
    at, row = table[0]
    cells = _cells(row, delimiter)
    if mark and at and lines[at - 1].startswith(mark) and 2 * sum(map(like_data, cells)) > len(cells):
        names = [cell.strip() for cell in _cells(lines[at - 1].strip()[len(mark) :].lstrip(mark), delimiter)]
        if len(names) == len(cells) and len(cells) > 1 and not any(map(like_data, names)):
            return Start(delimiter, at, mark, tuple(names))
    return Start(delimiter, at, mark)


def _search(lines: Sequence[str], table: Sequence[tuple[int, str]], wanted: str | None, usual: str, mark: str) -> Start:
    """Look for the delimiter that cuts most lines into equally many cells, and for the first row that it does."""
    best, found = 0.0, Start(usual, table[0][0], mark)
    for delimiter in (wanted,) if wanted else _DELIMITERS:
        rows = [(i, [cell.strip() for cell in _cells(line, delimiter)]) for i, line in table]
        later = rows[len(rows) // 4 :]
        width, times = Counter(len(cells) for _, cells in later).most_common(1)[0]
        share = times / len(later)
        data = [at for at, (_, cells) in enumerate(rows) if len(cells) == width and any(map(like_data, cells))]
        if width < 2 or not data or share < best + 0.15:
            continue
        best = share
        at = _head_row(rows, data, width)
        found = _with_heading(lines, table[at:], delimiter, mark)
    return found


def _head_row(rows: Sequence[tuple[int, list[str]]], data: Sequence[int], width: int) -> int:
    """Return which row is the header: the last one before the data that has as many cells, or the first of data."""
    at = next((i for i in data if {i, i + 1, i + 2} <= set(data)), data[0])
    if at > 1 and is_short_units(rows[at - 1][1], width) and len(rows[at - 2][1]) == width:
        return at - 2
    while at > 0 and len(rows[at - 1][1]) == width and (is_units(rows[at - 1][1]) or at == data[0]):
        at -= 1
        if not is_units(rows[at][1]):
            return at
    if at > 0 and not any(map(like_data, rows[at - 1][1])):
        below = [cells for _, cells in rows[at:] if len(cells) == width]
        short = len(rows[at - 1][1]) == width - 1 and (
            2 * sum(not cells[-1] for cells in below) > len(below)  # a separator behind each row
            or len({cells[0] for cells in below}) == len(below)  # names of rows, as R writes them
        )
        return at - 1 if short or len(rows[at - 1][1]) == width else at
    return at


def is_units(cells: Sequence[str]) -> bool:
    """Whether a row between the names and the data holds units: short texts, most with a sign that names have not.

    Parameters
    ----------
    cells
        Its cells.
    """
    if all(re.fullmatch(r"\d+[sndc]", cell.strip()) for cell in cells):
        return True  # widths and types, as the USGS writes them
    marked = [bool(re.search(r"[%°²³/\[\]()µ]|^$", cell.strip())) for cell in cells]
    return all(len(cell.strip()) <= 12 and not re.search(r"\d{2}", cell) for cell in cells) and all(
        flag or re.fullmatch(r"[A-Za-z]{0,5}", cell.strip()) for flag, cell in zip(marked, cells, strict=True)
    ) and any(marked) and not all(not cell.strip() for cell in cells)  # fmt: skip


def names_below(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str] | None:
    """Return names with those of the row below put to them, None where that row is none of names.

    Such a row holds no number, where at least two columns hold nothing else below it. A row with nothing but the name of
    its first column is that of an index, as pandas writes it.

    Parameters
    ----------
    names
        Of the rows above, joined.
    rows
        Cells of the row, and of those below it.
    """
    row, below = [cell.strip() for cell in rows[0]], [one for one in rows[1:20] if len(one) == len(names)]
    if len(row) != len(names) or not below or any(map(like_data, row)) or row == list(names):
        return None
    data = [2 * sum(like_data(one[i]) for one in below) > len(below) for i in range(len(row))]
    index = bool(row[0]) and not any(row[1:])
    if sum(data) < 2 or (not index and (is_units(row) or sum(map(bool, row)) < 2)):
        return None
    return [row[0], *names[1:]] if index else [f"{a} {b}".strip() for a, b in zip(names, row, strict=True)]


def is_short_units(cells: Sequence[str], width: int) -> bool:
    """Whether a row between the names and the data holds the units of some columns, with nothing for the others.

    Parameters
    ----------
    cells
        Its cells, of a table whose columns are separated by blanks.
    width
        How many columns there are.
    """
    return 1 < len(cells) < width and all(re.fullmatch(r"[A-Za-z%°µ²³/()\[\]]{1,8}", cell.strip()) for cell in cells)


def _kind(cell: str) -> str:
    cell = cell.strip()
    if not cell or cell.lower() in MARKS:
        return ""
    return "data" if like_data(cell) else "text"


def has_header(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: it is not all data, and differs in kind from the rows below it.

    Parameters
    ----------
    first
        Its cells.
    rows
        Cells of those below it.
    """
    if all(map(looks_like_data, first)) or all(map(like_data, first)):
        return False
    if len({cell.strip() for cell in first if cell.strip()}) < sum(bool(cell.strip()) for cell in first):
        return True
    years = [cell for cell in first if re.fullmatch(r"\s*(?:19|20)\d\d\s*", cell)]
    if not any(map(like_data, first)) or len(years) > 1:
        return True
    same = 0
    for i, cell in enumerate(first):
        below = Counter(_kind(row[i]) for row in rows if i < len(row))
        below.pop("", None)
        same += not below or _kind(cell) in ("", below.most_common(1)[0][0])
    return same < len(first)


def unique(names: Sequence[str]) -> list[str]:
    """Return names with a number behind those that came before: ``a``, ``a_2``.

    Parameters
    ----------
    names
        Of columns, in order.
    """
    taken: set[str] = set()
    found = []
    for name in names:
        number, one = 1, name
        while one in taken or (number > 1 and one in names):
            number += 1
            one = f"{name}_{number}"
        taken.add(one)
        found.append(one)
    return found
