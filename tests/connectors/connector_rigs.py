"""The rigs of the connectors that need no server."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from streamrnn.io import Block, Poll, Position, SinkContext, SourceContext
from streamrnn.testing import Record
from streamrnn_files import FileSink, FileSource
from streamrnn_sqlite import SqliteSink, SqliteSource


class FileRig:
    """A CSV, and JSON Lines with a state directory."""

    partitions = ("0",)
    source_class, sink_class = FileSource, FileSink

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "in.csv").write_text("a,b,k,t,note\n")

    def write(self, records: Sequence[Record | None], partition: str) -> None:
        with (self.folder / "in.csv").open("a") as file:
            for one in records:
                b = "" if one is None or one.b is None else repr(one.b)
                file.write("much,,k,t,x\n" if one is None else f"{one.a!r},{b},{one.key},{one.time},x\n")

    def truncate(self, partition: str, keep: int) -> None:
        path = self.folder / "in.csv"
        path.write_text("".join(path.read_text().splitlines(keepends=True)[: keep + 1]))

    def source(self, context: SourceContext) -> FileSource:
        options = FileSource.Options(path=str(self.folder / "in.csv"), columns=("a", "b"), time="t", key="k")
        return self.source_class(options, context)

    def following(self, context: SourceContext) -> FileSource:
        """The same as JSON Lines, to which feedback can be appended."""
        path = self.folder / "in.jsonl"
        if not path.exists():
            rows = csv.DictReader((self.folder / "in.csv").read_text().splitlines())
            lines = [
                {"a": float(one["a"]), "b": float(one["b"] or "nan"), "k": one["k"], "t": one["t"]} for one in rows
            ]
            path.write_text("".join(f"{json.dumps(one)}\n" for one in lines).replace("NaN", "null"))
        options = FileSource.Options(path=str(path), columns=("a", "b"), time="t", key="k", follow=True)
        return self.source_class(options, context)

    def sink(self, context: SinkContext) -> FileSink:
        places = {"dead_letters": str(self.folder / "dead"), "state": str(self.folder / "state")}
        return self.sink_class(
            FileSink.Options(path=str(self.folder / "out"), fsync="never"), replace(context, **places)
        )

    def outputs(self, partition: str) -> list[bytes]:
        return (self.folder / "out").read_bytes().splitlines()

    def dead_letters(self, partition: str) -> list[tuple[str, str]]:
        found = [json.loads(line) for line in (self.folder / "dead").read_bytes().splitlines()]
        return [(str(one["position"]), one["reason"]) for one in found if one["partition"] == partition]


class SqliteRig:
    """Tables of one database."""

    partitions = ("0",)
    source_class, sink_class = SqliteSource, SqliteSink

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "plant.db")
        self.run("CREATE TABLE events (id INTEGER PRIMARY KEY, a REAL, b REAL, k TEXT, t TEXT)")

    def run(self, statement: str, rows: Sequence[tuple[object, ...]] = ((),)) -> list[tuple[object, ...]]:
        database = sqlite3.connect(self.path)
        with database:
            found = [row for one in rows for row in database.execute(statement, one).fetchall()]
        database.close()
        return found

    def write(self, records: Sequence[Record | None], partition: str) -> None:
        rows = [("much", None, "k", "t") if one is None else (one.a, one.b, one.key, one.time) for one in records]
        self.run("INSERT INTO events (a, b, k, t) VALUES (?, ?, ?, ?)", rows)

    def truncate(self, partition: str, keep: int) -> None:
        self.run("DELETE FROM events WHERE id > ?", [(keep,)])

    def source(self, context: SourceContext) -> SqliteSource:
        options = SqliteSource.Options(path=self.path, columns=("a", "b"), time="t", key="k")
        return self.source_class(options, context)

    def following(self, context: SourceContext) -> SqliteSource:
        options = SqliteSource.Options(path=self.path, columns=("a", "b"), time="t", key="k", follow=True)
        return self.source_class(options, context)

    def sink(self, context: SinkContext) -> SqliteSink:
        return self.sink_class(SqliteSink.Options(path=self.path), context)

    def outputs(self, partition: str) -> list[bytes]:
        found = self.run("SELECT result FROM results WHERE partition = ? ORDER BY id", [(partition,)])
        return [str(result).encode() for (result,) in found]

    def dead_letters(self, partition: str) -> list[tuple[str, str]]:
        found = self.run(
            "SELECT position, reason FROM results_dead_letters WHERE partition = ? ORDER BY id", [(partition,)]
        )
        return [(str(position), str(reason)) for position, reason in found]


class BothSource:
    """Two tables as two partitions: what has more than one, without a server."""

    keeps_raw = True
    begins_again = True

    def __init__(self, sources: dict[str, SqliteSource]) -> None:
        self.sources = sources

    def __enter__(self) -> Self:
        for one in self.sources.values():
            one.__enter__()
        self.announced = False
        return self

    def __exit__(self, *exc: object) -> None:
        for one in self.sources.values():
            one.__exit__(*exc)

    def seek(self, partition: str, position: Position) -> None:
        self.sources[partition].seek("0", position)

    def poll(self, max_events: int, timeout_s: float) -> Poll:
        polls = {name: one.poll(max(1, max_events // 2), timeout_s) for name, one in self.sources.items()}
        if not self.announced:
            self.announced = True
            return Poll(assigned=tuple(polls))
        if max_events == 1:  # one of each would be one too many
            return self.one_of(polls)
        blocks = [self.named(name, block) for name, poll in polls.items() for block in poll.blocks]
        return Poll(blocks, ended=all(poll.ended for poll in polls.values()))

    def one_of(self, polls: dict[str, Poll]) -> Poll:
        first = next((name for name, poll in polls.items() if poll.blocks), None)
        for name, poll in polls.items():
            if name != first and poll.blocks:
                block = poll.blocks[0]
                self.seek(name, [*block.positions, *(one.position for one in block.dead_letters)][0])
        blocks = [] if first is None else [self.named(first, polls[first].blocks[0])]
        return Poll(blocks, ended=first is None)

    def named(self, name: str, block: Block) -> Block:
        letters = [replace(one, partition=name) for one in block.dead_letters]
        return replace(block, partition=name, dead_letters=letters)


class BothRig(SqliteRig):
    """Two tables of one database, and results of both in one."""

    partitions = ("left", "right")
    source_class = BothSource  # type: ignore[assignment]

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "plant.db")
        for name in self.partitions:
            self.run(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, a REAL, b REAL, k TEXT, t TEXT)")

    def write(self, records: Sequence[Record | None], partition: str) -> None:
        rows = [("much", None, "k", "t") if one is None else (one.a, one.b, one.key, one.time) for one in records]
        self.run(f"INSERT INTO {partition} (a, b, k, t) VALUES (?, ?, ?, ?)", rows)

    def truncate(self, partition: str, keep: int) -> None:
        self.run(f"DELETE FROM {partition} WHERE id > ?", [(keep,)])

    def source(self, context: SourceContext) -> BothSource:  # type: ignore[override]
        options = [
            SqliteSource.Options(path=self.path, table=name, columns=("a", "b"), time="t", key="k")
            for name in self.partitions
        ]
        return self.source_class({one.table: SqliteSource(one, context) for one in options})
