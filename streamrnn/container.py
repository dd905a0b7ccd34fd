"""The bytes of a snapshot: a header, a JSON manifest, raw blobs, a checksum. Data, never code.

Layout, little-endian::

    8 bytes   magic  b"SRNNSTAT"
    4 bytes   version (2)
    8 bytes   length of the manifest
    ...       manifest: JSON object, spaces behind; its "blobs" holds the length of each blob
    ...       the blobs, one after the other
    32 bytes  SHA-256 of everything before
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

from streamrnn.errors import StateError

__all__ = ["MAGIC", "VERSION", "pack", "pack_into", "unpack"]

Blob = bytes | tuple[bytes | bytearray, ...]
"""Bytes that belong together: in one piece, or in parts."""

MAGIC = b"SRNNSTAT"
VERSION = 2
_HEADER = struct.Struct("<8sIQ")
_DIGEST = 32
DEEPEST = 50
"""Levels of a manifest; ours have four, and who shows one must not run out of stack."""

_LONGEST = 10**12  # bytes of a blob


def pack(manifest: Mapping[str, Any], blobs: Sequence[bytes]) -> bytes:
    """Return manifest and blobs as one checked piece.

    Parameters
    ----------
    manifest
        What the blobs are, as JSON can hold it.
    blobs
        The bytes that belong to it, in order; any of them may be empty.

    Examples
    --------
    >>> from streamrnn.container import pack, unpack
    >>> unpack(pack({"events": 3}, [b"ab", b""]))
    ({'events': 3}, [b'ab', b''])
    """
    return bytes(pack_into(bytearray(), manifest, blobs, len(blobs)))


def pack_into(buffer: bytearray, manifest: Mapping[str, Any], blobs: Iterable[Blob], count: int) -> memoryview:
    """Write the same into ``buffer``, which grows where it must and never shrinks, and return what was written.

    The blobs are taken one at a time, so that beside the buffer only one of them is in memory: with a buffer that is used
    again, snapshots do not make a process grow.

    Parameters
    ----------
    buffer
        What was written into it before is lost.
    manifest
        An object of JSON.
    blobs
        Taken one at a time; one may be in parts.
    count
        How many there are.

    Examples
    --------
    >>> from streamrnn.container import pack, pack_into
    >>> pack_into(bytearray(), {"events": 3}, iter([b"ab"]), 1) == pack({"events": 3}, [b"ab"])
    True
    """
    # Their lengths come first and are known last: room is left for the longest, and filled up with spaces.
    room = len(_manifest(manifest, [_LONGEST] * count))
    end, lengths = _HEADER.size + room, []
    for blob in blobs:
        start = end
        for part in (blob,) if isinstance(blob, bytes) else blob:
            _write(buffer, end, part)
            end += len(part)
        lengths.append(end - start)
    text = _manifest(manifest, lengths).ljust(room)
    _write(buffer, 0, _HEADER.pack(MAGIC, VERSION, room) + text)
    _write(buffer, end, hashlib.sha256(memoryview(buffer)[:end]).digest())
    return memoryview(buffer)[: end + _DIGEST]


def _manifest(manifest: Mapping[str, Any], lengths: Sequence[int]) -> bytes:
    return json.dumps({**manifest, "blobs": lengths}, separators=(",", ":"), allow_nan=False).encode()


def _write(buffer: bytearray, at: int, data: bytes | bytearray) -> None:
    """Write over a stretch of the buffer; make it longer, by an eighth at least, where that does not fit."""
    lacking = at + len(data) - len(buffer)
    if lacking > 0:
        buffer.extend(bytes(max(lacking, len(buffer) // 8)))
    buffer[at : at + len(data)] = data


def unpack(data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """Return manifest and blobs, or raise where any byte is not as it was written.

    Parameters
    ----------
    data
        What :func:`pack` returned, whole.

    Raises
    ------
    StateError
        When the data is no snapshot, of a newer version, cut short or damaged.

    Examples
    --------
    >>> from streamrnn.container import pack, unpack
    >>> unpack(pack({}, [b"weights"])[:-1])
    Traceback (most recent call last):
    ...
    streamrnn.errors.StateError: The snapshot is damaged: its checksum does not match its content (83 bytes).
    """
    if len(data) < _HEADER.size + _DIGEST or data[:8] != MAGIC:
        raise StateError(f"This is no snapshot of streamrnn: {len(data)} bytes starting with {bytes(data[:8])!r}.")
    _, version, length = _HEADER.unpack_from(data)
    if version != VERSION:
        raise StateError(f"The snapshot has format version {version}; this release reads version {VERSION}.")
    if hashlib.sha256(data[:-_DIGEST]).digest() != data[-_DIGEST:]:
        raise StateError(f"The snapshot is damaged: its checksum does not match its content ({len(data)} bytes).")
    start = _HEADER.size + length
    try:
        manifest = json.loads(data[_HEADER.size : start].decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise StateError(f"The snapshot's manifest cannot be read: {str(error)[:200].rstrip('.')}.") from error
    if not isinstance(manifest, dict) or not _is_plain(manifest, DEEPEST):
        raise StateError(
            f"The snapshot's manifest is no object, has more than {DEEPEST} levels, or texts that are none."
        )
    lengths = manifest.pop("blobs", None)
    if not isinstance(lengths, list) or any(type(n) is not int or n < 0 for n in lengths):
        raise StateError("The snapshot's manifest does not say how long its parts are.")
    ends = list(accumulate(lengths, initial=start))
    if ends[-1] != len(data) - _DIGEST:
        raise StateError("The snapshot's manifest does not fit its length.")
    return manifest, [data[begin:end] for begin, end in pairwise(ends)]


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _is_plain(node: Any, levels: int) -> bool:
    """Whether a manifest has no more than so many levels, and nothing but Unicode in its texts."""
    if isinstance(node, str):
        return node.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in node)
    if not isinstance(node, dict | list):
        return True
    inside = (*node, *node.values()) if isinstance(node, dict) else node
    return levels > 0 and all(_is_plain(one, levels - 1) for one in inside)
