"""What a source or a sink may be besides: a protocol each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from streamrnn.errors import StreamrnnError
from streamrnn.io.events import Block, Position
from streamrnn.io.feedback import Feedback
from streamrnn.io.protocols import Source
from streamrnn.io.state import StoredSnapshot

__all__ = [
    "AlarmSink",
    "AttachedSink",
    "Checkable",
    "ChoosingSource",
    "FeedbackSource",
    "HasClient",
    "HasFiles",
    "LimitedSink",
    "ReadableSink",
    "Rereadable",
    "RetainingSource",
    "SnapshotStore",
    "WholeLinesSink",
]


@runtime_checkable
class Checkable(Protocol):
    """What a source or a sink may be besides: one that can say beforehand whether it would work.

    ``streamrnn check`` asks it, before it was entered.

    Examples
    --------
    >>> from streamrnn.io import Checkable, find_connector
    >>> issubclass(find_connector("source", "files"), Checkable)
    True
    """

    def check(self) -> list[StreamrnnError]:
        """Return what is wrong, all of it, with the exit code of each: input, rights, servers. Changes nothing."""
        ...


@runtime_checkable
class HasFiles(Protocol):
    """What a source or a sink may be besides: one that reads, or writes anew, whole files that no other may write.

    A sink whose file is the source's is refused. A database that both use is none of these.

    Examples
    --------
    >>> from streamrnn.io import HasFiles, find_connector
    >>> issubclass(find_connector("sink", "files"), HasFiles)
    True
    """

    def files(self) -> Mapping[str, str]:
        """Return the path of each, by the name of the option that says it."""
        ...


@runtime_checkable
class HasClient(Protocol):
    """What the class of a source or a sink may be besides: one whose client library writes to the log.

    What a client logs is shown with ``[log] level = "debug"`` alone: what it cannot mend is an error of the connector.

    Examples
    --------
    >>> from streamrnn.io import HasClient, find_connector
    >>> isinstance(find_connector("source", "files"), HasClient)
    False
    """

    @property
    def client_loggers(self) -> tuple[str, ...]:
        """Names of the client's loggers. A class attribute."""
        ...


@runtime_checkable
class ChoosingSource(Protocol):
    """What a source may be besides: one that chooses how to read its input, and says so.

    Examples
    --------
    >>> from streamrnn.io import ChoosingSource, find_connector
    >>> issubclass(find_connector("source", "files"), ChoosingSource)
    True
    """

    def chosen(self) -> Mapping[str, Any] | None:
        """Return what was chosen, and what could not be read so far, as JSON can hold it; None while nothing is.

        ``columns``, ``left_out`` (name: reason), ``time``, ``key`` and ``order`` are among it. May be called from another thread.
        """
        ...


@runtime_checkable
class Rereadable(Protocol):
    """What a source may be besides: one whose input can be read again from outside a run.

    Examples
    --------
    >>> from streamrnn.io import Rereadable, find_connector
    >>> issubclass(find_connector("source", "files"), Rereadable)
    True
    """

    def reread(self) -> Source:
        """Return a source of the same input that takes no part in the run and ends at what is the input's end now.

        Its first poll announces all partitions and brings no events.
        """
        ...


@runtime_checkable
class RetainingSource(Protocol):
    """What a source may be besides: one whose input loses its oldest records while it grows.

    A restart reads again from the newest snapshot on: it must not be older than what the input holds.

    Examples
    --------
    >>> from streamrnn.io import RetainingSource, find_connector
    >>> issubclass(find_connector("source", "files"), RetainingSource)  # a Kafka source is one
    False
    """

    def retained(self, partition: str) -> tuple[Position, Position] | None:
        """Return the position of the oldest record that the input holds, and of its end; None where nobody knows yet.

        As of some seconds ago; may be called from another thread.

        Parameters
        ----------
        partition
            One that this source has.
        """
        ...


@runtime_checkable
class FeedbackSource(Protocol):
    """What a source may be besides: one whose input takes a person's word on an event, behind what it holds.

    Both are asked of a source that takes no part in a run, and is not entered.

    Examples
    --------
    >>> from streamrnn.io import FeedbackSource, find_connector
    >>> issubclass(find_connector("source", "files"), FeedbackSource)
    True
    """

    def check_feedback(self) -> None:
        """Look whether these options leave a way to write such a record. Asks no server.

        Raises
        ------
        ConfigError
            When they do not.
        """
        ...

    def append_feedback(self, said: Feedback) -> None:
        """Append it to the input. Where it fails behind the writing, it may be there: the same word counts once.

        Parameters
        ----------
        said
            What a person says, with the event's key and time.

        Raises
        ------
        StreamrnnError
            When the input cannot be written: a sentence for that person.
        """
        ...


@runtime_checkable
class AttachedSink(Protocol):
    """What a sink may be besides: one that commits positions where the source keeps them.

    Examples
    --------
    >>> from streamrnn.io import AttachedSink, find_connector
    >>> issubclass(find_connector("sink", "files"), AttachedSink)  # a Kafka sink is one
    False
    """

    def attach(self, source: Source) -> None:
        """Take notice of the source whose positions will be committed. Called once, before either is entered.

        Parameters
        ----------
        source
            Of the same run.
        """
        ...


@runtime_checkable
class LimitedSink(Protocol):
    """What a sink may be besides: one that takes results, and commits, up to a size.

    Examples
    --------
    >>> from streamrnn.io import LimitedSink, find_connector
    >>> issubclass(find_connector("sink", "files"), LimitedSink)  # a Kafka sink is one
    False
    """

    def too_long(self, block: Block, outputs: Sequence[bytes]) -> Mapping[int, str]:
        """Return which of a block's results cannot be written, by their place, with a sentence that says why.

        Lengths and options alone decide: whoever asks again is told the same, with a server at hand or without.

        Parameters
        ----------
        block
            The events.
        outputs
            The bytes of their results, in the same order.
        """
        ...

    def too_large(self, snapshot_bytes: int) -> str | None:
        """Say why a commit with snapshots of so many bytes may never succeed, and what to set; None: it should.

        Parameters
        ----------
        snapshot_bytes
            The sum of their lengths, in bytes.
        """
        ...


@runtime_checkable
class WholeLinesSink(Protocol):
    """What a sink may be besides: one that takes the results of a commit in one piece, and not as an object each.

    Examples
    --------
    >>> from streamrnn.io import WholeLinesSink, find_connector
    >>> issubclass(find_connector("sink", "kafka"), WholeLinesSink)
    True
    """

    def whole_lines(self) -> bool:
        """Whether it does so in this run. Its ``commit`` and ``too_long`` are then given any sequence of bytes."""
        ...


@runtime_checkable
class ReadableSink(Protocol):
    """What a sink may be besides: one whose results can be read back, while a run goes on too.

    Examples
    --------
    >>> from streamrnn.io import ReadableSink, find_connector
    >>> issubclass(find_connector("sink", "files"), ReadableSink)
    True
    """

    def written(self) -> Iterator[tuple[str, bytes]]:
        """Yield each committed result with the partition of its event, those of a partition in order."""
        ...


@runtime_checkable
class AlarmSink(Protocol):
    """What a sink may be besides: one whose alarms can be read behind the commits, while a run goes on too.

    Examples
    --------
    >>> from streamrnn.io import AlarmSink, find_connector
    >>> issubclass(find_connector("sink", "files"), AlarmSink)
    True
    """

    def alarms(self, after: Mapping[str, int]) -> Iterator[tuple[str, int, bytes]]:
        """Yield what was committed behind ``after`` and not read yet, in order, and end where nothing more is there.

        Parameters
        ----------
        after
            For each place alarms lie in (a file, a table, a partition of a topic) what was yielded with the last one read.

        Yields
        ------
        tuple
            The place, the number to go on behind, and the JSON of :attr:`AlarmEvent.data`.
        """
        ...


@runtime_checkable
class SnapshotStore(Protocol):
    """What a sink may be besides: one whose snapshots can be looked at from outside, while a run goes on too.

    Examples
    --------
    >>> from streamrnn.io import SnapshotStore, find_connector
    >>> issubclass(find_connector("sink", "files"), SnapshotStore)
    True
    """

    def snapshots(self) -> Sequence[StoredSnapshot]:
        """Return what is stored, by partition, the newest first: good and damaged ones. Changes nothing."""
        ...
