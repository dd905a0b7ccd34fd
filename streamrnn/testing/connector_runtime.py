"""A small runtime for the checks of connectors, and accidents at each place of the code that a commit runs through.

For each partition it sums the feature ``a``: a result is the partition, the number of its event and the sum so far, a snapshot
the same. So results that are missing, come twice, or were computed from another state show.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import FrameType
from typing import Any

from streamrnn.errors import FullError
from streamrnn.io import Block, DeadLetter, Pieces, Position, Sink, SinkContext, Source, reached
from streamrnn.testing.connector_rig import WAIT_S, ConnectorRig, Record, expect, opened

__all__ = [
    "Place",
    "fail_at",
    "in_a_process",
    "judge",
    "kill_at",
    "lent",
    "letters_of",
    "places_of_a_commit",
    "results_of",
    "sum_up",
]

PIECE = 4099
"""Bytes of a piece of a snapshot at most."""

Place = tuple[str, int, str]
"""File, line, and whether a call, a line or a return."""

Around = Callable[[int, Sink, Callable[[], None]], None]
"""Makes a commit: its number in this run, the sink, and what commits."""


@dataclass(slots=True)
class _Sum:
    """Where a partition stands; ``target`` is what an earlier run has written up to, while that is read again."""

    name: str
    total: float = 0.0
    events: int = 0
    records: int = 0
    target: Position | None = None
    saved: bool = False

    def dumps(self) -> bytes:
        return json.dumps([self.name, self.total, self.events, self.records]).encode()

    def take(self, block: Block) -> tuple[Block | None, list[bytes]]:
        """Add a block up; return what is left of it behind ``target``, and the results of that."""
        lines = []
        for one in block.events():
            self.total += one.x["a"]
            lines.append(json.dumps([self.name, self.events, self.total]).encode())
            self.events += 1
        self.records += len(block) + len(block.dead_letters)
        target = self.target
        if target is None:
            return block, lines
        n = len(block)
        start = next((i for i, position in enumerate(block.positions) if reached(position, target)), n)
        if reached(block.next_position, target):
            self.target = None
        if self.target is not None or block.next_position == target:
            return None, []
        letters = tuple(one for one in block.dead_letters if reached(one.position, target))
        live = replace(
            block,
            values=block.values[start:],
            positions=block.positions[start:],
            keys=None if block.keys is None else block.keys[start:],
            times=None if block.times is None else block.times[start:],
            dead_letters=letters,
        )
        return live, lines[start:]


def results_of(partition: str, records: Sequence[Record | None]) -> list[bytes]:
    """Return what one uninterrupted run writes.

    Parameters
    ----------
    partition
        The name of the partition.
    records
        What was written to it.
    """
    total = 0.0
    found: list[bytes] = []
    for one in records:
        if one is not None:
            total += one.a
            found.append(json.dumps([partition, len(found), total]).encode())
    return found


def _simply(number: int, sink: Sink, commit: Callable[[], None]) -> None:
    del number, sink
    commit()


def _taken_up(name: str, source: Source, sink: Sink) -> tuple[_Sum, bool]:
    """Return where a partition stands, and whether the source was sent there."""
    restored = sink.restore(name)
    if restored is None:
        return _Sum(name), False
    if restored.snapshot is None or restored.snapshot_position is None:
        raise AssertionError(f"The snapshot of partition {name!r}, which an earlier commit had, is gone.")
    whose, total, events, records = json.loads(restored.snapshot)
    expect(whose, name, f"Whose snapshot restore({name!r}) returns")
    target = None if restored.snapshot_position == restored.position else restored.position
    source.seek(name, restored.snapshot_position)
    return _Sum(name, total, events, records, target, saved=True), True


def sum_up(
    rig: ConnectorRig,
    wanted: Mapping[str, int],
    *,
    commits: int | None = None,
    around: Around = _simply,
    size: int = 5,
    context: SinkContext | None = None,
) -> dict[str, int]:
    """Go on with the sums up to ``wanted`` records of each partition, or for so many commits.

    The first commit of a partition and every second one of a run bring a snapshot.

    Parameters
    ----------
    rig
        The connector under test, with its input filled.
    wanted
        Records by partition, counted from the input's start.
    commits
        Stop after so many. None: when all records are processed.
    around
        Called for each commit, with its number from 1, the sink, and what makes the commit.
    size
        Most events of one poll, >= 1.
    context
        What the sink is told about the run. None: nothing but defaults.

    Returns
    -------
    dict
        How many records of each partition have been dealt with, where this run has come to what it has not read again.

    Raises
    ------
    AssertionError
        When the records do not come in time, or the sink does not restore what an earlier run has left.
    """
    sums: dict[str, _Sum] = {}
    made, end = 0, time.monotonic() + WAIT_S
    with opened(rig, context) as (source, sink):
        while made != commits and any(name not in sums or sums[name].records < n for name, n in wanted.items()):
            if time.monotonic() > end:
                raise AssertionError(
                    f"Of {dict(wanted)} records { {one.name: one.records for one in sums.values()} } came."
                )
            poll = source.poll(size, 0.2)
            sent = set()
            for name in [*poll.assigned, *(one.partition for one in poll.blocks if one.partition not in sums)]:
                sums[name], sent_back = _taken_up(name, source, sink)
                sent |= {name} if sent_back else set()
            live: list[Block] = []
            lines: list[bytes] = []
            letters: list[DeadLetter] = []
            positions: dict[str, Position] = {}
            for block in poll.blocks:
                left, results = (None, []) if block.partition in sent else sums[block.partition].take(block)
                if left is not None:
                    live.append(left)
                    lines += results
                    letters += left.dead_letters
                    positions[left.partition] = left.next_position
            if not positions:
                continue
            made += 1
            kept = {name: sums[name].dumps() for name in positions if made % 2 == 0 or not sums[name].saved}
            end = time.monotonic() + WAIT_S
            with lent(kept) as views:
                around(made, sink, lambda: sink.commit(lines, letters, positions, views or None, live))  # noqa: B023
            for name in kept:
                sums[name].saved = True
    return {one.name: one.records for one in sums.values() if one.target is None}


@contextlib.contextmanager
def lent(kept: Mapping[str, bytes]) -> Iterator[dict[str, Pieces]]:
    """Give snapshots in pieces, each of which holds something else once the next one is asked for, and which are gone afterwards: as a runtime does.

    Parameters
    ----------
    kept
        By partition.
    """
    held = {name: Pieces(len(data), functools.partial(_passing, data)) for name, data in kept.items()}
    try:
        yield held
    finally:
        for one in held.values():
            one.close()


def _passing(data: bytes) -> Iterator[bytearray]:
    """Yield stretches of different lengths, none among them; each is overwritten behind itself."""
    ends = [0, 0, 1, *range(3, len(data), PIECE), len(data)]
    for start, end in pairwise(sorted(min(end, len(data)) for end in ends)):
        piece = bytearray(data[start:end])
        yield piece
        piece[:] = bytes(len(piece))


def judge(rig: ConnectorRig, records: Mapping[str, Sequence[Record | None]], letters: Mapping[str, list[Any]]) -> None:
    """Raise where results and dead letters are not what the sink's ``delivery`` promises.

    Parameters
    ----------
    rig
        The connector under test.
    records
        What was written to each partition.
    letters
        The dead letters that are expected of each partition: position as text, and reason.
    """
    delivery = rig.sink(SinkContext()).delivery
    for name, some in records.items():
        for found, expected, what in (
            (rig.outputs(name), results_of(name, some), "results"),
            (rig.dead_letters(name), letters[name], "dead letters"),
        ):
            seen: list[Any] = list(found)
            if delivery == "at_least_once":
                seen = list(dict.fromkeys(seen))
            if delivery == "at_most_once":
                expected = [one for one in expected if one in seen]  # noqa: PLW2901
            expect(seen, expected, f"The {what} of partition {name!r}, delivered {delivery}")


def letters_of(blocks: Sequence[Block]) -> dict[str, list[DeadLetter]]:
    """Return the dead letters of each partition.

    Parameters
    ----------
    blocks
        What a source gave, in order.
    """
    found: dict[str, list[DeadLetter]] = {}
    for block in blocks:
        found.setdefault(block.partition, []).extend(block.dead_letters)
    return found


def _watched(sink: Sink, at: Callable[[Place], None], commit: Callable[[], None]) -> None:
    """Commit, and call ``at`` at each place of the code of the sink's own packages."""
    packages = {cls.__module__.partition(".")[0] for cls in type(sink).__mro__} - {
        "builtins",
        "typing",
        "abc",
        "streamrnn",
    }

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if str(frame.f_globals.get("__name__", "")).partition(".")[0] not in packages:
            return None
        at((frame.f_code.co_filename, frame.f_lineno, event))
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        commit()
    finally:
        sys.settrace(before)


def places_of_a_commit(rig: ConnectorRig, wanted: Mapping[str, int], size: int) -> list[Place]:
    """Return the places that the second commit of a run comes through, in order, each once.

    Parameters
    ----------
    rig
        The connector under test, with its input filled.
    wanted
        Records by partition that the run is to process.
    size
        Most events of one poll, >= 1.
    """
    found: dict[Place, None] = {}

    def note(number: int, sink: Sink, commit: Callable[[], None]) -> None:
        if number == 2:
            _watched(sink, found.setdefault, commit)
        else:
            commit()

    sum_up(rig, wanted, commits=2, around=note, size=size)
    return list(found)


def kill_at(place: Place) -> Around:
    """Have the process die where the second commit comes to ``place``, as by kill -9: nothing else of it runs.

    Parameters
    ----------
    place
        One of :func:`places_of_a_commit`.
    """

    def die(found: Place) -> None:
        if found == place:
            os.kill(os.getpid(), signal.SIGKILL)

    return lambda number, sink, commit: _watched(sink, die, commit) if number == 2 else commit()


def fail_at(place: Place) -> Around:
    """Have the second commit fail at ``place`` with a full disk; where the sink says so, the same commit is tried again.

    Parameters
    ----------
    place
        One of :func:`places_of_a_commit`.
    """

    def fail(found: Place) -> None:
        if found == place:
            raise OSError(errno.ENOSPC, "planted: no space left on device")

    def around(number: int, sink: Sink, commit: Callable[[], None]) -> None:
        if number != 2:
            commit()
            return
        try:
            _watched(sink, fail, commit)
        except FullError:
            commit()

    return around


def in_a_process(work: Callable[[], object]) -> None:
    """Run ``work`` in a process of its own, which may be killed meanwhile; raise what went wrong there otherwise.

    Parameters
    ----------
    work
        Called without arguments; what it returns is dropped.

    Raises
    ------
    AssertionError
        When it raises; the message is its traceback.
    """
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # of forking beside threads: the child makes clients of its own
        child = os.fork()
    if child == 0:
        said = b""
        try:
            os.close(read)
            work()
        except BaseException as error:  # noqa: BLE001  (the parent raises it)
            said = "".join(traceback.format_exception(error)).encode()
        finally:
            with contextlib.suppress(OSError):
                os.write(write, said[-60_000:])
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    if said:
        raise AssertionError(said.decode())
