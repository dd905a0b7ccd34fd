"""Snapshots in a compacted topic: pages, a manifest that names them, and a pointer that names the manifest.

The pointer is the metadata of the committed offset, so that one transaction moves both. Record keys::

    partition/page/number    a stretch of the snapshot; written where it differs from the page before it
    partition                the manifest: position, length, sum, and offset and sum of each page

Compaction keeps the newest committed record of a key: that is the one the newest manifest names. Records of aborted
transactions are never kept.
"""

from __future__ import annotations

import functools
import hashlib
import time
import zlib
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

__all__ = ["Manifest", "Page", "Pointer", "StateReader", "StateWriter"]

VERSION = 1

PAGE_BYTES = 512 * 1024
"""Half of what a broker takes for one record by default; a page that has not changed is not written again."""

READ_S = 30.0
"""How long to wait for a state record that must be there."""

RECORD_S = 10.0
"""How long a record of the state may take. Whoever waits does not poll, so nobody can join the group meanwhile: the wait is
short, and is begun again, with another client, behind the next poll."""


def _sum(data: bytes | memoryview) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


class Page(msgspec.Struct, frozen=True, array_like=True):
    """Where one page lies, and its sum.

    Parameters
    ----------
    offset
        Its offset in the state topic.
    sum
        Its checksum.
    """

    offset: int
    sum: str


class Manifest(msgspec.Struct, frozen=True):
    """What a snapshot consists of. Fields that are not known are passed over.

    Parameters
    ----------
    version
        Version of the format.
    partition
        Name of the input's partition.
    position
        The position that the snapshot belongs to.
    length
        Length of the snapshot, in bytes.
    sum
        Its checksum.
    count
        Number of partitions of the input's topic when it was written.
    pages
        Where its pages lie, in order.
    """

    version: int
    partition: str
    position: Position
    length: int
    sum: str
    count: int
    pages: tuple[Page, ...]


class Pointer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a commit says of the state: the manifest's place and sum, and the position its snapshot belongs to.

    Short names: the broker keeps at most 4096 bytes, and keeps them for every commit.

    Parameters
    ----------
    o
        Offset of the manifest.
    p
        Partition of the state topic that holds it.
    s
        The position that its snapshot belongs to.
    h
        Checksum of the manifest.
    v
        Version of the format.
    """

    o: int
    p: int
    s: Position
    h: str
    v: int = VERSION

    def encode(self) -> str:
        """Return the metadata of a commit."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def decode(cls, text: str, partition: str) -> Pointer | None:
        """Return the pointer that the metadata holds, or None where there is none.

        Parameters
        ----------
        text
            The metadata of a committed offset; empty where there is none.
        partition
            Name of the input's partition, for the message.

        Raises
        ------
        StateError
            When it is not one of ours, or of a newer version.
        """
        if not text:
            return None
        try:
            found = msgspec.json.decode(text.encode(), type=cls)
        except (msgspec.DecodeError, ValueError, RecursionError):
            raise StateError(
                f"The committed offset of {partition} carries metadata that this program has not written: {text[:80]!r}. "
                "Does another application use the same [source] group?"
            ) from None
        if found.v != VERSION:
            raise StateError(f"The state of {partition} has format {found.v}; this version reads {VERSION}.")
        return found


class StateWriter:
    """Writes the snapshots of this process's partitions; remembers the pages it has written.

    Parameters
    ----------
    topic
        The compacted topic.
    partitions
        How many it has.
    """

    def __init__(self, topic: str, partitions: int) -> None:
        self._topic = topic
        self._partitions = partitions
        self._pages: dict[str, tuple[int, tuple[Page, ...]]] = {}

    def forget(self, name: str | None = None) -> None:
        """Forget the pages of a partition, or all: what is not known to be there for good is written again.

        Parameters
        ----------
        name
            Name of the input's partition. None: all of them.
        """
        if name is None:
            self._pages.clear()
        else:
            self._pages.pop(name, None)

    def know(self, pointer: Pointer, manifest: Manifest) -> None:
        """Take up the pages of a snapshot that was read.

        Parameters
        ----------
        pointer
            What the last commit says of the state.
        manifest
            The manifest that it names.
        """
        self._pages[manifest.partition] = (pointer.p, manifest.pages)

    def write(
        self,
        producer: Any,
        name: str,
        position: Position,
        snapshot: bytes | memoryview,
        count: int,
    ) -> Pointer:
        """Send what differs from the snapshot before; return the pointer to commit.

        Parameters
        ----------
        producer
            A producer, inside a transaction where there are any.
        name
            Name of the input's partition.
        position
            The position that the snapshot belongs to.
        snapshot
            The snapshot, of any length.
        count
            Number of partitions of the input's topic.
        """
        to = zlib.crc32(name.encode()) % self._partitions
        before = self._pages.get(name, (to, ()))
        old = before[1] if before[0] == to else ()
        parts = [bytes(snapshot[i : i + PAGE_BYTES]) for i in range(0, len(snapshot), PAGE_BYTES)]
        sums = [_sum(part) for part in parts]
        sent = {
            i: producer.send(self._topic, part, key=f"{name}/page/{i}".encode(), partition=to)
            for i, part in enumerate(parts)
            if i >= len(old) or old[i].sum != sums[i]
        }
        for i in range(len(parts), len(old)):  # pages that are no longer needed: tombstones
            producer.send(self._topic, None, key=f"{name}/page/{i}".encode(), partition=to)
        # No flush: once one page is refused, the client keeps the others, and a flush would wait for them to its time-out.
        pages = tuple(
            Page(sent[i].get(timeout=READ_S).offset, one) if i in sent else old[i] for i, one in enumerate(sums)
        )
        manifest = Manifest(VERSION, name, position, len(snapshot), _sum(snapshot), count, pages)
        data = msgspec.json.encode(manifest)
        future = producer.send(self._topic, data, key=name.encode(), partition=to)
        producer.flush()
        self._pages[name] = (to, pages)
        return Pointer(future.get(timeout=READ_S).offset, to, position, _sum(data))


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
        if _sum(data) != pointer.h:
            raise self._damaged(name, f"the manifest at offset {pointer.o} is another one")
        try:
            manifest = msgspec.json.decode(data, type=Manifest)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise self._damaged(name, f"the manifest at offset {pointer.o} cannot be read: {error}") from error
        parts = []
        for i, page in enumerate(manifest.pages):
            part = self._record(pointer.p, page.offset, f"{name}/page/{i}")
            if _sum(part) != page.sum:
                raise self._damaged(name, f"page {i} at offset {page.offset} is another one")
            parts.append(part)
        snapshot = b"".join(parts)
        if len(snapshot) != manifest.length or _sum(snapshot) != manifest.sum or manifest.partition != name:
            raise self._damaged(name, "the pages do not add up to the snapshot that was written")
        return manifest, snapshot

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

    def _record(self, partition: int, offset: int, key: str) -> bytes:
        at = TopicPartition(self._topic, partition)
        end = time.monotonic() + RECORD_S
        try:
            (consumer := self._consumer(committed=False)).assign([at])
            consumer.seek(at, offset)
            while time.monotonic() < end:
                for record in consumer.poll(timeout_ms=500, max_records=1).get(at, ()):
                    if record.offset != offset or record.key != key.encode() or record.value is None:
                        raise self._damaged(key, f"offset {offset} does not hold it any more")
                    return bytes(record.value)
        except KafkaError as error:
            if type(error).__name__ == "OffsetOutOfRangeError":
                raise self._damaged(key, f"offset {offset} is outside the topic") from error
            raise translated(error, f"reading the topic {self._topic!r}") from error
        raise RetriableSinkError(
            f"Topic {self._topic!r} did not give offset {offset} of partition {partition} in {RECORD_S:.0f} s. "
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
            pointer = Pointer(record.offset, record.partition, 0, _sum(record.value))
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
            elif "/page/" not in key:
                found.setdefault(key, []).append(record)
        return found

    def stored(self) -> list[StoredSnapshot]:
        """Return the newest snapshot of each input partition, good or damaged."""
        return [self._stored(name, records[-1]) for name, records in sorted(self._manifests().items())]

    def _stored(self, name: str, record: Any) -> StoredSnapshot:
        called = f"{name}@{record.offset}"
        try:
            manifest, data = self.read(name, Pointer(record.offset, record.partition, 0, _sum(record.value)))
        except StateError as error:
            return StoredSnapshot(name, called, 0, problem=str(error))
        return StoredSnapshot(name, called, manifest.position, data)
