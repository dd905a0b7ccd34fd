"""Windows of records instead of records: by the records' times alone, the same however the run was cut, stopped or killed."""

from __future__ import annotations

import itertools
import math
import os
import random
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from streamrnn import config as configs
from streamrnn.commands.verify import verify
from streamrnn.config import Alarm, Alarms, Records
from streamrnn.engine.assemble import check_windows, make_runtime
from streamrnn.engine.panes import AGGREGATES
from streamrnn.engine.shard import Shard
from streamrnn.engine.windows import MOST_EMPTY
from streamrnn.errors import ConfigError, ModelChangedError
from streamrnn.io import Block, DeadLetter
from streamrnn.scorers.kinds import model_kind
from tests.compiled import compile_detector
from tests.engine.short_rig import lay

KIND = model_kind("RNNAnomalyDetector", {"hidden_size": 8})
WINDOWS = """
[model]
hidden_size = 8
[state]
dir = "state"
every = 40
"""


def shard(aggregate="count", every=60.0, lateness=0.0, **options):
    made = Records(every=every, aggregate=aggregate, lateness=lateness)
    return Shard(KIND, Alarm(), records=made, **options)


def records(events, start=0):
    """Records as (seconds, key, value)."""
    n = len(events)
    keys = None if events and events[0][1] is None else [key for _, key, _ in events]
    values = np.array([[value, -value] for _, _, value in events]).reshape(n, 2)
    return Block(("x", "y"), values, range(start, start + n), start + n, keys, [when for when, _, _ in events])


def rows(pieces):
    """What comes out, bit for bit."""
    found = []
    for piece in pieces:
        block = piece.block
        keys = block.keys or [None] * len(block)
        cells = [[x.hex() for x in row] for row in block.values.tolist()]
        found += list(zip(block.times, keys, cells, block.positions, strict=True))
    return found


def wild(n, seed):
    """Records of four keys: late ones, some without a time or value, some from far away, and a leap that stays."""
    drawn, now, found = random.Random(seed), 1.7e9, []
    for i in range(n):
        now += drawn.expovariate(1 / 9) + (400_000.0 if i == n // 2 else 0.0)
        when = now - drawn.choice([0, 0, 0, 0, 30, 200])
        when = drawn.choice([math.nan, 4e9, 1.0]) if drawn.random() < 0.05 else when
        value = drawn.choice([math.nan, math.inf, -0.0]) if drawn.random() < 0.1 else drawn.gauss(0, 1)
        found.append((when, drawn.choice("abcd"), value))
    return found


def naive(events, aggregate, every=60.0):
    """Windows of one key in order, without late or wild records."""
    numbers = [int(when // every) for when, _, _ in events]
    found = []
    for number in range(numbers[0], numbers[-1]):
        cells = [value for at, (_, _, value) in zip(numbers, events, strict=True) if at == number]
        if aggregate == "count":
            found.append(float(len(cells)))
            continue
        total = math.nan
        for i, cell in enumerate(cells):
            total = total + cell if i else cell
        result = {"sum": total, "mean": total / max(1, len(cells)), "max": max(cells, default=math.nan)}
        found.append(result.get(aggregate, cells[-1] if cells else math.nan))
    return found


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_a_window_is_what_its_records_make(aggregate):
    """Count, sum, mean, max and last of each window, as a loop over lists gives them; none of the empty ones is left out."""
    events = [(1000.0 + 23.0 * i + (500.0 if i > 40 else 0.0), None, math.sin(i)) for i in range(80)]

    found = [row[2][0] for row in rows(shard(aggregate).gather(records(events)))]

    assert found == [x.hex() for x in naive(events, aggregate)]
    assert found.count((0.0).hex() if aggregate == "count" else "nan") >= 7


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_where_it_is_cut_or_stopped_changes_nothing(aggregate):
    """Blocks of any size, and a snapshot that is taken up between them: the same windows, bit for bit, and the same counts."""
    events = wild(900, 5)
    whole = shard(aggregate, lateness=20.0)
    expected = rows(whole.gather(records(events)))
    drawn = random.Random(1)
    cuts = [0, *sorted(drawn.sample(range(1, 900), 40)), 900]

    made, found = shard(aggregate, lateness=20.0), []
    for i, (a, b) in enumerate(itertools.pairwise(cuts)):
        if i % 3 == 0:
            again = shard(aggregate, lateness=20.0)
            again.restore(made.snapshot())
            made = again
        found += rows(made.gather(records(events[a:b], a)))

    assert found == expected
    assert made.of_windows() == whole.of_windows()
    assert all(made.of_windows()[name] > 0 for name in ("open", "late", "untimed", "ahead"))


def test_a_record_from_far_away_closes_nothing():
    """One of the year 2096 is passed over and counted; ten in a row are believed, and nothing is filled up to there."""
    made = shard()
    usual = [(60.0 * i, None, 0.0) for i in range(5)]

    rows(made.gather(records([*usual, (4e9, None, 0.0), (300.0, None, 0.0)])))
    assert (made.of_windows()["ahead"], made.of_windows()["open"]) == (1, 1)

    found = rows(made.gather(records([(4e9 + i, None, 0.0) for i in range(10)])))
    assert [row[0] for row in found] == [300.0]
    assert made.of_windows()["ahead"] == 10


def test_late_records_are_counted_and_lateness_waits_for_them():
    """A record behind its window's end is in none; with lateness the window is still open."""
    events = [(10.0, None, 1.0), (70.0, None, 1.0), (50.0, None, 1.0), (200.0, None, 1.0)]
    strict, patient = shard(), shard(lateness=15.0)

    counts = [[float.fromhex(row[2][0]) for row in rows(one.gather(records(events)))] for one in (strict, patient)]

    assert counts == [[1.0, 1.0, 0.0], [2.0, 1.0, 0.0]]
    assert (strict.of_windows()["late"], patient.of_windows()["late"]) == (1, 0)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (("2024-01-01T00:00:59Z", "2024-01-01T00:01:00Z"), "2024-01-01T00:00:00Z"),
        (("2024-01-01 00:00:59", "2024-01-01 00:01:00"), "2024-01-01T00:00:00"),
        (("2024-01-01T02:00:59+02:00", "2024-01-01T02:01:00+02:00"), "2024-01-01T02:00:00+02:00"),
        ((1704067259000, 1704067260000), 1704067200000.0),
        ((1704067259, 1704067260), 1704067200.0),
        (("0001-01-01T00:00:01", "0001-01-01T00:01:00"), "0001-01-01T00:00:00"),
    ],
)
def test_a_window_is_called_by_its_first_moment_as_the_input_writes_times(times, expected):
    """ISO 8601 in its zone, a number in its unit: milliseconds are told from seconds by their size."""
    block = Block(("x",), np.zeros((2, 1)), (0, 1), 2, times=times)

    [piece] = shard().gather(block)

    assert list(piece.block.times) == [expected]


def test_memory_is_bounded_whatever_the_times_say():
    """A stream whose times leap by a day, second for second: pieces of bounded length, and long pauses are filled in part."""
    events = [(86_000.0 * i, key, 0.0) for i in range(5) for key in "abc"]
    made = shard(every=2.0)
    pieces = list(made.gather(records(events)))

    assert max(len(piece.block) for piece in pieces) <= MOST_EMPTY + 4096 + 6
    assert sum(piece.records for piece in pieces) == len(events)
    assert [piece.block.next_position for piece in pieces][-1] == len(events)
    assert made.of_windows()["unfilled"] > 0


def test_times_that_no_window_can_hold_are_none():
    """The largest float, the year 9999 with a zone, text and nothing: counted, never an error."""
    times = (1e308, -1e308, "9999-12-31T23:59:59-23:59", "soon", None, "0001-01-01T00:00:00+23:59", True)
    made = shard(every=0.001)

    assert rows(made.gather(Block(("x",), np.zeros((7, 1)), range(7), 7, times=times))) == []
    assert made.of_windows()["untimed"] == 4


def test_dead_letters_go_with_the_records_around_them():
    """Where a block is given out in pieces, each dead letter is in the one whose commit passes it."""
    events = [(86_000.0 * i, None, 0.0) for i in range(6)]
    block = records(events)
    letters = tuple(DeadLetter(position, "none") for position in (0, 3, 5))
    block = Block(block.names, block.values, (1, 2, 4, 6, 7, 8), 9, None, block.times, dead_letters=letters)

    pieces = list(shard(every=10.0).gather(block))

    assert len(pieces) > 2
    assert [one.position for piece in pieces for one in piece.block.dead_letters] == [0, 3, 5]
    for piece in pieces:
        assert all(one.position < piece.block.next_position for one in piece.block.dead_letters)


def test_keys_that_have_to_go_take_their_windows_along():
    """More keys than there is room for: the one unseen for longest goes, and what it held is counted."""
    made = shard(max_keys=2)
    found = rows(made.gather(records([(1.0, "a", 0.0), (2.0, "b", 0.0), (3.0, "c", 0.0), (61.0, "b", 0.0)])))

    assert [row[1] for row in found] == ["b", "c"]
    assert made.of_windows()["dropped"] == 1


def test_other_windows_than_those_of_the_snapshot_are_refused():
    """Another length, another aggregate, or none: said with both."""
    data = shard().snapshot()

    for other in (shard(every=30.0), shard("sum"), Shard(KIND, Alarm())):
        with pytest.raises(ModelChangedError, match=r"every = 60, aggregate = 'count'"):
            other.restore(data)


def test_what_windows_cannot_do_is_said_beforehand():
    """Records without a time; a result that shows its record."""
    with pytest.raises(ConfigError, match=r"\[source\] every: the records have no time"):
        list(shard().gather(Block(("x",), np.zeros((1, 1)), (0,), 1)))
    tables = {"source": {"path": "a.csv", "every": "1m"}, "output": {"fields": ["time", "input"]}}
    with pytest.raises(ConfigError, match=r"\[output\] fields: a window is of many records"):
        check_windows(configs.parse(tables, Path()), KIND)


def test_episodes_of_one_record_are_told_apart():
    """One record may close windows in which an episode starts, ends and starts again: each has an id of its own."""
    calm = [(60.0 * i + 7.0 * j, None, 0.0) for i in range(300) for j in range(5)]
    made = shard(alarms=Alarms(path="-", ends_after=2))
    piece = list(made.gather(records([*calm, (60.0 * 420, None, 0.0)])))[-1]

    scored = made.score(piece.block)
    ids = [one.id for one in scored.episodes]

    assert len(ids) == len(set(ids))


def orders(n, seed=3):
    """A CSV of orders, some late, some of them no records."""
    drawn, now, lines = random.Random(seed), 1.7e9, ["ts,shop,eur"]
    for i in range(n):
        now += drawn.expovariate(1 / 6)
        late = drawn.choice([0, 0, 0, 40])
        lines.append(f"{now - late:.3f},s{i % 3}," + (f"{drawn.random():.4f}" if i % 50 else "none,at,all"))
    return "\n".join(lines) + "\n"


def written(folder):
    """The results and dead letters of a run."""
    return [(folder / name).read_bytes() for name in ("out.jsonl", "dead.jsonl")]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("aggregate", ["count", "mean"])
def test_a_file_run_that_is_killed_leaves_the_bytes_of_one_that_was_not(tmp_path, aggregate):
    """Kill -9 at any moment, again and again, between commits and within them: results, dead letters and alarms are the same."""
    compile_detector(8)
    source = f'every = "1m"\naggregate = "{aggregate}"\nkey = "shop"\n'
    more = WINDOWS + '[dead_letter]\npath = "dead.jsonl"\n'
    alone, config = (configs.load(lay(tmp_path / where, orders(2500), more, source)) for where in ("alone", "killed"))
    make_runtime(alone).run()
    drawn, deaths, sizes, out = random.Random(2), 0, [], tmp_path / "killed" / "out.jsonl"

    for i in range(4):
        child = os.fork()
        if not child:
            make_runtime(config, block_events=50).run()
            os._exit(0)
        time.sleep(drawn.uniform(0.0, 0.1))
        grown = (sizes or [0])[-1]
        while i % 2 and (not out.exists() or out.stat().st_size == grown) and not os.waitpid(child, os.WNOHANG)[0]:
            time.sleep(0.002)
        os.kill(child, signal.SIGKILL)
        deaths += os.waitpid(child, 0)[1] == signal.SIGKILL
        sizes.append(out.stat().st_size if out.exists() else 0)
    make_runtime(config).run()

    assert deaths > 1
    assert any(0 < size < (tmp_path / "alone" / "out.jsonl").stat().st_size for size in sizes)
    assert written(tmp_path / "killed") == written(tmp_path / "alone")
    assert b"none" in written(tmp_path / "alone")[1]
    assert verify(config).difference is None
