"""Which stream's memory belongs to which key, and which one makes room."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from heapq import heappop, heappush
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import FeatureError

__all__ = ["Keys", "key_of", "keys_of"]


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
    """Areas by key, the key unseen for longest first: it goes when a new one comes and there is no room.

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

    __slots__ = ("areas", "clock", "evicted", "free", "most", "ticks")

    def __init__(
        self, most: int, kept: Iterable[tuple[Hashable, int]] = (), ticks: NDArray[np.int64] | None = None
    ) -> None:
        self.most = most
        self.evicted = 0
        self.areas: OrderedDict[Hashable, int] = OrderedDict(kept)
        self.free = sorted(set(range(1, max(self.areas.values(), default=0) + 1)).difference(self.areas.values()))

        self.clock = len(self.areas) if ticks is None else int(ticks[0])  # events so far
        self.ticks = np.zeros(1 + self.last, np.int64)  # of each area, the event that it was seen with last
        self.ticks[list(self.areas.values())] = range(1, len(self.areas) + 1)
        if ticks is not None:
            self.ticks[1 : len(ticks)] = ticks[1:]

    @property
    def last(self) -> int:
        """The last area that is, or has been, taken."""
        return len(self.areas) + len(self.free)

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
        self.clock += 1
        area = self.areas.get(key)
        if area is not None:
            self.areas.move_to_end(key)
            self.ticks[area] = self.clock
            return area
        self._make_room(self.most - 1)
        area = heappop(self.free) if self.free else len(self.areas) + 1
        self.areas[key] = area
        if area >= len(self.ticks):
            self.ticks = np.append(self.ticks, np.zeros(area, np.int64))
        self.ticks[area] = self.clock
        return -area

    def touch_many(self, keys: Sequence[Hashable]) -> list[int]:
        """Return what :meth:`touch` would for one key after the other; where all are known, each is moved once.

        Parameters
        ----------
        keys
            Of the events, in their order.

        Examples
        --------
        >>> from streamrnn.models._keys import Keys
        >>> keys = Keys(most=3)
        >>> keys.touch_many("abc"), keys.touch_many("aab"), list(keys.areas)
        ([-1, -2, -3], [1, 1, 2], ['c', 'a', 'b'])
        """
        if len(keys) == 1:
            return [self.touch(keys[0])]
        found = [self.areas.get(key) for key in keys]
        codes = [area for area in found if area is not None]
        if len(codes) < len(found):
            return [self.touch(key) for key in keys]
        for key in reversed(dict.fromkeys(reversed(keys))):
            self.areas.move_to_end(key)
        self.ticks[codes] = np.arange(self.clock + 1, self.clock + 1 + len(codes))  # of one seen twice, the later
        self.clock += len(codes)
        return codes

    def drop(self, key: Hashable) -> int:
        """Forget a key; return the area that is free now, 0 where it had none.

        Parameters
        ----------
        key
            Of a stream.
        """
        area = self.areas.pop(key, 0)
        if area:
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
        return [(key, self.clock - int(self.ticks[area])) for key, area in islice(self.areas.items(), most)]

    def count_idle(self, events: int) -> int:
        """Return how many keys had none of the last events.

        Parameters
        ----------
        events
            Of all keys together, so many of the last ones.
        """
        idle = self.clock - self.ticks > events
        return (
            int(idle[1 : self.last + 1].sum() - idle[self.free].sum())
            if self.free
            else int(idle[1 : self.last + 1].sum())
        )

    def _make_room(self, most: int) -> None:
        while len(self.areas) > most:
            _, area = self.areas.popitem(last=False)
            heappush(self.free, area)
            self.evicted += 1
