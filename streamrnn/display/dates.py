"""Times of the input as dates on an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["date_axis", "date_of", "dates_of"]

_DATES: dict[str, Any] = {  # each tick readable by itself: day and month, or hour and day where the day begins
    "formats": ["%Y", "%b %Y", "%d %b", "%H:%M", "%H:%M", "%S.%f"],
    "zero_formats": ["", "%Y", "%d %b", "%d %b", "%H:%M", "%H:%M"],
    "offset_formats": ["", "", "%Y", "%Y", "%d %b %Y", "%d %b %Y %H:%M"],
}


def _number(text: object) -> float | None:
    try:
        return float(text) if isinstance(text, str | float | int) else None
    except ValueError:
        return None


def date_of(text: object) -> datetime | None:
    """Return a time of the input, in UTC where it names a zone; None where it is none.

    Parameters
    ----------
    text
        As the input wrote it: ISO 8601, or a number of seconds since 1970, or of milli-, micro- or nanoseconds.

    Examples
    --------
    >>> from streamrnn.display.dates import date_of
    >>> str(date_of("2022-03-20T01:00+01:00")), date_of("soon")
    ('2022-03-20 00:00:00', None)
    """
    try:
        number = _number(text)
        if number is None and isinstance(text, str):
            found = datetime.fromisoformat(text)
            return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
        if number is not None and math.isfinite(number):
            # Seconds, or the milli-, micro- or nanoseconds that give a year we live in.
            scale = next((s for s in (1.0, 1e3, 1e6, 1e9) if abs(number) / s < 1e10), 1e9)
            return datetime.fromtimestamp(number / scale, UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def dates_of(times: Sequence[object]) -> Any:
    """Return times of the input as an array of dates that never runs backward; None where they are none.

    Parameters
    ----------
    times
        As the input wrote them.

    Examples
    --------
    >>> from streamrnn.display.dates import dates_of
    >>> str(dates_of(["2022-03-20T01:00:00"])[0]), dates_of([None])
    ('2022-03-20T01:00:00.000000', None)
    """
    found = [date_of(t) for t in times]
    if any(t is None for t in found) or any(b < a for a, b in pairwise(found)):  # type: ignore[operator]
        return None
    return np.array(found, dtype="datetime64[us]")


def date_axis(ax: Axes) -> None:
    """Write dates below an axis, as short as they may be.

    Parameters
    ----------
    ax
        Whose x is dates.
    """
    import matplotlib.dates as mdates  # noqa: PLC0415

    locator = mdates.AutoDateLocator(minticks=5, maxticks=11)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator, **_DATES))  # type: ignore[no-untyped-call]
