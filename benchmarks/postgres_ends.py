"""What streamrnn costs between two tables of PostgreSQL, and how soon a result follows its row.

``python benchmarks/postgres_ends.py [events]`` starts a throw-away server. What is counted is CPU time of this process (the server's is not), from
connecting to closing. The latency is that of rows which come one by one, each in a transaction of its own, to a run in another process: from the
server's clock in the row to that in its result, the moment before the commit.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
from machine import cpu

from streamrnn import config
from streamrnn.engine.assemble import make_runtime
from streamrnn_postgres.server import Server

TURNS = 3
PACE_S = 0.02
"""Pause between two rows whose latency is measured."""

COLUMNS = ("flow", "level", "power")
LABELLED = {"kind": "RNNRegressor", "label": "power", "hidden_size": 16, "seed": 1}
MODELS: dict[str, dict[str, Any]] = {
    "labelled, the mixture": LABELLED,
    "detector (LSTM, 16 units)": {"hidden_size": 16, "seed": 1},
    "detector, 20 keys": {"hidden_size": 16, "seed": 1},
}

TABLE = """
CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, time timestamptz NOT NULL DEFAULT clock_timestamp(), pump text,
    flow float8, level float8, power float8
)
"""
FILL = """
INSERT INTO events (time, pump, flow, level, power)
SELECT '2024-01-01 00:00Z'::timestamptz + i * interval '1 second', 'p' || i % 20, sin(i / 50.0) + random(), random(), random()
FROM generate_series(1, {0}) i ORDER BY i
"""


def tables(url: str, model: str, table: str, *, follow: bool = False) -> dict[str, Any]:
    """Return a configuration."""
    source = {"kind": "postgres", "url": url, "columns": list(COLUMNS), "time": "time", "follow": follow}
    return {
        "source": source | ({"key": "pump"} if "keys" in model else {}),
        "model": MODELS[model],
        "sink": {"kind": "postgres", "url": url, "table": table},
        "state": {"every": 100_000},
    }


def ours(url: str, model: str, table: str) -> float:
    """Run over all rows; return the events a CPU second."""
    began = time.process_time()
    runtime = make_runtime(config.parse(tables(url, model, table), Path()))
    runtime.run()
    return runtime.summary.events / (time.process_time() - began)


def latencies(url: str, rows: int) -> tuple[list[float], float]:
    """Add rows to a run that follows; return the latency of each in ms, sorted, and the share of a core that the run has taken."""
    model = "detector (LSTM, 16 units)"
    with tempfile.TemporaryDirectory() as folder, psycopg.connect(url, autocommit=True) as connection:
        path = Path(folder, "watch.json")
        path.write_text(json.dumps(tables(url, model, "live", follow=True)), encoding="utf-8")
        connection.execute("TRUNCATE events RESTART IDENTITY")
        connection.execute(FILL.format(1000))
        run = subprocess.Popen([sys.executable, "-m", "streamrnn", "run", str(path)], stderr=subprocess.DEVNULL)
        while connection.execute("SELECT to_regclass('live')").fetchone() == (None,):
            time.sleep(0.1)
        connection.execute("ALTER TABLE live ADD COLUMN at timestamptz DEFAULT clock_timestamp()")
        while connection.execute("SELECT count(*) FROM live").fetchone() != (1000,):
            time.sleep(0.1)
        spent, began = _cpu_s(run.pid), time.monotonic()
        for i in range(rows):
            connection.execute("INSERT INTO events (flow, level, power) VALUES (%s, 0.5, 0.5)", (i % 7,))
            time.sleep(PACE_S)
        share = (_cpu_s(run.pid) - spent) / (time.monotonic() - began)
        while connection.execute("SELECT count(*) FROM live").fetchone() != (1000 + rows,):
            time.sleep(0.1)
        run.terminate()
        run.wait()
        found = connection.execute(
            "SELECT extract(epoch FROM live.at - e.time) * 1000 FROM live JOIN events e ON e.id = (result ->> 'position')::bigint WHERE e.id > 1000"
        ).fetchall()
        return sorted(float(one) for (one,) in found), share


def _cpu_s(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(events: int) -> None:
    """Print the tables."""
    with Server(settings={"listen_addresses": ""}) as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(TABLE)
            connection.execute(FILL.format(2048))
            for i, model in enumerate(MODELS):
                ours(server.url, model, f"warm_up_{i}")  # compiles, or loads what was compiled
            connection.execute("TRUNCATE events RESTART IDENTITY")
            connection.execute(FILL.format(events))
        rates = {
            model: [ours(server.url, model, f"out_{i}_{turn}") for turn in range(TURNS)]
            for i, model in enumerate(MODELS)
        }
        late, share = latencies(server.url, 1500)
    print(f"`python benchmarks/postgres_ends.py {events}` on {cpu()}, Python {platform.python_version()}\n")
    print(f"| what | events a CPU second, the median of {TURNS} | least | most |\n|---|---|---|---|")
    for model, found in rates.items():
        print(f"| {model} | {statistics.median(found):,.0f} | {min(found):,.0f} | {max(found):,.0f} |")
    print("\n| from a row to its result | ms |\n|---|---|")
    for name, at in (("median", 0.5), ("p99", 0.99), ("longest", 1.0)):
        print(f"| {name} of {len(late)} | {late[min(len(late) - 1, int(at * len(late)))]:.0f} |")
    print(f"\nThe run took {share:.1%} of a core meanwhile, at {1 / PACE_S:.0f} rows a second at most.")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300_000)
