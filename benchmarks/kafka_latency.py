"""How long a record waits for its committed result, whole batches beside record by record.

``python benchmarks/kafka_latency.py [turns] [rate ...]`` starts a throw-away broker; both ways run in turn, each as a process of its own from topic to
topic, exactly once, at 1, 1,000 and 10,000 records a second unless other rates are given. What is counted is from the moment a record is handed to a producer
to the moment a reader of committed records has its result, both in this process, whose own work is part of it. The first two seconds are a column
of their own: there the first transaction finds its way through the cluster.
"""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import numpy as np
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic
from machine import cpu

from streamrnn_kafka.broker import Broker, free_ports

RATES = (1.0, 1000.0, 10_000.0)
WAYS = {"whole batches": "auto", "record by record": "off"}
BEGIN_S = 2.0
CONFIG = """
[source]
kind = "kafka"
servers = "{servers}"
topics = ["in-{name}"]
group = "{name}"
columns = ["flow", "level"]
columnar = "{columnar}"
[sink]
kind = "kafka"
topic = "out-{name}"
[server]
port = {port}
"""


def seconds(rate: float) -> float:
    """Return how long records are sent: as many as a 99th percentile needs, where that is not too long."""
    return 60.0 if rate < 10 else 10.0


def started(config: Path, port: int) -> subprocess.Popen[bytes]:
    """Start a run; return when it says that it is ready, its code compiled."""
    with config.with_suffix(".log").open("wb") as log:
        run = subprocess.Popen([sys.executable, "-m", "streamrnn", "run", str(config)], stderr=log)
    while run.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz"):
                time.sleep(2.0)
                return run
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(config.with_suffix(".log").read_text())


def send(servers: str, topic: str, rate: float, sent: list[float]) -> None:
    """Send records at a rate, and note when."""
    producer = KafkaProducer(bootstrap_servers=servers, linger_ms=0)
    begun = time.monotonic()
    for i in range(int(rate * seconds(rate))):
        time.sleep(max(0.0, begun + i / rate - time.monotonic()))
        record = json.dumps({"flow": round(math.sin(i / 9), 3), "level": round(math.cos(i / 7), 3)}).encode()
        sent.append(time.monotonic())
        producer.send(topic, record, partition=0)
    producer.close()


def measure(servers: str, folder: Path, name: str, way: str, rate: float) -> list[float]:
    """Return the latency of each record, in the order they were sent."""
    (port,) = free_ports(1)
    config = folder / f"{name}.toml"
    config.write_text(CONFIG.format(servers=servers, name=name, columnar=WAYS[way], port=port))
    with KafkaAdminClient(bootstrap_servers=servers) as admin:
        admin.create_topics([NewTopic(f"{end}-{name}", 1, 1) for end in ("in", "out")])
    results = KafkaConsumer(
        f"out-{name}", bootstrap_servers=servers, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    run = started(config, port)
    sent: list[float] = []
    found: list[float] = []
    sending = threading.Thread(target=send, args=(servers, f"in-{name}", rate, sent))
    sending.start()
    end = time.monotonic() + seconds(rate) + 60.0
    while len(found) < rate * seconds(rate) and time.monotonic() < end:
        for records in results.poll(100).values():
            now = time.monotonic()
            found += [now - sent[len(found) + i] for i in range(len(records))]
    sending.join()
    run.terminate()
    run.wait()
    results.close()
    if len(found) != len(sent):
        raise RuntimeError(f"{len(sent) - len(found)} records have no result: {config.with_suffix('.log').read_text()}")
    return found


def main() -> None:
    """Measure, and print a table."""
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    rates = [float(rate) for rate in sys.argv[2:]] or RATES
    print(
        f"`python benchmarks/kafka_latency.py {' '.join(sys.argv[1:]) or turns}` on {cpu()}. Seconds; each turn's p99, middle turn and range.\n"
    )
    print("| records a second | way | p50 | p99, all | p99, behind the first two seconds |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, Broker() as broker:
        for n, rate in enumerate(rates):
            taken: dict[str, list[list[float]]] = {way: [] for way in WAYS}
            for turn in range(turns):
                for k, way in enumerate([*WAYS][:: 1 if turn % 2 else -1]):
                    found = measure(broker.servers, Path(folder), f"r{n}-{turn}-{k}", way, rate)
                    late = found[int(rate * BEGIN_S) :]
                    taken[way].append([statistics.median(found), *(float(np.percentile(f, 99)) for f in (found, late))])
            for way, rows in taken.items():
                shown = [
                    f"{statistics.median(one):.3f} ({min(one):.3f} to {max(one):.3f})"
                    for one in zip(*rows, strict=True)
                ]
                print(f"| {rate:,.0f} | {way} | {' | '.join(shown)} |", flush=True)


if __name__ == "__main__":
    main()
