"""What is kept beside a net in arrays, a row for each place of a key."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["rows_at", "with_places"]


def rows_at(held: NDArray[Any], codes: NDArray[np.int64] | None, n: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return an array that has a row for each place of a block, and the place of each of its n events.

    Parameters
    ----------
    held
        A row for each place, (m, ...).
    codes
        The place of each key, (n,), negative where it begins anew; None: all events are of one.
    n
        Events, at least one.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.scorers.places import rows_at
    >>> [one.tolist() for one in rows_at(np.ones(2), np.array([-2, 1]), 2)], rows_at(np.ones(2), None, 3)[1].tolist()
    ([[1.0, 1.0, 0.0, 0.0], [-2, 1]], [0, 0, 0])
    """
    if codes is None:
        return held, np.zeros(n, np.int64)
    return with_places(held, int(np.abs(codes).max())), codes


def with_places(held: NDArray[Any], last: int) -> NDArray[Any]:
    """Return an array that has a row for each place up to ``last``: itself, or twice as long with zeros behind.

    Parameters
    ----------
    held
        A row for each place, (m, ...).
    last
        The largest place.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.scorers.places import with_places
    >>> with_places(np.ones(2), 1).tolist(), with_places(np.ones(2), 2).tolist()
    ([1.0, 1.0], [1.0, 1.0, 0.0, 0.0])
    """
    if last < len(held):
        return held
    wider = np.zeros((max(last + 1, 2 * len(held)), *held.shape[1:]), held.dtype)
    wider[: len(held)] = held
    return wider
