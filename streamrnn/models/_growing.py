"""How an event becomes a row: one net, columns by name that may be added at any time, a memory for each key."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import FeatureError
from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.layout import Sizes
from streamrnn.models import _defaults as defaults
from streamrnn.models import _translate as translate
from streamrnn.models._features import Columns, is_moment
from streamrnn.models._frames import Table, first_of, table_of
from streamrnn.models._front import experts_of
from streamrnn.models._keys import Keys, key_of, keys_of
from streamrnn.models._net import Net
from streamrnn.models._parameters import check, check_all
from streamrnn.models._sparse import find_counted, folded

__all__ = ["Growing", "Now", "Pending"]


def _widened(stated: bytes, old: Sizes, new: Sizes) -> bytes:
    """Return what experts stated of the old outputs, and nothing (NaN) of the new ones."""
    if not (new.outputs and new.waited > new.told):
        return b""
    rows = np.frombuffer(stated).reshape((new.waited - new.told) // new.outputs, old.outputs)
    return np.pad(rows, ((0, 0), (0, new.outputs - old.outputs)), constant_values=np.nan).tobytes()


class Pending(NamedTuple):
    """An event that waits for its label.

    Parameters
    ----------
    raw
        Its features as they came, the bytes of I float64: what a label is matched by.
    scaled
        What the net was given: the same, standardised by the statistics of its moment, what was told of the targets before, and what the experts stated.
    """

    raw: bytes
    scaled: bytes


class Now(NamedTuple):
    """The event that an estimator is at.

    Parameters
    ----------
    x
        The very dict that it came as.
    area
        Whose event it is.
    raw
        Its features as they came, the bytes of I float64.
    said
        What was answered, (K,).
    """

    x: Any
    area: int
    raw: bytes
    said: NDArray[np.float64]


class Growing:
    """Parameters, growth, keys and life of an estimator: how an event becomes a row of the net.

    A subclass says which ``_entry`` runs its events, which ``_tasks`` its loss may have, what the net's inputs
    and outputs are (``_inputs_of``, ``_n_outputs``) and how long a row of the entry is (``_width``).
    """

    _entry: ClassVar[Any]
    _tasks: ClassVar[tuple[str, ...]] = ("regression",)
    _fixed_inputs: ClassVar[tuple[str, ...]] = ()  # inputs that are no features, in front of them
    _updates_late: ClassVar[bool] = False  # an update that is due waits for the next event
    _strides: ClassVar[tuple[int, int]] = (defaults.STRIDE, defaults.STRIDE)  # if none is given: one stream, by key
    _whole_window: ClassVar[bool] = True  # a stride that is not given may be as long as the window, else half of it
    _rate: ClassVar[float | None] = None  # the rate of the default optimiser of labels
    _paced: ClassVar[bool] = False  # an optimiser's own settings follow the stride
    _spare: ClassVar[int] = 0  # slots of the window that are free between two events, for asking
    _weighted: ClassVar[bool] = False  # rows say what an event weighs
    _found_time: Any = None  # the feature that was found to be the time, where none was named
    cell: str
    hidden_size: int
    n_layers: int
    window: int | None
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
    autoregressive: bool = False
    missing: str = "mean"
    _noted: list[Any] | None = None  # the places of events to come, for who asked for them

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
        self._late_labels = params.get("advance") in ("predict", "event")
        self._event: Now | None = None  # with advance="event": the one that both predictions and labels mean
        window, stride = self._window_and_stride(traces=traces)
        rule = self._rule(self.lr, stride)
        sizes = Sizes(
            self.cell, 0, self.hidden_size, 0, layers=self.n_layers, window=window, stride=stride, traces=traces,
            keyed=key is not None, timed=time is not None, live=self._late_labels,
            memory=self._remembers(), light=self._light, experts=experts_of(owner, params, loss.name), classes=loss.name == "cross_entropy",
            sparse=self.missing != "mean", weighted=self._weighted, balanced=self._balanced, seasonal=self._seasonal,
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
        self._columns, self._targets = self._columns_of(()), Columns()
        self._net.grow([*self._fixed_inputs, *self._inputs_of(self._columns.names)])
        self._net.lay_row(self._width())

    def _window_and_stride(self, *, traces: bool) -> tuple[int, int]:
        """Return T and S: as they were given, or by what the net learns."""
        window, stride = self.window, self.stride
        if window is None:
            window = self._own_window(carried=traces and CELLS[self.cell].traced > 0)
            window = max(window, (1 if self._whole_window else 2) * (stride or 0))
        if stride is not None:
            return window, stride
        most = window if self._whole_window else max(window // 2, 1)
        return window, min(self._strides[self.key is not None], most)

    def _rule(self, lr: float | None, stride: int) -> translate.OptimizerChoice:
        """Return the optimiser, its settings and its schedule at a learning rate; None: at the optimiser's own."""
        rule = translate.optimizer(self.optimizer, type(self).__name__)
        if lr is not None:
            return rule._replace(settings={**rule.settings, "lr": lr})
        if self._rate is not None and self.optimizer == defaults.OPTIMIZER_OF_LABELS:
            rule = rule._replace(settings={**rule.settings, "lr": self._rate})
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

    def _lasts(self) -> int:
        """Return how many numbers say what the last targets were."""
        return len(self._targets.names)

    def _target_inputs(self) -> tuple[int, int]:
        """Return how many inputs say what the targets before were, and how many numbers are kept for that."""
        known = len(self._targets.names)
        return (1 + self._told(known), self._lasts()) if self.autoregressive and known else (0, 0)

    def _told(self, known: int) -> int:
        """Return how many inputs the last targets have, of which so many are known."""
        return known

    def _remembers(self) -> int:
        """Return how many events are kept to compare others with."""
        return 0

    def _own_window(self, *, carried: bool) -> int:
        """Return the window where none is given; ``carried``: whether traces reach beyond it."""
        return defaults.WINDOW_OF_LABELS if carried or self.key is not None else defaults.WINDOW

    @property
    def _light(self) -> bool:
        """Whether what is expected of a feature has the light form."""
        return False

    def _aside(self) -> Any:
        """Return the name of what comes with the features and is none; None: there is no such."""
        return None

    def _width(self) -> int:
        """Return the length of one row of the entry."""
        sizes = self._net.sizes
        return sizes.inputs + 2 * sizes.outputs + sizes.waited + sizes.weighted + sizes.keyed

    @property
    def _seasonal(self) -> bool:
        """Whether the season of the one target is looked for."""
        return False

    @property
    def _balanced(self) -> bool:
        """Whether a label weighs the more, the rarer it is."""
        return False

    def _columns_of(self, names: Sequence[Any], counted: Sequence[Any] = ()) -> Columns:
        """Return columns with these names, of which some are 0 where they are absent."""
        most = self.max_features if self.missing != "mean" else None
        return Columns(names, self.key, self._time, counted, most, self._aside())

    # ---- growth ---------------------------------------------------------------------------------

    def _grow(self, features: Sequence[Any] = (), targets: Sequence[Any] = ()) -> None:
        """Give new features and targets their places; what has been learned stays as it is. Beyond some, counts have no input of their own."""
        self._check_room(features)
        self._columns.add(features)
        self._targets.add(targets)
        sizes, (told, lasts) = self._net.sizes, self._target_inputs()
        own = features
        if self._columns.counted and len(self._columns.names) > at.MOST_OWN:
            own = features[: 0 if sizes.folded else max(at.MOST_OWN - sizes.inputs, 0)]
        more = (
            folded(len(self._columns.names) - len(self._net.inputs) - len(own))
            if len(own) < len(features)
            else sizes.folded
        )
        self._net.grow(
            self._inputs_of(own), outputs=self._n_outputs() - sizes.outputs,
            target_inputs=told - sizes.target_inputs, lasts=lasts - sizes.lasts, folded=more - sizes.folded,
        )  # fmt: skip
        self._net.lay_row(self._width())
        if features or targets:
            self._lay_waiting(sizes)

    def _lay_waiting(self, old: Sizes) -> None:
        """Let events that wait for their labels be as if they had had the new features and targets, without a value."""
        new, end, width = self._net.sizes, 8 * old.inputs, 8 * (old.inputs + old.target_inputs)
        first = 8 * (old.inputs + old.told)
        raw, scaled = np.full(new.inputs - old.inputs, np.nan).tobytes(), bytes(8 * (new.inputs - old.inputs))
        told, unknown = (
            bytes(8 * (new.target_inputs - old.target_inputs)),
            np.full(new.lasts - old.lasts, np.nan).tobytes() + bytes(8 * (new.seasons - old.seasons)),
        )
        for area, queue in self._pending.items():
            self._pending[area] = deque(
                Pending(
                    one.raw + raw,
                    one.scaled[:end]
                    + scaled
                    + one.scaled[end:width]
                    + told
                    + one.scaled[width:first]
                    + unknown
                    + _widened(one.scaled[first:], old, new),
                )
                for one in queue
            )

    def _check_room(self, features: Sequence[Any]) -> None:
        """Raise when so many more do not fit."""
        known, most = len(self._columns.names), self.max_features
        if known + len(features) > most:
            raise FeatureError(
                f"{type(self).__name__} has {known} features, and the event brings {len(features)} more: {features[most - known]!r} "
                f"would be one more than max_features={most} allows. Drop features, or raise max_features."
            )

    def _open(self, x: Mapping[Any, Any], fresh: list[Any], targets: Sequence[Any] = ()) -> None:
        """Give the new names of an event their places, and new targets theirs. Where columns are counts, names that are too many share some.

        The numbers of a count are those of a column that was 0 in all events before.
        """
        columns, sizes = self._columns, self._net.sizes
        counted: list[Any] = []
        countable: list[Any] = []
        if fresh and sizes.sparse:
            counted, countable = find_counted(
                columns, self._net.array("kinds"), x, fresh, always=self.missing == "zero"
            )
            if columns.counted or counted:
                fresh = fresh[: max(self.max_features - len(columns.names), 0)]
                self._check_room(fresh)
                columns.counted.update(counted)
        if (
            fresh and not targets and sizes.folded and len(columns.names) + len(fresh) <= sizes.inputs
        ):  # columns are ready
            columns.add(fresh)
            self._net.lay_row(self._width())
        elif fresh or targets:
            self._grow(fresh, targets)
        if not sizes.sparse:
            return
        columns.lay(self._net.sizes.inputs)
        self._net.row[len(columns.names) : self._net.sizes.inputs] = 0.0
        net = self._net
        kinds = net.array("kinds")
        statistics = net.layout.every(net.slab, "x_statistics").reshape(net.sizes.areas, -1, 3, at.LANES)
        seen = net.layout.every(net.slab, "area")[:, at.A_EVENTS] if self.key is not None else self.n_events
        new = range(sizes.inputs, self._net.sizes.inputs)
        zero = [
            *(i for i in new if i >= len(columns.names)),
            *(columns.index[name] for name in counted if name in columns.index),
        ]
        kinds[[columns.index[name] for name in fresh]] = at.KIND_MEASURED
        kinds[zero] = at.KIND_COUNTED
        kinds[[columns.index[name] for name in countable]] = at.KIND_COUNTABLE
        for i in set(new).intersection(zero):
            statistics[:, i // at.LANES, 2, i % at.LANES] = seen
        if zero:
            columns.counted.intersection_update(columns.index)
            columns.count_on(())
            self._fill_waiting()

    def _fill_waiting(self) -> None:
        """Let events that wait for their labels have 0 where a count was absent: by that the label finds them."""

        def filled(raw: bytes) -> bytes:
            values = np.frombuffer(raw)
            return np.where(np.isnan(values), self._columns.blank[: len(values)], values).tobytes()

        for area, queue in self._pending.items():
            self._pending[area] = deque(one._replace(raw=filled(one.raw)) for one in queue)
        if self._event is not None:
            self._event = self._event._replace(raw=filled(self._event.raw))

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

    def _table(self, X: Any, names: Sequence[Any] | None = None, keys: Sequence[Any] | None = None) -> Table:
        """Return a block as a table; ``keys`` says whose event each row of an array is. The only date in the first row of a first block is the time, as in :meth:`_find_time`."""
        time = self._time
        if self._knows_nothing():
            times = [name for name, value in first_of(X).items() if name != self.key and is_moment(value)]
            time = times[0] if len(times) == 1 else None
        return table_of(X, self.key, time, names, keys)

    def _with_time(self, table: Table, fresh: list[Any]) -> list[Any]:
        """Let the time that a block has brought be the model's; return what is left of its new names."""
        if table.time is None or table.time not in fresh:
            return fresh
        self._check_room(fresh)
        self._begin_with_time(table.time)
        return [name for name in fresh if name != table.time]

    def _look(self, x: Mapping[Any, Any]) -> None:
        """Put x into the row. A name without a column is passed over: it gets one when it is learned."""
        if not self._columns.write(x, self._net.row):
            self._columns.write_slowly(x, self._net.row)

    def _take(self, x: Mapping[Any, Any], targets: Sequence[Any] = ()) -> None:
        """Put x into the row; new names get columns, and new targets outputs. Raises before anything has changed."""
        if not targets and self._columns.write(x, self._net.row):  # columns without a name are 0 already
            return
        self._find_time(x)
        fresh = [] if self._columns.shared else self._columns.new(x)
        if fresh or targets:
            Columns(fresh).write_slowly(x, np.empty(len(fresh)))
            self._columns.write_slowly(x, self._net.row)
            self._open(x, fresh, targets)
        self._columns.write_slowly(x, self._net.row)

    # ---- keys -----------------------------------------------------------------------------------

    def _find(self, x: Mapping[Any, Any]) -> int:
        """Return the area of x's stream; 0 where a key has none."""
        return 0 if self.key is None else self._keys.find(key_of(x, self.key))

    def _touch(self, keys: Sequence[Any]) -> NDArray[np.int64]:
        """Return the areas of events to come, one for each key; negative where one begins anew."""
        try:
            codes = self._keys.touch_many(keys)
        except TypeError:  # nothing has changed
            codes = self._keys.touch_many(keys_of(keys, self.key))  # says which one it is
        self._make_areas()
        if self._noted is not None:
            self._noted.append(codes)
        return codes

    def _touch_one(self, key: Any) -> int:
        """Return the area of an event to come, of a key that can be looked up; negative where it begins anew."""
        code = self._keys.touch(key)
        self._make_areas()
        if self._noted is not None:
            self._noted.append(code)
        return code

    def _make_areas(self) -> None:
        """Let the net have an area for each key."""
        have, need = self._net.sizes.areas, self._keys.last + 1
        if need > have:  # twice as much each time, up to what max_keys may need
            self._net.grow(areas=min(max(need, 2 * have), self.max_keys + 1) - have)

    # ---- memory of the stream -------------------------------------------------------------------

    def reset(self) -> None:
        """Begin a new sequence: hidden state, window and traces are as before the first event.

        Weights and running statistics stay; with ``key`` all keys are forgotten, with the statistics of each. Use it between sequences that have nothing to do with
        each other.
        """
        self._net.forget()
        self._keys = Keys(self.max_keys)
        self._pending, self._event = {}, None

    def freeze(self) -> None:
        """Stop learning: the hidden state advances, weights and statistics do not change.

        With ``key`` the weights do not change; what is a key's own goes on: its statistics, what is expected of it, and the weights of its mixture.
        """
        self._net.header[at.FROZEN] = 1

    def unfreeze(self) -> None:
        """Learn again."""
        self._net.header[at.FROZEN] = 0

    @property
    def n_events(self) -> int:
        """How many events have been taken in."""
        return int(self._net.header[at.EVENTS])
