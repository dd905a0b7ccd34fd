"""What one key has of its own, as bytes: versioned, with a checksum, and for a model alike alone.

``magic | layout | lengths | parts | BLAKE2b of all before``, little-endian. The layout is a digest of what decides how the parts lie: class,
sizes, settings and the names of the columns. Data, never code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

import numpy as np

from streamrnn.errors import ParameterError, StateError
from streamrnn.models._net import Net

__all__ = ["key_bytes", "key_parts", "layout_digest"]

MAGIC: Final = b"SRNNKEY\x01"
DIGEST: Final = 16
_HEAD: Final = len(MAGIC) + DIGEST + 8


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
    lengths = np.array([len(parts), *map(len, parts)], "<i8").tobytes()
    body = b"".join([MAGIC, layout, lengths, *parts])
    return body + hashlib.blake2b(body, digest_size=DIGEST).digest()


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
    data = bytes(data)
    if data[: len(MAGIC) - 1] != MAGIC[:-1]:
        raise StateError("These bytes are no state of a key.")
    if data[len(MAGIC) - 1 : len(MAGIC)] != MAGIC[-1:]:
        raise StateError(f"The key's state has another format than {MAGIC[-1]}, which this version reads.")
    body, check = data[:-DIGEST], data[-DIGEST:]
    if len(data) < _HEAD + DIGEST or hashlib.blake2b(body, digest_size=DIGEST).digest() != check:
        raise StateError("The key's state is damaged: its checksum does not match.")
    if data[len(MAGIC) : len(MAGIC) + DIGEST] != layout:
        raise StateError(
            "The key's state was written by a model of another class, with other columns, or with other parameters."
        )
    n = int.from_bytes(data[_HEAD - 8 : _HEAD], "little")
    start = _HEAD + 8 * n
    lengths = np.frombuffer(data, "<i8", n, _HEAD).tolist() if n <= (len(body) - _HEAD) // 8 else [-1]
    if min(lengths, default=0) < 0 or start + sum(lengths) != len(body):
        raise StateError("The key's state does not fit its length.")
    ends = np.cumsum([start, *lengths]).tolist()
    return [body[a:b] for a, b in pairwise(ends)]
