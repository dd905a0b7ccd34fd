"""What the author of a connector brings to the checks, and what all checks of connectors share."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from streamrnn.io import AttachedSink, Block, Poll, Position, Sink, SinkContext, Source, SourceContext

__all__ = [
    "ConnectorRig",
    "FollowingRig",
    "Reading",
    "Record",
    "counted",
    "expect",
    "expect_protocol",
    "fill",
    "opened",
    "planted",
    "read_all",
]

WAIT_S = 30.0
"""How long a record that was written may take to arrive: a consumer group may have to settle first."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the checks' input.

    Parameters
    ----------
    a
        A feature that every record has.
    b
        A feature that some lack: None where it is missing.
    key
        Which series the record belongs to.
    time
        When it was, as text.

    Examples
    --------
    >>> from streamrnn.testing import Record
    >>> Record(a=1.5, b=None, key="k1", time="2024-01-01T00:00:00").b is None
    True
    """

    a: float
    b: float | None
    key: str
    time: str


class ConnectorRig(Protocol):
    """What the author of a connector brings: an input and an output of one's own, empty at first.

    ``partitions`` are the names of the input's partitions: two, where the connector can have more than one.

    Examples
    --------
    >>> from streamrnn.testing import ConnectorRig
    >>> sorted(name for name in vars(ConnectorRig) if not name.startswith("_"))
    ['dead_letters', 'outputs', 'partitions', 'sink', 'source', 'truncate', 'write']
    """

    @property
    def partitions(self) -> Sequence[str]:
        """Names of the input's partitions."""
        ...

    def write(self, records: Sequence[Record | None], partition: str) -> None:
        """Append records to a partition; None stands for one that is no event.

        Parameters
        ----------
        records
            What to append, in order.
        partition
            One of :attr:`partitions`.
        """
        ...

    def truncate(self, partition: str, keep: int) -> None:
        """Have a partition hold its first ``keep`` records only: positions behind them are gone.

        Parameters
        ----------
        partition
            One of :attr:`partitions`.
        keep
            How many records stay, >= 0.
        """
        ...

    def source(self, context: SourceContext) -> Source:
        """Return a new source of the features ``a`` and ``b``, with keys and times, that begins at the input's start.

        Parameters
        ----------
        context
            What a runtime tells a source about the run.
        """
        ...

    def sink(self, context: SinkContext) -> Sink:
        """Return a new sink to the output, which keeps state and dead letters.

        Of the context ``fresh`` and ``snapshots_kept`` count; where dead letters and state go, the rig knows.

        Parameters
        ----------
        context
            What a runtime tells a sink about the run.
        """
        ...

    def outputs(self, partition: str) -> list[bytes]:
        """Return the results of a partition's events, in order, as a reader sees them now.

        Parameters
        ----------
        partition
            One of :attr:`partitions`.
        """
        ...

    def dead_letters(self, partition: str) -> list[tuple[str, str]]:
        """Return the dead letters of a partition, in order, as a reader sees them now: the position as text, and the reason.

        Parameters
        ----------
        partition
            One of :attr:`partitions`.
        """
        ...


@runtime_checkable
class FollowingRig(Protocol):
    """What the author of a connector brings besides, where its source takes feedback only while it follows its input.

    Examples
    --------
    >>> from streamrnn.testing.connector_rig import FollowingRig
    >>> isinstance(object(), FollowingRig)
    False
    """

    def following(self, context: SourceContext) -> Source:
        """Return a new source of the same input that goes on as it grows.

        Parameters
        ----------
        context
            What a runtime tells a source about the run.
        """
        ...


def expect(found: object, expected: object, what: str) -> None:
    """Raise where ``found`` is not what was expected.

    Parameters
    ----------
    found
        The value that the connector gave.
    expected
        The value that is right.
    what
        What it is, as the beginning of the message.

    Raises
    ------
    AssertionError
        When they differ.
    """
    if found != expected:
        raise AssertionError(f"{what}. Expected {expected!r}, got {found!r}.")


def expect_protocol(part: object, protocol: type) -> None:
    """Raise where a source or a sink is none.

    Parameters
    ----------
    part
        What the connector gave.
    protocol
        What it should be.

    Raises
    ------
    AssertionError
        When it lacks part of that.
    """
    if not isinstance(part, protocol):
        raise AssertionError(f"{type(part).__name__} lacks part of streamrnn.io.{protocol.__name__}.")  # noqa: TRY004  (a check fails)


def planted(n: int, start: int = 0, *, bad_every: int = 0, seed: float = 0.1) -> list[Record | None]:
    """Return records whose sums tell whether one is missing, comes twice or comes late; every fourth lacks ``b``.

    Parameters
    ----------
    n
        How many records.
    start
        The number of the first one; numbers count from 0.
    bad_every
        Of so many records the last one is None, one that is no event. 0: none is.
    seed
        The factor of all values, so that partitions differ.
    """
    return [
        None
        if bad_every and i % bad_every == bad_every - 1
        else Record(
            seed * (i + 1),
            None if i % 4 == 1 else -seed * i,
            f"k{i % 3}",
            f"2024-01-01T00:{i // 60 % 60:02}:{i % 60:02}",
        )
        for i in range(start, start + n)
    ]


def fill(rig: ConnectorRig, n: int, start: int = 0, *, bad_every: int = 0) -> dict[str, list[Record | None]]:
    """Write records into each partition, other ones into each, and return them.

    Parameters
    ----------
    rig
        The connector under test.
    n
        How many records.
    start
        The number of the first one.
    bad_every
        Of so many records of the first partition the last one is no event, of one more in each partition that follows. 0: none is.
    """
    records = {
        name: planted(n, start, bad_every=bad_every and bad_every + i, seed=0.1 + i)
        for i, name in enumerate(rig.partitions)
    }
    for name, some in records.items():
        rig.write(some, name)
    return records


def counted(records: Mapping[str, Sequence[Any]]) -> dict[str, int]:
    """Return how many records there are of each partition.

    Parameters
    ----------
    records
        What :func:`fill` returned.
    """
    return {name: len(some) for name, some in records.items()}


@contextmanager
def opened(rig: ConnectorRig, context: SinkContext | None = None) -> Iterator[tuple[Source, Sink]]:
    """Give a source and a sink that know each other and are entered.

    Parameters
    ----------
    rig
        The connector under test.
    context
        What the sink is told about the run. None: nothing but defaults.
    """
    source, sink = rig.source(SourceContext()), rig.sink(context or SinkContext())
    if isinstance(sink, AttachedSink):
        sink.attach(source)
    with source, sink:
        yield source, sink


class Reading:
    """Reads partitions of a source up to a number of records each, and holds what came.

    Parameters
    ----------
    source
        Entered.
    starts
        Where to send the source, by partition, once it has announced that.
    """

    def __init__(self, source: Source, starts: Mapping[str, Position] | None = None) -> None:
        self.source = source
        self.blocks: list[Block] = []
        self._starts = dict(starts or {})

    def until(self, wanted: Mapping[str, int], size: int) -> list[Block]:
        """Return the blocks, once so many records of each partition have come: events and dead letters.

        Parameters
        ----------
        wanted
            Records by partition, counted from the first block of this reading.
        size
            Most events of one poll, >= 1.

        Raises
        ------
        AssertionError
            When the source ends before that, or does not bring them in time.
        """
        end = time.monotonic() + WAIT_S
        while self.counts(wanted) != dict(wanted):
            poll = self._polled(size)
            if self.counts(wanted) != dict(wanted) and (poll.ended or time.monotonic() > end):
                why = "The source says that it has ended" if poll.ended else f"Nothing came for {WAIT_S:.0f} s"
                raise AssertionError(f"{why}: of {dict(wanted)} records {self.counts(wanted)} came.")
        return self.blocks

    def _polled(self, size: int) -> Poll:
        poll = self.source.poll(size, 0.2)
        sent = [name for name in poll.assigned if name in self._starts]
        for name in sent:
            self.source.seek(name, self._starts[name])
        if sum(map(len, poll.blocks)) > size:
            raise AssertionError(f"poll({size}) gave {sum(map(len, poll.blocks))} events at once.")
        self.blocks += [block for block in poll.blocks if block.partition not in sent]
        return poll

    def counts(self, wanted: Mapping[str, int]) -> dict[str, int]:
        """Return how many records came of each partition.

        Parameters
        ----------
        wanted
            A mapping whose keys are the partitions; its values are not looked at.

        Raises
        ------
        AssertionError
            When a block belongs to none of these partitions.
        """
        found = dict.fromkeys(wanted, 0)
        for block in self.blocks:
            if block.partition not in found:
                raise AssertionError(f"A block is of partition {block.partition!r}, none of {sorted(found)}.")
            found[block.partition] += len(block) + len(block.dead_letters)
        return found


def read_all(
    rig: ConnectorRig, wanted: Mapping[str, int], size: int = 1000, starts: Mapping[str, Position] | None = None
) -> list[Block]:
    """Return the blocks of a new source, up to a number of records of each partition.

    Parameters
    ----------
    rig
        The connector under test.
    wanted
        Records by partition.
    size
        Most events of one poll, >= 1.
    starts
        Where to send the source, by partition.
    """
    with rig.source(SourceContext()) as source:
        return Reading(source, starts).until(wanted, size)
