"""``streamrnn run`` on a CSV against the same job by hand on river, in events per CPU-second.

``python benchmarks/daemon.py`` writes ``benchmarks/results/daemon.md``; ``--rows N`` and ``--river-rows N`` choose other sizes.

The job: read a CSV of 8 columns and a time, score each row before learning it, write time, score and prediction as a line of JSON.
Ours: an LSTM of 16 units, snapshots every 10,000 events, every commit exactly once. By hand: ``stream.iter_csv``, a
``StandardScaler | LinearRegression`` that expects the first column from the others, its error as the score, ``json.dumps``; no state,
no dead letters, no alarms. CPU seconds are those of the whole process, start and imports included, user and system. They are not
disturbed by neighbours on the machine as wall seconds are.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import cpu

from streamrnn import config
from streamrnn.runtime.assemble import make_shards, make_sink, make_source
from streamrnn.runtime.models import check_model
from streamrnn.runtime.output import encode_block

RESULTS = Path(__file__).parent / "results" / "daemon.md"

CONFIG = """
[source]
path = "in.csv"
[model]
hidden_size = 16
seed = 1
[output]
fields = {fields}
[sink]
path = "out.jsonl"
[state]
dir = "state"
"""
FIELDS = {"time, score, prediction": ["time", "score", "prediction"], "all (the default)": list(config.DEFAULT_FIELDS)}

BY_HAND = """
import json, sys
from river import linear_model, preprocessing, stream
model = preprocessing.StandardScaler() | linear_model.LinearRegression()
numbers = {f"c{i}": float for i in range(8)}
with open(sys.argv[2], "w") as out:
    for x, y in stream.iter_csv(sys.argv[1], target="c0", converters=numbers):
        time = x.pop("time")
        prediction = model.predict_one(x)
        model.learn_one(x, y)
        out.write(json.dumps({"time": time, "score": abs(y - prediction), "prediction": prediction}) + "\\n")
"""


def write_input(path: Path, rows: int) -> None:
    """Eight slow waves with noise, a row a second."""
    drawn = random.Random(1)  # noqa: S311  (a test signal)
    with path.open("w") as file:
        file.write("time," + ",".join(f"c{i}" for i in range(8)) + "\n")
        level = [0.0] * 8
        for i in range(rows):
            level = [0.99 * one + drawn.gauss(0, 0.1) for one in level]
            file.write(f"{1700000000 + i}," + ",".join(f"{one:.4f}" for one in level) + "\n")


def cpu_seconds(line: list[str], folder: Path) -> float:
    """Run a program and return the CPU seconds it took."""
    before = os.times()
    subprocess.run(line, check=True, cwd=folder, stderr=subprocess.DEVNULL)
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


def ours(folder: Path, fields: list[str]) -> float:
    """CPU seconds of ``streamrnn run``, from nothing."""
    (folder / "watch.toml").write_text(CONFIG.format(fields=fields))
    return cpu_seconds([sys.executable, "-m", "streamrnn", "run", "watch.toml", "--fresh"], folder)


def shares(folder: Path, events: int) -> dict[str, float]:
    """CPU seconds an event in each part of the loop, in microseconds, over the first ``events`` rows."""
    checked = config.load(folder / "watch.toml", check_model)
    shard, spent, done, last = (
        make_shards(checked)(),
        dict.fromkeys(("read", "model and alarm", "encode", "write"), 0.0),
        0,
        0,
    )
    with make_source(checked) as source, make_sink(checked, fresh=True) as sink:
        while done < events:
            marks = [time.process_time()]
            poll = source.poll(2048, 0.0)
            marks.append(time.process_time())
            for block in poll.blocks:
                scored = shard.score(block)
                marks.append(time.process_time())
                lines = encode_block(block, scored, checked.output.fields)
                marks.append(time.process_time())
                done += len(block)
                due = done // 10_000 > last
                last = done // 10_000
                snapshots = {block.partition: shard.snapshot()} if due else None
                sink.commit(lines, block.dead_letters, {block.partition: block.next_position}, snapshots)
                marks.append(time.process_time())
            for name, start, end in zip(spent, marks, marks[1:], strict=False):
                spent[name] += end - start
    return {name: 1e6 * seconds / done for name, seconds in spent.items()}


def main() -> None:
    """Measure, and write the table."""
    read = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    read.add_argument("--rows", type=int, default=1_000_000)
    read.add_argument("--river-rows", type=int, default=200_000)
    given = read.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_input(folder / "in.csv", given.rows)
        write_input(folder / "short.csv", given.river_rows)
        (folder / "watch.toml").write_text(CONFIG.format(fields=FIELDS["time, score, prediction"]))
        subprocess.run([sys.executable, "-m", "streamrnn", "warmup", "watch.toml"], check=True, cwd=folder)
        by_hand = given.river_rows / cpu_seconds([sys.executable, "-c", BY_HAND, "short.csv", "out"], folder)
        rates = {name: given.rows / ours(folder, fields) for name, fields in FIELDS.items()}
        ours(folder, FIELDS["time, score, prediction"])
        parts = shares(folder, min(given.rows, 200_000))
    what = (
        f"Machine: {cpu()}, one core. Command: `python benchmarks/daemon.py`. Rows: {given.rows:,} of 8 columns (river: "
        f"{given.river_rows:,}). What is compared is said at the top of [`daemon.py`](../daemon.py)."
    )
    lines = [
        "# The daemon against the same job by hand on river", "",
        what, "",
        "| program | fields written | events per CPU-second | times river |", "|---|---|---|---|",
        f"| by hand: `iter_csv`, `StandardScaler \\| LinearRegression`, `json.dumps` | time, score, prediction | {by_hand:,.0f} | 1 |",
        *(f"| `streamrnn run`, LSTM of 16 units | {name} | {rate:,.0f} | {rate / by_hand:.1f} |" for name, rate in rates.items()),
        "", "Where an event's time goes (fields time, score, prediction; start and imports aside):", "",
        "| part | us an event | share |", "|---|---|---|",
        *(f"| {part} | {us:.2f} | {us / sum(parts.values()):.0%} |" for part, us in parts.items()),
        "",
    ]  # fmt: skip
    RESULTS.write_text("\n".join(lines))
    sys.stdout.write("\n".join(lines))


if __name__ == "__main__":
    main()
