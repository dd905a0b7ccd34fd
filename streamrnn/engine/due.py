"""Where a partition stands, and when its next snapshot is due: by events, by the clock, and before the input loses what a restart reads again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from streamrnn.engine.positions import distance
from streamrnn.engine.shard import Shard
from streamrnn.errors import GoneError
from streamrnn.io import Position, Restored

__all__ = ["Newest", "Standing", "due", "gone_behind"]


@dataclass(slots=True)
class Newest:
    """The newest snapshot of a partition.

    Parameters
    ----------
    position
        Where it stands; None: there is none.
    at
        When it was taken or taken up, in seconds of the monotonic clock.
    headroom
        Records that the input held before it when somebody first looked; None: nobody has, or nobody knows.

    Examples
    --------
    >>> from streamrnn.engine.due import Newest
    >>> newest = Newest(1000, at=0.0)
    >>> newest.due(10.0, every_s=60, first=0), newest.due(10.0, every_s=60, first=500), newest.due(70.0, every_s=60, first=0)
    (False, True, True)
    """

    position: Position | None = None
    at: float = field(default_factory=time.monotonic)
    headroom: int | None = None

    def due(self, now: float, *, every_s: float, first: Position | None) -> bool:
        """Return whether it is older than ``every_s`` (0: never), or the input has lost half of what it held before it.

        Parameters
        ----------
        now
            As ``at``.
        every_s
            Longest time between two snapshots.
        first
            The oldest record that the input holds; None: nobody knows.
        """
        if self.position is None:
            return False
        left = None if first is None else distance(first, self.position)
        if self.headroom is None:
            self.headroom = left
        nears = left is not None and self.headroom is not None and left < self.headroom and 2 * left <= self.headroom
        return nears or 0 < every_s <= now - self.at


@dataclass(slots=True)
class Standing:
    """Where one input partition stands.

    Parameters
    ----------
    shard
        The partition's keys, each with its model.
    position
        Where reading goes on; None before the first event.
    replay_until
        The position up to which an earlier run has written outputs; None where nothing is replayed.
    replayed
        Events that were read again on the way there.
    fresh
        Events since the last snapshot.
    dirty
        Whether anything has moved since the last snapshot.
    saved
        Whether there is a snapshot at all: the first commit brings one, so that every position has one to start from.
    newest
        When and where the newest snapshot was taken.
    """

    shard: Shard
    position: Position | None = None
    replay_until: Position | None = None
    replayed: int = 0
    fresh: int = 0
    dirty: bool = False
    saved: bool = False
    newest: Newest = field(default_factory=Newest)


def due(
    partitions: Mapping[str, Standing],
    every: int,
    every_s: float,
    first: Callable[[str], Position | None],
    *,
    last: bool = False,
) -> list[str]:
    """Return the partitions that are due for a snapshot.

    Of those that are due by time alone it is one, the oldest: the others come with the commits behind, so that partitions
    which were taken up together do not make one large commit for ever.

    Parameters
    ----------
    partitions
        Where each stands.
    every, every_s
        Events and seconds between two snapshots.
    first
        Returns where the oldest record of a partition lies; None: nobody knows.
    last
        Whether the run ends: then all that have moved are due.

    Examples
    --------
    >>> from streamrnn.engine.due import due
    >>> due({}, 100, 60.0, lambda name: None)
    []
    """
    now = time.monotonic()
    moved = {
        name: one
        for name, one in partitions.items()
        if one.dirty and one.replay_until is None and one.position is not None
    }
    wanted = [name for name, one in moved.items() if last or not one.saved or one.fresh >= every]
    late = [
        name
        for name, one in moved.items()
        if name not in wanted and one.newest.due(now, every_s=every_s, first=first(name))
    ]
    return wanted + sorted(late, key=lambda name: moved[name].newest.at)[:1]


def gone_behind(name: str, restored: Restored, first: Position) -> GoneError:
    """Return what it means that the input begins between a snapshot and the results, and how to keep what was learned.

    Parameters
    ----------
    name
        Of the partition.
    restored
        What the sink knows of it.
    first
        Position of the oldest record that the input holds.

    Examples
    --------
    >>> from streamrnn.io import Restored
    >>> from streamrnn.engine.due import gone_behind
    >>> gone_behind("flow/0", Restored(3050, b"", 2048), 3000).first
    3000
    """
    return GoneError(
        f"The newest snapshot of partition {name!r} is from position {restored.snapshot_position}, results are written up to "
        f"{restored.position}, and what must be read again between them is gone: the input begins at {first}. Nothing unread is "
        f"lost. To keep what was learned up to the snapshot, and go on at {restored.position}: streamrnn snapshot export CONFIG "
        f"FILE --partition {name}, then streamrnn snapshot import CONFIG FILE --skip-gap. --fresh forgets it.",
        first,
    )
