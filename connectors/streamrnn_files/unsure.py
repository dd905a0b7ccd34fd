"""What numbers may be instead of measurements, where what they hold says so and their names do not: said, and watched all the same."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from streamrnn_files.cells import show
from streamrnn_files.contents import FEWEST, by_one, whole_numbers
from streamrnn_files.numerals import Numerals, values_of
from streamrnn_files.ordering import moments_of
from streamrnn_files.timing import Timing

__all__ = ["listed", "may_be_codes", "may_be_flags", "may_be_numbers", "may_be_series"]

SHOWN = 3
"""Columns that are named in a sentence."""

_CODES = 40
"""Records that show that few numbers come again."""

_LEVELS = 8
"""Different numbers that are few."""

_DIGITS = 5
"""Of a number that is rather one of something, where all have as many and none comes twice."""

_APART = 0.9
"""The share of a column's variance that lies between groups of records, from where on they are series."""


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


def _beside_others(found: Sequence[str], features: Sequence[str], why: str) -> list[str]:
    """Say so of columns, where others are left to be watched."""
    return [_instead(found, why)] if 0 < len(found) < len(features) else []


def may_be_codes(features: Sequence[str], shown: Mapping[str, Sequence[str]]) -> list[str]:
    """Say which columns hold a few whole numbers that jump among each other: kinds and states of something do, amounts go from one to the next.

    Parameters
    ----------
    features
        The columns to watch.
    shown
        Cells of the first records that hold something, by column.
    """
    found = [name for name in features if _jumps(whole_numbers(shown[name]))]
    return _beside_others(found, features, "few whole numbers, which may be codes")


def _jumps(numbers: Sequence[int] | None) -> bool:
    if numbers is None or len(numbers) < _CODES or not 3 <= len(set(numbers)) <= _LEVELS:
        return False
    levels = sorted(set(numbers))
    wide = [b - a for a, b in itertools.pairwise(levels)]
    return max(wide) > 3 * min(wide) and levels[0] >= 0


def may_be_flags(features: Sequence[str], whole: Mapping[str, Sequence[str]], timing: Timing) -> list[str]:
    """Say which columns of 0 and 1 change at midnight alone: holidays and days of work do.

    Parameters
    ----------
    features
        The columns to watch.
    whole
        All cells of the first records, by column.
    timing
        Which columns say when.
    """
    flags = [name for name in features if {cell.strip() for cell in whole[name]} == {"0", "1"}]
    days = [(moment or "")[:10] for moment in (moments_of(timing, whole) if flags else ())]
    if not 1 < len(set(days)) <= len(days) / _LEVELS:
        return []
    found = [name for name in flags if len(set(zip(days, whole[name], strict=True))) == len(set(days))]
    return _beside_others(found, features, "0 and 1, changing at midnight alone, as holidays do")


def may_be_numbers(features: Sequence[str], shown: Mapping[str, Sequence[str]]) -> list[str]:
    """Say which columns hold whole numbers that may number something: none comes twice, and they rise with each record or have as many digits.

    Parameters
    ----------
    features
        The columns to watch.
    shown
        Cells of the first records that hold something, by column.
    """
    found = [name for name in features if _numbers_something(shown[name])]
    alone = len(found) == len(features) and bool(found) and _at_random(shown[found[0]])
    why = "whole numbers of which none comes twice, which may number something"
    return [_instead(found, why)] if alone else _beside_others(found, features, why)


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


def may_be_series(
    header: Sequence[str],
    features: Sequence[str],
    whole: Mapping[str, Sequence[str]],
    sure: Mapping[str, Numerals],
) -> list[str]:
    """Say which column of texts tells the levels of what is watched apart, where there is no key.

    Parameters
    ----------
    header
        Every column, in order.
    features
        The columns to watch.
    whole
        All cells of the first records, by column.
    sure
        How the numbers of each column are written.
    """
    texts = [
        name
        for name in header
        if name not in features and _are_kinds(whole[name]) and whole_numbers(whole[name]) is None
    ]
    for some in (*((name,) for name in texts), *itertools.combinations(texts[:_LEVELS], 2)):
        cells = list(map(", ".join, zip(*(whole[name] for name in some), strict=True)))
        if _are_kinds(cells) and any(_apart(cells, whole[one], sure[one]) for one in features[:_LEVELS] if one in sure):
            key = " + ".join(some)
            return [f"{show(key)} tells levels of what is watched apart: is each a series? (--key '{key}' if so)"]
    return []


def _are_kinds(cells: Sequence[str]) -> bool:
    """Whether a few texts come again and again."""
    return 1 < len(set(cells)) <= len(cells) / FEWEST and all(map(str.strip, cells))


def _apart(kinds: Sequence[str], cells: Sequence[str], numerals: Numerals) -> bool:
    """Whether the kinds of records explain nearly all of the variance of their numbers, and numbers change within each."""
    values = values_of(cells, numerals)
    if len(values) != len(cells):
        return False
    groups: dict[str, list[float]] = {}
    for kind, value in zip(kinds, values, strict=True):
        groups.setdefault(kind, []).append(value)
    mean = sum(values) / len(values)
    total = sum((value - mean) ** 2 for value in values)
    within = sum(sum((value - sum(one) / len(one)) ** 2 for value in one) for one in groups.values())
    changes = sum(a != b for a, b in itertools.pairwise(kinds))
    return 0 < within < (1 - _APART) * total and changes > 2 * len(groups)
