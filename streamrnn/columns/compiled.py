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

__all__ = ["at", "bytes_of", "concatenated", "copy", "put", "stamped"]

EMPTY: Final = np.zeros(1, np.uint8)


@kernel
def at(buf, p):
    """Return the byte at p >= 0. Compiled code looks at an index with a sign whether it counts from the end, which costs more than all else here."""
    return buf[np.uint64(p)]


@kernel
def put(out, p, c):
    """Write a byte at p >= 0; return where the next one goes."""
    out[np.uint64(p)] = c
    return p + 1


@kernel
def copy(source, start, end, out, p):
    """Copy bytes to p; return where the next one goes."""
    a, b = np.uint64(start), np.uint64(p)
    for i in range(np.uint64(end - start)):
        out[b + i] = source[a + i]
    return p + end - start


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
    return entry(make(sources_digest(make, bytes_of, *parts)))


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
