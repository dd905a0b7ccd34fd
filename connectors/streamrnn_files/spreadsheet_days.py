"""Days as spreadsheets count them, with a fraction for the clock."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

__all__ = ["DAY", "EXCEL", "are_days", "moment_of_day"]

EXCEL = "days since 1900"
"""What a person calls it."""

DAY = re.compile(r"(?P<e>[2-6]\d{4}(?:[.,]\d+)?)")


def moment_of_day(text: str) -> datetime:
    """Return the moment of a day.

    Parameters
    ----------
    text
        The day, with whatever decimal mark.
    """
    milliseconds = round(float(text.replace(",", ".")) * 86400000)
    whole = round(milliseconds, -3)  # whole seconds where that is what a fraction with ten digits means
    return datetime(1899, 12, 30) + timedelta(milliseconds=whole if abs(whole - milliseconds) <= 5 else milliseconds)  # noqa: DTZ001  (as written)


def are_days(values: Sequence[float], texts: Sequence[str]) -> bool:
    """Whether numbers are days: they move on by days, or by fractions of one with many digits.

    Parameters
    ----------
    values
        The numbers.
    texts
        As they are written.
    """
    if len(values) < 4 or not all(map(DAY.fullmatch, texts)):
        return False
    steps = [b - a for a, b in itertools.pairwise(values)]
    if not (all(step >= 0 for step in steps) or all(step <= 0 for step in steps)) or not any(steps):
        return False
    fine = sum(len(re.split(r"[.,]", text)[-1]) >= 4 for text in texts if not text.isdecimal())
    return 2 * fine > len(texts) or (fine == 0 and all(map(str.isdecimal, texts)) and max(map(abs, steps)) <= 31)
