"""From the command to the first result of ``streamrnn run``, with a warm cache; and ``streamrnn --help``.

``python benchmarks/start.py`` writes ``benchmarks/results/start.md``; ``--times N`` for another number of tries. A result counts when its
line is in the output file. CPU seconds are those of the process up to then; wall seconds suffer from neighbours on the machine, the
shortest the least.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import cpu

ENV = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}  # what is installed has its byte code
RESULTS = Path(__file__).parent / "results" / "start.md"
CONFIG = """
[source]
path = "in.csv"
[model]
hidden_size = 16
seed = 1
[sink]
path = "out.jsonl"
[state]
dir = "state"
"""


def to_first_result(folder: Path) -> tuple[float, float]:
    """Return wall and CPU seconds up to the first line, of a run from nothing."""
    out = folder / "out.jsonl"
    out.unlink(missing_ok=True)
    line = [sys.executable, "-m", "streamrnn", "run", "watch.toml", "--fresh"]
    started = time.perf_counter()
    with subprocess.Popen(line, cwd=folder, stderr=subprocess.DEVNULL, env=ENV) as process:
        while not out.exists() or out.stat().st_size == 0:
            if process.poll() not in (None, 0):
                raise RuntimeError("streamrnn run failed")
            time.sleep(0.002)
        wall = time.perf_counter() - started
        ticks = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        process.kill()
    return wall, sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def to_help(folder: Path) -> tuple[float, float]:
    """Return wall and CPU seconds of ``--help``."""
    before, started = os.times(), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "streamrnn", "--help"], cwd=folder, check=True, stdout=subprocess.DEVNULL, env=ENV
    )
    wall, after = time.perf_counter() - started, os.times()
    return wall, after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    """Measure, and write the table."""
    read = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    read.add_argument("--times", type=int, default=10)
    given = read.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in.csv").write_text("time,flow\n" + "".join(f"{1700000000 + i},{i % 24}\n" for i in range(200)))
        (folder / "watch.toml").write_text(CONFIG)
        subprocess.run([sys.executable, "-m", "streamrnn", "warmup", "watch.toml"], check=True, cwd=folder)
        for what, measure in {
            "first result of `streamrnn run`": to_first_result,
            "`streamrnn --help`": to_help,
        }.items():
            measure(folder)
            walls, seconds = zip(*(measure(folder) for _ in range(given.times)), strict=True)
            rows.append(
                f"| {what} | {min(walls):.2f} | {statistics.median(walls):.2f} | {min(seconds):.2f} | {statistics.median(seconds):.2f} |"
            )
    head = ["| up to | wall s, shortest | median | CPU s, least | median |", "|---|---|---|---|---|"]
    what = f"Machine: {cpu()}. Command: `python benchmarks/start.py`, {given.times} times. What is measured is said at the top of [`start.py`](../start.py)."
    text = "\n".join(["# How long a start takes", "", what, "", *head, *rows, ""])
    RESULTS.write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
