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
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

from streamrnn.errors import StateError
from streamrnn.pieces import Pieces

__all__ = ["MAGIC", "VERSION", "pack", "pack_pieces", "unpack"]

Blob = bytes | Pieces
"""Bytes that belong together."""

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
    return bytes(pack_pieces(manifest, blobs))


def pack_pieces(manifest: Mapping[str, Any], blobs: Sequence[Blob]) -> Pieces:
    """Return the same in pieces: no copy of all blobs is made, and of one in pieces none at all.

    Parameters
    ----------
    manifest
        As for :func:`pack`.
    blobs
        In one piece or several.

    Examples
    --------
    >>> from streamrnn.container import pack, pack_pieces
    >>> found = pack_pieces({"events": 3}, [b"ab"])
    >>> len(found), bytes(found) == pack({"events": 3}, [b"ab"])
    (90, True)
    """
    room = len(_manifest(manifest, [_LONGEST] * len(blobs)))  # so that what is behind lies where it lay before
    text = _manifest(manifest, [len(one) for one in blobs]).ljust(room)
    head = _HEADER.pack(MAGIC, VERSION, room) + text

    def make() -> Iterator[bytes | memoryview]:
        digest = hashlib.sha256(head)
        yield head
        for blob in blobs:
            for piece in (blob,) if isinstance(blob, bytes) else blob:
                digest.update(piece)
                yield piece
        yield digest.digest()

    return Pieces(len(head) + sum(map(len, blobs)) + _DIGEST, make)


def _manifest(manifest: Mapping[str, Any], lengths: Sequence[int]) -> bytes:
    return json.dumps({**manifest, "blobs": lengths}, separators=(",", ":"), allow_nan=False).encode()


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
    if hashlib.sha256(memoryview(data)[:-_DIGEST]).digest() != data[-_DIGEST:]:
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
