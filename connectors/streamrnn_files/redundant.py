"""Columns that say once more what another one says, or hold two things in a cell."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence

from streamrnn_files.cells import is_number, number
from streamrnn_files.contents import dated, of_calendar, of_key, running, settings
from streamrnn_files.keys import joined, key_columns
from streamrnn_files.meanings import NAMELESS
from streamrnn_files.moments import find_form, seconds
from streamrnn_files.months import month_of
from streamrnn_files.numerals import Numerals, values_of
from streamrnn_files.timing import Timing, beside_dates

__all__ = ["are_times", "ends_in_totals", "holds_two", "redundant", "times_of_day"]

_DAY = 86400.0
_LOOKED_AT = 100
"""Records that numbers are compared with the moments of."""

_FEWEST = 8
"""Records that a row of totals stands below."""

_TELLING = 3
"""Records that show that numbers count days or hours."""

_NEARLY = 0.05
"""How far a total may be from the sum of what stands above it, as a share: users are counted once in all days."""

_CLOSE = 0.006
"""How far a number with two or three decimals may be from the hour it counts."""


def redundant(
    timing: Timing, key: str | None, whole: Mapping[str, Sequence[str]], moments: Sequence[str | None]
) -> dict[str, str]:
    """Return the columns that say once more what time, key or their own name says, with the reason.

    Parameters
    ----------
    timing
        Which columns say when.
    key
        The column of the key, or None.
    whole
        All cells, by column.
    moments
        The time of each record, as it was read.
    """
    found = dict.fromkeys(
        (
            *_decimal_years(timing, whole),
            *_with_dates(timing, whole, moments),
            *_epochs(timing, whole, moments),
            *_counts_of_time(timing, whole, moments),
            *_clocks_beside(whole),
        ),
        "another time",
    )
    found |= dict.fromkeys(of_calendar(timing, whole, moments), "a part of the calendar")
    found |= dict.fromkeys(running(timing, whole), "a running number")
    found |= dict.fromkeys(settings(timing, whole), "a setting: each of its numbers was tried as often")
    found |= dict.fromkeys(of_key(key, whole), f"the same in all records of each {key}")
    columns = key_columns(key, list(whole))
    if columns:
        keys = list(map(joined, zip(*(whole[name] for name in columns), strict=True)))
        others = {name: cells for name, cells in whole.items() if name not in columns}
        for one in (keys, *(whole[name] for name in columns)):
            found |= dict.fromkeys(_like_key(one, others), f"says once more what {key} says")
        found |= dict.fromkeys(_counted(keys, others), "a running number")
    found |= {
        name: "holds nothing but its name" for name, cells in whole.items() if set(map(str.strip, cells)) == {name}
    }
    return found


def _decimal_years(timing: Timing, whole: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Return the columns that say the time once more, as years with a fraction."""
    if "year" not in timing.parts:
        return frozenset()
    years = [cell.strip() for cell in whole[timing.columns[timing.parts.index("year")]]]
    return frozenset(
        name
        for name, cells in whole.items()
        if name not in timing.columns
        and len(years) > 2
        and all(cell.strip().partition(".")[0] == year for cell, year in zip(cells, years, strict=True))
        and any("." in cell for cell in cells)
    )


def _with_dates(timing: Timing, whole: Mapping[str, Sequence[str]], moments: Sequence[str | None]) -> list[str]:
    """Return the columns of numbers that begin with the date of their record: 20240304012 for the twelfth period of a day."""
    days = {
        name: cells
        for name, cells in whole.items()
        if name not in timing.columns
        and cells
        and all(re.fullmatch(r"(?:19|20)\d{6,10}", cell.strip()) for cell in cells)
    }
    if not days:
        return []
    dates = [(moment or "")[:10].replace("-", "") for moment in moments]
    return [
        name
        for name, cells in days.items()
        if dates and sum(map(str.startswith, map(str.strip, cells), dates)) > 0.9 * len(dates) and any(dates)
    ]


def _epochs(timing: Timing, whole: Mapping[str, Sequence[str]], moments: Sequence[str | None]) -> list[str]:
    """Return the columns of numbers that lie within a day of the moment of their record, as seconds since 1970 or parts of them."""
    free = [
        name for name, cells in whole.items() if name not in timing.columns and cells and cells[0].strip().isdecimal()
    ]
    if not free or not timing.columns:
        return []
    read = [seconds(moment or "") for moment in moments[:_LOOKED_AT]]
    scale = (
        {"milli": 1e3, "micro": 1e6, "nano": 1e9}.get(timing.form.name.split("seconds")[0], 1.0) if timing.form else 1.0
    )
    known = [(i, at / scale) for i, at in enumerate(read) if at is not None][:50]
    found = []
    for name in free if len(known) > 3 else ():
        held = [whole[name][i].strip() for i, _ in known]
        form = find_form(held) if all(map(str.isdecimal, held)) else None
        if form is None or not form.name.endswith("since 1970"):
            continue
        scaled = {"milli": 1e3, "micro": 1e6, "nano": 1e9}.get(form.name.split("seconds")[0], 1.0)
        if all(abs(number(cell) / scaled - at) <= _DAY for cell, (_, at) in zip(held, known, strict=True)):
            found.append(name)
    return found


def _clocks_beside(whole: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the columns without names that are a date and a clock beside it, as the time is in another zone."""
    free = [name for name, cells in whole.items() if NAMELESS.fullmatch(name) and any(map(str.strip, cells))]
    shown = {name: [cell for cell in whole[name] if cell.strip()] for name in free}
    return [name for pair in beside_dates(free, whole, shown).items() for name in pair]


def _counts_of_time(timing: Timing, whole: Mapping[str, Sequence[str]], moments: Sequence[str | None]) -> list[str]:
    """Return the columns of numbers that count the days of the year, or the hours of the day, or are another part of the moment of their record."""
    if not timing.columns:
        return []
    known = dated(moments if timing.made else moments[:_LOOKED_AT])
    if len(known) < (_TELLING if timing.parts else _FEWEST):
        return []
    days = [float(at.timetuple().tm_yday) for _, at in known]
    hours = [at.hour + at.minute / 60 + at.second / 3600 for _, at in known]
    parts = [[float(getattr(at, part)) for _, at in known] for part in ("year", "month", "day", "hour", "minute")]
    first = [
        days[0],
        hours[0],
        days[0] + hours[0] / 24,
        *(part[0] for part in parts),
    ]  # where the first is another, all need not be read
    places = {name: at for at, name in enumerate(whole)}
    last = max(places[name] for name in timing.columns)
    found = []
    for name, cells in whole.items():
        cell = cells[known[0][0]].strip() if name not in timing.columns else ""
        if not is_number(cell) or all(abs(number(cell) - one) >= _CLOSE for one in first):
            continue
        held = [cells[i].strip() for i, _ in known]
        if not all(map(is_number, held)):
            continue
        counts = list(map(number, held))
        if len(set(counts)) > 1 and counts in parts:
            found.append(name)
            continue
        if any(
            all(abs(count - one) < _CLOSE for count, one in zip(counts, ones, strict=True))
            for ones in (days, hours, [day + hour / 24 for day, hour in zip(days, hours, strict=True)])
            if len(set(ones)) > 1 or (ones is days and places[name] < last)
        ):
            found.append(name)
    return found


def _like_key(keys: Sequence[str], whole: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the columns with a value of their own for each key, always the same."""
    distinct = len(set(keys))
    if not 1 < distinct <= len(keys) / 4:
        return []
    return [
        name for name, cells in whole.items() if len(set(cells)) == distinct == len(set(zip(keys, cells, strict=True)))
    ]


def _counted(keys: Sequence[str], whole: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the columns without names that number the records of each key."""
    found = []
    for name, cells in whole.items():
        if not NAMELESS.fullmatch(name) or len(cells) < 20 or not all(cell.strip().isdecimal() for cell in cells):
            continue
        last: dict[str, int] = {}
        even = True
        for one, cell in zip(keys, cells, strict=True):
            even = even and int(cell) - last.get(one, int(cell) - 1) == 1
            last[one] = int(cell)
        if even:
            found.append(name)
    return found


def holds_two(cells: Sequence[str], decimal: str) -> bool:
    """Whether what looks like a decimal comma stands between a value and a flag: many values, and the same few digits behind all of them.

    Parameters
    ----------
    cells
        Cells that hold something.
    decimal
        The decimal mark that the file seems to have.
    """
    parts = [cell.strip().partition(",") for cell in cells]
    if decimal != "," or not all(comma for _, comma, _ in parts):
        return False
    flags = {flag for _, _, flag in parts}
    return len({value for value, _, _ in parts}) >= 20 and len(flags) <= 3 and all(flag.strip("0") for flag in flags)


def are_times(names: Sequence[str]) -> bool:
    """Whether names of columns are years, months or days in a row: then each row of the table is a series.

    Parameters
    ----------
    names
        Of columns of numbers.
    """
    form = find_form(names) if len(names) >= 5 else None
    if form is None or form.name.endswith("since 1970"):
        return False
    moments = [form.read(name) if form.name != "ISO 8601" else name for name in names]
    return all(a is not None and b is not None and a < b for a, b in itertools.pairwise(moments))


def times_of_day(names: Sequence[str]) -> bool:
    """Whether names of columns are clocks or months in a row: then a row of the table holds several moments.

    Parameters
    ----------
    names
        Of columns of numbers.
    """
    clocks = [name.strip() for name in names if re.fullmatch(r"\s*\d{1,2}:\d{2}(?::\d{2})?\s*", name)]
    months = [month for name in names if name.isalpha() and (month := month_of(name)) is not None]
    return any(
        len(found) >= 5 and 2 * len(found) > len(names) and list(found) == sorted(found) for found in (clocks, months)
    )


def ends_in_totals(
    timing: Timing, features: Sequence[str], whole: Mapping[str, Sequence[str]], sure: Mapping[str, Numerals]
) -> bool:
    """Whether the last of all records is a row of totals: it alone has no time, and each of its numbers is the sum of those above it, or nearly.

    Parameters
    ----------
    timing
        Which columns say when.
    features
        The columns to watch.
    whole
        All cells, by column.
    sure
        How the numbers of each column are written.
    """
    cells = whole.get(timing.columns[0], ()) if timing.columns else ()
    if len(cells) < _FEWEST or cells[-1].strip() or not all(map(str.strip, cells[:-1])):
        return False
    sums = []
    for name in features:
        last = values_of(whole[name][-1:], sure[name])
        total = sum(values_of(whole[name][:-1], sure[name]))
        sums += [total != 0 and abs(one - total) <= _NEARLY * abs(total) for one in last]
    return any(sums) and 2 * sum(sums) >= len(sums)
