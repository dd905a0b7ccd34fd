"""A forecaster of several steps at once."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river.time_series.base import Forecaster

from streamrnn.errors import ParameterError
from streamrnn.kernels import layout as at
from streamrnn.kernels.losses import LOSSES
from streamrnn.kernels.supervised import ADVANCE, LEARN, SCALED, supervised
from streamrnn.models import defaults
from streamrnn.models.features import Columns, to_float
from streamrnn.models.frames import column_of, table_of, values_of
from streamrnn.models.net import Net
from streamrnn.models.parameters import check, documented
from streamrnn.models.recurrent import Pending, Recurrent

__all__ = ["RNNForecaster"]


@documented
class RNNForecaster(Recurrent, Forecaster):
    """Recurrent net that forecasts the next ``horizon`` values of a series at once, one output a step ahead.

    The net sees each value, its change and the exogenous features of its moment, so that their history is in its state. It
    states by how much the series will have changed after 1, 2, ... ``horizon`` steps: before it has learned
    anything it repeats the last value, the forecast that is hard to beat on many series. A value is learned once: a
    forecast teaches when all the values that it spoke of have come. The state is never behind; the one that learns follows
    ``horizon`` steps later.

    ``forecast(h)`` beyond ``horizon`` rolls on from the net's own forecasts; the features of those steps, if there are any, are
    taken from ``xs``.

    When not to use it: series of a few dozen values (``river.time_series.HoltWinters``). river's ``evaluate.evaluate``
    compares a forecast made before y_t with y_{t+1} and later, and so is off by one; align by hand.

    Parameters
    ----------
    {horizon}
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
    {max_features}
    {seed}

    Examples
    --------
    >>> from river import datasets
    >>> from streamrnn import RNNForecaster
    >>> model = RNNForecaster(horizon=3, seed=1)
    >>> for x, passengers in datasets.AirlinePassengers():
    ...     model.learn_one(passengers)
    >>> len(model.forecast(3)), len(model.forecast(12))
    (3, 12)
    """

    _entry = staticmethod(supervised)
    _fixed_inputs = ("y", "change of y")
    horizon: int
    key = None
    max_keys = 1
    time = None

    def __init__(
        self,
        horizon: int = 1,
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
        max_features: int = defaults.MAX_FEATURES,
        seed: int = defaults.SEED,
    ) -> None:
        self._start({"advance": "predict", **locals()})
        allowed = [name for name, row in LOSSES.items() if row.outputs_per_target == 1 and row.task == "regression"]
        check(type(self).__name__, "loss", loss, f"one of {', '.join(allowed)}", ok=self._loss in allowed)
        self._net.grow(outputs=horizon)
        self._net.row = np.full(self._width(), np.nan)

    @classmethod
    def _unit_test_params(cls) -> Iterator[dict[str, Any]]:
        yield {"horizon": 2, "hidden_size": 8}

    def _n_outputs(self) -> int:
        return self.horizon

    def learn_one(self, y: float, x: Mapping[Any, Any] | None = None) -> None:
        """Take the next value in.

        Parameters
        ----------
        y
            The value; None or NaN where it is missing.
        x
            Exogenous features of the same moment, by name.

        Raises
        ------
        FeatureError
            When something is no number; nothing has changed then.
        """
        value, features = to_float("y", y), x or {}
        fresh = self._columns.new(features)
        Columns(fresh).write_slowly(features, np.empty(len(fresh)))
        self._columns.write_slowly(features, np.empty(len(self._columns.names)))  # raises before anything has changed
        if fresh:
            self._grow(fresh)
        queue = self._pending.setdefault(0, deque())
        base = _number(queue[-1].raw) if queue else np.nan
        event, base = self._step(self._net, value, base, features)
        queue.append(event._replace(raw=_with(event.raw, base, value)))
        if len(queue) > self.horizon:
            self._teach(queue)

    def _step(self, net: Net, value: float, base: float, x: Mapping[Any, Any]) -> tuple[Pending, float]:
        """Let a net's live state take a value in; return the event and the last value known."""
        row = net.row
        row[0], row[1] = value, value - base
        self._columns.write_slowly(x, row[2:])
        raw = row[: net.sizes.inputs].tobytes()
        net.call(net.slab, row, 1, ADVANCE)
        return Pending(raw, row[: net.sizes.inputs].tobytes()), (base if np.isnan(value) else value)

    def _teach(self, queue: deque[Pending]) -> None:
        """Let the state that learns take in the oldest event: all the values it spoke of have come."""
        net, oldest = self._net, queue.popleft()
        base = _number(oldest.raw)
        row = np.full(self._width(), np.nan)
        row[: net.sizes.inputs] = np.frombuffer(oldest.scaled)
        row[net.first_target : net.first_output] = [_number(one.raw, 1) - base for one in queue]
        net.call(net.slab, row, 1, LEARN | SCALED)

    def _ahead(self, net: Net, base: float) -> list[float]:
        """Return what a net's live state states of the next ``horizon`` values."""
        outputs = net.array("live_outputs")[0 : self.horizon].astype(np.float64)
        if self.normalize:
            mean, var = net.array("y_mean"), net.array("y_var")
            outputs = mean + outputs * np.sqrt(var)
        return [float(v) for v in base + outputs]

    def forecast(self, horizon: int, xs: list[dict[Any, Any]] | None = None) -> list[float]:
        """Return forecasts of the next values. Changes nothing.

        Parameters
        ----------
        horizon
            How many steps.
        xs
            Exogenous features of those steps. They matter beyond the model's own ``horizon`` only, where it rolls on.

        Returns
        -------
        list
            ``horizon`` numbers; 0 before the first value.

        Raises
        ------
        ParameterError
            When ``xs`` is not as long as the horizon.
        """
        check("forecast", "horizon", horizon, "an int >= 1", ok=horizon >= 1)
        if xs is not None and len(xs) != horizon:
            raise ParameterError(f"The 'xs' parameter must have {horizon} entries, one a step. Got {len(xs)}.")
        queue = self._pending.get(0)
        base = _number(queue[-1].raw) if queue else np.nan
        if np.isnan(base):
            return [0.0] * horizon
        found = self._ahead(self._net, base)
        if len(found) < horizon:
            net = copy.deepcopy(self._net)
            net.header[at.FROZEN] = 1
            while len(found) < horizon:
                start = len(found) - self.horizon
                for step in range(start, len(found)):
                    _, base = self._step(net, found[step], base, xs[step] if xs is not None else {})
                found += self._ahead(net, base)
        return found[:horizon]

    def learn_many(self, y: Any, X: Any = None) -> None:
        """Learn value after value: a loop of :meth:`learn_one`.

        Parameters
        ----------
        y
            A series or array of n numbers.
        X
            Exogenous features: a data frame or an array of n rows.
        """
        for value, x in self._events(y, X):
            self.learn_one(value, x)

    def progressive_many(self, y: Any, X: Any = None) -> NDArray[np.float64]:
        """Forecast before each value, then learn it.

        Parameters
        ----------
        y
            A series or array of n numbers.
        X
            Exogenous features: a data frame or an array of n rows.

        Returns
        -------
        array
            Shape (n, horizon). Row t holds what was forecast of y[t], y[t + 1] ... before y[t] was learned.

        Examples
        --------
        >>> from streamrnn import RNNForecaster
        >>> RNNForecaster(horizon=2).progressive_many([5.0, 5.0, 5.0]).tolist()
        [[0.0, 0.0], [5.0, 5.0], [5.0, 5.0]]
        """
        found = []
        for value, x in self._events(y, X):
            found.append(self.forecast(self.horizon))
            self.learn_one(value, x)
        return np.array(found).reshape(len(found), self.horizon)

    def _events(self, y: Any, X: Any) -> Iterator[tuple[float, dict[Any, Any] | None]]:
        table = None if X is None else table_of(X)
        values = values_of(y, len(column_of(y)) if table is None else len(table.values)).tolist()
        rows = [None] * len(values) if table is None else list(table.dicts())
        return zip(values, rows, strict=True)


def _number(raw: bytes, place: int = 0) -> float:
    return float(np.frombuffer(raw, count=place + 1)[place])


def _with(raw: bytes, base: float, value: float) -> bytes:
    """Return an event's bytes with the last value known and the value itself in front."""
    return np.array([base, value]).tobytes() + raw[16:]
