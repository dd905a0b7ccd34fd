"""Which stream's memory belongs to which key, and which one makes room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from streamrnn.errors import FeatureError

__all__ = ["Keys", "key_of"]


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

    __slots__ = ("areas", "most")

    def __init__(self, most: int, kept: Iterable[tuple[Hashable, int]] = ()) -> None:
        self.most = most
        self.areas: OrderedDict[Hashable, int] = OrderedDict(kept)

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
        if len(self.areas) < self.most:
            area = len(self.areas) + 1
        else:
            _, area = self.areas.popitem(last=False)
        self.areas[key] = area
        return -area
