"""Which columns are features, which one is the time, which one the key; and why the others are none of these."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from streamrnn.config import nearest
from streamrnn.errors import ConfigError, UnreadableError
from streamrnn.io import MARKS
from streamrnn_files.cells import is_number, show
from streamrnn_files.doubts import doubts_of
from streamrnn_files.keys import find_key, key_columns
from streamrnn_files.meanings import NAMELESS, STILL, is_time_name, no_measurement, of_influx
from streamrnn_files.moments import find_form
from streamrnn_files.numerals import (
    PLAIN,
    Numerals,
    decimal_mark,
    one_word,
    scales_of,
    sentinels_of,
    unit_of,
    values_of,
)
from streamrnn_files.options import SourceOptions
from streamrnn_files.ordering import moments_of
from streamrnn_files.redundant import are_times, ends_in_totals, holds_two, redundant, times_of_day
from streamrnn_files.timing import NO_TIME, Timing, find_timing

__all__ = ["Layout", "choose"]


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns by name.

    Parameters
    ----------
    header
        Every column of a CSV, in order; () for JSON Lines.
    features
        The columns to watch.
    time
        The column of the event's time, or None; columns with `` + `` between them where several make it.
    key
        The column of the event's key, or None; columns with `` + `` between them where several make it.
    epoch
        Whether times of a CSV are numbers.
    timing
        How times are written.
    numerals
        How the numbers of a feature are written, where they are not plain.
    left_out
        Why a column is not watched.
    notes
        What else was chosen, by what it is about.
    settled
        Whether more records of the same kind would leave the choice as it is.
    """

    header: tuple[str, ...]
    features: tuple[str, ...]
    time: str | None
    key: str | None
    epoch: bool = False
    timing: Timing = NO_TIME
    numerals: Mapping[str, Numerals] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)
    settled: bool = True

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that make the key."""
        return key_columns(self.key, self.header)

    @property
    def used(self) -> tuple[str, ...]:
        """Every column that is read."""
        times = self.timing.columns or ((self.time,) if self.time is not None else ())
        return (*self.features, *times, *self.keys)

    def numerals_of(self, name: str) -> Numerals:
        """Return how the numbers of a feature are written.

        Parameters
        ----------
        name
            The feature.
        """
        return self.numerals.get(name, PLAIN)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value.strip(_SEPARATORS)
    return "" if value is None else repr(value)


def _check_known(options: SourceOptions, known: Sequence[str]) -> None:
    asked = [("columns", name) for name in options.columns]
    times = [options.time] if options.time in known else (options.time or "").split(" + ")
    asked += [("time", name) for name in times if name]
    asked += [("key", name) for name in key_columns(options.key or None, known)]
    problems = [
        f"[source] {option}: {options.path!r} has no column {name!r}. {nearest(name, known)}"
        for option, name in asked
        if name not in known
    ]
    if problems:
        raise ConfigError(problems)


def choose(
    options: SourceOptions,
    header: Sequence[str],
    sample: Sequence[Mapping[str, Any]],
    *,
    text: bool,
    nameless: frozenset[str] = frozenset(),
    strict: bool = True,
    delimiter: str | None = None,
    counted: bool = False,
    ended: bool = False,
) -> Layout:
    """Choose the columns of an input.

    Parameters
    ----------
    options
        What the user asks for.
    header
        Every column, in order.
    sample
        The first records by column: texts of a CSV, values of JSON.
    text
        Whether values are texts.
    nameless
        Columns the header has no name for: features only when asked for.
    strict
        Whether a column that is not in ``header`` is an error: JSON Lines that are still growing may show it later.
    delimiter
        The character between two cells of a CSV.
    counted
        Whether records are counted: then no column need hold numbers, and none is watched that is not asked for.
    ended
        Whether the first records are all there are.

    Raises
    ------
    UnreadableError
        When no column holds numbers, and none is asked for.
    """
    if strict:
        _check_known(options, header)
    marks = MARKS | {mark.lower() for mark in options.missing or ()}
    whole = {name: [_text(row.get(name)) for row in sample] for name in header}
    shown = {
        name: [cell for cell in cells if cell.strip().lower() not in marks]
        for name, cells in whole.items()
    }  # fmt: skip
    timing = find_timing(options, header, whole, shown, day_is_first=delimiter == ";")
    quoted = delimiter if text else None
    decimal = options.decimal or (_decimal(header, shown, timing, quoted) if text else ".")
    sure = {name: _numerals(options, () if name in timing.columns else shown[name], decimal) for name in header}
    known = sorted({mark for one in sure.values() for mark in one.sentinels})
    if known and options.missing is None:
        sure = {name: _numerals(options, shown[name], decimal, known) for name in header}
    moments = moments_of(timing, whole)
    key = find_key(options, header, whole, shown, timing, sure, moments) if options.key is None else options.key or None
    left_out: dict[str, str] = {}
    features = tuple(options.columns)
    reasons: dict[str, str | None] = {}
    if not features and not counted:
        reasons = {name: _why_not(name, shown[name], sample, sure[name], nameless, text=text) for name in header}
        features, left_out = _measured(header, reasons, timing, key, whole, moments, nameless)
        if timing.name is None and are_times(features) and options.format != "csv":
            raise UnreadableError(_on_its_side(options, features))
    alone = timing.name is None and not options.columns and len(features) > 1 and not is_number(features[0])
    if alone and _is_axis(whole[features[0]], decimal):
        left_out[features[0]] = "goes one way with each record, as an axis does"
        features = features[1:]
    if not features and not counted:
        raise UnreadableError(_nothing(options, header, sample, left_out))
    if ended and text and ends_in_totals(timing, features, whole, sure):
        timing = replace(timing, totals=True)
    epoch = text and not timing.made and _are_numbers(shown.get(timing.name or "", ()))
    numerals = {name: sure[name] for name in features if name in sure and not sure[name].plain}
    notes = _notes(options, features, whole, decimal)
    doubts = doubts_of(
        options, header, features, whole, shown, sure, moments, text=text, timing=timing, key=key, ended=ended
    )
    doubts += _although(features, reasons)
    notes |= {"doubts": doubts} if doubts else {}
    settled = bool(options.columns) or all(shown[name] for name in header)
    return Layout(
        tuple(header) if text else (), tuple(features), timing.name, key, epoch, timing, numerals, left_out, notes, settled
    )  # fmt: skip


_SEPARATORS = "\x1c\x1d\x1e\x1f"
"""Blanks of a text, which are none of a number."""

AXIS = 5
"""Records without a time whose first numbers all go one way."""

RARE = 20
"""Of so many records one has a number in a column that is worth watching for its only one."""

DIGITS = 12
"""Of a number that is rather one of something than an amount, where it stays the same."""

_BY_NAME = ("a part of the calendar", "a running number", "a label", "a place", "nothing but ")


def _measured(
    header: Sequence[str],
    reasons: Mapping[str, str | None],
    timing: Timing,
    key: str | None,
    whole: Mapping[str, Sequence[str]],
    moments: Sequence[str | None],
    nameless: frozenset[str],
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the columns to watch, and why the others are not: by what they hold and are called, or because another one says the same."""
    kept = [name for name in header if name not in key_columns(key, header) and name not in timing.columns]
    left_out = {name: why for name in kept if (why := reasons[name])}
    left_out |= dict.fromkeys(of_influx(header) & set(kept), "added by InfluxDB")
    again = {
        name: why
        for name, why in redundant(timing, key, whole, moments).items()
        if name in kept and name not in left_out
    }
    if set(kept) - set(left_out) - set(again):  # rather twice than not at all
        left_out |= again
        steps = [whole[name] for name, why in left_out.items() if why == "a running number"]
        left_out |= {name: "a running number" for name in kept if name not in left_out and whole[name] in steps}
    features = tuple(name for name in kept if name not in left_out)
    if not features:  # better the columns that are no measurements by their names than none
        features = tuple(name for name in kept if name not in nameless and left_out[name].startswith(_BY_NAME))
    return features, {name: why for name, why in left_out.items() if name not in features}


def _although(features: Sequence[str], reasons: Mapping[str, str | None]) -> list[str]:
    """Say of the first column that is watched for want of a better one what it is."""
    name = next((name for name in features if reasons.get(name)), None)
    if name is None:
        return []
    return [
        f"{show(name)} is watched although it is {reasons[name]}: no other column holds numbers (--column NAME for what is to be watched instead)"
    ]


def _notes(
    options: SourceOptions, features: Sequence[str], whole: Mapping[str, Sequence[str]], decimal: str
) -> dict[str, Any]:
    """Return what else is to be said of the columns."""
    notes: dict[str, Any] = {"decimal": decimal} if decimal != "." else {}
    records = len(next(iter(whole.values()), ()))
    if records >= STILL and features and all(len(set(whole[name])) == 1 for name in features):
        notes["still"] = records
    if not options.columns and (times_of_day(features) or are_times(features)):
        notes["sideways"] = True
    return notes


def _nothing(
    options: SourceOptions, header: Sequence[str], sample: Sequence[Mapping[str, Any]], why: Mapping[str, str]
) -> str:
    found = ", ".join(repr(name) for name in header[:20]) or "none"
    said = "; ".join(f"{name!r}: {reason}" for name, reason in list(why.items())[:5])
    return (
        f"{options.path!r} has no column of numbers to watch in its first {len(sample)} records. Columns: {found}"
        f"{' (' + said + ')' if said else ''}. Name those to watch with the option 'columns', or count the records: "
        "every = '1m' (--every 1m)."
    )


def _on_its_side(options: SourceOptions, names: Sequence[str]) -> str:
    return (
        f"{options.path!r} has times for names of columns ({', '.join(map(repr, names[:3]))}, ...), so each row is a series. "
        "Turn it, a row for each time; or name the columns to watch with the option 'columns' "
        f"(--column {names[0]}), row by row."
    )


def _decimal(header: Sequence[str], shown: Mapping[str, Sequence[str]], timing: Timing, delimiter: str | None) -> str:
    cells = [cell for name in header if name not in timing.columns for cell in shown[name][:100]]
    return decimal_mark(cells, delimiter)


def _numerals(options: SourceOptions, cells: Sequence[str], decimal: str, known: Sequence[float] = ()) -> Numerals:
    """Return how the numbers of a column are written; ``known``: what stands for no value in another one."""
    missing = frozenset(mark.lower() for mark in options.missing or ())
    plain = Numerals(decimal, ("", ""), missing)
    unit: tuple[str, str] = ("", "")
    if cells and not all(map(is_number, cells[:20])):
        unit = unit_of(cells, decimal) or unit
    scales = scales_of(cells, decimal) if cells and unit == ("", "") and not all(map(is_number, cells)) else ()
    if scales:
        unit = ("", scales[-1][0].lstrip("numkKMGTµ").removeprefix("i"))
    found = Numerals(decimal, unit, missing, (), scales)
    if options.missing is not None:
        marks = tuple(float(mark) for mark in options.missing if is_number(mark))
    else:
        values = values_of(cells, found)
        marks = sentinels_of(values, known) if len(values) == len(cells) else ()
    return Numerals(decimal, unit, missing, marks, scales) if marks or scales or unit != ("", "") else plain


def _why_not(
    name: str,
    cells: Sequence[str],
    sample: Sequence[Mapping[str, Any]],
    numerals: Numerals,
    nameless: frozenset[str],
    *,
    text: bool,
) -> str | None:
    """Return why a column is not watched, None where it is."""
    if not cells:
        return f"empty in the first {len(sample)} records"
    if name in nameless:
        return "has no name"
    if not text and all(isinstance(row.get(name), bool | None) for row in sample):
        return "true or false"
    form = find_form(cells) if is_time_name(name) or NAMELESS.fullmatch(name) or _may_say_when(cells) else None
    if form is not None and (form.name != "year" or is_time_name(name)):
        return "another time"
    values = values_of(cells, replace(numerals, sentinels=()))
    if set(values) <= set(numerals.sentinels) and values:
        return f"holds nothing but {values[0]:g}"
    if text and holds_two(cells, numerals.decimal):
        return f"{show(cells[0])} holds two values"
    when = [cell for cell, value in zip(cells, values, strict=False) if value] if len(values) == len(cells) else []
    if AXIS <= len(when) < len(cells) and (form := find_form(when)) is not None and form.name.endswith("since 1970"):
        return "another time"
    if is_time_name(name) and len(set(values)) >= AXIS and values == sorted(values):
        return "another time"
    if 2 * len(values) < len(cells) and not one_word(cells, numerals):
        odd = next(cell for cell in cells if not values_of([cell], replace(numerals, sentinels=())))
        return f"{show(odd)} is text"
    if text and len(cells) > 1 and _with_leading_zeros(cells):
        return "an id: it is written with leading zeros"
    if text and len(cells) > 1 and len(cells[0]) >= DIGITS and _with_many_digits(cells):
        return "an id: it has many digits"
    if RARE * len(cells) < len(sample) and len(sample) >= 5 * RARE and len(set(values)) == 1:
        return f"nothing but {values[0]:g}, in {len(cells)} of the first {len(sample)} records"
    if NAMELESS.fullmatch(name) and len(cells) > 3 and len(set(values)) == 1 and values[0] not in (0.0, 1.0):
        return f"nothing but {values[0]:g}, and it has no name"
    return no_measurement(name, [value for value in values if value not in numerals.sentinels])


def _may_say_when(cells: Sequence[str]) -> bool:
    """Whether the first and the last cell hold a date and more than a number."""
    return all(
        re.search(r"\d[-/.:]\d+[-/.:]\d|\d{4}-\d\d", cell) and not is_number(cell) for cell in (cells[0], cells[-1])
    )


def _is_axis(cells: Sequence[str], decimal: str) -> bool:
    """Whether each of the numbers is larger than that before it, or each is smaller: an age, a distance, a frequency."""
    values = values_of(cells, Numerals(decimal))
    if len(values) < max(AXIS, len(cells)):
        return False
    steps = [b - a for a, b in itertools.pairwise(values)]
    return min(steps) > 0 or max(steps) < 0


def _with_leading_zeros(cells: Sequence[str]) -> bool:
    """Whether whole numbers are written with zeros before them, all in the same length: numbers of something, no amounts."""
    found = [cell.strip() for cell in cells]
    return (
        len(set(map(len, found))) == 1
        and any(one[:1] == "0" and len(one) > 1 for one in found)
        and all(re.fullmatch(r"\d+[A-Za-z]?", one) for one in found)
    )


def _with_many_digits(cells: Sequence[str]) -> bool:
    """Whether whole numbers have more digits than a measurement has, and all as many, and are few: numbers of meters, accounts, articles."""
    found = {cell.strip() for cell in cells}
    lengths = set(map(len, found))
    return (
        len(lengths) == 1 and min(lengths) >= DIGITS and len(found) <= len(cells) / 8 and all(map(str.isdecimal, found))
    )


def _are_numbers(cells: Sequence[str]) -> bool:
    """Whether times are numbers; what holds no digit is no time."""
    times = [cell for cell in cells if any(map(str.isdigit, cell))]
    return bool(times) and 2 * len(times) > len(cells) and all(map(is_number, times))
