"""Poll, score, commit: the loop that carries events from a source through the models to a sink."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from streamrnn.config import DEFAULT_FIELDS
from streamrnn.config_secrets import redact
from streamrnn.engine.due import Newest, Standing, due, gone_behind
from streamrnn.engine.limits import fitting
from streamrnn.engine.monitor import Monitor
from streamrnn.engine.output import encode_block
from streamrnn.engine.positions import cut, distance, start_of
from streamrnn.engine.shard import Shard
from streamrnn.errors import FullError, GoneError, ModelChangedError, Retriable, StateError, StreamrnnError
from streamrnn.io import (
    AttachedSink,
    Block,
    DeadLetter,
    LimitedSink,
    Poll,
    Position,
    RetainingSource,
    Sink,
    Source,
    reached,
)
from streamrnn.scorers.scored import Scored

__all__ = ["Observer", "Runtime", "Summary"]

BLOCK_EVENTS = 2048
"""Events asked for at once. Larger saves nothing more; smaller costs throughput; a signal waits for one block."""

POLL_S = 0.2
"""Longest wait for a first event: how late a signal is noticed on a quiet stream."""

MAX_LOST = 10
"""Commits lost in a row before the run gives up: with the pauses between them, some twenty seconds."""

FULL_AGAIN_S = 0.5
"""Pause between two tries to write to a full disk."""

SNAPSHOT_AGAIN_S = 30.0
"""Where a snapshot did not fit on a full disk, results go on alone for so long before the next try."""

_REASONS = 5  # dead letters kept for the summary


@dataclass(slots=True)
class Summary:
    """What a run has done so far.

    Examples
    --------
    >>> from streamrnn.engine.loop import Summary
    >>> Summary().events
    0
    """

    events: int = 0
    alarms: int = 0
    dead_letters: int = 0
    replayed: int = 0
    snapshots: int = 0
    restores: int = 0
    lost_commits: int = 0
    first_dead_letters: list[DeadLetter] = field(default_factory=list)


Observer = Callable[[Block, Scored, Summary], None]
"""Called after each commit with what was committed."""


def _without_secrets(letter: DeadLetter) -> DeadLetter:
    """Return a dead letter whose reason quotes no secret of the configuration; the record itself is data."""
    reason = redact(letter.reason)
    return letter if reason == letter.reason else replace(letter, reason=reason)


class Runtime:
    """Carries events from a source through the models to a sink until the source ends or ``stopped()`` says so.

    A restart takes up the newest snapshot, replays the events between it and the last commit without writing them
    again, and goes on. So does a run that lost a commit, or cannot know whether it did: what it holds of every
    partition is dropped and restored.

    Parameters
    ----------
    source, sink
        Connectors, not yet entered.
    make_shard
        Returns a new, empty shard.
    every
        Events of a partition between two snapshots, or None for no snapshots.
    every_s
        Seconds between them, where so many events take longer; 0: events alone count. Changes nothing in the outputs.
    on_change
        What happens where a snapshot is of another model: ``"refuse"`` it, or go on from there with a ``"fresh"`` one.
    fields
        What a result holds, see :func:`streamrnn.engine.output.encode_block`.
    replay
        Where there is no snapshot, the source is read again from its beginning, up to the last commit without output.
    stopped
        Asked between blocks.
    observers
        Called after each commit.
    monitor
        Told of durations, assignments and trouble.
    block_events
        Events asked for at once. Changes nothing in the outputs.
    """

    def __init__(
        self,
        source: Source,
        sink: Sink,
        make_shard: Callable[[], Shard],
        *,
        every: int | None = None,
        every_s: float = 0.0,
        on_change: str = "refuse",
        fields: tuple[str, ...] = DEFAULT_FIELDS,
        replay: bool = False,
        stopped: Callable[[], bool] = lambda: False,
        observers: Sequence[Observer] = (),
        monitor: Monitor | None = None,
        block_events: int = BLOCK_EVENTS,
    ) -> None:
        self.source = source
        self.sink = sink
        self.make_shard = make_shard
        self.every = every
        self.every_s = every_s
        self.on_change = on_change
        self.fields = fields
        self.replay = replay
        self.stopped = stopped
        self.observers = observers
        self.monitor = monitor or Monitor()
        self.block_events = block_events
        self.summary = Summary()
        self._partitions: dict[str, Standing] = {}
        self._starts: dict[str, Position] = {}
        self._lost: set[str] = set()
        self._lost_in_a_row = 0
        self._no_snapshot_until = 0.0

    def shards(self) -> dict[str, Shard]:
        """Return what was learned, by partition. May be called from another thread, to read counters."""
        return {name: one.shard for name, one in list(self._partitions.items())}

    def headroom(self) -> dict[str, int]:
        """Return how many records the input holds before the newest snapshot of each partition, where the source knows.

        Below 0 a restart could not read again what it must. May be called from another thread.
        """
        found = {
            name: distance(first, one.newest.position)
            for name, one in list(self._partitions.items())
            if one.newest.position is not None and (first := self._first(name)) is not None
        }
        return {name: one for name, one in found.items() if one is not None}

    def _first(self, name: str) -> Position | None:
        """Return where the oldest record of a partition lies, where the source knows."""
        held = self.source.retained(name) if isinstance(self.source, RetainingSource) else None
        return None if held is None else held[0]

    def run(self) -> Summary:
        """Run to the end, and return what was done."""
        if isinstance(self.sink, AttachedSink):
            self.sink.attach(self.source)
        with self.source, self.sink:
            while not self.stopped():
                poll = self.source.poll(self.block_events, POLL_S)
                try:
                    sent_back = self._take(poll)
                except StreamrnnError as error:
                    if not isinstance(error, Retriable):
                        raise
                    self._lose(poll, error)
                    continue
                if poll.ended and not sent_back:
                    self._check_replayed()
                    break
            self._finish()
        return self.summary

    def _lose(self, poll: Poll, error: StreamrnnError) -> None:
        """Drop what is held of every partition; the next poll restores those that are still ours."""
        self.summary.lost_commits += 1
        self._lost_in_a_row += 1
        self.monitor.lost(str(error), self._lost_in_a_row)
        if self._lost_in_a_row >= MAX_LOST:
            raise error
        self._lost |= {*self._partitions, *poll.assigned}
        self._partitions.clear()
        time.sleep(min(2.0, 0.05 * 2**self._lost_in_a_row))

    def _finish(self) -> None:
        """Write a last snapshot. Where it gets lost, a restart replays what came since the one before."""
        try:
            self._commit([], [], {}, last=True)
        except StreamrnnError as error:
            if not isinstance(error, Retriable):
                raise
            self.summary.lost_commits += 1
            self.monitor.lost(str(error), self._lost_in_a_row + 1)

    def _take(self, poll: Poll) -> bool:
        """Score and commit what a poll brought; return whether the source was sent back to an earlier position."""
        for name in poll.revoked:
            self._partitions.pop(name, None)
            self.monitor.revoked(name)
        wanted = [*poll.assigned, *sorted(self._lost.difference(poll.assigned, poll.revoked))]
        again = {name for name in wanted if self._assign(name)}
        self._lost.clear()
        outputs: list[bytes] = []
        dead: list[DeadLetter] = []
        positions: dict[str, Position] = {}
        done: list[tuple[Block, Scored]] = []
        written: list[Block] = []
        for block in poll.blocks:
            if block.partition in again:
                continue  # was read from elsewhere than where the last run left off; comes again
            if block.partition not in self._partitions and self._assign(block.partition):
                again.add(block.partition)
                continue
            start = start_of(block)
            if start is not None:
                self._starts.setdefault(block.partition, start)
            state = self._partitions[block.partition]
            try:
                live = self._unmuted(block)
                if live is None:
                    continue
                started = time.perf_counter()
                scored = state.shard.score(live)
            except ModelChangedError as error:
                self._begin_anew(block.partition, state.position, error)
                again.add(block.partition)
                continue
            self.monitor.stepped(time.perf_counter() - started, len(live))
            self._note_growth(block.partition)
            taken = fitting(self.sink, state.shard, live, encode_block(live, scored, self.fields))
            outputs += taken.lines
            written.append(taken.block)
            dead += map(_without_secrets, [*live.dead_letters, *taken.letters])
            positions[block.partition] = state.position = block.next_position
            state.fresh += len(live)
            state.dirty = True
            done.append((live, scored))
        if self._commit(outputs, dead, positions, written):
            self._lost_in_a_row = 0
            self._observe(done)
        return bool(again)

    def _assign(self, name: str) -> bool:
        """Take up a partition; return whether the source was sent back to an earlier run's position."""
        started = time.perf_counter()
        sent_back = self._take_up(name)
        self.monitor.assigned(name, time.perf_counter() - started, sent_back)
        if self._partitions[name].muted_until is None:
            self.monitor.replayed(name)
        else:
            self.monitor.replaying(name, 0)
        return sent_back

    def _take_up(self, name: str) -> bool:
        state = self._partitions[name] = Standing(self.make_shard())
        restored = self.sink.restore(name)
        if restored is None:
            if name not in self._starts:
                return False
            self.source.seek(name, self._starts[name])  # the first commit was lost: begin again
            return True
        self.summary.restores += 1
        state.position = restored.position
        if restored.snapshot is None and self.replay:
            state.muted_until = restored.position
            return False
        if restored.snapshot is None or restored.snapshot_position is None:
            raise StateError(
                f"Partition {name!r} was written up to position {restored.position} but there is no snapshot of its "
                "model. Start anew with --fresh."
            )
        try:
            state.shard.restore(restored.snapshot)
        except ModelChangedError as error:
            self._begin_anew(name, restored.position, error)
            return True
        state.saved, state.dirty = not restored.passing, restored.passing
        state.newest = Newest(restored.snapshot_position)
        if restored.snapshot_position != restored.position:
            state.muted_until = restored.position
        try:
            self.source.seek(name, restored.snapshot_position)
        except GoneError as error:
            if not reached(restored.position, error.first):
                raise  # what was never read is gone as well, and the source has said so
            raise gone_behind(name, restored, error.first) from error
        return True

    def _begin_anew(self, name: str, position: Position | None, error: ModelChangedError) -> None:
        """Have a new model go on at ``position``, where that was asked for; else raise why the old one does not."""
        if self.on_change != "fresh" or position is None:
            raise error
        warnings.warn(f"{str(error).partition(' Restore')[0]} A new model goes on.", RuntimeWarning, stacklevel=2)
        self._partitions[name] = Standing(self.make_shard(), position)
        self.source.seek(name, position)

    def _note_growth(self, name: str) -> None:
        """Tell of columns that were not there when the snapshot was taken; the commit at hand brings one that has them.

        So a restart replays what was written before with the old columns, and what was written since with the new ones.
        """
        state = self._partitions[name]
        if columns := state.shard.take_growth():
            state.saved = False
            self.monitor.grown(name, columns)

    def _unmuted(self, block: Block) -> Block | None:
        """Replay what an earlier run has written already; return what is left of the block, if anything is."""
        state = self._partitions[block.partition]
        target = state.muted_until
        if target is None:
            return block
        n = len(block)
        start = next((i for i, position in enumerate(block.positions) if reached(position, target)), n)
        ended = reached(block.next_position, target)
        if start:
            self._score_again(state.shard, cut(block, 0, start))
            self.summary.replayed += start
            state.fresh += start
            state.again += start
            self.monitor.replaying(block.partition, state.again)
        if start == n and not ended:
            return None
        state.muted_until = None
        self.monitor.replayed(block.partition)
        if block.next_position == target:
            return None
        letters = tuple(one for one in block.dead_letters if reached(one.position, target))
        return replace(cut(block, start, n), dead_letters=letters)

    def _score_again(self, shard: Shard, block: Block) -> None:
        """Learn what was learned, and count what was not written, as when the results were written."""
        block, scored = shard.relearn(block)
        if isinstance(self.sink, LimitedSink):
            fitting(self.sink, shard, block, encode_block(block, scored, self.fields))

    def _check_replayed(self) -> None:
        for name, state in self._partitions.items():
            if state.muted_until is not None:
                raise StateError(
                    f"Partition {name!r} was written up to position {state.muted_until}, but the input ends before it: "
                    "it was truncated or replaced. Start anew with --fresh."
                )

    def _commit(
        self,
        outputs: list[bytes],
        dead: list[DeadLetter],
        positions: dict[str, Position],
        blocks: Sequence[Block] = (),
        *,
        last: bool = False,
    ) -> bool:
        """Commit outputs, with a snapshot of each partition that is due for one; return whether there was anything to."""
        snapshots: dict[str, memoryview] = {}
        for name in self._due(last=last):
            state = self._partitions[name]
            if state.position is not None:
                snapshots[name] = state.shard.snapshot_into(state.buffer)
                positions[name] = state.position
        if not positions:
            return False
        try:
            written = self._write(outputs, dead, positions, snapshots, blocks)
        finally:
            for one in snapshots.values():
                one.release()  # who keeps it beyond the commit is told so, and reads nothing that is no longer true
        for name in written:
            self._partitions[name].fresh = 0
            self._partitions[name].dirty = False
            self._partitions[name].saved = True
            self._partitions[name].newest = Newest(positions[name])
        self.summary.snapshots += len(written)
        self.summary.dead_letters += len(dead)
        self.summary.first_dead_letters += dead[: _REASONS - len(self.summary.first_dead_letters)]
        return True

    def _due(self, *, last: bool) -> list[str]:
        """Return the partitions that are due for a snapshot."""
        if self.every is None or (not last and time.monotonic() < self._no_snapshot_until):
            return []
        return due(self._partitions, self.every, self.every_s, self._first, last=last)

    def _write(
        self,
        outputs: list[bytes],
        dead: list[DeadLetter],
        positions: dict[str, Position],
        snapshots: dict[str, memoryview],
        blocks: Sequence[Block],
    ) -> dict[str, memoryview]:
        """Commit, and return the snapshots that were written.

        Where the disk is full, first the snapshots are left out, then it is tried again until there is room: the
        source waits meanwhile, and nothing is lost.
        """
        while True:
            started = time.perf_counter()
            try:
                self.sink.commit(outputs, dead, positions, snapshots or None, blocks)
            except FullError as error:
                self.monitor.troubled(str(error))
                if snapshots:
                    snapshots = {}
                    self._no_snapshot_until = time.monotonic() + SNAPSHOT_AGAIN_S
                    continue
                if self.stopped():
                    raise FullError(f"{error} What was not written is read again by the next run.") from error
                time.sleep(FULL_AGAIN_S)
                self._no_snapshot_until = 0.0  # once results fit again, so may a snapshot
            else:
                if time.monotonic() >= self._no_snapshot_until:
                    self.monitor.troubled(None)
                self.monitor.committed(time.perf_counter() - started, snapshots)
                return snapshots

    def _observe(self, done: list[tuple[Block, Scored]]) -> None:
        for block, scored in done:
            self.summary.events += len(block)
            self.summary.alarms += sum(scored.alarms)
            for observer in self.observers:
                observer(block, scored, self.summary)
