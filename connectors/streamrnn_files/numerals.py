"""How a column writes its numbers: decimal mark, thousands, unit, and what stands for no value."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from streamrnn.io import MARKS, signed
from streamrnn_files.cells import CellError, show

__all__ = [
    "Numerals",
    "decimal_mark",
    "looks_like_none",
    "one_word",
    "scales_of",
    "sentinels_of",
    "unit_of",
    "values_of",
]

_INFINITE = frozenset(("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"))
_SENTINEL = re.compile(r"-[1-9]?9+(?:\.9+)?|-200|-8888|9{3,}\.9+|9{4,}")
"""Numbers that stand for "no value" where they stand far away from all others: nothing but nines, -7999, -999.99."""

_LEAST, _MOST = -8.0, 999.0
"""Between these there is none."""

_ROUND = -200
"""A number as any other where values may be below zero."""

_GAPS = " '\u00a0\u2019\u202f"
_CURRENCY = frozenset("€$£¥")
_UNIT = re.compile(
    r"^((?:[A-Z]{1,3})?[€$£¥]|(?:EUR|USD|GBP|CHF|JPY|CNY|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|BRL|INR|MXN|TRY|RUB|ZAR)(?=\s)|)\s*([-+]?[\d][\d.,'\u2019\u00a0\u202f ]*(?:[eE][-+]?\d+)?)(?!(?<=\.)[^\W\d])\s*([^\d\s.,'+\-:/=][^:,;=]{0,11}|/[A-Za-z]{1,4})?$"
)
_DIGITS = re.compile(r"(?<=[^\W\d])[234](?![\d.])|(?<!\d)10+(?!\d)")
"""Digits that a unit may hold: m3, L/100km."""

_POINT_GROUPS = re.compile(rf"[-+]?\d{{1,3}}(?:[,{_GAPS}]\d{{3}})+(\.\d*)?")
_COMMA_GROUPS = re.compile(rf"[-+]?\d{{1,3}}(?:[.{_GAPS}]\d{{3}})+(,\d*)?")
_GROUP_MARKS = {".": re.compile(f"[,{_GAPS}]"), ",": re.compile(f"[.{_GAPS}]")}
_COMMA_NUMBER = re.compile(r"[-+]?(?:\d+,?\d*|,\d+)(?:[eE][-+]?\d+)?")


_PREFIXES = {"": 1.0, "n": 1e-9, "µ": 1e-6, "u": 1e-6, "m": 1e-3, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_PREFIXES |= {f"{letter}i": 1024.0**power for power, letter in enumerate("KMGT", 1)}
_PREFIXED = re.compile(r"([numkKMGTµ]i?)?(W|Wh|B|b|Bytes?|bits?|bps|b/s|B/s|Hz|V|A|s|Pa|g|J|Ω|ops/s|req/s|iops)?")
"""Units that are written with and without a prefix in one column: as a panel shows what it has scaled."""


def _signed(text: str) -> tuple[float, str]:
    """Return the sign of an amount as accountants and others write it, and the amount: (1.50), 1.50-, -$1.50, with a long minus."""
    text = text.replace("\u2212", "-")
    if text[:1] == "(" and text[-1:] == ")":
        return -1.0, text[1:-1].strip()
    if text[-1:] == "-" and text[:1].isdigit():
        return -1.0, text[:-1].rstrip()
    if text[:1] == "-" and text[1:2] in _CURRENCY:
        return -1.0, text[1:]
    return 1.0, text


@dataclass(frozen=True, slots=True)
class Numerals:
    """How the numbers of a column are written.

    Parameters
    ----------
    decimal
        The decimal mark, ``"."`` or ``","``.
    unit
        What stands before and behind each number; left out.
    missing
        Further texts, in lower case, that stand for "no value".
    sentinels
        Numbers that stand for "no value".
    scales
        What each of several units behind the numbers is times the unit that is said: kW and W.
    """

    decimal: str = "."
    unit: tuple[str, str] = ("", "")
    missing: frozenset[str] = frozenset()
    sentinels: tuple[float, ...] = ()
    scales: tuple[tuple[str, float], ...] = ()

    @property
    def plain(self) -> bool:
        """Whether the column is read as any other CSV's."""
        return self == PLAIN

    def read(self, text: str) -> float:
        """Return the number that a cell holds, NaN where it stands for no value. Infinity is a number here.

        Parameters
        ----------
        text
            The cell, with or without spaces around it.

        Raises
        ------
        CellError
            When it is neither.
        """
        text = text.strip()
        if self.decimal == "." and not self.missing and text.isascii() and "_" not in text:
            try:  # nearly every cell is just a number
                value = float(text)
            except ValueError:
                value = math.nan
            if math.isfinite(value):
                return math.nan if value in self.sentinels else signed(value, text)
        lower = text.lower()
        if lower in MARKS or lower in self.missing:
            return math.nan
        sign, bare = _signed(text)
        before, behind = self.unit
        scale = sign
        if before and bare.startswith(before):
            bare = bare[len(before) :].lstrip()
        for unit, times in self.scales:
            if bare.endswith(unit):
                bare, behind, scale = bare[: -len(unit)].rstrip(), "", sign * times
                break
        if behind and bare.endswith(behind):
            bare = bare[: -len(behind)].rstrip()
        value = self._number(bare, text)
        value = value if scale == 1.0 else value * scale
        return math.nan if value in self.sentinels else value

    def _number(self, bare: str, text: str) -> float:
        groups = _POINT_GROUPS if self.decimal == "." else _COMMA_GROUPS
        if groups.fullmatch(bare):
            bare = _GROUP_MARKS[self.decimal].sub("", bare).replace(",", ".")
        elif self.decimal == "," and "," in bare and _COMMA_NUMBER.fullmatch(bare):
            bare = bare.replace(",", ".")
        elif self.decimal == "," and "." in bare:
            raise CellError(f"{show(text)} has a point, and the decimal mark is a comma")
        bare = bare.rstrip("*#\u2020") if bare[:1] not in "*#\u2020" else bare  # an estimate, by its footnote
        try:
            value = float(bare)
        except ValueError:
            raise CellError(f"{show(text)} is not a number") from None
        if "_" in bare or not bare.isascii():
            raise CellError(f"{show(text)} is not a number")
        if math.isinf(value) and bare.lower() not in _INFINITE:
            raise CellError(f"{show(text)} is not a finite number")
        return signed(value, bare)


PLAIN = Numerals()


def decimal_mark(cells: Sequence[str], delimiter: str | None) -> str:
    """Return the decimal mark that cells of a file are written with: ``","`` where they say so, else ``"."``.

    Parameters
    ----------
    cells
        Cells of any columns.
    delimiter
        The character between two cells: ``1,234`` is a thousand where that is a comma, else as likely not.
    """
    points = commas = unsure = 0
    for cell in cells:
        found = _UNIT.match(_signed(cell.strip())[1])
        if found is None:
            continue
        number = found.group(2).strip()
        point, comma = number.rfind("."), number.rfind(",")
        if point >= 0 and comma >= 0:
            commas, points = commas + (comma > point), points + (point > comma)
        elif comma >= 0:
            if _POINT_GROUPS.fullmatch(number) and not number.startswith(("0,", "-0,")):
                points, unsure = points + (number.count(",") > 1), unsure + (number.count(",") == 1)
            else:
                commas += 1
        elif point >= 0 and number.count(".") == 1:
            points += not _COMMA_GROUPS.fullmatch(number)
    if commas == points == 0:
        return "," if unsure and delimiter != "," else "."
    return "," if commas > points else "."


def unit_of(cells: Sequence[str], decimal: str) -> tuple[str, str] | None:
    """Return what stands before and behind the numbers of a column; None where the cells do not agree.

    Parameters
    ----------
    cells
        Cells that hold something.
    decimal
        The decimal mark.
    """
    plain = Numerals(decimal)
    counted: Counter[tuple[str, str]] = Counter()
    for cell in cells:
        try:
            plain.read(cell)
        except CellError:
            found = _UNIT.match(_signed(cell.strip())[1])
            if found is not None:
                counted[found.group(1), (found.group(3) or "").strip()] += 1
        else:
            counted["", ""] += 1
    common = counted.most_common(1)
    if not common or common[0][1] < 0.9 * sum(counted.values()):
        return None
    unit = common[0][0]
    return None if any(map(str.isdecimal, _DIGITS.sub("", unit[1]))) or unit[1].count(" ") > 1 else unit


def one_word(cells: Sequence[str], numerals: Numerals) -> bool:
    """Whether a column of numbers holds the same word wherever it has no number: what its instrument says then.

    Parameters
    ----------
    cells
        Cells that hold something.
    numerals
        How its numbers are written.
    """
    odd = set()
    values = set()
    for cell in cells:
        try:
            values.add(numerals.read(cell))
        except CellError:
            odd.add(cell.strip())
            if len(odd) > 1:
                return False
    return len(values) >= 3 and all(len(word) <= 12 and not any(map(str.isdigit, word)) for word in odd)


def scales_of(cells: Sequence[str], decimal: str) -> tuple[tuple[str, float], ...]:
    """Return what the units behind the numbers of a column are times the plain one, the longest first; () where they do not differ so.

    Parameters
    ----------
    cells
        Cells that hold something.
    decimal
        The decimal mark.
    """
    plain = Numerals(decimal)
    found: dict[str, float] = {}
    bases = set()
    for cell in cells:
        match = _UNIT.match(cell.strip())
        prefix = (
            _PREFIXED.fullmatch((match.group(3) or "").strip()) if match is not None and not match.group(1) else None
        )
        if match is None or prefix is None:
            if values_of([cell], plain) != [0.0]:
                return ()
            continue
        unit = prefix.group(0)
        known = _PREFIXES.get(prefix.group(1) or "")
        if known is None:
            return ()
        found[unit] = known
        bases.add(prefix.group(2) or "")
    if len(found) < 2 or len(bases) > 1:
        return ()
    return tuple((unit, found[unit]) for unit in sorted(found, key=len, reverse=True) if unit)


def looks_like_none(value: float) -> bool:
    """Whether a number is one of those that stand for "no value": nothing but nines, -7999, -999.99.

    Parameters
    ----------
    value
        The number.
    """
    return not _LEAST < value < _MOST and _SENTINEL.fullmatch(f"{value:.10g}") is not None


def sentinels_of(values: Sequence[float], known: Sequence[float] = ()) -> tuple[float, ...]:
    """Return which of the usual numbers for "no value" a column holds: more than once, and far away from all others.

    Parameters
    ----------
    values
        Numbers of a column; NaN where one is missing.
    known
        Those that another column of the file holds: outside of all others is far enough.
    """
    counted = Counter(values)
    found = sorted(mark for mark, times in counted.items() if times > 1 and looks_like_none(mark))
    others = [value for value in values if math.isfinite(value) and value not in found]
    if not found or len(others) < 8:
        return tuple(mark for mark in found if mark in known and not others)
    low, high = min(others), max(others)
    far = max(0.5 * (high - low), 1e-9 * max(abs(low), abs(high)))
    return tuple(
        mark
        for mark in found
        if mark in known or mark != _ROUND or low >= 0
        if not low - (far if mark not in known else 0) <= mark <= high + (far if mark not in known else 0)
    )


def values_of(cells: Sequence[str], numerals: Numerals) -> list[float]:
    """Return the numbers that cells hold, without what cannot be read or stands for no value.

    Parameters
    ----------
    cells
        Of a column.
    numerals
        How its numbers are written.
    """
    found = []
    for cell in cells:
        try:
            value = numerals.read(cell)
        except CellError:
            continue
        if not math.isnan(value):
            found.append(value)
    return found
