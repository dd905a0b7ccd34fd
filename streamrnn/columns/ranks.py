"""How many of the last n numbers lie below the next one, for many numbers in one compiled call."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["places", "prepare"]

_ready: list[Any] = []


def prepare() -> None:
    """Have the code compiled, or loaded: before the first event, by whom asks for speed."""
    if not _ready and not import_module("streamrnn.columns.compiled").INTERPRETED:
        _ready.append(import_module("streamrnn.columns.sliding").entry())


def places(numbers: NDArray[np.float64], kept: NDArray[np.float64]) -> NDArray[np.int64] | None:
    """Return for each number behind the first n how many of the n before it lie below it; None where nothing was prepared.

    Parameters
    ----------
    numbers
        float64, shape (k,), all finite: the n before, and then those that come.
    kept
        float64, shape (n,): the first n of them, sorted. The last n afterwards.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.columns.ranks import places, prepare
    >>> prepare()
    >>> kept = np.array([1.0, 2.0, 3.0])
    >>> places(np.array([3.0, 1.0, 2.0, 2.5, 0.0]), kept).tolist(), kept.tolist()
    ([2, 0], [0.0, 2.0, 2.5])
    """
    if not _ready:
        return None
    found = np.empty(len(numbers) - len(kept), np.int64)
    _ready[0](numbers, kept, found)
    return found
