"""Features that are 0 where they are absent: which they are, found from the events.

Words, indicators and hashed features come as dicts without their zeros. What is measured has no zero that could be left out: absent, it is not known.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.net.words import KIND_COUNTABLE, KIND_COUNTED
from streamrnn.models._features import Columns

__all__ = ["counts_among", "find_counted", "folded", "kinds_of"]

LARGEST_COUNT: Final = 8  # of a name's first value: a word comes once or twice in a text, a sensor measures more
READY: Final = 64  # columns that are laid out at a time
UNIT: Final = 1e-6  # how far the squares of an event's values may be from 1, for them to be shares


def _count(value: Any) -> bool:
    return isinstance(value, int | float | np.number | np.bool_) and abs(value) in range(1, LARGEST_COUNT + 1)


def counts_among(names: Iterable[Any], x: Mapping[Any, Any]) -> list[Any]:
    """Return those of the names whose values in x may be counts or indicators, or are shares of a whole: all values' squares add up to 1.

    Parameters
    ----------
    names
        Of features in x.
    x
        Features by name.

    Examples
    --------
    >>> from streamrnn.models._sparse import counts_among
    >>> counts_among("abc", {"a": True, "b": 2.5, "c": -1}), counts_among("ab", {"a": 0.6, "b": 0.8})
    (['a', 'c'], ['a', 'b'])
    """
    values = list(x.values())
    shares = len(values) > 1 and all(type(value) is float and 0.0 < value < 1.0 for value in values)
    if shares and abs(math.fsum(value * value for value in values) - 1.0) < UNIT:
        return list(names)
    return [name for name in names if _count(x[name])]


def find_counted(
    columns: Columns, kinds: NDArray[np.float64], x: Mapping[Any, Any], fresh: Iterable[Any], *, always: bool
) -> tuple[list[Any], list[Any]]:
    """Return names whose columns are 0 where they are absent from now on, and new ones that may be.

    That is found where an event brings a new count while it lacks one that came before: dicts without their zeros do so, and those of
    measurements bring other numbers.

    Parameters
    ----------
    columns
        Those that there are.
    kinds
        Of each column, (I,).
    x
        Features by name.
    fresh
        The names in x that have no column yet.
    always
        Whether all features are counts.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.models._features import Columns
    >>> from streamrnn.models._sparse import find_counted
    >>> find_counted(Columns(["red"]), np.array([1.0]), {"blue": 1}, ["blue"], always=False)
    (['red', 'blue'], [])
    """
    if always:
        return list(fresh), []
    counts = counts_among(fresh, x)
    if columns.counted:
        return counts, []
    before = [name for name, kind in zip(columns.names, kinds, strict=False) if kind == KIND_COUNTABLE]
    if counts and any(name not in x for name in before):
        return before + counts, []
    return [], counts


def folded(names: int) -> int:
    """Return how many columns there are for so many names whose column has no input of its own: some are ready before they are needed.

    Parameters
    ----------
    names
        How many.

    Examples
    --------
    >>> from streamrnn.models._sparse import folded
    >>> folded(0), folded(1), folded(64), folded(65)
    (0, 64, 64, 128)
    """
    return -(-max(names, 0) // READY) * READY


def kinds_of(kinds: NDArray[np.float64], names: Iterable[Any]) -> list[Any]:
    """Return those of the names whose column is 0 where they are absent.

    Parameters
    ----------
    kinds
        Of each column, (I,), those that are ready included.
    names
        Of the columns.
    """
    return [name for name, kind in zip(names, kinds, strict=False) if kind == KIND_COUNTED]
