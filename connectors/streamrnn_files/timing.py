"""Which columns say when, and how."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from streamrnn_files.calendar_columns import calendar_columns, moment_of_parts, parts_of
from streamrnn_files.cells import is_number, number
from streamrnn_files.clocks import CLOCK, CLOCK_NAME, digits_of, goes_round, joint, period_of, turns
from streamrnn_files.meanings import (
    NAMELESS,
    TIME_NAMES,
    calendar_part,
    ends_with_id,
    is_calendar_name,
    is_later_name,
    is_period_name,
    is_time_name,
)
from streamrnn_files.moments import TimeForm, day_first, find_form, seconds
from streamrnn_files.months import month_of
from streamrnn_files.options import SourceOptions

__all__ = ["NO_TIME", "Timing", "beside_dates", "find_timing"]

_TRIED = 6
"""Columns that may tell the records of a year apart."""

_APART = 31 * 86400.0
"""Seconds that a reading is before the moment of its writing at most: births are earlier."""

_ZONE_IN_NAME = re.compile(r"\b(?:GMT|UTC)\s*(?P<sign>[-+])(?P<h>\d{1,2}):?(?P<m>\d{2})?\b")
_ORDER_IN_NAME = re.compile(r"(?i)\b(?:(?P<d>d{1,2}[-/. ]m{1,3})|(?P<m>m{1,2}[-/. ]d{1,2}))\b")
"""Which of day and month stands first, as a name says it: DD/MM/YYYY."""

_ELSEWHERE = re.compile(r"(?i)datum|zeit|uhr|fecha|hora\b|heure|jour|dato|päivä|tijd")
"""A time in a language whose speakers write the day first."""

_MARKS = (":", "时", "時")
"""What stands between hours and minutes and in no number."""

_FEWEST = 12
"""Moments in digits that show that all numbers are such."""

_NIGHT = 1.5 * 86400
"""Seconds from the beginning of a day to the end of its night."""

_MIXED, _STRAY = 0.1, 0.02
"""Shares of moments that go back: more than the first of durations beside dates, fewer than the second of when something began."""

_RISING = 8
"""Numbers that show that they rise with each record."""

_WITH_HOURS = 10
"""Digits of a day and an hour: numbers that all make such are no amounts."""

_NO_DIGIT = re.compile(r"\D*")


@dataclass(frozen=True, slots=True)
class Timing:
    """Which columns say when an event was, and how they are written.

    Parameters
    ----------
    name
        What the time is called, None where there is none.
    columns
        The columns that make it.
    form
        How it is written; None where it is passed on as it comes.
    parts
        What each column holds, where they are numbers: year, month, day, hour, minute, doy, hhmm.
    digits
        How many digits the clock beside a date has: 4 where it is 1530, 6 where it is 153000, 0 where it is written otherwise.
    totals
        Whether a record without a time is a row of totals.
    """

    name: str | None = None
    columns: tuple[str, ...] = ()
    form: TimeForm | None = None
    parts: tuple[str, ...] = ()
    digits: int = 0
    totals: bool = False

    @property
    def made(self) -> bool:
        """Whether a time is not passed on as it is written, but made into ISO 8601."""
        return len(self.columns) > 1 or bool(self.parts) or (self.form is not None and not self.form.written)

    def read(self, cells: Sequence[str]) -> str | None:
        """Return the time of a record in ISO 8601, None where its cells hold none.

        Parameters
        ----------
        cells
            Those of ``columns``.
        """
        if self.parts:
            return moment_of_parts(dict(zip(self.parts, cells, strict=True)))
        text = cells[0] if len(cells) == 1 else joint(cells[0], cells[1], self.digits)
        if self.form is None:
            return text
        if not self.form.written:
            return self.form.read(text)
        return text if seconds(text) is not None else None

    def is_total(self, cell: str) -> bool:
        """Whether a cell of the first column cannot be a time: it holds no digit, where times do, or nothing, where that means totals.

        Parameters
        ----------
        cell
            The cell.
        """
        if not cell.strip():
            return self.totals
        told = self.form is not None or (bool(self.parts) and month_of(cell) is None)
        return told and _NO_DIGIT.fullmatch(cell) is not None


NO_TIME = Timing()


def find_timing(
    options: SourceOptions,
    header: Sequence[str],
    whole: Mapping[str, Sequence[str]],
    shown: Mapping[str, Sequence[str]],
    *,
    day_is_first: bool = False,
) -> Timing:
    """Find the columns of the time: as the user says, or by what they hold, helped by their names.

    Parameters
    ----------
    options
        What the user asks for.
    header
        Every column, in order.
    whole
        All cells of the first records, by column.
    shown
        Those that hold something.
    day_is_first
        Whether the day stands before the month where they cannot be told apart.
    """
    found = _found(options, header, whole, shown)
    if found.form is None or not found.form.doubt:
        return found
    said = _ORDER_IN_NAME.search(found.name or "")
    if said is not None:
        form = found.form if said["m"] else day_first(found.form)
        return replace(found, form=replace(form, doubt=None))
    return replace(found, form=day_first(found.form)) if day_is_first or _ELSEWHERE.search(found.name or "") else found


def _found(
    options: SourceOptions,
    header: Sequence[str],
    whole: Mapping[str, Sequence[str]],
    shown: Mapping[str, Sequence[str]],
) -> Timing:
    wanted = options.time_format
    if options.time == "":
        return NO_TIME
    if options.time is not None:
        names = (
            (options.time,) if options.time in header or " + " not in options.time else tuple(options.time.split(" + "))
        )
        return _zoned(_of_columns(names, whole, shown, wanted))
    free = [name for name in header if name not in options.columns and name != options.key and shown[name]]
    columns = calendar_columns(free, shown)
    made = (
        None if columns is None else Timing(" + ".join(columns.values()), tuple(columns.values()), None, tuple(columns))
    )
    other = _finest(_date_and_clock(free, whole, shown), _single(free, whole, shown, wanted), whole, shown)
    return _zoned(other if made is None or _is_finer(other, made, whole) else made)


def _finest(
    pair: Timing | None, single: Timing, whole: Mapping[str, Sequence[str]], shown: Mapping[str, Sequence[str]]
) -> Timing:
    """Return a date and a clock, or the hours of a day beside it, unless one column tells more moments apart."""
    if pair is None or single.form is None or is_later_name(single.name or ""):
        return pair or single
    if _disorder(pair, whole) > _MIXED > _STRAY > _disorder(single, whole):
        return single  # the clocks are how long something took
    one = single.columns[0]
    moments = set(zip(*(whole[name] for name in pair.columns), strict=True))
    return single if ":" in shown[one][0] and len(set(whole[one])) > len(moments) else pair


def _disorder(timing: Timing, whole: Mapping[str, Sequence[str]]) -> float:
    """Return the share of records whose moment goes the other way than those of most do."""
    read = [timing.read(cells) for cells in zip(*(whole[name] for name in timing.columns), strict=True)]
    times = [moment for one in read if one and (moment := seconds(one)) is not None]
    steps = [b - a for a, b in itertools.pairwise(times)]
    return min(sum(step < 0 for step in steps), sum(step > 0 for step in steps)) / max(1, len(steps))


def _zoned(timing: Timing) -> Timing:
    """Return a time with the zone that its column's name writes, as in "Date Time, GMT+02:00", where its cells write none."""
    found = _ZONE_IN_NAME.search(timing.name or "")
    if found is None or timing.form is None or timing.form.zone or timing.form.name.endswith("since 1970"):
        return timing
    zone = f"{found['sign']}{int(found['h']):02}:{found['m'] or '00'}"
    name = "year-month-day" if timing.form.name == "ISO 8601" else timing.form.name
    return replace(timing, form=replace(timing.form, name=name, zone=zone, written=False, behind=zone))


def _is_finer(other: Timing, made: Timing, whole: Mapping[str, Sequence[str]]) -> bool:
    """Whether columns say the same days as those for year, month and day, and tell records of a day apart, or the same hours with their zone."""
    if other.form is None or other is made:
        return False
    days, moments = (
        [one.read(cells) or "" for cells in zip(*(whole[name] for name in one.columns), strict=True)]
        for one in (made, other)
    )
    if "hour" in made.parts:
        hour = len("2024-03-04T00")
        alike = [day[:hour] == moment[:hour].replace(" ", "T") for day, moment in zip(days, moments, strict=True)]
        return bool(other.form.zone) and all(alike)
    length = 7 if "month" in made.parts and "day" not in made.parts else 10
    same = sum(day[:length] == moment[:length] for day, moment in zip(days, moments, strict=True))
    return same >= 0.9 * len(days) and len(set(moments)) > len(set(days))


def _distinct(timing: Timing, whole: Mapping[str, Sequence[str]]) -> int:
    return len(set(whole[timing.columns[0]]))


def _of_columns(
    names: tuple[str, ...], whole: Mapping[str, Sequence[str]], shown: Mapping[str, Sequence[str]], wanted: str | None
) -> Timing:
    known = [name for name in names if name in whole]
    if len(known) == len(names) > 1:
        found = parts_of(names, shown)
        parts = tuple(next((part for part, one in found.items() if one == name), "") for name in names)
        if all(parts):
            return Timing(" + ".join(names), names, None, parts)
        digits = period_of(shown[names[1]]) if is_period_name(names[1]) else digits_of(shown[names[1]])
        return Timing(" + ".join(names), names, find_form(_joined(names, whole, digits), wanted=wanted), digits=digits)
    return Timing(names[0], names[:1], find_form(shown.get(names[0], ()), wanted=wanted))


def _joined(names: Sequence[str], whole: Mapping[str, Sequence[str]], digits: int = 0) -> list[str]:
    pairs = zip(whole[names[0]], whole[names[1]], strict=True)
    return [joint(day, clock, digits) for day, clock in pairs if day.strip() and clock.strip()]


def _date_and_clock(
    free: Sequence[str], whole: Mapping[str, Sequence[str]], shown: Mapping[str, Sequence[str]]
) -> Timing | None:
    """Return the time that a column of dates and one of clocks make."""
    hours = [
        name
        for name in free
        if (calendar_part(name) == "hour" or turns(shown[name]))
        and all(re.fullmatch(r"\s*(?:[01]?\d|2[0-4])\s*", c) for c in shown[name])
    ]
    clocks = [
        name
        for name in free
        if all(map(CLOCK.fullmatch, shown[name]))
        and (is_time_name(name) or shown[name][0].strip()[1:3].strip("0123456789") in _MARKS or goes_round(shown[name]))
    ]
    bare = [name for name in free if CLOCK_NAME.fullmatch(name.strip()) and digits_of(shown[name])]
    beside = beside_dates(free, whole, shown)
    bare += beside
    periods = [name for name in free if is_period_name(name) and period_of(shown[name])]
    several = sum(":" in shown[name][0] for name in clocks) > 1  # when a day was coldest, and warmest
    clocks.sort(key=lambda name: CLOCK_NAME.fullmatch(name.strip()) is None)
    found = []
    for clock in (*clocks, *bare, *hours, *periods):
        digits = digits_of(shown[clock]) if clock in bare else period_of(shown[clock]) if clock in periods else 0
        one_each = clock in hours or (several and not CLOCK_NAME.fullmatch(clock.strip()))
        for day in free:
            if (
                day == clock
                or not (beside.get(clock) == day or is_time_name(day) or find_form(shown[day], bare=False))
                or any(":" in cell for cell in shown[day][:20])
                or (one_each and len(set(shown[day])) == len(shown[day]) > 1)
            ):
                continue
            form = find_form(_joined((day, clock), whole, digits))
            if form is not None:
                found.append(Timing(f"{day} + {clock}", (day, clock), form, digits=digits))
                break
    return max(found, key=lambda one: (len(set(_joined(one.columns, whole))), -found.index(one)), default=None)


def beside_dates(
    free: Sequence[str], whole: Mapping[str, Sequence[str]], shown: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Return the columns without names that are clocks of four digits, with the column of dates before each: together they move on with each record.

    Parameters
    ----------
    free
        Columns that may be some.
    whole
        All cells of the first records, by column.
    shown
        Those that hold something.
    """
    found = {}
    for day, clock in itertools.pairwise(free):
        if not (NAMELESS.fullmatch(day) and NAMELESS.fullmatch(clock)) or digits_of(shown[clock]) != len("hhmm"):
            continue
        form = find_form(shown[day])
        if form is None or form.name == "year" or any(":" in cell for cell in shown[day][:20]):
            continue
        pairs = _joined((day, clock), whole, len("hhmm"))
        read = find_form(pairs)
        moments = [] if read is None else [pair if read.written else read.read(pair) for pair in pairs]
        rises = [a is not None and b is not None and a < b for a, b in itertools.pairwise(moments)]
        if len(rises) > 1 and all(rises):  # of one pair anything rises
            found[clock] = day
    return found


def _single(
    free: Sequence[str], whole: Mapping[str, Sequence[str]], shown: Mapping[str, Sequence[str]], wanted: str | None
) -> Timing:
    """Return the column that holds times: with a usual name before others, one that moves on before one that stands."""
    found: list[tuple[Any, Timing]] = []
    for at, name in enumerate(free):
        exact = name.strip().lower() in TIME_NAMES
        named = exact or is_time_name(name)
        if (wanted is not None and not named) or (ends_with_id(name) and not exact):
            continue
        nameless = NAMELESS.fullmatch(name) is not None
        form = find_form(shown[name], wanted=wanted, bare=named or nameless)
        if nameless and form is not None and form.name == "year":
            continue
        if form is None and (not exact or all(map(CLOCK.fullmatch, shown[name]))):
            continue
        distinct = len(set(shown[name]))
        again = distinct < len(shown[name]) / 2 and not _of_several(name, free, whole)
        if form is not None and form.name == "year" and ("time" in name.lower() or again):
            if not exact:
                continue
            form = None
        stands = len(shown[name]) > 3 and distinct == 1
        found.append(
            ((form is None, stands, is_later_name(name), not exact, not named, at), Timing(name, (name,), form))
        )
    if found:
        rank, best = min(found, key=lambda one: one[0])
        before = next((one for other, one in found if other[:5] == rank[:5] and _is_before(one, best, whole)), None)
        if before is not None:
            return before
        finer = (one for other, one in found if other[:4] == rank[:4] and _of_days(one, best, whole))
        return next((one for one in finer if _distinct(one, whole) >= 2 * _distinct(best, whole)), best)
    epochs = ((name, find_form(shown[name])) for name in free if wanted is None)
    even = (Timing(name, (name,), form) for name, form in epochs if form and _moves_on(shown[name], form))
    runs = (Timing(name, (name,)) for name in free if wanted is None and _runs(name, shown[name]))
    return next(itertools.chain(even, runs), NO_TIME)


def _of_days(other: Timing, best: Timing, whole: Mapping[str, Sequence[str]]) -> bool:
    """Whether moments are those of the days of another column, or of the nights behind them, in order."""
    if _is_finer(other, best, whole):
        return True
    if other.form is None or best.form is None or ":" not in whole[other.columns[0]][0] or _disorder(other, whole):
        return False
    pairs = zip(whole[other.columns[0]], whole[best.columns[0]], strict=True)
    read = [(seconds(other.read((one,)) or ""), seconds(best.read((two,)) or "")) for one, two in pairs]
    near = [0 <= a - b < _NIGHT for a, b in read if a is not None and b is not None]
    return sum(near) > 0.9 * len(read)


def _is_before(other: Timing, best: Timing, whole: Mapping[str, Sequence[str]]) -> bool:
    """Whether moments are before those of another column in nearly all records and after them in none, and as many, or half of them with clocks: starts are, and readings before they are written down."""
    if other is best or other.form is None or best.form is None:
        return False
    clocks = ":" in whole[other.columns[0]][0]
    if (1 + clocks) * _distinct(other, whole) < _distinct(best, whole):
        return False
    pairs = zip(whole[other.columns[0]], whole[best.columns[0]], strict=True)
    read = [(seconds(other.read((one,)) or ""), seconds(best.read((two,)) or "")) for one, two in pairs]
    gaps = [b - a for a, b in read if a is not None and b is not None]
    return len(gaps) > 8 and min(gaps) >= 0 and sum(gap > 0 for gap in gaps) > 0.9 * len(gaps) and max(gaps) < _APART


def _of_several(name: str, free: Sequence[str], whole: Mapping[str, Sequence[str]]) -> bool:
    """Whether years that come again are those of several series: they go on in most steps, or a column or two tell the records of a year apart."""
    years = whole[name]
    steps = [a < b for a, b in itertools.pairwise(years)]
    if sum(steps) > 0.8 * len(steps):
        return True
    n = len(years)
    others = [one for one in free if one != name and 1 < len(set(whole[one])) <= n / 2][:_TRIED]
    for some in (*((one,) for one in others), *itertools.combinations(others, 2)):
        cells = list(zip(*(whole[one] for one in some), strict=True))
        if len(set(cells)) <= n / 2 and len(set(zip(years, cells, strict=True))) == n:
            return all(re.search(r"[^\W\d]", cell[0]) for cell in cells)
    return False


def _runs(name: str, cells: Sequence[str]) -> bool:
    """Whether numbers under a name that says when rise with each record: seconds since a start."""
    if not is_time_name(name) or is_calendar_name(name) or len(cells) < _RISING or not all(map(is_number, cells)):
        return False
    return all(a < b for a, b in itertools.pairwise(map(number, cells)))


def _moves_on(cells: Sequence[str], form: TimeForm) -> bool:
    """Whether numbers that could be seconds since 1970, or dates, are: they go on in even steps, which amounts and counters do not."""
    if form.name == "yyyymmdd" and all(len(cell.strip()) >= _WITH_HOURS for cell in cells) and len(cells) >= _FEWEST:
        return True
    if form.name == "yyyymmdd" and len(cells) >= 8:
        moments = [at for at in map(seconds, filter(None, map(form.read, cells))) if at is not None]
        steps = [b - a for a, b in itertools.pairwise(moments)]
        return min(steps) > 0 and max(steps) <= 31 * min(steps)
    if not form.name.endswith("since 1970") or len(cells) < 8 or not all(map(is_number, cells)):
        return False
    steps = [b - a for a, b in itertools.pairwise(map(number, cells))]
    common = max(set(steps), key=steps.count)
    return common > 0 and 2 * steps.count(common) > len(steps)
