"""Limits that forecasts may reach: the first step at which they do."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import ParameterError

__all__ = ["Crossing", "Limit", "first_beyond", "flat_limits"]

_SIDES: Final = ("high", "low")


class Limit(NamedTuple):
    """A limit of a channel.

    Parameters
    ----------
    channel
        Its name; None: every channel.
    side
        ``"high"``: it is reached from below; ``"low"``: from above.
    value
        Where it lies.
    """

    channel: Any
    side: str
    value: float


class Crossing(NamedTuple):
    """A limit that is reached within the horizon.

    Parameters
    ----------
    channel
        Its name; ``"y"`` for a series that is one number.
    side
        ``"high"`` or ``"low"``.
    limit
        Where it lies.
    step
        The first step, from 1 on, whose forecast reaches it; None: none does.
    band_step
        The first step whose interval does.
    """

    channel: Any
    side: str
    limit: float
    step: int | None
    band_step: int | None


def _sides(channel: Any, table: Mapping[Any, Any]) -> Iterator[Limit]:
    for side, value in table.items():
        good = isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)
        if side not in _SIDES or not good:
            raise ParameterError(
                "The 'limits' parameter must have numbers by 'high' and 'low', or such a table for each channel. "
                f"Got {side!r}: {value!r} instead."
            )
        yield Limit(channel, side, float(value))


def flat_limits(limits: Mapping[Any, Any]) -> list[Limit]:
    """Return the limits one by one.

    Parameters
    ----------
    limits
        Numbers by ``"high"`` and ``"low"``, for every channel; or a table of those for each channel, by name.

    Raises
    ------
    ParameterError
        When it is something else.

    Examples
    --------
    >>> from streamrnn.models._crossings import flat_limits
    >>> flat_limits({"high": 90})
    [Limit(channel=None, side='high', value=90.0)]
    >>> flat_limits({"disk": {"high": 90}, "level": {"low": 2.5}})[1]
    Limit(channel='level', side='low', value=2.5)
    """
    found = [_sides(name, table) for name, table in limits.items() if isinstance(table, Mapping)]
    plain = {side: value for side, value in limits.items() if not isinstance(value, Mapping)}
    return [one for part in (_sides(None, plain), *found) for one in part]


def first_beyond(values: NDArray[np.float64], limit: Limit) -> NDArray[np.int64]:
    """Return the first step, from 1 on, whose value reaches a limit; 0 where none does.

    Parameters
    ----------
    values
        Forecasts, (n, steps) or (steps,).
    limit
        What they may reach.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.models._crossings import Limit, first_beyond
    >>> first_beyond(np.array([[7.0, 8.0, 9.0], [1.0, 2.0, np.nan]]), Limit(None, "high", 8.0)).tolist()
    [2, 0]
    """
    beyond = values >= limit.value if limit.side == "high" else values <= limit.value
    return np.where(beyond.any(axis=-1), beyond.argmax(axis=-1) + 1, 0)
