"""One net, many keys: which are held, how many there may be, and what one of them takes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from streamrnn.models._growing import Growing
from streamrnn.models._parameters import check_all

__all__ = ["ManyKeys"]

ENTRY_BYTES: Final = 240  # of a key: a text of some letters, its number, and their place in an ordered table


class ManyKeys(Growing):
    """What can be asked of, and done to, the keys of an estimator with ``key``."""

    @property
    def slots(self) -> Mapping[Any, int]:
        """The keys that the model remembers, each with its place, which stays; the one unseen for longest first."""
        return MappingProxyType(self._keys.areas)

    @property
    def n_evicted_keys(self) -> int:
        """How many keys had to go since the model was made, or read: there were more than ``max_keys``."""
        return self._keys.evicted

    @property
    def bytes_per_key(self) -> int:
        """Memory that one more key takes, in bytes: its part of the slab, and its entry."""
        return self._net.layout.area_nbytes + ENTRY_BYTES

    def limit_keys(self, max_keys: int) -> None:
        """Remember at most so many keys from now on; those seen last stay.

        Memory that has been taken is not given back; keys to come use it.

        Parameters
        ----------
        max_keys
            As when the model was made.

        Examples
        --------
        >>> from streamrnn import RNNRegressor
        >>> model = RNNRegressor(key="pump", max_keys=10)
        >>> for pump in ("north", "south", "north"):
        ...     model.learn_one({"pump": pump, "level": 1.0}, 2.0)
        >>> model.limit_keys(1)
        >>> list(model.slots)
        ['north']
        """
        check_all(type(self).__name__, {"max_keys": max_keys})
        self.max_keys = max_keys
        self._keys.limit(max_keys)
