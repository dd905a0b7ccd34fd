"""The latest alarms, newest first: what somebody wants to see at three in the morning. Bounded, whatever the stream does."""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from streamrnn.engine.episodes import Columns, Moment, columns_of, moment_of, number_of
from streamrnn.engine.fields import Time
from streamrnn.io import Block
from streamrnn.scorers.feedback import FIELD
from streamrnn.scorers.scored import Scored

__all__ = ["RecentAlarm", "RecentAlarms"]

ALARMS_KEPT = 100


@dataclass(slots=True)
class RecentAlarm:
    """Alarms of one series that belong together.

    Parameters
    ----------
    partition, key
        Whose it is.
    first, worst, last
        Its first alarm, its most severe one, its last one.
    alarms
        How many there were.
    quiet
        Events of the series since the last one, or since what began with it is over.
    goes_on
        Whether it has not ended.
    until
        Its last event that alarmed, or belongs to what began with it.
    now
        The newest value of the feature that decided, and the time of its event; None where it is missing, or nothing decided.
    said
        What feedback that the run has applied said of its most severe event: whether that is an anomaly; None: nothing yet.
    """

    partition: str
    key: str | None
    first: Moment
    worst: Moment
    last: Moment
    alarms: int = 1
    quiet: int = 0
    goes_on: bool = True
    until: Time = None
    now: tuple[float | None, Time] | None = None
    said: bool | None = None

    @property
    def name(self) -> str:
        """Which alarm it is, the same after a restart."""
        text = msgspec.json.encode((self.partition, self.key, self.first.position))
        return hashlib.blake2b(text, digest_size=12).hexdigest()


class RecentAlarms:
    """Keeps the latest alarms of a run, those of a series that follow each other as one.

    Parameters
    ----------
    ends_after
        Events of a series without an alarm after which the next one is another; while the model says that a change lasts, none count.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.daemon.recent_alarms import RecentAlarms
    >>> from streamrnn.io import Block
    >>> from streamrnn.scorers.scored import Scored
    >>> recent, scores = RecentAlarms(ends_after=2), np.array([0.1, 0.8, 0.9, 0.1, 0.1, 0.7])
    >>> block = Block(("a",), np.arange(6.0)[:, None], tuple(range(6)), 6)
    >>> recent.take(block, Scored(scores, np.zeros((6, 1)), [False, True, True, False, False, True], []))
    >>> [(one.first.value, one.worst.value, one.alarms, one.goes_on) for one in recent.newest()]
    [(5.0, 5.0, 1, True), (1.0, 2.0, 2, False)]
    """

    def __init__(self, ends_after: int = 10) -> None:
        self._ends_after = ends_after
        self._kept: deque[RecentAlarm] = deque()
        self._open: dict[tuple[str, str | None], RecentAlarm] = {}
        self.label: str | None = None
        """The column with feedback; None: there is none."""

    def find(self, name: str) -> RecentAlarm | None:
        """Return the alarm of a name, None where it is not kept.

        Parameters
        ----------
        name
            See :attr:`RecentAlarm.name`.
        """
        return next((one for one in self._kept if one.name == name), None)

    def newest(self) -> list[RecentAlarm]:
        """Return them, the one that began last at the front."""
        return list(reversed(self._kept))

    def take(self, block: Block, scored: Scored) -> None:
        """Take in a block's results.

        Parameters
        ----------
        block
            Events of one partition.
        scored
            Their results.
        """
        self._hear(block, scored)
        keys = block.keys
        alarming = [i for i, alarm in enumerate(scored.alarms) if alarm]
        mine = {key for partition, key in self._open if partition == block.partition}
        mine.update(None if keys is None else keys[i] for i in alarming)
        if not mine:
            return
        columns = columns_of(block, scored)
        for i in range(len(block)):
            key = None if keys is None else keys[i]
            if key in mine:
                self._event(columns, i, (block.partition, key))

    def _hear(self, block: Block, scored: Scored) -> None:
        """Note what applied feedback says of the alarms that are kept."""
        if self.label not in block.names or FIELD not in scored.details or block.times is None or not self._kept:
            return
        words = block.values[:, block.names.index(self.label)]
        for i in np.flatnonzero(~np.isnan(words)).tolist():
            if scored.details[FIELD][i]:
                whose = block.partition, None if block.keys is None else block.keys[i], block.times[i]
                for one in self._kept:
                    if (one.partition, one.key, one.worst.time) == whose:
                        one.said = bool(words[i])

    def _event(self, columns: Columns, i: int, name: tuple[str, str | None]) -> None:
        """Take in an event of a series that alarms, or did."""
        one, time = self._open.get(name), None if columns.block.times is None else columns.block.times[i]
        if columns.scored.alarms[i]:
            moment = moment_of(columns, i)
            if one is None:
                one = self._begin(name, moment)
            else:
                one.alarms, one.quiet, one.last = one.alarms + 1, 0, moment
                one.worst = max(one.worst, moment, key=_severity)
            one.until = time
        elif one is None:
            return
        elif columns.lasting is not None and columns.lasting[i] > 0:
            one.quiet = 0  # the model says that what began with the alarm goes on, or does not know yet
            if columns.lasting[i] > self._ends_after:
                one.until = time
        else:
            one.quiet += 1
            if one.quiet >= self._ends_after:
                one.goes_on = False
                del self._open[name]
        names = columns.block.names
        if one.worst.feature in names:
            one.now = number_of(columns.observed[i, names.index(one.worst.feature)]), time

    def _begin(self, name: tuple[str, str | None], moment: Moment) -> RecentAlarm:
        self._open[name] = one = RecentAlarm(*name, moment, moment, moment)
        self._kept.append(one)
        if len(self._kept) > ALARMS_KEPT:
            oldest = self._kept.popleft()
            if self._open.get(place := (oldest.partition, oldest.key)) is oldest:
                del self._open[place]
        return one

    def status(self) -> list[dict[str, Any]]:
        """Return them as JSON-serialisable data, newest first."""
        return [
            {
                "partition": one.partition, "key": one.key, "time": one.first.time, "position": one.first.position, "last_time": one.last.time, "until": one.until,
                "feature": one.worst.feature, "view": one.worst.view, "value": one.worst.value, "expected": one.worst.prediction,
                "now": None if one.now is None else {"value": one.now[0], "time": one.now[1]},
                "alarm": one.name, "answerable": one.worst.time is not None, "said": one.said,
                "score": one.worst.score, "severity": one.worst.severity, "alarms": one.alarms, "goes_on": one.goes_on,
            }
            for one in self.newest()
        ]  # fmt: skip


def _severity(moment: Moment) -> float:
    """Return what alarms are compared by."""
    value = moment.score if moment.severity is None else moment.severity
    return float("-inf") if value is None else value
