"""Many keys at once: the events of a block in turns, in each of which no key comes twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["by_place", "in_turns", "with_places"]

FEW = 64
"""Turns that cost less than to go through the keys one by one."""


def in_turns(places: NDArray[np.int64]) -> list[NDArray[np.int64]] | None:
    """Return the rows of a block in turns: the first event of each key, then the second ones; None where these are too many.

    Parameters
    ----------
    places
        Whose each event is, (n,).

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.scorers.turns import in_turns
    >>> [rows.tolist() for rows in in_turns(np.array([4, 7, 4, 4, 7]))]
    [[0, 1], [2, 4], [3]]
    """
    order, starts = _sorted(places)
    if not len(order):
        return []
    lengths = np.diff(np.append(starts, len(order)))
    if lengths.max() > max(FEW, len(starts)):
        return None
    turn = np.arange(len(order)) - np.repeat(starts, lengths)
    rows = order[np.argsort(turn, kind="stable")]
    return np.split(rows, np.cumsum(np.bincount(turn))[:-1])


def by_place(places: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield each key's place with its rows, in their order.

    Parameters
    ----------
    places
        Whose each event is, (n,).
    """
    order, starts = _sorted(places)
    for rows in np.split(order, starts[1:]) if len(order) else ():
        yield int(places[rows[0]]), rows


def _sorted(places: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows by place, and where each place begins."""
    order = np.argsort(places, kind="stable")
    kept = places[order]
    return order, np.flatnonzero(np.append(True, kept[1:] != kept[:-1])) if len(kept) else order


def with_places(held: NDArray[Any], last: int) -> NDArray[Any]:
    """Return an array that has a row for each place up to ``last``: itself, or twice as long with zeros behind.

    Parameters
    ----------
    held
        A row for each place, (m, ...).
    last
        The largest place.
    """
    if last < len(held):
        return held
    wider = np.zeros((max(last + 1, 2 * len(held)), *held.shape[1:]), held.dtype)
    wider[: len(held)] = held
    return wider
