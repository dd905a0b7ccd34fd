"""A detector inside Spark: weights of a file, a state for each key in Spark's state store, killed in the middle of a batch and resumed.

``python examples/spark_pumps.py [FOLDER]`` needs ``pip install 'streamrnn[spark]'`` and Java 17 or 21. It trains a detector on the past of forty pumps,
exports its weights, and watches fifty of them, a file of events a batch. Each event has one result, and it is the one of a detector that never
stopped.
"""

from __future__ import annotations

import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from streamrnn import RNNAnomalyDetector
from streamrnn.adapters import FrozenModel, export

PUMPS, EVENTS, BATCHES = 50, 3_000, 3
STORE = "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"


def pressures(pumps: int, events: int) -> Iterator[dict[str, Any]]:
    """Yield the pressure of one pump after the other; each has a level and a rhythm of its own."""
    rng = random.Random(1)  # noqa: S311
    for i in range(events):
        pump = i % pumps
        bars = 10.0 + pump + math.sin(i / pumps / (2 + pump % 5)) + rng.gauss(0.0, 0.05)
        yield {"seq": i, "pump": f"pump {pump}", "pressure": bars + (5.0 if i == EVENTS - 1 else 0.0)}


def prepare(folder: Path) -> None:
    """Write weights, and events in files."""
    detector = RNNAnomalyDetector(key="pump", hidden_size=8, warm_up=20)
    for event in pressures(40, 4_000):
        detector.learn_one({"pump": event["pump"], "pressure": event["pressure"]})
    print("weights:", export(detector, folder / "weights").name)
    (folder / "events").mkdir()
    lines = [json.dumps(event) for event in pressures(PUMPS, EVENTS)]
    for i in range(BATCHES):
        part = lines[i * EVENTS // BATCHES : (i + 1) * EVENTS // BATCHES]
        path = folder / "events" / f"{i}.json"
        path.write_text("\n".join(part))
        os.utime(path, (1_000_000_000 + i,) * 2)  # Spark reads the oldest first


def work(folder: Path) -> None:
    """Run the job until it is killed or done; it goes on where its last batch was committed."""
    from pyspark.sql import SparkSession  # noqa: PLC0415  (for the process that needs it)

    from streamrnn.adapters.spark import progressive  # noqa: PLC0415

    os.environ["PYSPARK_PYTHON"] = sys.executable
    settings = {"ui.enabled": "false", "sql.shuffle.partitions": "2", "sql.streaming.stateStore.providerClass": STORE}
    builder = SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(f"spark.{name}", value)
    spark = builder.getOrCreate()
    [weights] = (folder / "weights").iterdir()
    events = spark.readStream.schema("seq LONG, pump STRING, pressure DOUBLE")
    frame = events.option("maxFilesPerTrigger", 1).option("latestFirst", "false").json(str(folder / "events"))
    found = progressive(frame, FrozenModel.load(weights), key="pump", order="seq")
    out = found.writeStream.format("parquet").option("checkpointLocation", str(folder / "checkpoint"))
    out.trigger(availableNow=True).start(str(folder / "results")).awaitTermination()
    rows = [row.asDict() for row in spark.read.parquet(str(folder / "results")).collect()]
    (folder / "rows").write_text(json.dumps(rows))
    spark.stop()


def in_flight(folder: Path) -> bool:
    """Tell whether a batch was committed, and one behind it has begun and was not."""
    begun, done = (
        {one.name for one in (folder / "checkpoint" / name).glob("[0-9]*")} for name in ("offsets", "commits")
    )
    return bool(done) and bool(begun - done)


def watch(folder: Path) -> None:
    """Run the job in a process of its own: killed with all that it started, started again, and then left alone."""
    for turn in range(2):
        with (folder / f"log {turn}").open("wb") as log:
            command = [sys.executable, __file__, "--work", str(folder)]
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
            while turn == 0 and process.poll() is None and not in_flight(folder):
                time.sleep(0.02)
            if turn == 0 and process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                print("killed in the middle of a batch:", in_flight(folder))
            process.wait()


def compare(folder: Path) -> None:
    """Show what came, beside a detector that never stopped."""
    if not (folder / "rows").exists():
        sys.exit((folder / "log 1").read_text(errors="replace")[-3000:])
    [weights] = (folder / "weights").iterdir()
    model, expected = FrozenModel.load(weights), {}
    for event in pressures(PUMPS, EVENTS):
        if event["seq"] < PUMPS:
            model.begin(event["pump"], None)
        said = {name: value for name, [value] in model.run(event["pump"], [event]).items()}
        expected[event["seq"]] = {"pump": event["pump"], "pressure": event["pressure"], **said}
    rows = json.loads((folder / "rows").read_text())
    found = {row.pop("seq"): row for row in rows}
    different = sum(found[i] != expected[i] for i in found)
    print(f"{EVENTS} events, {sum(row['alarm'] for row in rows)} alarms")
    print(f"{EVENTS - len(found)} missing, {len(rows) - len(found)} twice, {different} different")


def main() -> None:
    """Prepare, watch, compare."""
    if sys.argv[1:2] == ["--work"]:
        work(Path(sys.argv[2]))
        return
    with tempfile.TemporaryDirectory() as made:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else made)
        folder.mkdir(parents=True, exist_ok=True)
        prepare(folder)
        watch(folder)
        compare(folder)


if __name__ == "__main__":
    main()
