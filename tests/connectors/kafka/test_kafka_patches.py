"""What has changed between two snapshots, as records: applied in order they give the next one, whatever changed."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from streamrnn.errors import StateError
from streamrnn_kafka.patches import BLOCK, apply_patch, block_sums, patches_between
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


@pytest.mark.parametrize("most", [2 * BLOCK, 100_000, PAGE_BYTES])
def test_patches_in_order_are_the_next_snapshot(most: int) -> None:
    """Longer ones and shorter ones too; no record is longer than it may be, and few bytes that have not changed are in them."""
    held: bytearray | None = None
    for then, now in zip((chain := snapshots(np.random.default_rng(1), 12))[:-1], chain[1:], strict=True):
        held = bytearray(then) if held is None else held
        patches = list(patches_between(block_sums(then), block_sums(now), now, most))
        for one in patches:
            apply_patch(held, one, sum(map(len, patches)))

        assert held == now
        assert max(map(len, patches)) <= most
        assert sum(map(len, patches)) < 20 * 6 * BLOCK


@pytest.mark.parametrize("cut", [0, 7, 9, 30, -1])
def test_what_is_no_patch_is_refused(cut: int) -> None:
    """Cut short, or of a place that there is not."""
    then, now = bytes(5000), bytes(2000) + b"!" * 2000
    [patch] = patches_between(block_sums(then), block_sums(now), now, PAGE_BYTES)

    with pytest.raises(StateError):
        apply_patch(bytearray(then), patch[:cut], 9999)
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
        writer.write(topic, "in/0", i, one, 1)
        pages = sorted((key for key in topic.kept if "/page/" in key), key=lambda key: int(key.rpartition("/")[2]))
        held = bytearray().join(topic.kept[key] for key in pages)
        for j in range(sum("/patch/" in key for key in topic.kept)):
            apply_patch(held, topic.kept[f"in/0/patch/{j}"], len(one))

        assert held == one
        assert sum(map(len, topic.kept.values())) < 1.6 * len(one)
    assert topic.sent < 12 * len(chain[0])
