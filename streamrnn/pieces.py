"""Bytes that lie in pieces: a large state is written from where it lies, and no copy of all of it is in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator

__all__ = ["Pieces", "in_pieces"]


class Pieces:
    """Bytes that come piece by piece, as often as somebody asks, and are the same each time.

    Parameters
    ----------
    length
        Of all of them, in bytes.
    make
        Returns them in order. A piece is good until the next one is asked for.

    Examples
    --------
    >>> from streamrnn.pieces import Pieces
    >>> found = Pieces(5, lambda: [b"wei", bytearray(b"gh")])
    >>> len(found), bytes(found), [len(one) for one in found]
    (5, b'weigh', [3, 2])
    """

    __slots__ = ("_length", "_make")

    def __init__(self, length: int, make: Callable[[], Iterable[bytes | bytearray | memoryview]]) -> None:
        self._length = length
        self._make: Callable[[], Iterable[bytes | bytearray | memoryview]] | None = make

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[memoryview]:
        if self._make is None:
            raise ValueError("What these pieces were made of has gone on: they are lent for the length of a call.")
        left = self._length
        for one in self._make():
            left -= len(one)
            yield memoryview(one)
        if left:
            raise ValueError(f"The pieces are not as long as was said: {left} bytes of {self._length} are missing.")

    def __bytes__(self) -> bytes:
        return b"".join(map(bytes, self))

    def sha256(self) -> str:
        """Return the SHA-256 of all of them, in hexadecimal digits."""
        digest = hashlib.sha256()
        for piece in self:
            digest.update(piece)
        return digest.hexdigest()

    def close(self) -> None:
        """Forget where they come from: whoever asks for them from now on is told so."""
        self._make = None


def in_pieces(data: bytes | Pieces) -> Pieces:
    """Return bytes as pieces.

    Parameters
    ----------
    data
        In one piece, or in pieces already.

    Examples
    --------
    >>> from streamrnn.pieces import in_pieces
    >>> [bytes(one) for one in in_pieces(b"weights")]
    [b'weights']
    """
    return data if isinstance(data, Pieces) else Pieces(len(data), lambda: (data,))
