"""Poll, score, commit: the loop that carries events from a source through scorers to a sink."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from streamrnn.config.options import DEFAULT_FIELDS
from streamrnn.engine.commits import Batch, Commits
from streamrnn.engine.limits import fitting
from streamrnn.engine.monitor import Monitor, Observer, Summary
from streamrnn.engine.output import encode_block
from streamrnn.engine.output_columns import Encode, encoder
from streamrnn.engine.pace import Pace
from streamrnn.engine.partitions import Partitions
from streamrnn.engine.shard import Shard
from streamrnn.errors import ModelChangedError, Retriable, StreamrnnError
from streamrnn.io import AttachedSink, Block, Poll, Sink, Source

__all__ = ["Runtime"]

MOST_LINES = 100_000
"""Results that wait for a commit: some dozen megabytes."""

MAX_LOST = 10
"""Commits lost in a row before the run gives up: with the pauses between them, some twenty seconds."""


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
        Events asked for at once; None: as many as are done in a moment. Changes nothing in the outputs.
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
        block_events: int | None = None,
    ) -> None:
        self.source = source
        self.sink = sink
        self.fields = fields
        self.stopped = stopped
        self.observers = observers
        self.monitor = monitor or Monitor()
        self.pace = Pace(block_events)
        self.summary = Summary()
        self.partitions = Partitions(
            source,
            sink,
            make_shard,
            on_change=on_change,
            fields=fields,
            replay=replay,
            monitor=self.monitor,
            summary=self.summary,
        )
        self.commits = Commits(
            sink,
            self.partitions.held,
            self.partitions.first,
            every=every,
            every_s=every_s,
            stopped=lambda: self.stopped(),  # noqa: PLW0108  (may be set later)
            monitor=self.monitor,
            summary=self.summary,
        )
        self._encode: Encode = encode_block
        self._lost: set[str] = set()
        self._lost_in_a_row = 0

    def shards(self) -> dict[str, Shard]:
        """Return what was learned, by partition. May be called from another thread, to read counters."""
        return {name: one.shard for name, one in list(self.partitions.held.items())}

    def windows(self) -> dict[str, int]:
        """Return what windows hold and what they left out, and what is odd of local times, over all partitions.

        May be called from another thread.
        """
        found: dict[str, int] = {}
        for shard in self.shards().values():
            for name, count in shard.of_windows().items():
                found[name] = found.get(name, 0) + count
        return found

    def headroom(self) -> dict[str, int]:
        """Return how many records the input holds before the newest snapshot of each partition, where the source knows.

        Below 0 a restart could not read again what it must. May be called from another thread.
        """
        return self.partitions.headroom()

    def reload(self, make_shard: Callable[[], Shard], every: int, every_s: float) -> None:
        """Take over settings while the run goes on.

        Parameters
        ----------
        make_shard
            Returns a new, empty shard.
        every, every_s
            Events and seconds between two snapshots; where there are none, none begin.
        """
        self.partitions.make_shard = make_shard
        self.commits.every = None if self.commits.every is None else every
        self.commits.every_s = every_s

    def run(self) -> Summary:
        """Run to the end, and return what was done."""
        if isinstance(self.sink, AttachedSink):
            self.sink.attach(self.source)
        self._encode = encoder(self.sink)
        with self.source, self.sink:
            while not self.stopped():
                poll = self.source.poll(self.pace.events, self.pace.wait_s)
                began = time.perf_counter()
                self.pace.waited(found=bool(poll.blocks or poll.assigned or poll.revoked))
                try:
                    sent_back = self._take(poll)
                except StreamrnnError as error:
                    if not isinstance(error, Retriable):
                        raise
                    self._lose(poll, error)
                    continue
                self.pace.took(sum(map(len, poll.blocks)), time.perf_counter() - began)
                if poll.ended and not sent_back:
                    self.partitions.check_replayed()
                    break
            self._finish()
        return self.summary

    def _take(self, poll: Poll) -> bool:
        """Score and commit what a poll brought; return whether the source was sent back to an earlier position."""
        sent_back = self._take_partitions(poll)
        batch = Batch()
        for block in poll.blocks:
            if block.partition in sent_back:
                continue  # was read from elsewhere than where the last run left off; comes again
            if block.partition not in self.partitions.held and self.partitions.assign(block.partition):
                sent_back.add(block.partition)
                continue
            self.partitions.note_start(block)
            try:
                batch = self._score(block, batch)
            except ModelChangedError as error:
                self.partitions.begin_anew(block.partition, self.partitions.held[block.partition].position, error)
                sent_back.add(block.partition)
        self._commit(batch)
        return bool(sent_back)

    def _take_partitions(self, poll: Poll) -> set[str]:
        """Give back and take up partitions; return those whose source was sent back to an earlier position."""
        for name in poll.revoked:
            self.partitions.revoke(name)
        wanted = [*poll.assigned, *sorted(self._lost.difference(poll.assigned, poll.revoked))]
        sent_back = {name for name in wanted if self.partitions.assign(name)}
        self._lost.clear()
        return sent_back

    def _score(self, block: Block, batch: Batch) -> Batch:
        """Score a block, and put its results into the batch; return the batch to go on with."""
        for found in self.partitions.score(block):
            state = self.partitions.held[block.partition]
            self.monitor.stepped(found.seconds, len(found.block))
            self.partitions.note_growth(block.partition)
            lines = self._encode(found.block, found.scored, self.fields)
            batch.take(found.block, found.scored, fitting(self.sink, state.shard, found.block, lines))
            state.position = found.block.next_position
            state.fresh += found.records
            state.dirty = True
            if batch.count >= MOST_LINES:  # windows: a few records may have closed any number of them
                self._commit(batch)
                batch = Batch()
        return batch

    def _commit(self, batch: Batch) -> None:
        if self.commits.commit(batch):
            self._lost_in_a_row = 0
            self._observe(batch)

    def _lose(self, poll: Poll, error: StreamrnnError) -> None:
        """Drop what is held of every partition; the next poll restores those that are still ours."""
        self.summary.lost_commits += 1
        self._lost_in_a_row += 1
        self.monitor.lost(str(error), self._lost_in_a_row)
        if self._lost_in_a_row >= MAX_LOST:
            raise error
        self._lost |= {*self.partitions.held, *poll.assigned}
        self.partitions.held.clear()
        time.sleep(min(2.0, 0.05 * 2**self._lost_in_a_row))

    def _finish(self) -> None:
        """Write a last snapshot. Where it gets lost, a restart replays what came since the one before."""
        try:
            self.commits.commit(Batch(), last=True)
        except StreamrnnError as error:
            if not isinstance(error, Retriable):
                raise
            self.summary.lost_commits += 1
            self.monitor.lost(str(error), self._lost_in_a_row + 1)

    def _observe(self, batch: Batch) -> None:
        for block, scored in batch.done:
            self.summary.events += len(block)
            self.summary.alarms += sum(scored.alarms)
            for observer in self.observers:
                observer(block, scored, self.summary)
