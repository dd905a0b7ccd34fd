"""``streamrnn run`` on a CSV against the same job by hand on river, in events per CPU-second.

``python benchmarks/daemon.py`` writes ``benchmarks/results/daemon.md``; ``--rows N`` and ``--river-rows N`` choose other sizes.

The job: read a CSV of 8 columns and a time, expect the first column from the others, score each row before learning it, write time,
score and prediction as a line of JSON. By hand: ``stream.iter_csv``, ``StandardScaler | LinearRegression``, its error as the score,
``json.dumps``; no state, no dead letters, no alarms. Ours: ``RNNRegressor``, an LSTM of 16 units, with alarms, snapshots every 10,000
events, every commit exactly once. Beside it the default, ``RNNAnomalyDetector``, which does more: it expects all 8 columns, each from all,
and compares each with 6000 remembered events.

CPU seconds are those of the whole process, start and imports included, user and system. Neighbours on the machine disturb them less
than wall seconds, but do; so all programs run in turn, ``--times`` times, and the best of each counts.
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
from streamrnn.engine.assemble import make_shards, make_sink, make_source
from streamrnn.engine.output import encode_block
from streamrnn.scorers.check_model import check_model

RESULTS = Path(__file__).parent / "results" / "daemon.md"

CONFIG = """
[source]
path = "in.csv"
[model]
{model}
hidden_size = 16
seed = 1
[output]
fields = {fields}
[sink]
path = "out.jsonl"
[state]
dir = "state"
"""
SHORT, ALL = ["time", "score", "prediction"], list(config.DEFAULT_FIELDS)
REGRESSOR, DETECTOR = 'kind = "RNNRegressor"\nlabel = "c0"', 'kind = "RNNAnomalyDetector"'
SHORT_NAME = "time, score, prediction"
RUNS = (
    ("the first column from the others: `RNNRegressor`", SHORT_NAME, REGRESSOR, SHORT),
    ("the same", "all (the default)", REGRESSOR, ALL),
    ("all 8 columns: `RNNAnomalyDetector`, the default", SHORT_NAME, DETECTOR, SHORT),
    ("the same", "all (the default)", DETECTOR, ALL),
)

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
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}  # what is installed has its byte code
    subprocess.run(line, check=True, cwd=folder, stderr=subprocess.DEVNULL, env=env)
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


def ours(folder: Path, model: str, fields: list[str]) -> float:
    """CPU seconds of ``streamrnn run``, from nothing."""
    (folder / "watch.toml").write_text(CONFIG.format(model=model, fields=fields))
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
    read.add_argument("--times", type=int, default=3)
    given = read.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_input(folder / "in.csv", given.rows)
        write_input(folder / "short.csv", given.river_rows)
        for model in (REGRESSOR, DETECTOR):
            (folder / "watch.toml").write_text(CONFIG.format(model=model, fields=SHORT))
            subprocess.run([sys.executable, "-m", "streamrnn", "warmup", "watch.toml"], check=True, cwd=folder)
        by_hand, rates = 0.0, [0.0] * len(RUNS)
        for _ in range(given.times):
            seconds = cpu_seconds([sys.executable, "-c", BY_HAND, "short.csv", "out"], folder)
            by_hand = max(by_hand, given.river_rows / seconds)
            for i, (_, _, model, fields) in enumerate(RUNS):
                rates[i] = max(rates[i], given.rows / ours(folder, model, fields))
        parts = []
        for model in (REGRESSOR, DETECTOR):
            (folder / "watch.toml").write_text(CONFIG.format(model=model, fields=SHORT))
            shares(folder, 5_000)  # loads the compiled net
            parts.append(shares(folder, min(given.rows, 200_000)))
    what = (
        f"Machine: {cpu()}, one core. Command: `python benchmarks/daemon.py --times {given.times}`. Rows: {given.rows:,} of 8 columns (river: "
        f"{given.river_rows:,}). What is compared is said at the top of [`daemon.py`](../daemon.py)."
    )
    lines = [
        "# The daemon against the same job by hand on river", "",
        what, "",
        "| program | fields written | events per CPU-second | times river |", "|---|---|---|---|",
        f"| by hand: `iter_csv`, `StandardScaler \\| LinearRegression`, `json.dumps` | {SHORT_NAME} | {by_hand:,.0f} | 1 |",
        *(
            f"| `streamrnn run`, {what} | {fields} | {rate:,.0f} | {rate / by_hand:.1f} |"
            for (what, fields, _, _), rate in zip(RUNS, rates, strict=True)
        ),
        "", f"Where an event's time goes (fields {SHORT_NAME}; start and imports aside):", "",
        "| part | `RNNRegressor`, us an event | share | `RNNAnomalyDetector`, us an event | share |", "|---|---|---|---|---|",
        *(
            f"| {part} | {one[part]:.2f} | {one[part] / sum(one.values()):.0%} | {other[part]:.2f} | {other[part] / sum(other.values()):.0%} |"
            for one, other in [parts] for part in one
        ),
        "",
    ]  # fmt: skip
    RESULTS.write_text("\n".join(lines))
    sys.stdout.write("\n".join(lines))


if __name__ == "__main__":
    main()
