"""The sink: results, dead letters, snapshots and the input's offsets, in one transaction each cycle."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

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

from streamrnn.columns.lines import longest_of
from streamrnn.config import checked_table
from streamrnn.errors import ConfigError, RetriableSinkError, SinkError, StreamrnnError, UnavailableError
from streamrnn.io import AlarmEvent, Block, DeadLetter, Pieces, Position, Restored, SinkContext, Source, StoredSnapshot
from streamrnn_kafka.connection import causes, connect, translated
from streamrnn_kafka.delivery import Delivery, Results, Snapshots, block_headers, whole_batches
from streamrnn_kafka.follower import RecordFollower
from streamrnn_kafka.letters import record_bytes
from streamrnn_kafka.options import ConnectionOptions, SinkOptions, check_topics
from streamrnn_kafka.outside import SOURCE_HEADER, committed_records, outside_consumer
from streamrnn_kafka.producer import check_compression
from streamrnn_kafka.restoring import StateFinder
from streamrnn_kafka.source import KafkaSource
from streamrnn_kafka.topics import ensure_topics, wrong_topics
from streamrnn_kafka.writers import other_writers

__all__ = ["KafkaSink"]

FENCED_S = 4.0
"""How long a fenced process looks whether another one joins under its name, which makes its producer first: to renew ours
before would fence the newcomer."""

WRITTEN_BYTES_S = 20_000_000
"""What must be expected to be written of snapshots in a second, at least: see docs/kafka.md."""

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
        Where dead letters and alarms go, where state is kept, and whether to begin anew.

    Examples
    --------
    >>> from streamrnn_kafka import KafkaSink
    >>> KafkaSink.to_topic("scores", delivery="at_least_once").delivery
    'at_least_once'
    """

    Options = SinkOptions
    takes = frozenset(("[dead_letter] topic", "[alarms] topic", "[state] topic", "--fresh"))
    client_loggers = ("kafka",)

    def __init__(self, options: SinkOptions, context: SinkContext | None = None) -> None:
        self.options = options
        self.context = context or SinkContext()
        check_topics(options.topic, self.context.dead_letters, self.context.state, self.context.alarms)
        self._source: KafkaSource | None = None
        self._follower: RecordFollower | None = None  # of alarms
        self._delivery: Delivery | None = None  # from the topics on that were seen to, until a commit is lost
        self._finder: StateFinder | None = None
        self._renewed: set[str] = set()  # partitions that --fresh has been obeyed for

    @classmethod
    def to_topic(
        cls,
        topic: str,
        *,
        dead_letter_topic: str | None = None,
        alarm_topic: str | None = None,
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
        alarm_topic
            Topic for starts and ends of episodes; None: there is none.
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
        context = SinkContext(dead_letters=dead_letter_topic, state=state_topic, alarms=alarm_topic, fresh=fresh)
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
        topics = self._topics()
        try:
            check_compression(self.options)
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
            self._prepare().start()  # at once: what a predecessor that was killed has left open hides the state from the others
            self._look_for_others()
        except KafkaError as error:
            self.__exit__()
            raise translated(error, "preparing the topics") from error
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        delivery, self._delivery = self._delivery, None
        if delivery is not None:
            delivery.drop()
        self._stop_finding()
        if self._follower is not None:
            self._follower.close()

    def _topics(self) -> list[str]:
        """Return the topics that people read."""
        return [one for one in (self.options.topic, self.context.dead_letters, self.context.alarms) if one is not None]

    def _prepare(self) -> Delivery:
        """See to the topics: at the start, and after each commit that was lost."""
        source, options = self._attached(), self.options
        topics = self._topics()
        most = max([source.partition_count(topic) for topic in source.options.topics], default=0) or 1
        with contextlib.closing(connect(KafkaAdminClient, options, client_id=source.member)) as admin:
            found = ensure_topics(
                admin,
                dict.fromkeys(topics, most),
                self.state_topic,
                create=options.create_topics,
                record_bytes=options.max_record_bytes,
            )
        self._stop_finding()  # it may know topics that are no more
        self._delivery = Delivery(
            options, source, self.context.dead_letters, self.context.alarms, found, self.state_topic
        )
        return self._delivery

    def _find(self) -> StateFinder:
        if self._finder is None:
            self._finder = StateFinder(self.options, self._attached(), self.state_topic)
        return self._finder

    def _stop_finding(self) -> None:
        if self._finder is not None:
            self._finder.close()

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
            self._stop_finding()
            raise

    def _restored(self, partition: str) -> Restored | None:
        source = self._attached()
        if self._delivery is not None:
            self._delivery.forget(partition)
        delivery = self._renewed_delivery()
        delivery.look()
        if self.context.fresh and partition not in self._renewed:
            source.start_over(partition)
            return None
        found = self._find().find(partition)
        if found is None:
            return None
        if found.pointer is None:
            delivery.forget_pages(partition)
        else:
            delivery.know(partition, found.pointer, found.manifest, found.restored.snapshot or b"")
        return found.restored

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
        finder = self._find()
        try:
            return finder.stored()
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

    def alarms(self, after: Mapping[str, int]) -> Iterator[tuple[str, int, bytes]]:
        """Yield the committed alarms behind ``after``, as :meth:`streamrnn.io.AlarmSink.alarms` says: places are partitions, numbers offsets.

        Parameters
        ----------
        after
            What was yielded with the last one read, by place.

        Raises
        ------
        ConfigError
            When no topic of alarms is given.

        Examples
        --------
        >>> from streamrnn_kafka import KafkaSink
        >>> next(KafkaSink.to_topic("scores").alarms({}))
        Traceback (most recent call last):
        ...
        streamrnn.errors.ConfigError: [alarms] topic: is missing. Name the topic of alarms.
        """
        topic = self.context.alarms
        if topic is None:
            raise ConfigError("[alarms] topic: is missing. Name the topic of alarms.")
        known = {int(place.rpartition("/")[2]): at for place, at in after.items() if place.rpartition("/")[0] == topic}
        if self._follower is None:
            self._follower = RecordFollower(self.options, self._attached().member)
        for record in self._follower.records(topic, known):
            yield f"{topic}/{record.partition}", record.offset, record.value or b""

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
        headers = block_headers(block, self._attached().group)
        longest = longest_of(outputs) + 4 * max((len(key or "") for key in keys or ()), default=0)
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

    def whole_lines(self) -> bool:
        """Whether results are taken in one piece: where they are written in whole batches.

        Examples
        --------
        >>> from streamrnn_kafka import KafkaSink, KafkaSource
        >>> sink = KafkaSink.to_topic("scores")
        >>> sink.attach(KafkaSource.from_topics("flow", servers="localhost:9092", group="watch", columns=["flow"], columnar="off"))
        >>> sink.whole_lines()
        False
        """
        return whole_batches(self._attached())

    def _look_for_others(self) -> None:
        """Warn of other writers of the results' topic. Where nobody answers in time, or permits it, nothing is said."""
        with (
            contextlib.suppress(KafkaError),
            contextlib.closing(outside_consumer(self.options, self._attached().member)) as consumer,
        ):
            found = other_writers(consumer, self.options.topic, self._attached().group)
            if found is not None:
                warnings.warn(found, RuntimeWarning, stacklevel=3)

    def _renewed_delivery(self) -> Delivery:
        """Return what can write: where a commit was lost, with the topics seen to again and a new producer."""
        delivery = self._delivery
        if delivery is not None and delivery.ready:
            return delivery
        try:
            delivery = self._delivery or self._prepare()
            self._attached().check_member()  # who is no longer in the group under its name must not fence who came later
            delivery.start()
        except KafkaError as error:
            if delivery is not None:
                delivery.drop()
            if isinstance(error, FOR_GOOD):
                raise translated(error, "starting transactions") from error
            raise RetriableSinkError(f"The producer cannot start: {type(error).__name__}: {error}.") from error
        return delivery

    def commit(
        self,
        outputs: Sequence[bytes],
        dead_letters: Sequence[DeadLetter],
        positions: Mapping[str, Position],
        snapshots: Mapping[str, bytes | Pieces] | None = None,
        blocks: Sequence[Block] = (),
        alarms: Sequence[AlarmEvent] = (),
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
        alarms
            Starts and ends of episodes, in order.

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
        if self._delivery is None or not self._delivery.ready:
            raise RetriableSinkError("The producer was lost with an earlier commit; restore first.")
        started = time.monotonic()
        try:
            self._delivery.write(positions, snapshots or {}, Results(outputs, dead_letters, blocks, alarms))
        except KafkaError as error:
            said = f"{type(error).__name__}: {error}"
            self._delivery.drop()
            self._delivery = None
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

    def _lasted(self, started: float, snapshots: Snapshots) -> str:
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
        if any(isinstance(one, ProducerFencedError | InvalidProducerEpochError) for one in found):
            end = time.monotonic() + FENCED_S  # a time-out does that too
            while time.monotonic() < end:
                with contextlib.suppress(KafkaError, UnavailableError):  # asked again before there is a new producer
                    self._attached().check_member(FENCED_S)
                time.sleep(0.2)
