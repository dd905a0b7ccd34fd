"""What has changed between two snapshots, as records: applied in order they give the next one, whatever changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from streamrnn.errors import StateError
from streamrnn.io import Pieces
from streamrnn_kafka.patches import BLOCK, apply_patch, cut, patches, records_for, stretches, sums_of
from streamrnn_kafka.state import PAGE_BYTES, StateWriter


def snapshots(drawn: np.random.Generator, n: int) -> Sequence[bytes]:
    """Return snapshots of changing length, of which some bytes differ from the one before."""
    found = [drawn.bytes(3_000_000)]
    for i in range(n):
        held = bytearray(found[-1])
        for place in drawn.integers(len(held) - 5000, size=20).tolist():
            held[place : place + 3000] = drawn.bytes(3000)
        if i % 3 == 1:
            held += drawn.bytes(int(drawn.integers(4000)))
        if i % 5 == 4:
            del held[-int(drawn.integers(3000)) :]
        found.append(bytes(held))
    return found


def in_any_pieces(data: bytes, seed: int) -> Pieces:
    """Return bytes in pieces of any lengths, some of them empty; they are overwritten once the next one is asked for."""

    def make() -> Iterator[bytearray]:
        drawn, at = np.random.default_rng(seed), 0
        while at < len(data):
            piece = bytearray(data[at : at + int(drawn.integers(400_000) * drawn.integers(2))])
            at += len(piece)
            yield piece
            piece[:] = bytes(len(piece))

    return Pieces(len(data), make)


def patches_between(then: bytes, now: bytes | Pieces, most: int) -> list[bytes]:
    """Return the records that turn one snapshot into the next one."""
    return list(patches(stretches(sums_of(then), sums_of(now), len(now)), now, most))


@pytest.mark.parametrize("size", [1, 1000, BLOCK, 300_001])
def test_cut(size: int) -> None:
    """Whatever pieces a snapshot comes in, it is cut at the same places, and its sums are those of one piece."""
    data = np.random.default_rng(3).bytes(50_000 if size == 1 else 2_000_000)
    pieces = in_any_pieces(data, 1)

    assert list(cut(pieces, size)) == [data[i : i + size] for i in range(0, len(data), size)]
    assert sums_of(pieces).tobytes() == sums_of(data).tobytes()


@pytest.mark.parametrize("most", [2 * BLOCK, 100_000, PAGE_BYTES])
def test_patches_in_order_are_the_next_snapshot(most: int) -> None:
    """Longer ones and shorter ones too; no record is longer than it may be, and few bytes that have not changed are in them."""
    held: bytearray | None = None
    for then, now in zip((chain := snapshots(np.random.default_rng(1), 12))[:-1], chain[1:], strict=True):
        held = bytearray(then) if held is None else held
        found = patches_between(then, now, most)
        for one in found:
            apply_patch(held, one, sum(map(len, found)))

        assert held == now
        assert found == patches_between(then, in_any_pieces(now, 2), most)
        assert max(map(len, found)) <= most
        assert sum(map(len, found)) < 20 * 6 * BLOCK
        records, size = records_for(stretches(sums_of(then), sums_of(now), len(now)), most)
        assert records >= len(found)
        assert size >= sum(map(len, found))


@pytest.mark.parametrize("until", [0, 7, 9, 30, -1])
def test_what_is_no_patch_is_refused(until: int) -> None:
    """Cut short, or of a place that there is not."""
    then, now = bytes(5000), bytes(2000) + b"!" * 2000
    [patch] = patches_between(then, now, PAGE_BYTES)

    with pytest.raises(StateError):
        apply_patch(bytearray(then), patch[:until], 9999)
    with pytest.raises(StateError):
        apply_patch(bytearray(then), patch[:8] + b"\xff" * 16 + patch[24:], 9999)


class Topic:
    """What a producer and a topic of one partition keep: the newest record of each key."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.sent = 0
        self.offset = 0

    def send(self, topic: str, value: bytes | None, *, key: bytes, partition: int) -> Any:
        del topic, partition
        self.offset += 1
        self.kept.pop(key.decode(), None)
        if value is not None:
            self.kept[key.decode()] = value
            self.sent += len(value)
        return SimpleNamespace(get=lambda timeout: SimpleNamespace(offset=self.offset))

    def flush(self) -> None:
        """Everything is there already."""


def test_a_topic_keeps_what_the_newest_manifest_names() -> None:
    """Compacted to the newest record of each key it gives each snapshot, and what it keeps is no longer than one and a half of them."""
    topic, writer, chain = Topic(), StateWriter("state", 1), snapshots(np.random.default_rng(2), 60)
    for i, one in enumerate(chain):
        writer.write(topic, "in/0", i, in_any_pieces(one, i), 1)
        pages = sorted((key for key in topic.kept if "/page/" in key), key=lambda key: int(key.rpartition("/")[2]))
        held = bytearray().join(topic.kept[key] for key in pages)
        for j in range(sum("/patch/" in key for key in topic.kept)):
            apply_patch(held, topic.kept[f"in/0/patch/{j}"], len(one))

        assert held == one
        assert sum(map(len, topic.kept.values())) < 1.6 * len(one)
    assert topic.sent < 12 * len(chain[0])


@pytest.mark.parametrize(("length", "expected"), [(5000, []), (4 * BLOCK, [(4 * BLOCK, 4 * BLOCK)]), (0, [(0, 0)])])
def test_what_has_only_become_shorter_is_written(length, expected):
    """A snapshot that ends where a block of the one before ended has no block that differs; one that has not changed is not written."""
    one, other = bytes(5000), bytes(length)
    differing = stretches(sums_of(one), sums_of(other), length)
    assert differing == expected
    held = bytearray(one)
    for patch in patches(differing, other, 4096) if differing else ():
        apply_patch(held, patch, len(patch))
    assert held == other
