"""A forecaster of several steps at once: experts, a mixture that learns whom to believe, and bands."""

from __future__ import annotations

import copy
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from river.time_series.base import Forecaster

from streamrnn.errors import FeatureError, ParameterError, StateError
from streamrnn.kernels import layout as at
from streamrnn.kernels.conformal import LEVELS
from streamrnn.kernels.experts import EXPERTS, NET
from streamrnn.kernels.experts.lstm import CHANGE, FEATURE, TIME, VALUE
from streamrnn.kernels.forecaster import forecaster
from streamrnn.kernels.losses import LOSSES
from streamrnn.models import defaults
from streamrnn.models.features import Columns, to_float
from streamrnn.models.frames import column_of, table_of, values_of
from streamrnn.models.keys import Keys, key_of
from streamrnn.models.mixture import Books
from streamrnn.models.net import Net
from streamrnn.models.parameters import check, documented
from streamrnn.models.recurrent import Recurrent

__all__ = ["RNNForecaster"]

_ONLY = "y"  # the channel of a series that is one number


@documented
class RNNForecaster(Recurrent, Forecaster):
    """Forecasts the next ``horizon`` values of a series, or of several at once, with bands.

    Several *experts* state every step ahead: the last value, the last season, recursive least squares on lagged changes, and two
    recurrent nets with one output for each channel and step, which state by how much the series will have changed. Bernstein online
    aggregation weighs them, for each channel and step ahead anew at every event, so that the forecast is hardly ever much worse
    than the best of them, and often better. Quantiles of its errors, tracked online, are the bands.

    Nothing is learned before it is known: a forecast is judged, and teaches, when the values that it spoke of have come.

    ``y`` is a number, or a dict of channels; channels may appear at any time, and forecasts come back in the same kind.
    ``forecast(h)`` beyond ``horizon`` rolls on from its own forecasts.

    When not to use it: a series that is forecast once and for all, with its whole past at hand (fit a batch model). river's
    ``evaluate.evaluate`` compares a forecast made before y_t with y_{t+1} and later, and so is off by one; align by hand.

    Parameters
    ----------
    {horizon}
    {experts}
    {period}
    {cell}
    {hidden_size}
    {n_layers}
    {window}
    {stride}
    {learning}
    {optimizer}
    {lr}
    {loss}
    {normalize}
    {key}
    {max_keys}
    {time}
    {max_features}
    {seed}

    Examples
    --------
    >>> from river import datasets
    >>> from streamrnn import RNNForecaster
    >>> model = RNNForecaster(horizon=12, seed=1)
    >>> for x, passengers in datasets.AirlinePassengers():
    ...     model.learn_one(passengers)
    >>> year = model.forecast(12)
    >>> year.index(max(year))  # January is 0: the summer is the season
    6

    References
    ----------
    O. Wintenberger, Optimal learning with Bernstein online aggregation, Machine Learning 106, 2017.
    """

    _entry = staticmethod(forecaster)
    _tasks: ClassVar[tuple[str, ...]] = ("regression",)
    horizon: int
    experts: tuple[str, ...]
    period: int | None

    def __init__(
        self,
        horizon: int = 1,
        experts: tuple[str, ...] = defaults.EXPERTS,
        period: int | None = None,
        cell: str = defaults.CELL,
        hidden_size: int = defaults.HIDDEN_SIZE,
        n_layers: int = defaults.N_LAYERS,
        window: int = defaults.WINDOW,
        stride: int = defaults.STRIDE,
        learning: str | None = None,
        optimizer: Any = defaults.OPTIMIZER,
        lr: float | None = None,
        loss: Any = defaults.LOSS,
        normalize: bool = True,
        key: Any = None,
        max_keys: int = defaults.MAX_KEYS,
        time: Any = None,
        max_features: int = defaults.MAX_FEATURES,
        seed: int = defaults.SEED,
    ) -> None:
        self._start({"advance": "predict", **locals()})
        del vars(self)["advance"]  # no parameter of this one: two states run in any case
        allowed = [name for name, row in LOSSES.items() if row.outputs_per_target == 1 and row.task == "regression"]
        check(type(self).__name__, "loss", loss, f"one of {', '.join(allowed)}", ok=self._loss in allowed)
        rows = [EXPERTS[name] for name in experts if EXPERTS[name].code == NET]
        self._nets = [self._net, *(copy.deepcopy(self._net) for _ in rows[1:])] if rows else []
        for net, row in zip(self._nets, rows, strict=True):
            if lr is None:
                net.array("settings")[at.LR] *= row.rate
            elif row.stride:
                net.array("settings")[at.LR] *= row.rate / rows[0].rate
            net.become(stride=row.stride or stride, init=row.init)
        if not rows:
            self._net.entry = self._entry(cell, 0)
        self._books = Books(tuple(experts), horizon, period or 0, len(rows), time is not None)
        self._single: bool | None = None  # y is one number
        self._n_seen = 0
        if time is not None:
            self._books.grow(inputs=[TIME])
        self._row = np.full(self._width(), np.nan)

    @classmethod
    def _unit_test_params(cls) -> Iterator[dict[str, Any]]:
        yield {"horizon": 2, "hidden_size": 8}

    # ---- growth ---------------------------------------------------------------------------------

    def _n_outputs(self) -> int:
        return self.horizon * len(self._targets.names)

    def _width(self) -> int:
        z = self._books.shape if hasattr(self, "_books") else None
        return 1 if z is None else z.timed + z.channels * (1 + self.horizon) + z.features + 1

    def _named_inputs(self, channels: Sequence[Any], features: Sequence[Any]) -> list[Any]:
        own = [(part, name) for name in channels for part in ("value", "change")]
        plain = {("value", _ONLY): "y", ("change", _ONLY): "change of y"} if self._single else {}
        return [plain.get(one, f"{one[0]} of channel {one[1]!r}") for one in own] + list(features)

    def _enlarge(self, channels: Sequence[Any], features: Sequence[Any]) -> None:
        """Give new channels and features their places; what has been learned stays as it is."""
        if not channels and not features:
            return
        self._check_room(features or ["y"])
        first_channel, first_feature = len(self._targets.names), len(self._columns.names) - (self.time is not None)
        codes = [3 * (first_channel + i) + part for i in range(len(channels)) for part in (VALUE, CHANGE)]
        codes += [3 * (first_feature + i) + FEATURE for i in range(len(features))]
        names = self._named_inputs(channels, features)
        self._columns.add(features)
        self._targets.add(channels)
        self._books.grow(len(channels), len(features), codes)
        for net in self._nets:
            net.grow(names, outputs=self.horizon * len(channels))
        self._row = np.full(self._width(), np.nan)

    def _values(self, y: Any) -> dict[Any, float]:
        """Return y as values by channel.

        Raises
        ------
        FeatureError
            When it is no number, or of another kind than before.
        """
        single = not isinstance(y, Mapping)
        if self._single is not None and single != self._single:
            was, now = ("a number", "a dict") if self._single else ("a dict of channels", "no dict")
            raise FeatureError(f"The series' values were {was} so far. Got {now} instead: {y!r}.")
        return {_ONLY: to_float(_ONLY, y)} if single else {name: to_float(name, v) for name, v in y.items()}

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

    # ---- learning -------------------------------------------------------------------------------

    def learn_one(self, y: Any, x: Mapping[Any, Any] | None = None) -> None:
        """Take the next values in.

        Parameters
        ----------
        y
            The value, or a dict of values by channel; None or NaN where one is missing.
        x
            Exogenous features of the same moment, by name.

        Raises
        ------
        FeatureError
            When something is no number, or ``y`` of another kind than before; nothing has changed then.
        """
        values, features = self._values(y), x or {}
        fresh = self._columns.new(features)
        Columns(fresh).write_slowly(features, np.empty(len(fresh)))
        found = np.empty(len(self._columns.names) + len(fresh))
        self._columns.write_slowly(features, found)  # raises before anything has changed
        if self.key is not None:
            key_of(features, self.key)
        if fresh or len(values) != len(self._targets.names) or any(name not in self._targets.index for name in values):
            self._check_room(fresh or ["y"])
            self._single = not isinstance(y, Mapping)
            self._enlarge(self._targets.new(values), fresh)
            self._columns.write_slowly(features, found)
        row, C = self._row, len(self._targets.names)
        first = int(self.time is not None)
        row[:first] = found[:first]
        row[first : first + C] = np.nan
        for name, value in values.items():
            row[first + self._targets.index[name]] = value
        row[first + C : len(found) + C] = found[first:]
        area = self._area(x)
        row[-1] = area
        self._call(abs(area), row, 1)

    def _call(self, area: int, rows: NDArray[np.float64], n: int) -> None:
        self._run(self._books, self._nets, area, rows, n)
        self._n_seen += n

    def _run(self, books: Books, nets: list[Net], area: int, rows: NDArray[np.float64], n: int) -> None:
        first, last = (nets[0], nets[-1]) if nets else (self._net, self._net)
        first.call(books.slabs[area], first.slab, last.slab, rows, n)

    # ---- asking ---------------------------------------------------------------------------------

    def _asked(self, key: Any, xs: Sequence[Mapping[Any, Any]] | None) -> int:
        if self.key is None:
            return 0
        if key is None and xs and self.key in xs[0]:
            key = xs[0][self.key]
        return self._keys.find(key)

    def forecast(self, horizon: int, xs: list[dict[Any, Any]] | None = None, key: Any = None) -> list[Any]:
        """Return forecasts of the next values. Changes nothing.

        Parameters
        ----------
        horizon
            How many steps.
        xs
            Exogenous features of those steps. They matter beyond the model's own ``horizon`` only, where it rolls on.
        key
            Of the stream that is asked about, for a forecaster with ``key``; without it that of ``xs``.

        Returns
        -------
        list
            ``horizon`` numbers, 0 before the first value; or as many dicts of the channels that have had a value.

        Raises
        ------
        ParameterError
            When ``xs`` is not as long as the horizon.
        """
        check("forecast", "horizon", horizon, "an int >= 1", ok=horizon >= 1)
        if xs is not None and len(xs) != horizon:
            raise ParameterError(f"The 'xs' parameter must have {horizon} entries, one a step. Got {len(xs)}.")
        area = self._asked(key, xs)
        steps = self._books.array(area, "now").T[:horizon]
        if horizon > self.horizon and np.isfinite(steps).any():
            steps = self._roll(horizon, xs, area)
        names = self._targets.names
        if not self._single and self._single is not None:
            known = [(name, i) for i, name in enumerate(names) if np.isfinite(steps[0, i])]
            return [{name: float(step[i]) for name, i in known} for step in steps]
        values = steps[:, 0] if names else np.zeros(0)
        return [float(v) for v in np.nan_to_num(values)] + [0.0] * (horizon - len(values))

    def _roll(self, horizon: int, xs: list[dict[Any, Any]] | None, area: int) -> NDArray[np.float64]:
        """Return forecasts beyond the model's horizon: a copy takes its own forecasts in, and is asked again."""
        books, nets = self._books.copy(), [copy.deepcopy(net) for net in self._nets]
        books.freeze(1)
        for net in nets:
            net.header[at.FROZEN] = 1
        steps = np.array(books.array(area, "now").T)
        first, C = int(self.time is not None), books.shape.channels
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
            steps = np.vstack([steps, books.array(area, "now").T])
        return steps[:horizon]

    def forecast_quantiles(
        self,
        horizon: int,
        levels: Sequence[float] = (0.1, 0.5, 0.9),
        xs: list[dict[Any, Any]] | None = None,
        key: Any = None,
    ) -> list[Any]:
        """Return quantiles of the next values: what share of them, in the long run, lies at or below.

        Parameters
        ----------
        horizon
            How many steps. Beyond the model's own, bands widen with the square root of the steps.
        levels
            Between 0 and 1. Tracked are 0.005 to 0.995; beyond, the outermost holds.
        xs, key
            As in :meth:`forecast`.

        Returns
        -------
        list
            For each step a dict of level and value; with channels, a dict of those by channel. They never cross.

        Examples
        --------
        >>> from streamrnn import RNNForecaster
        >>> model = RNNForecaster(experts=("last",))
        >>> for t in range(1000):
        ...     model.learn_one(t % 3)
        >>> [band] = model.forecast_quantiles(1, [0.1, 0.9])
        >>> model.forecast(1), band[0.1] <= -1.9, band[0.9] >= 0.9
        ([0.0], True, True)
        """
        ok = all(0.0 < level < 1.0 for level in levels)
        check("forecast_quantiles", "levels", levels, "numbers between 0 and 1", ok=ok)
        steps = self.forecast(horizon, xs, key)
        away = self._bands(self._asked(key, xs), horizon, levels)
        index = self._targets.index
        if self._single or self._single is None:
            return [
                {level: step + (float(away[index[_ONLY], i, j]) if index else 0.0) for j, level in enumerate(levels)}
                for i, step in enumerate(steps)
            ]
        return [
            {
                name: {level: v + float(away[index[name], i, j]) for j, level in enumerate(levels)}
                for name, v in step.items()
            }
            for i, step in enumerate(steps)
        ]

    def _bands(self, area: int, horizon: int, levels: Sequence[float]) -> NDArray[np.float64]:
        """Return how far each level lies from the forecast: (C, horizon, levels), never crossing."""
        books = self._books
        tracked = np.sort(books.array(area, "quantiles"), axis=-1)
        tracked *= np.sqrt(books.array(area, "error"))[:, :, None]
        places = np.interp(levels, LEVELS, np.arange(len(LEVELS)))
        below = np.minimum(places.astype(int), len(LEVELS) - 2)
        found = tracked[..., below] + (places - below) * (tracked[..., below + 1] - tracked[..., below])
        steps = np.arange(horizon)
        known = np.minimum(steps, self.horizon - 1)
        return np.asarray(found[:, known] * np.sqrt((steps + 1) / (known + 1))[None, :, None])

    def forecast_interval(
        self, horizon: int, level: float = 0.8, xs: list[dict[Any, Any]] | None = None, key: Any = None
    ) -> list[Any]:
        """Return the band that holds each of the next values with probability ``level``, as much above it as below.

        Parameters
        ----------
        horizon, xs, key
            As in :meth:`forecast_quantiles`.
        level
            Between 0 and 1.

        Returns
        -------
        list
            For each step a pair (low, high); with channels, a dict of those.
        """
        check("forecast_interval", "level", level, "a number between 0 and 1", ok=0.0 < level < 1.0)
        low, high = 0.5 - level / 2, 0.5 + level / 2
        steps = self.forecast_quantiles(horizon, (low, high), xs, key)
        if self._single or self._single is None:
            return [(band[low], band[high]) for band in steps]
        return [{name: (band[low], band[high]) for name, band in step.items()} for step in steps]

    @property
    def weights_(self) -> dict[str, Any]:
        """How much each expert is believed now: an array (horizon,) for each; with channels, by channel.

        The weights of ordinary events; behind a jump others hold.
        """
        beliefs = self._books.array(0, "weights")[:, 0]
        by_channel = [{name: b[:, e].copy() for e, name in enumerate(self.experts)} for b in beliefs]
        if self._single or not by_channel:
            return by_channel[0] if by_channel else {}
        return dict(zip(self._targets.names, by_channel, strict=True))

    # ---- blocks ---------------------------------------------------------------------------------

    def learn_many(self, y: Any, X: Any = None) -> None:
        """Learn row after row: a loop of :meth:`learn_one`, compiled.

        Parameters
        ----------
        y
            A series or array of n numbers; a data frame or an array (n, C) for channels.
        X
            Exogenous features: a data frame or an array of n rows.
        """
        self.progressive_many(y, X)

    def progressive_many(self, y: Any, X: Any = None) -> Any:
        """Forecast before each row, then learn it, compiled: the bits of a loop.

        Parameters
        ----------
        y
            A series or array of n numbers; a data frame or an array (n, C) for channels.
        X
            Exogenous features: a data frame or an array of n rows.

        Returns
        -------
        array, or dict of arrays
            Shape (n, horizon); one for each channel, NaN before its first value. Row t holds what was forecast of
            y[t], y[t + 1] ... before y[t] was learned.

        Examples
        --------
        >>> from streamrnn import RNNForecaster
        >>> RNNForecaster(horizon=2).progressive_many([5.0, 5.0, 5.0]).tolist()
        [[0.0, 0.0], [5.0, 5.0], [5.0, 5.0]]
        """
        single, names, values = self._series(y, X)
        table = None if X is None else table_of(X, self.key, self.time)
        n, H = len(values), self.horizon
        if table is not None and len(table.values) != n:
            raise ParameterError(
                f"The 'X' parameter must have a row for each of the {n} values. Got {len(table.values)}."
            )
        if self.key is not None and (table is None or table.keys is None):
            raise FeatureError(f"The block has no {self.key!r}, which is the model's key. Add it, or set key=None.")
        features = [] if table is None else table.names
        if n:
            fresh = self._columns.new(dict.fromkeys(features))
            self._check_room(fresh or ["y"])
            self._values(0.0 if single else {})
            self._single = single
            self._enlarge(self._targets.new(dict.fromkeys(names)), fresh)
        z, first = self._books.shape, int(self.time is not None)
        rows = np.full((n, self._width()), np.nan)
        for i, name in enumerate(names if n else ()):
            rows[:, first + self._targets.index[name]] = values[:, i]
        for i, name in enumerate(features if n else ()):
            place = self._columns.index[name]
            rows[:, place + (0 if place < first else z.channels)] = table.values[:, i]  # type: ignore[union-attr]
        if self.key is None:
            rows[:, -1] = 0.0
            self._call(0, rows.reshape(-1), n)
        else:
            for row, key in zip(rows, table.keys, strict=True):  # type: ignore[union-attr,arg-type]
                area = self._area({self.key: key})
                row[-1] = area
                self._call(abs(area), row, 1)
        start = first + z.channels + z.features
        found = rows[:, start : start + z.channels * H].reshape(n, z.channels, H)
        if single:
            return np.nan_to_num(found[:, 0]) if n else np.zeros((0, H))
        return {name: found[:, self._targets.index[name]] for name in names} if n else {}

    def _series(self, y: Any, X: Any) -> tuple[bool, list[Any], NDArray[np.float64]]:
        """Return whether y is one series, its channels, and its values (n, C)."""
        if getattr(y, "ndim", 1) == 2 or (hasattr(y, "columns") and not isinstance(y, Mapping)):
            table = table_of(y)
            return False, table.names, table.values
        n = len(column_of(y)) if X is None else len(table_of(X, self.key, self.time).values)
        return True, [_ONLY], values_of(y, n)[:, None]

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
            "params": {name: _interned(getattr(self, name)) for name in inspect.signature(type(self)).parameters},
            "names": [_interned(name) for name in self._columns.names],
            "targets": [_interned(name) for name in self._targets.names],
            "inputs": list(self._books.inputs),
            "single": self._single,
            "seen": self._n_seen,
            "areas": self._net.sizes.areas,
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
        if set(state) != expected:
            odd = ", ".join(sorted(map(str, set(state) ^ expected)))
            raise StateError(f"The forecaster's state lacks or adds parts that this version does not: {odd}.")
        self.__init__(**state["params"])  # type: ignore[misc]
        names, targets, areas, codes = (
            list(state["names"]),
            list(state["targets"]),
            state["areas"],
            list(state["inputs"]),
        )
        self._single = state["single"]
        self._columns, self._targets = Columns(names, self.key, self.time), Columns(targets)
        timed = int(self.time is not None)
        features = self._columns.names[timed:]
        wanted = [TIME] * timed + [3 * c + part for c in range(len(targets)) for part in (VALUE, CHANGE)]
        wanted += [3 * f + FEATURE for f in range(len(features))]
        if sorted(codes) != sorted(wanted) or len(state["states"]) != len(self._nets):
            raise StateError("The forecaster's state gives its nets other inputs than its series and features.")
        by_code = {TIME: self.time}
        for c, name in enumerate(targets):
            by_code[3 * c + VALUE], by_code[3 * c + CHANGE] = self._named_inputs([name], [])
        by_code |= {3 * f + FEATURE: name for f, name in enumerate(features)}
        self._books.restore(len(targets), len(features), codes, state["books"])
        for net, one in zip(self._nets, state["states"], strict=True):
            net.restore([by_code[code] for code in codes], self._n_outputs(), one, areas)
        if not self._nets and areas > 1:
            self._net.grow(areas=areas - 1)
        self._row = np.full(self._width(), np.nan)
        self._keys = Keys(self.max_keys, [(key, area) for key, area in state["keys"]])
        taken = sorted(self._keys.areas.values())
        if (
            taken != list(range(1, len(taken) + 1))
            or len(taken) >= len(state["books"])
            or len(taken) >= areas + (not taken)
        ):
            raise StateError(f"The forecaster's state gives {len(taken)} keys places that it does not have.")
        self._n_seen = int(state["seen"])


def _interned(value: Any) -> Any:
    """Return equal strings as one object: pickle writes an object that it has seen in another way than an equal one."""
    if type(value) is str:
        return sys.intern(value)
    return tuple(map(_interned, value)) if type(value) is tuple else value
