"""How one commit is written: the promises that a sink can be asked for, each with its order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kafka import TopicPartition
from kafka.structs import OffsetAndMetadata

from streamrnn.io import AlarmEvent, Block, DeadLetter, Pieces, Position
from streamrnn_kafka.letters import letter_record
from streamrnn_kafka.options import SinkOptions
from streamrnn_kafka.outside import APPLICATION_HEADER, SOURCE_HEADER
from streamrnn_kafka.partitions import partition_of
from streamrnn_kafka.producer import drop_producer, make_producer
from streamrnn_kafka.row_writer import row_writer
from streamrnn_kafka.source import KafkaSource
from streamrnn_kafka.state import Manifest, Pointer, StateWriter
from streamrnn_kafka.undecided import OFFSETS_TOPIC, Undecided, offsets_partition

__all__ = ["Delivery", "Results", "block_headers", "whole_batches"]

REBALANCED_S = 5.0
"""How old the last look for undecided transactions may be when partitions come: they come together."""

USUAL_S = 300.0
"""How old it may be while all is well: it costs some milliseconds, which no more than one commit in a few hundred should notice."""

Positions = Mapping[str, Position]
Snapshots = Mapping[str, bytes | Pieces]


class Results(NamedTuple):
    """What a commit writes for people.

    Parameters
    ----------
    lines
        Lines of JSON, one for each event of ``blocks``, in order.
    letters
        Records that are no events.
    blocks
        The events that the lines are about.
    alarms
        Starts and ends of episodes.
    """

    lines: Sequence[bytes]
    letters: Sequence[DeadLetter]
    blocks: Sequence[Block]
    alarms: Sequence[AlarmEvent] = ()


def whole_batches(source: KafkaSource) -> bool:
    """Return whether results are to be written in whole batches.

    Parameters
    ----------
    source
        Whose offsets are committed.
    """
    return source.options.columnar != "off"


def block_headers(block: Block, group: str) -> list[tuple[str, bytes]]:
    """Return the headers of a block's last result; the others have the first one alone.

    Parameters
    ----------
    block
        The events.
    group
        The consumer group of this application.
    """
    return [(SOURCE_HEADER, block.partition.encode()), (APPLICATION_HEADER, group.encode())]


class Delivery:
    """Writes results, dead letters, snapshots and offsets, and knows which snapshot each partition's offset points to.

    Parameters
    ----------
    options
        Those of the sink.
    source
        Whose offsets are committed.
    dead_letters
        The topic of dead letters; None: they are dropped.
    alarms
        The topic of alarms; None: there is none.
    counts
        The number of partitions of each topic: results, dead letters and state.
    state_topic
        The topic of snapshots.
    """

    def __init__(
        self,
        options: SinkOptions,
        source: KafkaSource,
        dead_letters: str | None,
        alarms: str | None,
        counts: Mapping[str, int],
        state_topic: str,
    ) -> None:
        self._options = options
        self._source = source
        self._dead_letters = dead_letters
        self._alarms = alarms
        self._counts = counts
        self._writer = StateWriter(state_topic, counts[state_topic])
        self._pointers: dict[str, Pointer] = {}
        self._producer: Any = None
        self._rows = row_writer(options.max_record_bytes) if whole_batches(source) else None
        self._undecided = self._look_out() if options.delivery == "exactly_once" else None

    @property
    def ready(self) -> bool:
        """Whether it can write: it has a producer that has not met an error."""
        return self._producer is not None

    def start(self) -> None:
        """Make a producer; from here on its predecessor of the same name cannot write any more."""
        self._producer = make_producer(self._options, self._source.member)
        if self._undecided is not None:
            with self._undecided.looking():
                self._producer.init_transactions()

    def _look_out(self) -> Undecided:
        """Return what ends transactions that a broker has forgotten to end, wherever members of the group write."""
        written = [TopicPartition(topic, i) for topic, count in self._counts.items() for i in range(count)]
        count = self._source.partition_count(OFFSETS_TOPIC)
        offsets = [offsets_partition(self._source.group, count)] if count else []
        return Undecided(self._options, self._source.group, self._source.member, written, offsets)

    def look(self) -> None:
        """Look for transactions that a broker has forgotten to end, before state is asked for that they hide."""
        if self._undecided is not None:
            self._undecided.look(REBALANCED_S)

    def drop(self) -> None:
        """Drop the producer, with what it has not written."""
        producer, self._producer = self._producer, None
        if producer is not None:
            drop_producer(producer)

    def know(self, partition: str, pointer: Pointer, manifest: Manifest, snapshot: bytes) -> None:
        """Take notice of the snapshot that a partition's offset points to.

        Parameters
        ----------
        partition
            Its name.
        pointer
            What the last commit says of its state.
        manifest
            What that points to.
        snapshot
            What was read there.
        """
        self._writer.know(pointer, manifest, snapshot)
        self._pointers[partition] = pointer

    def forget(self, partition: str) -> None:
        """Forget which snapshot a partition's offset points to; what the writer knows of its pages stays.

        Parameters
        ----------
        partition
            Its name.
        """
        self._pointers.pop(partition, None)

    def forget_pages(self, partition: str) -> None:
        """Have the next snapshot of a partition written whole.

        Parameters
        ----------
        partition
            Its name.
        """
        self._writer.forget(partition)

    def write(self, positions: Positions, snapshots: Snapshots, results: Results) -> None:
        """Write one commit, in the order that ``delivery`` asks for.

        Parameters
        ----------
        positions
            For each partition touched, the offset where reading goes on.
        snapshots
            For some of them, the model state that belongs to that position.
        results
            Lines and dead letters.
        """
        ways = {
            "exactly_once": self._exactly_once,
            "at_least_once": self._at_least_once,
            "at_most_once": self._at_most_once,
        }
        ways[self._options.delivery](positions, snapshots, results)

    def _exactly_once(self, positions: Positions, snapshots: Snapshots, results: Results) -> None:
        producer = self._producer
        if self._undecided is not None:
            self._undecided.look(USUAL_S)
        producer.begin_transaction()
        pointers = self._write_state(positions, snapshots)
        self._send(results)
        producer.flush()
        offsets = {partition_of(name): one for name, one in self._offsets(positions, pointers).items()}
        producer.send_offsets_to_transaction(offsets, self._source.group_metadata())
        producer.commit_transaction()
        self._pointers.update(pointers)

    def _at_least_once(self, positions: Positions, snapshots: Snapshots, results: Results) -> None:
        pointers = self._write_state(positions, snapshots)
        self._check(self._send(results))
        self._source.commit_offsets(self._offsets(positions, pointers))
        self._pointers.update(pointers)

    def _at_most_once(self, positions: Positions, snapshots: Snapshots, results: Results) -> None:
        pointers = self._write_state(positions, snapshots)
        self._source.commit_offsets(self._offsets(positions, pointers))
        self._pointers.update(pointers)
        self._check(self._send(results))

    def _check(self, futures: Sequence[Any]) -> None:
        """Wait until all that was sent is acknowledged; raise the first refusal."""
        self._producer.flush()
        for future in futures:
            if future.failed():
                raise future.exception

    def _write_state(self, positions: Positions, snapshots: Snapshots) -> dict[str, Pointer]:
        return {
            name: self._writer.write(
                self._producer,
                name,
                positions[name],
                snapshot,
                self._source.partition_count(partition_of(name).topic),
            )
            for name, snapshot in snapshots.items()
        }

    def _offsets(self, positions: Positions, pointers: Mapping[str, Pointer]) -> dict[str, OffsetAndMetadata]:
        found = {}
        for name, position in positions.items():
            pointer = pointers.get(name) or self._pointers.get(name)
            found[name] = OffsetAndMetadata(int(position), "" if pointer is None else pointer.encode(), -1)
        return found

    def _send(self, results: Results) -> list[Any]:
        """Send results, each to the partition of the same number as its event's, and dead letters."""
        topic, count = self._options.topic, self._counts[self._options.topic]
        futures: list[Any] = []
        at = 0
        for block in results.blocks:
            to = partition_of(block.partition).partition % count
            headers = block_headers(block, self._source.group)
            if self._rows is not None:
                some = results.lines[at : at + len(block)]
                futures += self._rows.send(self._producer, TopicPartition(topic, to), some, block.keys, headers, 1)
                at += len(block)
                continue
            keys = block.keys if block.keys is not None else [None] * len(block)
            named = [None if key is None else key.encode() for key in keys]
            lines = results.lines[at : at + len(block)]
            records = list(zip(named, lines, strict=True))
            futures += self._producer.send_all(topic, records[:-1], headers[:1], to)
            futures += [self._producer.send(topic, line, key, headers, to) for key, line in records[-1:]]
            at += len(block)
        if self._dead_letters is not None:
            futures += [self._send_letter(letter, self._dead_letters) for letter in results.letters]
        if self._alarms is not None:
            futures += [self._send_alarm(alarm, self._alarms) for alarm in results.alarms]
        return futures

    def _send_alarm(self, alarm: AlarmEvent, topic: str) -> Any:
        headers = [(SOURCE_HEADER, alarm.partition.encode()), (APPLICATION_HEADER, self._source.group.encode())]
        to = partition_of(alarm.partition).partition % self._counts[topic]
        return self._producer.send(topic, alarm.data, None if alarm.key is None else alarm.key.encode(), headers, to)

    def _send_letter(self, letter: DeadLetter, topic: str) -> Any:
        key, value, headers = letter_record(letter, self._source.group, self._options.max_record_bytes)
        to = partition_of(letter.partition).partition % self._counts[topic]
        return self._producer.send(topic, value, key, headers, to)
