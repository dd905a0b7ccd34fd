"""The weekly times of maintenance."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import ParameterError
from streamrnn.models._features import to_float, to_seconds
from streamrnn.models._frames import Table

__all__ = ["Maintenance", "Windows", "is_windows"]

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY_MINUTES: Final = 24 * 60
_DAY: Final = "|".join(DAYS)
_WINDOW: Final = re.compile(
    rf"(?:({_DAY})(?:-({_DAY}))?|daily) +(\d\d):(\d\d)-(\d\d):(\d\d)(?: +([A-Za-z][\w+/-]*))?", re.ASCII
)


def _parsed(text: Any) -> tuple[list[tuple[int, int]], dt.tzinfo] | None:
    """Return the minutes of a week that a text names, each from and to, and the zone they are of; None where it is none."""
    found = _WINDOW.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        return None
    first, last, *clock, zone = found.groups()
    hours, minutes = [int(one) for one in clock[::2]], [int(one) for one in clock[1::2]]
    start, end = (60 * hour + minute for hour, minute in zip(hours, minutes, strict=True))
    if start >= DAY_MINUTES or end > DAY_MINUTES or max(minutes) > 59 or start == end:
        return None
    begins = 0 if first is None else DAYS.index(first)
    ends = len(DAYS) - 1 if first is None else DAYS.index(last or first)
    days = [(begins + i) % 7 for i in range((ends - begins) % 7 + 1)]
    try:
        known: dt.tzinfo = dt.UTC if zone is None else ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        return None
    longer = end + (DAY_MINUTES if end < start else 0)  # past midnight
    return [(DAY_MINUTES * day + start, DAY_MINUTES * day + longer) for day in days], known


def is_windows(given: Any) -> bool:
    """Tell whether a value is a list of weekly times.

    Parameters
    ----------
    given
        Anything.

    Examples
    --------
    >>> from streamrnn.models._maintenance import is_windows
    >>> is_windows(["Sun 02:00-04:00", "Mon-Fri 22:30-00:30 Europe/Berlin", "daily 12:00-12:05"]), is_windows(["Sun"])
    (True, False)
    """
    given = [given] if isinstance(given, str) else given
    return isinstance(given, list | tuple) and len(given) > 0 and all(_parsed(one) is not None for one in given)


class Maintenance:
    """When a maintenance is: told by a column, by weekly times, or never.

    Parameters
    ----------
    given
        The name of a column, weekly times, or None.

    Examples
    --------
    >>> from streamrnn.models._maintenance import Maintenance
    >>> Maintenance("in_service").column, Maintenance("Sun 02:00-04:00").column
    ('in_service', None)
    """

    def __init__(self, given: Any) -> None:
        times = is_windows(given)
        self.column = None if times else given
        self.windows = Windows([given] if isinstance(given, str) else given) if times else None
        self.idle = self.column is None and self.windows is None

    def holds(self, x: Mapping[Any, Any], time: Any) -> bool:
        """Tell whether an event is one of a maintenance.

        Parameters
        ----------
        x
            Its features by name.
        time
            Which of them is the time.
        """
        if self.windows is not None:
            return self.windows.holds(to_seconds(time, x.get(time)))
        return self.column is not None and _is_on(to_float(self.column, x.get(self.column)))

    def hold(self, table: Table, time: Any) -> NDArray[np.bool_]:
        """Tell of each row whether it is one of a maintenance.

        Parameters
        ----------
        table
            The rows.
        time
            Which of their columns is the time.
        """
        name = time if self.windows is not None else self.column
        if name is None or name not in table.names:
            return np.zeros(len(table.values), bool)
        values = table.values[:, table.names.index(name)]
        return self.windows.hold(values) if self.windows is not None else _is_on(values)


def _is_on(value: Any) -> Any:
    """Tell whether a column says that a maintenance is: any number but 0; a missing one says nothing."""
    return (value != 0.0) & (value == value)  # noqa: PLR0124  NaN


class Windows:
    """Weekly times, each in a zone of its own: clocks that are set forward and back are followed.

    Parameters
    ----------
    texts
        Such as ``"Sun 02:00-04:00"`` or ``"Mon-Fri 22:30-00:30 Europe/Berlin"``; without a zone they are of UTC. A day is that of the beginning.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.models._maintenance import Windows
    >>> sunday = 3 * 86400  # 4 January 1970
    >>> times = np.array([sunday + 2 * 3600, sunday + 4 * 3600, np.nan])
    >>> Windows(["Sun 02:00-04:00"]).hold(times).tolist()
    [True, False, False]
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._windows = []
        for text in texts:
            found = _parsed(text)
            if found is None:
                raise ParameterError(f"A time of maintenance must be as 'Sun 02:00-04:00'. Got {text!r} instead.")
            self._windows.append(found)

    def holds(self, seconds: float) -> bool:
        """Tell whether a time lies in one of them.

        Parameters
        ----------
        seconds
            Since 1970; NaN lies in none.
        """
        if not abs(seconds) < 2e11:  # the years that a date can have
            return False
        for stretches, zone in self._windows:
            when = dt.datetime.fromtimestamp(math.floor(seconds), zone)
            minute = DAY_MINUTES * when.weekday() + 60 * when.hour + when.minute
            if any(start <= minute < end or start <= minute + 7 * DAY_MINUTES < end for start, end in stretches):
                return True
        return False

    def hold(self, seconds: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell of each time whether it lies in one of them.

        Parameters
        ----------
        seconds
            float64, shape (n,): since 1970, NaN for none.
        """
        return np.fromiter(map(self.holds, seconds.tolist()), bool, len(seconds))
