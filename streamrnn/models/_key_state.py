"""What one key has of its own, as bytes: versioned, with a checksum, and for a model alike alone.

``magic | layout | lengths | parts | the CRC-32 of all before``, little-endian. The layout is a digest of what decides how the parts lie: class,
sizes, settings and the names of the columns. Data, never code.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Any, Final

from streamrnn.errors import ParameterError, StateError
from streamrnn.models._net import Net

__all__ = ["key_bytes", "key_parts", "layout_digest"]

MAGIC: Final = b"SRNNKEY\x03"
DIGEST: Final = 16
_HEAD: Final = len(MAGIC) + DIGEST + 8
_COUNT: Final = struct.Struct("<q")
_SUM: Final = struct.Struct("<I")


def layout_digest(owner: str, nets: Sequence[Net], said: Sequence[Any]) -> bytes:
    """Return what a key's state of a model is known by.

    Parameters
    ----------
    owner
        Name of the class.
    nets
        Of the model.
    said
        What else decides it: names of columns and targets, settings.
    """
    sizes = [replace(net.sizes, areas=1) for net in nets]
    return hashlib.blake2b(repr((owner, sizes, list(said))).encode(errors="replace"), digest_size=DIGEST).digest()


def key_bytes(layout: bytes, parts: Sequence[bytes]) -> bytes:
    """Return a key's state.

    Parameters
    ----------
    layout
        From :func:`layout_digest`.
    parts
        What the key has in each place.
    """
    head = struct.pack(f"<{1 + len(parts)}q", len(parts), *map(len, parts))
    body = b"".join([MAGIC, layout, head, *parts])
    return body + _SUM.pack(zlib.crc32(body))


def key_parts(data: Any, layout: bytes) -> list[bytes]:
    """Return the parts of a key's state.

    Parameters
    ----------
    data
        From :func:`key_bytes`.
    layout
        Of the model that it is for.

    Raises
    ------
    ParameterError
        When it is no bytes.
    StateError
        When it is damaged, of another version, or of a model that is not alike.
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise ParameterError(f"A key's state must be bytes. Got {type(data).__name__} instead.")
    data = data if type(data) is bytes else bytes(data)
    if not data.startswith(MAGIC):
        if not data.startswith(MAGIC[:-1]):
            raise StateError("These bytes are no state of a key.")
        raise StateError(f"The key's state has another format than {MAGIC[-1]}, which this version reads.")
    view = memoryview(data)
    end = len(data) - _SUM.size
    if end < _HEAD or zlib.crc32(view[:end]) != _SUM.unpack_from(data, end)[0]:
        raise StateError("The key's state is damaged: its checksum does not match.")
    if data[len(MAGIC) : len(MAGIC) + DIGEST] != layout:
        raise StateError(
            "The key's state was written by a model of another class, with other columns, or with other parameters."
        )
    [n] = _COUNT.unpack_from(data, _HEAD - 8)
    lengths = struct.unpack_from(f"<{n}q", data, _HEAD) if 0 <= n <= (end - _HEAD) // 8 else (-1,)
    if min(lengths, default=0) < 0 or _HEAD + 8 * n + sum(lengths) != end:
        raise StateError("The key's state does not fit its length.")
    return [data[first:last] for first, last in pairwise(accumulate(lengths, initial=_HEAD + 8 * n))]
