"""Snapshots back from the compacted topic: those that a commit names, and those that nobody does."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from kafka import TopicPartition
from kafka.errors import KafkaError

from streamrnn.errors import RetriableSinkError, StateError
from streamrnn.io import Position, Restored, StoredSnapshot
from streamrnn_kafka.connection import translated
from streamrnn_kafka.options import ConnectionOptions
from streamrnn_kafka.outside import committed_records, outside_consumer
from streamrnn_kafka.partitions import partitions_of
from streamrnn_kafka.patches import apply_patch, checksum
from streamrnn_kafka.state import READ_S, Manifest, Page, Pointer

__all__ = ["StateReader"]

RECORD_S = 10.0
"""How long a record of the state may take. Whoever waits does not poll, so nobody can join the group meanwhile: the wait is
short, and is begun again, with another client, behind the next poll."""


FAR, MANY = 16, 64
"""Records that are rather read than jumped over; and that are taken at once."""


class StateReader:
    """Reads snapshots back.

    What a pointer names was committed with it, or before: it is read at its offset and held against its checksum, whatever
    transactions of others are open in the topic. What nobody names is looked for among committed records.

    Parameters
    ----------
    options
        How to reach the brokers.
    client_id
        The name that requests are made under.
    topic
        The compacted topic.
    """

    def __init__(self, options: ConnectionOptions, client_id: str, topic: str) -> None:
        self._open = functools.partial(outside_consumer, options, client_id)
        self._consumers: dict[bool, Any] = {}
        self._topic = topic
        self._ends: dict[TopicPartition, int] | None = None
        self._found: dict[str, list[Any]] = {}

    def _consumer(self, *, committed: bool) -> Any:
        if committed not in self._consumers:
            self._consumers[committed] = self._open(committed=committed)
        return self._consumers[committed]

    def close(self) -> None:
        """Close the consumers."""
        for one in self._consumers.values():
            one.close(autocommit=False, timeout_ms=1000)

    def read(self, name: str, pointer: Pointer) -> tuple[Manifest, bytes]:
        """Return the manifest and the snapshot that a pointer names.

        Parameters
        ----------
        name
            Name of the input's partition.
        pointer
            What a commit says of its state.

        Raises
        ------
        StateError
            When any of it is gone or differs from what was written.
        """
        data = self._record(pointer.p, pointer.o, name)
        if checksum(data) != pointer.h:
            raise self._damaged(name, f"the manifest at offset {pointer.o} is another one")
        try:
            manifest = msgspec.json.decode(data, type=Manifest)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise self._damaged(name, f"the manifest at offset {pointer.o} cannot be read: {error}") from error
        kinds = (("page", manifest.pages), ("patch", manifest.patches))
        wanted = [(page, f"{name}/{kind}/{i}") for kind, pages in kinds for i, page in enumerate(pages)]
        parts = self._parts(pointer.p, wanted)
        snapshot = self._patched(name, parts[: len(manifest.pages)], parts[len(manifest.pages) :])
        if len(snapshot) != manifest.length or manifest.partition != name:
            raise self._damaged(name, "the pages do not add up to the snapshot that was written")
        return manifest, snapshot

    def _patched(self, name: str, pages: list[bytes], patches: list[bytes]) -> bytes:
        """Return a snapshot of pages and of what has changed since, each of which has the sum that it was written with."""
        if not patches:
            return b"".join(pages)
        held, room = bytearray().join(pages), sum(map(len, patches))
        pages.clear()
        for patch in patches:
            try:
                apply_patch(held, patch, room)
            except StateError as error:
                raise self._damaged(name, str(error)) from error
        return bytes(held)

    def restored(self, name: str, position: Position, pointer: Pointer) -> tuple[Manifest, Restored]:
        """Return what a runtime restores from.

        Parameters
        ----------
        name
            Name of the input's partition.
        position
            Where reading goes on.
        pointer
            What the commit of that position says of its state.
        """
        manifest, snapshot = self.read(name, pointer)
        return manifest, Restored(position, snapshot, manifest.position)

    def _damaged(self, name: str, what: str) -> StateError:
        return StateError(
            f"The state of {name} in topic {self._topic!r} is damaged: {what}. Was the topic recreated, or written by "
            "others? Start anew with --fresh."
        )

    def _parts(self, partition: int, wanted: Sequence[tuple[Page, str]]) -> list[bytes]:
        """Return records by offset, sum and key, in this order; they are read once, in the order in which they lie."""
        order = sorted(range(len(wanted)), key=lambda i: wanted[i][0].offset)
        found: dict[int, bytes] = {}
        records = self._records(partition, [wanted[i][0].offset for i in order])
        for i, record in zip(order, records, strict=True):
            page, key = wanted[i]
            if record.offset != page.offset or record.key != key.encode() or record.value is None:
                raise self._damaged(key, f"offset {page.offset} does not hold it any more")
            found[i] = bytes(record.value)
            if checksum(found[i]) != page.sum:
                raise self._damaged(key, f"what lies at offset {page.offset} is another one")
        return [found[i] for i in range(len(wanted))]

    def _record(self, partition: int, offset: int, key: str) -> bytes:
        """Return the value of one record."""
        [record] = self._records(partition, [offset])
        if record.offset != offset or record.key != key.encode() or record.value is None:
            raise self._damaged(key, f"offset {offset} does not hold it any more")
        return bytes(record.value)

    def _records(self, partition: int, offsets: Sequence[int]) -> Iterator[Any]:
        """Yield the record at each offset, or the next that is there; offsets ascend.

        Raises
        ------
        StateError
            When one lies outside the topic.
        RetriableSinkError
            When the next one does not come.
        """
        at = TopicPartition(self._topic, partition)
        end = time.monotonic() + RECORD_S
        left, next_one = list(reversed(offsets)), -FAR - 1  # the first one is jumped to
        try:
            consumer = self._consumer(committed=False)
            consumer.assign([at])
            while left and time.monotonic() < end:
                if not 0 <= left[-1] - next_one <= FAR:
                    consumer.seek(at, left[-1])
                for record in consumer.poll(timeout_ms=500, max_records=MANY).get(at, ()):
                    next_one = record.offset + 1
                    if left and record.offset >= left[-1]:
                        left.pop()
                        yield record
                        end = time.monotonic() + RECORD_S
            if not left:
                return
        except KafkaError as error:
            if type(error).__name__ == "OffsetOutOfRangeError":
                raise StateError(
                    f"The state in topic {self._topic!r} is damaged: offset {left[-1]} is outside the topic. Was the topic recreated? "
                    "Start anew with --fresh."
                ) from error
            raise translated(error, f"reading the topic {self._topic!r}") from error
        raise RetriableSinkError(
            f"Topic {self._topic!r} did not give offset {left[-1]} of partition {partition} in {RECORD_S:.0f} s. "
            "Does the leader of that partition answer?"
        )

    def holds(self, name: str) -> bool:
        """Return whether the topic holds any snapshot of a partition: one that no pointer names is a lost pointer.

        Parameters
        ----------
        name
            Name of the input's partition.
        """
        try:
            consumer = self._consumer(committed=True)
            ends = consumer.end_offsets(partitions_of(consumer, self._topic), timeout_ms=int(1000 * READ_S))
            if ends != self._ends:
                self._found = self._manifests()
                self._ends = ends
        except KafkaError as error:
            raise translated(error, f"reading the topic {self._topic!r}") from error
        return name in self._found

    def before(self, name: str, position: int) -> tuple[Pointer, bool]:
        """Return a pointer to the newest whole snapshot of a partition at or before ``position``, and whether it is the newest of all.

        One that is not may be compacted away at any time.

        Parameters
        ----------
        name
            Name of the input's partition.
        position
            An offset of it.

        Raises
        ------
        StateError
            When there is none.
        """
        records = self._found[name] if self.holds(name) else []
        there: list[Position] = []
        for record in reversed(records):
            pointer = Pointer(record.offset, record.partition, 0, checksum(record.value))
            try:
                manifest, _ = self.read(name, pointer)
            except StateError:  # pages that newer ones have replaced
                continue
            there.append(manifest.position)
            if isinstance(manifest.position, int) and manifest.position <= position:
                return msgspec.structs.replace(pointer, s=manifest.position), record is records[-1]
        known = ", ".join(map(str, sorted(there, key=str))) or "none that is whole"
        raise StateError(
            f"The group's offset of {name} was set to {position}, and topic {self._topic!r} has no snapshot of it at or before "
            f"that (compaction keeps the newest): {known}. Set the offset to one of these or later, or start anew with --fresh."
        )

    def _manifests(self) -> dict[str, list[Any]]:
        """Return the records of the manifests of each input partition, the newest last."""
        found: dict[str, list[Any]] = {}
        for record in committed_records(self._consumer(committed=True), self._topic):
            key = (record.key or b"").decode(errors="replace")
            if record.value is None:
                found.pop(key, None)
            elif "/page/" not in key and "/patch/" not in key:
                found.setdefault(key, []).append(record)
        return found

    def stored(self) -> list[StoredSnapshot]:
        """Return the newest snapshot of each input partition, good or damaged."""
        return [self._stored(name, records[-1]) for name, records in sorted(self._manifests().items())]

    def _stored(self, name: str, record: Any) -> StoredSnapshot:
        called = f"{name}@{record.offset}"
        try:
            manifest, data = self.read(name, Pointer(record.offset, record.partition, 0, checksum(record.value)))
        except StateError as error:
            return StoredSnapshot(name, called, 0, problem=str(error))
        return StoredSnapshot(name, called, manifest.position, data)
