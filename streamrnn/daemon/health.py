"""How a run is: what the loop tells as it goes, kept for whoever asks. Bounded, and cheap for the loop."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from streamrnn.daemon.recent_alarms import RecentAlarm, RecentAlarms
from streamrnn.daemon.recent_series import KeyPoints, RecentSeries, named, series_id
from streamrnn.daemon.skill import Skill
from streamrnn.daemon.stages import Stages
from streamrnn.daemon.times import epoch_seconds
from streamrnn.engine.loop import Runtime
from streamrnn.engine.monitor import Monitor, Summary
from streamrnn.engine.shard import Shard
from streamrnn.io import Block, DeadLetter
from streamrnn.safe_text import safe_name, safe_text
from streamrnn.scorers.scored import Scored

__all__ = ["Health", "PartitionHealth", "quantiles"]

T = TypeVar("T")
SHOWN = 20  # series in a status
COLDEST_SHOWN = 10  # keys in a status, of all partitions together
LETTERS_SHOWN, REASON = 5, 200  # dead letters in a status, and characters of what is wrong with one
SCORES_KEPT = (
    2048  # of a partition, and as many losses, for the quantiles: the 99th percentile then rests on 20 of them
)
ALARM_MEMORY = 10_000  # events over which the share of alarms is taken: at a rate of 1 % some 100 alarms


def _held(shard: Shard) -> list[str | None]:
    """Return the keys of a shard, the one seen longest ago first."""
    return _asked(shard.keys, [])


def _asked(question: Callable[[], T], otherwise: T) -> T:
    """Return an answer about keys, from another thread than that which changes them."""
    for _ in range(10):
        with contextlib.suppress(RuntimeError, IndexError, ValueError):  # changed while it was read
            return question()
    return otherwise


def quantiles(values: NDArray[np.float64]) -> dict[str, float]:
    """Return the quantiles 0.5, 0.9 and 0.99 of those values that are finite, by name; nothing where there are none.

    Parameters
    ----------
    values
        float64, shape (n,).

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.daemon.health import quantiles
    >>> quantiles(np.arange(101.0)), quantiles(np.array([np.nan]))
    ({'0.5': 50.0, '0.9': 90.0, '0.99': 99.0}, {})
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return {}
    names = ("0.5", "0.9", "0.99")
    return dict(zip(names, np.quantile(finite, [float(q) for q in names]).tolist(), strict=True))


@dataclass(slots=True)
class PartitionHealth:
    """What is known of one partition, besides its shard. Times are monotonic, in seconds.

    Parameters
    ----------
    position
        Where reading goes on, as the source writes it; None before the first event.
    event_time
        Time of the newest event, in seconds since 1970; None where it has none.
    snapshot_at
        When the newest snapshot was written, monotonic, in seconds; None before the first.
    snapshot_bytes
        Its size.
    scores
        The last scores, shape (n,), from 0 to 1.
    losses
        The net's last mean losses, shape (m,).
    alarm_share
        Share of events that raised an alarm, from 0 to 1, exponentially weighted towards the last ones; None before the
        first.
    skill
        Whether its models are still good.
    """

    position: Any = None
    event_time: float | None = None
    snapshot_at: float | None = None
    snapshot_bytes: int = 0
    scores: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    losses: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    alarm_share: float | None = None
    skill: Skill = field(default_factory=Skill)


class Health(Monitor):
    """What the loop tells, and what others may ask meanwhile from other threads.

    Parameters
    ----------
    alarm_rate
        The rate that was asked for, to compare with.
    keep_series
        Whether somebody may look at series, alarms and skill: it costs a little for each block.
    ends_after
        Events of a series without an alarm after which the next one is another.
    """

    def __init__(self, alarm_rate: float = 0.01, *, keep_series: bool = True, ends_after: int = 10) -> None:
        self.alarm_rate = alarm_rate
        self.keep_series = keep_series
        self.phase = "starting"
        self.stages: Stages | None = None
        self.trouble: str | None = None
        self.last_lost: str | None = None
        self.started = time.monotonic()
        self.progress = self.started
        self.revoked_partitions = 0
        self.runtime: Runtime | None = None
        self.partitions: dict[str, PartitionHealth] = {}
        self._seen = RecentSeries()
        self._alarms = RecentAlarms(ends_after)
        self.takes_feedback = False
        self._letters: deque[tuple[float, DeadLetter]] = deque(maxlen=LETTERS_SHOWN)
        self.restored = 0
        self._lock, self._finding = threading.Lock(), threading.Lock()
        self._rates: deque[tuple[float, int]] = deque(maxlen=50)

    @property
    def state(self) -> str:
        """What the run is doing: starting, compiling, replaying, running, stopping, stopped, failed."""
        stage = None if self.stages is None else self.stages.stage
        return stage if stage is not None and self.phase in ("starting", "running") else self.phase

    def detail(self) -> str:
        """Return how far it is with that, in words, where somebody knows."""
        return self.stages.detail() if self.stages is not None and self.state == self.stages.stage else ""

    # What the loop tells -------------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Note that the loop has come round.

        Parameters
        ----------
        now
            In seconds of the monotonic clock.
        """
        self.progress = now
        events = self.summary.events
        if not self._rates or now - self._rates[-1][0] >= 0.2:
            self._rates.append((now, events))

    def assigned(self, partition: str, seconds: float, restored: bool) -> None:
        """Note that a partition has come.

        Parameters
        ----------
        partition
            Its name.
        seconds
            How long that took.
        restored
            Whether it came with the state of an earlier run.
        """
        del seconds
        with self._lock:
            self.restored += restored
            self.partitions[partition] = PartitionHealth(snapshot_at=None)

    def replaying(self, partition: str, events: int) -> None:
        """Note that a partition reads again what an earlier run has written.

        Parameters
        ----------
        partition
            Its name.
        events
            How many.
        """
        if self.stages is not None:
            self.stages.replays(partition, events)

    def replayed(self, partition: str) -> None:
        """Note that a partition has caught up.

        Parameters
        ----------
        partition
            Its name.
        """
        if self.stages is not None:
            self.stages.replayed(partition)

    def revoked(self, partition: str) -> None:
        """Note that a partition has gone.

        Parameters
        ----------
        partition
            Its name.
        """
        self.replayed(partition)
        with self._lock:
            self.partitions.pop(partition, None)
        self.revoked_partitions += 1

    def committed(self, seconds: float, snapshots: Mapping[str, Sized]) -> None:
        """Note that outputs are written, and perhaps snapshots.

        Parameters
        ----------
        seconds
            How long that took.
        snapshots
            Snapshots that were written, by partition.
        """
        del seconds
        now = time.monotonic()
        for name, data in snapshots.items():
            partition = self.partitions.setdefault(name, PartitionHealth())
            partition.snapshot_at, partition.snapshot_bytes = now, len(data)

    def lost(self, why: str, in_a_row: int) -> None:
        """Note why a commit was lost.

        Parameters
        ----------
        why
            The cause.
        in_a_row
            How many were lost without one between that was not.
        """
        del in_a_row
        self.last_lost = why

    def troubled(self, why: str | None) -> None:
        """Note that something cannot be written for now, or can again.

        Parameters
        ----------
        why
            What happened, in a sentence; None: it is over.
        """
        self.trouble = why

    def observe(self, block: Block, scored: Scored, summary: Summary) -> None:
        """Take in what was committed; an observer of the loop.

        Parameters
        ----------
        block
            Events of one partition.
        scored
            Their results.
        summary
            Counters of the run.
        """
        del summary
        n = len(block)
        with self._lock:
            partition = self.partitions.setdefault(block.partition, PartitionHealth())
            partition.position = block.next_position
            self._letters.extend((time.monotonic(), one) for one in block.dead_letters[-LETTERS_SHOWN:])
            if not n:
                return
            if block.times is not None:
                partition.event_time = epoch_seconds(block.times[-1])
            partition.scores = np.concatenate([partition.scores, scored.scores])[-SCORES_KEPT:]
            partition.losses = np.concatenate([partition.losses, scored.losses])[-SCORES_KEPT:]
            share = sum(scored.alarms) / n
            weight = 1.0 if partition.alarm_share is None else min(1.0, n / ALARM_MEMORY)
            partition.alarm_share = (1 - weight) * (partition.alarm_share or 0.0) + weight * share
            if self.keep_series:
                self._seen.take(block, scored)
                self._alarms.take(block, scored)
                partition.skill.take(block, scored)

    # What others ask -----------------------------------------------------------------------------------------------

    @property
    def summary(self) -> Summary:
        """Counters of the run."""
        return self.runtime.summary if self.runtime is not None else Summary()

    def known(self) -> dict[str, PartitionHealth]:
        """Return what is known of each partition."""
        with self._lock:
            return dict(self.partitions)

    def good(self) -> dict[str, dict[str, Any]]:
        """Return whether the models of each partition are still good, see :meth:`Skill.status`."""
        with self._lock:
            return {name: one.skill.status() for name, one in self.partitions.items()}

    def lag(self) -> dict[str, int]:
        """Return records not read yet, by partition, where the source says so (``Source.lag``); else nothing."""
        lag = getattr(self.runtime.source, "lag", None) if self.runtime is not None else None
        return dict(lag()) if callable(lag) else {}

    def headroom(self) -> dict[str, int]:
        """Return how many records the input holds before the newest snapshot, by partition, where the source knows."""
        return self.runtime.headroom() if self.runtime is not None else {}

    def stale(self) -> dict[str, int]:
        """Return how many keys are stale, by partition, see :attr:`Shard.stale`."""
        shards = self.runtime.shards() if self.runtime is not None else {}
        return {name: _asked(functools.partial(getattr, shard, "stale"), 0) for name, shard in shards.items()}

    def coldest(self) -> list[dict[str, Any]]:
        """Return the keys unseen for longest as JSON-serialisable data, the coldest of all partitions first."""
        every = [(events, name, key) for name, some in self.coldest_of(COLDEST_SHOWN).items() for key, events in some]
        every.sort(key=lambda one: -one[0])
        return [
            {"partition": name, "key": key, **named(name, key), "events_since": events}
            for events, name, key in every[:COLDEST_SHOWN]
        ]

    def coldest_of(self, most: int) -> dict[str, list[tuple[str | None, int]]]:
        """Return the keys of each partition unseen for longest, each with how many events have come since its own last one; none where there is but one.

        Parameters
        ----------
        most
            Keys of a partition.
        """
        shards = self.runtime.shards() if self.runtime is not None else {}
        return {
            name: _asked(functools.partial(shard.coldest, most), []) for name, shard in shards.items() if len(shard) > 1
        }

    def stuck_partitions(self) -> int:
        """Return how often a partition was found stuck, where the source watches for that; else 0."""
        return int(getattr(self.runtime.source, "stuck_partitions", 0)) if self.runtime is not None else 0

    def chosen(self) -> dict[str, Any] | None:
        """Return what the source chose of its input, where it says so (``Source.chosen``)."""
        chosen = getattr(self.runtime.source, "chosen", None) if self.runtime is not None else None
        return chosen() if callable(chosen) else None

    def silent_s(self) -> float:
        """Seconds since the loop last came round, or since a compiler that it waits for was last seen to work."""
        working = None if self.stages is None else self.stages.working_s()
        silent = time.monotonic() - self.progress
        return silent if working is None else min(silent, working)

    def rate(self) -> float:
        """Events per second over the last ten seconds."""
        seen = [one for one in list(self._rates) if one[0] >= self.progress - 10]
        if len(seen) < 2:
            return 0.0
        return (seen[-1][1] - seen[0][1]) / (seen[-1][0] - seen[0][0])

    def status(self) -> dict[str, Any]:
        """Return everything as JSON-serialisable data: what ``/status`` answers."""
        now, summary, wall = time.monotonic(), self.summary, time.time()
        shards = self.runtime.shards() if self.runtime is not None else {}
        partitions, lag, headroom = self.known(), self.lag(), self.headroom()
        with self._lock:
            series = self._series_shown()
            recent = [
                one | named(one["partition"], one["key"]) | {"feature": one["feature"] and safe_name(one["feature"])}
                for one in self._alarms.status()
            ]
        good, stale = self.good(), self.stale()
        return {
            "state": self.state,
            "detail": self.detail(),
            "trouble": self.trouble,
            "uptime_s": round(now - self.started, 1),
            "silent_s": round(self.silent_s(), 1),
            "events": summary.events,
            "events_per_s": round(self.rate(), 1),
            "alarms": summary.alarms,
            "alarm_rate": self.alarm_rate,
            "dead_letters": summary.dead_letters,
            "restored": self.restored,
            "replayed": summary.replayed,
            "snapshots": summary.snapshots,
            "lost_commits": summary.lost_commits,
            "last_lost_commit": self.last_lost,
            "partitions": {
                name: {
                    "name": safe_name(name),
                    "position": one.position,
                    "lag_records": lag.get(name),
                    "event_lag_s": None if one.event_time is None else round(max(0.0, wall - one.event_time), 1),
                    "snapshot_age_s": None if one.snapshot_at is None else round(now - one.snapshot_at, 1),
                    "snapshot_bytes": one.snapshot_bytes,
                    "snapshot_headroom_records": headroom.get(name),
                    "alarm_share": one.alarm_share,
                    **good.get(name, {}),
                    "score_quantiles": quantiles(one.scores),
                    "loss_quantiles": quantiles(one.losses),
                    "keys": len(shards[name]) if name in shards else 0,
                    "keys_room": shards[name].room if name in shards else 0,
                    "stale_keys": stale.get(name, 0),
                    "evicted": shards[name].evicted if name in shards else 0,
                    "infinite_values": shards[name].infinite if name in shards else 0,
                }
                for name, one in partitions.items()
            },
            "recent_alarms": recent,
            "last_dead_letters": self._last_letters(now),
            "takes_feedback": self.takes_feedback,
            "series": series,
            "coldest": self.coldest(),
            "input": self.chosen(),
            "windows": self.runtime.windows() if self.runtime is not None else {},
        }

    def _series_shown(self) -> list[dict[str, Any]]:
        return [
            {"partition": name[0], "key": name[1], **named(*name), "events": one.events, "alarms": one.alarms,
             "worst": max((point.score for point in one.points), default=None),
             "score": one.points[-1].score if one.points else None}
            for name, one in self._seen.worst()[:SHOWN]
        ]  # fmt: skip

    def _last_letters(self, now: float) -> list[dict[str, Any]]:
        with self._lock:
            letters = list(self._letters)
        return [
            {"partition": one.partition, "position": one.position, "age_s": round(now - when, 1), "reason": safe_text(one.reason)[:REASON]}
            for when, one in letters
        ]  # fmt: skip

    def alarm(self, name: str) -> RecentAlarm | None:
        """Return one of the latest alarms, as it is now; None where it is not among them.

        Parameters
        ----------
        name
            See :attr:`~streamrnn.daemon.recent_alarms.RecentAlarm.name`.
        """
        with self._lock:
            found = self._alarms.find(name)
            return None if found is None else replace(found)

    def hears(self, label: str | None, time: str | None) -> None:
        """Note the column with feedback, so that alarms show what was said of them.

        Parameters
        ----------
        label
            Its name; None: there is none.
        time
            The column that the model sees as the time; None: there is none.
        """
        self._alarms.label = self._seen.label = label
        self._seen.time = time

    def points(self, partition: str, key: str | None) -> dict[str, Any]:
        """Return the last points of a series as columns, see :meth:`KeyPoints.columns`; empty ones where it is unknown.

        Parameters
        ----------
        partition
            Its name.
        key
            Of the events; None where they have none.
        """
        with self._lock:
            return (self._seen.get((partition, key)) or KeyPoints()).columns()

    def find(self, text: str, most: int = 50) -> dict[str, Any]:
        """Return the keys that are held and have a text in their names, the one seen longest ago first, as JSON-serialisable data.

        Parameters
        ----------
        text
            Looked for without regard to case; empty: all.
        most
            Keys that are listed; how many there are is said beside.
        """
        wanted, total = text.casefold(), 0
        found: list[dict[str, Any]] = []
        with self._finding:  # one at a time: a million names take a while
            for partition, shard in (self.runtime.shards() if self.runtime is not None else {}).items():
                for colder, key in enumerate(_held(shard)):
                    if wanted in ("" if key is None else key.casefold()):
                        total += 1
                        if len(found) < most:
                            found.append(
                                {"partition": partition, "key": key, **named(partition, key), "colder": colder}
                            )
        return {"found": total, "keys": found}

    def watch(self, partition: str, key: str | None) -> None:
        """Keep the points of a series from now on, if its key is held.

        Parameters
        ----------
        partition
            Its name.
        key
            Of the events.
        """
        shards = self.runtime.shards() if self.runtime is not None else {}
        if partition in shards and key in _held(shards[partition]):
            with self._lock:
                self._seen.watch((partition, key))

    def points_of(self, wanted: str) -> dict[str, Any]:
        """Return the same for the series that has this ``id`` in a status.

        Parameters
        ----------
        wanted
            The id.
        """
        with self._lock:
            found = [series for name, series in self._seen.worst() if series_id(*name) == wanted]
            return (found[0] if found else KeyPoints()).columns()
