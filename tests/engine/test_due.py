"""Snapshots by the clock and before the input loses what a restart reads again; lost commits and their causes."""

from __future__ import annotations

import io
import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from streamrnn.daemon.daemon import _Loud
from streamrnn.daemon.log import set_up
from streamrnn.daemon.metrics import MeteredHealth
from streamrnn.engine.due import Newest, Standing, due
from streamrnn.engine.loop import Runtime
from streamrnn.engine.shard import Shard
from streamrnn.errors import GoneError, RetriableSinkError
from streamrnn.io import Poll, Position, RetainingSource
from tests.engine.memory import MemorySink, MemorySource
from tests.engine.test_loop import ALARM, KIND, runtime


class Retained(MemorySource):
    """Loses what is older than ``first``, and goes on being quiet at its end for ``quiet`` polls."""

    def __init__(self, n: int, quiet: int = 0, **options: Any) -> None:
        super().__init__(n, **options)
        self.first = 0
        self.quiet = quiet

    def retained(self, partition: str) -> tuple[Position, Position]:
        return self.first, 10 * len(self.values)

    def seek(self, partition: str, position: Position) -> None:
        if int(position) < self.first:
            raise GoneError(f"{position} is gone.", self.first)
        super().seek(partition, position)

    def poll(self, max_events: int, timeout_s: float) -> Poll:
        if self.at < len(self.values):
            found = super().poll(max_events, timeout_s)
            return Poll(blocks=found.blocks, ended=found.ended and not self.quiet)
        self.quiet -= 1
        return Poll(ended=self.quiet <= 0)


@pytest.mark.parametrize("every_s", [1e-9, 0.005])
def test_the_clock_leaves_no_mark(every_s: float) -> None:
    """However often the clock asks for a snapshot, and wherever a run is killed, the outputs are those of one pass."""
    whole = MemorySink()
    runtime(MemorySource(500, keys=7, bad=9), whole, max_keys=4).run()

    for seed in range(6):
        drawn, sink = random.Random(seed), MemorySink()
        while True:
            sink.fail_after = drawn.randint(0, 8)
            source = MemorySource(500, keys=7, bad=9, cut=drawn)
            try:
                runtime(source, sink, max_keys=4, every=10_000, every_s=every_s, block_events=40).run()
                break
            except ConnectionAbortedError:
                continue

        assert (whole.outputs, whole.dead) == (sink.outputs, sink.dead)


def counted(sink: MemorySink) -> list[Position]:
    """Return where the snapshots that the sink is given stand, as they come."""
    found: list[Position] = []
    commit = sink.commit

    def counting(*arguments: Any, **options: Any) -> None:
        commit(*arguments, **options)
        found.extend(arguments[2][name] for name in arguments[3] or {})

    sink.commit = counting  # type: ignore[method-assign]
    return found


def test_a_quiet_stream_has_its_snapshot() -> None:
    """Events came and then none: the snapshot comes when its time is up, without another event, and only once."""
    sink, source = MemorySink(), Retained(100, quiet=3)
    poll, found = source.poll, counted(sink)

    def slow(max_events: int, timeout_s: float) -> Poll:
        time.sleep(0.03 if source.at == 100 else 0)
        return poll(max_events, timeout_s)

    source.poll = slow  # type: ignore[method-assign]
    summary = runtime(source, sink, every=1000, every_s=0.02, block_events=50).run()

    assert found == [500, 1000]
    assert (summary.events, summary.snapshots) == (100, 2)


def test_never_by_time() -> None:
    """With every_s = 0 only events count: the first commit, and the end."""
    sink = MemorySink()
    found = counted(sink)

    runtime(Retained(100, quiet=3), sink, every=1000, every_s=0, block_events=20).run()

    assert found == [200, 1000]


def test_the_oldest_first() -> None:
    """Of partitions that are due by time alone one comes with each commit, the one whose snapshot is oldest; at the end all."""
    shard = Shard(KIND, ALARM)
    there = {
        name: Standing(shard, 5, dirty=True, saved=True, newest=Newest(0, at))
        for name, at in (("a", 3.0), ("b", 1.0), ("c", 2.0))
    }

    def first(name: str) -> None:
        return None

    assert due(there, 100, 1.0, first) == ["b"]
    assert due(there, 100, 0.0, first) == []
    assert due(there, 100, 1.0, first, last=True) == ["a", "b", "c"]
    there["c"].fresh = 100
    assert due(there, 100, 1.0, first) == ["c", "b"]


def shrinking(source: Retained, at: int, first: int) -> Callable[[], bool]:
    """Ends no run, but has the input lose its oldest records once ``at`` is read."""

    def stopped() -> bool:
        if source.at >= at:
            source.first = first
        return False

    return stopped


def test_the_input_loses_what_is_needed() -> None:
    """Half of what lay before the snapshot is gone: another is taken at once. While nothing goes, none is."""
    assert isinstance(Retained(1), RetainingSource)
    for first, expected in ((0, [200, 2000]), (90, [200, 2000]), (100, [200, 1000, 2000]), (600, [200, 1000, 2000])):
        source, sink = Retained(200), MemorySink()
        found = counted(sink)

        one = runtime(source, sink, every=10_000, block_events=20, stopped=shrinking(source, 80, first))
        one.run()

        assert found == expected
        health = MeteredHealth()
        health.runtime = one
        assert f'streamrnn_snapshot_headroom_records{{partition="0"}} {2000 - first}.0' in health.exposition().decode()


def test_what_is_lost_can_be_kept() -> None:
    """The input begins behind the snapshot: the error says from where to where, and that nothing unread is lost, where that is so."""
    sink = MemorySink()
    sink.fail_after = 5
    with pytest.raises(ConnectionAbortedError):
        runtime(MemorySource(200), sink, every=10_000, block_events=20).run()

    for first, said in (
        (700, "from position 200, results are written up to 1000, .* begins at 700. Nothing unread"),
        (1200, "200 is gone"),
    ):
        source = Retained(200)
        source.first = first
        with pytest.raises(GoneError, match=said) as raised:
            runtime(source, sink, every=10_000, block_events=20).run()
        assert (raised.value.first, raised.value.exit_code) == (first, 76)


def test_a_restart_measures_from_the_snapshot() -> None:
    """A restart must read again from its snapshot on, not from where results end: what the input holds before that is the room there is."""
    sink = MemorySink()
    sink.fail_after = 5
    with pytest.raises(ConnectionAbortedError):
        runtime(MemorySource(200), sink, every=10_000, block_events=20).run()
    source = Retained(200)
    seen: list[dict[str, int]] = []
    source.first = 50

    def stopped() -> bool:
        seen.append(one.headroom())
        return len(seen) == 2

    one = runtime(source, sink, every=10_000, block_events=20, stopped=stopped)
    one.run()

    assert seen == [{}, {"0": 200 - 50}]


class Losing(MemorySink):
    """Loses its third commit."""

    def commit(self, *arguments: Any, **options: Any) -> None:
        if len(self.outputs) == 40 and self.fail_after is None:
            self.fail_after = 10_000
            raise RetriableSinkError("A commit was lost: the broker went.")
        super().commit(*arguments, **options)


def test_lost_commits_are_logged() -> None:
    """Each lost commit is a warning with its cause, and in the status; nothing is twice or missing."""
    out, sink = io.StringIO(), Losing()
    set_up("json", "info", out)
    health = _Loud()
    one = Runtime(MemorySource(100), sink, lambda: Shard(KIND, ALARM), every=20, monitor=health, block_events=20)
    health.runtime = one

    one.run()

    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    [lost] = [line for line in lines if line["event"] == "commit_lost"]
    assert (lost["level"], lost["why"], lost["in_a_row"]) == ("warning", "A commit was lost: the broker went.", 1)
    status = health.status()
    assert (status["lost_commits"], status["last_lost_commit"]) == (1, "A commit was lost: the broker went.")
    assert len(sink.outputs) == 100
