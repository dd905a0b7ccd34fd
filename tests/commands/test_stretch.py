"""A part of an input, and where in a run's results a snapshot stands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from streamrnn.commands.verify import Stretch, _go_to, _Written
from streamrnn.engine.shard import Shard
from streamrnn.errors import StateError
from streamrnn.io import Block, Position, StoredSnapshot
from streamrnn_files import FileSource
from tests.engine.memory import MemorySource
from tests.engine.test_loop import ALARM, KIND


def stretch(path: Path, end: Position | None) -> tuple[list[Position], list[Position]]:
    """Where the events and the dead letters of a part of an input lie."""
    events: list[Position] = []
    letters: list[Position] = []
    with Stretch(FileSource.from_path(path).reread(), "0", None, end) as source:
        ended = False
        while not ended:
            poll = source.poll(100, 0.1)
            ended = poll.ended
            for block in poll.blocks:
                events += block.positions
                letters += [one.position for one in block.dead_letters]
    return events, letters


def test_a_part_ends_with_its_dead_letters(tmp_path: Path) -> None:
    """What lies at the end that was asked for, or behind it, is left out: events and dead letters alike."""
    path = tmp_path / "in.csv"
    path.write_text("a\n" + "".join(f"{i}\nbroken{i}\n" for i in range(5)))
    events, letters = stretch(path, None)

    assert (len(events), len(letters)) == (5, 5)
    for n in range(5):
        assert stretch(path, events[n]) == (events[:n], letters[:n])
        assert stretch(path, letters[n]) == (events[: n + 1], letters[:n])


def test_behind_a_snapshot_stand_the_results_that_were_written() -> None:
    """Of the events that a snapshot has seen those whose results the sink could not take have left none to pass over."""
    seen = Shard(KIND, ALARM)
    seen.score(Block(("a", "b"), np.ones((10, 2)), range(0, 100, 10), 100))
    seen.unwritten = 3
    stored = StoredSnapshot("0", "0-1", 100, bytes(seen.snapshot()))
    written = _Written(iter([("0", b"%d" % i) for i in range(8)]))

    _go_to(stored, Shard(KIND, ALARM), MemorySource(20), written, imported=False)

    assert written.next("0") == b"7"
    with pytest.raises(StateError, match="The output ends before the snapshot '0-1', which has seen 10 events"):
        _go_to(stored, Shard(KIND, ALARM), MemorySource(20), _Written(iter([("0", b"0")])), imported=False)
