"""Kafka to Kafka, with a real broker that is started here and thrown away: ``python examples/kafka_demo.py``.

It plays two months of hourly flow in a water main (``river.datasets.WaterFlow``) into the topic ``water``, with a few records that
are none; runs ``examples/kafka_demo.toml`` on it as a process of its own; kills that in the middle, as kill -9 does, and starts it
again; and shows what is in the topics: each result once, the alarms, the dead letters.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient
from river.datasets import WaterFlow

from streamrnn_kafka.broker import Broker

CONFIG = Path(__file__).with_name("kafka_demo.toml")
WAIT_S = 300  # the first run of a new installation compiles the net


def records() -> Iterator[bytes]:
    """Yield the stream as JSON, with a record that is none after every 400."""
    for i, (x, flow) in enumerate(WaterFlow()):  # type: ignore[no-untyped-call]
        yield json.dumps({"at": x["Time"].isoformat(), "main": {"flow": flow}}).encode()
        if i % 400 == 399:
            yield b'{"at": "2022", "main": {"flow": "broken sensor"}}'


def read(servers: str, topic: str) -> list[Any]:
    """Return all committed records of a topic with one partition."""
    with closing(
        KafkaConsumer(bootstrap_servers=servers, isolation_level="read_committed", enable_auto_commit=False)
    ) as consumer:
        if not consumer.partitions_for_topic(topic):
            return []
        at = TopicPartition(topic, 0)
        consumer.assign([at])
        consumer.seek_to_beginning()
        end = consumer.end_offsets([at])[at]
        found: list[Any] = []
        while consumer.position(at) < end:
            found += consumer.poll(timeout_ms=200).get(at, [])
        return found


def start(servers: str) -> subprocess.Popen[bytes]:
    """Start ``streamrnn run`` as a process of its own."""
    command = [sys.executable, "-m", "streamrnn", "run", str(CONFIG)]
    return subprocess.Popen(command, env={**os.environ, "KAFKA": servers})


def wait(servers: str, results: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until there are so many results."""
    end = time.monotonic() + WAIT_S
    while len(read(servers, "water.scores")) < results:
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            sys.exit(f"The run ended too early, with code {process.wait()}.")
        time.sleep(0.2)


def show(servers: str, events: int) -> int:
    """Print what the topics hold; return 0 if each event has one result."""
    results = [json.loads(one.value) for one in read(servers, "water.scores")]
    positions = [row["position"] for row in results]
    alarms = [row for row in results if row["alarm"]]
    print(f"water.scores: {len(results)} results for {events} events, {len(positions) - len(set(positions))} twice")
    print(f"              {len(alarms)} alarms; the strongest:")
    for row in sorted(sorted(alarms, key=lambda row: -row["score"])[:5], key=lambda row: row["time"]):
        print(
            f"  {row['time']}  flow {row['value']:7.2f} l/s  expected {row['prediction']:7.2f}  score {row['score']:.3f}"
        )
    dead = read(servers, "water.dead")
    print(f"water.dead:   {len(dead)} records that are no events, the first one because:")
    print(f"  {dict(dead[0].headers)['__streamrnn.error.reason'].decode()}")
    return 0 if len(results) == len(set(positions)) == events else 1


def play(servers: str) -> int:
    """Play the stream through a run that is killed once; return 0 if everything was as promised."""
    with closing(KafkaAdminClient(bootstrap_servers=servers)) as admin:
        admin.create_topics({"water": {"num_partitions": 1}}, wait_for_metadata=True)
    stream = list(records())
    half = len(stream) // 2
    good = [b"broken" not in one for one in stream]
    with closing(KafkaProducer(bootstrap_servers=servers, linger_ms=20)) as producer:
        for value in stream[:half]:
            producer.send("water", value)
        producer.flush()
        print(
            f"Kafka listens on {servers}; {half} records are in the topic 'water'. Starting streamrnn ...", flush=True
        )
        first = start(servers)
        wait(servers, sum(good[:half]), first)
        for value in stream[half:]:
            producer.send("water", value)
        first.kill()  # perhaps in the middle of a transaction
        first.wait()
        producer.flush()
    print("... killed it (kill -9) while more came in, and starting it again ...", flush=True)
    second = start(servers)
    wait(servers, sum(good), second)
    second.terminate()
    second.wait()
    return show(servers, sum(good))


def main() -> int:
    """Run the demo on a broker of its own."""
    print("Starting Apache Kafka (the first time its jars are fetched, 44 MB) ...", flush=True)
    with Broker() as broker:
        return play(broker.servers)


if __name__ == "__main__":
    sys.exit(main())
