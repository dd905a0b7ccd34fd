"""Rows of a CSV: their cells, whether a cell is data, whether a row holds names or units."""

from __future__ import annotations

import re
from collections.abc import Sequence

from streamrnn.io import MARKS
from streamrnn_files.cells import CellError, is_number, looks_like_data, number, split_cells

__all__ = [
    "BLANKS",
    "FAR",
    "are_codes",
    "cells_of",
    "far_off",
    "holds_units",
    "is_remark",
    "is_ruler",
    "is_short_units",
    "is_units",
    "like_data",
    "names_below",
    "split_row",
]

_RULER = re.compile(r"[-+=:| ]*(?:-{3}|={3})[-+=:| ]*")
"""A line between names and data: +-----+-----+"""

FAR = 3.0
"""How many times as large as all others, or as far from them as they reach, a number is that is none of them."""

FEWEST = 20
"""Rows that show that a number above them is none of them."""

_POWER = re.compile(r"\b10\^?-?\d+ ?")
_CLOCKS = re.compile(r"[yYmMdDhHsS]{1,4}(?:[-:./ ][yYmMdDhHsS]{1,4})+")
"""How a time is written, where a unit stands: hh:mm:ss."""

BLANKS = " "
"""The delimiter of tables whose columns are separated by any number of blanks."""

_DATA = re.compile(
    r"[-+(<>~€$£¥]?[\d.,:/\-+TZ%°']*\d[\d.,:/\-+TZ%°']*(?:[eE][-+]?\d+)?(?: \d{1,2}:\d\d[\d:.,]*)?(?: ?[AaPp][Mm]|(?<=:\d\d)[AaPp])?"
    r"(?: ?(?:[-+]\d\d:?\d\d|UTC|GMT|Z|%|°?[CF]))?\)?"
)


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
        See :class:`streamrnn_files.dialect.Start`.

    Raises
    ------
    CellError
        When text follows a closing quote.
    """
    return line.split() if delimiter == BLANKS else split_cells(line, delimiter)


def cells_of(line: str, delimiter: str) -> list[str]:
    """Return the cells of one row, none where it cannot be split.

    Parameters
    ----------
    line
        The row, without its line end.
    delimiter
        See :class:`streamrnn_files.dialect.Start`.
    """
    try:
        return split_row(line, delimiter)
    except CellError:
        return []


def is_remark(cells: Sequence[str]) -> bool:
    """Whether a row holds nothing, or a text in its first cell alone, with the separators of a spreadsheet behind it.

    Parameters
    ----------
    cells
        Its cells.
    """
    return len(cells) > 2 and not any(map(str.strip, cells[1:])) and not like_data(cells[0])


def is_ruler(line: str) -> bool:
    """Whether a line holds nothing but strokes, as one that is drawn under names.

    Parameters
    ----------
    line
        The line.
    """
    return _RULER.fullmatch(line) is not None


def is_units(cells: Sequence[str]) -> bool:
    """Whether a row between the names and the data holds units: short texts, most with a sign that names have not.

    Parameters
    ----------
    cells
        Its cells.
    """
    if all(re.fullmatch(r"\d+[sndc]", cell.strip()) for cell in cells):
        return True  # widths and types, as the USGS writes them
    if _RULER.fullmatch("".join(cells)):
        return True
    cells = [_CLOCKS.sub("", _POWER.sub("", cell.strip().strip("'"))) for cell in cells]
    marked = [bool(re.search(r"[%°²³/\[\]()µ]|^$", cell)) for cell in cells]
    short = [
        len(cell) <= 13
        and not re.search(r"\d{2}", cell)
        and (flag or re.fullmatch(r"[A-Za-z]{0,5}(?: [A-Za-z]{1,3}(?:-?\d)?)*|degrees?_\w+", cell) is not None)
        for flag, cell in zip(marked, cells, strict=True)
    ]
    remark = len(cells) > 3 and _is_date_row(cells)  # of the last column
    return all(short[: len(cells) - remark]) and (any(marked) or _is_date_row(cells)) and any(cells)


def _is_date_row(cells: Sequence[str]) -> bool:
    """Whether a row begins with how a date is written: YYYY, MM, DD."""
    return (
        len(cells) > 2
        and all(re.fullmatch(r"y{2,4}|m{1,2}|d{1,2}", cell.lower()) for cell in cells[:2])
        and cells[0] == cells[0].upper()
    )


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
    if sum(data) < 2 or (not index and (is_units(row) or sum(map(bool, row)) < 2 or _comes_again(row, names))):
        return None
    return [row[0], *names[1:]] if index else [f"{a} {b}".strip() for a, b in zip(names, row, strict=True)]


def _comes_again(row: Sequence[str], names: Sequence[str]) -> bool:
    """Whether a row below names says the same of many columns, where each has a name of its own: units, or what was computed."""
    held = [cell.strip() for cell in row if cell.strip()]
    own = len(set(names)) == len(names) and all(names)
    return own and len(held) > 3 and 4 * len(set(held)) <= 3 * len(held) and not any(map(like_data, held))


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


def far_off(first: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Return in how many columns the number in the first row is far from all below it.

    Parameters
    ----------
    first
        Cells of the first row.
    rows
        Those below it.
    """
    odd = 0
    for i, cell in enumerate(first):
        values = [number(row[i]) for row in rows if i < len(row) and is_number(row[i])] if is_number(cell) else []
        if values:
            low, high = min(values), max(values)
            odd += not low - FAR * (high - low) <= number(cell) <= high + FAR * (high - low)
    return odd


def are_codes(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row holds codes of what is measured, and no names: whole numbers that differ, far from all below them.

    Parameters
    ----------
    first
        Cells of the first row.
    rows
        Those below it.
    """
    long = [i for i, cell in enumerate(first) if len(cell.strip()) > 2]
    return (
        len(rows) >= FEWEST
        and len(first) < 2 * len(long) > 4
        and len({first[i] for i in long}) == len(long)
        and all(cell.strip().isdecimal() for cell in first)
        and 4 * far_off([cell if i in long else "" for i, cell in enumerate(first)], rows) >= 3 * len(long)
    )


def holds_units(rows: Sequence[Sequence[str]], names: Sequence[str], delimiter: str) -> bool:
    """Whether the first row holds the units of the columns, and data comes behind it, or more of the kind.

    Parameters
    ----------
    rows
        Below the names.
    names
        Those of the columns.
    delimiter
        The character between two cells.
    """
    if not rows:
        return False
    width = len(names)
    if delimiter == BLANKS and is_short_units(rows[0], width):
        return True
    if len(rows) < 2 or len(rows[0]) != width or not (is_units(rows[0]) or _comes_again(rows[0], names)):
        return False
    more = len(rows) > 2 and (is_units(rows[1]) or _comes_again(rows[1], names))
    return any(map(like_data, rows[1])) or (more and any(map(like_data, rows[2])))
