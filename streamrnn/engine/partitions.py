"""The input partitions that a run holds: taken up from a snapshot, replayed up to the last commit, given back."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from streamrnn.engine.due import Newest, Standing, gone_behind
from streamrnn.engine.limits import fitting
from streamrnn.engine.monitor import Monitor, Summary
from streamrnn.engine.output import encode_block
from streamrnn.engine.positions import cut, distance, start_of
from streamrnn.engine.shard import Shard
from streamrnn.errors import GoneError, ModelChangedError, StateError
from streamrnn.io import Block, LimitedSink, Position, RetainingSource, Sink, Source, reached
from streamrnn.scorers.scored import Scored

__all__ = ["Found", "Partitions"]


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a stretch of records.

    Parameters
    ----------
    block, scored
        Events, and their results.
    records
        How many records they are of.
    seconds
        What that took.
    """

    block: Block
    scored: Scored
    records: int
    seconds: float


class Partitions:
    """Knows where each partition stands, and brings it there.

    Parameters
    ----------
    source, sink
        Connectors.
    make_shard
        Returns a new, empty shard.
    on_change
        What happens where a snapshot is of another model: ``"refuse"`` it, or go on from there with a ``"fresh"`` one.
    fields
        What a result holds.
    replay
        Whether a partition without a snapshot is read again from its beginning.
    monitor
        Told of partitions that come and go.
    summary
        Counts restores and replayed events.
    """

    def __init__(
        self,
        source: Source,
        sink: Sink,
        make_shard: Callable[[], Shard],
        *,
        on_change: str,
        fields: tuple[str, ...],
        replay: bool,
        monitor: Monitor,
        summary: Summary,
    ) -> None:
        self.make_shard = make_shard
        self.held: dict[str, Standing] = {}
        self._source = source
        self._sink = sink
        self._on_change = on_change
        self._fields = fields
        self._replay = replay
        self._monitor = monitor
        self._summary = summary
        self._starts: dict[str, Position] = {}

    def first(self, name: str) -> Position | None:
        """Return where the oldest record of a partition lies, where the source knows.

        Parameters
        ----------
        name
            Of the partition.
        """
        held = self._source.retained(name) if isinstance(self._source, RetainingSource) else None
        return None if held is None else held[0]

    def headroom(self) -> dict[str, int]:
        """Return how many records the input holds before the newest snapshot of each partition, where the source knows."""
        found = {
            name: distance(first, one.newest.position)
            for name, one in list(self.held.items())
            if one.newest.position is not None and (first := self.first(name)) is not None
        }
        return {name: one for name, one in found.items() if one is not None}

    def revoke(self, name: str) -> None:
        """Give a partition back.

        Parameters
        ----------
        name
            Of the partition.
        """
        self.held.pop(name, None)
        self._monitor.revoked(name)

    def note_start(self, block: Block) -> None:
        """Remember where a partition began: a run whose first commit is lost begins there again.

        Parameters
        ----------
        block
            Of the partition.
        """
        start = start_of(block)
        if start is not None:
            self._starts.setdefault(block.partition, start)

    def assign(self, name: str) -> bool:
        """Take up a partition; return whether the source was sent back to an earlier run's position.

        Parameters
        ----------
        name
            Of the partition.

        Raises
        ------
        StateError
            When its snapshot cannot be taken up.
        """
        started = time.perf_counter()
        sent_back = self._take_up(name)
        self._monitor.assigned(name, time.perf_counter() - started, sent_back)
        if self.held[name].replay_until is None:
            self._monitor.replayed(name)
        else:
            self._monitor.replaying(name, 0)
        return sent_back

    def _take_up(self, name: str) -> bool:
        state = self.held[name] = Standing(self.make_shard())
        restored = self._sink.restore(name)
        if restored is None:
            if name not in self._starts:
                return False
            self._source.seek(name, self._starts[name])  # the first commit was lost: begin again
            return True
        self._summary.restores += 1
        state.position = restored.position
        if restored.snapshot is None and self._replay:
            state.replay_until = restored.position
            return False
        if restored.snapshot is None or restored.snapshot_position is None:
            raise StateError(
                f"Partition {name!r} was written up to position {restored.position} but there is no snapshot of its "
                "model. Start anew with --fresh."
            )
        try:
            state.shard.restore(restored.snapshot)
        except ModelChangedError as error:
            self.begin_anew(name, restored.position, error)
            return True
        state.saved, state.dirty = not restored.passing, restored.passing
        state.newest = Newest(restored.snapshot_position)
        if restored.snapshot_position != restored.position:
            state.replay_until = restored.position
        try:
            self._source.seek(name, restored.snapshot_position)
        except GoneError as error:
            if not reached(restored.position, error.first):
                raise  # what was never read is gone as well, and the source has said so
            raise gone_behind(name, restored, error.first) from error
        return True

    def begin_anew(self, name: str, position: Position | None, error: ModelChangedError) -> None:
        """Have a new model go on at ``position``, where that was asked for; else raise why the old one does not.

        Parameters
        ----------
        name
            Of the partition.
        position
            Where its results end; None: there are none.
        error
            Why the old model does not go on.

        Raises
        ------
        ModelChangedError
            The error.
        """
        if self._on_change != "fresh" or position is None:
            raise error
        warnings.warn(f"{str(error).partition(' Restore')[0]} A new model goes on.", RuntimeWarning, stacklevel=2)
        self.held[name] = Standing(self.make_shard(), position)
        self._source.seek(name, position)

    def score(self, block: Block) -> Iterator[Found]:
        """Score what an earlier run has not written yet, piece by piece.

        Parameters
        ----------
        block
            As it was read.

        Yields
        ------
        Found
            What is left of the block: nothing at all, or at least one piece.

        Raises
        ------
        ModelChangedError
            When the columns do not fit the snapshot.
        """
        live = self._live_part(block)
        if live is None:
            return
        shard = self.held[block.partition].shard
        pieces, started = shard.gather(live), time.perf_counter()
        for piece in pieces:
            scored = shard.score(piece.block)
            yield Found(piece.block, scored, piece.records, time.perf_counter() - started)
            started = time.perf_counter()

    def _live_part(self, block: Block) -> Block | None:
        """Replay what an earlier run has written already; return what is left of the block, if anything is."""
        state = self.held[block.partition]
        target = state.replay_until
        if target is None:
            return block
        n = len(block)
        start = next((i for i, position in enumerate(block.positions) if reached(position, target)), n)
        ended = reached(block.next_position, target)
        if start:
            self._learn_again(state.shard, cut(block, 0, start))
            self._summary.replayed += start
            state.fresh += start
            state.replayed += start
            self._monitor.replaying(block.partition, state.replayed)
        if start == n and not ended:
            return None
        state.replay_until = None
        self._monitor.replayed(block.partition)
        if block.next_position == target:
            return None
        letters = tuple(one for one in block.dead_letters if reached(one.position, target))
        return replace(cut(block, start, n), dead_letters=letters)

    def _learn_again(self, shard: Shard, block: Block) -> None:
        """Learn what was learned, and count what was not written, as when the results were written."""
        for piece in shard.gather(block):
            then, scored = shard.relearn(piece.block)
            if isinstance(self._sink, LimitedSink):
                fitting(self._sink, shard, then, encode_block(then, scored, self._fields))

    def note_growth(self, name: str) -> None:
        """Tell of columns that were not there when the snapshot was taken; the commit at hand brings one that has them.

        So a restart replays what was written before with the old columns, and what was written since with the new ones.

        Parameters
        ----------
        name
            Of the partition.
        """
        state = self.held[name]
        if columns := state.shard.take_growth():
            state.saved = False
            self._monitor.grown(name, columns)

    def check_replayed(self) -> None:
        """Raise where the input has ended before what was written.

        Raises
        ------
        StateError
            With the partition and the position.
        """
        for name, state in self.held.items():
            if state.replay_until is not None:
                raise StateError(
                    f"Partition {name!r} was written up to position {state.replay_until}, but the input ends before it: "
                    "it was truncated or replaced. Start anew with --fresh."
                )
