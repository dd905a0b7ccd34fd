"""What a key and an event cost inside engines that keep the state of keys: the adapter's own part, Bytewax, Spark.

``python benchmarks/engines.py`` writes ``benchmarks/results/engines.md``; it needs ``pip install 'streamrnn[bytewax,spark]'`` and a Java for Spark. The
adapter's own part is the best of five runs, in seconds of its process; Bytewax is one worker with a recovery store and an epoch a second, in seconds of
its process; Spark is two workers of one machine with RocksDB, in seconds of the clock, so that a step beside it that keeps as many bytes says how much
of that is Spark. Events of keys in random order.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from bytewax import operators as op
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSink, TestingSource, run_main
from machine import cpu

from streamrnn import RNNAnomalyDetector, RNNRegressor
from streamrnn.adapters import FrozenModel, export
from streamrnn.adapters.bytewax import progressive

RESULTS = Path(__file__).parent / "results" / "engines.md"
MODELS: dict[str, tuple[Any, str | None]] = {
    "`RNNAnomalyDetector`": (lambda: RNNAnomalyDetector(key="k"), None),
    "`RNNAnomalyDetector`, `hidden_size=4, memory=32`": (
        lambda: RNNAnomalyDetector(key="k", hidden_size=4, memory=32),
        None,
    ),
    "`RNNRegressor`": (lambda: RNNRegressor(key="k", window=4, learning="tbptt"), "y"),
}
EVENTS = 40_000
STORE = "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"


def events(keys: int, n: int, seed: int = 1) -> list[dict[str, Any]]:
    """Return events of keys in random order."""
    drawn = np.random.default_rng(seed)
    which, values = drawn.integers(keys, size=n).tolist(), drawn.normal(size=(n, 2)).tolist()
    return [
        {"seq": i, "k": f"key-{key}", "x": x, "y": y} for i, (key, (x, y)) in enumerate(zip(which, values, strict=True))
    ]


def trained(name: str, folder: str) -> FrozenModel:
    """Return a model of exported weights."""
    make, label = MODELS[name]
    model = make()
    for event in events(20, 2000, seed=2):
        x = {"k": event["k"], "x": event["x"]}
        model.learn_one(x, event["y"]) if label else model.learn_one(x)
    return FrozenModel.load(export(model, folder), label=label)


def best(what: Callable[[], Any], n: int = 400) -> float:
    """Return the processor's microseconds that something takes."""
    found = []
    what()
    for _ in range(5):
        before = time.process_time()
        for _ in range(n):
            what()
        found.append((time.process_time() - before) / n * 1e6)
    return min(found)


def own_part(name: str) -> str:
    """Return the row of what the adapter itself takes."""
    with tempfile.TemporaryDirectory() as folder:
        model = trained(name, folder)
        model.begin("a", None)
        some = events(1, 200)
        model.run("a", some)
        state = model.state("a")
        one, ten = (best(lambda n=n: model.run("a", some[:n])) for n in (1, 10))
        read, written = best(lambda: model.begin("a", state)), best(lambda: model.state("a"))
    return (
        f"| {name} | {len(state) / 1000:.1f} KB | {read:.0f} us | {written:.0f} us | {one:.0f} us | {(ten - one) / 9:.1f} us | "
        f"{one + written:.0f} us | {read + one + written:.0f} us |"
    )


def bytewax_run(model: FrozenModel | None, items: list[dict[str, Any]]) -> float:
    """Return the processor's microseconds an event; without a model a step counts, and keeps the count."""
    with tempfile.TemporaryDirectory() as store:
        init_db_dir(Path(store), 1)
        flow = Dataflow("watch")
        up = op.key_on("key", op.input("in", flow, TestingSource(items, batch_size=1000)), lambda event: event["k"])
        if model is None:
            found = op.stateful_map("step", up, lambda n, event: ((n or 0) + 1, (event, {})))
        else:
            found = progressive("step", up, model)
        op.output("out", found, TestingSink([]))
        before = time.process_time()
        run_main(flow, epoch_interval=timedelta(seconds=1), recovery_config=RecoveryConfig(store))
        return (time.process_time() - before) / len(items) * 1e6


def spark_run(spark: Any, model: FrozenModel | None, size: int, folder: Path) -> float:
    """Return milliseconds of the clock for each key touched, of the second batch and later ones; without a model a step keeps ``size`` bytes."""
    from pyspark.sql import Row  # noqa: PLC0415
    from pyspark.sql.streaming import StatefulProcessor  # noqa: PLC0415

    from streamrnn.adapters.spark import progressive as over  # noqa: PLC0415

    class Keeps(StatefulProcessor):  # type: ignore[misc]
        def init(self, handle: Any) -> None:
            self.held = handle.getValueState("key", "state BINARY")

        def handleInputRows(self, key: Any, rows: Any, timerValues: Any) -> Any:  # noqa: ARG002, N802
            self.held.get()
            self.held.update((bytes(size),))
            return iter([Row(seq=row.seq, prediction=0.0) for row in rows])

        def close(self) -> None:
            pass

    frame = spark.readStream.schema("seq LONG, k STRING, x DOUBLE, y DOUBLE").option("maxFilesPerTrigger", 1)
    frame = frame.json(str(folder / "in"))
    if model is None:
        found = frame.groupBy("k").transformWithState(Keeps(), "seq LONG, prediction DOUBLE", "append", "none")
    else:
        found = over(frame, model, key="k", order="seq")
    out = folder / f"out {model is None}"
    query = found.writeStream.format("parquet").option("checkpointLocation", f"{out} checkpoint")
    query = query.trigger(availableNow=True).start(str(out))
    query.awaitTermination()
    batches = [one for one in query.recentProgress if one["numInputRows"]][1:]
    return float(np.mean([one["durationMs"]["addBatch"] / one["numInputRows"] for one in batches]))


def start_of(model: FrozenModel) -> float:
    """Return the processor's seconds that a Python which has just begun takes until it has a model and its first event, beside what Spark imports itself."""
    code = (
        "import pickle, sys, time, pandas, pyarrow; began = time.process_time(); model = pickle.load(sys.stdin.buffer); "
        "model.begin('', None); model.run('', [{'x': 1.0, 'y': 1.0}]); model.state(''); print(time.process_time() - began)"
    )
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(model), capture_output=True, check=True)
    return float(done.stdout)


def spark_rows(name: str, keys: int = 1000, batches: int = 3) -> tuple[float, float]:
    """Return milliseconds a touched key, with the model and with a step that keeps as many bytes."""
    from pyspark.sql import SparkSession  # noqa: PLC0415

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.sql.shuffle.partitions", "2")
    spark = builder.config("spark.sql.streaming.stateStore.providerClass", STORE).getOrCreate()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "in").mkdir()
        for i in range(batches):
            lines = [json.dumps({"seq": i * keys + k, "k": f"key-{k}", "x": k / 7, "y": i}) for k in range(keys)]
            path = folder / "in" / f"{i}.json"
            path.write_text("\n".join(lines))
            os.utime(path, (1_000_000_000 + i,) * 2)
        model = trained(name, str(folder / "weights"))
        model.begin("a", None)
        model.run("a", [{"x": 1.0, "y": 1.0}])
        found = spark_run(spark, model, 0, folder), spark_run(spark, None, len(model.state("a")), folder)
    spark.stop()
    return found


def main() -> None:
    """Measure, and write the page."""
    rows = [own_part(name) for name in MODELS]
    waxed = []
    for keys in (100, 5_000):
        items = events(keys, EVENTS)
        bytewax_run(None, items[:100])
        alone = bytewax_run(None, items)
        for name in MODELS:
            with tempfile.TemporaryDirectory() as folder:
                took = bytewax_run(trained(name, folder), items)
            waxed.append(f"| {keys:,} | {name} | {took:.0f} us, {1e6 / took:,.0f} | {alone:.0f} us |")
    name = "`RNNRegressor`"
    took, alone = spark_rows(name)
    with tempfile.TemporaryDirectory() as folder:
        start = start_of(trained(name, folder))
    text = f"""# Inside other engines

Machine: {cpu()}, two threads that others used too: figures of one table compare, those of two do not. Command: `python benchmarks/engines.py`; what is
measured is said at the top of [`engines.py`](../engines.py). Nets of 16 units where nothing else is said, one column, weights of a file.

## The adapter's own part

A touched key costs in Bytewax what an event and the state written at the end of an epoch cost; in Spark the state is read before, in every batch.

| model | state of a key | read a state | write one | one event | each event more | touched key: Bytewax | Spark |
|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}

## Bytewax

One worker, {EVENTS:,} events, an epoch a second, recovery store on disk. Beside it a step that counts.

| keys | model | an event; events a second | a step that counts |
|---|---|---|---|
{chr(10).join(waxed)}

## Spark

Two workers of one machine, 1,000 keys with one event each in a batch, RocksDB; the clock, a touched key: {took:.2f} ms with {name}, {alone:.2f} ms with a
step of Python that keeps as many bytes. Spark begins a Python anew for each of its partitions in each batch: to import what a model needs, to load it and to run its first
event takes {start:.1f} s of the processor there, which with 1,000 keys is most of the difference; the key's own part is that of the table above.
"""
    RESULTS.write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
