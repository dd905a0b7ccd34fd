"""Clocks in a column of their own, beside one of dates."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

__all__ = ["CLOCK", "CLOCK_NAME", "digits_of", "goes_round", "joint", "period_of", "turns"]

CLOCK = re.compile(
    r"\s*\d{1,2}(?:[:.hH]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?|:\d{1,2}:\d{1,2}|[时時]\d{1,2}分(?:\d{1,2}秒)?)\s*(?:[AaPp]\.?(?:[Mm]\.?)?)?\s*"
)
CLOCK_NAME = re.compile(
    r"\W*(?:.*time.*|hh_?mm(?:_?ss)?|hrmn|clock|uhrzeit|hour_?min(?:ute)?|hour|heure|hora\b.*|[ecmpajkn][sd]t|cet|cest|utc|gmt|lst)\W*",
    re.IGNORECASE,
)
"""What a column is called whose digits may be a clock without a mark between hours and minutes."""


_FEWEST = 12
"""Clocks that show that numbers with a point are such."""

_LONE = re.compile(r"(?<=:)\d(?!\d)")
"""Minutes or seconds that are written with one digit: 7:5:0."""

_ZONE = re.compile(r"\s*(?:UTC|GMT|Z)\s*$")


def _colons(clock: str, digits: int = 0) -> str:
    clock = _ZONE.sub("", clock.strip())
    if digits < 0 and clock.isdecimal():  # a period of so many minutes
        return "{:02}:{:02}".format(*divmod((int(clock) - 1) * -digits, 60))
    if digits and clock.isdecimal():
        clock = clock.zfill(digits)
        return ":".join(clock[i : i + 2] for i in range(0, digits, 2))
    if clock[-1:] in ("分", "秒"):
        clock = re.sub(r"[时時分](?=\d)", ":", clock[:-1])
    return re.sub(r"[.hH]", ":", clock, count=2) if ":" not in clock else _LONE.sub(r"0\g<0>", clock)


def joint(day: str, clock: str, digits: int) -> str:
    """Return a date and a clock as one text: both of digits alone, or both with marks between them.

    Parameters
    ----------
    day
        The date.
    clock
        The clock.
    digits
        What :func:`digits_of` returned of the clocks; below zero where they number periods of so many minutes.
    """
    day, clock = day.strip(), _colons(clock, digits)
    return f"{day} {clock.zfill(2) if day.isdecimal() else clock}" if clock else day


def digits_of(cells: Sequence[str]) -> int:
    """Return how many digits clocks without a mark between hours and minutes have: 4 or 6, 0 where they are none.

    Parameters
    ----------
    cells
        Those of a column that hold something.
    """
    held = [_ZONE.sub("", cell.strip()) for cell in cells]
    if not held or not all(map(str.isdecimal, held)):
        return 0
    numbers = [int(cell) for cell in held]
    for digits, most in ((4, 2400), (6, 240000)):
        fits = max(map(len, held)) <= digits and 10 ** (digits - 2) <= max(numbers) <= most
        if fits and all(number % 100 < 60 and number // 100 % 100 < 60 for number in numbers):
            return digits
    return 0


def period_of(cells: Sequence[str]) -> int:
    """Return how many minutes the periods of a day have that a column numbers from one on, below zero; 0 where it does not.

    Parameters
    ----------
    cells
        Those of a column that hold something.
    """
    if not cells or not all(cell.strip().isdecimal() for cell in cells):
        return 0
    numbers = [int(cell) for cell in cells]
    return (
        0
        if min(numbers) < 1 or max(numbers) > 100
        else -60
        if max(numbers) <= 25
        else -30
        if max(numbers) <= 50
        else -15
    )


def goes_round(cells: Sequence[str]) -> bool:
    """Whether cells like 7.30 are clocks: nearly all go on by the same step, and begin again with a new day.

    Parameters
    ----------
    cells
        Those of a column that hold something.
    """
    held = [cell.strip().partition(".") for cell in cells]
    if not all(hour.isdecimal() and minute.isdecimal() and len(minute) == 2 for hour, _, minute in held):
        return False
    times = [60 * int(hour) + int(minute) for hour, _, minute in held]
    if len(times) < _FEWEST or max(times) >= 1440 or any(int(minute) > 59 for _, _, minute in held):
        return False
    steps = [(b - a) % 1440 for a, b in itertools.pairwise(times)]
    common = max(set(steps), key=steps.count)
    return 0 < common <= 720 and steps.count(common) >= 0.9 * len(steps)


def turns(cells: Sequence[str]) -> bool:
    """Whether cells count the hours of days: each is one more than that before it, or begins again.

    Parameters
    ----------
    cells
        Those of a column that hold something.
    """
    if len(cells) < 24 or not all(cell.strip().isdecimal() for cell in cells):
        return False
    hours = [int(cell) for cell in cells]
    return all(b == a + 1 or (b < 2 and a > 22) for a, b in itertools.pairwise(hours))
