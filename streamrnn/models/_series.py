"""What a forecaster of series keeps: channels and features by name, a book for each series, nets, and all of it as bytes."""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import FeatureError, StateError
from streamrnn.kernels.forecast.experts.lstm import CHANGE_INPUT, FEATURE_INPUT, TIME_INPUT, VALUE_INPUT
from streamrnn.kernels.net import words as at
from streamrnn.models._features import Columns, is_unknown, to_float
from streamrnn.models._forecast_states import Books
from streamrnn.models._keys import Keys, key_of
from streamrnn.models._net import Net
from streamrnn.models._recurrent import Recurrent
from streamrnn.models._state_parts import count, keys_and_areas, names_of

__all__ = ["ONLY", "Series"]

ONLY: Final = "y"  # the channel of a series that is one number


class Series(Recurrent):
    """A row is ``[time] | y (C) | x (F) | forecasts (C H) | area``; books beside the nets, one for each series.

    A subclass makes ``_books`` and ``_nets`` in its ``__init__``, and calls :meth:`_lay_row`.
    """

    horizon: int
    _books: Books
    _nets: list[Net]
    _single: bool | None  # y is one number
    _n_seen: int
    _row: NDArray[np.float64]
    _row_y: memoryview
    _row_x: memoryview

    # ---- growth ---------------------------------------------------------------------------------

    def _n_outputs(self) -> int:
        return self.horizon * len(self._targets.names)

    def _width(self) -> int:
        z = self._books.shape if hasattr(self, "_books") else None
        return 1 if z is None else z.timed + z.channels * (1 + self.horizon) + z.features + 1

    def _named_inputs(self, channels: Sequence[Any], features: Sequence[Any]) -> list[Any]:
        own = [(part, name) for name in channels for part in ("value", "change")]
        plain = {("value", ONLY): "y", ("change", ONLY): "change of y"} if self._single else {}
        return [plain.get(one, f"{one[0]} of channel {one[1]!r}") for one in own] + list(features)

    def _enlarge(self, channels: Sequence[Any], features: Sequence[Any]) -> None:
        """Give new channels and features their places; what has been learned stays as it is."""
        if not channels and not features:
            return
        self._check_room(features or ["y"])
        first_channel, first_feature = len(self._targets.names), len(self._columns.names) - (self._time is not None)
        codes = [3 * (first_channel + i) + part for i in range(len(channels)) for part in (VALUE_INPUT, CHANGE_INPUT)]
        codes += [3 * (first_feature + i) + FEATURE_INPUT for i in range(len(features))]
        names = self._named_inputs(channels, features)
        self._columns.add(features)
        self._targets.add(channels)
        self._books.grow(len(channels), len(features), codes)
        for net in self._nets:
            net.grow(names, outputs=self.horizon * len(channels))
        self._lay_row()

    def _values(self, y: Any) -> dict[Any, float]:
        """Return y as values by channel.

        Raises
        ------
        FeatureError
            When it is no number, or of another kind than before.
        """
        single = not isinstance(y, Mapping)
        if single and self._single is False and is_unknown(y):
            return {}
        if self._single is not None and single != self._single:
            was, now = ("a number", "a dict") if self._single else ("a dict of channels", "no dict")
            raise FeatureError(f"The series' values were {was} so far. Got {now} instead: {y!r}.")
        return {ONLY: to_float(ONLY, y)} if single else {name: to_float(name, v) for name, v in y.items()}

    def _lay_row(self) -> None:
        """Make the row that events are written into, and the two parts of it that the short way fills."""
        C = self._books.shape.channels
        self._row = np.full(self._width(), np.nan)
        self._row[-1] = 0.0
        self._row_y, self._row_x = memoryview(self._row[:C]), memoryview(self._row[C:])  # type: ignore[arg-type]

    def _write(self, y: Any, x: Mapping[Any, Any] | None) -> bool:
        """Write an event into the row if it has exactly the channels and features known, in numbers, and no key or time."""
        if self.key is not None or self._time is not None:
            return False
        if self._single:
            if not isinstance(y, float):
                return False
            self._row[0] = y
        elif self._single is None or not isinstance(y, Mapping) or not self._targets.write(y, self._row_y):
            return False
        return self._columns.write(x, self._row_x) if x else not self._columns.names

    def _area(self, x: Mapping[Any, Any] | None) -> int:
        """Return the area of an event that is learned, its book ready."""
        if self.key is None:
            return 0
        have = self._net.sizes.areas
        [code] = self._keys_of([key_of(x or {}, self.key)])
        if self._net.sizes.areas != have and len(self._nets) > 1:
            self._nets[1].grow(areas=self._net.sizes.areas - have)
        if code < 0:
            self._books.begin(-code)
        return code

    def _keys_of(self, keys: Sequence[Any]) -> list[int]:
        return self._touch(keys)

    def _call(self, area: int, rows: NDArray[np.float64], n: int) -> None:
        self._run(self._books, self._nets, area, rows, n)
        self._n_seen += n

    def _run(self, books: Books, nets: list[Net], area: int, rows: NDArray[np.float64], n: int) -> None:
        first, last = (nets[0], nets[-1]) if nets else (self._net, self._net)
        first.call(books.slabs[area], first.slab, last.slab, rows, n)

    def _to_come(self, xs: list[dict[Any, Any]] | None, start: int) -> NDArray[np.float64] | None:
        """Return the features of the H steps from ``start`` on (H, F), NaN where they are not given; None where none counts."""
        if not xs or not self._books.shape.arx or not self._books.shape.features:
            return None
        found = np.full((self.horizon, len(self._columns.names)), np.nan)
        for row, x in zip(found, islice(xs, start, None), strict=False):
            self._columns.write_slowly(x, row)
        return np.ascontiguousarray(found[:, int(self._time is not None) :])

    def _roll(
        self, steps: NDArray[np.float64], horizon: int, xs: list[dict[Any, Any]] | None, area: int
    ) -> NDArray[np.float64]:
        """Return forecasts beyond the model's horizon: a copy takes its own forecasts in, and is asked again."""
        books, nets = self._books.copy(), [copy.deepcopy(net) for net in self._nets]
        books.freeze(1)
        for net in nets:
            net.header[at.FROZEN] = 1
        first, C = int(self._time is not None), books.shape.channels
        while len(steps) < horizon:
            for i in range(len(steps) - self.horizon, len(steps)):
                row = np.full(self._width(), np.nan)
                row[first : first + C] = steps[i]
                if xs is not None:
                    found = np.empty(len(self._columns.names))
                    self._columns.write_slowly(xs[i], found)
                    row[:first], row[first + C : len(found) + C] = found[:first], found[first:]
                row[-1] = area
                self._run(books, nets, area, row, 1)
            steps = np.vstack([steps, books.ahead(area, self._to_come(xs, len(steps)))[0]])
        return steps[:horizon]

    # ---- state ----------------------------------------------------------------------------------

    def reset(self) -> None:
        """Begin a new sequence: what is remembered of the series goes, what was learned stays."""
        super().reset()
        for net in self._nets[1:]:
            net.forget()
        if self.key is not None:
            self._books.slabs = self._books.slabs[:1]
        self._books.forget()

    def freeze(self) -> None:
        """Stop learning: from now on the states move; weights, statistics and beliefs do not."""
        self._set_frozen(1)

    def unfreeze(self) -> None:
        """Learn again."""
        self._set_frozen(0)

    def _set_frozen(self, frozen: int) -> None:
        for net in [self._net, *self._nets[1:]]:
            net.header[at.FROZEN] = frozen
        self._books.freeze(frozen)

    @property
    def n_events(self) -> int:
        """How many events have been taken in."""
        return self._n_seen

    @property
    def n_updates(self) -> int:
        """How often the weights of the nets have been adjusted."""
        return sum(int(net.header[at.UPDATES]) for net in self._nets)

    @property
    def n_refused_updates(self) -> int:
        """How many updates were refused because something in them was not finite."""
        return sum(int(net.header[at.REFUSED]) for net in self._nets)

    def memory_usage(self) -> int:
        """Return the bytes that this model holds: slabs of books and nets, and the Python objects around them."""
        found = [self._row, self._books, self._books.slabs, *self._nets[1:]]
        nets = sum(net.allocated for net in self._nets[1:])
        return super().memory_usage() + nets + self._books.allocated + sum(map(sys.getsizeof, found))

    def __getstate__(self) -> dict[str, Any]:
        """Return parameters, names and the states' bytes: equal models give equal pickles."""
        return {
            "params": {name: _interned(value) for name, value in self._params().items()},
            **({} if self._found_time is None else {"time": _interned(self._found_time)}),
            "names": [_interned(name) for name in self._columns.names],
            "targets": [_interned(name) for name in self._targets.names],
            "inputs": list(self._books.inputs),
            "single": self._single,
            "seen": self._n_seen,
            "areas": self._net.sizes.areas
            if self._nets
            else len(self._keys.areas) + 1,  # without nets nothing lies there
            "keys": list(self._keys.areas.items()),
            "books": self._books.state(),
            "states": [net.state() for net in self._nets],
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild the model from what :meth:`__getstate__` gave.

        Raises
        ------
        StateError
            When the parts do not fit each other.
        """
        expected = {"params", "names", "targets", "inputs", "single", "seen", "areas", "keys", "books", "states"}
        if set(state) - {"time"} != expected:
            odd = ", ".join(sorted(map(str, set(state) - {"time"} ^ expected)))
            raise StateError(f"The forecaster's state lacks or adds parts that this version does not: {odd}.")
        self._found_time = state.get("time")
        self.__init__(**state["params"])  # type: ignore[misc]
        names = names_of(state["names"], "features", self._time, self.key)
        targets = names_of(state["targets"], "channels")
        areas, codes = count(state["areas"], "memories", least=1), [count(one, "an input") for one in state["inputs"]]
        self._single = state["single"]
        kinds = {True: targets == [ONLY], False: True, None: not targets}
        if not isinstance(self._single, bool | None) or not kinds[self._single]:
            raise StateError("The forecaster's state has other channels than a series of its kind.")
        self._columns, self._targets = Columns(names, self.key, self._time), Columns(targets)
        timed = int(self._time is not None)
        features = self._columns.names[timed:]
        wanted = [TIME_INPUT] * timed + [
            3 * c + part for c in range(len(targets)) for part in (VALUE_INPUT, CHANGE_INPUT)
        ]
        wanted += [3 * f + FEATURE_INPUT for f in range(len(features))]
        if sorted(codes) != sorted(wanted) or len(state["states"]) != len(self._nets):
            raise StateError("The forecaster's state gives its nets other inputs than its series and features.")
        by_code = {TIME_INPUT: self._time}
        for c, name in enumerate(targets):
            by_code[3 * c + VALUE_INPUT], by_code[3 * c + CHANGE_INPUT] = self._named_inputs([name], [])
        by_code |= {3 * f + FEATURE_INPUT: name for f, name in enumerate(features)}
        self._books.restore(len(targets), len(features), codes, state["books"])
        for net, one in zip(self._nets, state["states"], strict=True):
            net.restore([by_code[code] for code in codes], self._n_outputs(), one, areas)
        self._keys = Keys(self.max_keys, keys_and_areas(state["keys"], min(areas, len(state["books"])), self.max_keys))
        if self.key is None and (areas > 1 or len(state["books"]) > 1):
            raise StateError("The forecaster's state has memories for keys, and the forecaster no key.")
        if not self._nets and self._keys.areas:
            self._net.grow(areas=len(self._keys.areas))
        self._lay_row()
        self._n_seen = count(state["seen"], "events")


def _interned(value: Any) -> Any:
    """Return equal strings as one object: pickle writes an object that it has seen in another way than an equal one."""
    if type(value) is str:
        return sys.intern(value)
    return tuple(map(_interned, value)) if type(value) is tuple else value
