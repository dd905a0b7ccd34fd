"""Times in several columns, one each for year, month, day, hour and minute."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from streamrnn_files.clocks import CLOCK_NAME, digits_of
from streamrnn_files.meanings import NAMELESS, calendar_part
from streamrnn_files.months import month_of

__all__ = ["NO_YEAR", "calendar_columns", "moment_of_parts", "parts_of"]

NO_YEAR = 2000
"""What stands for the year where none is written: one with a 29th of February."""

_NAMELESS_PARTS = (
    ("year", "month"), ("year", "doy"), ("year", "month", "day"), ("year", "doy", "hour"), ("year", "doy", "hhmm"), ("year", "month", "day", "hour"),
    ("year", "month", "day", "hhmm"), ("year", "doy", "hour", "minute"), ("year", "month", "day", "hour", "minute"),
    ("year", "doy", "month", "day", "hour"), ("year", "doy", "month", "day", "hour", "minute"), ("year", "month", "day", "hour", "minute", "second"),
)  # fmt: skip
"""What the first columns of a file without names may hold, the fewest first: what tells all records apart is enough."""

_BEFORE = 2
"""Columns that may stand before the year in a file without names, each with the same number in all records: a station's."""

_ORDER = ("year", "quarter", "month", "day", "doy", "hour", "minute", "second", "hhmm")
_PERIOD = re.compile(r"period|per", re.IGNORECASE)
_YEAR = re.compile(r"\s*(?:1[6-9]|20|21)\d\d\s*")
_NUMBER = re.compile(r"\s*\d{1,4}(?:\.0)?\s*")
_PART = {
    "month": re.compile(r"\s*(?:[Mm]?\d{1,2}(?:\.0)?|[^\W\d]{3,10})\s*"),
    "quarter": re.compile(r"\s*[Qq]?0?[1-5]\s*"),
}
"""What a part of a date may look like, where it is more than a number."""


def _part(name: str, cell: str) -> int:
    """Return the number of a part of a date: 3, 3.0, M03, March."""
    cell = cell.strip()
    month = month_of(cell) if name == "month" and cell.isalpha() else None
    return int(float(cell.lstrip("MmQq"))) if month is None else month


def moment_of_parts(cells: Mapping[str, str]) -> str | None:
    """Return the time that the parts of a date make, in ISO 8601; None where they make none.

    Parameters
    ----------
    cells
        By what they hold.
    """
    try:
        part = {"year": NO_YEAR} | {name: _part(name, cell) for name, cell in cells.items()}
        if "doy" in part:
            day = date(part["year"], 1, 1) + timedelta(days=part["doy"] - 1)
        else:
            month = part["month"] if "month" in part else 3 * part["quarter"] - 2
            day = date(part["year"], month, part.get("day", 1))
        hour, part["minute"] = (
            divmod(part["hhmm"], 100) if "hhmm" in part else (part.get("hour", 0), part.get("minute", 0))
        )
        if hour == 24:
            day, hour = day + timedelta(days=1), 0
        minute, second = part["minute"], part.get("second", 0)
    except (ValueError, OverflowError):
        return None
    return (
        f"{day.isoformat()}T{hour:02d}:{minute:02d}:{second:02d}"
        if 0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60
        else None
    )


def calendar_columns(free: Sequence[str], shown: Mapping[str, Sequence[str]]) -> dict[str, str] | None:
    """Return the columns for year, month, day and hour that make a time, by what they hold, the largest first; None where there are none.

    Parameters
    ----------
    free
        Columns that may be some.
    shown
        Cells that hold something, by column.
    """
    parts = parts_of(free, shown)
    if "year" not in parts or not {"month", "doy", "quarter"} & set(parts):
        parts = _without_names(free, shown) or (parts if {"month", "day"} <= set(parts) or "doy" in parts else {})
    if not parts:
        return None
    if "month" in parts:
        parts.pop("doy", None)
        parts.pop("quarter", None)
    if "hour" in parts:
        parts.pop("hhmm", None)
    else:
        parts.pop("minute", None)
    if "minute" not in parts:
        parts.pop("second", None)
    order = [part for part in _ORDER if part in parts]
    names = tuple(parts[part] for part in order)
    cells = zip(*(shown[name][:12] for name in names), strict=False)
    if any(moment_of_parts(dict(zip(order, row, strict=True))) is None for row in cells):
        return None
    if "year" not in parts and not _rise(order, list(zip(*(shown[name] for name in names), strict=False))):
        return None
    return {part: parts[part] for part in order}


def parts_of(names: Sequence[str], shown: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return which columns hold the year, the month and the other parts of a date, by their names and what they hold.

    Parameters
    ----------
    names
        Of columns.
    shown
        Cells that hold something, by column.
    """
    parts: dict[str, str] = {}
    for name in names:
        part, cells = calendar_part(name), shown.get(name, ())
        if part == "month" and part in parts and name.strip() in ("mm", "MM"):
            part = "minute"
        if part is None and digits_of(cells) == 4 and CLOCK_NAME.fullmatch(name.strip()):
            part = "hhmm"
        if part is None and name.strip().lower() == "mn":
            part = "minute" if "month" in parts else "month"
        if part is None and _PERIOD.fullmatch(name.strip()) and cells:
            part = {"m": "month", "q": "quarter"}.get(cells[0].strip()[:1].lower())
        fits = _PART.get(part or "", _NUMBER)
        if part is None or part in parts or not cells or not all(map(fits.fullmatch, cells)):
            continue
        if part == "year" and not all(len(cell.strip()) > 1 for cell in cells):
            continue  # the first year, and the second
        parts[part] = name
    return parts


def _rise(parts: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the moments that parts of a date make go on with each record."""
    moments = [moment_of_parts(dict(zip(parts, row, strict=True))) for row in rows]
    return len(rows) > 2 and all(a is not None and b is not None and a < b for a, b in itertools.pairwise(moments))


def _without_names(free: Sequence[str], shown: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the columns of the date of a file without names: year and what tells records of a year apart, where they make dates that move on."""
    for at in range(_BEFORE + 1):
        if len(free) <= at or not NAMELESS.fullmatch(free[at]):
            return {}
        if all(map(_YEAR.fullmatch, shown[free[at]])):
            return _moving_on(free[at:], shown)
        if len(set(shown[free[at]])) > 1:
            break
    return _moving_on(free, shown, (("doy", "hhmm"),))


def _moving_on(
    free: Sequence[str], shown: Mapping[str, Sequence[str]], orders: Sequence[tuple[str, ...]] = _NAMELESS_PARTS
) -> dict[str, str]:
    """Return the fewest of the first columns that make moments which move on with each record."""
    for parts in orders:
        first = free[: len(parts)]
        if len(first) < len(parts) or not all(map(NAMELESS.fullmatch, first)):
            continue
        rows = list(zip(*(shown[name] for name in first), strict=False))
        if not all(cell.strip().isdecimal() for row in rows for cell in row):
            continue
        if "hhmm" in parts and digits_of(shown[first[-1]]) != len("hhmm"):
            continue
        if "year" not in parts and not (len(rows) > 60 and len(set(shown[first[0]])) < len(rows) / 4):
            continue
        if _rise(parts, rows):
            return dict(zip(parts, first, strict=True))
    return {}
