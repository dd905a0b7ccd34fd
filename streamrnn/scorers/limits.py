"""Limits that forecasts may reach: when they will, for each event, and an alarm where that is new."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.config import Forecast
from streamrnn.errors import StateError
from streamrnn.models._crossings import Limit, first_beyond, flat_limits
from streamrnn.scorers.times import seconds_of_events

__all__ = ["ALARM", "FIELD", "LimitWatch", "limits_of"]

FIELD: Final = "limit"  # the details of a result
ALARM: Final = "limit_alarm"
SLACK: Final = 0.25  # of the step between events: what is further from it is another step
SURE: Final = 2  # steps that fitted, less those that did not, from which on steps are said in seconds
MOST_SURE: Final = 50
UNITS: Final = ((172_800.0, 86_400.0, "days"), (7200.0, 3600.0, "h"), (120.0, 60.0, "min"), (0.0, 1.0, "s"))


class LimitWatch:
    """Says of each event which limits the forecast behind it reaches, and alarms where that is new.

    A limit alarms at the first event whose forecast reaches it, and again only after ``horizon`` events in a row whose forecasts did not.

    Parameters
    ----------
    settings
        The limits, and the horizon.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.config import Forecast
    >>> from streamrnn.scorers.limits import LimitWatch
    >>> watch = LimitWatch(Forecast(horizon=3, limits={"high": 90.0}))
    >>> ahead = np.array([[80.0, 85.0, 91.0], [85.0, 90.5, 95.0]])
    >>> found = watch.run(("disk",), np.stack([ahead] * 3, axis=-1)[:, :, None], ["2024-01-01T07:00", "2024-01-01T08:00"])
    >>> found["limit_alarm"].tolist()
    ['disk reaches 90 in 3 events', None]
    >>> found["limit"][1][0]["step"]
    2
    """

    def __init__(self, settings: Forecast) -> None:
        self.horizon = settings.horizon
        self.limits = flat_limits(settings.limits or {})
        self._quiet: dict[str, int] = {}  # events since a limit was last reached, by its name, until it may alarm again
        self._clock = [0.0, 0.0, -1.0]  # the last event's time, the step between two, how sure it is; -1: no event yet

    def run(
        self, names: tuple[str, ...], ahead: NDArray[np.float64], times: Sequence[Any] | None
    ) -> dict[str, NDArray[Any]]:
        """Return two columns of details, a row for each event.

        Parameters
        ----------
        names
            Of the columns.
        ahead
            Low, forecast and high: (n, horizon, I, 3); NaN where nothing is forecast.
        times
            Of the events, as the input wrote them; None where it has no time.
        """
        n = len(ahead)
        found, said = np.full(n, None, object), np.full(n, None, object)
        steps = [(name, limit, *_steps(ahead[:, :, c], limit)) for c, name, limit in self._watched(names)]
        seconds = seconds_of_events(times, n).tolist() if steps else []
        for i in range(n if steps else 0):
            step_s = self._tick(seconds[i])
            near = [(name, limit, int(own[i]), int(band[i])) for name, limit, own, band in steps]
            time = None if times is None else times[i]
            alarms = [_sentence(one, step_s) for one in near if self._is_new(one)]
            rows = [_crossing(one, step_s, time, seconds[i]) for one in near if one[2] or one[3]]
            rows.sort(key=lambda row: row["step"] or row["band_step"])
            found[i], said[i] = rows or None, "; ".join(alarms) or None
        return {FIELD: found, ALARM: said}

    def _watched(self, names: tuple[str, ...]) -> list[tuple[int, str, Limit]]:
        return [
            (c, name, limit)
            for c, name in enumerate(names)
            for limit in self.limits
            if limit.channel is None or limit.channel == name
        ]

    def _is_new(self, one: tuple[str, Limit, int, int]) -> bool:
        """Tell whether a limit is reached that was not; count the events since it was."""
        name, limit, step, _ = one
        known = json.dumps([name, limit.side, limit.value])
        if step:
            new = known not in self._quiet
            self._quiet[known] = 0
            return new
        if known in self._quiet:
            self._quiet[known] += 1
            if self._quiet[known] >= self.horizon:
                del self._quiet[known]
        return False

    def _tick(self, now: float) -> float | None:
        """Return the step between events in seconds, where it is known: what most are apart."""
        last, step, sure = self._clock
        if now == now:  # noqa: PLR0124  no NaN
            gone = now - last
            if sure < 0.0:
                self._clock = [now, 0.0, 0.0]
            elif gone > 0.0:
                fits = abs(gone - step) <= SLACK * step
                fresh = not fits and sure < 1.0
                self._clock = [
                    now,
                    gone if fresh else step,
                    1.0 if fresh else min(sure + (1.0 if fits else -1.0), MOST_SURE),
                ]
        return self._clock[1] if self._clock[2] >= SURE else None

    def dumps(self) -> bytes:
        """Return what is remembered, as bytes."""
        return json.dumps([self._clock, self._quiet]).encode()

    def restore(self, blob: bytes) -> None:
        """Take up what :meth:`dumps` gave. Limits that are new since then are as if never reached.

        Parameters
        ----------
        blob
            What it gave.

        Raises
        ------
        StateError
            When it is something else.
        """
        try:
            clock, quiet = json.loads(blob)
            self._clock = [float(one) for one in clock]
            last, step, sure = self._clock
            self._quiet = {str(name): int(n) for name, n in quiet.items()}
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise StateError("The snapshot's limits are none.") from error
        if not (np.isfinite([last, step, sure]).all() and step >= 0.0 and all(n >= 0 for n in self._quiet.values())):
            raise StateError("The snapshot's limits are none.")


def limits_of(settings: Forecast, name: str) -> list[float]:
    """Return where the limits of one column lie.

    Parameters
    ----------
    settings
        What was configured.
    name
        Of the column.

    Examples
    --------
    >>> from streamrnn.config import Forecast
    >>> from streamrnn.scorers.limits import limits_of
    >>> limits_of(Forecast(horizon=1, limits={"disk": {"high": 90.0}}), "disk")
    [90.0]
    """
    return [limit.value for limit in flat_limits(settings.limits or {}) if limit.channel in (None, name)]


def _steps(ahead: NDArray[np.float64], limit: Limit) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first steps at which the forecast, and the band's outer bound, reach a limit: (n) each, 0 for none."""
    return first_beyond(ahead[..., 1], limit), first_beyond(ahead[..., 2 if limit.side == "high" else 0], limit)


def _crossing(one: tuple[str, Limit, int, int], step_s: float | None, time: Any, now: float) -> dict[str, Any]:
    """Return what a result says of a limit."""
    name, limit, step, band = one
    row: dict[str, Any] = {"column": name, "side": limit.side, "limit": limit.value}
    for part, n in (("", step), ("band_", band)):
        gone = step_s * n if step_s is not None and n else None
        row |= {
            f"{part}step": n or None,
            f"{part}in_s": gone,
            f"{part}when": None if gone is None else _later(time, now, gone),
        }
    return row


def _later(time: Any, now: float, gone: float) -> Any:
    """Return a later time in the form of that of an event."""
    try:
        return (datetime.fromisoformat(str(time).strip()) + timedelta(seconds=gone)).isoformat()
    except (ValueError, OverflowError):
        return now + gone


def _sentence(one: tuple[str, Limit, int, int], step_s: float | None) -> str:
    """Say that a limit will be reached, and when."""
    name, limit, step, _ = one
    within = f"{step} event{'s' * (step > 1)}" if step_s is None else _about(step_s * step)
    return f"{name} {'reaches' if limit.side == 'high' else 'falls to'} {limit.value:g} in {within}"


def _about(seconds: float) -> str:
    size, unit = next((size, unit) for least, size, unit in UNITS if seconds >= least)
    return f"{seconds / size:.3g} {unit}"
