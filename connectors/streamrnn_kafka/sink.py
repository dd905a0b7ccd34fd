"""The sink: results, dead letters, snapshots and the input's offsets, in one transaction each cycle."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

import msgspec
from kafka import KafkaAdminClient
from kafka.errors import (
    AuthorizationError,
    FencedInstanceIdError,
    InvalidProducerEpochError,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFencedError,
    UnsupportedVersionError,
)
from kafka.structs import OffsetAndMetadata

from streamrnn.config import checked_table
from streamrnn.errors import ConfigError, RetriableSinkError, SinkError, StateError, StreamrnnError, UnavailableError
from streamrnn.io import Block, DeadLetter, Position, Restored, SinkContext, Source, StoredSnapshot
from streamrnn_kafka.connection import causes, connect, translated
from streamrnn_kafka.letters import letter_record, record_bytes
from streamrnn_kafka.names import partition_of
from streamrnn_kafka.options import ConnectionOptions, SinkOptions, check_topics
from streamrnn_kafka.outside import APPLICATION_HEADER, SOURCE_HEADER, committed_records, outside_consumer
from streamrnn_kafka.producer import drop_producer, make_producer
from streamrnn_kafka.source import KafkaSource
from streamrnn_kafka.state import Pointer, StateReader, StateWriter
from streamrnn_kafka.topics import ensure_topics, wrong_topics
from streamrnn_kafka.writers import other_writers

__all__ = ["KafkaSink"]

FENCED_S = 4.0
"""How long a fenced process looks whether another one joins under its name, which makes its producer first: to renew ours
before would fence the newcomer."""

WRITTEN_BYTES_S = 20_000_000
"""What must be expected to be written of snapshots in a second, at least: see docs/kafka.md."""

_log = logging.getLogger("streamrnn.kafka")

_Positions = Mapping[str, Position]
_Snapshots = Mapping[str, bytes | memoryview]


class _Results(NamedTuple):
    """What a commit writes for people: lines, the blocks they belong to, and dead letters."""

    lines: Sequence[bytes]
    letters: Sequence[DeadLetter]
    blocks: Sequence[Block]


FOR_GOOD = (AuthorizationError, UnsupportedVersionError, MessageSizeTooLargeError)
"""Refusals that the next try would meet again."""


class KafkaSink:
    """Results in a topic, with dead letters in another and snapshots in a third, compacted one.

    Beside a :class:`KafkaSource`, each commit is one transaction that also holds the source's offsets: readers with
    ``isolation.level=read_committed`` see all of a commit or nothing, and each result once, whatever is killed. A commit that
    fails, or whose fate is not known, is never tried again: the runtime restores from what the brokers say.

    Parameters
    ----------
    options
        Where to write, see ``KafkaSink.Options``.
    context
        Where dead letters go, where state is kept, and whether to begin anew.

    Examples
    --------
    >>> from streamrnn_kafka import KafkaSink
    >>> KafkaSink.to_topic("scores", delivery="at_least_once").delivery
    'at_least_once'
    """

    Options = SinkOptions
    takes = frozenset(("[dead_letter] topic", "[state] topic", "--fresh"))
    client_loggers = ("kafka",)

    def __init__(self, options: SinkOptions, context: SinkContext | None = None) -> None:
        self.options = options
        self.context = context or SinkContext()
        check_topics(options.topic, self.context.dead_letters, self.context.state)
        self._source: KafkaSource | None = None
        self._producer: Any = None
        self._prepared = False  # whether the topics have been seen to since the last commit that was lost
        self._reader: StateReader | None = None
        self._writer: StateWriter | None = None
        self._pointers: dict[str, Pointer] = {}
        self._counts: dict[str, int] = {}
        self._renewed: set[str] = set()  # partitions that --fresh has been obeyed for

    @classmethod
    def to_topic(
        cls,
        topic: str,
        *,
        dead_letter_topic: str | None = None,
        state_topic: str | None = None,
        fresh: bool = False,
        **options: Any,
    ) -> KafkaSink:
        """Return a sink to ``topic``, not yet entered.

        Parameters
        ----------
        topic
            The topic to write.
        dead_letter_topic
            Topic for what could not become an event; None: dropped.
        state_topic
            Compacted topic of snapshots; None: the group's name with ``.state`` behind it.
        fresh
            Forget the state of earlier runs, and begin where ``start`` says.
        options
            See ``KafkaSink.Options``.

        Raises
        ------
        ConfigError
            With one line for each wrong option.

        Examples
        --------
        >>> from streamrnn_kafka import KafkaSink
        >>> KafkaSink.to_topic("scores", delivery="exactly")
        Traceback (most recent call last):
        ...
        streamrnn.errors.ConfigError: [sink] delivery: must be one of 'at_least_once', 'at_most_once', 'exactly_once'. ...
        """
        context = SinkContext(dead_letters=dead_letter_topic, state=state_topic, fresh=fresh)
        return cls(checked_table("sink", SinkOptions, {"topic": topic, **options}), context)

    @property
    def delivery(self) -> str:
        """What a crash may leave, as configured.

        Examples
        --------
        >>> from streamrnn_kafka import KafkaSink
        >>> KafkaSink.to_topic("scores").delivery
        'exactly_once'
        """
        return self.options.delivery

    @property
    def keeps_state(self) -> bool:
        """Always: snapshots are in the state topic.

        Examples
        --------
        >>> from streamrnn_kafka import KafkaSink
        >>> KafkaSink.to_topic("scores").keeps_state
        True
        """
        return True

    def attach(self, source: Source) -> None:
        """Take notice of the source whose offsets are committed with the results.

        Parameters
        ----------
        source
            The source of the same run, before it is entered.

        Raises
        ------
        ConfigError
            When it is no source of Kafka, or reads what this sink writes.

        Examples
        --------
        >>> from streamrnn_kafka import KafkaSink, KafkaSource
        >>> source = KafkaSource.from_topics("flow", servers="localhost:9092", group="watch", columns=["flow"])
        >>> KafkaSink.to_topic("flow").attach(source)
        Traceback (most recent call last):
        ...
        streamrnn.errors.ConfigError: [sink] topic: 'flow' is one of [source] topics; results would be read as events.
        """
        if not isinstance(source, KafkaSource):
            raise ConfigError(
                "[sink] kind: a Kafka sink needs a Kafka source: positions are kept as the group's offsets."
            )
        if self.options.topic in source.options.topics:
            raise ConfigError(
                f"[sink] topic: {self.options.topic!r} is one of [source] topics; results would be read as events."
            )
        self._source = source
        if not self.options.servers:
            shared = {name: getattr(source.options, name) for name in ConnectionOptions.__struct_fields__}
            self.options = msgspec.structs.replace(self.options, **shared)

    def _attached(self) -> KafkaSource:
        if self._source is None:
            raise SinkError("The sink has no source: call attach(source) before it is entered.")
        return self._source

    @property
    def state_topic(self) -> str:
        """Where snapshots are kept.

        Examples
        --------
        >>> from streamrnn_kafka import KafkaSink
        >>> KafkaSink.to_topic("scores", state_topic="watch.nets").state_topic
        'watch.nets'
        """
        return self.context.state or f"{self._attached().group}.state"

    def check(self) -> list[StreamrnnError]:
        """Return what is wrong with the topics: no broker, no entry, missing and not to be created, not compacted.

        Creates nothing, and disturbs no process of the same name.

        Examples
        --------
        >>> from streamrnn_kafka import KafkaSink
        >>> KafkaSink.to_topic("scores").check()
        Traceback (most recent call last):
        ...
        streamrnn.errors.SinkError: The sink has no source: call attach(source) before it is entered.
        """
        member = self._attached().member
        topics = [name for name in (self.options.topic, self.context.dead_letters) if name is not None]
        try:
            with contextlib.closing(connect(KafkaAdminClient, self.options, client_id=member)) as admin:
                self._look_for_others()
                return wrong_topics(
                    admin,
                    topics,
                    self.state_topic,
                    create=self.options.create_topics,
                    record_bytes=self.options.max_record_bytes,
                )
        except StreamrnnError as error:
            return [error]
        except KafkaError as error:
            return [translated(error, "looking at the topics")]

    def too_large(self, snapshot_bytes: int) -> str | None:
        """Say where snapshots of so many bytes may take longer to write than a transaction may last.

        Parameters
        ----------
        snapshot_bytes
            The sum of the lengths of the snapshots of one commit, in bytes.

        Examples
        --------
        >>> from streamrnn_kafka import KafkaSink
        >>> sink = KafkaSink.to_topic("scores", transaction_timeout_s=1.0)
        >>> sink.too_large(1_000_000) is None, sink.too_large(254_000_000)[:33]
        (True, '254 MB take 13 s or so to write, ')
        """
        seconds, limit = snapshot_bytes / WRITTEN_BYTES_S, self.options.transaction_timeout_s
        if self.options.delivery != "exactly_once" or seconds <= limit:
            return None
        return (
            f"{snapshot_bytes / 1e6:,.0f} MB take {seconds:,.0f} s or so to write, and the broker aborts what lasts longer than "
            f"[sink] transaction_timeout_s = {limit:g}: then each commit with a snapshot is lost. Raise it, or lower [state] "
            "max_keys or memory_mb."
        )

    def __enter__(self) -> Self:
        try:
            self._prepare()
            self._start_producer()  # at once: what a predecessor that was killed has left open hides the state from the others
            self._look_for_others()
        except KafkaError as error:
            self.__exit__()
            raise translated(error, "preparing the topics") from error
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._drop_producer()
        self._close_reader()
        self._prepared = False

    def _prepare(self) -> None:
        """See to the topics: at the start, and after each commit that was lost."""
        source, options = self._attached(), self.options
        topics = {name: 0 for name in (options.topic, self.context.dead_letters) if name is not None}
        most = max([source.partition_count(topic) for topic in source.options.topics], default=0) or 1
        with contextlib.closing(connect(KafkaAdminClient, options, client_id=source.member)) as admin:
            found = ensure_topics(
                admin,
                dict.fromkeys(topics, most),
                self.state_topic,
                create=options.create_topics,
                record_bytes=options.max_record_bytes,
            )
        self._counts = {name: found[name] for name in topics}
        self._writer = StateWriter(self.state_topic, found[self.state_topic])
        self._close_reader()  # it may know topics that are no more
        self._prepared = True

    def _close_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            with contextlib.suppress(KafkaError):
                reader.close()

    def _start_producer(self) -> None:
        """Make a producer; from here on its predecessor of the same name cannot write any more."""
        self._producer = make_producer(self.options, self._attached().member)
        if self.options.delivery == "exactly_once":
            self._producer.init_transactions()

    def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            drop_producer(producer)

    def restore(self, partition: str) -> Restored | None:
        """Return what the last commit of ``partition`` recorded, or None for a fresh start.

        Parameters
        ----------
        partition
            A name that the source has announced: ``"flow/0"``.

        Raises
        ------
        StateError
            When there is state that no offset points to, or the state is damaged, or the topic has other partitions now.
        RetriableSinkError
            When the state cannot be read for now. The next poll lets others join the group, and then it is read by another client.

        Examples
        --------
        >>> from streamrnn_kafka import KafkaSink
        >>> KafkaSink.to_topic("scores").restore("flow/0")
        Traceback (most recent call last):
        ...
        streamrnn.errors.SinkError: The sink has no source: call attach(source) before it is entered.
        """
        try:
            return self._restored(partition)
        except RetriableSinkError:
            self._close_reader()
            raise

    def _restored(self, partition: str) -> Restored | None:
        source = self._attached()
        self._pointers.pop(partition, None)
        if self._producer is None:
            self._renew_producer()
        if self.context.fresh and partition not in self._renewed:
            source.start_over(partition)
            return None
        committed = source.committed(partition)
        pointer = None if committed is None else Pointer.decode(committed.metadata or "", partition)
        reader = self._state_reader()
        if committed is None:
            if reader.holds(partition):
                raise StateError(
                    f"Topic {self.state_topic!r} holds a state of {partition}, but the group has no offset: it expired while "
                    "nothing ran, was deleted, or went with a topic that was deleted. Going on would score events twice, or leave "
                    "some out. Set the group's offset with kafka-consumer-groups --reset-offsets, if you know it: the newest "
                    "snapshot at or before it is taken up; or start anew with --fresh."
                )
            return None
        if pointer is None:
            return self._restored_by_offset(partition, committed.offset)
        manifest, restored = reader.restored(partition, committed.offset, pointer)
        self._attached().check_count(partition_of(partition).topic, manifest.count, "when its state was written")
        if self._writer is not None:
            self._writer.know(pointer, manifest)
        self._pointers[partition] = pointer
        return restored

    def _restored_by_offset(self, partition: str, offset: int) -> Restored:
        """Return what belongs to an offset that a tool has set, which erases what a commit says of the state."""
        reader = self._state_reader()
        if not reader.holds(partition):
            raise StateError(
                f"The group has read {partition} up to offset {offset}, but there is no state. Was it another "
                "program? Use another [source] group, or start anew with --fresh."
            )
        pointer, is_newest = reader.before(partition, offset)
        manifest, restored = reader.restored(partition, offset, pointer)
        self._attached().check_count(partition_of(partition).topic, manifest.count, "when its state was written")
        if self._writer is not None:
            self._writer.forget(partition)
        _log.warning(
            "the offset of %s was set to %d by another program: the newest snapshot before it, from offset %s, is taken up, "
            "events up to %d are learned without results, and results begin there, whether they were written before or not",
            partition, offset, manifest.position, offset,
        )  # fmt: skip
        return dataclasses.replace(restored, passing=not is_newest)

    def _state_reader(self) -> StateReader:
        if self._reader is None:
            consumer = outside_consumer(self.options, self._attached().member)
            self._reader = StateReader(consumer, self.state_topic)
        return self._reader

    def snapshots(self) -> list[StoredSnapshot]:
        """Return the newest snapshot of each partition, from outside the group. Compaction keeps no older ones.

        Examples
        --------
        >>> from streamrnn_kafka import KafkaSink
        >>> KafkaSink.to_topic("scores").snapshots()
        Traceback (most recent call last):
        ...
        streamrnn.errors.SinkError: The sink has no source: call attach(source) before it is entered.
        """
        reader = self._state_reader()
        try:
            return reader.stored()
        finally:
            self.__exit__()

    def written(self) -> Iterator[tuple[str, bytes]]:
        """Yield every committed result with the partition of its event, from outside the group.

        Examples
        --------
        >>> from streamrnn_kafka import KafkaSink
        >>> next(KafkaSink.to_topic("scores").written())
        Traceback (most recent call last):
        ...
        streamrnn.errors.SinkError: The sink has no source: call attach(source) before it is entered.
        """
        with contextlib.closing(outside_consumer(self.options, self._attached().member)) as consumer:
            for record in committed_records(consumer, self.options.topic):
                yield dict(record.headers).get(SOURCE_HEADER, b"").decode(errors="replace"), record.value or b""

    def too_long(self, block: Block, outputs: Sequence[bytes]) -> Mapping[int, str]:
        """Return which of a block's results are longer than ``max_record_bytes``, key and headers included, and why.

        Parameters
        ----------
        block
            The events that the results are about.
        outputs
            Lines of JSON, one for each event of the block, in order.

        Examples
        --------
        >>> import numpy as np
        >>> from streamrnn.io import Block
        >>> from streamrnn_kafka import KafkaSink, KafkaSource
        >>> sink = KafkaSink.to_topic("scores", max_record_bytes=20_000)
        >>> sink.attach(KafkaSource.from_topics("flow", servers="localhost:9092", group="watch", columns=["flow"]))
        >>> block = Block(("flow",), np.array([[1.0], [2.0]]), (0, 1), 2, partition="flow/0")
        >>> sink.too_long(block, [b"{}", b"." * 30_000])[1]
        'Its result has 30165 bytes with key and headers, more than [sink] max_record_bytes = 20000.'
        """
        limit, keys = self.options.max_record_bytes, block.keys
        headers = self._headers(block)
        longest = max(map(len, outputs), default=0) + 4 * max((len(key or "") for key in keys or ()), default=0)
        if record_bytes(None, b"", headers) + longest <= limit:
            return {}
        found = {}
        for i, line in enumerate(outputs):
            length = record_bytes(None if keys is None else (keys[i] or "").encode(), line, headers)
            if length > limit:
                found[i] = (
                    f"Its result has {length} bytes with key and headers, more than [sink] max_record_bytes = {limit}."
                )
        return found

    def _headers(self, block: Block) -> list[tuple[str, bytes]]:
        """Return the headers of a block's last result; the others have the first one alone."""
        return [(SOURCE_HEADER, block.partition.encode()), (APPLICATION_HEADER, self._attached().group.encode())]

    def _look_for_others(self) -> None:
        """Warn of other writers of the results' topic. Where nobody answers in time, or permits it, nothing is said."""
        with (
            contextlib.suppress(KafkaError),
            contextlib.closing(outside_consumer(self.options, self._attached().member)) as consumer,
        ):
            found = other_writers(consumer, self.options.topic, self._attached().group)
            if found is not None:
                warnings.warn(found, RuntimeWarning, stacklevel=3)

    def _renew_producer(self) -> None:
        try:
            if not self._prepared:
                self._prepare()
            self._attached().check_member()  # who is no longer in the group under its name must not fence who came later
            self._start_producer()
        except KafkaError as error:
            self._drop_producer()
            if isinstance(error, FOR_GOOD):
                raise translated(error, "starting transactions") from error
            raise RetriableSinkError(f"The producer cannot start: {type(error).__name__}: {error}.") from error

    def commit(
        self,
        outputs: Sequence[bytes],
        dead_letters: Sequence[DeadLetter],
        positions: Mapping[str, Position],
        snapshots: Mapping[str, bytes | memoryview] | None = None,
        blocks: Sequence[Block] = (),
    ) -> None:
        """Write all of it or none of it, in one transaction (as far as ``delivery`` promises).

        Parameters
        ----------
        outputs
            Lines of JSON, one for each event of ``blocks``, in order.
        dead_letters
            Records that are no events.
        positions
            For each partition touched, the offset where reading goes on.
        snapshots
            For some of them, the model state that belongs to that position.
        blocks
            The events that the outputs are about.

        Raises
        ------
        RetriableSinkError
            When it was not written, or nobody knows. Never try the same again: restore.
        SinkError
            When the next try would meet the same refusal.

        Examples
        --------
        >>> from streamrnn_kafka import KafkaSink
        >>> KafkaSink.to_topic("scores").commit([b"{}"], [], {"flow/0": 1})
        Traceback (most recent call last):
        ...
        streamrnn.errors.SinkError: The sink has no source: call attach(source) before it is entered.
        """
        self._attached()
        if self._producer is None:
            raise RetriableSinkError("The producer was lost with an earlier commit; restore first.")
        started = time.monotonic()
        try:
            deliver = {
                "exactly_once": self._exactly_once,
                "at_least_once": self._at_least_once,
                "at_most_once": self._at_most_once,
            }[self.options.delivery]
            deliver(positions, snapshots or {}, _Results(outputs, dead_letters, blocks))
        except KafkaError as error:
            said = f"{type(error).__name__}: {error}"
            self._drop_producer()
            self._prepared = False
            self._pointers.clear()
            if self._writer is not None:
                self._writer.forget()
            self._check_fence(error)
            if isinstance(error, MessageSizeTooLargeError):
                raise SinkError(
                    "A topic takes shorter records than [sink] max_record_bytes says, or than a snapshot's pages have. Raise its "
                    f"max.message.bytes. ({said})"
                ) from error
            if isinstance(error, FOR_GOOD):
                raise translated(error, "writing results") from error
            raise RetriableSinkError(
                f"A commit was lost, or its fate is not known: {said}.{self._lasted(started, snapshots or {})}"
            ) from error
        self._renewed.update(positions)

    def _lasted(self, started: float, snapshots: _Snapshots) -> str:
        """Say where a commit lasted longer than the broker waits for."""
        seconds, limit = time.monotonic() - started, self.options.transaction_timeout_s
        if self.options.delivery != "exactly_once" or seconds < limit:
            return ""
        size = sum(map(len, snapshots.values())) / 1e6
        return (
            f" It lasted {seconds:.1f} s, with {size:,.1f} MB of snapshots; the broker aborts what lasts longer than [sink] "
            f"transaction_timeout_s = {limit:g}. Where that is the cause, raise it, or lower [state] max_keys or memory_mb."
        )

    def _check_fence(self, error: KafkaError) -> None:
        """Raise where a commit was refused because another process has this one's name."""
        found = causes(error)
        for one in found:
            if isinstance(one, FencedInstanceIdError):
                raise self._attached().explained(one) from error
        if any(
            isinstance(one, ProducerFencedError | InvalidProducerEpochError) for one in found
        ):  # a time-out does that too
            end = time.monotonic() + FENCED_S
            while time.monotonic() < end:
                with contextlib.suppress(
                    KafkaError, UnavailableError
                ):  # it is asked again before there is a new producer
                    self._attached().check_member(FENCED_S)
                time.sleep(0.2)

    def _exactly_once(self, positions: _Positions, snapshots: _Snapshots, results: _Results) -> None:
        producer = self._producer
        producer.begin_transaction()
        pointers = self._write_state(positions, snapshots)
        self._write(results)
        producer.flush()
        offsets = {partition_of(name): one for name, one in self._offsets(positions, pointers).items()}
        producer.send_offsets_to_transaction(offsets, self._attached().group_metadata())
        producer.commit_transaction()
        self._pointers.update(pointers)

    def _at_least_once(self, positions: _Positions, snapshots: _Snapshots, results: _Results) -> None:
        pointers = self._write_state(positions, snapshots)
        self._check(self._write(results))
        self._attached().commit_offsets(self._offsets(positions, pointers))
        self._pointers.update(pointers)

    def _at_most_once(self, positions: _Positions, snapshots: _Snapshots, results: _Results) -> None:
        pointers = self._write_state(positions, snapshots)
        self._attached().commit_offsets(self._offsets(positions, pointers))
        self._pointers.update(pointers)
        self._check(self._write(results))

    def _check(self, futures: Sequence[Any]) -> None:
        """Wait until all that was sent is acknowledged; raise the first refusal."""
        self._producer.flush()
        for future in futures:
            if future.failed():
                raise future.exception

    def _write_state(self, positions: _Positions, snapshots: _Snapshots) -> dict[str, Pointer]:
        writer = self._writer
        if writer is None:
            raise SinkError("The sink is not open: write it inside a with statement.")
        source = self._attached()
        return {
            name: writer.write(
                self._producer,
                name,
                positions[name],
                snapshot,
                source.partition_count(partition_of(name).topic),
            )
            for name, snapshot in snapshots.items()
        }

    def _offsets(self, positions: _Positions, pointers: Mapping[str, Pointer]) -> dict[str, OffsetAndMetadata]:
        found = {}
        for name, position in positions.items():
            pointer = pointers.get(name) or self._pointers.get(name)
            found[name] = OffsetAndMetadata(int(position), "" if pointer is None else pointer.encode(), -1)
        return found

    def _write(self, results: _Results) -> list[Any]:
        """Send results, each to the partition of the same number as its event's, and dead letters."""
        topic, count = self.options.topic, self._counts[self.options.topic]
        futures: list[Any] = []
        at = 0
        for block in results.blocks:
            to = partition_of(block.partition).partition % count
            headers = self._headers(block)
            keys = block.keys if block.keys is not None else [None] * len(block)
            named = [None if key is None else key.encode() for key in keys]
            lines = results.lines[at : at + len(block)]
            records = list(zip(named, lines, strict=True))
            futures += self._producer.send_all(topic, records[:-1], headers[:1], to)
            futures += [self._producer.send(topic, line, key, headers, to) for key, line in records[-1:]]
            at += len(block)
        if self.context.dead_letters is not None:
            futures += [self._send_letter(letter, self.context.dead_letters) for letter in results.letters]
        return futures

    def _send_letter(self, letter: DeadLetter, topic: str) -> Any:
        key, value, headers = letter_record(letter, self._attached().group, self.options.max_record_bytes)
        to = partition_of(letter.partition).partition % self._counts[topic]
        return self._producer.send(topic, value, key, headers, to)
