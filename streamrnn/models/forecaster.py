"""A forecaster of several steps ahead: a mixture of experts with prediction intervals."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from itertools import compress
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import FeatureError, ParameterError
from streamrnn.kernels.forecast.experts.lstm import TIME_INPUT
from streamrnn.kernels.forecast.experts.table import ARX_CODE, EXPERTS, LONG_CODE, NET_CODE
from streamrnn.kernels.forecast.forecaster import forecaster
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.losses.table import LOSSES
from streamrnn.models import _defaults as defaults
from streamrnn.models import _translate as translate
from streamrnn.models._crossings import Crossing, first_beyond, flat_limits
from streamrnn.models._features import Columns
from streamrnn.models._forecast_states import ForecastStates
from streamrnn.models._frames import column_of, table_of, values_of
from streamrnn.models._keys import key_of
from streamrnn.models._parameters import check, check_all, documented
from streamrnn.models._river_forecaster import Forecaster
from streamrnn.models._series import ONLY
from streamrnn.models._series_state import SeriesState

__all__ = ["RNNForecaster"]


def _days(holidays: Sequence[str] | None) -> list[int]:
    """Return days since 1970, ascending."""
    first = dt.date(1970, 1, 1)
    return sorted({(dt.date.fromisoformat(day) - first).days for day in holidays or ()})


@documented
class RNNForecaster(SeriesState, Forecaster):
    """Forecasts the next ``horizon`` values of a series, or of several at once, with prediction intervals.

    Several *experts* forecast every step ahead: the last value, the last season, recursive least squares on lagged changes, and two
    recurrent nets with one output for each channel and step, which forecast the change up to that step. Bernstein online
    aggregation weights them, separately for each channel and step, at every event, so that the mixture is rarely much worse
    than the best expert, and often better. Prediction intervals are quantiles of its errors, tracked online.

    Evaluation is prequential: a forecast is scored, and learned from, when its target values have arrived.

    ``y`` is a number, or a dict of channels; channels may appear at any time, and forecasts come back in the same kind.
    ``forecast(h)`` beyond ``horizon`` rolls on from its own forecasts. Features whose future is known (a calendar, a weather forecast,
    a plan) are given to it as ``xs``.

    When not to use it: a series that is forecast once and for all, with its whole past at hand (fit a batch model). river's
    ``evaluate.evaluate`` compares a forecast made before y_t with y_{t+1} and later, and so is off by one; align by hand.

    Parameters
    ----------
    {horizon}
    {experts}
    {period}
    {minimum}
    {calendar}
    {holidays}
    {cell}
    {hidden_size}
    {n_layers}
    {window}
    {stride}
    {learning}
    {optimizer}
    {lr}
    loss
        Of the nets, one of ``"huber"``, ``"squared"``, ``"absolute"``, ``"quantile"``, ``"cauchy"``, ``"epsilon_insensitive"``,
        ``"poisson"``, or a loss of ``river.optim.losses``; and what the mixture of the experts is weighed by. ``"absolute"``: forecasts aim at the
        median of what may come, for those who are scored by the absolute error; ``"quantile"``, or river's ``Quantile(alpha)``: at that quantile;
        all others at the mean. Intervals and quantiles are calibrated with any of them.
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
    period: int | tuple[int, ...] | None
    minimum: float | str | None
    calendar: tuple[str, ...] | None

    def __init__(
        self,
        horizon: int = 1,
        experts: tuple[str, ...] = defaults.EXPERTS,
        period: int | tuple[int, ...] | None = None,
        minimum: float | str | None = "auto",
        calendar: tuple[str, ...] | None = None,
        holidays: tuple[str, ...] | None = None,
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
        rows = [EXPERTS[name] for name in experts if EXPERTS[name].code == NET_CODE]
        self._nets = [self._net, *(copy.deepcopy(self._net) for _ in rows[1:])] if rows else []
        self._quicken()
        for net, row in zip(self._nets, rows, strict=True):
            net.become(stride=row.stride or net.sizes.stride, init=row.init)
        if not rows:
            self._net.entry = self._entry(cell, 0)
        given = (period,) if isinstance(period, int) else tuple(period or ())
        seasons = (*sorted(given, reverse=True), 0, 0)
        # a key has no long regression: its sums would be half a megabyte for each
        self._asked_of = tuple(name for name in experts if key is None or EXPERTS[name].code != LONG_CODE) or ("last",)
        self._states = ForecastStates(
            self._asked_of, horizon, (seasons[0], seasons[1]), len(rows), self._time is not None, calendar or (),
            _days(holidays), translate.level_of(translate.loss(loss)),
        )  # fmt: skip
        self._single = None
        self._n_seen = 0
        if self._time is not None:
            self._states.grow(inputs=[TIME_INPUT])
        self._lay_row()

    @property
    def holidays(self) -> tuple[str, ...] | None:
        """The listed holidays. Set anew (``model.holidays = (*model.holidays, "2026-01-01")``) they hold from the next event on."""
        return self._holidays

    @holidays.setter
    def holidays(self, holidays: tuple[str, ...] | None) -> None:
        self._holidays = holidays
        if "_states" in vars(self):
            check_all(type(self).__name__, {"holidays": holidays, "time": self._time})
            self._states.list_holidays(_days(holidays))

    @property
    def _mutable_attributes(self) -> set[str]:
        return {"lr", "minimum", "holidays"}

    def _quicken(self) -> None:
        rows = [EXPERTS[name] for name in self.experts if EXPERTS[name].code == NET_CODE]
        for net, row in zip(vars(self).get("_nets", []), rows, strict=True):
            rule = self._rule(self.lr, net.sizes.stride)
            net.tune(rule.settings, rule.schedule)
            if self.lr is None:
                net.array("settings")[at.LR] *= row.rate
            elif row.stride:
                net.array("settings")[at.LR] *= row.rate / rows[0].rate

    @classmethod
    def _unit_test_params(cls) -> Iterator[dict[str, Any]]:
        yield {"horizon": 2, "hidden_size": 8}

    # ---- learning -------------------------------------------------------------------------------

    def learn_one(self, y: Any, x: Mapping[Any, Any] | None = None) -> None:
        """Learn the next values.

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
        if self._write(y, x):
            self._call(0, self._row, 1)
            return
        values, features = self._values(y), x or {}
        self._find_time(features)
        fresh = self._columns.new(features)
        Columns(fresh).write_slowly(features, np.empty(len(fresh)))
        found = np.empty(len(self._columns.names) + len(fresh))
        self._columns.write_slowly(features, found)  # raises before anything has changed
        if self.key is not None:
            key_of(features, self.key)
        if fresh or len(values) != len(self._targets.names) or any(name not in self._targets.index for name in values):
            self._check_room(fresh or ["y"])
            if self._single is None:
                self._single = not isinstance(y, Mapping)
            self._enlarge(self._targets.new(values), fresh)
            self._columns.write_slowly(features, found)
        row, C = self._row, len(self._targets.names)
        first = int(self._time is not None)
        row[:first] = found[:first]
        row[first : first + C] = np.nan
        for name, value in values.items():
            row[first + self._targets.index[name]] = value
        row[first + C : len(found) + C] = found[first:]
        area = self._area(x)
        row[-1] = area
        self._call(abs(area), row, 1)

    # ---- asking ---------------------------------------------------------------------------------

    def forecast(self, horizon: int, xs: list[dict[Any, Any]] | None = None, key: Any = None) -> list[Any]:
        """Return forecasts of the next values. Does not change the model.

        Parameters
        ----------
        horizon
            How many steps.
        xs
            Exogenous features of those steps, by name, one dict a step. A step counts as known if all features that have ever been
            learned (the first 32) are there, up to it; such steps are forecast by a mixture that has ``arx`` as one more expert,
            with weights and bands of its own. From the first step on that lacks one, and without ``xs``, forecasts are the
            ordinary ones, bit for bit.
        key
            Whose next values, for a forecaster with ``key``; without it that of ``xs``.

        Returns
        -------
        list
            ``horizon`` numbers, 0 before the first value; or as many dicts of the channels that have had a value.

        Raises
        ------
        ParameterError
            When ``xs`` is not as long as the horizon.
        FeatureError
            When something in ``xs`` is no number.

        Examples
        --------
        >>> import numpy as np
        >>> from streamrnn import RNNForecaster
        >>> degrees = np.random.default_rng(1).normal(15, 5, 1000)
        >>> model = RNNForecaster(experts=("last", "arx"))
        >>> for t in degrees.tolist():
        ...     model.learn_one(3.0 * t + 7.0, {"t": t})
        >>> [warm], [cold] = model.forecast(1, [{"t": 30.0}]), model.forecast(1, [{"t": 0.0}])
        >>> round(warm, -1), round(cold, -1)
        (100.0, 10.0)
        """
        return self._said(self._steps(horizon, xs, key)[0])

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
            How many steps. Beyond the model's own horizon, intervals widen with the square root of the steps.
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
        ...     model.learn_one(t % 3 - 1)
        >>> [band] = model.forecast_quantiles(1, [0.1, 0.9])
        >>> model.forecast(1), band[0.1] <= -2.9, band[0.9] >= -0.1
        ([-1.0], True, True)
        """
        ok = all(0.0 < level < 1.0 for level in levels)
        check("forecast_quantiles", "levels", levels, "numbers between 0 and 1", ok=ok)
        steps, found = self._bands(horizon, levels, xs, key)
        if not self._targets.names:
            return [dict.fromkeys(levels, 0.0) if self._single is not False else {} for _ in range(horizon)]
        bands = found.transpose(2, 1, 0).tolist()
        if self._single:
            return [dict(zip(levels, np.nan_to_num(band).tolist(), strict=True)) for band in bands[0]]
        names, good = self._targets.names, np.isfinite(steps[0]).tolist()
        shown = [(name, by_step) for name, by_step, ok in zip(names, bands, good, strict=True) if ok]
        return [{name: dict(zip(levels, by_step[i], strict=True)) for name, by_step in shown} for i in range(horizon)]

    def forecast_interval(
        self, horizon: int, level: float = 0.8, xs: list[dict[Any, Any]] | None = None, key: Any = None
    ) -> list[Any]:
        """Return the prediction interval of each of the next values, with probability ``level`` and equal tails.

        Parameters
        ----------
        horizon
            As in :meth:`forecast_quantiles`.
        level
            Between 0 and 1.
        xs, key
            As in :meth:`forecast`.

        Returns
        -------
        list
            For each step a pair (low, high); with channels, a dict of those.
        """
        check("forecast_interval", "level", level, "a number between 0 and 1", ok=0.0 < level < 1.0)
        low, high = 0.5 - level / 2, 0.5 + level / 2
        steps, bands = self._bands(horizon, (low, high), xs, key)
        if not self._targets.names:
            return [(0.0, 0.0) if self._single is not False else {} for _ in range(horizon)]
        if self._single:
            return list(zip(*np.nan_to_num(bands[:, :, 0]).tolist(), strict=True))
        names, good = self._targets.names, np.isfinite(steps[0])
        if not good.all():
            names, bands = list(compress(names, good.tolist())), bands[:, :, good]
        return [dict(zip(names, zip(*step))) for step in zip(*bands.tolist())]  # noqa: B905  for each step: strict costs a third more

    def predict_interval_one(self, x: Mapping[Any, Any] | None = None, level: float = 0.8) -> Any:
        """Return the prediction interval of the next value, whose features are x. Does not change the model.

        Parameters
        ----------
        x
            Exogenous features of the next event, by name, with the key where the model has one; None: not known.
        level
            As in :meth:`forecast_interval`.

        Returns
        -------
        tuple, or dict of tuples by channel
            Low and high.

        Examples
        --------
        >>> from streamrnn import RNNForecaster
        >>> model = RNNForecaster(experts=("last",))
        >>> for t in range(1000):
        ...     model.learn_one(t % 3 - 1)
        >>> low, high = model.predict_interval_one(level=0.9)  # the last value was -1, and all changes are 1, 1 and -2
        >>> low < -2.5, high > -0.5
        (True, True)
        """
        return self.forecast_interval(1, level, None if x is None else [dict(x)])[0]

    def crossings(
        self,
        horizon: int,
        limits: Mapping[Any, Any],
        level: float = 0.8,
        xs: list[dict[Any, Any]] | None = None,
        key: Any = None,
    ) -> list[Crossing]:
        """Return which limits the next values will reach, and when, by the forecast and by its interval; the nearest first.

        Parameters
        ----------
        horizon
            As in :meth:`forecast_quantiles`.
        limits
            Numbers by ``"high"`` and ``"low"``; with channels also a table of those for each channel, by name.
        level
            Of the interval, as in :meth:`forecast_interval`.
        xs, key
            As in :meth:`forecast`.

        Returns
        -------
        list
            A named tuple (channel, side, limit, step, band_step) for each limit that is reached: ``step`` is the first step, from 1
            on, whose forecast reaches it, None where only the interval does.

        Raises
        ------
        ParameterError
            When ``limits`` is something else.

        Examples
        --------
        >>> from streamrnn import RNNForecaster
        >>> disk = RNNForecaster(horizon=24, experts=("last", "ar"))
        >>> for hour in range(200):
        ...     disk.learn_one(40.0 + 0.2 * hour)
        >>> disk.crossings(72, {"high": 89.9})  # 79.8 percent now
        [Crossing(channel='y', side='high', limit=89.9, step=51, band_step=51)]
        """
        check("crossings", "level", level, "a number between 0 and 1", ok=0.0 < level < 1.0)
        asked = flat_limits(limits)
        steps, bands = self._bands(horizon, (0.5 - level / 2, 0.5 + level / 2), xs, key)
        found = []
        for limit in asked:
            for c, name in enumerate(self._targets.names):
                if limit.channel is None or limit.channel == name:
                    outer = bands[1 if limit.side == "high" else 0, :, c]
                    step, band = int(first_beyond(steps[:, c], limit)), int(first_beyond(outer, limit))
                    if step or band:
                        found.append(Crossing(name, limit.side, limit.value, step or None, band or None))
        return sorted(found, key=lambda one: (one.step or horizon + 1, one.band_step or horizon + 1))

    def _bands(
        self, horizon: int, levels: Sequence[float], xs: list[dict[Any, Any]] | None, key: Any
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return forecasts (horizon, C), and quantiles (levels, horizon, C), none below the minimum."""
        steps, known, area = self._steps(horizon, xs, key)
        bands = steps + self._states.bands(horizon, levels, self._ask(area), known)
        if self.minimum is None:
            return steps, bands
        least = (
            np.where(self._states.counts(area), 0.0, -np.inf) if self.minimum == "auto" else np.float64(self.minimum)
        )
        return steps, np.maximum(bands, least)

    @property
    def weights_(self) -> dict[str, Any]:
        """The weight of each expert now: an array (horizon,) for each; with channels, by channel.

        The weights of ordinary events; behind a jump others hold. One that cannot forecast yet has none, whatever waits for it.
        """
        return self._weights_of_experts("weights", [name for name in self._asked_of if EXPERTS[name].code != ARX_CODE])

    @property
    def weights_with_xs_(self) -> dict[str, Any]:
        """The same for steps whose features are known: ``arx`` is one more. Empty for a forecaster without features."""
        return self._weights_of_experts(
            "informed.weights", sorted(self._asked_of, key=lambda name: EXPERTS[name].code == ARX_CODE)
        )

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

        Raises
        ------
        ParameterError
            When X has another number of rows than y.
        FeatureError
            When a value is no number, or X lacks the model's key.

        Examples
        --------
        >>> from streamrnn import RNNForecaster
        >>> RNNForecaster(horizon=2).progressive_many([5.0, 5.0, 5.0]).tolist()
        [[0.0, 0.0], [5.0, 5.0], [5.0, 5.0]]
        """
        single, names, values = self._series(y, X)
        table = None if X is None else self._table(X)
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
            fresh = fresh if table is None else self._with_time(table, fresh)
            self._single = single
            self._enlarge(self._targets.new(dict.fromkeys(names)), fresh)
        z, first = self._states.shape, int(self._time is not None)
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
        n = len(column_of(y)) if X is None else len(self._table(X).values)
        return True, [ONLY], values_of(y, n)[:, None]
