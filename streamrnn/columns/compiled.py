"""The compiler of the kernels, for code that handles bytes: the same options, the same cache, the same distrust of foreign folders.

Numbers are made of integers here. The kernels' liberties with floating point would not leave them correctly rounded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.compile import INTERPRETED as INTERPRETED  # noqa: PLC0414  (handed on)
from streamrnn.kernels.compile import entry, sources_digest
from streamrnn.kernels.compile import kernel as kernel  # noqa: PLC0414

__all__ = ["bytes_of", "concatenated", "stamped"]

EMPTY: Final = np.zeros(1, np.uint8)


def bytes_of(data: bytearray) -> Any:
    """Return bytes as an array that compiled code takes: never one of length 0, always one that can be written.

    Parameters
    ----------
    data
        The bytes. They are not copied.

    Examples
    --------
    >>> from streamrnn.columns.compiled import bytes_of
    >>> bytes_of(bytearray(b"ab")).tolist()
    [97, 98]
    """
    return np.frombuffer(data, np.uint8) if data else EMPTY


def stamped(make: Callable[[str], Callable[..., Any]], *parts: Callable[..., Any]) -> Any:
    """Return the compiled function that ``make`` returns, kept on disk under the sources of its parts.

    Parameters
    ----------
    make
        Takes the stamp and returns a function that is closed over it, and over nothing else.
    parts
        A function of each file that it is made of.
    """
    return entry(make(sources_digest(make, *parts)))


def concatenated(parts: Sequence[tuple[bytearray, NDArray[np.int64]]]) -> tuple[bytearray, NDArray[np.int64]]:
    """Return data and places of several pieces as one.

    Parameters
    ----------
    parts
        Of each, its data, and places in it: int64, of any shape; those below 0 are no places and stay.
    """
    if len(parts) == 1:
        return parts[0]
    data, places = bytearray(), []
    for more, at in parts:
        places.append(np.where(at < 0, at, at + len(data)))
        data += more
    return data, np.concatenate(places)
