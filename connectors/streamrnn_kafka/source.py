"""The source: partitions of one or more topics, as a member of a consumer group."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from typing import Any, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from streamrnn.config import checked_table
from streamrnn.errors import StreamrnnError
from streamrnn.io import Event, Feedback, Poll, Position, SourceContext
from streamrnn_kafka import feedback, offsets
from streamrnn_kafka.connection import connect
from streamrnn_kafka.iterated import Iterated
from streamrnn_kafka.member import Member
from streamrnn_kafka.members import other_protocol
from streamrnn_kafka.options import SourceOptions
from streamrnn_kafka.outside import close_consumer
from streamrnn_kafka.outside_source import OutsideSource
from streamrnn_kafka.partition_counts import PartitionCounts
from streamrnn_kafka.partitions import name_of, names_of, offset_of, partition_of, partitions_of
from streamrnn_kafka.read_errors import check_inputs, explained, foreign_group
from streamrnn_kafka.reader import Reader
from streamrnn_kafka.row_reader import RowReader, row_reader
from streamrnn_kafka.watch import Watch

__all__ = ["KafkaSource"]

_log = logging.getLogger("streamrnn.kafka")


class KafkaSource:
    r"""Events of Kafka topics, read as a member of a consumer group.

    A partition is named ``topic/number``, a position is an offset. A poll announces partitions that have come before it reads
    them, so that a runtime can send the source back first. Only committed records are read.

    Used alone it is an iterable of events; :meth:`commit` records how far they have been dealt with.

    Parameters
    ----------
    options
        What to read and how, see ``KafkaSource.Options``.
    context
        What the run asks besides.

    Examples
    --------
    >>> from streamrnn_kafka import KafkaSource
    >>> source = KafkaSource.from_topics("flow", servers="localhost:9092", group="watch", columns=["flow"])
    >>> source.group, source.member
    ('watch', 'watch-0')
    """

    Options = SourceOptions
    keeps_raw = True
    begins_again = False  # the group's offsets say where it goes on
    client_loggers = ("kafka",)

    def __init__(self, options: SourceOptions, context: SourceContext | None = None) -> None:
        self.options = options
        self.context = context or SourceContext()
        self._member = Member(options)
        self._reader = Reader(options, self.context)
        self._rows: RowReader | None = None  # where whole batches can be read
        self._iterated = Iterated(self._member)
        self._unplaced: set[TopicPartition] = set()  # announced, paused, and not yet sent anywhere
        self._counts = PartitionCounts(options)
        self._watch = Watch(options.stuck_after_s)
        self.stuck_partitions = 0  # so far

    @classmethod
    def from_topics(cls, *topics: str, keep_raw: bool = False, **options: Any) -> KafkaSource:
        """Return a source of ``topics``, not yet entered.

        Parameters
        ----------
        topics
            Topics to read.
        keep_raw
            Keep each record's value as it was read in ``Block.raws``.
        options
            See ``KafkaSource.Options``.

        Raises
        ------
        ConfigError
            With one line for each wrong option.

        Examples
        --------
        >>> from streamrnn_kafka import KafkaSource
        >>> KafkaSource.from_topics("flow", server="localhost:9092", group="watch", columns=["flow"])
        Traceback (most recent call last):
        ...
        streamrnn.errors.ConfigError: [source] server: there is no such option. Did you mean 'servers'?
        """
        checked = checked_table("source", SourceOptions, {"topics": list(topics), **options})
        return cls(checked, SourceContext(keep_raw=keep_raw))

    @property
    def group(self) -> str:
        """The consumer group: the application's name."""
        return self.options.group

    @property
    def member(self) -> str:
        """The name of this process in the group, and of its transactions: the group's with the replica behind it."""
        return self.options.member

    def __enter__(self) -> Self:
        self._rows = row_reader(self._reader)
        try:
            self._member.join()
            if self._rows is not None:
                self._rows.read_from(self._member.client())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._member.close(leaving=exc[:1] == (None,))

    def check(self) -> list[StreamrnnError]:
        """Return what is wrong with the input: no broker, no entry, no such topic. Joins no group.

        Examples
        --------
        >>> from streamrnn_kafka import KafkaSource
        >>> options = {"servers": "127.0.0.1:1", "group": "watch", "columns": ["flow"], "connect_timeout_s": 0.1}
        >>> [error.exit_code for error in KafkaSource.from_topics("flow", **options).check()]
        [69]
        """
        consumer = None
        try:
            consumer = connect(KafkaConsumer, self.options, client_id=self.member, metrics_enabled=False)
            check_inputs(consumer, self.options)
            protocol = None
            with contextlib.suppress(KafkaError):  # brokers that never had a group know no coordinator of one yet
                protocol = other_protocol(self.options, self.group, self.member)
        except StreamrnnError as error:
            return [error]
        finally:
            close_consumer(consumer)
        return [] if protocol is None else [foreign_group(self.group, f"the way {protocol!r}")]

    def reread(self) -> OutsideSource:
        """Return a source of the same input, to what is its end now, that belongs to no group and commits nothing.

        Examples
        --------
        >>> from streamrnn_kafka import KafkaSource
        >>> source = KafkaSource.from_topics("flow", servers="localhost:9092", group="watch", columns=["flow"])
        >>> source.reread().options == source.options
        True
        """
        return OutsideSource(self.options, self.context)

    def chosen(self) -> dict[str, Any]:
        """Return what is read, and which cells could not be read so far. May be called from another thread.

        Examples
        --------
        >>> from streamrnn_kafka import KafkaSource
        >>> source = KafkaSource.from_topics("flow", servers="localhost:9092", group="watch", columns=["flow"])
        >>> source.chosen()["columns"], source.chosen()["bad_cells"]
        (['flow'], {})
        """
        return self._reader.chosen()

    def _client(self) -> Any:
        return self._member.client()

    def check_feedback(self) -> None:
        """Look whether feedback could be written that is read as such.

        Raises
        ------
        ConfigError
            With what stands in the way.
        """
        feedback.check(self.options)

    def append_feedback(self, said: Feedback) -> None:
        """Write a record of feedback into the partition of its event.

        Parameters
        ----------
        said
            What a person says.

        Raises
        ------
        UnavailableError, AccessError
            When no broker takes it.
        """
        feedback.append(self.options, said)

    def poll(self, max_events: int, timeout_s: float) -> Poll:
        """Return at most ``max_events`` new events, waiting up to ``timeout_s`` for the first.

        Parameters
        ----------
        max_events
            Most events, >= 1.
        timeout_s
            Longest wait for the first one, in seconds; 0: none.

        Raises
        ------
        StateError
            When records are gone that were not read yet; when the number of a topic's partitions has changed; when another
            process has taken this one's place in the group.

        Examples
        --------
        >>> from streamrnn_kafka import KafkaSource
        >>> source = KafkaSource.from_topics("flow", servers="localhost:9092", group="watch", columns=["flow"])
        >>> source.poll(10, 0.0)
        Traceback (most recent call last):
        ...
        streamrnn.errors.SourceError: The source is not open: read it inside a with statement.
        """
        consumer = self._client()
        stuck = self._watch.look(consumer, consumer.assignment() - self._unplaced)
        if stuck:
            return self._rejoined(stuck)
        try:
            self._place_all()
            fetched = consumer.poll(timeout_ms=int(1000 * timeout_s), max_records=max_events)
        except KafkaError as error:
            raise self.explained(error) from error
        came, went = self._member.changes()
        self._unplaced = (self._unplaced - went) | came
        self._iterated.forget(went)
        if came:
            self._counts.look(consumer)
        blocks = []
        for partition, records in fetched.items():
            if partition not in self._unplaced and partition not in went:
                blocks.append((self._rows or self._reader).block(partition, records))
        return Poll(blocks, names_of(came), names_of(went))

    def _rejoined(self, stuck: Sequence[TopicPartition]) -> Poll:
        """Join the group again, with a client that knows nothing of what its predecessor has forgotten to read."""
        self.stuck_partitions += len(stuck)
        _log.warning("%s not read any more, though records come: joining the group again", ", ".join(names_of(stuck)))
        went = set(self._client().assignment())
        self.__exit__()
        self._unplaced.clear()
        self._iterated.forget()
        self._watch.forget()
        self.__enter__()
        return Poll([], [], names_of(went))

    def lag(self) -> dict[str, int]:
        """Return how many offsets lie between where each partition is read and its end, as of some seconds ago.

        Markers of transactions count too. May be called from another thread.

        Examples
        --------
        >>> from streamrnn_kafka import KafkaSource
        >>> KafkaSource.from_topics("flow", servers="localhost:9092", group="watch", columns=["flow"]).lag()
        {}
        """
        return self._watch.lag

    def retained(self, partition: str) -> tuple[Position, Position] | None:
        """Return the first offset that a partition holds and its end, as of some seconds ago; None before the first look.

        May be called from another thread.

        Parameters
        ----------
        partition
            Name of the partition: ``"flow/0"``.

        Examples
        --------
        >>> from streamrnn_kafka import KafkaSource
        >>> source = KafkaSource.from_topics("flow", servers="localhost:9092", group="watch", columns=["flow"])
        >>> source.retained("flow/0") is None
        True
        """
        return self._watch.held.get(partition)

    def explained(self, error: KafkaError) -> StreamrnnError:
        """Return what an error of the consumer means here.

        Parameters
        ----------
        error
            What the consumer raised.
        """
        return explained(error, self._client(), self.options)

    def check_member(self, within_s: float | None = None) -> None:
        """Ask the brokers who has this process's name: whoever writes on without it would fence who has it now.

        Parameters
        ----------
        within_s
            Longest wait for a broker, in seconds. None: ``connect_timeout_s``.

        Raises
        ------
        StateError
            When it is another process.
        """
        self._member.check_name(within_s)

    def check_count(self, topic: str, before: int, when: str) -> None:
        """Compare the number of a topic's partitions with what it was: where there is no key, there may be more of them now.

        Parameters
        ----------
        topic
            One of the topics that are read.
        before
            Its number of partitions as it was, >= 1.
        when
            When it was that, for the message: ``"when its state was written"``.

        Raises
        ------
        StateError
            When there are fewer, or there are keys: they then lie in other partitions than their nets.
        """
        self._counts.check(self._client(), topic, before, when)

    def partition_count(self, topic: str) -> int:
        """Return how many partitions a topic has.

        Parameters
        ----------
        topic
            One of the topics that are read.
        """
        return len(partitions_of(self._client(), topic))

    def seek(self, partition: str, position: Position) -> None:
        """Go on reading ``partition`` at the offset ``position``.

        Parameters
        ----------
        partition
            Name of the partition: ``"flow/0"``.
        position
            An offset, >= 0.

        Raises
        ------
        StateError
            When the partition does not hold it: deleted by retention, or the topic was recreated.

        Examples
        --------
        >>> from streamrnn_kafka import KafkaSource
        >>> source = KafkaSource.from_topics("flow", servers="localhost:9092", group="watch", columns=["flow"])
        >>> source.seek("flow/0", "here")
        Traceback (most recent call last):
        ...
        streamrnn.errors.StateError: Partition flow/0 has no position 'here': it is not an offset.
        """
        offset, one = offset_of(partition, position), partition_of(partition)
        if one not in self._client().assignment():
            return  # went away meanwhile; the next poll says so
        offsets.check_held(self._client(), one, offset)
        self._place(one, offset)

    def start_over(self, partition: str) -> None:
        """Go on reading ``partition`` where ``start`` says, whatever the group has committed.

        Parameters
        ----------
        partition
            Name of the partition: ``"flow/0"``.
        """
        one = partition_of(partition)
        self._place(one, self._first(one))

    def _place(self, partition: TopicPartition, offset: int) -> None:
        """Have the next fetch of ``partition`` begin at ``offset``; the poll after this resumes it."""
        self._client().seek(partition, offset)
        self._iterated.forget([partition])
        if partition in self._unplaced:
            self._unplaced.discard(partition)
            self._client().resume(partition)

    def _place_all(self) -> None:
        """Send announced partitions that nobody sent anywhere to what the group has committed, or to the start."""
        for partition in sorted(self._unplaced):
            committed = self.committed(name_of(partition))
            self._place(partition, self._first(partition) if committed is None else committed.offset)

    def _first(self, partition: TopicPartition) -> int:
        """Return where ``start`` lies in a partition; one that was added while it was being read is new from its beginning."""
        if self._counts.added(partition):
            return offsets.beginning(self._client(), partition)
        return offsets.start(self._client(), partition, self.options.start)

    def committed(self, partition: str) -> OffsetAndMetadata | None:
        """Return what the group has committed of ``partition``, with its metadata, or None.

        Parameters
        ----------
        partition
            Name of the partition: ``"flow/0"``.

        Raises
        ------
        UnavailableError
            When the coordinator does not answer.
        """
        return self._member.committed(partition)

    def group_metadata(self) -> Any:
        """Return what fences offsets in a transaction: group, generation, member, as of the last poll.

        The client may have joined anew since then, on its own thread; what was read before is not of that generation.
        """
        return self._member.metadata()

    def commit_offsets(self, offsets: dict[str, OffsetAndMetadata]) -> None:
        """Commit offsets of the group, outside any transaction.

        Parameters
        ----------
        offsets
            Offset and metadata by name of the partition.
        """
        self._member.commit(offsets)

    def __iter__(self) -> Iterator[Event]:
        """Yield events for ever, those of a partition in order. Dead letters are left out."""
        while True:
            for block in self.poll(500, 0.2).blocks:
                yield from self._iterated.events(block)

    def commit(self) -> None:
        """Record that every event that was yielded has been dealt with: a restart goes on behind them (at least once).

        Raises
        ------
        UnavailableError
            When the group does not come to rest within the session time-out.
        """
        self._iterated.commit(self._unplaced)
