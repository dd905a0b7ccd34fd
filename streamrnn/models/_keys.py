"""Which stream's memory belongs to which key, and which one makes room."""

from __future__ import annotations

import operator
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from itertools import repeat
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import FeatureError

__all__ = ["Keys", "Slots", "key_of", "keys_of"]

NEVER: Final = np.iinfo(np.int64).max  # later than any event: an area that is free is not cold


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

    __slots__ = ("_cold", "_cold_since", "areas", "clock", "evicted", "free", "held", "most", "ticks")

    def __init__(
        self, most: int, kept: Iterable[tuple[Hashable, int]] = (), ticks: NDArray[np.int64] | None = None
    ) -> None:
        self.most = most
        self.evicted = 0
        self.areas: dict[Hashable, int] = dict(kept)
        places = list(self.areas.values())
        self.held: list[Hashable] = [None] * (1 + max(places, default=0))  # the key of each area; None where it is free
        for key, area in self.areas.items():
            self.held[area] = key
        self.free = sorted(set(range(1, len(self.held))).difference(places))
        self.clock = len(self.areas) if ticks is None else int(ticks[0])  # events so far
        self.ticks = np.full(len(self.held), NEVER, np.int64)  # of each area, the event that it was seen with last
        self.ticks[places] = range(1, len(places) + 1) if ticks is None else ticks[places]
        self._cold: list[int] = []  # areas, the one unseen for longest last, as they were at an event
        self._cold_since = 0

    @property
    def last(self) -> int:
        """The last area that is, or has been, taken."""
        return len(self.held) - 1

    def written(self) -> tuple[list[tuple[Hashable, int]], NDArray[np.int64]]:
        """Return the keys in the order of their areas, and of each area when it was seen last, behind how many events came.

        So a key that is seen again changes one number, and a new one comes behind the others.
        """
        kept = sorted(self.areas.items(), key=operator.itemgetter(1))
        ticks = np.zeros(1 + (kept[-1][1] if kept else 0), np.int64)
        places = [area for _, area in kept]
        ticks[places] = self.ticks[places]
        ticks[0] = self.clock
        return kept, ticks

    def find(self, key: Hashable) -> int:
        """Return the area of a key; 0, the blank one, if it has none.

        Parameters
        ----------
        key
            Of a stream.
        """
        return self.areas.get(key, 0)

    def touch(self, key: Hashable) -> int:
        """Return the area of a key that has an event; negative if the area is to begin anew.

        Parameters
        ----------
        key
            Of a stream.
        """
        area = self.areas.get(key)
        self.clock += 1
        if area is not None:
            self.ticks[area] = self.clock
            return area
        self._make_room(self.most - 1)
        if self.free:
            area = heappop(self.free)
        else:
            area = len(self.held)
            self.held.append(None)
            if area >= len(self.ticks):
                self.ticks = np.append(self.ticks, np.full(area, NEVER))
        self.areas[key], self.held[area], self.ticks[area] = area, key, self.clock
        return -area

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
        try:
            codes = np.fromiter(map(self.areas.__getitem__, keys), np.int64, len(keys))
        except KeyError:
            set(keys)  # whether all can be looked up
            return np.array([self.touch(key) for key in keys], np.int64)
        self.ticks[codes] = np.arange(self.clock + 1, self.clock + 1 + len(codes))  # of one seen twice, the later
        self.clock += len(codes)
        return codes

    def find_many(self, keys: Sequence[Hashable]) -> NDArray[np.int64]:
        """Return the areas of keys; 0 for those that have none.

        Parameters
        ----------
        keys
            Of streams.
        """
        return np.fromiter(map(self.areas.get, keys, repeat(0)), np.int64, len(keys))

    def drop(self, key: Hashable) -> int:
        """Forget a key; return the area that is free now, 0 where it had none.

        Parameters
        ----------
        key
            Of a stream.
        """
        area = self.areas.pop(key, 0)
        if area:
            self.held[area], self.ticks[area] = None, NEVER
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
        return map(self.held.__getitem__, self._coldest_areas(len(self.areas)))

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
        return [(self.held[area], self.clock - int(self.ticks[area])) for area in self._coldest_areas(most)]

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
        most = min(max(most, 0), len(self.areas))
        found = (
            np.argpartition(self.ticks, most)[:most] if 0 < most < len(self.areas) else np.argsort(self.ticks)[:most]
        )
        areas: list[int] = found[np.argsort(self.ticks[found])].tolist()
        return areas

    def _make_room(self, most: int) -> None:
        """Let the keys unseen for longest go, until there are no more than so many.

        Some of the coldest are looked for at once. Those of them that have been seen since are passed over: all others were seen later than the rest of them.
        """
        while len(self.areas) > most:
            if not self._cold:
                self._cold = self._coldest_areas(max(len(self.areas) // 8, 64))[::-1]
                self._cold_since = self.clock
            area = self._cold.pop()
            if self.ticks[area] <= self._cold_since:
                self.drop(self.held[area])
                self.evicted += 1


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
        return self._keys.areas[key]

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys.areas)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self)})"
