"""Ranks in a window that slides, compiled: see :mod:`streamrnn.columns.ranks`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from streamrnn.columns.compiled import kernel, stamped


@kernel
def _below(kept, value):
    """Return how many of the sorted numbers lie below a value."""
    low, high = 0, kept.shape[0]
    while low < high:
        middle = (low + high) >> 1
        if kept[np.uint64(middle)] < value:
            low = middle + 1
        else:
            high = middle
    return low


def _make(stamp: str) -> Callable[..., Any]:
    def sliding_ranks(numbers, kept, found):
        """For each number behind the first n, note how many of the n before it lie below; ``kept`` are these, sorted, and stay so."""
        stamp  # noqa: B018
        n = kept.shape[0]
        for i in range(found.shape[0]):
            new = numbers[n + i]
            place = _below(kept, new)
            found[i] = place
            gone = _below(kept, numbers[i])
            if gone < place:
                place -= 1
                for j in range(np.uint64(gone), np.uint64(place)):
                    kept[j] = kept[j + np.uint64(1)]
            else:
                for j in range(np.uint64(gone), np.uint64(place), -1):
                    kept[j] = kept[j - np.uint64(1)]
            kept[np.uint64(place)] = new

    return sliding_ranks


@functools.cache
def entry() -> Any:
    """Return the compiled function, which has run once."""
    run = stamped(_make, _below.py_func)
    run(np.zeros(2), np.zeros(1), np.zeros(1, np.int64))
    return run
