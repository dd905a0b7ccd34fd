"""A source and a sink in memory, for tests of the loop."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np

from streamrnn.io import Block, DeadLetter, Poll, Position, Restored


class MemorySource:
    """Events at positions 10, 20, ...; every ``bad``-th record is a dead letter; cut into blocks at will."""

    def __init__(
        self, n: int, *, keys: int = 0, bad: int = 0, cut: random.Random | None = None, text: bool = False
    ) -> None:
        drawn = np.random.default_rng(5)
        self.values = drawn.normal(size=(n, 2))
        self.values[drawn.random((n, 2)) < 0.05] = np.nan
        self.key = [f"k{i}" for i in drawn.integers(0, keys, n)] if keys else None
        self.bad = bad
        self.cut = cut
        self.text = text
        self.at = 0

    def _position(self, i: int) -> Position:
        return f"file:{10 * i}" if self.text else 10 * i

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def seek(self, partition: str, position: Position) -> None:
        self.at = int(str(position).removeprefix("file:")) // 10

    def poll(self, max_events: int, timeout_s: float) -> Poll:
        start = self.at
        size = self.cut.randint(1, max_events) if self.cut else max_events
        end = self.at = min(start + size, len(self.values))
        rows = [i for i in range(start, end) if not self.bad or i % self.bad != 3]
        good = set(rows)
        dead = [DeadLetter(self._position(i), "bad", line=i) for i in range(start, end) if i not in good]
        block = Block(
            names=("a", "b"),
            values=self.values[rows],
            positions=[self._position(i) for i in rows],
            next_position=self._position(end),
            keys=[self.key[i] for i in rows] if self.key else None,
            dead_letters=dead,
        )
        return Poll(blocks=[block] if end > start else [], ended=end == len(self.values))


class MemorySink:
    """Keeps all it was given, atomically; remembers between runs."""

    delivery = "exactly_once"
    keeps_state = True

    def __init__(self) -> None:
        self.outputs: list[bytes] = []
        self.dead: list[DeadLetter] = []
        self.positions: dict[str, Position] = {}
        self.snapshots: dict[str, tuple[bytes, Position]] = {}
        self.fail_after: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def restore(self, partition: str) -> Restored | None:
        if partition not in self.positions:
            return None
        snapshot, position = self.snapshots.get(partition, (None, None))
        return Restored(self.positions[partition], snapshot, position)

    def commit(
        self,
        outputs: Sequence[bytes],
        dead_letters: Sequence[DeadLetter],
        positions: Mapping[str, Position],
        snapshots: Mapping[str, bytes] | None = None,
        blocks: Sequence[Block] = (),
    ) -> None:
        if self.fail_after is not None:
            if self.fail_after == 0:
                raise ConnectionAbortedError("the machine is gone")
            self.fail_after -= 1
        self.outputs += outputs
        self.dead += dead_letters
        self.positions.update(positions)
        for name, data in (snapshots or {}).items():
            self.snapshots[name] = (bytes(data), positions[name])
