"""What is read, but may be meant otherwise: said, with the option that reads it so."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from streamrnn_files.calendar_columns import NO_YEAR
from streamrnn_files.cells import is_number, show
from streamrnn_files.clocks import CLOCK
from streamrnn_files.dialect_rows import FAR, far_off, like_data
from streamrnn_files.keys import key_columns
from streamrnn_files.meanings import NAMELESS, STILL, is_time_name
from streamrnn_files.moments import seconds
from streamrnn_files.numerals import Numerals, looks_like_none, values_of
from streamrnn_files.options import SourceOptions
from streamrnn_files.quantities import is_quantity_name
from streamrnn_files.timing import Timing
from streamrnn_files.unsure import (
    SHOWN,
    listed,
    may_be_none,
    may_be_none_measured,
    may_be_one_of_several,
    may_be_places,
    may_be_series,
)

__all__ = ["doubts_of"]

FEW, LARGE = 4, 1000
"""How many whole numbers from where on are as likely those of something."""

_AT_REST = frozenset((0.0, 1.0, 100.0))
"""What a switch, a sum or a share says while nothing happens."""

FEWEST = 8
"""Records that show that moments come again."""

HARDLY = 3
"""Rows that are hardly a table where nothing says what they are."""

ABOVE = 20
"""Records at most that texts stand in alone, and the table below them, several times as long."""

MANY = 400
"""Records that are not all."""

SHARE = 0.2
"""Of the first records, whose moment another one has too, that is worth a word."""

_DIGIT = re.compile(r"\d")
_MOMENT = re.compile(r"\d{1,2}:\d{2}|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|(?:19|20)\d{2}")
"""What a cell holds that says when."""

_NINES = re.compile(r"(?<!\S)(?:-?[1-9]?9{2,}[.,9]*|-200|-8888)[.,]?0*(?!\S)")
"""A cell that may hold a number for no value."""


def doubts_of(
    options: SourceOptions,
    header: Sequence[str],
    features: Sequence[str],
    whole: Mapping[str, Sequence[str]],
    shown: Mapping[str, Sequence[str]],
    sure: Mapping[str, Numerals],
    moments: Sequence[str | None],
    *,
    text: bool,
    timing: Timing,
    key: str | None,
    ended: bool,
) -> list[str]:
    """Return what is in doubt, a sentence each, with the option in brackets.

    Parameters
    ----------
    options
        What the user asks for.
    header
        Every column, in order.
    features
        The columns to watch.
    whole
        All cells of the first records, by column.
    shown
        Cells of the first records that hold something, by column.
    sure
        How the numbers of each column are written.
    moments
        The time of each record, as it was read; () where there is none.
    text
        Whether values are texts.
    timing
        Which columns say when.
    key
        The column of the key, or None.
    ended
        Whether the first records are all there are.
    """
    apart = key is not None or options.key == ""
    found = []
    if timing.name is None and options.time != "":
        found = _clocks(header, shown) or _unread([name for name in header if name not in features], shown)
    if timing.name is not None and timing.form is None and not timing.parts and options.time_format is None:
        found += _as_written(timing.name, shown.get(timing.name, ()))
    if timing.parts and "year" not in timing.parts:
        found.append(f"no year is written: {NO_YEAR} is assumed (--time '' counts records)")
    if text and options.header is None:
        found += _names(header) or _first_row(whole, features)
    if text and options.skip is None:
        found += _above(features, whole, shown, sure)
        found += _few(header, len(next(iter(whole.values()), ()))) if ended and timing.name is None else []
    found += [] if apart else _again(_written(timing, whole))
    if options.missing is None:
        found += _no_values(features, shown, sure)
    if not options.columns:
        same = _same(features, shown, sure)
        found += _say_same(same, features, len(next(iter(whole.values()), ())))
        found += may_be_none_measured(features, whole, shown, sure, moments, _of_keys(key, whole), same)
        found += may_be_places(features, shown, sure)
        found += may_be_none(key, features, whole, sure, moments) if key is not None and options.key is None else []
        others = [name for name in header if name not in timing.columns]
        found += [] if apart else may_be_series(others, features, whole, sure, moments)
        more = not ended and len(next(iter(whole.values()), ())) >= MANY
        found += may_be_one_of_several(others, whole, features) if more and not apart else []
    return found


def _of_keys(key: str | None, whole: Mapping[str, Sequence[str]]) -> list[Mapping[str, Sequence[str]]]:
    """Return the cells of each key's records, by column."""
    columns = key_columns(key, list(whole))
    places: dict[tuple[str, ...], list[int]] = {}
    for place, cells in enumerate(zip(*(whole[name] for name in columns), strict=True)):
        places.setdefault(cells, []).append(place)
    return [{name: [cells[i] for i in some] for name, cells in whole.items()} for some in places.values()]


def _names(header: Sequence[str]) -> list[str]:
    """Say that names are numbers, where at least half of them are."""
    numbers = [name for name in header if like_data(name)]
    if 2 * len(numbers) < len(header) or not numbers:
        return []
    return [f"names are numbers ({', '.join(map(show, numbers[:SHOWN]))}): is the first row data? (--no-header)"]


def _clocks(header: Sequence[str], shown: Mapping[str, Sequence[str]]) -> list[str]:
    """Say that a column holds clocks, but none holds their date."""
    found = [
        name for name in header if shown[name] and all(map(CLOCK.fullmatch, shown[name])) and ":" in shown[name][0]
    ]
    return [f"{listed(found[:1])} holds clocks without a date: records are counted"] if found else []


def _unread(names: Sequence[str], shown: Mapping[str, Sequence[str]]) -> list[str]:
    """Say that a column of texts may hold times, where none is read: each holds a clock or a date, or its name says when and each holds digits."""
    for name in names:
        cells = shown[name]
        looks = _DIGIT if is_time_name(name) else _MOMENT
        if 2 * len(set(cells)) <= len(cells) or sum(map(is_number, cells)) > 0:
            continue
        if cells and all(map(looks.search, cells)):
            column = show(name)
            return [
                f"{column} ({show(cells[0])}) may hold times, in a form that is not known: records are counted (--time {column} if so)"
            ]
    return []


def _as_written(name: str, cells: Sequence[str]) -> list[str]:
    """Say that the times of records are not read as moments."""
    if not cells or 2 * sum(seconds(cell) is not None for cell in cells) >= len(cells):
        return []
    return [
        f"{show(name)} ({show(cells[0])}) is not read as moments: records are taken in order (--time-format FORMAT says how it is written)"
    ]


def _written(timing: Timing, whole: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the times of records as they are written, joined; ``""`` where one is missing."""
    cells = [whole[name] for name in timing.columns if name in whole]
    return (
        list(cells[0])
        if len(cells) == 1
        else ["".join(parts) if all(parts) else "" for parts in zip(*cells, strict=True)]
    )


def _again(moments: Sequence[str]) -> list[str]:
    """Say that moments come again, where nothing tells their records apart."""
    known = [moment for moment in moments if moment]
    again = len(known) - len(set(known))
    if len(known) < FEWEST or again < SHARE * len(known):
        return []
    return [
        f"{again} of the first {len(known)} records have a time that one before them has (--key COLUMN where it holds several series)"
    ]


def _no_values(features: Sequence[str], shown: Mapping[str, Sequence[str]], sure: Mapping[str, Numerals]) -> list[str]:
    """Say that numbers look like marks for no value, where too few others show that they are."""
    held: dict[str, list[str]] = {}
    taken = {f"{mark:.10g}" for name in features if name in sure for mark in sure[name].sentinels}
    for name in features:
        cells = shown.get(name, ())
        if name not in sure or _NINES.search(" ".join(cells)) is None:
            continue
        values = values_of(cells, sure[name])
        marks = {value for value in set(values) if looks_like_none(value)}
        if len(marks) != 1 or 2 * len(values) < len(cells):
            continue
        mark = marks.pop()
        most = max((abs(value) for value in values if value != mark), default=0.0)
        if abs(mark) > FAR * most:
            held.setdefault(f"{mark:.10g}", []).append(name)
    if not held:
        return []
    said = [f"{mark} in {listed(names)}" for mark, names in held.items()]
    asked = ",".join(sorted(taken | set(held)))
    return [f"{'; '.join(said)} may stand for no value (--missing {asked} if so)"]


def _same(features: Sequence[str], shown: Mapping[str, Sequence[str]], sure: Mapping[str, Numerals]) -> list[str]:
    """Return which columns hold the same number in all records, or one of few large ones: settings, heights, limits and numbers of something do."""
    same = []
    for name in features:
        few = set(shown[name]) if len(shown[name]) >= STILL else set()
        held = values_of(sorted(few), sure[name]) if 0 < len(few) <= FEW else []
        if (
            len(few) == 1 and not (_AT_REST.intersection(held) and (NAMELESS.fullmatch(name) or is_quantity_name(name)))
        ) or (held and min(held) >= LARGE and all(value == int(value) for value in held)):
            same.append(name)
    return same


def _say_same(same: Sequence[str], features: Sequence[str], records: int) -> list[str]:
    """Say so of some of several columns."""
    if not same or len(same) == len(features):
        return []
    return [
        f"{listed(same)} {'holds' if len(same) == 1 else 'hold'} one number, or few large ones, in the first {records} records (--column NAME for what is to be watched instead)"
    ]


def _above(
    features: Sequence[str],
    whole: Mapping[str, Sequence[str]],
    shown: Mapping[str, Sequence[str]],
    sure: Mapping[str, Numerals],
) -> list[str]:
    """Say that all watched columns hold texts in some of the first records, and numbers alone below them."""
    places = set()
    for name in features:
        cells = whole[name][: 4 * ABOVE] if name in sure else ()
        held = set(shown[name])  # without marks for no value
        odd = [i for i, cell in enumerate(cells) if cell.strip() and cell in held and not values_of([cell], sure[name])]
        if not odd or 4 * (odd[-1] + 1) > len(cells):
            return []
        places.add(odd[-1] + 1)
    if len(places) != 1 or min(places) > ABOVE:
        return []
    return [f"texts stand in the first {min(places)} records alone: are these remarks above the table? (--skip N)"]


def _few(header: Sequence[str], count: int) -> list[str]:
    """Say that hardly a row was found, where nothing names its columns and none says when."""
    if count > HARDLY or not all(map(NAMELESS.fullmatch, header)):
        return []
    return [f"{count} rows without names or times are all that was read as a table: is it one? (--skip N)"]


def _first_row(whole: Mapping[str, Sequence[str]], features: Sequence[str]) -> list[str]:
    """Say that the first row is unlike those below it, where it has no names: codes or numbers that name columns."""
    rows = list(map(list, zip(*(whole[name] for name in features), strict=True)))
    if len(rows) <= FEWEST or not all(map(NAMELESS.fullmatch, features)):
        return []
    first, *others = rows
    if 2 * far_off(first, others) < len(features):
        return []
    return ["the first row is far from those below it: does it name them? (--header)"]
