"""Local times to moments: times that are written without a zone are those of one, and clocks that are set back make an hour come twice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec

from streamrnn.errors import ModelChangedError
from streamrnn.io import Block

__all__ = ["LocalTimes", "WrittenTimes", "check_zone"]

STEP_S = 1800.0
"""Seconds; a step from which the same time twice in the doubled hour is two moments: data of an hour, or half of one, and no two records of a moment."""

Count = Annotated[int, msgspec.Meta(ge=0, lt=2**62)]
Time = str | float | None


class WrittenTimes(msgspec.Struct, kw_only=True):
    """What is known of times as the manifest of a snapshot keeps it.

    Parameters
    ----------
    zone
        Of the times.
    keys
        Of each the last moment and the step before it, in seconds; the one unseen for longest first.
    doubled, skipped
        Counters, see :class:`LocalTimes`.
    """

    zone: str
    keys: list[tuple[str | None, float, float]]
    doubled: Count
    skipped: Count


class LocalTimes:
    """Puts the offset behind times of one partition that are written without a zone.

    In the hour that comes twice a record belongs to the second one if it would else lie before the one of its key that came before it; or at the
    same moment, where records of the key lie half an hour or more apart. ``doubled`` counts the records of that hour; ``skipped`` those in the hour that
    is left out in spring: they are read as if clocks had not been set. Times with a zone, and numbers, stay as they are.

    Parameters
    ----------
    zone
        Name in the tz database.
    room
        Keys whose last time is remembered.

    Examples
    --------
    >>> from streamrnn.engine.local_times import LocalTimes
    >>> times = LocalTimes("Europe/Berlin", 10)
    >>> [times.read(f"2024-10-27 {clock}", None)[11:] for clock in ("01:30", "02:00", "02:30", "02:00", "02:30", "03:00")]
    ['01:30:00+02:00', '02:00:00+02:00', '02:30:00+02:00', '02:00:00+01:00', '02:30:00+01:00', '03:00:00+01:00']
    """

    def __init__(self, zone: str, room: int) -> None:
        self.zone = zone
        self.room = room
        self.doubled = 0
        self.skipped = 0
        self._zone: tzinfo = ZoneInfo(zone)
        self._keys: OrderedDict[str | None, tuple[float, float]] = OrderedDict()

    def placed(self, block: Block) -> Block:
        """Return a block with its times placed. Where blocks are cut changes nothing.

        Parameters
        ----------
        block
            Records in the order of the partition.
        """
        times: Sequence[Time] | None = block.times
        if times is None:
            return block
        keys = block.keys or [None] * len(times)
        return replace(block, times=[self.read(time, key) for time, key in zip(times, keys, strict=True)])

    def read(self, written: Time, key: str | None) -> Time:
        """Return a time with its offset; what is none, or has one, as it is.

        Parameters
        ----------
        written
            As the input wrote it.
        key
            Of the record.
        """
        if not isinstance(written, str):
            return written
        try:
            local = datetime.fromisoformat(written.strip())
            if local.tzinfo is not None:
                return written
            first, second = (local.replace(tzinfo=self._zone, fold=fold) for fold in (0, 1))
            offsets = first.utcoffset(), second.utcoffset()
            found = first.timestamp()
        except (ValueError, OverflowError):
            return written
        placed = first
        if offsets[0] != offsets[1] and offsets[0] is not None and offsets[1] is not None:
            if offsets[0] > offsets[1]:
                self.doubled += 1
                if self._is_second(found, key):
                    placed, found = second, second.timestamp()
            else:
                self.skipped += 1
        self._remember(found, key)
        return placed.isoformat()

    def _is_second(self, first: float, key: str | None) -> bool:
        before = self._keys.get(key)
        return before is not None and (first < before[0] or (first == before[0] and before[1] >= STEP_S))

    def _remember(self, moment: float, key: str | None) -> None:
        last, step = self._keys.pop(key, (moment, 0.0))
        self._keys[key] = (moment, moment - last if moment > last else step)
        while len(self._keys) > self.room:
            self._keys.popitem(last=False)

    def told(self) -> dict[str, int]:
        """Return how many records lay in an hour that comes twice, and in one that is left out."""
        return {"doubled": self.doubled, "skipped": self.skipped}

    def written(self) -> WrittenTimes:
        """Return what is known as a snapshot keeps it."""
        keys = [(key, last, step) for key, (last, step) in self._keys.items()]
        return WrittenTimes(zone=self.zone, keys=keys, doubled=self.doubled, skipped=self.skipped)

    def restore(self, found: WrittenTimes) -> None:
        """Take up what :meth:`written` gave.

        Parameters
        ----------
        found
            Of a snapshot.
        """
        self._keys = OrderedDict((key, (last, step)) for key, last, step in found.keys)
        self.doubled, self.skipped = found.doubled, found.skipped


def check_zone(now: str | None, then: WrittenTimes | None) -> None:
    """Raise where a snapshot was written with times of another zone than now.

    Parameters
    ----------
    now
        ``[source] zone``.
    then
        What the snapshot says.

    Raises
    ------
    ModelChangedError
        With both.
    """
    before = None if then is None else then.zone
    if before != now:
        said = ["unset" if zone is None else repr(zone) for zone in (before, now)]
        raise ModelChangedError(
            f"The snapshot was written with [source] zone {said[0]}, now it is {said[1]}. Restore the old value, or start anew with --fresh."
        )
