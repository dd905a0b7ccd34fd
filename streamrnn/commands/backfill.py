"""``streamrnn backfill``: learn from what there is already, as fast as it can be read, and have the run go on exactly behind it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from streamrnn.commands.snapshot import check_keeps, handed_over
from streamrnn.commands.verify import reread
from streamrnn.config import Config
from streamrnn.engine.assemble import check_run, is_keyed, make_shards, make_sink
from streamrnn.engine.pace import MOST as BLOCK_EVENTS
from streamrnn.engine.pace import POLL_S
from streamrnn.engine.shard import Shard
from streamrnn.errors import ConfigError, SourceError, StateError
from streamrnn.io import Block, Position, StoredSnapshot
from streamrnn.scorers.kinds import model_kind

__all__ = ["Learned", "backfill", "learned"]


@dataclass(slots=True)
class Learned:
    """What a partition of the input has taught.

    Parameters
    ----------
    shard
        The model, with all that belongs to it.
    position
        Behind the last record; None before the first.
    unread
        How many records were no events.
    """

    shard: Shard
    position: Position | None = None
    unread: int = 0

    def take(self, block: Block) -> None:
        """Learn from a block.

        Parameters
        ----------
        block
            The next one of the partition.
        """
        for piece in self.shard.gather(block):
            self.shard.score(piece.block)
        self.unread += len(block.dead_letters)
        self.position = block.next_position

    def stored(self, partition: str) -> StoredSnapshot:
        """Return it as a run stores it. No result was written for any of its events.

        Parameters
        ----------
        partition
            Whose it is.

        Raises
        ------
        SourceError
            When there was no record.
        """
        if self.position is None:
            raise SourceError(f"Partition {partition!r} of the history holds no record.")
        self.shard.unwritten = self.shard.events
        return StoredSnapshot(partition, "backfill", self.position, self.shard.snapshot())


def learned(
    config: Config,
    make: Callable[[], Shard],
    stopped: Callable[[], bool] = lambda: False,
    told: Callable[[int], None] = lambda _: None,
) -> dict[str, Learned] | None:
    """Learn from a configuration's input, from its beginning to what is its end now; write nothing.

    Parameters
    ----------
    config
        Whose ``[source]`` is read; a run of it may go on meanwhile.
    make
        Makes an empty shard.
    stopped
        Asked between blocks.
    told
        Given the number of events so far, between blocks.

    Returns
    -------
    dict or None
        What each partition has taught; None when it was stopped.

    Raises
    ------
    SourceError
        When the input cannot be read again.
    """
    found: dict[str, Learned] = {}
    with reread(config) as source:
        while not stopped():
            poll = source.poll(BLOCK_EVENTS, POLL_S)
            for name in poll.assigned:
                found.setdefault(name, Learned(make()))
            for block in poll.blocks:
                found.setdefault(block.partition, Learned(make())).take(block)
            told(sum(one.shard.events for one in found.values()))
            if poll.ended:
                return found
    return None


def backfill(
    config: Config,
    history: Config | None = None,
    partition: str | None = None,
    stopped: Callable[[], bool] = lambda: False,
    told: Callable[[int], None] = lambda _: None,
) -> list[str]:
    """Learn from history, and have the next run of a configuration start from that; return a line for each partition.

    Parameters
    ----------
    config
        Of a run that has nothing stored yet; it must not be running.
    history
        Whose ``[source]`` is the history. None: that of ``config``, up to its end now; the run then goes on exactly there.
    partition
        Which one of the run goes on from a history with one partition. None: the one of the same name.
    stopped, told
        As for :func:`learned`.

    Raises
    ------
    ConfigError
        When the run keeps no state, or the model has none that can be kept.
    StateError
        When it has state already.
    SourceError
        When the history is empty or cannot be read again; when the run's input has no such partition, or, behind a history of its own, no event yet.
    """
    kind = model_kind(config.model.kind, config.model.options)
    sink = make_sink(config)
    check_keeps(sink)
    if config.state.mode == "replay":
        raise ConfigError(
            "[state] mode: 'replay' keeps no model: a restart reads the run's own input from its beginning. Set it to 'snapshot'."
        )
    check_run(config, kind, sink)
    if history is not None and is_keyed(history) != is_keyed(config):
        raise ConfigError(
            "[source] key: events of the history have a key and those of the run have none, or the other way round."
        )
    began = time.perf_counter()
    found = learned(history or config, make_shards(config, kind), stopped, told)
    if found is None:
        return ["Stopped; nothing was stored."]
    seconds = time.perf_counter() - began
    if partition is not None:
        if len(found) != 1:
            raise StateError(
                f"The history has {len(found)} partitions: {', '.join(sorted(found))}. Leave --partition out."
            )
        found = {partition: next(iter(found.values()))}
    ones = {name: one.stored(name) for name, one in found.items() if history is not None or one.position is not None}
    if not ones:
        raise SourceError("The history holds no record.")
    positions = handed_over(config, ones, from_start=history is not None)
    return [
        f"partition {name}: {found[name].shard.events:,} events learned, {found[name].unread:,} records were none; the run goes on at position "
        f"{positions[name]}. All took {seconds:.1f} s."
        for name in ones
    ]
