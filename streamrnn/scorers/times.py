"""The time of events as a column of numbers, for models that see the gaps between them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.io import Block

__all__ = ["seconds_of", "timed", "times_of", "untimed"]


def seconds_of(when: object) -> float:
    """Return the time of an event in seconds, NaN where it is none: a number as it is, ISO 8601 since 1970, in UTC where it has no zone.

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


def timed(block: Block, name: str | None) -> Block:
    """Return a block with its times as one more column, the last, for a model that is to see them under ``name``.

    It is returned as it is where no model is, or where that column is among those that are watched.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.io import Block
    >>> from streamrnn.scorers.times import timed
    >>> block = timed(Block(("a",), np.array([[2.0]]), (0,), 1, times=("1970-01-01T00:01Z",), time_name="at"), "at")
    >>> block.names, block.values.tolist()
    (('a', 'at'), [[2.0, 60.0]])
    """
    if name is None or name in block.names:
        return block
    seconds = [seconds_of(when) for when in block.times] if block.times is not None else [math.nan] * len(block)
    column = np.array(seconds, dtype=np.float64).reshape(-1, 1)
    return replace(block, names=(*block.names, name), values=np.concatenate([block.values, column], axis=1))


def untimed(found: Mapping[str, NDArray[Any]], width: int) -> dict[str, NDArray[Any]]:
    """Return what a model says of a :func:`timed` block without its last column, which is none of the ``width`` of the input.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.scorers.times import untimed
    >>> untimed({"score": np.zeros(1), "prediction": np.zeros((1, 3)), "view": np.zeros((1, 4))}, 2)["prediction"].shape
    (1, 2)
    """
    by_feature = ("prediction", "low", "high", "contribution")
    return {name: part[:, :width] if name in by_feature and part.ndim > 1 else part for name, part in found.items()}


def times_of(names: tuple[str, ...], values: NDArray[np.float64], name: str | None) -> NDArray[np.float64] | None:
    """Return the column that is the time, or None where there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.scorers.times import times_of
    >>> times_of(("a", "at"), np.array([[2.0, 60.0]]), "at").tolist()
    [60.0]
    """
    return values[:, names.index(name)] if name is not None and name in names else None
