"""What streamrnn costs between two Kafka topics, beside a loop that only passes the bytes on.

``python benchmarks/kafka_ends.py [events]`` starts a throw-away broker. Both sides are clients of one process in turn, on one partition, with
transactions of the same size; what is counted is CPU time of this process (the broker's is not), so another load on the machine
moves it little.
"""

from __future__ import annotations

import json
import math
import platform
import random
import statistics
import sys
import time
from pathlib import Path

import psutil
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.structs import OffsetAndMetadata
from machine import cpu

from streamrnn import config
from streamrnn.engine.assemble import make_runtime
from streamrnn_kafka.broker import Broker

SIZE = 2048  # records a transaction, of both
PAIRS = 8  # runs of both, in turn


def fill(servers: str, events: int) -> None:
    """Write the input: JSON of some 100 bytes."""
    drawn = random.Random(1)  # noqa: S311  (noise)
    producer = KafkaProducer(bootstrap_servers=servers, linger_ms=50, batch_size=256 * 1024)
    for i in range(events):
        row = {
            "at": f"2024-01-01T00:00:{i % 60:02d}.{i % 1000:03d}Z",
            "id": "pump-7",
            "flow": round(math.sin(i / 50) + drawn.gauss(0, 0.1), 6),
        }
        producer.send("in", json.dumps(row | {"unit": "l/s", "quality": "good"}).encode(), partition=0)
    producer.flush()
    producer.close()


def bare(servers: str, events: int, name: str) -> float:
    """Poll bytes, send them on to the same partition, commit; return the CPU seconds, from connecting to closing."""
    began = time.process_time()
    consumer = KafkaConsumer(
        bootstrap_servers=servers, group_id=name, enable_auto_commit=False, auto_offset_reset="earliest",
        isolation_level="read_committed", max_poll_records=SIZE, metrics_enabled=False,
    )  # fmt: skip
    consumer.assign([TopicPartition("in", 0)])
    producer = KafkaProducer(
        bootstrap_servers=servers, transactional_id=name, linger_ms=20, batch_size=128 * 1024, metrics_enabled=False
    )
    producer.init_transactions()
    done = 0
    while done < events:
        for at, records in consumer.poll(timeout_ms=500, max_records=SIZE).items():
            producer.begin_transaction()
            for record in records:
                producer.send("bare", record.value, partition=at.partition)
            producer.flush()
            offset = OffsetAndMetadata(records[-1].offset + 1, "", -1)
            producer.send_offsets_to_transaction({at: offset}, consumer.group_metadata())
            producer.commit_transaction()
            done += len(records)
    producer.close()
    consumer.close()
    return time.process_time() - began


def ours(servers: str, events: int, name: str) -> tuple[float, list[tuple[int, int, int]]]:
    """Run streamrnn with an LSTM of 16 units; return the CPU seconds from connecting to closing, and memory, files and threads on the way."""
    tables = {
        "source": {
            "kind": "kafka",
            "servers": servers,
            "topics": ["in"],
            "group": name,
            "columns": ["flow"],
            "time": "at",
        },
        "model": {"hidden_size": 16, "seed": 1},
        "sink": {"kind": "kafka", "topic": "scores"},
        "state": {"every": 100_000},
    }
    process, seen, began = psutil.Process(), [], time.process_time()
    runtime = make_runtime(config.parse(tables, Path()), block_events=SIZE)

    def stopped() -> bool:
        if runtime.summary.events >= (len(seen) + 1) * events // 10:
            seen.append((process.memory_info().rss, process.num_fds(), process.num_threads()))
        return runtime.summary.events >= events

    runtime.stopped = stopped
    runtime.run()
    return time.process_time() - began, seen


def main(events: int) -> None:
    """Print the table."""
    with Broker() as broker:
        servers = broker.servers
        admin = KafkaAdminClient(bootstrap_servers=servers)
        admin.create_topics({name: {"num_partitions": 1} for name in ("in", "bare", "scores")}, wait_for_metadata=True)
        admin.close()
        fill(servers, events)
        ours(servers, min(events, SIZE), "warm-up")  # compiles, or loads what was compiled
        pairs: list[tuple[float, float]] = []
        seen: list[tuple[int, int, int]] = []
        for i in range(PAIRS):
            theirs = bare(servers, events, f"bare-{i}")
            spent, seen = ours(servers, events, f"ours-{i}")
            pairs.append((theirs, spent))
    middle = [statistics.median(spent) for spent in zip(*pairs, strict=True)]
    ratios = sorted(theirs / spent for theirs, spent in pairs)
    print(
        f"`python benchmarks/kafka_ends.py {events}` on {cpu()}, Python {platform.python_version()}, the median CPU time of {PAIRS} runs in turn; the ratio is that of each pair\n"
    )
    print("| what | events a CPU second | ratio |\n|---|---|---|")
    print(f"| poll bytes, send them on, commit | {events / middle[0]:,.0f} | 1 |")
    print(
        f"| poll, decode JSON, score and learn (LSTM, 16 units), encode, send, commit with state | {events / middle[1]:,.0f} | {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) |"
    )
    print("\n| events | memory [MB] | open files | threads |\n|---|---|---|---|")
    for n, (memory, files, threads) in enumerate(seen, 1):
        print(f"| {n * events // 10:,} | {memory / 1e6:.1f} | {files} | {threads} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
