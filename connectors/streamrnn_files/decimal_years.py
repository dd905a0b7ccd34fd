"""Years with a fraction for the day, as sea levels and sunspots are written."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

__all__ = ["DECIMAL_YEAR", "YEAR", "are_decimal_years", "moment_of_year"]

DECIMAL_YEAR = "year with a fraction"
"""What a person calls it."""

YEAR = re.compile(r"(?P<yf>(?:1[6-9]|20|21)\d\d(?:[.,]\d+)?)")


def moment_of_year(text: str) -> datetime:
    """Return the moment that a year with a fraction says, in whole seconds.

    Parameters
    ----------
    text
        The year, with whatever decimal mark.
    """
    year, _, fraction = text.replace(",", ".").partition(".")
    begin, end = datetime(int(year), 1, 1), datetime(int(year) + 1, 1, 1)  # noqa: DTZ001  (as written)
    return begin + timedelta(seconds=round((end - begin).total_seconds() * float(f"0.{fraction}")))


def are_decimal_years(values: Sequence[float], texts: Sequence[str]) -> bool:
    """Whether numbers are years with a fraction: they go up by a day, some days or some months, which seconds do not.

    Parameters
    ----------
    values
        The numbers.
    texts
        As they are written.
    """
    if len(values) < 4 or not all(map(YEAR.fullmatch, texts)) or all(map(str.isdecimal, texts)):
        return False
    steps = sorted(b - a for a, b in itertools.pairwise(values))
    middle = steps[len(steps) // 2]
    whole = [(unit, round(unit * middle)) for unit in (12, 365.25)]
    return steps[0] > 0 and any(
        1 <= count <= 31 and abs(unit * middle - count) <= 0.03 * count for unit, count in whole
    )
