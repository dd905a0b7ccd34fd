"""Snapshots in a compacted topic: pages, a manifest that names them, and a pointer that names the manifest.

The pointer is the metadata of the committed offset, so that one transaction moves both. Record keys::

    partition/page/number    a stretch of the snapshot; all of them are written anew where patches would be half as long as the snapshot
    partition/patch/number   what has changed since the snapshot before, see :mod:`streamrnn_kafka.patches`
    partition                the manifest: position, length, and offset and sum of each page and patch

Compaction keeps the newest committed record of a key: that is the one the newest manifest names. Records of aborted
transactions are never kept.
"""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import StateError
from streamrnn.io import Pieces, Position
from streamrnn_kafka.patches import checksum, cut, patches, records_for, stretches, sums_of

__all__ = ["Manifest", "Page", "Pointer", "StateWriter"]

VERSION = 2

PAGE_BYTES = 512 * 1024
"""Half of what a broker takes for one record by default; a page that has not changed is not written again."""

SMALL = 2 * PAGE_BYTES
"""A snapshot that is not longer is written in pages alone: to look for what has changed is not worth it."""

MOST_PATCHES = 1000
"""Records that a reader applies at most; then pages are written anew."""

READ_S = 30.0
"""How long to wait for a state record that must be there."""


class Page(msgspec.Struct, frozen=True, array_like=True):
    """Where one page lies, and its sum.

    Parameters
    ----------
    offset
        Its offset in the state topic.
    sum
        Its checksum.
    size
        Its length, of a patch.
    """

    offset: int
    sum: str
    size: int = 0


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
    count
        Number of partitions of the input's topic when it was written.
    pages
        Where its pages lie, in order.
    patches
        Where what has changed since lies, in order.
    """

    version: int
    partition: str
    position: Position
    length: int
    count: int
    pages: tuple[Page, ...]
    patches: tuple[Page, ...] = ()


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


class _Known(NamedTuple):
    """What is known to be in the topic of one partition's snapshot."""

    to: int
    pages: tuple[Page, ...] = ()
    patches: tuple[Page, ...] = ()
    sums: NDArray[np.uint64] | None = None  # of the blocks of the newest snapshot
    patched: int = 0  # bytes of the patches


class StateWriter:
    """Writes the snapshots of this process's partitions; remembers what it has written.

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
        self._known: dict[str, _Known] = {}

    def forget(self, name: str | None = None) -> None:
        """Forget the pages of a partition, or all: what is not known to be there for good is written again.

        Parameters
        ----------
        name
            Name of the input's partition. None: all of them.
        """
        if name is None:
            self._known.clear()
        else:
            self._known.pop(name, None)

    def know(self, pointer: Pointer, manifest: Manifest, snapshot: bytes) -> None:
        """Take up the records of a snapshot that was read.

        Parameters
        ----------
        pointer
            What the last commit says of the state.
        manifest
            The manifest that it names.
        snapshot
            What was read.
        """
        sums = sums_of(snapshot) if len(snapshot) > SMALL else None
        patched = sum(one.size for one in manifest.patches)
        self._known[manifest.partition] = _Known(pointer.p, manifest.pages, manifest.patches, sums, patched)

    def write(
        self,
        producer: Any,
        name: str,
        position: Position,
        snapshot: bytes | Pieces,
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
        known = self._known.get(name, _Known(to))
        if known.to != to:
            known = _Known(to)
        sums = sums_of(snapshot) if len(snapshot) > SMALL else None
        differing = self._differing(known, sums, len(snapshot))
        if differing is None:
            now = self._write_pages(producer, name, known, snapshot)
        elif differing:
            now = self._write_patches(producer, name, known, snapshot, differing)
        else:
            now = known
        now = now._replace(sums=sums)
        manifest = Manifest(VERSION, name, position, len(snapshot), count, now.pages, now.patches)
        data = msgspec.json.encode(manifest)
        future = producer.send(self._topic, data, key=name.encode(), partition=to)
        producer.flush()
        self._known[name] = now
        return Pointer(future.get(timeout=READ_S).offset, to, position, checksum(data))

    def _differing(self, known: _Known, sums: NDArray[np.uint64] | None, length: int) -> list[tuple[int, int]] | None:
        """Return what has changed since the snapshot that is known; None where pages are to be written."""
        if sums is None or known.sums is None:
            return None
        found = stretches(known.sums, sums, length)
        records, size = records_for(found, PAGE_BYTES)
        fits = known.patched + size <= length // 2 and len(known.patches) + records <= MOST_PATCHES
        return found if fits else None

    def _write_patches(
        self, producer: Any, name: str, known: _Known, snapshot: bytes | Pieces, differing: list[tuple[int, int]]
    ) -> _Known:
        """Send what has changed; it is read where it lies, and in memory only until the client has sent it."""
        sent = [
            (
                checksum(one),
                len(one),
                producer.send(self._topic, one, key=f"{name}/patch/{i}".encode(), partition=known.to),
            )
            for i, one in enumerate(patches(differing, snapshot, PAGE_BYTES), len(known.patches))
        ]
        made = tuple(Page(one.get(timeout=READ_S).offset, total, size) for total, size, one in sent)
        return known._replace(patches=known.patches + made, patched=known.patched + sum(size for _, size, _ in sent))

    def _write_pages(self, producer: Any, name: str, known: _Known, snapshot: bytes | Pieces) -> _Known:
        """Send the pages that differ from those that are there, and take back what is no longer needed."""
        old, sums, sent = known.pages, list[str](), dict[int, Any]()
        for i, part in enumerate(cut(snapshot, PAGE_BYTES)):
            sums.append(checksum(part))
            if i >= len(old) or old[i].sum != sums[i]:
                sent[i] = producer.send(self._topic, part, key=f"{name}/page/{i}".encode(), partition=known.to)
        gone = [f"{name}/page/{i}" for i in range(len(sums), len(old))]
        gone += [f"{name}/patch/{i}" for i in range(len(known.patches))]
        for key in gone:  # tombstones
            producer.send(self._topic, None, key=key.encode(), partition=known.to)
        # No flush: once one page is refused, the client keeps the others, and a flush would wait for them to its time-out.
        pages = tuple(
            Page(sent[i].get(timeout=READ_S).offset, one) if i in sent else old[i] for i, one in enumerate(sums)
        )
        return _Known(known.to, pages)
