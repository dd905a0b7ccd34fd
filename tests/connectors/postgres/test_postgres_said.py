"""What goes wrong between PostgreSQL and us is said, in names, rights, passwords and tables; and the guide is right."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest
from postgres_rig import CONFIG, place

from streamrnn.cli import main
from streamrnn.errors import (
    AccessError,
    ConfigError,
    SinkError,
    SourceError,
)
from streamrnn_postgres import PostgresSink, PostgresSource


def test_names_are_names(database):
    """Names with quotes, percent signs and statements in them are names, of tables, schemas, columns and partitions."""
    odd = '50% "x"; DROP TABLE a; -- $1 {y}\''
    quoted = '"' + odd.replace('"', '""') + '"'
    database.run(f"CREATE SCHEMA {quoted}")
    database.run(f"CREATE TABLE {quoted}.{quoted} (id serial PRIMARY KEY, {quoted} real)")
    database.run(f"INSERT INTO {quoted}.{quoted} ({quoted}) VALUES (1.5)")
    with PostgresSource.from_table(database.url, schema=odd, table=odd, columns=[odd]) as source:
        _, poll = source.poll(9, 0.0), source.poll(9, 0.0)
    with PostgresSink.to_table(database.url, schema=odd, table=f"{odd}r") as sink:
        sink.commit([b'"a\\tb"'], poll.blocks[0].dead_letters, {odd + "\t\\": 1}, {odd + "\t\\": b"one"})

    assert poll.blocks[0].events()[0].x == {odd: 1.5}
    assert list(PostgresSink.to_table(database.url, schema=odd, table=f"{odd}r").written()) == [
        (odd + "\t\\", b'"a\\tb"')
    ]


def test_what_is_wrong_is_said(database):
    """What is missing, or of a type that holds no numbers, is named before anything runs; so is a table of results that loses bytes."""
    database.run("CREATE TABLE events (id bigint PRIMARY KEY, a float8, b text, n int, t inet)")
    database.run("CREATE TABLE results (id bigint, partition text, result jsonb)")
    for wrong, said in (
        ({"table": "evnts"}, "There is no table 'evnts'"),
        ({"schema": "plant"}, "There is no table 'events' in the schema 'plant'"),
        ({"columns": ["c"]}, "has no column 'c'. It has 'id', 'a', 'b', 'n', 't'"),
        ({"columns": ["b"]}, "'b' of 'events' is of type text, which cannot be read here"),
        ({"time": "t"}, "'t' of 'events' is of type inet"),
        ({"position": "a"}, "is of type float8: a position must be a bigint"),
        ({"position": "n"}, "may be NULL"),
    ):
        [error] = PostgresSource.from_table(database.url, **{"columns": ["a"], **wrong}).check()
        assert isinstance(error, SourceError)
        assert said in str(error)
    for options, said in (
        ({}, "its column 'result' is of type jsonb, which does not keep what is written"),
        ({"table": "events"}, "it has no column 'partition'"),
        ({"schema": "plant"}, "There is no schema 'plant'"),
    ):
        [error] = PostgresSink.to_table(database.url, **options).check()
        assert isinstance(error, SinkError)
        assert said in str(error)


def test_rights_and_passwords(database, tmp_path, capsys, caplog):
    """A password that is refused, and rights that lack, have exit codes of their own; nothing that is said shows a password."""
    mine = database.url.replace("//postgres@", "//watcher:wr0ng-one@")
    [error] = PostgresSink.to_table(mine).check()
    assert isinstance(error, AccessError)
    assert "password authentication failed" in str(error)
    [error] = PostgresSource.from_table(database.url.replace("postgres@", "watcher@"), columns=["a"]).check()
    assert isinstance(error, AccessError)
    mine = mine.replace("wr0ng-one", "tr0ub4dor")
    [error] = PostgresSink.to_table(mine).check()
    assert isinstance(error, SinkError)
    assert "The user may not make tables in 'public'" in str(error)
    with pytest.raises(AccessError, match="permission denied"), PostgresSink.to_table(mine):
        pass
    with PostgresSink.to_table(database.url):
        pass
    for rights, lacking in (
        (
            "INSERT, SELECT ON results, results_dead_letters",
            'results_state" cannot be written: the user lacks the right to SELECT',
        ),
        (
            "INSERT, SELECT, UPDATE ON results_state",
            'results_snapshots" cannot be written: the user lacks the right to SELECT',
        ),
        ("INSERT, SELECT ON results_snapshots", "lacks the right to DELETE"),
    ):
        database.run(f"GRANT {rights} TO watcher")
        [error] = PostgresSink.to_table(mine).check()
        assert lacking in str(error)
    database.run("GRANT DELETE ON results_snapshots TO watcher")
    assert PostgresSink.to_table(mine).check() == []
    with PostgresSink.to_table(mine) as sink:
        sink.commit([b"1"], [], {"0": 1}, {"0": b"one"})
        assert sink.restore("0").snapshot == b"one"
    with pytest.raises(ConfigError) as raised:
        PostgresSink.to_table("postgresql://watcher:s3cret-one@[x")
    assert "s3cret-one" not in str(raised.value)
    place(tmp_path, database, 3).write_text(
        CONFIG.replace('url = "${DATABASE_URL}"', f'url = "{database.url.replace("postgres@", "watcher:wr0ng-one@")}"')
    )
    for command in ("check", "run"):
        with pytest.raises(SystemExit) as ended:
            main([command, str(tmp_path / "watch.toml")])
        said = capsys.readouterr()
        assert ended.value.code == 77
        assert "refuses the log-in" in said.err
        assert "wr0ng-one" not in said.out + said.err + caplog.text


def test_the_guide(database):
    """The statements of the guide run as they stand, and the tables it shows are those that a run makes."""
    text = (Path(__file__).parents[3] / "docs" / "postgres.md").read_text()
    database.run("CREATE TABLE readings (time timestamptz, sensor text, payload jsonb, kind text)")
    for statements in re.findall(r"^```sql\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        database.run(statements)
    columns = (
        "SELECT attrelid::regclass::text, attname, atttypid, attnotnull, attidentity FROM pg_attribute WHERE attnum > 0"
    )
    tables = ("", "_dead_letters", "_state", "_snapshots")
    shown = sorted(row for row in database.run(columns) if row[0] in {"alarms", *(f"results{one}" for one in tables)})
    with PostgresSink.to_table(database.url, alarms="alarms") as sink:
        sink.commit([b'{"key":"a","score":1.5,"alarm":true,"time":null}'], [], {"0": 1}, {"0": b"one"})
    assert database.run("SELECT key, score, is_alarm FROM scores") == [("a", 1.5, True)]
    database.run("DROP VIEW scores")
    database.run(f"DROP TABLE alarms, {', '.join(f'results{one}' for one in tables)}")
    with PostgresSink.to_table(database.url, alarms="alarms"):
        made = sorted(row for row in database.run(columns) if row[0] in {one[0] for one in shown})
    assert [
        row for row in shown if row[:2] not in {("results", "key"), ("results", "score"), ("results", "is_alarm")}
    ] == made


def test_a_position_twice(database):
    """Two rows with one position are an error, wherever a block ends: one of them would be passed over."""
    database.run("CREATE TABLE events (id int NOT NULL, a float8)")
    database.run("INSERT INTO events VALUES (1, 1), (2, 2), (2, 3)")
    for size in (2, 9):
        source = PostgresSource.from_table(database.url, columns=["a"])
        with pytest.warns(RuntimeWarning, match="no index on 'id'"):
            source.__enter__()
        with contextlib.closing(source._connection):
            source.poll(size, 0.0)
            with pytest.raises(SourceError, match="'id' of 'events' is 2 in two rows"):
                source.poll(size, 0.0)
