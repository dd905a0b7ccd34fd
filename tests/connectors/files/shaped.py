"""What the files of public shapes are made of: a case with what a person would say of it, rows, values, numbers as countries write them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

N = 72
FIRST = datetime(2024, 3, 4, tzinfo=UTC)
EPOCH = int(FIRST.timestamp())
HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Case:
    """A file, and what a person would say of it.

    ``times`` are the first and the last one in UTC, None where there is none; ``maybe`` are columns that may be watched or not;
    ``value`` is the first value of the first column.
    """

    file: str
    text: str | bytes
    columns: tuple[str, ...]
    time: str | tuple[str | None, ...] | None
    times: tuple[str, str] | None
    key: str | None = None
    events: int = N
    value: float | None = None
    maybe: tuple[str, ...] = ()
    dead: int = 0


def rows(
    row: Callable[[int, datetime], str],
    step: timedelta = HOUR,
    head: str = "",
    foot: str = "",
    n: int = N,
    end: str = "\n",
    first: datetime = FIRST,
) -> str:
    """A head, a row for each moment, a foot."""
    return head + "".join(row(i, first + i * step) + end for i in range(n)) + foot


def x(i: int) -> float:
    """A measurement: around 20."""
    return round(20 + 5 * math.sin(i / 4) + math.sin(i * i), 2)


def v(i: int) -> str:
    """The same with two digits."""
    return f"{x(i):.2f}"


def y(i: int) -> float:
    """Another one: around 1250."""
    return round(1250 + 300 * math.cos(i / 5) + 20 * math.cos(i * i), 1)


def de(number: float, digits: int = 2) -> str:
    """A number as Germans write it."""
    return f"{number:,.{digits}f}".replace(",", "_").replace(".", ",").replace("_", ".")


def span(step: timedelta = HOUR, n: int = N, first: datetime = FIRST) -> tuple[str, str]:
    """The first and the last moment."""
    return first.isoformat(), (first + (n - 1) * step).isoformat()
