"""``make kills``: kill -9 at 100 random moments of a file run, a Kafka run and one of PostgreSQL; then every byte of the output is compared.

``python -m tests.chaos.kills`` writes ``benchmarks/results/kills.md``; ``--kills N``, ``--seed N`` and ``--only file|kafka|postgres`` choose less.

Before each start the input grows, so that there is always work. Half of the kills come at a moment drawn over start, restore and
replay, the other half after results have been seen to grow, in the middle of scoring, writing and snapshots. PostgreSQL itself is restarted five times while its run goes on: asked to, at once, and by kill -9;
rows are added by transactions that end in another order than they began in.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONNECTORS = Path(__file__).parents[1] / "connectors"
sys.path[:0] = [str(CONNECTORS / "kafka"), str(CONNECTORS / "postgres"), str(Path(__file__).parents[2] / "benchmarks")]

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "kills.md"
WAIT_S = 240.0


@dataclass
class Tally:
    """What was done to a run, and what it left."""

    what: str
    kills: int = 0
    early: int = 0
    events: int = 0
    size: int = 0
    same: bool = False

    def row(self) -> str:
        """Return a row of the table."""
        verdict = "identical" if self.same else "**DIFFERENT**"
        return f"| {self.what} | {self.kills} | {self.early} | {self.events:,} | {self.size:,} | {verdict} |"


def wait(ready: Callable[[], bool]) -> None:
    """Wait until ``ready()``."""
    end = time.monotonic() + WAIT_S
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.02)


def moment(drawn: random.Random, grown: Callable[[], bool], alive: Callable[[], bool], start_s: float) -> bool:
    """Let a moment pass; return whether it came before any new result was seen."""
    if drawn.random() < 0.5:
        time.sleep(drawn.uniform(0.0, start_s))
        return not grown()
    wait(lambda: grown() or not alive())
    time.sleep(drawn.uniform(0.0, 0.3))
    return False


def file_run(folder: Path, kills: int, seed: int, rows: int = 20_000) -> Tally:
    """Kill a run over a growing file; compare output and dead letters with those of one that was left alone."""
    from tests.daemon.daemon_rig import Process, lines, place

    drawn = random.Random(seed)
    tally = Tally("file to file")
    more = '[dead_letter]\npath = "dead.jsonl"\n'
    config = place(folder / "killed", 0, follow=True, more=more)

    def grow(file: Path, i: int) -> None:
        with file.open("a") as opened:
            opened.write(lines(rows, i * rows) + "2024-01-01T00:00:00Z,none of these,s0\n")

    for i in range(kills):
        grow(folder / "killed" / "in.csv", i)
        with Process(config) as run:
            out = folder / "killed" / "out.jsonl"
            before = out.stat().st_size if out.exists() else 0
            tally.early += moment(
                drawn,
                lambda out=out, before=before: out.exists() and out.stat().st_size > before,  # type: ignore[misc]
                lambda run=run: run.process.poll() is None,  # type: ignore[misc]
                1.6,
            )
            if run.process.poll() is not None:
                raise RuntimeError(run.err.read_text())
            run.process.kill()
            tally.kills += 1
    with Process(config) as run:
        wait(lambda: run.outputs() == kills * rows and run.said("started") is not None)  # it takes signals by then
        if run.stop(signal.SIGTERM) != 0:
            raise RuntimeError(run.err.read_text())
    alone = place(folder / "alone", 0, more=more)
    (folder / "alone" / "in.csv").write_bytes((folder / "killed" / "in.csv").read_bytes())
    with Process(alone) as run:
        if run.process.wait() != 0:
            raise RuntimeError(run.err.read_text())
    pairs = [
        [(folder / where / name).read_bytes() for where in ("killed", "alone")] for name in ("out.jsonl", "dead.jsonl")
    ]
    tally.events, tally.size = kills * rows, sum(len(one) for one, _ in pairs)
    tally.same = all(one == other for one, other in pairs) and tally.size > 0
    return tally


def kafka_run(folder: Path, kills: int, seed: int, rows: int = 1_500) -> Tally:
    """Kill a run from Kafka to Kafka; compare keys and values with one pass over lists, without Kafka."""
    from kafka_rig import Rig, make_records, offline, stop

    from streamrnn_kafka.broker import Broker

    drawn = random.Random(seed)
    tally = Tally("Kafka to Kafka, 3 partitions")
    records = make_records(kills * rows, 3, bad=97, seed=seed)
    with Broker() as broker, Rig(broker.servers) as rig:
        expected = offline(records, topic=rig.topic)
        rig.create(3)
        config = rig.config(folder)
        for i in range(kills):
            rig.produce(records[i * rows : (i + 1) * rows])
            before = rig.ends(rig.output)
            worker = rig.start(config)
            tally.early += moment(
                drawn,
                lambda before=before: rig.ends(rig.output) > before,  # type: ignore[misc]
                lambda worker=worker: worker.poll() is None,  # type: ignore[misc]
                2.5,
            )
            if worker.poll() is not None:
                raise RuntimeError(config.with_suffix(".log").read_text()[-4000:])
            worker.kill()
            worker.wait()
            tally.kills += 1
        worker = rig.start(config)
        wait(lambda: rig.ends(rig.output) > 0 and rig.lag() == 0)
        if stop(worker) != 0:
            raise RuntimeError(config.with_suffix(".log").read_text()[-4000:])
        found = rig.pairs(rig.output)
    tally.events = len(records)
    tally.size = sum(len(value) for pairs in found.values() for _, value in pairs)
    tally.same = found == expected
    return tally


def shuffled_rows(database: Any, start: int, rows: int, drawn: random.Random) -> None:
    """Add rows in eight transactions that begin one after another and end in any order; one of them is rolled back."""
    from postgres_rig import ADD

    with contextlib.ExitStack() as stack:
        some = [stack.enter_context(contextlib.closing(database.connect())) for _ in range(8)]
        for i, connection in enumerate(some):
            connection.execute(ADD.format(start + i * rows // 8, start + (i + 1) * rows // 8))
        drawn.shuffle(some)
        some.pop().rollback()
        for connection in some:
            time.sleep(drawn.uniform(0.0, 0.02))
            connection.commit()


def postgres_run(folder: Path, kills: int, seed: int, rows: int = 2_000) -> Tally:
    """Kill a run from PostgreSQL to PostgreSQL, and its server; compare results, dead letters and alarms with those of one pass."""
    from postgres_rig import Database, of_one_pass, place, results, run, written

    from streamrnn_postgres.server import Server

    drawn = random.Random(seed)
    restarts = {round((i + 0.5) * kills / 5): how for i, how in enumerate(("INT", "QUIT", "KILL", "KILL", "INT"))}
    tally = Tally(f"PostgreSQL to PostgreSQL, {len(restarts)} restarts of the server")
    with Server() as server, Database(server) as database:
        config = place(folder, database, 0)
        config.write_text(config.read_text().replace("follow = false", "follow = true"))
        for i in range(kills):
            shuffled_rows(database, i * rows, rows, drawn)
            before = results(database)
            with config.with_suffix(".log").open("w") as log:
                worker = subprocess.Popen([sys.executable, "-m", "streamrnn", "run", str(config)], stderr=log)
            if i in restarts:
                wait(lambda before=before: results(database) > before)  # type: ignore[misc]
                server.stop(signal.Signals[f"SIG{restarts[i]}"])
                time.sleep(drawn.uniform(0.0, 2.0))
                server.start()
                shuffled_rows(database, (kills + i) * rows, rows, drawn)
                before = results(database)
            tally.early += moment(
                drawn,
                lambda before=before: results(database) > before,  # type: ignore[misc]
                lambda worker=worker: worker.poll() is None,  # type: ignore[misc]
                2.5,
            )
            if worker.poll() is not None:
                raise RuntimeError(config.with_suffix(".log").read_text()[-4000:])
            worker.kill()
            worker.wait()
            tally.kills += 1
        config.write_text(config.read_text().replace("follow = true", "follow = false"))
        run(config)
        found, expected = written(database), of_one_pass(config, database)
    tally.events = len(found[0]) + len(found[1])
    tally.size = sum(len(str(cell)) for table in found for row in table for cell in row)
    tally.same = found == expected and tally.events > 0
    for name, mine, theirs in zip(("results", "dead letters", "alarms"), found, expected, strict=True):
        left, more = Counter(theirs) - Counter(mine), Counter(mine) - Counter(theirs)
        doubled = sum(n - 1 for n in Counter(mine).values())
        sys.stdout.write(f"{name}: {len(mine)}; missing {left.total()}, doubled {doubled}, different {more.total()}\n")
    return tally


RUNS = {"file": file_run, "kafka": kafka_run, "postgres": postgres_run}


def main() -> None:
    """Run, and write the table."""
    from machine import cpu

    read = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    read.add_argument("--kills", type=int, default=100)
    read.add_argument("--seed", type=int, default=1)
    read.add_argument("--only", choices=RUNS)
    given = read.parse_args()
    rows = []
    for name, run in RUNS.items():
        if given.only in (None, name):
            with tempfile.TemporaryDirectory() as folder:
                rows.append(run(Path(folder), given.kills, given.seed))
                sys.stdout.write(rows[-1].row() + "\n")
    if given.only is None:
        RESULTS.write_text(
            "# kill -9 at random moments\n\n"
            f"Machine: {cpu()}. Command: `make kills` (seed {given.seed}). What is done is said at the top of "
            "[`kills.py`](../../tests/chaos/kills.py).\n\n"
            "| run | kills | of these before any new result | events | bytes compared | against an uninterrupted run |\n"
            "|---|---|---|---|---|---|\n" + "".join(f"{row.row()}\n" for row in rows)
        )
    sys.exit(not all(row.same for row in rows))


if __name__ == "__main__":
    main()
