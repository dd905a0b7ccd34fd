"""SQLite to SQLite by configuration: exactly once through kill -9, and what goes wrong is said."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from streamrnn import config
from streamrnn.cli import main
from streamrnn.engine.assemble import make_runtime
from streamrnn.errors import ConfigError, FullError, RetriableSinkError, SinkError, SourceError, StateError
from streamrnn.scorers.check_model import check_model
from streamrnn_sqlite import SqliteSink, SqliteSource
from streamrnn_sqlite.table import read_only
from tests.compiled import compile_detector

CONFIG = """
[source]
kind = "sqlite"
path = "plant.db"
columns = ["flow"]
time = "time"
key = "sensor"
[model]
hidden_size = 8
seed = 3
[alarm]
warm_up = 50
rate = 0.05
[sink]
kind = "sqlite"
path = "plant.db"
[state]
every = 300
"""


def place(folder: Path, rows: int, more: str = "") -> Path:
    """Lay out a database and its configuration; every hundredth row is no event."""
    folder.mkdir()
    compile_detector(8)
    with closing(sqlite3.connect(folder / "plant.db")) as database, database:
        database.execute("CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, flow, time TEXT, sensor TEXT)")
    add(folder, 0, rows)
    (folder / "watch.toml").write_text(CONFIG + more)
    return folder / "watch.toml"


def add(folder: Path, start: int, end: int) -> None:
    some = [("much" if i % 100 == 50 else i * 7 % 24 / 3, f"2024-01-01T{i:06}", f"s{i % 2}") for i in range(start, end)]
    with closing(sqlite3.connect(folder / "plant.db")) as database, database:
        database.executemany("INSERT INTO events (flow, time, sensor) VALUES (?, ?, ?)", some)


def rows(folder: Path, statement: str) -> list[tuple]:
    with closing(sqlite3.connect(folder / "plant.db", timeout=30)) as database:
        try:
            return database.execute(statement).fetchall()
        except sqlite3.OperationalError:
            return []


def written(folder: Path) -> list[list[tuple]]:
    return [
        rows(folder, "SELECT partition, result FROM results ORDER BY id"),
        rows(folder, "SELECT partition, position, reason, raw FROM results_dead_letters ORDER BY id"),
    ]


def run(path: Path, **options) -> None:
    make_runtime(config.load(path, check_model), **options).run()


def test_a_run_by_configuration(tmp_path, capsys):
    """``streamrnn check``, ``run`` and ``verify`` go from a table to a table of one database."""
    path = place(tmp_path / "plant", 400)
    for words in (["check"], ["run"], ["verify"]):
        with pytest.raises(SystemExit) as ended:
            main([*words, str(path)])
        assert ended.value.code == 0, capsys.readouterr().err

    results, letters = written(tmp_path / "plant")
    assert (len(results), len(letters)) == (396, 4)
    assert "396 results are the same, bit for bit" in capsys.readouterr().out


@pytest.mark.slow
def test_kills(tmp_path):
    """Killed with -9 at random moments while rows are added, a run leaves the results and dead letters of one that was left alone."""
    drawn, path = random.Random(4), place(tmp_path / "killed", 0)
    path.write_text(path.read_text().replace("[source]\n", "[source]\nfollow = true\n"))
    for i in range(4):
        add(tmp_path / "killed", 3000 * i, 3000 * (i + 1))
        before = len(rows(tmp_path / "killed", "SELECT id FROM results"))
        with subprocess.Popen(
            [sys.executable, "-m", "streamrnn", "run", str(path)], stderr=subprocess.DEVNULL
        ) as process:
            end = time.monotonic() + 120
            while len(rows(tmp_path / "killed", "SELECT id FROM results")) == before and time.monotonic() < end:
                time.sleep(0.01)
            time.sleep(drawn.uniform(0.0, 0.1))
            process.kill()
    path.write_text(path.read_text().replace("follow = true\n", ""))
    run(path)
    run(place(tmp_path / "whole", 12_000))

    assert written(tmp_path / "killed") == written(tmp_path / "whole")
    assert len(written(tmp_path / "whole")[0]) == 11_880


def test_a_journal_of_a_killed_writer_is_rolled_back(tmp_path):
    """A database whose writer was killed while it wrote is read as it was before, by a run and by a look at its results."""
    path, whole = place(tmp_path / "whole", 300), tmp_path / "whole" / "plant.db"
    killed = tmp_path / "killed"
    killed.mkdir()
    with closing(sqlite3.connect(whole, isolation_level=None)) as database:
        database.execute("PRAGMA cache_size = 1")  # pages go to the file before the end of the transaction
        database.execute("BEGIN")
        database.execute("UPDATE events SET flow = 1e6, sensor = hex(zeroblob(500))")
        for one in ("plant.db", "plant.db-journal"):
            shutil.copy(tmp_path / "whole" / one, killed / one)
        database.execute("ROLLBACK")
    (killed / "watch.toml").write_text(path.read_text())
    with (
        closing(sqlite3.connect((killed / "plant.db").as_uri() + "?mode=ro", uri=True)) as database,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        database.execute("SELECT flow FROM events").fetchall()

    run(killed / "watch.toml")
    run(path)

    assert written(killed) == written(tmp_path / "whole")


def test_a_source_changes_nothing(tmp_path):
    """The connection of a source has no right to change the database."""
    place(tmp_path / "plant", 3)
    with (
        closing(read_only(str(tmp_path / "plant" / "plant.db"))) as database,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        database.execute("DELETE FROM events")


def test_block_sizes_and_restarts_change_nothing(tmp_path):
    """Rows that are added between two runs give what one run over all of them gives, whatever the size of blocks."""
    path = place(tmp_path / "parts", 300)
    run(path, block_events=7)
    add(tmp_path / "parts", 300, 700)
    run(path, block_events=64)
    run(place(tmp_path / "whole", 700))

    assert written(tmp_path / "parts") == written(tmp_path / "whole")


def test_snapshots_are_kept_of_each_partition(tmp_path):
    """Of each partition the newest snapshots are kept, as many as asked for; another's never take their place."""
    with SqliteSink.to_table(tmp_path / "a.db", snapshots_kept=2) as sink:
        sink.commit([], [], {"a": 1}, {"a": b"a1"})
        for i in range(4):
            sink.commit([], [], {"b": i}, {"b": b"b%d" % i})

        assert [(one.partition, one.position, one.data) for one in sink.snapshots()] == [
            ("a", 1, b"a1"),
            ("b", 3, b"b3"),
            ("b", 2, b"b2"),
        ]
        assert (sink.restore("a").snapshot, sink.restore("b").snapshot) == (b"a1", b"b3")


def test_one_run_for_a_table(tmp_path):
    """Of two runs that write to one table the later goes on; the next commit of the other fails, and writes nothing."""
    with SqliteSink.to_table(tmp_path / "a.db") as first:
        first.commit([b"1"], [], {"0": 1}, {"0": b"one"})
        with SqliteSink.to_table(tmp_path / "a.db") as second:
            with pytest.raises(SinkError, match="Another run writes to the table 'results'"):
                first.commit([b"x"], [], {"0": 2})
            second.commit([b"2"], [], {"0": 2})

    assert list(SqliteSink.to_table(tmp_path / "a.db").written()) == [("0", b"1"), ("0", b"2")]


def test_a_damaged_snapshot_gives_way(tmp_path):
    """The newest whole snapshot serves, with a warning; where none is whole, the run does not start."""
    with SqliteSink.to_table(tmp_path / "a.db", snapshots_kept=2) as sink:
        for i in range(4):
            sink.commit([], [], {"0": i}, {"0": b"model %d" % i})
    with closing(sqlite3.connect(tmp_path / "a.db")) as database, database:
        database.execute("UPDATE results_snapshots SET data = x'00' WHERE id = 4")
    with (
        SqliteSink.to_table(tmp_path / "a.db") as sink,
        pytest.warns(RuntimeWarning, match="0-4 is damaged; going on from 0-3"),
    ):
        restored = sink.restore("0")

    assert [one.problem for one in sink.snapshots()] == ["its SHA-256 differs", None]
    assert (restored.position, restored.snapshot, restored.snapshot_position) == (3, b"model 2", 2)
    with closing(sqlite3.connect(tmp_path / "a.db")) as database, database:
        database.execute("UPDATE results_snapshots SET data = x'00'")
    with SqliteSink.to_table(tmp_path / "a.db") as sink, pytest.raises(StateError, match="is whole"):
        sink.restore("0")


def test_a_full_database_and_a_locked_one(tmp_path):
    """Where there is no room the commit may be tried again; where another holds the lock, the run restores and goes on."""
    with SqliteSink.to_table(tmp_path / "a.db") as sink:
        pages = sink._database.execute("PRAGMA page_count").fetchone()[0]
        sink._database.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(FullError, match="nothing is lost"):
            sink.commit([b"x" * 100_000], [], {"0": 1})
        sink._database.execute("PRAGMA max_page_count = 100000")
        sink.commit([b"x" * 100_000], [], {"0": 1})
        sink._database.execute("PRAGMA busy_timeout = 10")
        with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(RetriableSinkError, match="locked"):
                sink.commit([b"y"], [], {"0": 2})

        assert len(list(sink.written())) == 1


def test_what_is_wrong_is_said(tmp_path):
    """A missing table or column, and a file that is no database, are named before anything runs."""
    path = place(tmp_path / "plant", 3)
    options = {"columns": ["flow"]}
    for wrong, said in (
        ({"table": "evnts"}, "no such table: evnts"),
        ({"columns": ["flw"]}, "no such column: events.flw"),
    ):
        [error] = SqliteSource.from_table(path.with_name("plant.db"), **{**options, **wrong}).check()
        assert isinstance(error, SourceError)
        assert said in str(error)
    assert [str(one).rpartition(": ")[2] for one in SqliteSink.to_table(path).check()] == ["file is not a database."]
    path.write_text(CONFIG.replace("[state]", "[state]\ndir = 'state'"))
    with pytest.raises(ConfigError, match=r"\[state\] dir: the sink 'sqlite' does not support this"):
        run(path)


def test_cells_that_are_no_numbers(tmp_path):
    """NULL is a missing value; so are text and bytes, which are counted; infinity is a number; -0.0 keeps its sign."""
    with closing(sqlite3.connect(tmp_path / "a.db")) as database, database:
        database.execute("CREATE TABLE events (a, b)")
        cells = [(1, 2.5), (None, 1), (None, None), ("1.5", 1), (b"1", 1), (9e999, 1), (-0.0, 2**62), ("much", None)]
        database.executemany("INSERT INTO events VALUES (?, ?)", cells)
    with SqliteSource.from_table(tmp_path / "a.db", columns=["a", "b"]) as source:
        _, poll = source.poll(99, 0.0), source.poll(99, 0.0)
        [block], told = poll.blocks, source.chosen()

    missing = "[nan, 1.0]"
    expected = ["[1.0, 2.5]", missing, missing, missing, "[inf, 1.0]", f"[-0.0, {float(2**62)}]"]
    assert [str(row) for row in block.values.tolist()] == expected
    assert [(one.position, one.reason) for one in block.dead_letters] == [
        (3, "It holds no value in column 'a'."),
        (8, "column 'a': 'much' is not a number."),
    ]
    assert told["bad_cells"] == {"a": {"text": 1, "bytes": 1}}
