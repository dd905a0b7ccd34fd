"""The source: partitions of one or more topics, as a member of a consumer group."""

from __future__ import annotations

import contextlib
import logging
import re
import time
from collections.abc import Iterator, Sequence
from typing import Any, Self

import msgspec
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import (
    FencedInstanceIdError,
    InconsistentGroupProtocolError,
    KafkaError,
    KafkaTimeoutError,
    LogTruncationError,
    OffsetOutOfRangeError,
    RebalanceInProgressError,
)
from kafka.structs import MemberState, OffsetAndMetadata

from streamrnn.config import checked_table
from streamrnn.errors import ConfigError, GoneError, SourceError, StateError, StreamrnnError, UnavailableError
from streamrnn.io import Block, DeadLetter, Event, Poll, Position, SourceContext
from streamrnn_kafka.connection import connect, translated
from streamrnn_kafka.formats import FORMATS, Decoder, Fields, KeyDecoder, RecordError
from streamrnn_kafka.members import PROTOCOL, Changes, GroupConsumer, held_as, leave, missed_generation, other_protocol
from streamrnn_kafka.names import name_of, partition_of
from streamrnn_kafka.options import SourceOptions, start_ms, start_offset
from streamrnn_kafka.outside import outside_consumer
from streamrnn_kafka.registry import Registry
from streamrnn_kafka.watch import Watch

__all__ = ["KafkaSource", "OutsideSource"]

ANSWER_MS = 15_000
"""How long to wait for an answer to a question about offsets, a change of coordinator included."""

RECORD_TIME = "timestamp"
"""What the time of events is called where it is that of their records."""

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
        self._start_ms = start_ms(options.start)
        self._consumer: Any = None
        self._joined = False
        self._changes = Changes()
        self._membership: Any = None
        self._unplaced: set[TopicPartition] = set()  # announced, paused, and not yet sent anywhere
        self._counts: dict[str, int] = {}
        self._old: dict[str, int] = {}  # of topics that have more partitions now: how many they had
        self._done: dict[TopicPartition, int] = {}
        self._watch = Watch(options.stuck_after_s)
        self.stuck_partitions = 0  # so far
        self._record_key = options.record_key
        registry = None if options.registry is None else Registry(options)
        fields = Fields(
            options.columns, options.time, options.key, options.on_missing == "mean", options.csv_fields, registry,
            options.cloudevents,
        )  # fmt: skip
        self._decoder = Decoder(FORMATS[options.format], fields, options.max_record_bytes)
        self._key_of = KeyDecoder(FORMATS.get(options.key_format), options.key_field, registry)

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
        return f"{self.options.group}-{self.options.replica}"

    def __enter__(self) -> Self:
        options = self.options
        self._consumer = connect(
            GroupConsumer,
            options,
            client_id=self.member,
            group_id=self.group,
            group_instance_id=self.member,
            enable_auto_commit=False,
            auto_offset_reset="none",  # where to begin is said below; a lost position is never passed over
            isolation_level="read_committed",
            partition_assignment_strategy=[PROTOCOL],
            session_timeout_ms=int(1000 * options.session_timeout_s),
            heartbeat_interval_ms=int(1000 * options.session_timeout_s / 5),
            allow_auto_create_topics=False,
            fetch_max_wait_ms=100,
            metrics_enabled=False,
            metadata_max_age_ms=30_000,  # how late a topic of a pattern, or a new partition, is noticed
        )
        self._changes = Changes(self._consumer)
        self._membership = None
        self._joined = True
        try:
            if options.pattern is None:
                self._check_topics(options.topics)
                self._consumer.subscribe(topics=list(options.topics), listener=self._changes)
            else:
                self._consumer.subscribe(pattern=options.pattern, listener=self._changes)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        if self._consumer is not None:
            with contextlib.suppress(KafkaError):  # the group notices by itself
                self._consumer.close(autocommit=False, timeout_ms=2000)
            self._consumer = None
            if self._joined and self.options.leave_on_stop and exc[:1] == (None,):
                leave(self.options, self.group, self.member)
            self._joined = False

    def check(self) -> list[StreamrnnError]:
        """Return what is wrong with the input: no broker, no entry, no such topic. Joins no group.

        Examples
        --------
        >>> from streamrnn_kafka import KafkaSource
        >>> options = {"servers": "127.0.0.1:1", "group": "watch", "columns": ["flow"], "connect_timeout_s": 0.1}
        >>> [error.exit_code for error in KafkaSource.from_topics("flow", **options).check()]
        [69]
        """
        try:
            self._consumer = connect(KafkaConsumer, self.options, client_id=self.member, metrics_enabled=False)
            self._check_topics(self.options.topics)
            protocol = None
            with contextlib.suppress(KafkaError):  # brokers that never had a group know no coordinator of one yet
                protocol = other_protocol(self.options, self.group, self.member)
        except StreamrnnError as error:
            return [error]
        finally:
            self.__exit__()
        return [] if protocol is None else [self._foreign_group(f"the way {protocol!r}")]

    def reread(self) -> KafkaSource:
        """Return a source of the same input, to what is its end now, that belongs to no group and commits nothing.

        Examples
        --------
        >>> from streamrnn_kafka import KafkaSource
        >>> source = KafkaSource.from_topics("flow", servers="localhost:9092", group="watch", columns=["flow"])
        >>> source.reread().options == source.options
        True
        """
        return OutsideSource(self.options, self.context)

    def _check_topics(self, topics: Sequence[str]) -> None:
        try:
            there = self._consumer.topics()
        except KafkaError as error:
            raise translated(error, "listing topics") from error
        missing = [topic for topic in topics if topic not in there]
        if missing:
            raise SourceError(
                f"Kafka at {self.options.servers} has no topic {', '.join(map(repr, missing))}, or this user may not see it. "
                "Create it, or correct [source] topics."
            )

    def _client(self) -> Any:
        if self._consumer is None:
            raise SourceError("The source is not open: read it inside a with statement.")
        return self._consumer

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
        came, went = self._changes.take()
        missed = self._missed(came)
        came, went = came | missed, went | missed
        self._unplaced = (self._unplaced - went) | came
        for partition in went:
            self._done.pop(partition, None)
        if came:
            self._check_counts()
        blocks = []
        for partition, records in fetched.items():
            if partition not in self._unplaced and partition not in went:
                blocks.append(self._block(partition, records))
        return Poll(blocks, [name_of(one) for one in sorted(came)], [name_of(one) for one in sorted(went)])

    def _missed(self, came: set[TopicPartition]) -> set[TopicPartition]:
        """Return partitions that stayed ours although we were not in the group in between: another may have gone on with them."""
        before, now = self._membership, self._client().group_metadata()
        if now.state is not MemberState.STABLE:
            return set()
        self._membership = now
        return set(self._client().assignment()) - came if missed_generation(before, now) else set()

    def _rejoined(self, stuck: Sequence[TopicPartition]) -> Poll:
        """Join the group again, with a client that knows nothing of what its predecessor has forgotten to read."""
        names = [name_of(one) for one in sorted(stuck)]
        self.stuck_partitions += len(stuck)
        _log.warning("%s not read any more, though records come: joining the group again", ", ".join(names))
        went = sorted(self._client().assignment())
        self.__exit__()
        self._unplaced.clear()
        self._done.clear()
        self._watch.forget()
        self.__enter__()
        return Poll([], [], [name_of(one) for one in went])

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
        if isinstance(error, OffsetOutOfRangeError) and error.args and isinstance(error.args[0], dict):
            [(partition, offset)] = error.args[0].items()
            return self._gone(partition, offset)
        if isinstance(error, LogTruncationError):
            return StateError(
                f"Records that were read are no longer in the topic: {error}. The brokers lost them, or the topic was "
                "recreated. What was learned and written from them stands; to begin anew: --fresh."
            )
        if isinstance(error, FencedInstanceIdError):
            return StateError(
                f"Another process runs as {self.member!r} and has taken the place of this one. Give each process of the "
                "group its own [source] replica."
            )
        if isinstance(error, InconsistentGroupProtocolError):
            return self._foreign_group("another way")
        return translated(error, "reading")

    def _foreign_group(self, way: str) -> ConfigError:
        return ConfigError(
            f"[source] group: {self.group!r} has members that share its partitions in {way}: other programs, which would "
            "be given a part of the events. Name a group that is this application's alone, or stop them."
        )

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
        mine = self._client().group_metadata().member_id
        longest = self.options.connect_timeout_s
        options = msgspec.structs.replace(self.options, connect_timeout_s=min(within_s or longest, longest))
        there = held_as(options, self.group, self.member)
        if mine and there not in (None, mine) and self._client().group_metadata().member_id == mine:
            raise self.explained(FencedInstanceIdError())

    def _gone(self, partition: TopicPartition, offset: int) -> StateError:
        with contextlib.suppress(KafkaError):
            first = self._client().beginning_offsets([partition], timeout_ms=ANSWER_MS)[partition]
            end = self._client().end_offsets([partition], timeout_ms=ANSWER_MS)[partition]
            if offset > end:
                return StateError(
                    f"Partition {name_of(partition)} ends at offset {end}, before offset {offset} that was reached: the topic "
                    "was recreated, or its brokers lost records. To begin anew: --fresh, or another [source] group."
                )
            return GoneError(
                f"Partition {name_of(partition)} no longer holds offset {offset}: retention has deleted all before {first}. "
                "To go on, events would have to be left out. To keep what was learned and go on with what there is: streamrnn "
                f"snapshot export CONFIG FILE --partition {name_of(partition)}, then streamrnn snapshot import CONFIG FILE "
                "--skip-gap; to begin anew: --fresh. To lose nothing next time, keep the topic's records for longer than the "
                "longest stop.",
                first,
            )
        return StateError(f"Partition {name_of(partition)} no longer holds offset {offset}.")

    def _check_counts(self) -> None:
        """Notice that a topic has other partitions than before."""
        for topic in {partition.topic for partition in self._client().assignment()}:
            self.check_count(topic, self._counts.setdefault(topic, self.partition_count(topic)), "before")

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
        count = self.partition_count(topic)
        keyed = self.options.key is not None or self.options.record_key
        if count < before or (count > before and keyed):
            why = "Its keys now come in other partitions than their nets." if keyed else "It was recreated."
            raise StateError(
                f"Topic {topic!r} has {count} partitions, {before} {when}. {why} To begin anew: another [source] group, "
                "or --fresh."
            )
        if count > before and before < self._old.get(topic, count):
            self._old[topic] = before
            self._client().rejoin()
            _log.warning(
                "topic %r has %d partitions, %d %s: the new ones are read from their start", topic, count, before, when
            )

    def partition_count(self, topic: str) -> int:
        """Return how many partitions a topic has.

        Parameters
        ----------
        topic
            One of the topics that are read.
        """
        return len(self._client().partitions_for_topic(topic) or ())

    def _block(self, partition: TopicPartition, records: Sequence[Any]) -> Block:
        name, options = name_of(partition), self.options
        faults: dict[int, str] = {}
        series: list[str | None] = []
        if self._record_key:
            series = [self._series(i, record.key, faults) for i, record in enumerate(records)]
        tried = [i for i in range(len(records)) if i not in faults]
        headers = [records[i].headers for i in tried] if options.cloudevents else ()
        found = self._decoder.columns([records[i].value for i in tried], headers)
        faults |= {tried[j]: reason for j, reason in found.faults.items()}
        good = [i for i in tried if i not in faults] if found.faults else tried
        letters = [
            DeadLetter(records[i].offset, faults[i], records[i].value or b"", None, name, records[i].key)
            for i in sorted(faults)
        ]
        keys: Sequence[str | None] | None = found.keys if options.key is not None else None
        if self._record_key:
            keys = [series[i] for i in good]
        times: Sequence[Any] = found.times
        if options.time is None:
            stamps = [records[i].timestamp for i in good]
            times = [stamp / 1000 if stamp >= 0 else None for stamp in stamps]
        return Block(
            options.columns,
            found.values,
            [records[i].offset for i in good],
            records[-1].offset + 1,
            keys,
            times,
            [records[i].value for i in good] if self.context.keep_raw else (),
            letters,
            name,
            RECORD_TIME if options.time is None else options.time,
        )

    def _series(self, i: int, key: bytes | None, faults: dict[int, str]) -> str | None:
        """Return the series that a record's key names, or note under ``i`` why it names none."""
        try:
            return self._key_of(key)
        except RecordError as error:
            faults[i] = str(error)
            return None

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
        if not isinstance(position, int) or position < 0:
            raise StateError(f"Partition {partition} has no position {position!r}: it is not an offset.")
        one = partition_of(partition)
        if one not in self._client().assignment():
            return  # went away meanwhile; the next poll says so
        first = self._ask(self._client().beginning_offsets, one)
        end = self._ask(self._client().end_offsets, one)
        if not first <= position <= end:
            raise self._gone(one, position)
        self._place(one, position)

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
        self._done.pop(partition, None)
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
        if partition.partition >= self._old.get(partition.topic, partition.partition + 1):
            return self._ask(self._client().beginning_offsets, partition)
        if self.options.start == "latest":
            return self._ask(self._client().end_offsets, partition)
        if self._start_ms is None:
            return self._first_offset(partition)
        try:
            found = self._client().offsets_for_times({partition: self._start_ms}, timeout_ms=ANSWER_MS)[partition]
        except KafkaError as error:
            raise translated(error, f"looking for a time in {name_of(partition)}") from error
        return self._ask(self._client().end_offsets, partition) if found is None else int(found.offset)

    def _first_offset(self, partition: TopicPartition) -> int:
        """Return the offset that ``start`` names, or the first there is."""
        first = self._ask(self._client().beginning_offsets, partition)
        wanted = start_offset(self.options.start, name_of(partition))
        if wanted is None:
            return first
        end = self._ask(self._client().end_offsets, partition)
        if not first <= wanted <= end:
            raise ConfigError(
                f"[source] start: partition {name_of(partition)} has the offsets {first} to {end}. Got {wanted} instead."
            )
        return wanted

    @staticmethod
    def _ask(question: Any, partition: TopicPartition) -> int:
        try:
            return int(question([partition], timeout_ms=ANSWER_MS)[partition])
        except KafkaError as error:
            raise translated(error, f"asking for the offsets of {name_of(partition)}") from error

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
        end = time.monotonic() + self.options.session_timeout_s + ANSWER_MS / 1000
        while True:  # the answer waits for a dead member's transaction; the broker ends that one by itself
            try:
                found = self._client().committed(partition_of(partition), metadata=True, timeout_ms=ANSWER_MS)
            except KafkaTimeoutError as error:
                if time.monotonic() > end:
                    raise translated(error, f"asking for the committed offset of {partition}") from error
                continue
            except KafkaError as error:
                raise translated(error, f"asking for the committed offset of {partition}") from error
            return None if found is None or found.offset < 0 else found

    def group_metadata(self) -> Any:
        """Return what fences offsets in a transaction: group, generation, member, as of the last poll.

        The client may have joined anew since then, on its own thread; what was read before is not of that generation.
        """
        return self._client().group_metadata() if self._membership is None else self._membership

    def commit_offsets(self, offsets: dict[str, OffsetAndMetadata]) -> None:
        """Commit offsets of the group, outside any transaction.

        Parameters
        ----------
        offsets
            Offset and metadata by name of the partition.
        """
        self._client().commit({partition_of(name): one for name, one in offsets.items()}, timeout_ms=ANSWER_MS)

    def __iter__(self) -> Iterator[Event]:
        """Yield events for ever, those of a partition in order. Dead letters are left out."""
        while True:
            for block in self.poll(500, 0.2).blocks:
                for event, position in zip(block.events(), block.positions, strict=True):
                    self._done[partition_of(block.partition)] = int(position) + 1
                    yield event

    def commit(self) -> None:
        """Record that every event that was yielded has been dealt with: a restart goes on behind them (at least once).

        Raises
        ------
        UnavailableError
            When the group does not come to rest within the session time-out.
        """
        end = time.monotonic() + self.options.session_timeout_s + ANSWER_MS / 1000
        while not self._committed():
            if time.monotonic() > end:
                raise UnavailableError("The group does not come to rest; nothing was committed.")
            self._let_rebalance()

    def _committed(self) -> bool:
        """Try to commit what has been dealt with of the partitions still held; return False while the group rebalances."""
        held = self._client().assignment()
        done = {name_of(one): OffsetAndMetadata(offset, "", -1) for one, offset in self._done.items() if one in held}
        if not done:
            return True
        try:
            self.commit_offsets(done)
        except KafkaError as error:
            if any(isinstance(one, RebalanceInProgressError) for one in (error, *error.args)):
                return False
            raise translated(error, "committing offsets") from error
        return True

    def _let_rebalance(self) -> None:
        """Give the group a moment to settle, which it does inside a poll only, without reading anything."""
        consumer = self._client()
        held = consumer.assignment()
        consumer.pause(*held)
        try:
            consumer.poll(timeout_ms=100)
        finally:
            consumer.resume(*((held & consumer.assignment()) - self._unplaced))


class OutsideSource(KafkaSource):
    """The same input from its start to what is its end now, beside a run that may go on meanwhile.

    Parameters
    ----------
    options
        As for :class:`KafkaSource`.
    context
        The same.

    Examples
    --------
    >>> from streamrnn_kafka import KafkaSource
    >>> source = KafkaSource.from_topics("flow", servers="localhost:9092", group="watch", columns=["flow"])
    >>> type(source.reread()).__name__
    'OutsideSource'
    """

    def __enter__(self) -> Self:
        self._consumer = outside_consumer(self.options, self.member)
        self._announced = False
        try:
            if self.options.pattern is None:
                self._check_topics(self.options.topics)
            partitions = [
                TopicPartition(topic, i)
                for topic in self._topics()
                for i in sorted(self._consumer.partitions_for_topic(topic) or ())
            ]
            self._consumer.assign(partitions)
            for one in partitions:
                self._place(one, self._first(one))
            self._ends = {one: self._ask(self._consumer.end_offsets, one) for one in partitions}
        except BaseException:
            self.__exit__()
            raise
        return self

    def retained(self, partition: str) -> tuple[Position, Position] | None:
        """Return the first offset that a partition holds, and its end.

        Parameters
        ----------
        partition
            Name of the partition: ``"flow/0"``.
        """
        one = partition_of(partition)
        if one not in self._ends:
            return None
        return self._ask(self._consumer.beginning_offsets, one), self._ends[one]

    def _topics(self) -> list[str]:
        if self.options.pattern is None:
            return list(self.options.topics)
        return sorted(topic for topic in self._consumer.topics() if re.match(self.options.pattern, topic))

    def poll(self, max_events: int, timeout_s: float) -> Poll:
        """Return at most ``max_events`` events; the first poll announces all partitions and brings none.

        Parameters
        ----------
        max_events
            Most events, >= 1.
        timeout_s
            Longest wait for the first one, in seconds; 0: none.
        """
        consumer = self._client()
        if not self._announced:
            self._announced = True
            return Poll(assigned=[name_of(one) for one in sorted(self._ends)])
        try:
            fetched = consumer.poll(timeout_ms=int(1000 * timeout_s), max_records=max_events)
            blocks = [self._block(partition, records) for partition, records in fetched.items()]
            ended = not blocks and all(
                consumer.position(one, timeout_ms=5000) >= end for one, end in self._ends.items()
            )
        except KafkaError as error:
            raise self.explained(error) from error
        return Poll(blocks, ended=ended)
