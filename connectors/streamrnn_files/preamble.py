"""What stands before the table of a CSV: comments, and the names of columns inside of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from streamrnn_files.dialect_rows import BLANKS, cells_of, is_units, like_data

__all__ = ["comment_mark", "heading"]

_MARKS = ("#", "%", "//", "!")


def comment_mark(lines: Sequence[str], first: int) -> str:
    """Return what lines begin with that are no rows, ``""`` where there are none: what the first line begins with, where it is a usual mark.

    Parameters
    ----------
    lines
        The first lines of a file.
    first
        Which is the first that holds something.
    """
    line = lines[first] if first < len(lines) else ""
    return next((mark for mark in _MARKS if line.startswith(mark)), "")


def heading(lines: Sequence[str], at: int, mark: str, delimiter: str) -> tuple[str, ...]:
    """Return the names of columns that a comment before the table holds, () where none does.

    That is the last one of three that has as many cells as the first row, where the row is data and it is not; one of units
    only stands below it.

    Parameters
    ----------
    lines
        The first lines of a file.
    at
        Which is the first row of the table.
    mark
        What comments begin with.
    delimiter
        The character between two cells of the table.
    """
    cells = cells_of(lines[at], delimiter)
    while len(cells) > 1 and not cells[-1].strip():
        cells = cells[:-1]
    if not mark or not at or 2 * sum(map(like_data, filter(str.strip, cells))) <= len(cells):
        return ()
    width = len(cells_of(lines[at], delimiter))
    before = [line for line in lines[:at] if line.strip()][-3:]
    found: tuple[str, ...] = ()
    for line in reversed(before):
        if not line.startswith(mark):
            break
        names = _named(line.strip()[len(mark) :].lstrip(mark), delimiter, width, len(cells))
        if names:
            found = names
            if not is_units(names):
                break
    return found


def _named(line: str, delimiter: str, width: int, filled: int) -> tuple[str, ...]:
    """Return the names that a line holds, split like the table or in another usual way; () where they do not fit it."""
    ways: list[Callable[[str], list[str]]] = [lambda text: cells_of(text, delimiter)]
    ways += [lambda text, one=one: cells_of(text, one) for one in (",", "\t", ";", BLANKS) if one != delimiter]  # type: ignore[misc]
    for way in ways:
        names = [name.strip() for name in way(line)]
        while len(names) > filled and not names[-1]:
            names.pop()
        if way is ways[0] and delimiter == BLANKS and any(name[-1:] in (",", ";") for name in names[:-1]):
            continue
        if len(names) in (width, filled) and len(names) > 1 and not any(map(like_data, names)):
            return (*names, *("" for _ in range(width - len(names))))
    return ()
