"""What every pair of source and sink must do: the checks that the library's own connectors are held to."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

from streamrnn.errors import StateError
from streamrnn.io import AttachedSink, Block, Position, Sink, Source

__all__ = [
    "ConnectorRig",
    "check_dead_letters",
    "check_foreign_position",
    "check_order",
    "check_positions",
    "check_resume",
    "connector_checks",
]

WAIT_S = 30.0
"""How long a record that was written may take to arrive: a consumer group may have to settle first."""


class ConnectorRig(Protocol):
    """What the author of a connector brings: an input with one partition and an output of one's own, empty at first.

    Examples
    --------
    >>> from streamrnn.testing import ConnectorRig
    >>> sorted(name for name in vars(ConnectorRig) if not name.startswith("_"))
    ['dead_letters', 'outputs', 'sink', 'source', 'write']
    """

    def write(self, values: list[float | None]) -> None:
        """Append one record for each value, of the feature ``a``; None stands for a record that is no event."""
        ...

    def source(self) -> Source:
        """Return a new source of that input, which begins at its start."""
        ...

    def sink(self) -> Sink:
        """Return a new sink to the output, which keeps state."""
        ...

    def outputs(self) -> list[bytes]:
        """Return what a reader of the output sees."""
        ...

    def dead_letters(self) -> int:
        """Return how many dead letters a reader of them sees."""
        ...


def _expect(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise AssertionError(f"{what}. Expected {expected!r}, got {found!r}.")


def _read(source: Source, events: int, size: int, start: Position | None = None) -> list[Block]:
    """Return blocks that hold ``events`` events and dead letters together."""
    blocks: list[Block] = []
    count, end, placed = 0, time.monotonic() + WAIT_S, start is None
    while count < events:
        poll = source.poll(size, 0.2)
        if poll.assigned and start is not None:
            source.seek(poll.assigned[0], start)
            placed = True
            continue
        if time.monotonic() > end or (poll.ended and not poll.blocks):
            raise AssertionError(f"{count} of {events} records came, placed: {placed}.")
        for block in poll.blocks:
            if len(block) > size:
                raise AssertionError(f"poll({size}) gave {len(block)} events at once.")
            blocks.append(block)
            count += len(block) + len(block.dead_letters)
    return blocks


def _events(blocks: list[Block]) -> list[tuple[Position, float]]:
    return [(one.position, one.x["a"]) for block in blocks for one in block.events()]


def check_order(rig: ConnectorRig) -> None:
    """Every event comes once, in order, bit for bit, however many are asked for at once; and again the same."""
    values = [0.1 * i for i in range(40)]
    rig.write([*values])
    seen = []
    for size in (1, 7, 1000):
        with rig.source() as source:
            seen.append(_events(_read(source, len(values), size)))
    _expect([value for _, value in seen[0]], values, "The events differ from what was written")
    _expect(seen[1:], seen[:1] * 2, "Other block sizes give other events")
    _expect(len({position for position, _ in seen[0]}), len(values), "Positions are not different from each other")


def check_positions(rig: ConnectorRig) -> None:
    """From any position, after a trip through JSON, reading goes on with that very event."""
    rig.write([float(i) for i in range(12)])
    with rig.source() as source:
        blocks = _read(source, 12, 5)
    events = _events(blocks)
    for i in (0, 5, 11):
        with rig.source() as source:
            found = _events(_read(source, 12 - i, 3, json.loads(json.dumps(events[i][0]))))
        _expect(found, events[i:], f"Reading from position {events[i][0]!r}")
    behind = blocks[0].next_position
    with rig.source() as source:
        found = _events(_read(source, 12 - len(blocks[0]), 100, behind))
    _expect(found, events[len(blocks[0]) :], f"Reading from next_position {behind!r}")


def check_dead_letters(rig: ConnectorRig) -> None:
    """A record that is no event is a dead letter with a reason, and takes nothing of its neighbours with it."""
    rig.write([1.0, None, 2.0, None, None, 3.0])
    with rig.source() as source:
        blocks = _read(source, 6, 100)
    letters = [letter for block in blocks for letter in block.dead_letters]
    _expect([value for _, value in _events(blocks)], [1.0, 2.0, 3.0], "The neighbours of bad records")
    _expect(len(letters), 3, "The number of dead letters")
    _expect([letter.reason.endswith(".") for letter in letters], [True] * 3, "A reason is a sentence")


def check_foreign_position(rig: ConnectorRig) -> None:
    """A position that is none of this input is refused."""
    rig.write([1.0])
    with rig.source() as source:
        [block] = _read(source, 1, 1)
        try:
            source.seek(block.partition, "certainly:none:of:ours")
        except StateError:
            return
    raise AssertionError("seek() took a position that is none.")


def _run(rig: ConnectorRig, records: int, size: int, crash_after: int | None = None) -> None:
    """Sum the events up, with snapshots; stop after ``records`` records in all, or crash after so many commits."""
    source, sink = rig.source(), rig.sink()
    if isinstance(sink, AttachedSink):
        sink.attach(source)
    total, count, commits = 0.0, 0, 0
    end = time.monotonic() + WAIT_S
    with source, sink:
        while count < records:
            if time.monotonic() > end:
                raise AssertionError(f"{count} of {records} records came.")
            poll = source.poll(size, 0.2)
            for name in poll.assigned:
                restored = sink.restore(name)
                if restored is not None:
                    if restored.snapshot is None or restored.snapshot_position is None:
                        raise AssertionError("The snapshot of the last commit is gone.")
                    total, count = json.loads(restored.snapshot)
                    _expect(dict(restored.extra), {"count": count}, "What the last commit kept beside the snapshot")
                    source.seek(name, restored.snapshot_position)
            for block in poll.blocks:
                sums = []
                for one in block.events():
                    total += one.x["a"]
                    sums.append(json.dumps(total).encode())
                count += len(block) + len(block.dead_letters)
                state = {block.partition: json.dumps([total, count]).encode()}
                extra = {block.partition: {"count": count}}
                sink.commit(sums, block.dead_letters, {block.partition: block.next_position}, state, extra, [block])
                commits += 1
                if commits == crash_after:
                    return


def check_resume(rig: ConnectorRig) -> None:
    """Stopped after any commit and started again, the output is that of one pass, and no dead letter comes twice."""
    values = [None if i % 9 == 4 else 0.1 * i for i in range(60)]
    rig.write([*values])
    for _ in range(4):
        _run(rig, len(values), 11, crash_after=1)
    _run(rig, len(values), 11)
    expected, total = [], 0.0
    for value in values:
        if value is not None:
            total += value
            expected.append(json.dumps(total).encode())
    _expect(rig.outputs(), expected, "The output after five runs")
    _expect(rig.dead_letters(), values.count(None), "The number of dead letters after five runs")


CHECKS: dict[str, Callable[[ConnectorRig], None]] = {
    "order": check_order,
    "positions": check_positions,
    "dead letters": check_dead_letters,
    "foreign position": check_foreign_position,
    "resume": check_resume,
}


def connector_checks(make: Callable[[], ConnectorRig]) -> list[tuple[str, Callable[[], None]]]:
    """Return the checks of a pair of source and sink, by name.

    Parameters
    ----------
    make
        Returns a new rig: an empty input and an empty output.

    Examples
    --------
    >>> from streamrnn.testing.connectors import connector_checks
    >>> [name for name, _ in connector_checks(lambda: None)]
    ['order', 'positions', 'dead letters', 'foreign position', 'resume']
    """

    def run(check: Callable[[ConnectorRig], None]) -> None:
        check(make())

    return [(name, partial(run, check)) for name, check in CHECKS.items()]
