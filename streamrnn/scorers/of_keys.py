"""What a scorer keeps beside its net: once, or where many keys share the net once for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Generic, TypeVar

import numpy as np

from streamrnn.errors import StateError
from streamrnn.models._keys import Keys

__all__ = ["OfKeys", "Rows"]

T = TypeVar("T")
Rows = slice | list[int]
"""Rows of a block."""

_ALL = slice(None)
_FREE = -1  # the length of what is not there


class OfKeys(Generic[T]):
    """One ``T``, or one for each key. Keys come and go as in the net that they share: the one unseen for longest first.

    Parameters
    ----------
    make
        Returns a new one.
    room
        Keys held at most; None: there is one net for one key, and so one ``T``.

    Examples
    --------
    >>> from streamrnn.scorers.of_keys import OfKeys
    >>> lists = OfKeys(list, room=2)
    >>> for one, rows in lists.rows_of(("a", "b", "a", "c", "b"), 5):
    ...     one += rows
    >>> [lists.find(key) for key in "abc"], OfKeys(list).rows_of(None, 3)
    ([None, [4], [3]], [([], slice(None, None, None))])
    """

    def __init__(self, make: Callable[[], T], room: int | None = None) -> None:
        self._make = make
        self._keys = None if room is None else Keys(room)
        self._held: dict[int, T] = {} if self.shared else {0: make()}

    def __iter__(self) -> Iterator[T]:
        return iter(self._held.values())

    @property
    def shared(self) -> bool:
        """Whether many keys share the net."""
        return self._keys is not None

    @property
    def only(self) -> T:
        """The one of one key."""
        return self._held[0]

    def find(self, key: str | None) -> T | None:
        """Return what is kept of a key; None where it is not held.

        Parameters
        ----------
        key
            Of an event that is none of the stream's: it stays where it is in the order.
        """
        return self.only if self._keys is None else self._held.get(self._keys.find(key))

    def rows_of(self, keys: Sequence[str | None] | None, n: int) -> list[tuple[T, Rows]]:
        """Return what is kept of each key of a block, with its rows. A key that goes and comes back begins with a new one.

        Parameters
        ----------
        keys
            One for each row; None where there is one net for one key.
        n
            How many rows.
        """
        if self._keys is None or keys is None:
            return [(self.only, _ALL)] if n else []
        found: list[tuple[T, Rows]] = []
        rows_at: dict[int, list[int]] = {}
        for row, code in enumerate(self._keys.touch_many(keys).tolist()):
            place = abs(code)
            if code < 0:
                self._held[place] = self._make()
            if code < 0 or place not in rows_at:
                rows_at[place] = []
                found.append((self._held[place], rows_at[place]))
            rows_at[place].append(row)
        return found

    def limit(self, room: int) -> None:
        """Keep so many keys at most from now on: those seen last stay.

        Parameters
        ----------
        room
            How many.
        """
        if self._keys is not None:
            self._keys.limit(room)
            for place in self._keys.free:
                self._held.pop(place, None)

    def dumps(self, write: Callable[[T], bytes]) -> bytes:
        """Return all that is kept as bytes, in the order of the places: that of one key alone is as it is written.

        Parameters
        ----------
        write
            Returns one as bytes.
        """
        if self._keys is None:
            return write(self.only)
        parts = [write(self._held[place]) if place in self._held else None for place in range(1, self._keys.last + 1)]
        lengths = np.array([_FREE if part is None else len(part) for part in parts], "<i8")
        return b"".join([np.array([len(parts)], "<i8").tobytes(), lengths.tobytes(), *(part or b"" for part in parts)])

    def restore(self, data: bytes, read: Callable[[bytes], T], slots: Mapping[str, int]) -> None:
        """Take up what :meth:`dumps` gave.

        Parameters
        ----------
        data
            What it gave.
        read
            Returns one of its bytes.
        slots
            The place of each key, the one unseen for longest first: those of the net.

        Raises
        ------
        StateError
            When it is something else, or of other keys.
        """
        if self._keys is None:
            self._held = {0: read(data)}
            return
        lengths = _lengths(data)
        if {place for place, n in enumerate(lengths, 1) if n != _FREE} != set(slots.values()):
            raise StateError("The snapshot's keys do not fit its content.")
        ends = np.cumsum([8 * (1 + len(lengths)), *(max(n, 0) for n in lengths)]).tolist()
        if ends[-1] != len(data):
            raise StateError("The snapshot's keys do not fit its content.")
        parts = enumerate(pairwise(ends), 1)
        self._held = {place: read(data[start:end]) for place, (start, end) in parts if lengths[place - 1] != _FREE}
        self._keys = Keys(self._keys.most, slots.items())


def _lengths(data: bytes) -> list[int]:
    """Return the lengths of the parts, as they are written before them."""
    n = int(np.frombuffer(data, "<i8", 1)[0]) if len(data) >= 8 else -1
    if not 0 <= n <= len(data) // 8 - 1:
        raise StateError("The snapshot's keys do not fit its content.")
    lengths = np.frombuffer(data, "<i8", n, 8)
    if n and not (lengths >= _FREE).all():
        raise StateError("The snapshot's keys do not fit its content.")
    found: list[int] = lengths.tolist()
    return found
