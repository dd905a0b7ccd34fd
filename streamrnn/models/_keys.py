"""Which stream's memory belongs to which key, and which one makes room."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import FeatureError
from streamrnn.models._key_table import KeyTable

__all__ = ["Keys", "Slots", "key_of", "keys_of"]

NEVER: Final = np.iinfo(np.int64).max  # later than any event: an area that is free is not cold
MORE: Final = 64  # areas that there are more, and a quarter of those that there are, where one is missing


def keys_of(keys: Sequence[Any], name: Any) -> list[Hashable]:
    """Return the keys of many events.

    Parameters
    ----------
    keys
        One for each.
    name
        Of the key.

    Raises
    ------
    FeatureError
        When one cannot be looked up.

    Examples
    --------
    >>> from streamrnn.models._keys import keys_of
    >>> keys_of(("a", "b", "a"), "sensor")
    ['a', 'b', 'a']
    """
    try:
        set(keys)
    except TypeError:
        return [key_of({name: key}, name) for key in keys]
    return list(keys)


def key_of(x: Mapping[Any, Any], name: Any) -> Hashable:
    """Return an event's key.

    Parameters
    ----------
    x
        Features by name, the key among them.
    name
        Of the key.

    Raises
    ------
    FeatureError
        When it has none, or one that cannot be looked up.

    Examples
    --------
    >>> from streamrnn.models._keys import key_of
    >>> key_of({"sensor": ("north", 3), "level": 0.5}, "sensor")
    ('north', 3)
    """
    try:
        key = x[name]
        hash(key)
    except KeyError as error:
        raise FeatureError(f"The event has no {name!r}, which is the model's key. Add it, or set key=None.") from error
    except TypeError as error:
        raise FeatureError(f"The key {name!r} must be hashable. Got {type(x[name]).__name__} instead.") from error
    return key  # type: ignore[no-any-return]


class Keys:
    """Areas by key; that of the key unseen for longest goes to a new one where there is no room.

    The order in which keys were seen is in numbers alone, one for each area: a key that is seen again costs a look into a table and one number written, wherever
    in memory its neighbours in that order lie.

    Parameters
    ----------
    most
        Keys kept.
    kept
        Pairs of key and area, the one unseen for longest first.
    ticks
        int64, (n,): what :meth:`written` gave beside them; None: each was seen once, in this order.

    Examples
    --------
    >>> from streamrnn.models._keys import Keys
    >>> keys = Keys(most=2)
    >>> [keys.touch(key) for key in "abac"], keys.find("b"), keys.find("c")
    ([-1, -2, 1, -2], 0, 2)
    """

    __slots__ = ("_cold", "_cold_since", "clock", "evicted", "free", "last", "most", "table", "ticks")

    def __init__(
        self, most: int, kept: Iterable[tuple[Hashable, int]] = (), ticks: NDArray[np.int64] | None = None
    ) -> None:
        self.most = most
        self.evicted = 0
        pairs = dict(kept)
        places = list(pairs.values())
        self.last = max(places, default=0)  # the last area that is, or has been, taken
        self.table = KeyTable(pairs)
        self.free = sorted(set(range(1, 1 + self.last)).difference(places))
        self.clock = len(pairs) if ticks is None else int(ticks[0])  # events so far
        self.ticks = np.full(1 + self.last, NEVER, np.int64)  # of each area, the event that it was seen with last
        self.ticks[places] = range(1, len(places) + 1) if ticks is None else ticks[places]
        self._cold: list[int] = []  # areas, the one unseen for longest last, as they were at an event
        self._cold_since = 0

    def __len__(self) -> int:
        return len(self.table)

    @property
    def highest(self) -> int:
        """The last area that is taken; 0 where none is."""
        return max(self._taken(), default=0)

    def items(self) -> list[tuple[Hashable, int]]:
        """Return each key with its area, in the order of the areas."""
        areas = self._taken()
        return list(zip(self.table.held[areas].tolist(), areas, strict=True))

    def written(self) -> tuple[list[tuple[Hashable, int]], NDArray[np.int64]]:
        """Return the keys in the order of their areas, and of each area when it was seen last, behind how many events came.

        So a key that is seen again changes one number, and a new one comes behind the others.
        """
        places = self._taken()
        ticks = np.zeros(1 + max(places, default=0), np.int64)
        ticks[places] = self.ticks[places]
        ticks[0] = self.clock
        return self.items(), ticks

    def find(self, key: Hashable) -> int:
        """Return the area of a key; 0, the blank one, if it has none.

        Parameters
        ----------
        key
            Of a stream.
        """
        return self.table.find(key)

    def touch(self, key: Hashable) -> int:
        """Return the area of a key that has an event; negative if the area is to begin anew.

        Parameters
        ----------
        key
            Of a stream.
        """
        area = self.table.find(key)
        self.clock += 1
        if area:
            self.ticks[area] = self.clock
            return area
        self._make_room(self.most - 1)
        return -self._begin(key)

    def touch_many(self, keys: Sequence[Hashable]) -> NDArray[np.int64]:
        """Return what :meth:`touch` would for one key after the other.

        Parameters
        ----------
        keys
            Of the events, in their order.

        Raises
        ------
        TypeError
            When one cannot be looked up. Nothing has changed then.

        Examples
        --------
        >>> from streamrnn.models._keys import Keys
        >>> keys = Keys(most=3)
        >>> keys.touch_many("abc").tolist(), keys.touch_many("aab").tolist(), list(keys)
        ([-1, -2, -3], [1, 1, 2], ['c', 'a', 'b'])
        """
        codes = self.table.find_many(keys)
        new = np.flatnonzero(codes == 0).tolist()
        if new:
            self._touch_new(keys, codes, new)
        else:
            self._see(codes)
        return codes

    def _see(self, areas: NDArray[np.int64]) -> None:
        """Let each of these areas be seen now, one after the other."""
        self.ticks[areas] = np.arange(self.clock + 1, self.clock + 1 + len(areas))  # of one seen twice, the later
        self.clock += len(areas)

    def _touch_new(self, keys: Sequence[Hashable], codes: NDArray[np.int64], new: list[int]) -> None:
        """Touch the keys of a block of which those in some rows had no area at its start; a key that has to go on the way has none in its later rows either."""
        known, start = set(codes.tolist()), 0
        while new:
            row = heappop(new)
            if row > start:
                self._see(codes[start:row])
            start, self.clock = row + 1, self.clock + 1
            area = self.table.find(keys[row])
            if area:  # new in a row before
                codes[row], self.ticks[area] = area, self.clock
                continue
            for gone in self._make_room(self.most - 1):
                if gone in known and (codes[start:] == gone).any():
                    later = start + np.flatnonzero(codes[start:] == gone)
                    codes[later] = 0
                    new += later.tolist()
                    heapify(new)
            codes[row] = -self._begin(keys[row])
        self._see(codes[start:])

    def _begin(self, key: Hashable) -> int:
        """Give a key that has no area one, seen now."""
        if self.free:
            area = heappop(self.free)
        else:
            self.last = area = self.last + 1
            if area >= len(self.ticks):
                self.ticks = np.append(self.ticks, np.full(MORE + area // 4, NEVER))
        self.ticks[area] = self.clock
        self.table.add(key, area)
        return area

    def find_many(self, keys: Sequence[Hashable]) -> NDArray[np.int64]:
        """Return the areas of keys; 0 for those that have none.

        Parameters
        ----------
        keys
            Of streams.
        """
        return self.table.find_many(keys)

    def drop(self, key: Hashable) -> int:
        """Forget a key; return the area that is free now, 0 where it had none.

        Parameters
        ----------
        key
            Of a stream.
        """
        area = self.table.find(key)
        if area:
            self.table.remove(key)
            self.ticks[area] = NEVER
            heappush(self.free, area)
        return area

    def limit(self, most: int) -> None:
        """Keep at most so many keys from now on: those seen last stay.

        Parameters
        ----------
        most
            Keys kept.
        """
        self.most = most
        self._make_room(most)

    def __iter__(self) -> Iterator[Hashable]:
        """Yield the keys, the one unseen for longest first."""
        return iter(self.table.held[self._coldest_areas(len(self))].tolist())

    def coldest(self, most: int) -> list[tuple[Hashable, int]]:
        """Return the keys unseen for longest, each with how many events have come since its own last one.

        Parameters
        ----------
        most
            Keys that are returned.

        Examples
        --------
        >>> from streamrnn.models._keys import Keys
        >>> keys = Keys(most=3)
        >>> _ = [keys.touch(key) for key in "abcbb"]
        >>> keys.coldest(2), keys.count_idle(1), keys.count_idle(4)
        ([('a', 4), ('c', 2)], 2, 0)
        """
        return [(self.table.held[area], self.clock - int(self.ticks[area])) for area in self._coldest_areas(most)]

    def count_idle(self, events: int) -> int:
        """Return how many keys had none of the last events.

        Parameters
        ----------
        events
            Of all keys together, so many of the last ones.
        """
        return int(np.count_nonzero(self.clock - self.ticks > events))

    def _coldest_areas(self, most: int) -> list[int]:
        """Return the areas of the keys unseen for longest, in this order."""
        most = min(max(most, 0), len(self))
        found = np.argpartition(self.ticks, most)[:most] if 0 < most < len(self) else np.argsort(self.ticks)[:most]
        areas: list[int] = found[np.argsort(self.ticks[found])].tolist()
        return areas

    def _taken(self) -> list[int]:
        """Return the areas that are taken, in their order."""
        found: list[int] = np.flatnonzero(self.ticks != NEVER).tolist()
        return found

    def _make_room(self, most: int) -> list[int]:
        """Let the keys unseen for longest go, until there are no more than so many; return the areas that they had.

        Some of the coldest are looked for at once. Those of them that have been seen since are passed over: all others were seen later than the rest of them.
        """
        gone = []
        while len(self) > most:
            if not self._cold:
                self._cold = self._coldest_areas(max(len(self) // 8, 64))[::-1]
                self._cold_since = self.clock
            area = self._cold.pop()
            if self.ticks[area] <= self._cold_since:
                gone.append(self.drop(self.table.held[area]))
                self.evicted += 1
        return gone


class Slots(Mapping[Hashable, int]):
    """Areas by key to be looked at, the key unseen for longest first. The order is looked for where it is asked for.

    Parameters
    ----------
    keys
        Of a model.
    """

    __slots__ = ("_keys",)

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def __getitem__(self, key: Hashable) -> int:
        area = self._keys.find(key)
        if not area:
            raise KeyError(key)
        return area

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self)})"
