"""The time of an event as one of the clock."""

from __future__ import annotations

import math
from datetime import UTC, datetime

__all__ = ["epoch_seconds"]


def epoch_seconds(when: str | float | None) -> float | None:
    """Return an event's time in seconds since 1970, or None where it cannot be read as one.

    Parameters
    ----------
    when
        As the input wrote it.

    Examples
    --------
    >>> from streamrnn.daemon.times import epoch_seconds
    >>> epoch_seconds("1970-01-01T00:01:00Z"), epoch_seconds("1700000000000"), epoch_seconds("yesterday")
    (60.0, 1700000000.0, None)
    """
    if when is None:
        return None
    try:
        number = float(when)
    except ValueError:
        try:
            moment = datetime.fromisoformat(str(when))
        except ValueError:
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if not math.isfinite(number):
        return None
    while abs(number) > 1e11:  # ms, us and ns of this century are larger than any second of the next millennium
        number /= 1000
    return number
