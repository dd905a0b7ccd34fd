"""One cell of text to a number, one record of CSV to its cells."""

from __future__ import annotations

import math
import re
from datetime import datetime
from functools import cache

from streamrnn.io import MISSING, signed

__all__ = [
    "CellError",
    "PassedOverError",
    "is_number",
    "looks_like_data",
    "number",
    "patterns",
    "show",
    "split_cells",
]


class CellError(ValueError):
    """A cell or record cannot be read; the message says why."""


class PassedOverError(CellError):
    """A record is neither an event nor a bad one: a comment, or the header once more."""


def show(text: str) -> str:
    """Return a value for a message, cut when it is long.

    Parameters
    ----------
    text
        The value, of any length.
    """
    return repr(text) if len(text) <= 40 else repr(text[:37]) + "..."


def number(text: str) -> float:
    """Return the finite number that a cell holds, NaN where it is missing. Zero keeps its sign, but an integer has none.

    Parameters
    ----------
    text
        The cell, with or without spaces around it.

    Raises
    ------
    CellError
        When it is not a finite number.
    """
    text = text.strip()
    if text.lower() in MISSING:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        raise CellError(f"{show(text)} is not a number") from None
    if not math.isfinite(value) or "_" in text:
        raise CellError(f"{show(text)} is not a {'finite ' if '_' not in text else ''}number")
    return signed(value, text)


def is_number(text: str) -> bool:
    """Whether a cell holds a finite number (a missing one does not).

    Parameters
    ----------
    text
        The cell, with or without spaces around it.
    """
    try:
        return not math.isnan(number(text))
    except CellError:
        return False


def looks_like_data(text: str) -> bool:
    """Whether a cell holds a number, nothing, or a date: what a header's cell would not.

    Parameters
    ----------
    text
        The cell, with or without spaces around it.
    """
    try:
        number(text)
    except CellError:
        try:
            datetime.fromisoformat(text.strip())
        except ValueError:
            return False
    return True


@cache
def patterns(delimiter: bytes) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Return what matches one whole record with its line end, quoted fields with line ends inside included, and any number of records of one line each.

    Neither matches where a quote opens and is not closed. All repetitions are possessive: no backtracking.

    Parameters
    ----------
    delimiter
        Between two cells.
    """
    d = re.escape(delimiter)
    after = rb'"[^D\n]*+|[^D"\n][^D\n]*+|(?!"))'.replace(b"D", d)
    cell, cell_of_line = rb'(?:"(?:[^"]++|"")*+' + after, rb'(?:"(?:[^"\n]++|"")*+' + after
    record, line = (one + rb"(?:" + d + one + rb")*+\n" for one in (cell, cell_of_line))
    return re.compile(record), re.compile(rb"(?:" + line + rb")*+")


@cache
def _cell_pattern(delimiter: str) -> re.Pattern[str]:
    d = re.escape(delimiter)
    return re.compile(r'(?:\A|D)(?:"((?:[^"]++|"")*+)"([^D]*+)|([^D]*+))'.replace("D", d))


def split_cells(text: str, delimiter: str) -> list[str]:
    """Return the cells of one record. Quotes count where they open a cell (RFC 4180).

    Parameters
    ----------
    text
        The record, without its line end.
    delimiter
        The character between two cells.

    Raises
    ------
    CellError
        When text follows a closing quote.
    """
    if '"' not in text:
        return text.split(delimiter)
    cells = []
    for match in _cell_pattern(delimiter).finditer(text):
        quoted, after, plain = match.groups()
        if quoted is not None and after.strip():
            raise CellError(f"there is text behind a closing quote: {show(after)}")
        cells.append(plain if quoted is None else quoted.replace('""', '"'))
    return cells
