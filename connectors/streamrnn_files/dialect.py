"""How a CSV is written: what stands before its table, what separates columns, whether its first row names them."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from streamrnn.io import MARKS
from streamrnn_files.cells import looks_like_data
from streamrnn_files.clocks import CLOCK
from streamrnn_files.dialect_rows import BLANKS, cells_of, is_remark, is_ruler, is_short_units, is_units, like_data
from streamrnn_files.preamble import comment_mark, heading

__all__ = ["Start", "find_start", "has_header", "unique"]

LINES = 200
"""Lines of a file that a table is looked for in."""

LIVE_LINES = 20
"""The same where the next line may be hours away, and the first ones are no plain table."""

LOOKED_AT = 300
"""Columns that tell names from data; a line may have a hundred thousand."""

_YEAR = re.compile(r"\s*(?:19|20)\d\d\s*")
_DELIMITERS = ("\t", ";", "|", ",", BLANKS)


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
    first = cells_of(rows[0], delimiter)
    width = len(first)
    if 2 * sum(not cell.strip() for cell in first) > width > 1:
        return False  # a title, with the separators of a spreadsheet behind it
    others = [cells_of(row, delimiter) for row in rows[1:]]
    if any(row.count('"') % 2 for row in rows):  # a quoted line end: rows are not lines
        return width > 1
    same = [cells for cells in others if len(cells) == width]
    if width == 1:
        return 2 * sum(like_data(cells[0]) for cells in same) >= len(others)
    return len(same) >= 0.8 * len(others) and not _titled([first, *others], width)


def _titled(rows: Sequence[list[str]], width: int) -> bool:
    """Whether lines about the table stand before it, with as many cells: more than rows of names, or with a value in them."""
    numbered = [(at, [cell.strip() for cell in cells]) for at, cells in enumerate(rows)]
    data, columns = _data_rows(numbered, width)
    at = next((i for i in data if {i, i + 1, i + 2} <= set(data)), 0)
    before = [cells for _, cells in numbered[1:at] if len(cells) == width and not is_units(cells)]
    if at < 2 or data[0] < 2:
        return False
    odd = [
        cell for i, cell in enumerate(numbered[0][1]) if i in columns and like_data(cell) and not _YEAR.fullmatch(cell)
    ]
    names = numbered[at - 1][1]
    below = len(names) == width and all(names) and not any(map(like_data, names))
    return (
        not all(map(any, before))
        or len(before) > 2
        or (len(odd) > 1 and below)
        or any(like_data(cells[i]) for cells in before for i in columns)
    )


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
    mark = comment if comment is not None else comment_mark(lines, first)
    rows = [(i, line) for i, line in enumerate(lines) if i >= first and line.strip()]
    table = [(i, line) for i, line in rows if not (mark and line.startswith(mark)) and not is_ruler(line.strip())]
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
    """Return the start at the first row, with the names that a comment before it holds."""
    at = table[0][0]
    return Start(delimiter, at, mark, heading(lines, at, mark, delimiter))


def _search(lines: Sequence[str], table: Sequence[tuple[int, str]], wanted: str | None, usual: str, mark: str) -> Start:
    """Look for the delimiter that cuts most lines into equally many cells, and for the first row that it does."""
    best, found = 0.0, Start(usual, table[0][0], mark)
    for delimiter in (wanted,) if wanted else _DELIMITERS:
        rows = [(i, [cell.strip() for cell in cells_of(line, delimiter)]) for i, line in table]
        later = rows[len(rows) // 4 :]
        width, times = Counter(len(cells) for _, cells in later).most_common(1)[0]
        share = times / len(later)
        data, columns = _data_rows(rows, width)
        if width < 2 or not data or share < best + 0.15:
            continue
        best = share
        at = _head_row(rows, data, columns, width)
        found = _with_heading(lines, table[at:], delimiter, mark)
        if at in data and not found.heading:
            found = replace(found, heading=_stacked([cells for _, cells in rows[:at]], columns, width))
    return found


def _stacked(above: Sequence[Sequence[str]], columns: Sequence[int], width: int) -> tuple[str, ...]:
    """Return the names that several rows above the data make together, where none does alone; () where they do not."""
    rows = list(itertools.takewhile(lambda cells: len(cells) == width, reversed(above)))[::-1]
    rows = [cells for cells in rows if not any(like_data(cells[i]) for i in columns)]
    apart = [cells for cells in rows if len({cells[i] for i in columns[1:]}) > 1]
    names = [" ".join(filter(None, (cells[i] for cells in apart))) for i in range(width)]
    first = next((cells[columns[0]] for cells in rows if cells[columns[0]]), "")
    names[columns[0]] = first or names[columns[0]]
    held = [names[i] for i in columns]
    return tuple(names) if len(apart) > 1 and all(held[1:]) and len(set(held)) == len(held) else ()


def _data_rows(rows: Sequence[tuple[int, list[str]]], width: int) -> tuple[list[int], list[int]]:
    """Return which rows are data, and which columns hold data: those that do so in nearly all of the later rows."""
    full = [cells for _, cells in rows if len(cells) == width and not is_remark(cells)]
    later = full[len(full) // 4 :]
    columns = []
    for i in range(min(width, LOOKED_AT)):
        held = [cells[i] for cells in later if cells[i]]
        if held and sum(map(like_data, held)) >= 0.8 * len(held):
            columns.append(i)
    data = []
    for at, (_, cells) in enumerate(rows):
        held = [cells[i] for i in columns if cells[i]] if len(cells) == width else []
        first = cells[columns[0]] if held else ""
        if held and sum(map(like_data, held)) >= 0.75 * len(held) and (not first or like_data(first)):
            data.append(at)
    return data, columns


def _head_row(rows: Sequence[tuple[int, list[str]]], data: Sequence[int], columns: Sequence[int], width: int) -> int:
    """Return which row is the header: the last one before the data that has as many cells, or the first of data."""
    at = next((i for i in data if {i, i + 1, i + 2} <= set(data)), data[0])
    if at > 1 and is_short_units(rows[at - 1][1], width) and len(rows[at - 2][1]) == width:
        return at - 2
    for i in range(at - 1, -1, -1):
        cells = rows[i][1]
        held = [cells[column] for column in columns] if len(cells) == width else []
        if not any(held) and not is_units(cells or ["x"]):
            break
        names = sum(bool(cell) and not like_data(cell) for cell in held)
        if not is_units(cells) and 2 * names >= len(columns) > 0 and len(set(held) - {""}) == sum(map(bool, held)):
            return i
    above = rows[at - 1][1] if at > 0 else []
    if len(above) == width + 1 > 3 and not any(map(like_data, above)) and all(above[:-1]):
        return at - 1  # the last name is that of remarks, or none, and no row has one
    if len(above) == width:
        return at - 1 if not any(map(like_data, above)) and all(above[i] for i in columns) else at
    hours = [cell for cell in above if ":" in cell and cell[:1].isdecimal()]
    if (
        above
        and not any(like_data(cell) for cell in above if cell not in hours)
        and len(hours) + 1 in (1, *range(24, width))
    ):
        below = [cells for _, cells in rows[at:] if len(cells) == width]
        short = len(above) == width - 1 and (
            2 * sum(not cells[-1] for cells in below) > len(below)  # a separator behind each row
            or len({cells[0] for cells in below}) == len(below)  # names of rows, as R writes them
            or any(
                all(":" in cells[i] and CLOCK.fullmatch(cells[i]) for cells in below) for i in (1, -1)
            )  # one name for date and clock
        )
        few = at == 1 and width < 2 * len(above) < 2 * (width - 1) and len(set(above)) == len(above)
        return at - 1 if short or few else at
    return at


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
    texts = [cell.strip() for cell in first if cell.strip() and not like_data(cell) and not looks_like_data(cell)]
    if not texts:
        return False
    if len(set(texts)) < len(texts) and 2 * len(texts) > len(first):
        return True
    years = [cell for cell in first if _YEAR.fullmatch(cell)]
    if not any(map(like_data, first)) or len(years) > 1:
        return True
    for i, cell in enumerate(first):
        below = Counter(_kind(row[i]) for row in rows if i < len(row))
        below.pop("", None)
        if _kind(cell) == "text" and below and below.most_common(1)[0][0] == "data":
            return True
    return False


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
