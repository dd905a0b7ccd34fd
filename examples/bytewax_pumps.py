"""A detector inside Bytewax: weights of a file, a state for each key in Bytewax's recovery store, killed and resumed.

``python examples/bytewax_pumps.py [FOLDER]`` needs ``pip install 'streamrnn[bytewax]'``. It trains a detector on the past of forty pumps, exports its weights,
and watches all two hundred of them in a dataflow of two workers that is killed on the way. Each event has one result, and it is the one of a detector that
never stopped.
"""

from __future__ import annotations

import json
import math
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from bytewax import operators as op
from bytewax.connectors.files import FileSink, FileSource
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import cluster_main

from streamrnn import RNNAnomalyDetector
from streamrnn.adapters import FrozenModel, export
from streamrnn.adapters.bytewax import progressive

PUMPS, EVENTS, KILLS = 200, 10_000, 1


def pressures(pumps: int, events: int) -> Iterator[dict[str, Any]]:
    """Yield the pressure of one pump after the other; each has a level and a rhythm of its own."""
    rng = random.Random(1)  # noqa: S311
    for i in range(events):
        pump = i % pumps
        bars = 10.0 + pump + math.sin(i / pumps / (2 + pump % 5)) + rng.gauss(0.0, 0.05)
        yield {"seq": i, "pump": f"pump {pump}", "pressure": bars + (5.0 if i % 3919 == 3918 else 0.0)}


def prepare(folder: Path) -> None:
    """Write events, weights and an empty recovery store."""
    detector = RNNAnomalyDetector(key="pump", hidden_size=8, warm_up=20)
    for event in pressures(40, 4_000):
        detector.learn_one({"pump": event["pump"], "pressure": event["pressure"]})
    print("weights:", export(detector, folder / "weights").name)
    (folder / "events").write_text("".join(f"{json.dumps(event)}\n" for event in pressures(PUMPS, EVENTS)))
    (folder / "recovery").mkdir()
    init_db_dir(folder / "recovery", 1)


def dataflow(folder: Path) -> Dataflow:
    """Return the job: lines in, a line for each event out."""
    [weights] = (folder / "weights").iterdir()
    flow = Dataflow("pumps")
    lines = op.input("lines", flow, FileSource(folder / "events", batch_size=500))
    events = op.key_on("by pump", op.map("read", lines, json.loads), lambda event: str(event["pump"]))
    found = progressive("watch", events, FrozenModel.load(weights))
    written = op.map_value("write", found, lambda pair: json.dumps({"seq": pair[0]["seq"], **pair[1]}))
    op.output("results", written, FileSink(folder / "results"))
    return flow


def work(folder: Path) -> None:
    """Run the job until it is killed or done, in two workers; it goes on where its last epoch ended."""
    epoch, store = timedelta(milliseconds=100), RecoveryConfig(folder / "recovery")
    cluster_main(dataflow(folder), [], 0, epoch_interval=epoch, recovery_config=store, worker_count_per_proc=2)


def written(folder: Path) -> int:
    """Return how many bytes of results there are."""
    results = folder / "results"
    return results.stat().st_size if results.exists() else 0


def watch(folder: Path) -> None:
    """Run the job in a process of its own: killed, started again, and in the end left alone."""
    for turn in range(KILLS + 1):
        process = subprocess.Popen([sys.executable, __file__, "--work", str(folder)])
        before = written(folder)
        while turn < KILLS and process.poll() is None and written(folder) <= before + 100_000:
            time.sleep(0.01)
        if turn < KILLS and process.poll() is None:
            process.send_signal(signal.SIGKILL)
            print(f"killed: {len((folder / 'results').read_text().splitlines())} results so far")
        process.wait()


def compare(folder: Path) -> None:
    """Show what came, beside a detector that never stopped."""
    [weights] = (folder / "weights").iterdir()
    model, expected = FrozenModel.load(weights), {}
    for event in pressures(PUMPS, EVENTS):
        if event["seq"] < PUMPS:
            model.begin(event["pump"], None)
        expected[event["seq"]] = {name: value for name, [value] in model.run(event["pump"], [event]).items()}
    rows = [json.loads(line) for line in (folder / "results").read_text().splitlines()]
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
