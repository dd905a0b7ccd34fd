"""What all estimators are: a net that grows, which can be looked into and kept as bytes."""

from __future__ import annotations

import struct
import sys
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import StateError
from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.net import words as at
from streamrnn.models._features import Columns
from streamrnn.models._growing import Pending
from streamrnn.models._keys import Keys
from streamrnn.models._many_keys import ManyKeys
from streamrnn.models._net import Net
from streamrnn.models._net_state import check_header, check_shared
from streamrnn.models._sparse import folded, kinds_of
from streamrnn.models._state_parts import count, joined, keys_from, names_of, waiting, written_keys

__all__ = ["Counters", "Recurrent"]


class Counters(NamedTuple):
    """What a net has done since its first event.

    Parameters
    ----------
    refused
        Updates refused because something in them was not finite.
    learned
        Targets learned.
    loss
        The sum of their losses, in the loss's unit, on standardised targets.
    """

    refused: int
    learned: int
    loss: float


class Recurrent(ManyKeys):
    """Introspection and state of an estimator; what it learns is its subclass's business.

    A subclass says what :class:`~streamrnn.models._growing.Growing` asks for.
    """

    # ---- introspection --------------------------------------------------------------------------

    def memory_usage(self) -> int:
        """Return the bytes that this model holds: the net's slab to the byte, and the Python objects around it.

        Compiled code and layouts are shared by all models of the same sizes and not counted. river's own ``_memory_usage``
        counts arrays twice.
        """
        net, columns = self._net, [self._columns, self._targets]
        found = [
            self,
            vars(self),
            net,
            vars(net),
            net.row,
            net.cells,
            net.inputs,
            self._keys,
            self._keys.table,
            self._keys.ticks,
            self._pending,
        ]
        found += [part for one in columns for part in (one, one.names, one.index, one.blank, one.counted, one.shared)]
        found += [part for queue in self._pending.values() for one in queue for part in (one, one.raw, one.scaled)]
        found += [*self._keys, *self._pending.values()]
        ways: list[Any] = [net.predict, net.learn, *(way for one in columns for way in (one.get, one.write))]
        found += [
            part
            for way in ways[:2]
            if isinstance(plan := getattr(way, "__self__", None), tuple)
            for part in (plan, *plan)
        ]
        cells = [cell for way in ways for cell in getattr(way, "__closure__", None) or ()]
        held = [cell.cell_contents for cell in cells if cell.cell_contents is not net.code]
        packers = [getattr(one, "func", one) for one in held]  # of a partial, what it calls
        structs = [one.__self__ for one in packers if isinstance(getattr(one, "__self__", None), struct.Struct)]
        found += [*ways, *cells, *held, *packers, *structs, *(getattr(way, "__closure__", None) or () for way in ways)]
        own = {id(part): part for part in found}  # some are reached in several ways
        return self._net.allocated + sum(map(sys.getsizeof, own.values()))

    @property
    def n_updates(self) -> int:
        """How often the weights have been adjusted."""
        return int(self._net.header[at.UPDATES])

    @property
    def n_refused_updates(self) -> int:
        """How many updates were refused because something in them was not finite."""
        return int(self._net.header[at.REFUSED])

    @property
    def learning_counters(self) -> Counters:
        """Updates refused, targets learned, and the sum of their losses, all since the first event.

        Differences say what happened in between: the mean loss, say, in the loss's unit, on standardised targets.
        """
        header = self._net.header
        return Counters(int(header[at.REFUSED]), int(header[at.LEARNED]), float(self._net.array("loss")[0]))

    @property
    def learning_curve(self) -> list[tuple[int, float]]:
        """The loss as it went down: (targets learned so far, mean loss since the entry before).

        One entry for each doubling of the number of targets learned, so that it never grows beyond 64. Units: the
        loss's, on standardised targets.
        """
        learned = int(self._net.header[at.LEARNED])
        curve = self._net.array("curve")
        ends = [min(2 ** (b + 1) - 1, learned) for b in range(at.N_DOUBLINGS) if 2**b <= learned]
        return [(end, float(curve[b]) / (end - 2**b + 1)) for b, end in enumerate(ends)]

    @property
    def weights(self) -> dict[str, NDArray[np.float32]]:
        """The weights by name, as read-only views: they change as the model learns.

        ``layer0.recurrent`` (H, G), ``layer0.own`` (rows, G) where the cell has weights of its own, ``layer0.bias`` (G),
        ``layer0.inputs`` (I, G), further layers alike; ``head.hidden``
        (K, H), ``head.bias`` (K), ``head.inputs`` (K, I). G columns are the cell's gates, H each. Where the net is told its last targets,
        ``layer0.targets`` (A, G) and ``head.targets`` (K, A): the age and each target or class.
        """
        sizes, cell = self._net.sizes, CELLS[self.cell]
        H = sizes.hidden
        first, own = cell.first_row(H), cell.recurrent_rows(H)
        sealed = np.frombuffer(self._net.slab.data.toreadonly(), np.uint8)  # whose views cannot be made writable
        view, found = self._net.layout.view, {}
        for layer in range(sizes.layers):
            W, n = view(sealed, f"layer{layer}.weights"), sizes.features if layer == 0 else H
            if cell.recurrent:
                found[f"layer{layer}.recurrent"] = W[:H]
            if cell.own:
                found[f"layer{layer}.own"] = W[own : own + cell.own]
            found[f"layer{layer}.bias"] = W[first]
            found[f"layer{layer}.inputs"] = W[first + 1 : first + 1 + n]
            if layer == 0 and sizes.target_inputs:
                found["layer0.targets"] = W[first + 1 + n : first + 1 + sizes.width]
        head = view(sealed, "head")
        found["head.hidden"], found["head.bias"] = head[:, :H], head[:, H]
        found["head.inputs"] = head[:, H + 1 : H + 1 + sizes.features]
        if sizes.target_inputs:
            found["head.targets"] = head[:, H + 1 + sizes.features : H + 1 + sizes.width]
        return found

    # ---- the state as data ----------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        """Return parameters, names and the state's bytes: equal models give equal pickles."""
        found: dict[str, Any] = joined(self.written_state())
        return found

    def written_state(self) -> dict[str, Any]:
        """Return the same with large parts in pieces that are read where they lie: they are good until the model learns again."""
        areas = 1 + self._keys.highest  # no more: those that are ready for keys to come are blank
        return {
            "params": self._params(),
            **({} if self._found_time is None else {"time": self._found_time}),
            **({"own": len(self._net.inputs)} if self._net.sizes.folded else {}),
            "names": list(self._columns.names),
            "targets": list(self._targets.names),
            "areas": areas,
            "pending": [(area, *one) for area, queue in sorted(self._pending.items()) for one in queue],
            "dropped": self._n_dropped,
            "state": self._net.pieces(areas),
            **written_keys(self._keys),  # behind what lies in places: a key more moves nothing
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild the model from what :meth:`__getstate__` gave.

        Raises
        ------
        StateError
            When the parts do not fit each other.
        """
        if unknown := set(state) - {
            "params",
            "names",
            "targets",
            "areas",
            "keys",
            "pending",
            "dropped",
            "state",
            "time",
            "own",
            "ticks",
        }:
            raise StateError(
                f"The model's state has parts that this version does not know: {', '.join(map(str, unknown))}."
            )
        self._found_time = state.get("time")
        self.__init__(**state["params"])  # type: ignore[misc]
        names = names_of(state["names"], "features", self._time, self.key)
        areas = count(state["areas"], "memories", least=1)
        targets, own = names_of(state["targets"], "targets"), self._targets.names
        if own and targets != own:
            raise StateError(f"The model's state has other targets than {own}.")
        self._columns, self._targets = self._columns_of(names), Columns(targets)
        n_own = count(state.get("own", len(names)), "columns with an input of their own")
        self._net.restore(
            [*self._fixed_inputs, *self._inputs_of(names[:n_own])],
            self._n_outputs(),
            state["state"],
            areas,
            self._net.sizes.stride - (not self._updates_late),
            self._spare,
            *self._target_inputs(),
            folded=folded(len(names) - n_own) if self.missing != "mean" else 0,
        )
        if self._net.sizes.sparse:
            self._columns.lay(self._net.sizes.inputs)
            self._columns.count_on(kinds_of(self._net.array("kinds"), names))
        self._net.lay_row(self._width())
        self._net.row[len(names) : self._net.sizes.inputs if self._net.sizes.sparse else 0] = 0.0
        self._hold(*self._held_beside(state, areas))

    def _check_state(self, net: Net) -> None:
        """Raise where a net with the state of another, whose header is right, holds what none of this model's can."""
        check_shared(net.slab, net.layout)
        self._rules_of(net).check(net.slab[net.layout.area_at : net.layout.state_nbytes])

    def _held_beside(self, state: Mapping[str, Any], areas: int) -> tuple[Keys, dict[int, deque[Pending]], int]:
        """Return what a state holds beside the net: keys, events that wait, and how many labels were dropped."""
        keys, pending = keys_from(state, areas, self.max_keys), dict[int, deque[Pending]]()
        if self.key is None and areas > 1:
            raise StateError("The model's state has memories for keys, and the model no key.")
        most = self.max_pending if self._late_labels else 0  # type: ignore[attr-defined]
        sizes = 8 * self._net.sizes.inputs, 8 * (self._net.sizes.inputs + self._net.sizes.waited)
        for area, raw, scaled in waiting(state["pending"], areas, sizes, most):
            pending.setdefault(area, deque()).append(Pending(raw, scaled))
        return keys, pending, count(state["dropped"], "dropped labels")

    def _hold(self, keys: Keys, pending: dict[int, deque[Pending]], dropped: int) -> None:
        self._keys, self._pending, self._n_dropped, self._event = keys, pending, dropped, None

    def take_state(self, state: Mapping[str, Any]) -> bool:
        """Take up a state in place, where it lies as this model's own; return whether it does. Nothing has changed if not.

        For :func:`streamrnn.load_into`.

        Parameters
        ----------
        state
            From another model of this class.

        Raises
        ------
        StateError
            When its parts do not fit each other. Nothing has changed then.
        """
        net, data, areas = self._net, state.get("state"), self._net.sizes.areas
        mine = {
            "params": self._params(),
            "names": list(self._columns.names),
            "targets": list(self._targets.names),
            "areas": areas,
        }
        alike = all(state.get(name) == one for name, one in mine.items()) and state.get("time") == self._found_time
        beside = {"pending", "dropped", "state", "time", "keys", "ticks"}
        if not alike or net.sizes.sparse or set(state) - set(mine) - beside or type(data) is not bytes:
            return False
        if len(data) != net.layout.state_nbytes:
            return False
        looked = net.with_state(data)
        check_header(looked.header, net.header)
        self._check_state(looked)
        held = self._held_beside(state, areas)
        net.bind(0)
        net.slab[: len(data)] = looked.slab[: len(data)]
        net.array("prepared")[:] = 0
        self._hold(*held)
        return True
