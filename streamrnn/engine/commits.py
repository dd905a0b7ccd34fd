"""One commit: outputs, dead letters, positions, and snapshots where they are due. All of it happens, or none."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from streamrnn.columns.lines import together
from streamrnn.config_secrets import redact
from streamrnn.engine.due import Newest, Standing, due
from streamrnn.engine.limits import Fitting
from streamrnn.engine.monitor import Monitor, Summary
from streamrnn.errors import FullError
from streamrnn.io import AlarmEvent, Block, DeadLetter, Pieces, Position, Sink
from streamrnn.scorers.scored import Scored

__all__ = ["Batch", "Commits"]

FULL_AGAIN_S = 0.5
"""Pause between two tries to write to a full disk."""

SNAPSHOT_AGAIN_S = 30.0
"""Where a snapshot did not fit on a full disk, results go on alone for so long before the next try."""

_REASONS = 5  # dead letters kept for the summary


def _without_secrets(letter: DeadLetter) -> DeadLetter:
    """Return a dead letter whose reason quotes no secret of the configuration; the record itself is data."""
    reason = redact(letter.reason)
    return letter if reason == letter.reason else replace(letter, reason=reason)


@dataclass(slots=True)
class Batch:
    """What a poll brought, as it is committed.

    Parameters
    ----------
    lines
        Lines of JSON, one for each event, block by block.
    dead
        Records that are no events.
    positions
        For each partition touched, where reading goes on.
    blocks
        The events that the outputs are about.
    alarms
        Starts and ends of episodes.
    done
        Each block that was scored, with its results.

    Examples
    --------
    >>> from streamrnn.engine.commits import Batch
    >>> Batch().outputs
    []
    """

    lines: list[Sequence[bytes]] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    positions: dict[str, Position] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    alarms: list[AlarmEvent] = field(default_factory=list)
    done: list[tuple[Block, Scored]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many results there are."""
        return sum(map(len, self.lines))

    @property
    def outputs(self) -> Sequence[bytes]:
        """Lines of JSON, one for each event, in order."""
        return together(self.lines)

    def take(self, block: Block, scored: Scored, taken: Fitting) -> None:
        """Add a block.

        Parameters
        ----------
        block, scored
            Events, and their results.
        taken
            What the sink takes of them.
        """
        if len(taken.lines):
            self.lines.append(taken.lines)
        self.blocks.append(taken.block)
        self.dead += map(_without_secrets, [*block.dead_letters, *taken.letters])
        self.positions[block.partition] = block.next_position
        self.alarms += scored.episodes
        self.done.append((block, scored))


class Commits:
    """Writes batches, and snapshots of the partitions that are due.

    Parameters
    ----------
    sink
        Where to.
    held
        Where each partition stands.
    first
        Returns where the oldest record of a partition lies; None: nobody knows.
    every
        Events of a partition between two snapshots, or None for no snapshots.
    every_s
        Seconds between them, where so many events take longer; 0: events alone count.
    stopped
        Whether the run is to stop: then it does not wait for room on a full disk.
    monitor
        Told of commits and trouble.
    summary
        Counts snapshots and dead letters.
    """

    def __init__(
        self,
        sink: Sink,
        held: Mapping[str, Standing],
        first: Callable[[str], Position | None],
        *,
        every: int | None,
        every_s: float,
        stopped: Callable[[], bool],
        monitor: Monitor,
        summary: Summary,
    ) -> None:
        self.every = every
        self.every_s = every_s
        self._sink = sink
        self._held = held
        self._first = first
        self._stopped = stopped
        self._monitor = monitor
        self._summary = summary
        self._no_snapshot_until = 0.0

    def commit(self, batch: Batch, *, last: bool = False) -> bool:
        """Commit a batch, with a snapshot of each partition that is due for one; return whether there was anything to.

        Parameters
        ----------
        batch
            What was read and scored.
        last
            Whether the run ends: then all partitions that have moved are due.

        Raises
        ------
        FullError
            When there is no room, and the run is to stop.
        """
        snapshots: dict[str, Pieces] = {}
        positions = batch.positions
        for name in self._due(last=last):
            state = self._held[name]
            if state.position is not None:
                snapshots[name] = state.shard.snapshot_pieces()
                positions[name] = state.position
        if not positions:
            return False
        try:
            written = self._write(batch, snapshots)
        finally:
            for one in snapshots.values():
                one.close()  # who keeps it beyond the commit is told so, and reads nothing that is no longer true
        for name in written:
            state = self._held[name]
            state.fresh, state.dirty, state.saved, state.newest = 0, False, True, Newest(positions[name])
        done = self._summary
        done.snapshots += len(written)
        done.dead_letters += len(batch.dead)
        done.first_dead_letters += batch.dead[: _REASONS - len(done.first_dead_letters)]
        return True

    def _due(self, *, last: bool) -> list[str]:
        """Return the partitions that are due for a snapshot."""
        if self.every is None or (not last and time.monotonic() < self._no_snapshot_until):
            return []
        return due(self._held, self.every, self.every_s, self._first, last=last)

    def _commit(self, batch: Batch, snapshots: dict[str, Pieces]) -> None:
        more = {"alarms": batch.alarms} if batch.alarms else {}  # a sink that takes none need not know of them
        self._sink.commit(batch.outputs, batch.dead, batch.positions, snapshots or None, batch.blocks, **more)

    def _write(self, batch: Batch, snapshots: dict[str, Pieces]) -> dict[str, Pieces]:
        """Commit, and return the snapshots that were written.

        Where the disk is full, first the snapshots are left out, then it is tried again until there is room: the
        source waits meanwhile, and nothing is lost.
        """
        while True:
            started = time.perf_counter()
            try:
                self._commit(batch, snapshots)
            except FullError as error:
                self._monitor.troubled(str(error))
                if snapshots:
                    snapshots = {}
                    self._no_snapshot_until = time.monotonic() + SNAPSHOT_AGAIN_S
                    continue
                if self._stopped():
                    raise FullError(f"{error} What was not written is read again by the next run.") from error
                time.sleep(FULL_AGAIN_S)
                self._no_snapshot_until = 0.0  # once results fit again, so may a snapshot
            else:
                if time.monotonic() >= self._no_snapshot_until:
                    self._monitor.troubled(None)
                self._monitor.committed(time.perf_counter() - started, snapshots)
                return snapshots
