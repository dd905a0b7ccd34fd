"""What streamrnn costs between two Kafka topics, beside a loop that only passes the bytes on.

``python benchmarks/kafka_ends.py [events]`` starts a throw-away broker. All sides are clients of one process in turn, on one partition; what is
counted is CPU time of this process (the broker's is not), from connecting to closing. Another load on the machine makes all of them slower:
the ratio within a turn moves least. With ``pip install confluent-kafka`` one side more is measured: what somebody would write by hand with
that client, msgspec and the same model.
"""

from __future__ import annotations

import importlib.util
import json
import math
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import psutil
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.structs import OffsetAndMetadata
from machine import cpu

from streamrnn import RNNRegressor, config
from streamrnn.engine.assemble import make_runtime
from streamrnn_kafka.broker import Broker

SIZE = 2048  # records a transaction, of the loop that passes bytes on
TURNS = 5
COLUMNS = ("flow", "level", "power")


def fill(servers: str, events: int) -> None:
    """Write the input: JSON of some 120 bytes."""
    drawn = random.Random(1)  # noqa: S311  (noise)
    producer = KafkaProducer(bootstrap_servers=servers, linger_ms=50, batch_size=256 * 1024)
    for i in range(events):
        flow, level = math.sin(i / 50) + drawn.gauss(0, 0.1), drawn.gauss(0, 1)
        row = {
            "at": f"2024-01-01T00:00:{i % 60:02d}.{i % 1000:03d}Z",
            "id": f"pump-{i % 100}",
            "flow": round(flow, 6),
            "level": round(level, 4),
            "power": round(flow * level, 5),
            "unit": "l/s",
        }
        producer.send("in", json.dumps(row).encode(), partition=0)
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


LABELLED = {"kind": "RNNRegressor", "label": "power", "hidden_size": 16, "seed": 1}
DETECTOR = {"hidden_size": 16, "seed": 1}
LIGHT = {**DETECTOR, "expectation": "light"}
MODELS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "labelled, the net alone (LSTM, 16 units)": ({**LABELLED, "autoregressive": False, "window": 16, "stride": 8}, {}),
    "labelled, the mixture": (LABELLED, {}),
    "detector, light, one field": (LIGHT, {"columns": ["flow"]}),
    "detector, light, one field, 100 keys": (DETECTOR, {"columns": ["flow"], "key": "id"}),
    "detector, light": (LIGHT, {}),
    "detector, full": (DETECTOR, {}),
}
"""Options of the model, and those of the source that are others than for the rest."""

ALONE = next(iter(MODELS))


def ours(
    servers: str, events: int, name: str, model: str, columnar: str = "auto"
) -> tuple[float, list[tuple[int, ...]]]:
    """Run streamrnn; return the CPU seconds from connecting to closing, and memory, files and threads on the way."""
    source = {
        "kind": "kafka",
        "servers": servers,
        "topics": ["in"],
        "group": name,
        "columns": list(COLUMNS),
        "time": "at",
    }
    tables = {
        "source": {**source, "columnar": columnar, **MODELS[model][1]},
        "model": MODELS[model][0],
        "sink": {"kind": "kafka", "topic": "scores"},
        "state": {"every": 100_000},
    }
    process, seen, began = psutil.Process(), [], time.process_time()
    loaded = config.parse(tables, Path())
    if model == ALONE:
        loaded.model.options["experts"] = ("net",)
    runtime = make_runtime(loaded)

    def stopped() -> bool:
        if runtime.summary.events >= (len(seen) + 1) * events // 10:
            seen.append((process.memory_info().rss, process.num_fds(), process.num_threads()))
        return runtime.summary.events >= events

    runtime.stopped = stopped
    runtime.run()
    return time.process_time() - began, seen


class Row(msgspec.Struct):
    """What is read of a record, by hand."""

    at: str
    flow: float
    level: float
    power: float


class Answer(msgspec.Struct):
    """What is written of one, by hand: less than a run writes."""

    time: str
    value: float
    prediction: float | None


def by_hand(servers: str, events: int, name: str) -> float:
    """Do the job of the labelled model with confluent-kafka and msgspec, in transactions; return the CPU seconds."""
    from confluent_kafka import Consumer, Producer  # noqa: PLC0415  (where it is installed)
    from confluent_kafka import TopicPartition as Place  # noqa: PLC0415

    began = time.process_time()
    model = RNNRegressor(hidden_size=16, seed=1, window=16, stride=8, autoregressive=False, experts=("net",))
    decode, encode = msgspec.json.Decoder(Row).decode, msgspec.json.Encoder().encode
    consumer = Consumer({
        "bootstrap.servers": servers, "group.id": name, "enable.auto.commit": False, "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",
    })  # fmt: skip
    consumer.assign([Place("in", 0, 0)])
    producer = Producer(
        {
            "bootstrap.servers": servers,
            "transactional.id": name,
            "linger.ms": 20,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    producer.init_transactions()
    done = 0
    while done < events:
        records = [one for one in consumer.consume(SIZE, 0.5) if one.error() is None]
        if not records:
            continue
        rows = [decode(one.value()) for one in records]
        table = np.array([(one.flow, one.level, one.power) for one in rows])
        predictions = model.progressive_many(table[:, :2], table[:, 2]).tolist()
        producer.begin_transaction()
        for row, prediction in zip(rows, predictions, strict=True):
            producer.produce("by-hand", encode(Answer(row.at, row.power, prediction)), partition=0)
            producer.poll(0)
        producer.send_offsets_to_transaction(
            [Place("in", 0, records[-1].offset() + 1)], consumer.consumer_group_metadata()
        )
        producer.commit_transaction()
        done += len(records)
    consumer.close()
    return time.process_time() - began


def main(events: int) -> None:
    """Print the tables."""
    many = 4 * events  # for the quicker way: a run's start is part of its time
    sides: dict[str, Callable[[str, str], tuple[float, int]]] = {
        "poll bytes, send them on, commit": lambda servers, name: (bare(servers, events, name), events),
        f'{ALONE}, `columnar = "off"`': lambda servers, name: (ours(servers, events, name, ALONE, "off")[0], events),
    }
    seen: list[tuple[int, ...]] = []
    for model in MODELS:

        def run(servers: str, name: str, model: str = model) -> tuple[float, int]:
            spent, seen[:] = ours(servers, many, name, model)
            return spent, many

        sides[model] = run
    if importlib.util.find_spec("confluent_kafka") is not None:
        sides["by hand, with confluent-kafka and msgspec: the net alone"] = lambda servers, name: (
            by_hand(servers, many, name),
            many,
        )
    rates: dict[str, list[float]] = {side: [] for side in sides}
    with Broker() as broker:
        servers = broker.servers
        admin = KafkaAdminClient(bootstrap_servers=servers)
        admin.create_topics(
            {name: {"num_partitions": 1} for name in ("in", "bare", "scores", "by-hand")}, wait_for_metadata=True
        )
        admin.close()
        fill(servers, many)
        for i, model in enumerate(MODELS):
            ours(servers, min(events, SIZE), f"warm-up-{i}", model)  # compiles, or loads what was compiled
        for turn in range(TURNS):
            for i, (side, measure) in enumerate(sides.items()):
                spent, done = measure(servers, f"side-{i}-{turn}")
                rates[side].append(done / spent)
    first = rates[next(iter(rates))]
    print(
        f"`python benchmarks/kafka_ends.py {events}` on {cpu()}, Python {platform.python_version()}, the median of {TURNS} runs in turn; the ratio is that of each turn\n"
    )
    print("| what | events a CPU second | ratio |\n|---|---|---|")
    for side, found in rates.items():
        ratios = sorted(one / other for one, other in zip(found, first, strict=True))
        print(
            f"| {side} | {statistics.median(found):,.0f} | {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) |"
        )
    print("\n| events | memory [MB] | open files | threads |\n|---|---|---|---|")
    for n, (memory, files, threads) in enumerate(seen, 1):
        print(f"| {n * many // 10:,} | {memory / 1e6:.1f} | {files} | {threads} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
