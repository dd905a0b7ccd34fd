"""What all estimators are: one net, columns by name, parameters from one table, a state of bytes."""

from __future__ import annotations

import inspect
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import FeatureError, StateError
from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.layout import Sizes
from streamrnn.models import _defaults as defaults
from streamrnn.models import _translate as translate
from streamrnn.models._features import Columns, is_moment
from streamrnn.models._frames import Table, first_of, table_of
from streamrnn.models._keys import Keys, key_of
from streamrnn.models._net import Net
from streamrnn.models._parameters import check, check_all
from streamrnn.models._state_parts import count, keys_and_areas, names_of, waiting

__all__ = ["Pending", "Recurrent"]


class Pending(NamedTuple):
    """An event that waits for its label.

    Parameters
    ----------
    raw
        Its features as they came, the bytes of I float64: what a label is matched by.
    scaled
        The same, standardised by the statistics of its moment.
    """

    raw: bytes
    scaled: bytes


class Recurrent:
    """Parameters, growth, keys, state and introspection of an estimator; what it learns is its subclass's business.

    A subclass says which ``_entry`` runs its events, which ``_tasks`` its loss may have, what the net's inputs
    and outputs are (``_inputs_of``, ``_n_outputs``) and how long a row of the entry is (``_width``).
    """

    _entry: ClassVar[Any]
    _tasks: ClassVar[tuple[str, ...]] = ("regression",)
    _fixed_inputs: ClassVar[tuple[str, ...]] = ()  # inputs that are no features, in front of them
    _updates_late: ClassVar[bool] = False  # an update that is due waits for the next event
    _strides: ClassVar[tuple[int, int]] = (defaults.STRIDE, defaults.STRIDE)  # if none is given: one stream, by key
    _paced: ClassVar[bool] = False  # an optimiser's own settings follow the stride
    _spare: ClassVar[int] = 0  # slots of the window that are free between two events, for asking
    _found_time: Any = None  # the feature that was found to be the time, where none was named
    cell: str
    hidden_size: int
    n_layers: int
    window: int
    stride: int | None
    learning: str | None
    optimizer: Any
    loss: Any
    normalize: bool
    key: Any
    max_keys: int
    time: Any
    max_features: int
    seed: int

    def _start(self, given: Mapping[str, Any]) -> None:
        """Store each parameter under its own name, check all of them, make the net."""
        params = {name: value for name, value in given.items() if name not in ("self", "__class__")}
        owner = type(self).__name__
        for name, value in params.items():
            setattr(self, name, value)
        check_all(owner, params)
        loss = translate.loss(self.loss, owner, self._tasks)
        key, time = self.key, self.time
        check(owner, "time", time, f"another feature than the key ({key!r})", ok=time is None or time != key)
        self._time = time = self._found_time if time is None else time
        traces = self.learning == "traces" or (self.learning is None and key is None)
        self._late_labels = params.get("advance") == "predict"
        stride = min(self._strides[key is not None], self.window) if self.stride is None else self.stride
        rule = self._rule(self.lr, stride)
        sizes = Sizes(
            self.cell, 0, self.hidden_size, 0, layers=self.n_layers, window=self.window, stride=stride, traces=traces,
            keyed=key is not None, timed=time is not None, live=self._late_labels,
            memory=self._remembers(),
        )  # fmt: skip
        self._net = Net(
            sizes, self.seed, optimizer=rule.name, schedule=rule.schedule, loss=loss.name,
            settings=rule.settings, loss_settings=list(loss.settings.values()),
            normalize_inputs=bool(self.normalize), normalize_targets=bool(self.normalize) and loss.name not in ("poisson", "cross_entropy"),
            entry=self._entry(self.cell, self.hidden_size),
        )  # fmt: skip
        self._loss = loss.name
        self._special = key is not None or self._late_labels
        self._keys = Keys(self.max_keys)
        self._pending: dict[int, deque[Pending]] = {}
        self._n_dropped = 0
        self._columns, self._targets = Columns((), key, time), Columns()
        self._net.grow([*self._fixed_inputs, *self._inputs_of(self._columns.names)])
        self._net.lay_row(self._width())

    def _rule(self, lr: float | None, stride: int) -> translate.OptimizerChoice:
        """Return the optimiser, its settings and its schedule at a learning rate; None: at the optimiser's own."""
        rule = translate.optimizer(self.optimizer, type(self).__name__)
        if lr is not None:
            return rule._replace(settings={**rule.settings, "lr": lr})
        return translate.paced(rule, stride) if self._paced and isinstance(self.optimizer, str) else rule

    @property
    def lr(self) -> float | None:
        """The learning rate asked for; None: the optimiser's own. Set anew (``mutate({"lr": 0.001})``) it holds from the next update on.

        What has been learned, the optimiser's moments and a schedule's count of updates stay.

        Examples
        --------
        >>> from streamrnn import RNNRegressor
        >>> model = RNNRegressor(lr=0.01)
        >>> model.learn_one({"level": 1.0}, 2.0)
        >>> model.mutate({"lr": 0.001})
        >>> model.lr
        0.001
        """
        return self._lr

    @lr.setter
    def lr(self, lr: float | None) -> None:
        check_all(type(self).__name__, {"lr": lr})
        self._lr = lr
        if "_net" in vars(self):
            self._quicken()

    def _quicken(self) -> None:
        """Let all nets go on at the learning rate as it is now."""
        rule = self._rule(self.lr, self._net.sizes.stride)
        self._net.tune(rule.settings, rule.schedule)

    @property
    def _mutable_attributes(self) -> set[str]:
        return {"lr"}

    @classmethod
    def _unit_test_params(cls) -> Iterator[dict[str, Any]]:
        """Yield the parameters that river's own checks make models with."""
        yield {"hidden_size": 8}

    # ---- what subclasses say --------------------------------------------------------------------

    def _inputs_of(self, names: Sequence[Any]) -> list[Any]:
        """Return the names of the net's inputs for these features."""
        return list(names)

    def _n_outputs(self) -> int:
        """Return how many outputs the net has for the features and targets known."""
        return len(self._targets.names)

    def _remembers(self) -> int:
        """Return how many events are kept to compare others with."""
        return 0

    def _width(self) -> int:
        """Return the length of one row of the entry."""
        return self._net.sizes.inputs + 2 * self._net.sizes.outputs + self._net.sizes.keyed

    # ---- growth ---------------------------------------------------------------------------------

    def _grow(self, features: Sequence[Any] = (), targets: Sequence[Any] = ()) -> None:
        """Give new features and targets their places; what has been learned stays as it is."""
        self._check_room(features)
        self._columns.add(features)
        self._targets.add(targets)
        self._net.grow(self._inputs_of(features), outputs=self._n_outputs() - self._net.sizes.outputs)
        self._net.lay_row(self._width())
        if features:
            raw, scaled = np.full(len(features), np.nan).tobytes(), bytes(8 * len(features))
            for (
                area,
                queue,
            ) in self._pending.items():  # an event waits as if it had had the new features, without a value
                self._pending[area] = deque(Pending(one.raw + raw, one.scaled + scaled) for one in queue)

    def _check_room(self, features: Sequence[Any]) -> None:
        """Raise when so many more do not fit."""
        known, most = len(self._columns.names), self.max_features
        if known + len(features) > most:
            raise FeatureError(
                f"{type(self).__name__} has {known} features, and {features[0]!r} would be one more than "
                f"max_features={most} allows. Drop features, or raise max_features."
            )

    def _find_time(self, x: Mapping[Any, Any]) -> None:
        """Take the only date among the features of a model's first event for its time, where none was named.

        The model begins anew with it, which it can as long as it knows nothing. All that may be wrong with the event's features is found before.
        """
        if not self._knows_nothing():
            return
        names = self._columns.new(x)
        times = [name for name in names if is_moment(x[name])]
        if len(times) != 1:
            return
        self._check_room(names)
        if self.key is not None:
            key_of(x, self.key)
        others = [name for name in names if name not in times]
        Columns(others).write_slowly(x, np.empty(len(others)))
        self._begin_with_time(times[0])

    def _knows_nothing(self) -> bool:
        """Tell whether no event has come yet, and no time was named."""
        return self._time is None and not (self._columns.names or self.n_events or self._n_dropped)

    def _begin_with_time(self, name: Any) -> None:
        """Begin anew, with a time."""
        frozen = self._net.header[at.FROZEN]
        self._found_time = name
        del self._net
        self.__init__(**self._params())  # type: ignore[misc]
        if frozen:
            self.freeze()

    def _params(self) -> dict[str, Any]:
        """Return all parameters by name: not river's ``_get_params``, which takes nested objects apart."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def _table(self, X: Any, names: Sequence[Any] | None = None) -> Table:
        """Return a block as a table. The only date in the first row of a first block is the time, as in :meth:`_find_time`."""
        time = self._time
        if self._knows_nothing():
            times = [name for name, value in first_of(X).items() if name != self.key and is_moment(value)]
            time = times[0] if len(times) == 1 else None
        return table_of(X, self.key, time, names)

    def _with_time(self, table: Table, fresh: list[Any]) -> list[Any]:
        """Let the time that a block has brought be the model's; return what is left of its new names."""
        if table.time is None or table.time not in fresh:
            return fresh
        self._begin_with_time(table.time)
        return [name for name in fresh if name != table.time]

    def _look(self, x: Mapping[Any, Any]) -> None:
        """Put x into the row. A name without a column is passed over: it gets one when it is learned."""
        if not self._columns.write(x, self._net.row):
            self._columns.write_slowly(x, self._net.row)

    def _take(self, x: Mapping[Any, Any], targets: Sequence[Any] = ()) -> None:
        """Put x into the row; new names get columns, and new targets outputs. Raises before anything has changed."""
        if not targets and self._columns.write(x, self._net.row):
            return
        self._find_time(x)
        fresh = self._columns.new(x)
        if fresh or targets:
            Columns(fresh).write_slowly(x, np.empty(len(fresh)))
            self._columns.write_slowly(x, self._net.row)
            self._grow(fresh, targets)
        self._columns.write_slowly(x, self._net.row)

    # ---- keys -----------------------------------------------------------------------------------

    def _find(self, x: Mapping[Any, Any]) -> int:
        """Return the area of x's stream; 0 where a key has none."""
        return 0 if self.key is None else self._keys.find(key_of(x, self.key))

    def _touch(self, keys: Iterable[Any]) -> list[int]:
        """Return the areas of events to come, one for each key; negative where one begins anew."""
        codes = [self._keys.touch(key) for key in keys]
        have, need = self._net.sizes.areas, len(self._keys.areas) + 1
        if need > have:  # twice as much each time, up to what max_keys may need
            self._net.grow(areas=min(max(need, 2 * have), self.max_keys + 1) - have)
        return codes

    # ---- memory of the stream -------------------------------------------------------------------

    def reset(self) -> None:
        """Begin a new sequence: hidden state, window and traces are as before the first event, for every key.

        Weights and running statistics stay. Use it between sequences that have nothing to do with each other.
        """
        self._net.forget()
        self._keys = Keys(self.max_keys)
        self._pending = {}

    def freeze(self) -> None:
        """Stop learning: from now on the state moves, weights and statistics do not. A frozen net is the net of the past."""
        self._net.header[at.FROZEN] = 1

    def unfreeze(self) -> None:
        """Learn again."""
        self._net.header[at.FROZEN] = 0

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
            self._keys.areas,
            self._pending,
        ]
        found += [part for one in columns for part in (one, one.names, one.index)]
        found += [part for queue in self._pending.values() for one in queue for part in (one, one.raw, one.scaled)]
        found += [*self._keys.areas, *self._pending.values()]
        ways = [net.ask, net.learn, *(way for one in columns for way in (one.get, one.write))]
        cells = [cell for way in ways for cell in getattr(way, "__closure__", None) or ()]
        found += [*ways, *cells, *(cell.cell_contents for cell in cells if cell.cell_contents is not net.code)]
        own = {id(part): part for part in found}  # some are reached in several ways
        return self._net.allocated + sum(map(sys.getsizeof, own.values()))

    @property
    def n_events(self) -> int:
        """How many events have been taken in."""
        return int(self._net.header[at.EVENTS])

    @property
    def n_updates(self) -> int:
        """How often the weights have been adjusted."""
        return int(self._net.header[at.UPDATES])

    @property
    def n_refused_updates(self) -> int:
        """How many updates were refused because something in them was not finite."""
        return int(self._net.header[at.REFUSED])

    @property
    def tally(self) -> tuple[int, int, float]:
        """Updates refused, targets learned, and the sum of their losses, all since the first event.

        Differences say what happened in between: the mean loss, say, in the loss's unit, on standardised targets.
        """
        header = self._net.header
        return int(header[at.REFUSED]), int(header[at.LEARNED]), float(self._net.array("loss")[0])

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
        (K, H), ``head.bias`` (K), ``head.inputs`` (K, I). G columns are the cell's gates, H each.
        """
        sizes, cell = self._net.sizes, CELLS[self.cell]
        H = sizes.hidden
        first, own = cell.first_row(H), cell.recurrent_rows(H)
        sealed = np.frombuffer(self._net.slab.data.toreadonly(), np.uint8)  # whose views cannot be made writable
        view, found = self._net.layout.view, {}
        for layer in range(sizes.layers):
            W, n = view(sealed, f"layer{layer}.weights"), sizes.inputs if layer == 0 else H
            if cell.recurrent:
                found[f"layer{layer}.recurrent"] = W[:H]
            if cell.own:
                found[f"layer{layer}.own"] = W[own : own + cell.own]
            found[f"layer{layer}.bias"] = W[first]
            found[f"layer{layer}.inputs"] = W[first + 1 : first + 1 + n]
        head = view(sealed, "head")
        found["head.hidden"], found["head.bias"] = head[:, :H], head[:, H]
        found["head.inputs"] = head[:, H + 1 : H + 1 + sizes.inputs]
        return found

    # ---- the state as data ----------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        """Return parameters, names and the state's bytes: equal models give equal pickles."""
        return {
            "params": self._params(),
            **({} if self._found_time is None else {"time": self._found_time}),
            "names": list(self._columns.names),
            "targets": list(self._targets.names),
            "areas": self._net.sizes.areas,
            "keys": list(self._keys.areas.items()),
            "pending": [(area, *one) for area, queue in sorted(self._pending.items()) for one in queue],
            "dropped": self._n_dropped,
            "state": self._net.state(),
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
        self._columns, self._targets = Columns(names, self.key, self._time), Columns(targets)
        self._net.restore(
            [*self._fixed_inputs, *self._inputs_of(names)],
            self._n_outputs(),
            state["state"],
            areas,
            self._net.sizes.stride - (not self._updates_late),
            self._spare,
        )
        self._net.lay_row(self._width())
        self._keys = Keys(self.max_keys, keys_and_areas(state["keys"], areas, self.max_keys))
        if self.key is None and areas > 1:
            raise StateError("The model's state has memories for keys, and the model no key.")
        most = self.max_pending if self._late_labels else 0  # type: ignore[attr-defined]
        for area, raw, scaled in waiting(state["pending"], areas, 8 * self._net.sizes.inputs, most):
            self._pending.setdefault(area, deque()).append(Pending(raw, scaled))
        self._n_dropped = count(state["dropped"], "dropped labels")
