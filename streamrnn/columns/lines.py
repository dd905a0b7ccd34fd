"""Many lines of bytes in one piece: what compiled code writes, and who takes them one by one sees a sequence of bytes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

__all__ = ["Lines", "ended", "longest_of", "together"]


class Lines(Sequence[bytes]):
    r"""Lines as a file holds them, a line end behind each; one by one they are without it.

    Parameters
    ----------
    data
        uint8, shape (m,): holds them.
    ends
        int64, shape (n,), one more than lines: where the first begins, and where each ends, behind its line end.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.columns.lines import Lines
    >>> lines = Lines(np.frombuffer(b"ab\nc\n", np.uint8), np.array([0, 3, 5]))
    >>> list(lines), lines[1], list(lines[:1])
    ([b'ab', b'c'], b'c', [b'ab'])
    """

    def __init__(self, data: NDArray[np.uint8], ends: NDArray[np.int64]) -> None:
        self.data, self.ends = data, ends

    def __len__(self) -> int:
        return len(self.ends) - 1

    @overload
    def __getitem__(self, i: int) -> bytes: ...
    @overload
    def __getitem__(self, i: slice) -> Lines: ...
    def __getitem__(self, i: int | slice) -> bytes | Lines:
        if isinstance(i, slice):
            start, stop, _ = i.indices(len(self))
            return Lines(self.data, self.ends[start : max(start, stop) + 1])
        i = range(len(self))[i]
        return self.data[self.ends[i] : self.ends[i + 1] - 1].tobytes()

    def __iter__(self) -> Iterator[bytes]:
        data, ends = self.data.tobytes(), self.ends.tolist()
        return (data[start : end - 1] for start, end in itertools.pairwise(ends))

    def whole(self) -> NDArray[np.uint8]:
        """Return the bytes of all of them, a line end behind each."""
        return self.data[self.ends[0] : self.ends[-1]]

    def lengths(self) -> NDArray[np.int64]:
        """Return how long each is without its line end, int64, shape (n,)."""
        return np.diff(self.ends) - 1


def together(parts: Sequence[Sequence[bytes]]) -> Sequence[bytes]:
    """Return lines of several parts as one sequence.

    Parameters
    ----------
    parts
        In order.

    Examples
    --------
    >>> from streamrnn.columns.lines import together
    >>> together([[b"a"], [b"b"]])
    [b'a', b'b']
    """
    if len(parts) == 1:
        return parts[0]
    pieces = [one for one in parts if isinstance(one, Lines)]
    if not pieces or len(pieces) < len(parts):
        return [line for one in parts for line in one]
    data = np.concatenate([one.whole() for one in pieces])
    lengths = np.concatenate([np.diff(one.ends) for one in pieces])
    return Lines(data, np.concatenate([[0], np.cumsum(lengths)]))


def longest_of(lines: Sequence[bytes]) -> int:
    """Return the length of the longest line; 0 where there is none.

    Parameters
    ----------
    lines
        In one piece, or as bytes each.

    Examples
    --------
    >>> from streamrnn.columns.lines import longest_of
    >>> longest_of([b"a", b"bc"]), longest_of([])
    (2, 0)
    """
    if isinstance(lines, Lines):
        return int(lines.lengths().max(initial=0))
    return max(map(len, lines), default=0)


def ended(lines: Sequence[bytes]) -> memoryview:
    r"""Return lines as a file holds them, a line end behind each.

    Parameters
    ----------
    lines
        In one piece, or as bytes each; none of them holds a line end.

    Examples
    --------
    >>> from streamrnn.columns.lines import ended
    >>> bytes(ended([b"a", b"bc"])), bytes(ended([]))
    (b'a\nbc\n', b'')
    """
    if isinstance(lines, Lines):
        return lines.whole().data
    return memoryview(b"".join([part for line in lines for part in (line, b"\n")]))
