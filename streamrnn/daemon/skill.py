"""Whether a model is still good: its error beside the last value's, how many values its bands hold, how far the input has moved."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamrnn.daemon.last_values import LastValues
from streamrnn.daemon.times import epoch_seconds
from streamrnn.io import Block
from streamrnn.scorers.scored import Scored

__all__ = ["HORIZONS", "Skill"]

HORIZONS: Final = 10_000, 1_000_000
"""Events of a partition over which it is taken, the older ones fading: what is now, beside what has long been."""

DAYS_KEPT: Final = 14
DAY_S: Final = 86_400.0

TOGETHER: Final = 256
"""Events that are counted at once."""

_ERROR, _LAST, _INSIDE, _BANDS, _SUM, _SQUARES, _COUNT = range(7)
Sums = NDArray[np.float64]
"""float64, shape (..., 7, features): error, error of the last value, values inside their bands, values with bands, then of the values."""


class _Rows(NamedTuple):
    """What is needed of a block."""

    names: tuple[str, ...]
    values: NDArray[np.float64]
    stated: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    keys: list[str | None] | None
    days: NDArray[np.float64]
    alarms: list[bool]


class Skill:
    """Of one partition: skill, coverage of the bands and drift over its last events, and by days.

    Skill is 1 - (mean absolute error) / (mean absolute error of the last value of the same key): 0 is no better than persistence, 1 is
    without error (Murphy, 1988). The errors of a key count in units of its own usual step, so that none outweighs the others.
    Coverage is the share of values inside the interval that was given before they came. Drift is how far the mean of the last ten thousand values lies
    from that of the last million, in standard deviations of those.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.daemon.skill import Skill
    >>> from streamrnn.io import Block
    >>> from streamrnn.scorers.scored import Scored
    >>> values = np.array([[0.0], [2.0], [0.0], [2.0]])
    >>> skill, half = Skill(), Scored(np.zeros(4), np.array([[np.nan], [1.0], [1.0], [1.0]]), [False] * 4, [])
    >>> skill.take(Block(("a",), values, tuple(range(4)), 4), half)
    >>> skill.status()["skill"]["10000"]
    0.5
    """

    def __init__(self) -> None:
        self._waiting: list[_Rows] = []
        self._rows_waiting = 0
        self._names: tuple[str, ...] = ()
        self._last = LastValues()
        self._sums: Sums = np.zeros((len(HORIZONS), 7, 0))
        self._days: dict[int, Sums] = {}
        self._alarms: dict[int, list[int]] = {}

    def take(self, block: Block, scored: Scored) -> None:
        """Take in a block's results.

        Parameters
        ----------
        block
            Events of the partition.
        scored
            Their results.
        """
        if not len(block):
            return
        at = slice(None) if scored.label is None else [scored.column(block.names)]
        values = scored.observed(block.values)[:, at]
        names = block.names[: values.shape[1]] if scored.label is None else (scored.label,)
        nothing = np.full(values.shape, np.nan)
        low, high = (scored.details[one][:, at] if one in scored.details else nothing for one in ("low", "high"))
        keys = None if block.keys is None else list(block.keys)
        if self._waiting and self._waiting[-1].names != names:
            self._digest()
        self._waiting.append(
            _Rows(
                names,
                values,
                scored.predictions[:, at],
                low,
                high,
                keys,
                _days(block.times, len(block)),
                list(scored.alarms),
            )
        )
        self._rows_waiting += len(values)
        if self._rows_waiting >= TOGETHER:
            self._digest()

    def _digest(self) -> None:
        """Count what waits: a block of one event costs hardly less than one of hundreds."""
        if not self._waiting:
            return
        waiting, self._waiting, self._rows_waiting = self._waiting, [], 0
        values, stated, low, high = (
            np.concatenate(parts) for parts in zip(*(one[1:5] for one in waiting), strict=True)
        )
        keys = None if waiting[0].keys is None else [key for one in waiting for key in one.keys or ()]
        self._make_room(waiting[0].names)
        terms = self._terms(keys, values, stated, (low, high))
        for i, horizon in enumerate(HORIZONS):
            keep = 1.0 - 1.0 / horizon
            weights = keep ** np.arange(len(values) - 1, -1, -1)
            self._sums[i] = keep ** len(values) * self._sums[i] + np.tensordot(weights, terms, 1)
        days = np.concatenate([one.days for one in waiting])
        alarms = np.array([alarm for one in waiting for alarm in one.alarms], dtype=bool)
        for day in np.unique(days[np.isfinite(days)]):
            rows = days == day
            self._take_day(int(day), terms[rows], int(alarms[rows].sum()))

    def status(self) -> dict[str, Any]:
        """Return what is known, as JSON-serialisable data: by horizon, by feature and by week."""
        self._digest()
        skills, inside = _skill(self._sums), _ratio(self._sums[:, _INSIDE], self._sums[:, _BANDS])
        drift = self._drift()
        return {
            "skill": _by_horizon(_mean(one) for one in skills),
            "coverage": _by_horizon(_mean(one) for one in inside),
            "drift": None if not len(drift) or np.isnan(drift).all() else float(np.nanmax(drift)),
            "features": {
                name: {"skill": _by_horizon(map(_number, skills[:, i])), "drift": _number(drift[i])}
                for i, name in enumerate(self._names)
            },
            "weeks": self._weeks(),
        }

    def _make_room(self, names: tuple[str, ...]) -> None:
        """Add features, when new ones come."""
        more = len(names) - len(self._names)
        if more > 0:
            self._sums = _widened(self._sums, more)
            self._days = {day: _widened(sums, more) for day, sums in self._days.items()}
            self._names = names

    def _terms(
        self,
        keys: list[str | None] | None,
        values: NDArray[np.float64],
        stated: NDArray[np.float64],
        bands: tuple[NDArray[np.float64], NDArray[np.float64]],
    ) -> Sums:
        """Return what each event adds, shape (n, 7, features)."""
        width = values.shape[1]
        terms = np.zeros((len(values), 7, len(self._names)))
        finite = np.isfinite(values)
        step, unit = self._last.take(keys, values, finite)
        both = finite & np.isfinite(stated) & np.isfinite(step) & np.isfinite(unit)
        with np.errstate(invalid="ignore"):
            terms[:, _ERROR, :width] = np.where(both, np.abs(values - stated) / unit, 0.0)
            terms[:, _LAST, :width] = np.where(both, step / unit, 0.0)
            known = finite & np.isfinite(bands[0]) & np.isfinite(bands[1])
            terms[:, _BANDS, :width] = known
            terms[:, _INSIDE, :width] = known & (values >= bands[0]) & (values <= bands[1])
        clean = np.where(finite, np.clip(values, -1e150, 1e150), 0.0)
        terms[:, _SUM, :width], terms[:, _SQUARES, :width], terms[:, _COUNT, :width] = clean, clean**2, finite
        return terms

    def _take_day(self, day: int, terms: Sums, alarms: int) -> None:
        if (self._days and day < max(self._days) - DAYS_KEPT) or day > time.time() // DAY_S + 1:  # from 2099
            return
        before = self._days.get(day)
        self._days[day] = terms.sum(axis=0) + (0.0 if before is None else before)
        counted = self._alarms.setdefault(day, [0, 0])
        counted[0] += len(terms)
        counted[1] += alarms
        newest = max(self._days)
        for old in [one for one in self._days if one <= newest - DAYS_KEPT]:
            del self._days[old], self._alarms[old]

    def _weeks(self) -> dict[str, Any]:
        """Return the last seven days of the input beside the seven before, by its own time; nothing where it has no times."""
        if not self._days:
            return {}
        newest, found = max(self._days), {}
        for name, days in (("this", range(newest - 6, newest + 1)), ("last", range(newest - 13, newest - 6))):
            known = [day for day in days if day in self._days]
            if known:
                events, alarms = np.sum([self._alarms[day] for day in known], axis=0).tolist()
                skill = _mean(_skill(np.sum([self._days[day] for day in known], axis=0)))
                found[name] = {"days": len(known), "events": events, "alarms": alarms, "skill": skill}
        return found

    def _drift(self) -> NDArray[np.float64]:
        """Return of each feature how far the mean of its last values has moved, in standard deviations."""
        count = self._sums[:, _COUNT]
        means = _ratio(self._sums[:, _SUM], count)
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = np.sqrt(np.maximum(_ratio(self._sums[1, _SQUARES], count[1]) - means[1] ** 2, 0.0))
            return np.where(spread > 0.0, np.abs(means[0] - means[1]) / spread, np.nan)


def _days(times: Sequence[Any] | None, n: int) -> NDArray[np.float64]:
    """Return the day of each of ``n`` events, NaN where it has none; the times between are not read where the first and the last agree."""
    if times is None:
        return np.full(n, np.nan)
    ends = [epoch_seconds(when) for when in (times[0], times[-1])]
    if None not in ends and ends[0] // DAY_S == ends[1] // DAY_S:  # type: ignore[operator]
        return np.full(n, ends[0] // DAY_S)  # type: ignore[operator]
    found = (epoch_seconds(when) for when in times)
    return np.array([np.nan if one is None else one // DAY_S for one in found])


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore", divide="ignore"):
        found: NDArray[np.float64] = np.where(below > 0.0, above / below, np.nan)
    return found


def _skill(sums: Sums) -> NDArray[np.float64]:
    """Return the skill of each feature; NaN where the last value had no error to compare with."""
    found: NDArray[np.float64] = 1.0 - _ratio(sums[..., _ERROR, :], sums[..., _LAST, :])
    return found


def _mean(values: NDArray[np.float64]) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else None


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _by_horizon(values: Any) -> dict[str, float | None]:
    return {str(horizon): value for horizon, value in zip(HORIZONS, values, strict=True)}


def _widened(array: NDArray[np.float64], more: int) -> NDArray[np.float64]:
    return np.concatenate([array, np.zeros((*array.shape[:-1], more))], axis=-1)
