"""How a column writes times: found by content, and made into what every model reads, ISO 8601."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from streamrnn_files.decimal_years import DECIMAL_YEAR, YEAR, are_decimal_years, moment_of_year
from streamrnn_files.months import month_of
from streamrnn_files.spreadsheet_days import DAY, EXCEL, are_days, moment_of_day
from streamrnn_files.zones import ZONES, offset_of

__all__ = ["TimeForm", "day_first", "find_form", "seconds"]

_CLOCK = r"(?:\s*[T ,:@_-]\s*(?P<H>\d{1,2})(?:[:.](?P<M>\d{2})(?:[:.](?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?)?\s*(?P<p>[AaPp]\.?(?:[Mm]\.?)?|[Uu]hr)?)?"
_BEFORE = r"(?:(?P<H0>\d{1,2}):(?P<M0>\d{2})(?::(?P<S0>\d{2}))?,?\s+)?"
"""A clock that stands before its date."""

_ZONE = rf"\s*(?P<z>Z|z|[+-]\d{{2}}:?\d{{2}}(?: UTC)?|[+-]\d{{2}}|{ZONES})?"
_EPOCHS = {"seconds": 1.0, "milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}
_FIRST, _LAST = 315532800.0, 4102444800.0
"""The years 1980 to 2100: what a bare number must lie in to be seconds since 1970."""


def _pattern(day: str) -> re.Pattern[str]:
    return re.compile(rf"(?:[^\W\d]{{2,12}}\.?,?\s+)?{_BEFORE}{day}{_CLOCK}{_ZONE}")


_YMD = r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})"
_DMY = r"(?P<d>\d{1,2})[-/.](?P<m>\d{1,2})[-/.](?P<y>\d{4}|\d{2})"
_MDY = r"(?P<m>\d{1,2})[-/.](?P<d>\d{1,2})[-/.](?P<y>\d{4}|\d{2})"
_FORMS: dict[str, re.Pattern[str]] = {
    "year-month-day": _pattern(_YMD),
    "day/month/year": _pattern(_DMY),
    "month/day/year": _pattern(_MDY),
    "day month year": _pattern(r"(?P<d>\d{1,2}) (?P<m>\d{1,2}) (?P<y>\d{4})"),
    "year 年 month 月 day 日": _pattern(r"(?P<y>\d{4})年(?P<m>\d{1,2})月(?P<d>\d{1,2})日"),
    "two-digit year-month-day": _pattern(r"(?P<y>\d{2})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})"),
    "year month-name day": _pattern(r"(?P<y>\d{4})[-/ ](?P<b>[^\W\d]{3,10})[-/ ](?P<d>\d{1,2})"),
    "year and day of it": _pattern(r"(?P<y>(?:19|20)\d{2})-?(?P<j>[0-3]\d{2})"),
    "day month-name year": _pattern(r"(?P<d>\d{1,2})[-/ .]*(?P<b>[^\W\d]{3,10})\.?[-/ ,]*(?P<y>\d{4}|\d{2})"),
    "month-name day year": _pattern(r"(?P<b>[^\W\d]{3,10})\.?[- ]+(?P<d>\d{1,2}),?[- ]+(?P<y>\d{4})"),
    "ctime": re.compile(
        r"[A-Za-z]{3}\s+(?P<b>[A-Za-z]{3})\s+(?P<d>\d{1,2})\s+(?P<H>\d{1,2}):(?P<M>\d{2}):(?P<S>\d{2})(?:\s+(?P<z>[+-]\d{4}|"
        + ZONES
        + r"))?\s+(?P<y>\d{4})"
    ),
    "yyyymmdd": re.compile(
        r"(?P<y>(?:19|20)\d{2})(?P<m>0[1-9]|1[0-2])(?P<d>[0-3]\d)(?:[T_ :]?(?P<H>[0-2]\d):?(?:(?P<M>[0-5]\d):?(?P<S>[0-5]\d)?)?)?(?P<z>Z)?"
    ),
    "yymmdd": re.compile(r"(?P<y>\d{2})(?P<m>0[1-9]|1[0-2])(?P<d>[0-3]\d)"),
    "year-month": re.compile(r"(?P<y>\d{4})[-/M](?P<m>0?[1-9]|1[0-2])"),
    "year month-name": re.compile(r"(?P<y>\d{4})[-/ ](?P<b>[^\W\d]{3,10})"),
    "month-name year": re.compile(r"(?P<b>[^\W\d]{3,10})[-/ ](?P<y>\d{4}|\d{2})"),
    "year-quarter": re.compile(r"(?P<y>\d{4})[- ]?[Qq](?P<q>[1-4])"),
    "quarter year": re.compile(r"[Qq](?P<q>[1-4])[-/ ]?(?P<y>\d{4})"),
    "year-week": re.compile(r"(?P<y>\d{4})-?W(?P<w>\d{1,2})"),
    "year": re.compile(r"(?P<y>(?:1[5-9]|20|21)\d{2})"),
    EXCEL: DAY,
    DECIMAL_YEAR: YEAR,
}
"""By what a person calls it."""


def _moment(found: dict[str, str | None]) -> datetime:
    if excel := found.get("e"):
        return moment_of_day(excel)
    if decimal := found.get("yf"):
        return moment_of_year(decimal)
    year = int(found["y"] or 0)
    year += (2000 if year < 70 else 1900) if len(found["y"] or "") == 2 else 0
    if found.get("w"):
        return datetime.fromisocalendar(year, int(found["w"] or 1), 1)
    month, days = int(found.get("m") or 1), 0
    if ordinal := found.get("j"):
        if not 1 <= int(ordinal) <= 366:
            raise ValueError("no day of a year")
        days = int(ordinal) - 1
    if name := found.get("b"):
        month = month_of(name) or 0
    elif quarter := found.get("q"):
        month = 3 * int(quarter) - 2
    clock = "" if found.get("H") else "0"  # behind the date, or before it
    hour, minute, second = (int(found.get(f"{part}{clock}") or 0) for part in "HMS")
    if (half := found.get("p")) and half[0] in "aApP":
        if not 1 <= hour <= 12:
            raise ValueError("no hour of half a day")
        hour = hour % 12 + 12 * (half[0] in "pP")
    elif hour == 24 and not minute:
        hour, days = 0, days + 1
    day = datetime(  # noqa: DTZ001  (as written: its zone is put behind it)
        year, month, int(found.get("d") or 1), hour, minute, second,
        int(((found.get("f") or "") + "000000")[:6]),
    )  # fmt: skip
    return day + timedelta(days=days)


def _with(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        found = pattern.fullmatch(text.strip())
        if found is None:
            raise ValueError("is another format")
        parts = found.groupdict()
        moment = _moment(parts)
        return moment.isoformat() + offset_of(parts.get("z"), moment)

    return read


_READERS = {name: _with(pattern) for name, pattern in _FORMS.items()}


@dataclass(frozen=True, slots=True)
class TimeForm:
    """How times are written.

    Parameters
    ----------
    name
        What a person calls it; a format of ``strptime`` where it holds a ``%``.
    written
        Whether they are passed on as written: ISO 8601, and numbers.
    zone
        The zone that is written beside them, ``""`` for none.
    doubt
        What could not be told from the first records, or None.
    until
        What stands between the start and the end where a cell holds both; the start counts.
    behind
        The zone that is put behind each: the name of the column writes it.
    """

    name: str
    written: bool = True
    zone: str = ""
    doubt: str | None = None
    until: str = ""
    behind: str = ""

    def read(self, text: str) -> str | None:
        """Return a time in ISO 8601, None where the text is none.

        Parameters
        ----------
        text
            As the input wrote it.
        """
        if self.until:
            text = text.partition(self.until)[0]
        try:
            if "%" in self.name:
                return datetime.strptime(text.strip(), self.name).isoformat() + self.behind  # noqa: DTZ007
            return _READERS[self.name](text) + self.behind
        except (ValueError, KeyError, OverflowError):
            return None


def seconds(text: str) -> float | None:
    """Return a time of ISO 8601 or a number in seconds since 1970, for comparisons; None where it is none.

    Parameters
    ----------
    text
        As :meth:`TimeForm.read` returns it, or the input wrote it.
    """
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _is_iso(text: str) -> bool:
    text = text.strip()
    if len(text) < 8 or text.isdecimal() or not text[:4].isdecimal() or "_" in text:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _steady(moments: Sequence[str]) -> float:
    """Return how many of the steps go one way, and how many are as long as the middle one, or nearly."""
    found = [at for at in map(seconds, moments) if at is not None]
    steps = [b - a for a, b in itertools.pairwise(found)]
    if not steps:
        return 0.0
    one_way = max(sum(s >= 0 for s in steps), sum(s <= 0 for s in steps)) / len(steps)
    middle = sorted(map(abs, steps))[len(steps) // 2]
    common = sum(0.9 * middle <= abs(step) <= 1.1 * middle for step in steps) / len(
        steps
    )  # months differ by three days
    return one_way + common


def day_first(form: TimeForm) -> TimeForm:
    """Return a form in which month and day cannot be told apart with the day first: where a semicolon stands between columns, it does.

    Parameters
    ----------
    form
        The form, with its doubt.
    """
    doubt = (form.doubt or "").replace("month first", "day first")
    return replace(form, name=form.name.replace("month/day", "day/month"), doubt=doubt)


def find_form(cells: Sequence[str], *, wanted: str | None = None, bare: bool = True) -> TimeForm | None:
    """Return how the times of a column are written, None where they are no times.

    Parameters
    ----------
    cells
        Cells that hold something.
    wanted
        A format of ``strptime``, which the user names.
    bare
        Whether numbers without a mark between year, month and day may be times: where the column's name says so.
    """
    if not cells:
        return None
    if wanted is not None:
        return TimeForm(wanted, written=False)
    enough = 0.9 * len(cells)
    for until in (" - ", " -- ", "/"):
        if all(cell.count(until) == 1 for cell in cells):
            form = find_form([cell.partition(until)[0] for cell in cells], bare=False)
            if form is not None and form.name not in ("year", "month-name year", "year month-name", "year-month"):
                name = "year-month-day" if form.name == "ISO 8601" else form.name
                return replace(form, name=name, written=False, until=until)
    plain = sum(map(_is_iso, cells))
    if plain >= enough and (plain == len(cells) or _others(cells, plain) is None):
        zoned = [cell.strip() for cell in cells if re.search(r"(?:[Zz]|[+-]\d\d:?\d\d)$", cell.strip()[10:])]
        zone = "" if len(zoned) < enough else "UTC" if zoned[0][-1] in "Zz" else zoned[0][-6:].lstrip("0123456789.: ")
        return TimeForm("ISO 8601", zone="UTC" if zone in ("+00:00", "+0000") else zone)
    numbers = [
        cell.strip().replace(",", ".") for cell in cells if re.fullmatch(r"\s*\d+(?:[.,]\d*)?(?:[eE]\+?\d+)?\s*", cell)
    ]
    if len(numbers) >= enough:
        if not bare:
            return None
        whole = [one.removesuffix(".0") for one in numbers if one.endswith(".0")]  # pandas, where a column has gaps
        if len(whole) < len(numbers):
            return _of_numbers([float(one) for one in numbers], numbers)
        form = _of_numbers(list(map(float, whole)), whole)
        return form if form is None or form.written else replace(form, until=".", written=False)
    return _others(cells, enough - 1e-9)


def _others(cells: Sequence[str], more: float) -> TimeForm | None:
    """Return how times are written that are not ISO 8601, where more than so many of them are."""
    fits: dict[str, list[str]] = {}
    for name in _READERS:
        form = TimeForm(name)
        if name in (EXCEL, DECIMAL_YEAR, "yymmdd") or (form.read(cells[0]) is None and form.read(cells[-1]) is None):
            continue
        found = [moment for moment in map(form.read, cells) if moment is not None]
        if len(found) > more:
            fits[name] = found
    return _best(fits, cells)


def _of_numbers(values: Sequence[float], texts: Sequence[str]) -> TimeForm | None:
    for unit, scale in _EPOCHS.items():
        if all(_FIRST <= value / scale <= _LAST for value in values) and min(values) > 1e8:
            if (
                len(texts[0]) in (8, 10, 12, 14)
                and scale == 1.0
                and all(_FORMS["yyyymmdd"].fullmatch(t) for t in texts)
            ):
                break
            return TimeForm("seconds since 1970" if scale == 1.0 else f"{unit} since 1970", zone="UTC")
    for name in ("yyyymmdd", "year and day of it"):
        if all(map(_reads(name), texts)):
            return TimeForm(name, written=False)
    if list(values) == sorted(values) and values[0] < values[-1] and all(map(_reads("yymmdd"), texts)):
        return TimeForm("yymmdd", written=False)
    if are_decimal_years(values, texts):
        return TimeForm(DECIMAL_YEAR, written=False)
    if are_days(values, texts):
        return TimeForm(EXCEL, written=False)
    if all(_FORMS["year"].fullmatch(text) for text in texts):
        return TimeForm("year", written=False)
    return None


def _reads(name: str) -> Callable[[str], bool]:
    form = TimeForm(name)
    return lambda text: form.read(text) is not None


def _best(fits: dict[str, list[str]], cells: Sequence[str]) -> TimeForm | None:
    doubt = None
    short = fits.pop("two-digit year-month-day", None)
    if short is not None:
        others = [_steady(found) for found in fits.values() if len(found) == len(short)]
        if not others or _steady(short) > max(others):
            fits = {"two-digit year-month-day": short}
    if {"day/month/year", "month/day/year"} <= set(fits):
        day, month = _steady(fits["day/month/year"]), _steady(fits["month/day/year"])
        american = any("m" in cell[-3:].lower() for cell in cells[:3])
        if "." in cells[0].split()[0] or (day > month and not american):
            del fits["month/day/year"]
        else:
            del fits["day/month/year"]
            if day == month and not american:
                doubt = "day and month cannot be told apart in the first records: month first is assumed; time_format says it"
    if not fits:
        return None
    name = max(fits, key=lambda one: (len(fits[one]), -list(_FORMS).index(one)))
    zoned = [one for one in fits[name] if one[19:] and one[-6] in "+-"]
    zone = "" if len(zoned) < len(fits[name]) else "UTC" if zoned[0].endswith("+00:00") else zoned[0][-6:]
    return TimeForm(name, written=False, zone=zone, doubt=doubt)
