"""PostgreSQL to PostgreSQL by configuration: what goes in comes out once, through kill -9 of either side, and what goes wrong is said."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import sys
import time

import pytest
from postgres_rig import ADD, CONFIG, TABLE, of_one_pass, place, results, run, written

from streamrnn.cli import main
from streamrnn.errors import (
    ConfigError,
    FullError,
    RetriableSinkError,
    RetriableSourceError,
    SinkError,
    SourceError,
    StateError,
)
from streamrnn.io import AlarmEvent
from streamrnn_postgres import PostgresSink, PostgresSource


def test_a_run_by_configuration(database, tmp_path, capsys):
    """``streamrnn check``, ``run`` and ``verify`` go from a table to a table of one database; times are ISO 8601, in UTC."""
    path = place(tmp_path, database, 400)
    for words in (["check"], ["run"], ["verify"], ["snapshot", "list"]):
        with pytest.raises(SystemExit) as ended:
            main([*words, str(path)])
        assert ended.value.code == 0, capsys.readouterr().err

    lines, letters, _ = written(database)
    assert (len(lines), len(letters)) == (396, 4)
    assert '"time":"2024-01-01T00:00:00+00:00","key":"s0"' in lines[0][1]
    assert "396 results are the same, bit for bit" in capsys.readouterr().out


@pytest.mark.slow
def test_kills(server, database, tmp_path):
    """Process and server killed with -9 at random moments, results, dead letters and alarms are those of a run that was left alone."""
    drawn, path = random.Random(4), place(tmp_path, database, 0)
    path.write_text(CONFIG.replace("follow = false", "follow = true"))
    for i in range(4):
        database.run(ADD.format(3000 * i, 3000 * (i + 1)))
        before, end = results(database), time.monotonic() + 120
        with subprocess.Popen(
            [sys.executable, "-m", "streamrnn", "run", str(path)], stderr=subprocess.DEVNULL
        ) as process:
            while results(database) == before and time.monotonic() < end:
                time.sleep(0.01)
            time.sleep(drawn.uniform(0.0, 0.1))
            if i % 2:  # the run goes on by itself
                server.stop(signal.SIGKILL)
                server.start()
                database.run(ADD.format(12_000 + i, 12_001 + i))
                while (
                    results(database) < 2970 * (i + 1) + i // 2 + 1
                    and process.poll() is None
                    and time.monotonic() < end
                ):
                    time.sleep(0.01)
                assert process.poll() is None
            process.kill()
    path.write_text(CONFIG)
    run(path)

    assert written(database) == of_one_pass(path, database)
    assert results(database) == 11_882


def test_block_sizes_and_restarts_change_nothing(database, tmp_path):
    """Rows that are added between two runs give what one run over all of them gives, whatever the size of blocks."""
    path = place(tmp_path, database, 300)
    run(path, block_events=7)
    database.run(ADD.format(300, 700))
    run(path, block_events=64)

    assert written(database) == of_one_pass(path, database)
    assert results(database) == 693


def test_one_run_for_a_partition(database):
    """A partition belongs to the run that has restored it last; the next commit of another fails, and writes nothing. Others go on."""
    with PostgresSink.to_table(database.url) as first, PostgresSink.to_table(database.url) as second:
        first.restore("0")
        first.commit([b"1"], [], {"0": 1}, {"0": b"one"})
        first.commit([b"10"], [], {"1": 1})
        assert second.restore("0").snapshot == b"one"
        with pytest.raises(SinkError, match="Another run writes to the table 'results'"):
            first.commit([b"3"], [], {"0": 2})
        with pytest.raises(SinkError, match="Another run"):
            first.commit([b"11"], [], {"1": 2, "0": 2})
        second.commit([b"2"], [], {"0": 2})
        first.commit([b"12"], [], {"1": 2})

    assert list(PostgresSink.to_table(database.url).written()) == [("0", b"1"), ("1", b"10"), ("0", b"2"), ("1", b"12")]


def test_snapshots_and_damage(database):
    """Of each partition the newest snapshots are kept; the newest whole one serves, with a warning; where none is whole, nothing starts."""
    with PostgresSink.to_table(database.url, snapshots_kept=2) as sink:
        sink.commit([], [], {"a": 1}, {"a": b"a1"})
        for i in range(4):
            sink.commit([], [], {"b": i}, {"b": memoryview(b"b%d" % i)})
        assert [(one.partition, one.position, one.data) for one in sink.snapshots()] == [
            ("a", 1, b"a1"),
            ("b", 3, b"b3"),
            ("b", 2, b"b2"),
        ]
        database.run("UPDATE results_snapshots SET data = '\\x00' WHERE id = 5")
        with pytest.warns(RuntimeWarning, match="b-5 is damaged; going on from b-4"):
            restored = sink.restore("b")
        assert (restored.position, restored.snapshot, restored.snapshot_position) == (3, b"b2", 2)
        database.run("UPDATE results_snapshots SET data = '\\x00'")
        with pytest.raises(StateError, match="is whole"):
            sink.restore("b")


def test_alarms_come_in_the_order_of_commits(database):
    """Who reads alarms behind a number passes none over, though two processes write them: numbers are given in the order of commits."""
    with PostgresSink.to_table(database.url, alarms="alarms") as sink:
        sink.commit([], [], {"0": 1}, alarms=[AlarmEvent("a", b'{"id":"a"}'), AlarmEvent("b", b'{"id":"b"}', "1")])

    outside = PostgresSink.to_table(database.url, alarms="alarms")
    assert list(outside.alarms({})) == [("alarms", 1, b'{"id":"a"}'), ("alarms", 2, b'{"id":"b"}')]
    assert list(outside.alarms({"alarms": 1})) == [("alarms", 2, b'{"id":"b"}')]
    with pytest.raises(ConfigError, match=r"\[alarms\] table: 'results_state' is a table of"):
        PostgresSink.to_table(database.url, alarms="results_state")


def test_a_connection_that_is_lost(server, database):
    """A commit whose connection is lost writes nothing, or may have; what was restored on a new one says which."""
    with PostgresSink.to_table(database.url) as sink:
        sink.restore("0")
        sink.commit([b"1"], [], {"0": 1}, {"0": b"one"})
        server.stop(signal.SIGQUIT)
        with pytest.raises(RetriableSinkError):
            sink.commit([b"2"], [], {"0": 2})
        with pytest.raises(RetriableSinkError, match="cannot be reached"):
            sink.restore("0")
        server.start()
        assert sink.restore("0").position == 1
        sink.commit([b"2"], [], {"0": 2})

    assert [line for _, line in PostgresSink.to_table(database.url).written()] == [b"1", b"2"]


def test_a_source_whose_server_restarts(server, database):
    """While the server is away nothing comes, and being sent elsewhere may be tried again; then reading goes on where it was, or was sent."""
    database.run(TABLE)
    database.run(ADD.format(0, 9))
    with PostgresSource.from_table(database.url, columns=["flow"], follow=True) as source:
        source.poll(4, 0.0)
        assert list(source.poll(4, 0.0).blocks[0].positions) == [1, 2, 3, 4]
        server.stop(signal.SIGQUIT)
        assert source.poll(4, 0.0).blocks == ()
        with pytest.raises(RetriableSourceError, match="cannot be reached"):
            source.seek("0", 3)
        server.start()
        assert list(source.poll(2, 0.0).blocks[0].positions) == [5, 6]
        server.stop(signal.SIGQUIT)
        with pytest.raises(RetriableSourceError):
            source.seek("0", 3)
        server.start()
        source.seek("0", 3)
        assert list(source.poll(2, 0.0).blocks[0].positions) == [3, 4]
    with pytest.raises(SourceError, match="not open"):
        source.seek("0", 3)


def test_no_room_and_no_turn(database):
    """Where there is no room the very same commit may be tried again; one whose turn does not come is lost, and the run restores and goes on."""
    with PostgresSink.to_table(database.url) as sink:
        sink.restore("0")
        database.run(
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$"
        )
        database.run("CREATE TRIGGER no_room BEFORE INSERT ON results FOR EACH STATEMENT EXECUTE FUNCTION no_room()")
        with pytest.raises(FullError, match="nothing is lost"):
            sink.commit([b"1"], [], {"0": 1}, {"0": b"one"})
        database.run("DROP TRIGGER no_room ON results")
        sink.commit([b"1"], [], {"0": 1}, {"0": b"one"})
        sink._connection.execute("SET lock_timeout = '50ms'")
        with contextlib.closing(database.connect()) as other:
            other.execute("LOCK TABLE results_state")
            with pytest.raises(RetriableSinkError, match="lock timeout"):
                sink.commit([b"2"], [], {"0": 2})
        assert sink.restore("0").position == 1

    assert [line for _, line in PostgresSink.to_table(database.url).written()] == [b"1"]


def test_cells(database):
    """NULL and NaN are missing; numbers of every type are numbers, also those that no float64 holds, which are counted; times are ISO 8601."""
    database.run(
        "CREATE TABLE events (id serial PRIMARY KEY, a float8, b numeric, c boolean, d int, at timestamp, k int)"
    )
    database.run(
        "INSERT INTO events (a, b, c, d, at, k) VALUES (1.5, 2.5, true, 7, '2024-01-01 00:00:00.25', 1), ('-0', 'NaN', NULL, NULL, NULL, NULL), "
        "('inf', '1e400', false, 1, 'infinity', 2), (NULL, '1e400', NULL, NULL, NULL, 3), ('NaN', NULL, NULL, NULL, NULL, 4)"
    )
    source = PostgresSource.from_table(database.url, columns=["a", "b", "c", "d"], time="at", key="k", keep_raw=True)
    with source:
        _, poll = source.poll(99, 0.0), source.poll(99, 0.0)
        [block], told = poll.blocks, source.chosen()

    assert [str(row) for row in block.values.tolist()] == [
        "[1.5, 2.5, 1.0, 7.0]",
        "[-0.0, nan, nan, nan]",
        "[inf, nan, 0.0, 1.0]",
    ]
    assert block.times == ["2024-01-01T00:00:00.25", None, "infinity"]
    assert block.keys == ["1", None, "2"]
    assert [(one.position, one.reason.replace("0" * 79, "...")) for one in block.dead_letters] == [
        (4, "column 'b': '1...' is too large for a float64."),
        (5, "It holds no value in column 'a'."),
    ]
    assert told["bad_cells"] == {"b": {"too large": 1}}
    assert block.raws[0] == b'{"id":1,"a":1.5,"b":"2.5","c":1.0,"d":7.0,"at":"2024-01-01T00:00:00.25","k":"1"}'


def test_rows_that_were_deleted_behind_us(database):
    """A table that was emptied of what was read is gone on with, as its sequence knows how far it has come; a new one is refused."""
    database.run(TABLE)
    database.run(ADD.format(0, 9))
    database.run("DELETE FROM events")
    with PostgresSource.from_table(database.url, columns=["flow"]) as source:
        source.seek("0", 10)
        database.run("TRUNCATE events RESTART IDENTITY")
        with pytest.raises(StateError, match="ends at row None, before row 10"):
            source.seek("0", 10)
