"""The series that somebody may want to look at: those that alarm most, and those seen last. Bounded, whatever the number of keys."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamrnn.io import Block
from streamrnn.safe_text import safe_name
from streamrnn.scorers.feedback import feedback_alone
from streamrnn.scorers.scored import Scored

__all__ = ["KeyPoints", "Point", "RecentSeries", "named", "series_id"]

SERIES_KEPT = 32
"""Series of either kind whose last points are kept. With POINTS_KEPT and FEATURES_KEPT: 40 MB at most, 16 MB with one feature."""

POINTS_KEPT = 600

FEATURES_KEPT = 8
"""Of each series: the first ones."""

NUMBERS = ("value", "expected", "low", "high")
"""What is kept of each of them."""

Name = tuple[str, str | None]
"""Partition and key."""


def series_id(partition: str, key: str | None) -> str:
    """Return what a series is asked for by: short, and nothing but letters and digits, whatever its key is.

    Parameters
    ----------
    partition
        Name of the partition.
    key
        Of the events; None where they have none.

    Examples
    --------
    >>> from streamrnn.daemon.recent_series import series_id
    >>> series_id("0", None), series_id("0", "None")
    ('d1bdaaa53cf10c6d', 'cb420be952658560')
    """
    return blake2b(repr((partition, key)).encode(), digest_size=8).hexdigest()


def named(partition: str, key: str | None) -> dict[str, str | None]:
    """Return what a series is shown and asked for by.

    Parameters
    ----------
    partition
        Name of the partition.
    key
        Of the events; None where they have none.
    """
    return {"name": None if key is None else safe_name(key), "id": series_id(partition, key)}


class Point(NamedTuple):
    """One event of a series as it is shown.

    Parameters
    ----------
    time
        Of the event, as the source gave it.
    numbers
        float64, shape (4, features): value, what the model predicted for it, lower and upper bound of the prediction interval; NaN where
        nothing was expected, or there is none.
    score
        From 0 to 1.
    threshold
        From which score on there are alarms, as far as the model says so; else NaN.
    alarm
        Whether it raised an alarm.
    """

    time: Any
    numbers: NDArray[np.float64]
    score: float
    threshold: float
    alarm: bool


@dataclass(slots=True)
class KeyPoints:
    """The last points of one series; events and alarms since it is looked at.

    Parameters
    ----------
    points
        The last points, oldest first.
    features
        Names of the features, as of the last point.
    events
        Events since the key was first looked at.
    alarms
        How many of them raised an alarm.
    """

    points: deque[Point] = field(default_factory=lambda: deque(maxlen=POINTS_KEPT))
    features: tuple[str, ...] = ()
    events: int = 0
    alarms: int = 0

    def columns(self) -> dict[str, Any]:
        """Return the points as columns, oldest first: ``time``, ``score``, ``threshold``, ``alarm``, and of each of ``features`` its name and numbers."""
        points = list(self.points)
        wide = np.full((len(points), len(NUMBERS), len(self.features)), np.nan)
        for i, one in enumerate(points):
            known = min(one.numbers.shape[1], wide.shape[2])
            wide[i, :, :known] = one.numbers[:, :known]
        return {
            "time": [safe_name(one.time) if isinstance(one.time, str) else one.time for one in points],
            "score": [one.score for one in points],
            "threshold": [one.threshold for one in points],
            "alarm": [one.alarm for one in points],
            "features": [
                {"name": safe_name(name), **{kind: wide[:, k, f].tolist() for k, kind in enumerate(NUMBERS)}}
                for f, name in enumerate(self.features)
            ],
        }


class RecentSeries:
    """Keeps the last points of some series.

    Of those that have alarmed, the ones that did most often stay; of the others the ones seen last. A series that has never
    been among either, or has been pushed out, begins anew when it comes again. Who is watched stays, whatever else comes.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.io import Block
    >>> from streamrnn.daemon.recent_series import RecentSeries
    >>> from streamrnn.scorers.scored import Scored
    >>> seen, keys = RecentSeries(), tuple(f"k{i}" for i in range(100))
    >>> values = np.zeros((100, 1))
    >>> seen.take(Block(("a",), values, tuple(range(100)), 100, keys=keys), Scored(np.zeros(100), values, [True] + [False] * 99, []))
    >>> [name for name, _ in seen.worst()][:2], len(seen.worst())
    ([('0', 'k0'), ('0', 'k68')], 33)
    """

    def __init__(self) -> None:
        self._alarming: OrderedDict[Name, KeyPoints] = OrderedDict()
        self._recent: OrderedDict[Name, KeyPoints] = OrderedDict()
        self._watched: OrderedDict[Name, KeyPoints] = OrderedDict()
        self.label: str | None = None
        """The column with feedback, which is no feature; records with nothing else are no points. None: there is none."""
        self.time: str | None = None
        """The column that the model sees as the time: such records may hold it."""

    def watch(self, name: Name) -> None:
        """Keep the points of a series from now on: somebody looks at it. The one looked at longest ago gives way.

        Parameters
        ----------
        name
            Partition and key.
        """
        if name not in self._alarming:
            self._watched[name] = self._watched.pop(name, self._recent.pop(name, KeyPoints()))
            if len(self._watched) > SERIES_KEPT:
                self._watched.popitem(last=False)

    def get(self, name: Name) -> KeyPoints | None:
        """Return a series, if it is kept.

        Parameters
        ----------
        name
            Partition and key.
        """
        return self._alarming.get(name) or self._watched.get(name) or self._recent.get(name)

    def worst(self) -> list[tuple[Name, KeyPoints]]:
        """Return all that are kept, those that alarm most first."""
        every = [*self._alarming.items(), *self._watched.items(), *self._recent.items()]
        return sorted(every, key=lambda one: (-one[1].alarms, one[0][0], str(one[0][1])))

    def take(self, block: Block, scored: Scored) -> None:
        """Take in a block's results.

        Parameters
        ----------
        block
            Events of one partition.
        scored
            Their results.
        """
        if scored.label is None:
            shown = [i for i, name in enumerate(block.names) if name != self.label][:FEATURES_KEPT]
        else:
            shown = [scored.column(block.names)]
        words = (
            np.zeros(len(block), bool)
            if self.label is None
            else feedback_alone(block.values, block.names, self.label, self.time)
        )
        nothing = np.full((len(block), len(block.names)), np.nan)
        numbers = np.stack(
            [
                scored.observed(block.values)[:, shown],
                scored.predictions[:, shown],
                *(scored.details.get(name, nothing)[:, shown] for name in ("low", "high")),
            ],
            axis=1,
        )
        thresholds = scored.details.get("threshold", nothing[:, 0])
        times = block.positions if block.times is None else block.times
        for key, found in self._rows(block, scored):
            rows = found if self.label is None else [i for i in found if not words[i]]
            if not rows:
                continue
            series = self._series((block.partition, key), alarms=sum(scored.alarms[i] for i in rows))
            series.events += len(rows)
            series.features = tuple(block.names[i] for i in shown)
            series.points.extend(
                Point(times[i], numbers[i].copy(), scored.scores.item(i), float(thresholds[i]), scored.alarms[i])
                for i in rows[-POINTS_KEPT:]
            )

    def _rows(self, block: Block, scored: Scored) -> Iterator[tuple[str | None, Sequence[int]]]:
        """Yield the rows of each series that is kept or will be, the one seen last at the end."""
        if block.keys is None:
            yield None, range(len(block))
            return
        rows: dict[str | None, list[int]] = {}
        for i, key in enumerate(block.keys):
            rows.setdefault(key, []).append(i)
        last = dict.fromkeys(reversed(block.keys))
        wanted = {*islice(last, SERIES_KEPT)}
        wanted.update(key for key, alarm in zip(block.keys, scored.alarms, strict=True) if alarm)
        for key in reversed(last):
            if key in wanted or self.get((block.partition, key)) is not None:
                yield key, rows[key]

    def _series(self, name: Name, *, alarms: int) -> KeyPoints:
        """Return a series, with more alarms, as one that stays for now."""
        series = self._alarming.get(name) or self._watched.get(name)
        if series is not None:
            series.alarms += alarms
            return series
        series = self._recent.pop(name, None) or KeyPoints()
        series.alarms += alarms
        if series.alarms:
            self._alarming[name] = series
            if len(self._alarming) > SERIES_KEPT:
                least = min(self._alarming, key=lambda one: self._alarming[one].alarms)
                self._recent[least] = self._alarming.pop(least)
        else:
            self._recent[name] = series
        if len(self._recent) > SERIES_KEPT:
            self._recent.popitem(last=False)
        return series
