"""Which columns follow the clock, the calendar or the key, told by what they hold, whatever they are called in whichever language."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from streamrnn_files.cells import is_number, number
from streamrnn_files.keys import joined, key_columns
from streamrnn_files.meanings import NAMELESS, calendar_part
from streamrnn_files.moments import seconds
from streamrnn_files.timing import Timing

__all__ = ["by_one", "dated", "of_calendar", "of_key", "running", "settings", "whole_numbers"]

_FAR = 2.5e11
"""Seconds from 1970 to where no calendar reaches."""

FEWEST = 20
"""Records that show that numbers go on by one, or follow the calendar."""

_OF_EACH = 8
"""Records of each key that show that a number belongs to the key."""

_TURNS = 12
"""Hours, or shorter parts of a day, that show that numbers count them."""

_MOST = 2200
"""A year, or a part of one, at most."""

_NAMED = 3
"""Columns with names of parts of a date that hold means of such, beside another time."""

_DAYS = 5
"""Days of the week that show that numbers count them."""

_DESIGN = 16
"""Records that show that each of some numbers was tried as often."""


def dated(moments: Sequence[str | None]) -> list[tuple[int, datetime]]:
    """Return the moments of records that have one in the calendar, each behind its place.

    Parameters
    ----------
    moments
        The time of each record, as it was read.
    """
    read = [seconds(moment or "") for moment in moments]
    return [(i, datetime.fromtimestamp(at, UTC)) for i, at in enumerate(read) if at is not None and abs(at) < _FAR]


def whole_numbers(cells: Sequence[str]) -> list[int] | None:
    """Return whole numbers, None where one cell holds none.

    Parameters
    ----------
    cells
        Of a column.
    """
    try:
        return [int(cell.strip().removesuffix(".0")) for cell in cells]
    except ValueError:
        return None


def running(timing: Timing, whole: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the columns before the time that go on by one with each record.

    Parameters
    ----------
    timing
        Which columns say when.
    whole
        All cells, by column.
    """
    names = list(whole)
    places = [names.index(name) for name in timing.columns if name in whole]
    if not places:
        return []
    return [name for name in names[: min(places)] if by_one(whole[name])]


def settings(timing: Timing, whole: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the columns that were set for each record of a trial without times: each of their values stands as often, and as often with each value of another one.

    Parameters
    ----------
    timing
        Which columns say when.
    whole
        All cells, by column.
    """
    count = len(next(iter(whole.values()), ()))
    if timing.name is not None or count < _DESIGN:
        return []
    even = [name for name, cells in whole.items() if NAMELESS.fullmatch(name) is None and _as_often(cells)]
    return [name for name in even if any(_crossed(whole[name], whole[other]) for other in even if other != name)]


def _as_often(cells: Sequence[str]) -> bool:
    """Whether some values stand in as many records each."""
    counts = Counter(cells)
    return 2 <= len(counts) <= len(cells) / 2 and len(set(counts.values())) == 1


def _crossed(cells: Sequence[str], others: Sequence[str]) -> bool:
    """Whether each value stands with each of others, in as many records, and one of them went through its values while the other one was kept."""
    counts = Counter(zip(cells, others, strict=True))
    if len(counts) < len(set(cells)) * len(set(others)) or len(set(counts.values())) > 1:
        return False
    kept = (len(cells) / len(set(others)), len(others) / len(set(cells)))
    moves = (sum(a != b for a, b in itertools.pairwise(one)) for one in (cells, others))
    return any(changes < most for changes, most in zip(moves, kept, strict=True))


def by_one(cells: Sequence[str]) -> bool:
    """Whether whole numbers go on, or back, by one with each record.

    Parameters
    ----------
    cells
        Of a column.
    """
    if len(cells) < FEWEST or not cells[0].strip().isdecimal():
        return False
    numbers = whole_numbers(cells)
    return numbers is not None and {b - a for a, b in itertools.pairwise(numbers)} in ({1}, {-1})


def of_key(key: str | None, whole: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the columns of numbers that are the same in all records of each key, and not in those of another: its place, its size, its group.

    Parameters
    ----------
    key
        The column of the key, or None.
    whole
        All cells, by column.
    """
    columns = key_columns(key, list(whole))
    if not columns:
        return []
    keys = list(map(joined, zip(*(whole[name] for name in columns), strict=True)))
    count = len(set(keys))
    if not 1 < count <= len(keys) / _OF_EACH:
        return []
    found = []
    for name, cells in whole.items():
        pairs = {(one, cell) for one, cell in zip(keys, cells, strict=True) if cell.strip()}
        values = {cell for _, cell in pairs}
        if name not in columns and len({one for one, _ in pairs}) == len(pairs) > 1 and len(values) > 1:
            found.append(name)
    return [name for name in found if not {cell.strip() for cell in whole[name]} <= {"", "0", "1", "0.0", "1.0"}]


def of_calendar(timing: Timing, whole: Mapping[str, Sequence[str]], moments: Sequence[str | None]) -> list[str]:
    """Return the columns of small whole numbers that number the days of the week, the weeks, the quarters or the parts of the day of their moments.

    Parameters
    ----------
    timing
        Which columns say when.
    whole
        All cells, by column.
    moments
        The time of each record, as it was read.
    """
    if not timing.columns:
        return []
    small = [
        name
        for name, cells in whole.items()
        if name not in timing.columns and cells and is_number(cells[0].strip()) and len(cells[0].strip()) <= 6
    ]  # fmt: skip
    if not small:
        return []
    known = dated(moments)
    if len(known) < FEWEST:
        return []
    days = [at for _, at in known]
    if len({at.date() for at in days}) < 2:
        return []
    held = {name: whole_numbers([whole[name][i] for i, _ in known]) for name in small}
    found = [name for name, numbers in held.items() if numbers and any(fits(numbers, days) for fits in _CYCLES)]
    named = [name for name in whole if calendar_part(name) and all(map(is_number, map(str.strip, whole[name])))]
    means = [name for name in named if all(0 <= number(cell) <= _MOST for cell in whole[name])]
    return found + (means if len(means) >= _NAMED else [])


def _weekdays(numbers: Sequence[int], moments: Sequence[datetime]) -> bool:
    """Whether numbers go round with the days of the week, from whichever day on."""
    if not -1 < min(numbers) <= max(numbers) <= 7 or len(set(numbers)) < _DAYS:
        return False
    return len({(number - at.weekday()) % 7 for number, at in zip(numbers, moments, strict=True)}) == 1


def _weekends(numbers: Sequence[int], moments: Sequence[datetime]) -> bool:
    """Whether numbers tell weekends from other days."""
    if set(numbers) != {0, 1} or len({at.date() for at in moments}) < _DAYS:
        return False
    return len({(number, at.weekday() >= 5) for number, at in zip(numbers, moments, strict=True)}) == 2


def _larger_parts(numbers: Sequence[int], moments: Sequence[datetime]) -> bool:
    """Whether numbers are those of weeks or quarters."""
    if len(set(numbers)) < 3 or not 0 <= min(numbers) <= max(numbers) <= 53:
        return False
    parts: tuple[Callable[[datetime], int], ...] = (
        lambda at: at.isocalendar().week,
        lambda at: int(f"{at:%W}"),
        lambda at: int(f"{at:%U}"),
        lambda at: (at.timetuple().tm_yday - 1) // 7 + 1,
        lambda at: (at.month + 2) // 3,
    )
    return any(all(number == part(at) for number, at in zip(numbers, moments, strict=True)) for part in parts)


def _parts_of_days(numbers: Sequence[int], moments: Sequence[datetime]) -> bool:
    """Whether numbers count the hours, their halves or quarters, or shorter parts, of a day, in whichever zone."""
    if len(set(numbers)) < _TURNS or not 0 <= min(numbers) <= max(numbers) <= 1440:
        return False
    for minutes in (60, 30, 15, 10, 5, 1):
        count = 1440 // minutes
        if max(numbers) > count:
            continue
        shifts = {
            (number - (60 * at.hour + at.minute) // minutes) % count
            for number, at in zip(numbers, moments, strict=True)
        }
        if len(shifts) == 1:
            return True
    return False


_CYCLES = (_weekdays, _weekends, _larger_parts, _parts_of_days)
