"""Forecasts beside the scores: after each event, what is expected of those to come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.config import Alarm, Forecast
from streamrnn.container import Blob
from streamrnn.errors import StateError
from streamrnn.scorers.capabilities import SharedNet
from streamrnn.scorers.limits import ALARM, FIELD, LimitWatch
from streamrnn.scorers.of_keys import OfKeys
from streamrnn.scorers.scored import Scored
from streamrnn.scorers.scorer import Counters, Scorer, read
from streamrnn.scorers.times import seconds_of_events

__all__ = [
    "ForecastingScorer",
    "forecast_block",
    "forecaster_bytes",
    "forecaster_from",
    "levels_of",
    "new_forecaster",
]

TIME: Final = "time of the event"  # what the forecaster calls it where the model sees none
ENTRY_BYTES: Final = 2000  # of a forecaster and its limits, what is around them
LOW, LOW_HALF, MIDDLE, HIGH_HALF, HIGH = range(5)

FeedbackRows = Callable[[NDArray[np.float64], tuple[str, ...]], NDArray[np.bool_]]
"""Which rows of some columns are feedback, and no events."""


class ForecastingScorer:
    """Adds forecasts of all columns to what another scorer says.

    Parameters
    ----------
    scorer
        The other one.
    settings
        Horizon, at least 1, and level.
    time
        The column or the time of the events that the forecaster sees; None: it sees none, unless its calendar asks for it.
    feedback_rows
        Tells which records are no events: they are not forecast.
    keyed
        Whether this is one of many keys, see :func:`new_forecaster`.
    room
        Keys held at most, each with a forecaster of its own, where many share the model; None where it is that of one.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.config import Alarm, Forecast
    >>> from streamrnn.scorers.kinds import model_kind
    >>> from streamrnn.scorers.make import new_scorer
    >>> scorer = new_scorer(model_kind("RNNAnomalyDetector", {}), Alarm(), Forecast(horizon=2))
    >>> scorer.run(np.array([[1.0], [2.0]]), ("level",), None).forecasts.shape
    (2, 2, 1, 5)
    """

    def __init__(
        self,
        scorer: Scorer,
        settings: Forecast,
        time: str | None,
        feedback_rows: FeedbackRows,
        *,
        keyed: bool = False,
        room: int | None = None,
    ) -> None:
        self.scorer = scorer
        self.settings = settings
        self._time = time = TIME if time is None and settings.by_time else time
        self.forecasters = OfKeys(lambda: new_forecaster(settings, time, keyed=keyed), room)
        self.limits = OfKeys(lambda: LimitWatch(settings), room)
        self._watches = bool(self.settings.limits)
        self._feedback_rows = feedback_rows

    @property
    def parts(self) -> int:
        """Those inside, and two."""
        return self.scorer.parts + 2

    @property
    def counters(self) -> Counters:
        """As inside."""
        return self.scorer.counters

    def run(
        self,
        values: NDArray[np.float64],
        names: tuple[str, ...],
        times: Sequence[Any] | None,
        keys: Sequence[str | None] | None = None,
    ) -> Scored:
        """Score and learn each event, see :meth:`streamrnn.scorers.scorer.Scorer.run`, and forecast behind each.

        Parameters
        ----------
        values
            float64, shape (n, I); NaN where a value is missing.
        names
            Of the columns.
        times
            Of the events, as the input wrote them; None where it has no time.
        keys
            Of the events, where many keys share the model; None where it is that of one.
        """
        found = read(self.scorer.run(values, names, times, keys))
        events = np.flatnonzero(~self._feedback_rows(values, names))
        seconds = self._seconds(values, names, times)
        ahead = np.full((len(values), self.settings.horizon, len(names), 5), np.nan)
        whose = None if keys is None else [keys[i] for i in events.tolist()]
        for forecaster, part in self.forecasters.rows_of(whose, len(events)):
            rows = events[part]
            when = None if seconds is None else seconds[rows]
            ahead[rows] = forecast_block(forecaster, self.settings, names, values[rows], when)
        if not self._watches:
            return replace(found, forecasts=ahead)
        reached = {name: np.full(len(values), None, object) for name in (FIELD, ALARM)}
        for limits, part in self.limits.rows_of(whose, len(events)):
            rows = events[part]
            of_rows = None if times is None else [times[i] for i in rows.tolist()]
            for name, column in limits.run(names, ahead[rows][..., [LOW, MIDDLE, HIGH]], of_rows).items():
                reached[name][rows] = column
        return replace(found, forecasts=ahead, details={**found.details, **reached})

    def _seconds(
        self, values: NDArray[np.float64], names: tuple[str, ...], times: Sequence[Any] | None
    ) -> NDArray[np.float64] | None:
        if self._time is None:
            return None
        return values[:, names.index(self._time)] if self._time in names else seconds_of_events(times, len(values))

    def set_alarm(self, alarm: Alarm) -> None:
        """As inside.

        Parameters
        ----------
        alarm
            The settings; those of a start, window and warm-up, stay.
        """
        self.scorer.set_alarm(alarm)

    def memory(self) -> int:
        """Return the memory that is held, in bytes, estimated from above."""
        return int(self.scorer.memory() + self._forecaster_bytes())

    def _forecaster_bytes(self) -> int:
        return max((int(one.memory_usage()) * 3 // 2 for one in self.forecasters), default=0)

    @property
    def net(self) -> SharedNet:
        """As inside."""
        return self.scorer.net

    def limit_keys(self, room: int) -> None:
        """Keep so many keys at most from now on, see :meth:`streamrnn.scorers.scorer.Scorer.limit_keys`.

        Parameters
        ----------
        room
            How many.
        """
        self.scorer.limit_keys(room)
        self.forecasters.limit(room)
        self.limits.limit(room)

    def key_memory(self) -> int:
        """Return the memory that one more key takes, in bytes, estimated from above, where many share the model."""
        return self.scorer.key_memory() + self._forecaster_bytes() + ENTRY_BYTES

    def dumps(self) -> list[Blob]:
        """Return the blobs inside, then the forecaster and what is remembered of limits."""
        own = self.forecasters.dumps(forecaster_bytes), self.limits.dumps(LimitWatch.dumps)
        return [*self.scorer.dumps(), *own]

    def restore(self, blobs: Sequence[bytes]) -> None:
        """Take up what :meth:`dumps` gave.

        Parameters
        ----------
        blobs
            What it gave, as many and in the order.
        """
        self.scorer.restore(blobs[:-2])
        slots = self.net.slots if self.forecasters.shared else {}
        self.forecasters.restore(blobs[-2], lambda data: forecaster_from(data, self.settings, self._time), slots)
        self.limits.restore(blobs[-1], self._limits_of, slots if self._watches else {})

    def _limits_of(self, data: bytes) -> LimitWatch:
        watch = LimitWatch(self.settings)
        watch.restore(data)
        return watch


def new_forecaster(settings: Forecast, time: str | None = None, *, keyed: bool = False) -> Any:
    """Return the forecaster of one key; one with ``time`` sees the gaps between events.

    Parameters
    ----------
    settings
        Horizon and level.
    time
        The column that is the time; None: there is none.
    keyed
        Whether there will be many: the long regression, half a megabyte, is then left out.
    """
    from streamrnn import RNNForecaster  # noqa: PLC0415  (imports numba)
    from streamrnn.models import _defaults as defaults  # noqa: PLC0415

    experts = tuple(name for name in defaults.EXPERTS if not (keyed and name == "long"))
    time = TIME if time is None and settings.by_time else time
    return RNNForecaster(
        horizon=settings.horizon, experts=experts, period=settings.period, minimum=_minimum(settings),
        calendar=settings.calendar or None, holidays=settings.holidays or None, time=time,
    )  # fmt: skip


def _minimum(settings: Forecast) -> float | str | None:
    return None if settings.minimum == "none" else settings.minimum


def forecaster_bytes(forecaster: Any) -> bytes:
    """Return a forecaster as bytes, whatever the model beside it is written by.

    Parameters
    ----------
    forecaster
        From :func:`new_forecaster`.
    """
    from streamrnn.models.persistence import encode  # noqa: PLC0415

    return encode(forecaster)


def forecaster_from(data: bytes, settings: Forecast, time: str | None = None) -> Any:
    """Return what :func:`forecaster_bytes` wrote.

    Parameters
    ----------
    data
        What was written.
    settings
        Horizon and level.
    time
        The column that is the time; None: there is none.

    Raises
    ------
    StateError
        When it is something else.
    """
    from streamrnn.models.persistence import decode  # noqa: PLC0415

    found = decode(data)
    wanted = (settings.horizon, time, settings.calendar or None)
    if type(found).__name__ != "RNNForecaster" or (found.horizon, found.time, found.calendar) != wanted:
        raise StateError("The snapshot's forecaster is none of this configuration.")
    found.minimum = _minimum(settings)  # what is learned does not depend on it
    if found.holidays != (settings.holidays or None):
        found.holidays = settings.holidays or None
    return found


def levels_of(settings: Forecast) -> tuple[float, ...]:
    """Return the four quantiles of the bands: of the level asked for, and of one half, from low to high.

    Parameters
    ----------
    settings
        The level is the share of events between the outer ones.

    Examples
    --------
    >>> from streamrnn.config import Forecast
    >>> from streamrnn.scorers.forecast import levels_of
    >>> levels_of(Forecast(level=0.5))
    (0.25, 0.25, 0.75, 0.75)
    """
    out, inner = 0.5 - settings.level / 2, min(0.25, 0.5 - settings.level / 4)
    inner = max(inner, out)
    return out, inner, 1.0 - inner, 1.0 - out


def forecast_block(
    model: Any,
    settings: Forecast,
    names: tuple[str, ...],
    values: NDArray[np.float64],
    times: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Learn row by row, and forecast behind each.

    Parameters
    ----------
    model
        From :func:`new_forecaster`.
    settings
        Horizon and level.
    names, values
        Channels, and float64 of shape (n, I).
    times
        Of the events, in seconds, shape (n,), for a forecaster that sees them.

    Returns
    -------
    array
        (n, horizon, I, 5): low, low half, forecast, high half, high; NaN where a channel has had no value.
    """
    H, levels = settings.horizon, levels_of(settings)
    found = np.full((len(values), H, len(names), 5), np.nan)
    for i, row in enumerate(values.tolist()):
        model.learn_one(dict(zip(names, row, strict=True)), None if times is None else {model.time: times.item(i)})
        for h, step in enumerate(model.forecast(H)):
            for c, name in enumerate(names):
                if name in step:
                    found[i, h, c, MIDDLE] = step[name]
        for h, step in enumerate(model.forecast_quantiles(H, levels)):
            for c, name in enumerate(names):
                if name in step:
                    found[i, h, c, [LOW, LOW_HALF, HIGH_HALF, HIGH]] = [step[name][level] for level in levels]
    return found
