"""Which columns say when, and how."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from streamrnn_files.meanings import NAMELESS, TIME_NAMES, calendar_part, is_time_name
from streamrnn_files.moments import TimeForm, find_form, seconds
from streamrnn_files.options import SourceOptions

__all__ = ["NO_TIME", "Timing", "find_timing"]

_CLOCK = re.compile(r"\s*\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?\s*(?:[AaPp]\.?(?:[Mm]\.?)?)?\s*")
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
        What each column holds, where they are numbers: year, month, day, hour, minute, doy.
    """

    name: str | None = None
    columns: tuple[str, ...] = ()
    form: TimeForm | None = None
    parts: tuple[str, ...] = ()

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
            return _from_parts(dict(zip(self.parts, cells, strict=True)))
        text = cells[0] if len(cells) == 1 else f"{cells[0].strip()} {_colons(cells[1])}"
        if self.form is None:
            return text
        if not self.form.written:
            return self.form.read(text)
        return text if seconds(text) is not None else None

    def is_total(self, cell: str) -> bool:
        """Whether a cell of the first column cannot be a time: it holds no digit, where times do.

        Parameters
        ----------
        cell
            The cell.
        """
        return self.form is not None and bool(cell.strip()) and _NO_DIGIT.fullmatch(cell) is not None


NO_TIME = Timing()


def _colons(clock: str) -> str:
    clock = clock.strip()
    return clock.replace(".", ":", 2) if ":" not in clock else clock


def _from_parts(cells: Mapping[str, str]) -> str | None:
    try:
        part = {name: int(float(cell)) for name, cell in cells.items()}
        if "doy" in part:
            day = date(part["year"], 1, 1) + timedelta(days=part["doy"] - 1)
        else:
            day = date(part["year"], part["month"], part.get("day", 1))
        hour = part.get("hour", 0)
        if hour == 24:
            day, hour = day + timedelta(days=1), 0
        minute = part.get("minute", 0)
    except (ValueError, OverflowError):
        return None
    return f"{day.isoformat()}T{hour:02d}:{minute:02d}:00" if 0 <= hour < 24 and 0 <= minute < 60 else None


def find_timing(
    options: SourceOptions,
    header: Sequence[str],
    whole: Mapping[str, Sequence[str]],
    shown: Mapping[str, Sequence[str]],
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
    """
    wanted = options.time_format
    if options.time == "":
        return NO_TIME
    if options.time is not None:
        names = (
            (options.time,) if options.time in header or " + " not in options.time else tuple(options.time.split(" + "))
        )
        return _of_columns(names, whole, shown, wanted)
    free = [name for name in header if name not in options.columns and name != options.key and shown[name]]
    made = _calendar(free, shown)
    other = _date_and_clock(free, whole, shown) or _single(free, whole, shown, wanted)
    return other if made is None or _is_finer(other, made, whole) else made


def _is_finer(other: Timing, made: Timing, whole: Mapping[str, Sequence[str]]) -> bool:
    """Whether columns say the same days as those for year, month and day, and tell records of a day apart."""
    if other.form is None or "hour" in made.parts or other is made:
        return False
    days, moments = (
        [one.read(cells) or "" for cells in zip(*(whole[name] for name in one.columns), strict=True)]
        for one in (made, other)
    )
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
        parts = tuple(calendar_part(name) or "" for name in names)
        if all(parts):
            return Timing(" + ".join(names), names, None, parts)
        joined = _joined(names, whole)
        return Timing(" + ".join(names), names, find_form(joined, wanted=wanted))
    return Timing(names[0], names[:1], find_form(shown.get(names[0], ()), wanted=wanted))


def _joined(names: Sequence[str], whole: Mapping[str, Sequence[str]]) -> list[str]:
    pairs = zip(whole[names[0]], whole[names[1]], strict=True)
    return [f"{day.strip()} {_colons(clock)}" for day, clock in pairs if day.strip() and clock.strip()]


def _calendar(free: Sequence[str], shown: Mapping[str, Sequence[str]]) -> Timing | None:
    """Return the time that columns for year, month, day and hour make."""
    parts: dict[str, str] = {}
    for name in free:
        part = calendar_part(name)
        if (
            part is not None
            and part not in parts
            and all(re.fullmatch(r"\s*\d{1,4}(?:\.0)?\s*", c) for c in shown[name])
        ):
            parts[part] = name
    if "year" not in parts or not {"month", "doy"} & set(parts):
        parts = _without_names(free, shown)
    if "year" not in parts or not {"month", "doy"} & set(parts):
        return None
    if "month" in parts:
        parts.pop("doy", None)
    order = [part for part in ("year", "month", "day", "doy", "hour", "minute") if part in parts]
    if "hour" not in order and "minute" in order:
        order.remove("minute")
    names = tuple(parts[part] for part in order)
    cells = zip(*(shown[name][:20] for name in names), strict=False)
    if any(_from_parts(dict(zip(order, row, strict=True))) is None for row in cells):
        return None
    return Timing(" + ".join(names), names, None, tuple(order))


def _without_names(free: Sequence[str], shown: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the columns of year, month and day of a file without names: the first three, where they make dates that move on."""
    first = free[:3]
    if len(first) < 3 or not all(map(NAMELESS.fullmatch, first)):
        return {}
    rows = list(zip(*(shown[name] for name in first), strict=False))
    if not all(re.fullmatch(r"\s*(?:1[6-9]|20|21)\d\d\s*", year) for year, _, _ in rows):
        return {}
    days = [_from_parts(dict(zip(("year", "month", "day"), row, strict=True))) for row in rows]
    moving = all(a is not None and b is not None and a < b for a, b in itertools.pairwise(days))
    return dict(zip(("year", "month", "day"), first, strict=True)) if moving and len(days) > 2 else {}


def _date_and_clock(
    free: Sequence[str], whole: Mapping[str, Sequence[str]], shown: Mapping[str, Sequence[str]]
) -> Timing | None:
    """Return the time that a column of dates and one of clocks make."""
    hours = [
        name
        for name in free
        if (calendar_part(name) == "hour" or (NAMELESS.fullmatch(name) and _turns(shown[name])))
        and all(re.fullmatch(r"\s*(?:[01]?\d|2[0-4])\s*", c) for c in shown[name])
    ]
    clocks = [
        name
        for name in free
        if all(map(_CLOCK.fullmatch, shown[name])) and (is_time_name(name) or ":" in shown[name][0])
    ]
    for clock in (*clocks, *hours):
        for day in free:
            if (
                day == clock
                or not (is_time_name(day) or find_form(shown[day], bare=False))
                or any(":" in cell for cell in shown[day][:20])
                or (clock in hours and len(set(shown[day])) == len(shown[day]) > 1)
            ):
                continue
            joined = _joined((day, clock), whole)
            form = find_form(joined)
            if form is not None:
                return Timing(f"{day} + {clock}", (day, clock), form)
    return None


def _turns(cells: Sequence[str]) -> bool:
    """Whether cells count the hours of days: each is one more than that before it, or begins again."""
    if len(cells) < 24 or not all(cell.strip().isdecimal() for cell in cells):
        return False
    hours = [int(cell) for cell in cells]
    return all(b == a + 1 or (b < 2 and a > 22) for a, b in itertools.pairwise(hours))


def _single(
    free: Sequence[str], whole: Mapping[str, Sequence[str]], shown: Mapping[str, Sequence[str]], wanted: str | None
) -> Timing:
    """Return the column that holds times: with a usual name before others, one that moves on before one that stands."""
    found: list[tuple[Any, Timing]] = []
    for at, name in enumerate(free):
        exact = name.strip().lower() in TIME_NAMES
        named = exact or is_time_name(name)
        if wanted is not None and not named:
            continue
        nameless = NAMELESS.fullmatch(name) is not None
        form = find_form(shown[name], wanted=wanted, bare=named or nameless)
        if nameless and form is not None and form.name == "year":
            continue
        if form is None and not exact:
            continue
        distinct = len(set(shown[name]))
        if form is not None and form.name == "year" and ("time" in name.lower() or distinct < len(shown[name]) / 2):
            if not exact:
                continue
            form = None
        stands = len(shown[name]) > 3 and distinct == 1
        found.append(((form is None, stands, not exact, not named, at), Timing(name, (name,), form)))
    if found:
        rank, best = min(found, key=lambda one: one[0])
        finer = (one for other, one in found if other[:3] == rank[:3] and _is_finer(one, best, whole))
        return next((one for one in finer if _distinct(one, whole) >= 2 * _distinct(best, whole)), best)
    epochs = ((name, find_form(shown[name])) for name in free if wanted is None)
    return next(
        (Timing(name, (name,), form) for name, form in epochs if form and _moves_on(shown[name], form)), NO_TIME
    )


def _moves_on(cells: Sequence[str], form: TimeForm) -> bool:
    """Whether numbers that could be seconds since 1970 are: they go on in even steps, which amounts and counters do not."""
    if not form.name.endswith("since 1970") or len(cells) < 8:
        return False
    steps = [b - a for a, b in itertools.pairwise(map(float, cells))]
    common = max(set(steps), key=steps.count)
    return common > 0 and 2 * steps.count(common) > len(steps)
