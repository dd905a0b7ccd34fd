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

__all__ = ["BLOCK", "apply_patch", "block_sums", "patches_between"]

BLOCK = 1024
"""Bytes that are written where any of them has changed."""

_SUM = 16
_LENGTH, _STRETCH = struct.Struct("<q"), struct.Struct("<qq")


def block_sums(snapshot: bytes | memoryview) -> NDArray[np.uint64]:
    """Return what tells whether a block has changed, (blocks, 2).

    Parameters
    ----------
    snapshot
        All of it.
    """
    view = memoryview(snapshot)
    sums = [hashlib.blake2b(view[i : i + BLOCK], digest_size=_SUM).digest() for i in range(0, len(view), BLOCK)]
    return np.frombuffer(b"".join(sums), "<u8").reshape(-1, 2)


def _stretches(then: NDArray[np.uint64], now: NDArray[np.uint64]) -> Iterator[tuple[int, int]]:
    """Yield the blocks that differ, as first one and one behind the last."""
    differs = np.ones(len(now), bool)
    both = min(len(then), len(now))
    differs[:both] = (then[:both] != now[:both]).any(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], differs, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def patches_between(
    then: NDArray[np.uint64], now: NDArray[np.uint64], snapshot: bytes | memoryview, most: int
) -> Iterator[bytes]:
    """Yield the records that turn a snapshot into the next one.

    Parameters
    ----------
    then, now
        From :func:`block_sums`, (blocks, 2): of the one, and of the next.
    snapshot
        The next one.
    most
        Bytes of a record.

    Examples
    --------
    >>> from streamrnn_kafka.patches import apply_patch, block_sums, patches_between
    >>> one, other = bytes(5000), bytes(3000) + b"!" + bytes(1000)
    >>> [patch] = patches_between(block_sums(one), block_sums(other), other, 4096)
    >>> held = bytearray(one)
    >>> apply_patch(held, patch, len(patch))
    >>> held == other, len(patch)
    (True, 1977)
    """
    view, room = memoryview(snapshot), most - _LENGTH.size
    record: list[bytes | memoryview] = [_LENGTH.pack(len(view))]
    size = 0
    for first, last in _stretches(then, now):
        start, end = first * BLOCK, min(last * BLOCK, len(view))
        while start < end:
            if size + _STRETCH.size + BLOCK > room:
                yield b"".join(record)
                record, size = [record[0]], 0
            part = view[start : min(end, start + room - size - _STRETCH.size)]
            record += [_STRETCH.pack(start, len(part)), part]
            size += _STRETCH.size + len(part)
            start += len(part)
    if size or len(then) != len(now):
        yield b"".join(record)


def apply_patch(held: bytearray, patch: bytes, room: int) -> None:
    """Turn a snapshot into the next one, as far as a record says.

    Parameters
    ----------
    held
        The snapshot.
    patch
        From :func:`patches_between`.
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
