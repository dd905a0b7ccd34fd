"""The bytes of a snapshot."""

from __future__ import annotations

import hashlib
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrnn.container import MAGIC, VERSION, pack, pack_pieces, unpack
from streamrnn.errors import StateError
from streamrnn.pieces import Pieces, in_pieces

SAMPLE = pack({"events": 12, "keys": ["a", None]}, [b"weights" * 9, b"", b"\0" * 16])


@given(
    st.dictionaries(st.sampled_from("abc"), st.integers() | st.sampled_from(["", "\xe9", "a"])), st.lists(st.binary())
)
def test_round_trip(manifest: dict[str, object], blobs: list[bytes]) -> None:
    """What is packed comes back."""
    assert unpack(pack(manifest, blobs)) == (manifest, blobs)


def test_every_flipped_bit() -> None:
    """No bit can be flipped unnoticed."""
    for bit in range(8 * len(SAMPLE)):
        damaged = bytearray(SAMPLE)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(StateError):
            unpack(bytes(damaged))


def test_every_truncation() -> None:
    """No byte can be cut off, or added, unnoticed."""
    for length in range(len(SAMPLE)):
        with pytest.raises(StateError):
            unpack(SAMPLE[:length])
    with pytest.raises(StateError):
        unpack(SAMPLE + b"\0")


def forged(manifest: object, blobs: bytes = b"") -> bytes:
    """A container whose checksum is right and whose content is hostile."""
    text = json.dumps(manifest).encode()
    body = MAGIC + VERSION.to_bytes(4, "little") + len(text).to_bytes(8, "little") + text + blobs
    return body + hashlib.sha256(body).digest()


@pytest.mark.parametrize(
    "manifest",
    [
        [],
        3,
        {},
        {"blobs": 3},
        {"blobs": [-1, 1]},
        {"blobs": [1e9]},
        {"blobs": [10**30]},
        {"blobs": ["x"]},
        {"blobs": [True]},
    ],
)
def test_hostile(manifest: object) -> None:
    """A hostile snapshot with a right checksum is an error of state."""
    with pytest.raises(StateError):
        unpack(forged(manifest))


def test_noise() -> None:
    """Noise with the right beginning is an error of state."""
    drawn = random.Random(1)
    for _ in range(300):
        with pytest.raises(StateError):
            unpack(MAGIC + drawn.randbytes(drawn.randrange(200)))


def test_blobs_in_pieces():
    """They give the bytes that they give in one piece, as often as they are asked for."""
    blobs = [bytes([i]) * (100 + i) for i in range(40)]

    found = pack_pieces({"events": 3}, [Pieces(len(one), lambda one=one: (one[:7], b"", one[7:])) for one in blobs])

    assert [bytes(found) for _ in range(2)] == [pack({"events": 3}, blobs)] * 2
    assert len(found) == len(bytes(found))
    assert unpack(bytes(found)) == ({"events": 3}, blobs)


def test_pieces_are_as_long_as_they_say():
    """Whoever says another length than there is, is told so; and whoever asks once they are gone."""
    with pytest.raises(ValueError, match="2 bytes of 7 are missing"):
        bytes(Pieces(7, lambda: (b"weigh",)))
    lent = in_pieces(b"weights")
    lent.close()
    with pytest.raises(ValueError, match="has gone on"):
        bytes(lent)
