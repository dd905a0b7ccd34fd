"""Which stream's memory belongs to which key, and which one makes room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from heapq import heappop, heappush
from typing import Any

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

    Examples
    --------
    >>> from streamrnn.models._keys import Keys
    >>> keys = Keys(most=2)
    >>> [keys.touch(key) for key in "abac"], keys.find("b"), keys.find("c")
    ([-1, -2, 1, -2], 0, 2)
    """

    __slots__ = ("areas", "evicted", "free", "most")

    def __init__(self, most: int, kept: Iterable[tuple[Hashable, int]] = ()) -> None:
        self.most = most
        self.evicted = 0
        self.areas: OrderedDict[Hashable, int] = OrderedDict(kept)
        self.free = sorted(set(range(1, max(self.areas.values(), default=0) + 1)).difference(self.areas.values()))

    @property
    def last(self) -> int:
        """The last area that is, or has been, taken."""
        return len(self.areas) + len(self.free)

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
        if area is not None:
            self.areas.move_to_end(key)
            return area
        self._make_room(self.most - 1)
        area = heappop(self.free) if self.free else len(self.areas) + 1
        self.areas[key] = area
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
        codes = [self.areas.get(key) for key in keys]
        if None in codes:
            return [self.touch(key) for key in keys]
        for key in reversed(dict.fromkeys(reversed(keys))):
            self.areas.move_to_end(key)
        return codes  # type: ignore[return-value]

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

    def _make_room(self, most: int) -> None:
        while len(self.areas) > most:
            _, area = self.areas.popitem(last=False)
            heappush(self.free, area)
            self.evicted += 1
