"""A receiver that is down for ten minutes, then slow and failing, while both processes are killed: no alarm is lost, none counts twice.

``python -m tests.chaos.receiver --minutes 10``. A run and ``streamrnn alerts`` follow a file into which a fault is written every second or so. The port of the
webhook is closed for so long; then it answers late, and every tenth time with 500. Each process is killed several times and started again. What the
receiver has acknowledged is compared with the committed alarms, by id; the pace of the stream is looked at before, while and after.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from streamrnn_kafka.broker import free_ports
from tests.compiled import compile_detector

CONFIG = """
[source]
path = "in.jsonl"
columns = ["level"]
time = ""
key = ""
follow = true
[model]
hidden_size = 8
[alarm]
rate = 0.01
[output]
fields = ["score"]
[sink]
path = "out.jsonl"
[state]
dir = "state"
[alarms]
path = "alarms.jsonl"
ends_after = 5
position_file = "position"
webhook = "http://127.0.0.1:{port}/"
"""
ROWS = 250  # of which one is a fault
KILL_S = 20.0


class Receiver(BaseHTTPRequestHandler):
    """Is slow, fails every tenth time, and counts what it has taken."""

    taken: ClassVar[Counter[str]] = Counter()
    asked: ClassVar[int] = 0

    def do_POST(self) -> None:
        """Take an alarm, or fail."""
        alarm = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).asked += 1
        time.sleep(0.05)
        fails = self.asked % 10 == 0
        if not fails:
            self.taken[f"{alarm['id']}/{alarm['event']}"] += 1
        self.send_response(500 if fails else 200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Feed(threading.Thread):
    """Writes the stream until it is told to end."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.ended = path, threading.Event()

    def run(self) -> None:
        """Write a stretch with one fault in it, over and over."""
        drawn, n = random.Random(1), 0
        with self.path.open("a") as file:
            while not self.ended.wait(1.0):
                values = [
                    10 + 3 * math.sin((n + i) / 20) + drawn.gauss(0, 0.2) + 40 * (i == ROWS // 2) for i in range(ROWS)
                ]
                file.write("".join(f'{{"level": {value:.4f}}}\n' for value in values))
                file.flush()
                n += ROWS


def start(command: str, folder: Path) -> subprocess.Popen[bytes]:
    """Start one of the two processes."""
    with (folder / f"{command}.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "streamrnn", command, "watch.toml"], cwd=folder, stderr=log)


def lines(path: Path) -> int:
    """Return how many lines a file has."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


def main() -> int:
    """Run it; the exit code is 1 where an alarm is lost or foreign."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    given = parser.parse_args()
    [port] = free_ports(1)
    compile_detector(8)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "in.jsonl").touch()
        (folder / "watch.toml").write_text(CONFIG.format(port=port))
        feed = Feed(folder / "in.jsonl")
        feed.start()
        running = {command: start(command, folder) for command in ("run", "alerts")}
        kills: Counter[str] = Counter()

        def storm(seconds: float) -> float:
            """Let it go on, killing one process after the other; return the results a second."""
            begun, before = time.monotonic(), lines(folder / "out.jsonl")
            while time.monotonic() - begun < seconds:
                time.sleep(min(KILL_S, seconds))
                for command, process in list(running.items()):
                    process.kill()
                    process.wait()
                    kills[command] += 1
                    running[command] = start(command, folder)
            return (lines(folder / "out.jsonl") - before) / (time.monotonic() - begun)

        down = storm(60 * given.minutes)
        at_its_end = lines(folder / "alarms.jsonl")
        server = ThreadingHTTPServer(("127.0.0.1", port), Receiver)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        back = storm(60.0)
        feed.ended.set()
        feed.join()
        end, committed = time.monotonic() + 1200, set[str]()
        while time.monotonic() < end and (
            set(Receiver.taken) != committed or lines(folder / "out.jsonl") < lines(folder / "in.jsonl")
        ):
            time.sleep(1.0)
            alarms = [json.loads(line) for line in (folder / "alarms.jsonl").read_text().splitlines()]
            committed = {f"{one['id']}/{one['event']}" for one in alarms}
        twice = sum(n - 1 for n in Receiver.taken.values())
        print("| what | figure |\n|---|---|")
        print(
            f"| the receiver was away for | {60 * given.minutes:.0f} s, with {at_its_end} alarms committed meanwhile |"
        )
        print(f"| kills of the run, of what tells | {kills['run']}, {kills['alerts']} |")
        print(f"| results a second while it was away, and after | {down:.0f}, {back:.0f} (written: {ROWS}) |")
        print(
            f"| alarms committed, **lost, foreign** | {len(committed)}, **{len(committed - set(Receiver.taken))}, {len(set(Receiver.taken) - committed)}** |"
        )
        print(
            f"| posts, of them failed, told again under the same id | {Receiver.asked}, {Receiver.asked // 10}, {twice} |"
        )
        for one in running.values():
            one.kill()
            one.wait()
    return int(set(Receiver.taken) != committed)


if __name__ == "__main__":
    sys.exit(main())
