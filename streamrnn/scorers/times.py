"""The time of events as a column of numbers, for models that see the gaps between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["seconds_of", "seconds_of_events"]


def seconds_of(when: object) -> float:
    """Return the time of an event in seconds, NaN where it is none: a number as it is, ISO 8601 since 1970, in UTC where it has no zone.

    Parameters
    ----------
    when
        As the input wrote it.

    Examples
    --------
    >>> from streamrnn.scorers.times import seconds_of
    >>> seconds_of(17), seconds_of("17.5"), seconds_of("1970-01-02"), seconds_of("1970-01-01T01:00+01:00"), seconds_of("soon")
    (17.0, 17.5, 86400.0, 0.0, nan)
    """
    if when is None:
        return math.nan
    try:
        number = float(when)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        try:
            moment = datetime.fromisoformat(str(when).strip())
        except ValueError:
            return math.nan
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return number if math.isfinite(number) else math.nan


def seconds_of_events(times: Sequence[Any] | None, n: int) -> NDArray[np.float64]:
    """Return the times of ``n`` events in seconds, NaN for those that have none.

    Parameters
    ----------
    times
        As the input wrote them; None: it has none.
    n
        How many events there are.

    Examples
    --------
    >>> from streamrnn.scorers.times import seconds_of_events
    >>> seconds_of_events(("1970-01-01T00:01Z", 61), 2).tolist(), seconds_of_events(None, 1).tolist()
    ([60.0, 61.0], [nan])
    """
    return np.array([math.nan] * n if times is None else [seconds_of(when) for when in times], dtype=np.float64)
