"""Which column says what series a record belongs to."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from streamrnn_files.meanings import (
    NAMELESS,
    ends_with_id,
    is_area_name,
    is_calendar_name,
    is_id_name,
    is_key_name,
    is_part_of_machine,
    is_series_name,
    is_time_name,
    no_measurement,
)
from streamrnn_files.moments import find_form
from streamrnn_files.numerals import Numerals, values_of
from streamrnn_files.options import SourceOptions
from streamrnn_files.ordering import is_steady, times_of
from streamrnn_files.paces import are_kinds, begins_again, in_rounds, tells_series
from streamrnn_files.timing import Timing

__all__ = ["find_key", "joined", "key_columns"]

_STATES = frozenset(
    [
        "on",
        "off",
        "true",
        "false",
        "yes",
        "no",
        "open",
        "closed",
        "running",
        "stopped",
        "active",
        "inactive",
        "ok",
        "fault",
        "error",
        "normal",
        "alarm",
        "idle",
        "manual",
        "auto",
        "t",
        "f",
        "y",
        "n",
    ]
)
"""What a pump is, and not which one."""

_FEW_DIGITS = 3
"""Of a number that is the same in all records, and names no series among many."""

MOST = 8
"""Columns that are tried two by two, and by three."""

SPARSE = 3
"""How many times as many records as there are there would be if each series had one at each moment."""

ONCE = 0.75
"""Different values, of all records, that name series one behind the other, of which some have one record."""


def key_columns(key: str | None, header: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that make a key.

    Parameters
    ----------
    key
        What it is called: one column, or several with `` + `` between them; None for none.
    header
        Every column of a CSV, () for JSON Lines.
    """
    if key is None:
        return ()
    parts = tuple(key.split(" + "))
    return (key,) if key in header or len(parts) < 2 or not (set(parts) <= set(header) or not header) else parts


def joined(cells: Sequence[str]) -> str:
    """Return the key that the cells of several columns make.

    Parameters
    ----------
    cells
        Those of one record.
    """
    return ", ".join(cell for cell in cells if cell)


def find_key(
    options: SourceOptions,
    header: Sequence[str],
    whole: Mapping[str, Sequence[str]],
    shown: Mapping[str, Sequence[str]],
    timing: Timing,
    sure: Mapping[str, Numerals],
    moments: Sequence[str | None],
) -> str | None:
    """Return the column that says which series a record belongs to: where times come again for each, or its name says so.

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
    timing
        Which columns say when.
    sure
        How the numbers of each column are written.
    moments
        The time of each record, as it was read.
    """
    free = [name for name in header if name not in timing.columns and name not in options.columns and shown[name]]
    texts = [name for name in free if _is_text(name, shown[name][:100], sure[name])]
    named = [name for name in free if is_key_name(name) and (name in texts or _whole_numbers(shown[name]))]
    named = [name for name in named if not {cell.strip().lower() for cell in whole[name]} - {""} <= _STATES]
    named += [name for name in texts if ends_with_id(name) and name not in named]
    named.sort(key=lambda name: "unit" in name.lower())
    named = [name for name in named if 2 * len(shown[name]) >= len(whole[name])]
    n = len(moments)
    if n >= 4 and len(set(moments)) <= 0.75 * n:
        areas = list(filter(is_area_name, texts))
        fixed = [*filter(is_key_name, named), *(areas if len(areas) == 1 else ())]
        ids = [
            name for name in free if name not in texts and name not in named and _may_number(name, shown[name], moments)
        ]
        for name in sorted((*named, *texts, *ids), key=lambda one: ("unit" in one.lower(), not all(whole[one]))):
            values = whole[name]
            if _tells_apart(values, moments) and (name in named or _come_again(values, moments)):
                return _with_fixed((name,), fixed, header, whole)
        for name in filter(is_key_name, named):
            if name in texts and _one_by_one(whole[name], moments):
                return _with_fixed((name,), fixed, header, whole)
        together = _together([*named, *(name for name in (*texts, *ids) if name not in named)], whole, moments)
        if together is not None:
            return _with_fixed(together, fixed, header, whole)
        times = times_of(moments)
        for name in (*named, *texts, *ids) if len(times) == n else ():
            if _tells_apart(whole[name], moments) and in_rounds(whole[name], times):
                return _with_fixed((name,), fixed, header, whole)
    for name in named:
        distinct = len(set(whole[name]))
        if distinct == 1 and name not in texts and len(shown[name][0].strip()) < _FEW_DIGITS and not is_id_name(name):
            continue  # a channel, of which there is one
        if distinct <= max(1, n / 2) and not (is_steady(moments) and distinct > 1 and name not in texts):
            return name
    area = next(
        (name for name in texts if is_area_name(name) and _in_runs(whole[name], least=1 if moments else 2)), None
    )
    area = area or next((name for name in free if _numbers_runs(name, shown[name], whole[name], moments)), None)
    if area is not None:
        return area
    part = next((name for name in free if is_part_of_machine(name) and _in_rounds(whole[name])), None)
    if part is not None:
        return part
    numbers = [name for name in free if name not in texts and find_form(shown[name], bare=is_time_name(name)) is None]
    if texts and 1 < len(numbers) <= MOST:
        numbers = [
            name for name in numbers if no_measurement(name, values_of(shown[name], sure[name])) is None
        ] or numbers
    turns = _in_turns(texts, whole) if len(numbers) == 1 and n >= 4 else _runs(free, numbers, whole)
    return turns or _at_own_pace(texts, numbers, whole, sure, moments)


def _with_fixed(
    key: tuple[str, ...], named: Sequence[str], header: Sequence[str], whole: Mapping[str, Sequence[str]]
) -> str:
    """Return a key, with the columns named like one that are the same in all of the first records: later ones may be of another store or country."""
    fixed = [name for name in named if name not in key and len(set(whole[name])) == 1]
    return " + ".join(sorted((*key, *fixed), key=list(header).index))


def _numbers_runs(name: str, cells: Sequence[str], whole: Sequence[str], moments: Sequence[str | None]) -> bool:
    """Whether a column of whole numbers is named as one of ids or areas, and has several in a stretch each, with the time from the start again: that of a state goes on."""
    named = is_area_name(name) or ends_with_id(name)
    if not (named and len(set(whole)) > 1 and _whole_numbers(cells) and _in_runs(whole)):
        return False
    times = times_of(moments)
    return len(times) < len(whole) or begins_again(whole, times)


def _in_rounds(cells: Sequence[str]) -> bool:
    """Whether a few values come again and again in the same order."""
    count = len(set(cells))
    return 1 < count <= len(cells) / 4 and all(cell == cells[i % count] for i, cell in enumerate(cells))


def _in_runs(cells: Sequence[str], least: int = 1) -> bool:
    """Whether each of some values stands in one stretch."""
    changes = sum(a != b for a, b in itertools.pairwise(cells))
    return least <= len(set(cells)) and changes == len(set(cells)) - 1 <= len(cells) / 4


def _together(
    names: Sequence[str], whole: Mapping[str, Sequence[str]], moments: Sequence[str | None]
) -> tuple[str, ...] | None:
    """Return the two or three columns that tell records of the same moment apart together, None where none do."""
    n = len(moments)
    several = [name for name in names if 1 < len(set(whole[name])) <= n / 4][:MOST]
    for count in (2, 3):
        for some in itertools.combinations(several, count):
            cells = list(zip(*(whole[name] for name in some), strict=True))
            if _tells_apart(cells, moments) and _come_again(cells, moments):
                return some
    return next((some for some in itertools.combinations(several, 2) if _nested(some, whole, moments)), None)


def _tells_apart(values: Sequence[Any], moments: Sequence[str | None]) -> bool:
    """Whether values are fewer than records, and no two records of a moment have the same."""
    n = len(values)
    return 1 < len(set(values)) <= n / 2 and len(set(zip(moments, values, strict=True))) >= 0.98 * n


def _nested(names: Sequence[str], whole: Mapping[str, Sequence[str]], moments: Sequence[str | None]) -> bool:
    """Whether two columns make series that stand one behind the other, each with moments of its own: what was found in one sample after the other, of one machine after the other."""
    cells = list(zip(*(whole[name] for name in names), strict=True))
    if any(len(set(whole[name])) < 2 for name in names) or len(set(zip(moments, cells, strict=True))) < len(cells):
        return False
    changes = sum(a != b for a, b in itertools.pairwise(cells))
    return changes == len(set(cells)) - 1 and len(set(cells)) <= len(cells) / SPARSE


def _one_by_one(values: Sequence[str], moments: Sequence[str | None]) -> bool:
    """Whether most values stand in one stretch of records or in one record, and no two records of a moment have the same."""
    n = len(values)
    return (
        len(set(values)) <= ONCE * n
        and sum(a != b for a, b in itertools.pairwise(values)) == len(set(values)) - 1
        and len(set(zip(moments, values, strict=True))) == n
    )


def _come_again(values: Sequence[Any], moments: Sequence[str | None]) -> bool:
    """Whether each value has a record at every third moment: series do, whoever was paid on a day does not."""
    return len(set(values)) * len(set(moments)) <= SPARSE * len(values)


def _is_text(name: str, cells: Sequence[str], numerals: Numerals) -> bool:
    """Whether a column holds texts, and no times."""
    if 2 * len(values_of(cells, numerals)) >= len(cells):
        return False
    return not ("".join(cells[:1])[:1].isdigit() and find_form(cells, bare=is_time_name(name)) is not None)


def _may_number(name: str, cells: Sequence[str], moments: Sequence[str | None]) -> bool:
    """Whether whole numbers may be those of series: the name says so, or each comes once at each moment."""
    if is_id_name(name):
        return True
    if is_calendar_name(name):
        return False
    distinct = len(set(cells))
    return _whole_numbers(cells) and distinct > 1 and (distinct - 1) * len(set(moments)) <= 1.05 * len(moments)


def _in_turns(texts: Sequence[str], whole: Mapping[str, Sequence[str]]) -> str | None:
    """Return the column of texts that says what the only value of a record is: its name says so, or it is a path."""
    for name in texts:
        values = [cell.strip() for cell in whole[name]]
        distinct = set(values)
        paths = NAMELESS.fullmatch(name) and all(re.search(r"\w[/.]\w", one) for one in distinct)
        if 1 < len(distinct) <= len(values) / 4 and (paths or is_series_name(name)):
            return name
    return None


def _at_own_pace(
    texts: Sequence[str],
    numbers: Sequence[str],
    whole: Mapping[str, Sequence[str]],
    sure: Mapping[str, Numerals],
    moments: Sequence[str | None],
) -> str | None:
    """Return the column of texts, or of whole numbers, whose values are series beyond doubt by when and what they are."""
    few = [name for name in (*texts, *numbers) if are_kinds(whole[name])][:MOST]
    few = [name for name in few if not {cell.strip().lower() for cell in whole[name]} <= _STATES | {"0", "1"}]
    times = times_of(moments) if few else []
    if not times or len(times) < len(moments):
        return None
    for name in few:
        measured = [one for one in numbers if one != name][:MOST]
        if (
            (name in texts or _whole_numbers(whole[name]))
            and measured
            and tells_series(whole[name], times, measured, whole, sure)
        ):
            return name
    return None


def _runs(free: Sequence[str], numbers: Sequence[str], whole: Mapping[str, Sequence[str]]) -> str | None:
    """Return the first of two columns without names where the second one counts from one again for each value of the first."""
    if len(numbers) < 3 or list(free[:2]) != ["c0", "c1"] or list(numbers[:2]) != ["c0", "c1"]:
        return None
    unit, step = whole["c0"], whole["c1"]
    if not (_whole_numbers(unit) and _whole_numbers(step)) or int(step[0]) > 1 or len(unit) < 20:
        return None
    moves = [
        (int(u) != int(was), int(s), int(s) - int(before))
        for u, was, s, before in zip(unit[1:], unit, step[1:], step, strict=False)
    ]
    new = sum(other for other, _, _ in moves)
    fits = all((now == int(step[0])) if other else by == 1 for other, now, by in moves)
    return "c0" if fits and new < len(moves) / 4 else None


def _whole_numbers(cells: Sequence[str]) -> bool:
    return all(cell.strip().isdecimal() for cell in cells)
