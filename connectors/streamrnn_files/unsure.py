"""What numbers may be instead of measurements, where what they hold says so and their names do not: said, and watched all the same."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence

from streamrnn_files.cells import show
from streamrnn_files.contents import FEWEST, by_one, whole_numbers
from streamrnn_files.keys import joined, key_columns
from streamrnn_files.meanings import NAMELESS, ends_with_id, in_stretches, is_key_name
from streamrnn_files.numerals import PLAIN, Numerals, values_of
from streamrnn_files.ordering import times_of
from streamrnn_files.paces import are_kinds, are_mixed, at_own_pace, begins_again, levels_apart
from streamrnn_files.quantities import is_quantity_name

__all__ = ["listed", "may_be_none", "may_be_none_measured", "may_be_one_of_several", "may_be_places", "may_be_series"]

SHOWN = 3
"""Columns that are named in a sentence."""

_CODES = 40
"""Records that show that few numbers come again."""

_LEVELS = 8
"""Different numbers that are few."""

_DIGITS = 5
"""Of a number that is rather one of something, where all have as many and none comes twice."""

_FEW_DIGITS = 3
"""More digits than that have numbers of something, where they are without order."""

_WIDE = 2
"""How many times the smallest is the largest of numbers that are spread over all that have as many digits."""

_DEGREES = 180
"""The largest longitude."""

_DECIMALS = 3
"""At least, of degrees."""

_NEAR = 0.01
"""How long a way is at most, as a share of its degrees."""

_CODE = re.compile(r"(?=[\w-]*\d)(?=[\w-]*[A-Z])[A-Z\d_-]{4,20}")
"""What names one of several things: capital letters and digits."""

_NOISE = 1.5
"""The squares of steps, over those of distances from the mean, from where on numbers are without order: 2 where the next one is any."""

_SMOOTH = 0.5
"""The same, up to where numbers go from one to the next as measurements do."""

_MOST, _SELDOM = 0.8, 0.02
"""Shares of steps that rise, and that may fall."""

_RISES = 3
"""Steps that rise, where none falls and numbers began far above nothing."""


def listed(names: Sequence[str]) -> str:
    """Return the first of several names, as a sentence lists them.

    Parameters
    ----------
    names
        Of columns.
    """
    return ", ".join(map(show, names[:SHOWN])) + (" and others" if len(names) > SHOWN else "")


def _instead(found: Sequence[str], why: str) -> str:
    return f"{listed(found)}: {why} (--column NAME for what is to be watched instead)"


def may_be_none_measured(
    features: Sequence[str],
    whole: Mapping[str, Sequence[str]],
    shown: Mapping[str, Sequence[str]],
    sure: Mapping[str, Numerals],
    moments: Sequence[str | None],
    keyed: Sequence[Mapping[str, Sequence[str]]],
    said: Sequence[str],
) -> list[str]:
    """Say which columns hold whole numbers that may stand for something: kinds, states, flags of days, numbers of something, or nobody knows what; of a column one thing is said.

    Parameters
    ----------
    features
        The columns to watch.
    whole
        All cells of the first records, by column.
    shown
        Those that hold something.
    sure
        How the numbers of each column are written.
    moments
        The time of each record, as it was read.
    keyed
        All cells of each key's records, by column; () where there is no key.
    said
        Of which columns something is said already.
    """
    left = [name for name in features if name not in said]
    sentences = []

    def say(found: Sequence[str], why: str, *, alone: bool = False) -> None:
        if alone or 0 < len(found) < len(features):
            sentences.append(_instead(found, why))
            left[:] = [name for name in left if name not in found]

    daily = _of_days(left, whole, moments)
    few = [name for name in left if name not in daily and _are_few(name, shown[name], sure.get(name, PLAIN))]
    say(few, "few whole numbers, which may be codes or flags")
    say(daily, "few whole numbers, changing at midnight alone, as flags of days do")
    found = [name for name in left if _numbers_something(shown[name])]
    alone = len(found) == len(features) and bool(found) and _at_random(shown[found[0]])
    say(found, "whole numbers of which none comes twice, which may number something", alone=alone)
    left[:] = [name for name in left if not is_quantity_name(name)]
    say(
        [name for name in left if _without_order(shown[name])],
        "whole numbers of as many digits without order, which may number something",
    )
    rising = [name for name in left if _rises([shown[name]]) or _rises([cells[name] for cells in keyed])]
    first = show(rising[0]) if rising else ""
    say(rising, f"rising, so that it may count (--counter {first} if so) or number something")
    named = [name for name in left if not NAMELESS.fullmatch(name) and whole_numbers(shown[name]) is not None]
    series = {name: [cells[name] for cells in keyed] or [shown[name]] for name in named}
    say(
        [name for name, held in series.items() if not all(map(_is_smooth, held))],
        "whole numbers whose name does not say of what they are",
    )
    return sentences


def _of_days(features: Sequence[str], whole: Mapping[str, Sequence[str]], moments: Sequence[str | None]) -> list[str]:
    """Return the columns of few whole numbers that are the same in all records of a day: holidays, days of work and colours of tariffs are."""
    flags = [
        name for name in features if 2 <= len(set(whole[name])) <= _LEVELS and whole_numbers(whole[name]) is not None
    ]
    days = [(moment or "")[:10] for moment in (moments if flags else ())]
    if not 1 < len(set(days)) <= len(days) / _LEVELS:
        return []
    return [name for name in flags if len(set(zip(days, whole[name], strict=True))) == len(set(days))]


def _are_few(name: str, cells: Sequence[str], numerals: Numerals) -> bool:
    numbers = whole_numbers(cells)
    if numbers is None or len(numbers) < _CODES or not 2 <= len(set(numbers)) <= _LEVELS or min(numbers) < -1:
        return False
    levels = sorted(set(numbers))
    wide = [b - a for a, b in itertools.pairwise(levels)]
    if len(levels) > 2 and max(wide) > 3 * min(wide) and levels[0] >= 0:
        return True
    smooth = len(levels) > 3 and max(abs(b - a) for a, b in itertools.pairwise(numbers)) <= 1
    return not smooth and numerals.unit == ("", "") and not is_quantity_name(name)


def _without_order(cells: Sequence[str]) -> bool:
    """Whether whole numbers have as many digits, and are as far from the one before as from any other: postal codes, numbers of customers."""
    numbers = whole_numbers(cells)
    if numbers is None or len(numbers) < _CODES or len({len(cell.strip()) for cell in cells}) > 1:
        return False
    if min(numbers) < 10**_FEW_DIGITS or max(numbers) < _WIDE * min(numbers) or len(set(numbers)) < _LEVELS:
        return False
    mean = sum(numbers) / len(numbers)
    steps = sum((b - a) ** 2 for a, b in itertools.pairwise(numbers))
    return steps > _NOISE * sum((number - mean) ** 2 for number in numbers)


def _rises(series: Sequence[Sequence[str]]) -> bool:
    """Whether the whole numbers of one or several series never fall, or nearly so, and rise with most records; with few, where they began far above nothing."""
    held = [whole_numbers(cells) for cells in series]
    found = [numbers for numbers in held if numbers]
    numbers = [number for one in found for number in one]
    if len(found) < len(series) or len(numbers) < _CODES:
        return False
    steps = [b - a for one in found for a, b in itertools.pairwise(one)]
    up, down = (sum(step * sign > 0 for step in steps) for sign in (1, -1))
    few, most = sorted((up, down))
    far = min(numbers) >= max(10**_FEW_DIGITS, max(numbers) - min(numbers))
    return (few <= _SELDOM * len(steps) and most >= _MOST * len(steps)) or (far and few == 0 and most >= _RISES)


def _is_smooth(cells: Sequence[str]) -> bool:
    """Whether numbers go from one to the next, or to below nothing, as measurements do, or are no whole numbers, or too few to tell; each in one stretch are no measurements."""
    numbers = whole_numbers(cells)
    if numbers is None or len(numbers) < FEWEST or len(set(numbers)) == 1 or min(numbers) < -1:
        return True
    mean = sum(numbers) / len(numbers)
    steps = sum((b - a) ** 2 for a, b in itertools.pairwise(numbers))
    return not in_stretches(numbers) and steps <= _SMOOTH * sum((number - mean) ** 2 for number in numbers)


def _at_random(cells: Sequence[str]) -> bool:
    """Whether whole numbers go up and down over most of their range, as codes of transactions do."""
    numbers = whole_numbers(cells) or [0]
    return len(numbers) >= FEWEST and sorted(numbers) not in (numbers, numbers[::-1])


def _numbers_something(cells: Sequence[str]) -> bool:
    if len(cells) < FEWEST or len(set(cells)) < len(cells):
        return False
    if by_one(cells):
        return True
    if not all(cell.strip().isdecimal() for cell in cells):
        return False
    numbers = list(map(int, cells))
    steps = [b - a for a, b in itertools.pairwise(numbers)]
    if min(steps) > 0 and (2 * steps.count(1) > len(steps) or numbers[0] >= 10 ** (_DIGITS - 1)):
        return True
    if len(set(map(len, map(str, numbers)))) > 1 or numbers[0] < 10**_DIGITS:
        return False
    return min(steps) > 0 or max(steps) < 0 or max(numbers) - min(numbers) > 100 * len(numbers)


def may_be_places(
    features: Sequence[str], shown: Mapping[str, Sequence[str]], sure: Mapping[str, Numerals]
) -> list[str]:
    """Say which two columns without names, one beside the other, may be degrees of latitude and longitude: both have many decimals, and stay where they are.

    Parameters
    ----------
    features
        The columns to watch.
    shown
        Cells of the first records that hold something, by column.
    sure
        How the numbers of each column are written.
    """
    near = [name for name in features if NAMELESS.fullmatch(name) and name in sure and _stays(shown[name], sure[name])]
    for one, other in itertools.pairwise(near):
        if int(other[1:]) == int(one[1:]) + 1:
            return [
                f"{show(one)} and {show(other)} may be the latitude and the longitude of a place (--column NAME for what is to be watched instead)"
            ]
    return []


def _stays(cells: Sequence[str], numerals: Numerals) -> bool:
    """Whether numbers with many decimals are as near to one another as degrees of a way."""
    values = values_of(cells, numerals)
    if len(values) < len(cells) or len(values) < FEWEST or not max(map(abs, values)) <= _DEGREES:
        return False
    long = sum(len(cell.strip().partition(numerals.decimal)[2]) >= _DECIMALS for cell in cells)
    wide, far = max(values) - min(values), abs(sum(values)) / len(values)
    return 2 * long >= len(cells) and 0 < wide <= _NEAR * far and far >= 1


def may_be_series(
    header: Sequence[str],
    features: Sequence[str],
    whole: Mapping[str, Sequence[str]],
    sure: Mapping[str, Numerals],
    moments: Sequence[str | None],
) -> list[str]:
    """Say which column tells the levels of what is watched apart, or has a pace of its own for each value, where there is no key.

    Parameters
    ----------
    header
        Every column but those of the time, in order.
    features
        The columns to watch.
    whole
        All cells of the first records, by column.
    sure
        How the numbers of each column are written.
    moments
        The time of each record, as it was read.
    """
    kinds = [name for name in header if are_kinds(whole[name])]
    texts = [name for name in kinds if name not in features and whole_numbers(whole[name]) is None]
    numbers = [name for name in kinds if name not in texts and len(set(whole[name])) > 2 and whole_numbers(whole[name])]
    times = times_of(moments)
    for some in (*((name,) for name in (*texts, *numbers)), *itertools.combinations(texts[:_LEVELS], 2)):
        cells = list(map(", ".join, zip(*(whole[name] for name in some), strict=True)))
        if not are_kinds(cells):
            continue
        key = " + ".join(some)
        others = [one for one in features[:_LEVELS] if one in sure and one not in some]
        apart = [levels_apart(cells, whole[one], sure[one]) for one in others]
        if any(apart) if some[0] in texts else apart and all(apart):
            return [f"{show(key)} tells levels of what is watched apart: is each a series? (--key '{key}' if so)"]
        if len(times) == len(cells) and others and at_own_pace(cells, times):
            return [f"{show(key)} has a pace of its own for each value: is each a series? (--key '{key}' if so)"]
    return []


def may_be_one_of_several(
    header: Sequence[str], whole: Mapping[str, Sequence[str]], features: Sequence[str]
) -> list[str]:
    """Say which column of texts holds the same letters and digits in all of the first records, where there are more: a code, of one series of several.

    Parameters
    ----------
    header
        Every column but those of the time, in order.
    whole
        All cells of the first records, by column.
    features
        The columns to watch.
    """
    for name in header:
        held = set(whole[name]) if name not in features else set()
        if len(held) == 1 and _CODE.fullmatch(next(iter(held)).strip()):
            column = show(name)
            return [
                f"{column} holds one code in the first {len(whole[name])} records: is it of one series of several? (--key {column} if so)"
            ]
    return []


def may_be_none(
    key: str,
    features: Sequence[str],
    whole: Mapping[str, Sequence[str]],
    sure: Mapping[str, Numerals],
    moments: Sequence[str | None],
) -> list[str]:
    """Say that nothing but its name makes a key of a column: no moment is one of several of its values, or goes back with the next one, and its values have neither a level nor a pace of their own.

    Parameters
    ----------
    key
        The column of the key.
    features
        The columns to watch.
    whole
        All cells of the first records, by column.
    sure
        How the numbers of each column are written.
    moments
        The time of each record, as it was read.
    """
    columns = key_columns(key, list(whole))
    kinds = list(map(joined, zip(*(whole[name] for name in columns), strict=True)))
    times = times_of(moments)
    if len(set(kinds)) < 2 or len(times) < len(kinds) or begins_again(kinds, times):
        return []
    if len(set(zip(times, kinds, strict=True))) > len(set(times)):  # one moment of several keys
        return []
    if (is_key_name(key) or ends_with_id(key)) and are_mixed(kinds):
        return []
    if are_kinds(kinds) and (
        at_own_pace(kinds, times) or any(levels_apart(kinds, whole[one], sure[one]) for one in features if one in sure)
    ):
        return []
    return [f"nothing but its name says that {show(key)} tells series apart (--key '' for none)"]
