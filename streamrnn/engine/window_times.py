"""Times of records as windows need them: in seconds whatever the unit, and back as the input writes them."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from streamrnn.scorers.times import seconds_of

__all__ = ["read_time", "written_like"]

MOST_TIME = 1e14
"""Seconds, three million years: what lies further away is no time, and its window would have no number."""

_EPOCHS = ((3.2e8, 4.2e9, 1.0), (3.2e11, 4.2e12, 1e3), (3.2e14, 4.2e15, 1e6), (3.2e17, 4.2e18, 1e9))
"""Numbers that are the years 1980 to 2100 in seconds, milli-, micro- and nanoseconds; any other is seconds as it is."""


def read_time(written: object) -> tuple[float, float]:
    """Return a record's time in seconds, NaN where it is none, and how many of its units make a second, as its size says.

    Parameters
    ----------
    written
        As the input wrote it.

    Examples
    --------
    >>> from streamrnn.engine.window_times import read_time
    >>> read_time(1704067200000), read_time("1970-01-01T00:01Z"), read_time(17)
    ((1704067200.0, 1000.0), (60.0, 1.0), (17.0, 1.0))
    """
    when = seconds_of(written)
    scale = next((scale for low, high, scale in _EPOCHS if low <= when <= high), 1.0)
    return when / scale if abs(when) <= MOST_TIME * scale else math.nan, scale


def written_like(written: object, when: float, scale: float) -> str | float:
    """Return a moment as the input writes times: a number in its unit, or ISO 8601 in its zone.

    Parameters
    ----------
    written
        A time of the input.
    when
        The moment, in seconds.
    scale
        How many of the input's units make a second.

    Examples
    --------
    >>> from streamrnn.engine.window_times import written_like
    >>> written_like("2024-03-04T00:05:12Z", 1709510700.0, 1.0), written_like(1709510712000, 1709510700.0, 1e3)
    ('2024-03-04T00:05:00Z', 1709510700000.0)
    """
    if not isinstance(written, str):
        return when * scale
    try:
        zone = datetime.fromisoformat(written.strip()).tzinfo
        moment = datetime.fromtimestamp(when, UTC)
        text = (moment if zone is None else moment.astimezone(zone)).isoformat()
    except (ValueError, OverflowError):  # a number in a text; or the window begins before the year 1
        return when * scale
    if zone is None:
        return text.removesuffix("+00:00")
    return text.removesuffix("+00:00") + "Z" if "Z" in written.upper() else text
