"""A run's input once more, to prove what it has written: ``streamrnn verify``. Changes nothing; the run may go on meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Self

from streamrnn.commands.verify_alarms import AlarmProof
from streamrnn.config import Config
from streamrnn.engine.assemble import make_shards, make_sink, make_source
from streamrnn.engine.limits import fitting
from streamrnn.engine.output import encode_block
from streamrnn.engine.pace import LEAST as BLOCK_EVENTS
from streamrnn.engine.pace import POLL_S
from streamrnn.engine.positions import cut
from streamrnn.engine.shard import Shard
from streamrnn.errors import ConfigError, SourceError, StateError
from streamrnn.io import (
    AlarmSink,
    AttachedSink,
    Block,
    Poll,
    Position,
    ReadableSink,
    Rereadable,
    Source,
    StoredSnapshot,
    reached,
)

__all__ = ["Stretch", "Verdict", "reread", "verify"]


@dataclass(slots=True)
class Verdict:
    """What a comparison of a run's results with a second pass found.

    Parameters
    ----------
    results
        Results that are the same bytes, by partition.
    difference
        A sentence about the first one that is not, or None.

    Examples
    --------
    >>> from streamrnn.commands.verify import Verdict
    >>> Verdict({"0": 6000}).difference is None
    True
    """

    results: dict[str, int] = field(default_factory=dict)
    difference: str | None = None


class _Written:
    """Results of a run, taken partition by partition while they are read in the order in which they lie."""

    def __init__(self, found: Iterator[tuple[str, bytes]]) -> None:
        self._found = found
        self._held: dict[str, deque[bytes]] = {}

    def next(self, partition: str) -> bytes | None:
        """Return the next result of a partition, or None where there is none any more."""
        held = self._held.setdefault(partition, deque())
        while not held:
            name, line = next(self._found, (None, b""))
            if name is None:
                return None
            self._held.setdefault(name, deque()).append(line)
        return held.popleft()

    def left(self) -> dict[str, int]:
        """Return how many results nobody has taken, by partition."""
        for name, line in self._found:
            self._held.setdefault(name, deque()).append(line)
        return {name: len(lines) for name, lines in self._held.items() if lines}


def reread(config: Config) -> Source:
    """Return a source of a configuration's input that takes no part in its run.

    Parameters
    ----------
    config
        A checked configuration.

    Raises
    ------
    SourceError
        When the input cannot be read again.
    """
    source = make_source(config)
    if not isinstance(source, Rereadable):
        raise SourceError(f"[source] kind: the connector {config.source.kind!r} cannot read its input again.")
    return source.reread()


def verify(
    config: Config,
    start: StoredSnapshot | None = None,
    stopped: Callable[[], bool] = lambda: False,
    *,
    imported: bool = False,
) -> Verdict:
    """Read the input again from its beginning, and compare each result, and each alarm, with what the run has committed, byte for byte.

    Parameters
    ----------
    config
        What the run was started with. Where a reload has changed the alarm rate, alarms differ from there on.
    start
        Begin behind this snapshot of the run, and look at its partition alone.
    stopped
        Asked between blocks.
    imported
        The run began with ``start`` (``snapshot import``): its first result is the first one behind it.

    Raises
    ------
    ConfigError
        When the results cannot be read back.
    StateError
        When the snapshot does not fit.
    """
    sink = make_sink(config)
    if not isinstance(sink, ReadableSink):
        raise ConfigError(f"[sink] kind: what the connector {config.sink.kind!r} writes cannot be read back.")
    if isinstance(sink, AttachedSink):
        sink.attach(make_source(config))
    alarms = AlarmProof(sink if config.alarms.wanted and isinstance(sink, AlarmSink) else None, whole=start is None)
    written, verdict, make = _Written(sink.written()), Verdict(), make_shards(config)
    shards: dict[str, Shard] = {}
    with reread(config) as source:
        while not stopped():
            poll = source.poll(BLOCK_EVENTS, POLL_S)
            for name in poll.assigned:
                if start is None or start.partition == name:
                    shards[name] = make()
                    verdict.results[name] = 0
                if start is not None and start.partition == name:
                    _go_to(start, shards[name], source, written, imported=imported)
            for block in poll.blocks:
                if block.partition in shards and not _compare(config, sink, block, shards, written, verdict, alarms):
                    if verdict.difference is not None:
                        return verdict
                    del shards[block.partition]
            if poll.ended or not shards:
                break
    left = (
        {} if stopped() else {name: n for name, n in written.left().items() if start is None or name == start.partition}
    )
    for name, n in left.items():
        verdict.difference = f"partition {name}: the output holds {n:,} results more than its input gives."
    if verdict.difference is None and not stopped():
        verdict.difference = alarms.difference()
    return verdict


def _go_to(start: StoredSnapshot, shard: Shard, source: Source, written: _Written, *, imported: bool) -> None:
    """Begin where a snapshot was taken."""
    shard.restore(start.data)
    source.seek(start.partition, start.position)
    for _ in range(0 if imported else shard.events - shard.unwritten):
        if written.next(start.partition) is None:
            raise StateError(
                f"The output ends before the snapshot {start.name!r}, which has seen {shard.events:,} events."
            )


def _compare(
    config: Config,
    sink: ReadableSink,
    block: Block,
    shards: dict[str, Shard],
    written: _Written,
    verdict: Verdict,
    alarms: AlarmProof,
) -> bool:
    """Compare a block's results; return whether there may be more to compare."""
    return all(
        _compare_events(config, sink, piece.block, shards, written, verdict, alarms)
        for piece in shards[block.partition].gather(block)
    )


def _compare_events(
    config: Config,
    sink: ReadableSink,
    block: Block,
    shards: dict[str, Shard],
    written: _Written,
    verdict: Verdict,
    alarms: AlarmProof,
) -> bool:
    name = block.partition
    scored = shards[name].score(block)
    found = encode_block(block, scored, config.output.fields)
    taken = fitting(sink, shards[name], block, found)
    for line, position in zip(taken.lines, taken.block.positions, strict=True):
        there = written.next(name)
        if there is None:
            alarms.take(name, scored.episodes, written=False)
            return False  # the run has not come further
        if there != line:
            verdict.difference = (
                f"partition {name}, position {position}, result {verdict.results[name] + 1:,}: the output holds "
                f"{_short(there)}, the input gives {_short(line)}."
            )
            return False
        verdict.results[name] += 1
    alarms.take(name, scored.episodes, written=True)
    return True


def _short(line: bytes) -> str:
    text = line.decode(errors="backslashreplace")
    return text if len(text) <= 300 else text[:297] + "..."


class Stretch:
    """A source that begins and ends where it is told to.

    Parameters
    ----------
    source
        Not yet entered.
    partition
        The only one to read; None for all.
    start, end
        Positions of the first event to read and of the first not to; None for beginning and end of the input.
    """

    begins_again = False

    def __init__(
        self, source: Source, partition: str | None = None, start: Position | None = None, end: Position | None = None
    ) -> None:
        self._source = source
        self._partition = partition
        self._start = start
        self._end = end
        self.keeps_raw = source.keeps_raw
        self._left: set[str] = set()

    def __enter__(self) -> Self:
        self._source.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._source.__exit__(*exc)

    def seek(self, partition: str, position: Position) -> None:
        """Go on reading at a position.

        Parameters
        ----------
        partition
            Its name.
        position
            To read from.
        """
        self._source.seek(partition, position)

    def poll(self, max_events: int, timeout_s: float) -> Poll:
        """Return what the source has, as far as it is wanted.

        Parameters
        ----------
        max_events
            Most events to return.
        timeout_s
            Longest wait, in seconds.

        Raises
        ------
        StateError
            When the input has no such partition.
        """
        poll = self._source.poll(max_events, timeout_s)
        wanted = [name for name in poll.assigned if self._partition in (None, name)]
        if poll.assigned and not wanted:
            raise StateError(f"The input has no partition {self._partition!r}. It has: {', '.join(poll.assigned)}.")
        self._left.update(wanted)
        if self._start is not None:
            for name in wanted:
                self._source.seek(name, self._start)
        blocks = [one for block in poll.blocks if block.partition in self._left for one in self._until_end(block)]
        return Poll(blocks, wanted, poll.revoked, poll.ended or not self._left)

    def _until_end(self, block: Block) -> list[Block]:
        if self._end is None:
            return [block]
        end = self._end
        n = next((i for i, position in enumerate(block.positions) if reached(position, end)), len(block))
        if reached(block.next_position, end):
            self._left.discard(block.partition)
        letters = tuple(one for one in block.dead_letters if not reached(one.position, end))
        if n == len(block) and len(letters) == len(block.dead_letters):
            return [block]
        return [replace(cut(block, 0, n), dead_letters=letters)] if n or letters else []
