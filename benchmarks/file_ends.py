"""What streamrnn costs from file to file, beside the way record by record and beside the model alone.

``python benchmarks/file_ends.py [events]`` writes a file of JSON Lines and one of CSV with the same records and reads each to its end, with the plain
net, all fields and a state directory. What is counted is CPU time of this process, from loading the configuration to closing; the sides run in turn, and
another load on the machine makes all of them slower: the ratio within a turn moves least. Results of all sides are compared, byte for byte.
"""

from __future__ import annotations

import csv
import json
import math
import platform
import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from machine import cpu

from streamrnn import RNNRegressor, config
from streamrnn.engine import loop
from streamrnn.engine.assemble import make_runtime
from streamrnn.engine.output import encode_block
from streamrnn_files import source

TURNS = 5
COLUMNS = ("flow", "level", "power")
NET = {"hidden_size": 16, "seed": 1, "window": 16, "stride": 8, "autoregressive": False}


def records(events: int) -> list[dict[str, Any]]:
    """Return the input: two features and what is made of them, ten events a second."""
    drawn, found = random.Random(1), []  # noqa: S311  (noise)
    for i in range(events):
        flow, level, s = math.sin(i / 50) + drawn.gauss(0, 0.1), drawn.gauss(0, 1), i // 10
        at = f"2024-01-{1 + s // 86400 % 28:02d}T{s // 3600 % 24:02d}:{s // 60 % 60:02d}:{s % 60:02d}.{i % 10}00Z"
        found.append({"at": at, "flow": round(flow, 6), "level": round(level, 4), "power": round(flow * level, 5)})
    return found


def write(folder: Path, events: int) -> None:
    """Write the input in both formats."""
    rows = records(events)
    (folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with (folder / "in.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ("at", *COLUMNS))
        writer.writeheader()
        writer.writerows(rows)


def run(folder: Path, name: str) -> tuple[float, bytes]:
    """Run from file to file; return the CPU seconds and the results."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    tables: dict[str, Any] = {
        "source": {"kind": "files", "path": str(folder / name), "columns": list(COLUMNS), "time": "at"},
        "model": {"kind": "RNNRegressor", "label": "power", **NET},
        "sink": {"kind": "files", "path": str(out / "out.jsonl")},
        "state": {"dir": str(out / "state"), "every": 100_000},
    }
    began = time.process_time()
    loaded = config.parse(tables, Path())
    loaded.model.options["experts"] = ("net",)
    make_runtime(loaded).run()
    return time.process_time() - began, (out / "out.jsonl").read_bytes()


def run_one_by_one(folder: Path, name: str) -> tuple[float, bytes]:
    """The same without compiled code for records and results."""
    with mock.patch.object(source, "LONG", 1 << 60), mock.patch.object(loop, "encoder", return_value=encode_block):
        return run(folder, name)


def model(rows: list[dict[str, Any]]) -> float:
    """Return the CPU seconds of the model alone, in blocks as they are read."""
    x, y = np.array([[row["flow"], row["level"]] for row in rows]), np.array([row["power"] for row in rows])
    net = RNNRegressor(**NET, experts=("net",))
    net.progressive_many(x[:2048], y[:2048])
    began = time.process_time()
    for start in range(2048, len(rows), 16_384):
        net.progressive_many(x[start : start + 16_384], y[start : start + 16_384])
    return time.process_time() - began


def main(events: int) -> None:
    """Print the table."""
    rates: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as made:
        folder, rows = Path(made), records(events)
        write(folder, 200_000)
        for name in ("in.jsonl", "in.csv"):
            run(folder, name)  # compiles, or loads what was compiled
        write(folder, events)
        for _ in range(TURNS):
            rates.setdefault("the model alone, in blocks", []).append(events / model(rows))
            for name, said in (("in.jsonl", "JSON Lines"), ("in.csv", "CSV")):
                alone, lines = run_one_by_one(folder, name)
                many, same = run(folder, name)
                if lines != same:
                    raise SystemExit(f"{said}: the results differ.")
                rates.setdefault(f"{said}, record by record", []).append(events / alone)
                rates.setdefault(f"{said}, by compiled code", []).append(events / many)
    print(
        f"`python benchmarks/file_ends.py {events}` on {cpu()}, Python {platform.python_version()}, the median of {TURNS} runs in turn; ratios are those of each turn\n"
    )
    print("| what | events a CPU second | times record by record | times the model alone |\n|---|---|---|---|")
    for side, found in rates.items():
        base = rates.get(side.replace("by compiled code", "record by record"), found)
        print(
            f"| {side} | {statistics.median(found):,.0f} | {_ratio(found, base)} | {_ratio(found, rates['the model alone, in blocks'])} |"
        )


def _ratio(found: list[float], base: list[float]) -> str:
    ratios = sorted(one / other for one, other in zip(found, base, strict=True))
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
