"""What the tests of the files connector share: read a source to its end, and compare what came."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streamrnn.io import DeadLetter, Position
from streamrnn_files import FileSource


@dataclass
class Got:
    """Everything a source gave, block borders forgotten."""

    names: tuple[str, ...] = ()
    rows: list[bytes] = field(default_factory=list)  # bytes of each row: NaN equals NaN, bit for bit
    values: list[list[float]] = field(default_factory=list)
    positions: list[Position] = field(default_factory=list)
    times: list[Any] = field(default_factory=list)
    keys: list[Any] = field(default_factory=list)
    raws: list[bytes] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    ends: list[Position] = field(default_factory=list)  # next_position of each block
    ended: bool = False

    def events(self) -> list[tuple[Any, ...]]:
        times = self.times or [None] * len(self.rows)
        keys = self.keys or [None] * len(self.rows)
        return list(zip(self.positions, self.rows, times, keys, strict=True))

    def reasons(self) -> list[str]:
        return [letter.reason for letter in self.dead]


def take(source: FileSource, got: Got, *, size: int = 1000, polls: int | None = None, wait: float = 0.0) -> Got:
    """Poll until the source ends, or ``polls`` times."""
    done = 0
    while polls is None or done < polls:
        poll = source.poll(size, wait)
        done += 1
        for block in poll.blocks:
            assert len(block.values) == len(block.positions) <= size
            got.names = block.names
            got.rows += [row.tobytes() for row in block.values]
            got.values += block.values.tolist()
            got.positions += block.positions
            got.times += block.times or []
            got.keys += block.keys or []
            got.raws += block.raws
            got.dead += block.dead_letters
            got.ends.append(block.next_position)
        if poll.ended:
            got.ended = True
            break
    return got


def read_all(path: Path | str, *, size: int = 1000, seek: Position | None = None, **options: Any) -> Got:
    """Read a file to its end."""
    with FileSource.from_path(path, **options) as source:
        if seek is not None:
            source.seek("0", seek)
        return take(source, Got(), size=size, wait=5.0)


def read_text(folder: Path, text: str | bytes, name: str = "in.csv", **options: Any) -> Got:
    """Write a file and read it to its end."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_all(path, **options)


def wait_for(source: FileSource, got: Got, events: int, limit_s: float = 10.0) -> Got:
    """Poll a followed file until ``events`` events have come in all."""
    end = time.monotonic() + limit_s
    while len(got.rows) < events and time.monotonic() < end:
        take(source, got, polls=1, wait=0.02)
    return got
