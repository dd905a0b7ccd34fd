"""What a forecaster keeps: its series' memory, counters, and all of it as bytes."""

from __future__ import annotations

import sys
from typing import Any

from streamrnn.errors import StateError
from streamrnn.kernels.forecast.experts.lstm import CHANGE_INPUT, FEATURE_INPUT, TIME_INPUT, VALUE_INPUT
from streamrnn.kernels.net import words as at
from streamrnn.models._features import Columns
from streamrnn.models._series import ONLY, Series, codes_of, head_of
from streamrnn.models._state_parts import count, keys_from, names_of, written_keys

__all__ = ["SeriesState"]


class SeriesState(Series):
    """The state of a forecaster: begun anew, frozen, counted, saved and restored."""

    def reset(self) -> None:
        """Begin a new sequence: what is remembered of the series goes, what was learned stays."""
        super().reset()
        for net in self._nets[1:]:
            net.forget()
        if self.key is not None:
            self._states.slabs = self._states.slabs[:1]
        self._states.forget()

    def freeze(self) -> None:
        """Stop learning: from now on the states move; weights, statistics and the experts' weights do not."""
        self._set_frozen(1)

    def unfreeze(self) -> None:
        """Learn again."""
        self._set_frozen(0)

    def _set_frozen(self, frozen: int) -> None:
        for net in [self._net, *self._nets[1:]]:
            net.header[at.FROZEN] = frozen
        self._states.freeze(frozen)

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
        """Return the bytes that this model holds: slabs of forecast states and nets, and the Python objects around them."""
        found = [self._row, self._states, self._states.slabs, *self._nets[1:]]
        nets = sum(net.allocated for net in self._nets[1:])
        return super().memory_usage() + nets + self._states.allocated + sum(map(sys.getsizeof, found))

    def written_state(self) -> dict[str, Any]:
        """Return parameters, names and the states, in pieces that are good until the model learns again."""
        return {
            "params": {name: _interned(value) for name, value in self._params().items()},
            **({} if self._found_time is None else {"time": _interned(self._found_time)}),
            "names": [_interned(name) for name in self._columns.names],
            "targets": [_interned(name) for name in self._targets.names],
            "inputs": list(self._states.inputs),
            "single": self._single,
            "seen": self._n_seen,
            "areas": self._net.sizes.areas if self._nets else self._keys.last + 1,  # without nets nothing lies there
            **written_keys(self._keys),
            "forecast_states": self._states.pieces(),
            "states": [net.pieces() for net in self._nets],
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild the model from what :meth:`__getstate__` gave.

        Raises
        ------
        StateError
            When the parts do not fit each other.
        """
        expected = {
            "params",
            "names",
            "targets",
            "inputs",
            "single",
            "seen",
            "areas",
            "keys",
            "forecast_states",
            "states",
        }
        if set(state) - {"time", "ticks"} != expected:
            odd = ", ".join(sorted(map(str, set(state) - {"time", "ticks"} ^ expected)))
            raise StateError(f"The forecaster's state lacks or adds parts that this version does not: {odd}.")
        self._found_time = state.get("time")
        self.__init__(**state["params"])  # type: ignore[misc]
        names = names_of(state["names"], "features", self._time, self.key)
        targets = names_of(state["targets"], "channels")
        areas, codes = (
            count(state["areas"], "memories", least=1),
            [count(one, "an input", least=TIME_INPUT) for one in state["inputs"]],
        )
        self._single = state["single"]
        kinds = {True: targets == [ONLY], False: True, None: not targets}
        if not isinstance(self._single, bool | None) or not kinds[self._single]:
            raise StateError("The forecaster's state has other channels than a series of its kind.")
        self._columns, self._targets = Columns(names, self.key, self._time), Columns(targets)
        timed = int(self._time is not None)
        features = self._columns.names[timed:]
        wanted = [TIME_INPUT] * timed + codes_of(range(len(targets)), range(len(features)))
        if sorted(codes) != sorted(wanted) or len(state["states"]) != len(self._nets):
            raise StateError("The forecaster's state gives its nets other inputs than its series and features.")
        by_code = {TIME_INPUT: self._time}
        for c, name in enumerate(targets):
            by_code[3 * c + VALUE_INPUT], by_code[3 * c + CHANGE_INPUT] = self._named_inputs([name], [])
        by_code |= {3 * f + FEATURE_INPUT: name for f, name in enumerate(features)}
        self._states.restore(len(targets), len(features), codes, state["forecast_states"])
        for net, one in zip(self._nets, state["states"], strict=True):
            net.restore(
                [by_code[code] for code in codes], self._n_outputs(), one, areas, head_of=head_of(codes, len(targets))
            )
        self._keys = keys_from(state, min(areas, len(state["forecast_states"])), self.max_keys)
        if self.key is None and (areas > 1 or len(state["forecast_states"]) > 1):
            raise StateError("The forecaster's state has memories for keys, and the forecaster no key.")
        if not self._nets and len(self._keys):
            self._net.grow(areas=self._keys.last)
        self._lay_row()
        self._n_seen = count(state["seen"], "events")


def _interned(value: Any) -> Any:
    """Return equal strings as one object: pickle writes an object that it has seen in another way than an equal one."""
    if type(value) is str:
        return sys.intern(value)
    return tuple(map(_interned, value)) if type(value) is tuple else value
