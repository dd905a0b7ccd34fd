"""One net, many keys: which are held, how many there may be, and what one of them takes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import ParameterError, StateError
from streamrnn.models._area_rules import AreaRules, area_rules
from streamrnn.models._features import to_float
from streamrnn.models._growing import Growing, Pending
from streamrnn.models._key_state import key_bytes, key_parts, layout_digest
from streamrnn.models._keys import Slots, key_of, keys_of
from streamrnn.models._net import Net
from streamrnn.models._parameters import check, check_all
from streamrnn.models._state_parts import waiting

__all__ = ["ManyKeys"]

NONE_WAIT: Final = msgspec.msgpack.encode([])
ENTRY_BYTES: Final = (
    160  # of a key: a text of up to 50 letters, where it is held, its word in the table of hashes, and when it was seen
)


class ManyKeys(Growing):
    """What can be asked of, and done to, the keys of an estimator with ``key``."""

    _known_layout: tuple[tuple[Any, ...], bytes] = (
        (),
        b"",
    )  # what a key's state is known by, behind what that was made of

    @property
    def slots(self) -> Mapping[Any, int]:
        """The keys that the model remembers, each with its place, which stays; the one unseen for longest first."""
        return Slots(self._keys)

    @property
    def last_place(self) -> int:
        """The largest place that a key has; 0 where none is held."""
        return self._keys.highest

    @contextmanager
    def noted_places(self) -> Iterator[list[Any]]:
        """Give a list of the places that events get while they are learned, in their order: for who keeps something beside the net in rows by place.

        Yields
        ------
        list
            Numbers, and arrays of them: the place of each event's key, negative where the key is new and its place to begin anew.

        Examples
        --------
        >>> from streamrnn import RNNRegressor
        >>> model = RNNRegressor(key="pump", max_keys=2)
        >>> with model.noted_places() as places:
        ...     for pump in ("a", "b", "a", "c"):
        ...         model.learn_one({"pump": pump, "level": 1.0}, 2.0)
        >>> places, model.last_place
        ([-1, -2, 1, -2], 2)
        """
        noted = self._noted = []
        try:
            yield noted
        finally:
            self._noted = None

    def coldest_keys(self, most: int) -> list[tuple[Any, int]]:
        """Return the keys unseen for longest, each with how many events of all keys have come since its own last one.

        Parameters
        ----------
        most
            Keys that are returned.

        Examples
        --------
        >>> from streamrnn import RNNRegressor
        >>> model = RNNRegressor(key="pump")
        >>> for pump in ("north", "south", "south"):
        ...     model.learn_one({"pump": pump, "level": 1.0}, 2.0)
        >>> model.coldest_keys(1), model.count_idle_keys(1)
        ([('north', 2)], 1)
        """
        return self._keys.coldest(most)

    def count_idle_keys(self, events: int) -> int:
        """Return how many keys had none of the last events.

        Parameters
        ----------
        events
            Of all keys together, so many of the last ones.
        """
        return self._keys.count_idle(events)

    @property
    def n_evicted_keys(self) -> int:
        """How many keys had to go since the model was made, or read: there were more than ``max_keys``."""
        return self._keys.evicted

    @property
    def bytes_per_key(self) -> int:
        """Memory that one more key takes, in bytes: its part of the slab, and its entry."""
        return self._net.layout.area_nbytes + ENTRY_BYTES

    @property
    def columns(self) -> tuple[Any, ...]:
        """What the model knows of an event by name, in the order of :meth:`rows_of`: the key is none of it."""
        aside = self._columns.aside
        return (*self._columns.names, *([] if aside is None else [aside]))

    @property
    def timed(self) -> bool:
        """Whether the first of the columns is the time."""
        return self._time is not None

    def rows_of(self, events: Sequence[Mapping[Any, Any]]) -> NDArray[np.float64]:
        """Return events as rows for ``progressive_many``, which then learns no new names: those without a column are passed over.

        Parameters
        ----------
        events
            Features by name. A time may be a date.

        Returns
        -------
        array
            float64, shape (n, F): a column for each of :attr:`columns`.

        Raises
        ------
        FeatureError
            When a value is no number.

        Examples
        --------
        >>> from streamrnn import RNNRegressor
        >>> model = RNNRegressor(key="pump", hidden_size=8)
        >>> model.learn_one({"pump": "north", "level": 1.0, "flow": 3}, 2.0)
        >>> model.columns, model.rows_of([{"level": 4, "other": "x"}]).tolist()
        (('flow', 'level'), [[nan, 4.0]])
        """
        columns, known = self._columns, len(self._columns.names)
        if columns.plain and set(map(type, events)) <= {dict}:
            names = columns.names
            found = [[x.get(name) for name in names] for x in events]
            if not set(map(type, chain.from_iterable(found))) <= {float}:
                found = [[to_float(name, value) for name, value in zip(names, row, strict=True)] for row in found]
            return np.array(found, np.float64).reshape(len(events), known)
        rows = np.full((len(events), max(len(columns.blank), known) + (columns.aside is not None)), np.nan)
        for row, x in zip(rows, events, strict=True):
            columns.write_slowly(x, row)
            if columns.aside is not None:
                row[known] = to_float(columns.aside, x.get(columns.aside))
        return rows[:, : len(self.columns)]

    def key_state(self, key: Any) -> bytes:
        """Return what the model keeps of one key: for an engine that keeps the state of keys itself.

        It holds the key's own part alone. In another model with the same columns and parameters, and with the same weights and statistics, the key
        goes on as it would have here, bit for bit.

        Parameters
        ----------
        key
            One that is held.

        Raises
        ------
        ParameterError
            When the model has no ``key``, or does not hold this one.

        Examples
        --------
        >>> from streamrnn import RNNRegressor, dumps, loads
        >>> model = RNNRegressor(key="pump", hidden_size=8)
        >>> for level in (1.0, 2.0, 3.0):
        ...     model.learn_one({"pump": "north", "level": level}, 2.0 * level)
        >>> other = loads(dumps(model))
        >>> state = model.key_state("north")
        >>> other.drop_key("north")
        True
        >>> other.set_key_state("north", state)
        >>> other.predict_one({"pump": "north", "level": 4.0}) == model.predict_one({"pump": "north", "level": 4.0})
        True
        """
        area = self._held(key)
        waits = msgspec.msgpack.encode([tuple(one) for one in self._pending.get(area, ())])
        return key_bytes(self._key_layout(), [*self._key_parts(area), waits])

    def set_key_state(self, key: Any, data: bytes) -> None:
        """Take up what :meth:`key_state` gave. The key counts as seen now; where there is no room, the one unseen for longest goes.

        Parameters
        ----------
        key
            New or held: then what was kept of it is lost.
        data
            From a model with the same columns and parameters.

        Raises
        ------
        ParameterError
            When the model has no ``key``, or data are no bytes.
        FeatureError
            When the key cannot be looked up.
        StateError
            When the bytes are cut, changed, foreign, of another version, or of a model that is not alike. Nothing has changed then.
        """
        self._check_keyed()
        *parts, waits = key_parts(data, self._key_layout()) or [b""]
        self._check_key_parts(parts)
        waiting_events = self._waiting(waits)
        area = self._see(key)
        self._take_key_parts(area, parts)
        self._pending.pop(area, None)
        if waiting_events:
            self._pending[area] = waiting_events

    def drop_key(self, key: Any) -> bool:
        """Forget a key, and all that is kept of it; return whether it was held. Its place is for the next new key.

        Parameters
        ----------
        key
            Of a stream.

        Raises
        ------
        ParameterError
            When the model has no ``key``.
        """
        self._check_keyed()
        area = self._drop(key)
        self._pending.pop(area, None)
        self._event = None
        return bool(area)

    # ---- what subclasses with more than one net say ---------------------------------------------

    def _key_nets(self) -> list[Net]:
        """Return the nets that have an area for each key."""
        return [self._net]

    def _key_layout(self) -> bytes:
        """Return what a key's state is known by; it is made anew when columns come."""
        nets, columns, targets = self._key_nets(), self._columns, self._targets
        names = columns.names  # to which some are added, and of which none goes
        made_of = (*[net.layout for net in nets], self._time, columns, len(names), targets, len(targets.names))
        before, digest = self._known_layout
        if before != made_of:
            digest = layout_digest(type(self).__name__, nets, (list(names), list(targets.names), self._time))
            self._known_layout = made_of, digest
        return digest

    def _key_parts(self, area: int) -> list[bytes]:
        """Return what is kept of a key: of each net its area."""
        return [bytes(net.area_state(area)) for net in self._key_nets()]

    def _check_key_parts(self, parts: list[bytes]) -> None:
        """Raise where parts are none that this model can have."""
        if len(parts) != len(self._key_nets()):
            raise StateError("The key's state has other parts than this model.")
        for net, part in zip(self._key_nets(), parts, strict=True):
            self._check_key_part(net, part)

    def _check_key_part(self, net: Net, part: bytes) -> None:
        if len(part) != net.layout.area_nbytes:
            raise StateError(
                f"A key's part of the net must have {net.layout.area_nbytes} bytes. Got {len(part)} instead."
            )
        self._rules_of(net).check_one(part)

    def _rules_of(self, net: Net) -> AreaRules:
        """Return what the memory of a stream must keep to."""
        return area_rules(net.layout, net.sizes.stride - (not self._updates_late), self._spare)

    def _take_key_parts(self, area: int, parts: list[bytes]) -> None:
        for net, part in zip(self._key_nets(), parts, strict=True):
            net.put_area(area, part)

    def _see(self, key: Any) -> int:
        """Return the area of a key that counts as seen now."""
        [key] = keys_of([key], self.key)
        return abs(self._touch_one(key))

    def _drop(self, key: Any) -> int:
        """Forget a key; return the area that it had, 0 where it had none."""
        area = self._keys.drop(key_of({self.key: key}, self.key))
        for net in self._key_nets()[:1] if area else ():
            net.clear_area(area)
        return area

    def _waiting(self, data: bytes) -> deque[Pending]:
        """Return the events of a key that wait for their labels."""
        if data == NONE_WAIT:
            return deque()
        sizes = 8 * self._net.sizes.inputs, 8 * (self._net.sizes.inputs + self._net.sizes.waited)
        most = getattr(self, "max_pending", 0) if self._late_labels else 0
        try:
            given = [(1, *one) for one in msgspec.msgpack.decode(data, type=list[tuple[bytes, bytes]])]
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise StateError("The key's state holds no events that wait.") from error
        return deque(Pending(raw, scaled) for _, raw, scaled in waiting(given, 2, sizes, most))

    def _check_keyed(self) -> None:
        if self.key is None:
            check(type(self).__name__, "key", self.key, "given, where keys are asked for", ok=False)

    def _held(self, key: Any) -> int:
        self._check_keyed()
        try:
            area = self._keys.find(key)
        except TypeError:
            area = self._keys.find(key_of({self.key: key}, self.key))  # says what is wrong with it
        if not area:
            raise ParameterError(f"{type(self).__name__} holds no key {key!r}.")
        return area

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
