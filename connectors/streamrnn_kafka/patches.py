"""What differs between two snapshots, as records that a reader applies in order: a key that was touched costs its own bytes, not a page.

A record, little-endian: int64 length of the whole snapshot, then stretches: int64 place, int64 length, the bytes.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import StateError
from streamrnn.io import Pieces, in_pieces

__all__ = ["BLOCK", "apply_patch", "checksum", "cut", "patches", "records_for", "stretches", "sums_of"]

BLOCK = 768
"""Bytes that are written where any of them has changed: a key of a labelled model has 2 to 3 KB. 512 write a fifth less, and take half as long again to look at."""

CHECKSUM = 32
"""Hexadecimal digits of a checksum."""

_LENGTH, _STRETCH = struct.Struct("<q"), struct.Struct("<qq")


def cut(snapshot: bytes | Pieces, size: int) -> Iterator[bytes]:
    """Yield a snapshot in stretches of one length, the last of which may be shorter.

    Parameters
    ----------
    snapshot
        All of it.
    size
        Of a stretch, in bytes.

    Examples
    --------
    >>> from streamrnn_kafka.patches import cut
    >>> list(cut(b"weights", 3))
    [b'wei', b'ght', b's']
    """
    held = bytearray()
    for piece in in_pieces(snapshot):
        for at in range(0, len(piece), size):
            held += piece[at : at + size]
            if len(held) >= size:
                yield bytes(held[:size])
                del held[:size]
    if held:
        yield bytes(held)


def sums_of(snapshot: bytes | Pieces) -> NDArray[np.uint64]:
    """Return what tells whether a block has changed, (blocks, 2).

    Parameters
    ----------
    snapshot
        All of it.
    """
    found, sha256 = list[bytes](), hashlib.sha256
    for part in cut(snapshot, 512 * BLOCK):
        view = memoryview(part)
        found += [sha256(view[i : i + BLOCK]).digest() for i in range(0, len(view), BLOCK)]
    return np.frombuffer(b"".join(found), "<u8").reshape(-1, 4)[:, :2].copy()  # half of each is enough


def checksum(data: bytes | memoryview) -> str:
    """Return what a page, a manifest or a snapshot is held against when it is read.

    Parameters
    ----------
    data
        All of it.
    """
    return hashlib.sha256(data).hexdigest()[:CHECKSUM]


def stretches(then: NDArray[np.uint64], now: NDArray[np.uint64], length: int) -> list[tuple[int, int]]:
    """Return where a snapshot differs from the one before, from where to where, in bytes; blocks are written whole.

    Where it has only become shorter, an empty stretch at its end says so.

    Parameters
    ----------
    then, now
        From :func:`sums_of`, (blocks, 2): of the one before, and of this one.
    length
        Of this one, in bytes.
    """
    differs = np.ones(len(now), bool)
    both = min(len(then), len(now))
    differs[:both] = (then[:both] != now[:both]).any(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], differs, [False]]).astype(np.int8))) * BLOCK
    found = list(zip(edges[::2].tolist(), np.minimum(edges[1::2], length).tolist(), strict=True))
    return found or [(length, length)] * (len(then) > len(now))


def records_for(differing: list[tuple[int, int]], most: int) -> tuple[int, int]:
    """Return in how many records :func:`patches` yields so many stretches at most, and how many bytes these have at most.

    Parameters
    ----------
    differing
        From :func:`stretches`.
    most
        Bytes of a record.
    """
    size = sum(end - start + _STRETCH.size for start, end in differing)
    full = (
        most - _LENGTH.size - _STRETCH.size - BLOCK
    )  # each record but the last has more, and each may cut a stretch in two
    records = 1 + size // full
    return records, size + records * (_LENGTH.size + _STRETCH.size)


def patches(differing: list[tuple[int, int]], snapshot: bytes | Pieces, most: int) -> Iterator[bytes]:
    """Yield the records that turn a snapshot into the next one: one at least, since each says its length.

    Parameters
    ----------
    differing
        From :func:`stretches`.
    snapshot
        The next one.
    most
        Bytes of a record.

    Examples
    --------
    >>> from streamrnn_kafka.patches import apply_patch, patches, stretches, sums_of
    >>> one, other = bytes(5000), bytes(3000) + b"!" + bytes(1000)
    >>> differing = stretches(sums_of(one), sums_of(other), len(other))
    >>> [patch] = patches(differing, other, 4096)
    >>> held = bytearray(one)
    >>> apply_patch(held, patch, len(patch))
    >>> held == other, len(patch)
    (True, 969)
    """
    room = most - _LENGTH.size
    record, size = [_LENGTH.pack(len(snapshot))], 0
    forward = _Forward(snapshot)
    for begin, end in differing:
        start = begin
        while start < end:
            if size + _STRETCH.size + BLOCK > room:
                yield b"".join(record)
                record, size = [record[0]], 0
            part = forward.read(start, min(end - start, room - size - _STRETCH.size))
            record += [_STRETCH.pack(start, len(part)), part]
            size += _STRETCH.size + len(part)
            start += len(part)
    yield b"".join(record)


class _Forward:
    """Reads stretches of a snapshot, each behind the one before."""

    def __init__(self, snapshot: bytes | Pieces) -> None:
        self._parts = iter(in_pieces(snapshot))
        self._part = memoryview(b"")
        self._at = 0  # of the part

    def read(self, start: int, n: int) -> bytes:
        found = []
        while n:
            while start >= self._at + len(self._part):
                self._at += len(self._part)
                self._part = next(self._parts)
            place = start - self._at
            found.append(bytes(self._part[place : place + n]))
            start, n = start + len(found[-1]), n - len(found[-1])
        return b"".join(found)


def apply_patch(held: bytearray, patch: bytes, room: int) -> None:
    """Turn a snapshot into the next one, as far as a record says.

    Parameters
    ----------
    held
        The snapshot.
    patch
        From :func:`patches`.
    room
        Bytes by which it may grow: those of all records that belong together.

    Raises
    ------
    StateError
        When it is none.
    """
    wrong = StateError("A patch of a snapshot is none.")
    if len(patch) < _LENGTH.size:
        raise wrong
    (length,) = _LENGTH.unpack_from(patch)
    if not 0 <= length <= len(held) + room:
        raise wrong
    del held[length:]
    held.extend(bytes(length - len(held)))
    at = _LENGTH.size
    while at < len(patch):
        if at + _STRETCH.size > len(patch):
            raise wrong
        start, n = _STRETCH.unpack_from(patch, at)
        at += _STRETCH.size
        if n < 0 or start < 0 or at + n > len(patch) or start + n > length:
            raise wrong
        held[start : start + n] = patch[at : at + n]
        at += n
