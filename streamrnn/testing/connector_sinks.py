"""What every sink must do, beside its source: what a commit leaves, and what an accident leaves of it."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from streamrnn.errors import StreamrnnError
from streamrnn.io import (
    AttachedSink,
    Block,
    Checkable,
    Position,
    ReadableSink,
    Restored,
    Sink,
    SinkContext,
    SnapshotStore,
    SourceContext,
)
from streamrnn.testing.connector_rig import (
    ConnectorRig,
    Reading,
    Record,
    counted,
    expect,
    expect_protocol,
    fill,
    opened,
    read_all,
)
from streamrnn.testing.connector_runtime import (
    Around,
    Place,
    fail_at,
    in_a_process,
    judge,
    kill_at,
    lent,
    letters_of,
    places_of_a_commit,
    results_of,
    sum_up,
)

__all__ = [
    "ACCIDENTS",
    "SINK_CHECKS",
    "check_commits",
    "check_crash",
    "check_failure",
    "check_fresh",
    "check_protocol",
    "check_readers",
    "check_resume",
]

DELIVERIES = ("exactly_once", "at_least_once", "at_most_once")
BAD_EVERY = 7
"""Of so many records of the input one is no event."""

SPREADS_S = 1.0
"""How long it may take until a reader sees what was committed."""

LARGE = bytes(range(256)) * 6000
"""A snapshot that does not fit into one record of a message broker."""

Records = Mapping[str, list[Record | None]]


def _starts(rig: ConnectorRig, records: Records) -> dict[str, Position]:
    """Return where each partition begins; before any commit, which may move where a source begins."""
    blocks = read_all(rig, counted(records))
    return {name: next(one.positions[0] for one in blocks if one.partition == name) for name in records}


def _letters(rig: ConnectorRig, records: Records, starts: Mapping[str, Position]) -> dict[str, list[tuple[str, str]]]:
    """Return the dead letters that a source makes of the input, as a reader should see them."""
    found = letters_of(read_all(rig, counted(records), starts=starts))
    return {name: [(str(one.position), one.reason) for one in found.get(name, [])] for name in records}


def _judged(rig: ConnectorRig, records: Records, starts: Mapping[str, Position]) -> None:
    """Go on to the end, and raise where what was written is not that of one uninterrupted run."""
    sum_up(rig, counted(records), size=50)
    judge(rig, records, _letters(rig, records, starts))


def check_protocol(rig: ConnectorRig) -> None:
    """A sink is one, keeps state, says what it can do, and finds nothing wrong with a place that is good.

    Parameters
    ----------
    rig
        The connector under test, whose input and output are empty.

    Raises
    ------
    AssertionError
        When the sink does not keep to it.
    """
    fill(rig, 3, bad_every=BAD_EVERY)
    source, sink = rig.source(SourceContext()), rig.sink(SinkContext())
    expect_protocol(sink, Sink)
    expect(sink.delivery in DELIVERIES, True, f"Whether delivery, {sink.delivery!r}, is one of {DELIVERIES}")
    expect(sink.keeps_state, True, "keeps_state of the rig's sink")
    expect(isinstance(type(sink).takes, frozenset), True, "Whether takes of the class is a frozenset")
    expect("--fresh" in sink.takes, True, "Whether a sink that keeps state heeds --fresh")
    if isinstance(sink, AttachedSink):
        sink.attach(source)
    if isinstance(sink, Checkable):
        expect(list(map(str, sink.check())), [], "What check() finds wrong with a good place")


def _state(restored: Restored | None) -> Any:
    return None if restored is None else (restored.position, restored.snapshot, restored.snapshot_position)


def _settled(source: Any, names: Sequence[str]) -> None:
    """Poll until all partitions are announced; what comes with them is passed over."""
    missing = set(names)
    for _ in range(300):
        poll = source.poll(1, 0.1)
        missing -= {*poll.assigned, *(block.partition for block in poll.blocks)}
        if not missing:
            return
    raise AssertionError(f"The partitions {sorted(missing)} were never announced.")


def _commit(sink: Sink, block: Block, written: list[bytes], snapshot: bytes | None) -> None:
    """Commit a result for each event of a block, and note them."""
    lines = [json.dumps([block.partition, len(written) + i]).encode() for i in range(len(block))]
    with lent({} if snapshot is None else {block.partition: snapshot}) as held:
        sink.commit(lines, block.dead_letters, {block.partition: block.next_position}, held or None, [block])
    written += lines


def _seen(rig: ConnectorRig, name: str, expected: list[bytes], when: str) -> None:
    """Raise where a reader does not see these results, and no others, soon: marks of a transaction may take a moment to spread."""
    end = time.monotonic() + SPREADS_S
    while (found := rig.outputs(name)) != expected and time.monotonic() < end:
        time.sleep(0.02)
    expect(found, expected, f"The results of {name!r} that a reader sees {when}")


def check_commits(rig: ConnectorRig) -> None:
    """A commit can be read when it returns; a partition has its own position and newest snapshot, which a commit without one leaves.

    Parameters
    ----------
    rig
        The connector under test, whose input and output are empty.
    """
    records = fill(rig, 12, bad_every=BAD_EVERY)
    mine, *others = rig.partitions
    strange = others[0] if others else f"{mine}9"
    with opened(rig) as (source, sink):
        read = Reading(source).until(dict.fromkeys(records, 12), 4)
        blocks = [one for one in read if one.partition == mine]
        ends: dict[str, Position] = {one.partition: one.next_position for one in read}
        first, last = blocks[0].next_position, ends[mine]
        for name in rig.partitions:
            expect(_state(sink.restore(name)), None, f"restore({name!r}) before any commit")
        written: list[bytes] = []
        _commit(sink, blocks[0], written, b"first")
        _seen(rig, mine, written, "once a commit has returned")
        expect(_state(sink.restore(mine)), (first, b"first", first), "restore() behind a commit with a snapshot")
        expect(_state(sink.restore(strange)), None, f"restore({strange!r}) where {mine!r} alone was committed")
        for block in blocks[1:]:
            _commit(sink, block, written, None)
        expect(_state(sink.restore(mine)), (last, b"first", first), "restore() behind commits without a snapshot")
        for name in others:
            with lent({name: LARGE}) as held:
                sink.commit([], [], {name: ends[name]}, held)
    with opened(rig) as (source, sink):
        _settled(source, rig.partitions)
        _seen(rig, mine, written, "after a restart")
        expect(_state(sink.restore(mine)), (last, b"first", first), "restore() after a restart")
        sink.commit([], [], {mine: last}, {mine: b"second"})
        expect(_state(sink.restore(mine)), (last, b"second", last), "restore() behind a commit of a snapshot alone")
        expect(
            _state(sink.restore(strange)),
            (ends[strange], LARGE, ends[strange]) if others else None,
            f"restore({strange!r})",
        )


def check_resume(rig: ConnectorRig) -> None:
    """Stopped after any number of commits and started again, results and dead letters are those of one pass, none early, late or twice.

    Parameters
    ----------
    rig
        The connector under test, whose input and output are empty.
    """
    records = fill(rig, 60, bad_every=BAD_EVERY)
    starts = _starts(rig, records)
    wanted = {name: len(some) for name, some in records.items()}
    for commits in (1, 2, 1, 3):
        dealt = sum_up(rig, wanted, commits=commits)
        for name, n in dealt.items():
            _seen(rig, name, results_of(name, records[name][:n]), "after a stop")
    _judged(rig, records, starts)


def check_fresh(rig: ConnectorRig) -> None:
    """With ``fresh`` nothing is known of earlier runs, and a whole pass is written again; without it, that one is gone on with.

    Parameters
    ----------
    rig
        The connector under test, whose input and output are empty.
    """
    records = fill(rig, 20, bad_every=BAD_EVERY)
    wanted = {name: len(some) for name, some in records.items()}
    sum_up(rig, wanted, commits=2)
    with opened(rig, SinkContext(fresh=True)) as (source, sink):
        _settled(source, rig.partitions)
        for name in rig.partitions:
            expect(_state(sink.restore(name)), None, f"restore({name!r}) of a sink that begins anew")
    dealt = sum_up(rig, wanted, commits=2, context=SinkContext(fresh=True))
    sum_up(rig, wanted)
    for name, some in records.items():
        if name in dealt:
            expected = results_of(name, some)
            expect(rig.outputs(name)[-len(expected) :], expected, f"The results of {name!r} behind a fresh start")


def check_readers(rig: ConnectorRig) -> None:
    """What a sink shows of results and snapshots from outside a run is what a reader sees and a restart finds.

    Parameters
    ----------
    rig
        The connector under test, whose input and output are empty.
    """
    records = fill(rig, 20, bad_every=BAD_EVERY)
    sum_up(rig, {name: len(some) for name, some in records.items()})
    source, sink = rig.source(SourceContext()), rig.sink(SinkContext())
    if isinstance(sink, AttachedSink):
        sink.attach(source)
    if isinstance(sink, ReadableSink):
        found = list(sink.written())
        for name in rig.partitions:
            expect(
                [line for whose, line in found if whose == name],
                rig.outputs(name),
                f"What written() yields of {name!r}",
            )
    stored = sink.snapshots() if isinstance(sink, SnapshotStore) else None
    with opened(rig) as (source, sink):
        _settled(source, rig.partitions)
        for name in rig.partitions:
            restored = sink.restore(name)
            newest = next((one for one in stored or () if one.partition == name), None)
            if stored is not None and restored is not None:
                expect(
                    newest is not None and (newest.data, newest.problem),
                    (restored.snapshot, None),
                    f"The newest snapshot of {name!r}",
                )


def _accidents(rig: ConnectorRig, most: int | None, happen: Callable[[dict[str, int], Place], None]) -> None:
    """Let something happen at each place of a commit (``most``: so many of them), go on each time, and look at the end."""
    records = fill(rig, 12, bad_every=BAD_EVERY)
    starts = _starts(rig, records)
    places = places_of_a_commit(rig, dict.fromkeys(records, 12), 3)
    if most is not None and len(places) > most:
        places = [places[round(i * (len(places) - 1) / (most - 1))] for i in range(most)]
    more = fill(rig, 9 * len(places) + 6, 12, bad_every=BAD_EVERY)
    records = {name: [*records[name], *more[name]] for name in records}
    wanted = {name: len(some) for name, some in records.items()}
    for place in places:
        happen(wanted, place)
    _judged(rig, records, starts)


def check_crash(rig: ConnectorRig, most: int | None = None) -> None:
    """Killed at any place inside a commit and started again, results and dead letters are those of a run that was left alone.

    Parameters
    ----------
    rig
        The connector under test, whose input and output are empty.
    most
        Most places inside a commit that are tried, >= 2. None: all of them.
    """

    def happen(wanted: dict[str, int], place: Place) -> None:
        in_a_process(partial(sum_up, rig, wanted, commits=2, around=kill_at(place), size=3))

    _accidents(rig, most, happen)


def check_failure(rig: ConnectorRig, most: int | None = None) -> None:
    """Failed at any place inside a commit, and then tried again or restarted, results and dead letters are those of a run that did not.

    Parameters
    ----------
    rig
        The connector under test, whose input and output are empty.
    most
        Most places inside a commit that are tried, >= 2. None: all of them.
    """

    def happen(wanted: dict[str, int], place: Place) -> None:
        around: Around = fail_at(place)
        with contextlib.suppress(OSError, StreamrnnError):
            sum_up(rig, wanted, commits=3, around=around, size=3)

    _accidents(rig, most, happen)


SINK_CHECKS = {
    "sink: protocol": check_protocol,
    "sink: commits": check_commits,
    "sink: resume": check_resume,
    "sink: fresh": check_fresh,
    "sink: readers": check_readers,
}
ACCIDENTS = {"sink: crash inside a commit": check_crash, "sink: failure inside a commit": check_failure}
"""Checks that go through every place of a commit, or so many of them."""
