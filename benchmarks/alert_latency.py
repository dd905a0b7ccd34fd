"""How soon people hear of a fault: from its row to the webhook, an Alertmanager, and the row of results in PostgreSQL.

``python benchmarks/alert_latency.py [faults]`` appends faults to an input that is followed, one every two seconds, and notes when a web server here is told.
The run and ``streamrnn alerts`` are processes of their own: JSON Lines to files, and PostgreSQL to PostgreSQL with a throw-away server. What an Alertmanager does with what it
is told (``group_wait``) is its own.
"""

from __future__ import annotations

import json
import math
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import psycopg

from streamrnn_postgres.server import Server

BEFORE = 2000
PAUSE_S = 2.0
COMMON = """
[model]
hidden_size = 8
seed = 1
[alarm]
rate = 0.01
[output]
fields = ["time", "score", "alarm"]
"""


class Receiver(BaseHTTPRequestHandler):
    """Notes when it was told of the start of each episode: by a webhook, or as an Alertmanager is."""

    heard: ClassVar[dict[tuple[str, str], float]] = {}

    def do_POST(self) -> None:
        now = time.time()
        data = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/hook":
            if data["event"] == "start":
                self.heard.setdefault(("webhook", data["start"]["time"]), now)
        else:
            for one in data:
                begun = datetime.fromisoformat(one["startsAt"]).timestamp()
                self.heard.setdefault(("Alertmanager", f"{begun:.6f}"), now)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def level(i: int, drawn: np.random.Generator, *, fault: bool) -> float:
    """Return one value of a noisy wave."""
    return float(10 + 3 * math.sin(i / 20) + drawn.normal(0, 0.2) + 40 * fault)


def play(put: Callable[[str, float], None], faults: int) -> list[str]:
    """Write usual rows, then faults among them; return the times of the faults, which are those of the clock."""
    drawn, said = np.random.default_rng(1), []
    for i in range(BEFORE):
        put(f"{time.time() - BEFORE + i:.6f}", level(i, drawn, fault=False))
    time.sleep(45)  # it compiles, and comes to the end
    for n in range(faults):
        end = time.monotonic() + PAUSE_S
        said.append(f"{time.time():.6f}")
        put(said[-1], level(BEFORE + n, drawn, fault=True))
        for _ in range(25):
            time.sleep(max(0.0, (end - time.monotonic()) / 26))
            for _ in range(10):  # so that faults stay rare
                put(f"{time.time():.6f}", level(BEFORE + n, drawn, fault=False))
        time.sleep(max(0.0, end - time.monotonic()))
    time.sleep(3)
    return said


def processes(config: Path) -> list[subprocess.Popen[bytes]]:
    """Start the run, and what tells of its alarms."""
    log = config.with_suffix(".log").open("wb")
    line = [sys.executable, "-m", "streamrnn"]
    return [
        subprocess.Popen([*line, command, str(config)], stderr=log, cwd=config.parent) for command in ("run", "alerts")
    ]


def alarms(port: int, place: str) -> str:
    """Return the table of alarms."""
    return f"""
[alarms]
{place}
ends_after = 5
webhook = "http://127.0.0.1:{port}/hook"
alertmanager = "http://127.0.0.1:{port}"
position_file = "position"
"""


def files(folder: Path, port: int, faults: int) -> dict[str, list[float]]:
    """Return latencies in seconds, of files."""
    (folder / "in.jsonl").touch()
    config = folder / "watch.toml"
    config.write_text(
        '[source]\npath = "in.jsonl"\ncolumns = ["level"]\ntime = "at"\nkey = ""\nfollow = true\n[sink]\npath = "out.jsonl"\n[state]\ndir = "state"\n'
        + alarms(port, 'path = "alarms.jsonl"') + COMMON
    )  # fmt: skip
    with (folder / "in.jsonl").open("a") as file:

        def put(at: str, value: float) -> None:
            file.write(json.dumps({"at": at, "level": value}) + "\n")
            file.flush()

        running = processes(config)
        said = play(put, faults)
    for one in running:
        one.terminate()
        one.wait()
    return heard(said)


def heard(said: list[str]) -> dict[str, list[float]]:
    """Return after how many seconds each receiver was told of each fault."""
    names = sorted({name for name, _ in Receiver.heard})
    return {
        name: [Receiver.heard[name, at] - float(at) for at in said if (name, at) in Receiver.heard] for name in names
    }


def postgres(folder: Path, port: int, faults: int) -> dict[str, list[float]]:
    """Return latencies in seconds, of tables: that of the row of results is from the table's own clock."""
    with Server(folder=folder / "pg") as server, psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at text, level float8)"
        )
        config = folder / "watch.toml"
        config.write_text(
            f'[source]\nkind = "postgres"\nurl = "{server.url}"\ncolumns = ["level"]\ntime = "at"\nfollow = true\n[sink]\nkind = "postgres"\nurl = "{server.url}"\n'
            + alarms(port, 'table = "alarms"') + COMMON
        )  # fmt: skip
        seen: dict[str, float] = {}
        ended = threading.Event()

        def look() -> None:
            with psycopg.connect(server.url, autocommit=True) as other:
                last = 0
                while not ended.wait(0.02):
                    rows = [] if other.execute("SELECT to_regclass('results')").fetchone() == (None,) else other.execute(
                        "SELECT id, result->>'time' FROM results WHERE id > %s ORDER BY id", (last,)
                    ).fetchall()  # fmt: skip
                    for number, at in rows:
                        last = number
                        seen.setdefault(str(at), time.time())

        looking = threading.Thread(target=look)
        running = processes(config)
        looking.start()
        said = play(
            lambda at, value: (
                connection.execute("INSERT INTO events (at, level) VALUES (%s, %s)", (at, value)) and None
            ),
            faults,
        )
        for one in running:
            one.terminate()
            one.wait()
        ended.set()
        looking.join()
    return heard(said) | {"row of results": [seen[at] - float(at) for at in said if at in seen]}


def main() -> None:
    """Measure, and print a table."""
    faults = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    print(f"`python benchmarks/alert_latency.py {faults}`, {platform.machine()}, Python {platform.python_version()}\n")
    print("| from, to | faults | heard of | p50, s | p99, s |\n|---|---|---|---|---|")
    for measure in (files, postgres):
        Receiver.heard.clear()
        with tempfile.TemporaryDirectory() as folder:
            for name, found in measure(Path(folder), receiver.server_port, faults).items():
                found.sort()
                p99 = found[min(len(found) - 1, math.ceil(0.99 * len(found)) - 1)] if found else math.nan
                middle = statistics.median(found) if found else math.nan
                print(
                    f"| {measure.__name__}, {name} | {faults} | {len(found)} | {middle:.2f} | {p99:.2f} |", flush=True
                )


if __name__ == "__main__":
    main()
