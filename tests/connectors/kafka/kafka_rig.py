"""What the tests with a broker share: topics, records, workers, and the offline pass that outputs are compared with."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    KafkaError,
    NodeNotReadyError,
    NotCoordinatorError,
)

from streamrnn.config import Alarm, Records
from streamrnn.engine.output import encode_block
from streamrnn.engine.shard import Shard
from streamrnn.io import Block
from streamrnn.scorers.kinds import ModelKind, model_kind
from tests.compiled import compile_detector

MODEL = {"hidden_size": 8, "seed": 3}
EPOCH_MS = 1_700_000_000_000
MOST = 1 << 23  # bytes of a record, where its topic takes it

NO_GROUP_YET = (CoordinatorNotAvailableError, NotCoordinatorError, CoordinatorLoadInProgressError, NodeNotReadyError)
"""The broker has no topic for offsets before the first group; the client may have lost it while it restarted."""

Record = tuple[int, bytes | None, bytes | None, int]
"""Partition, key, value, timestamp in ms."""

Pairs = dict[int, list[tuple[bytes | None, bytes]]]
"""Key and value of records, by partition."""


def make_records(n: int, partitions: int, *, bad: int = 0, keys: int = 3, seed: int = 0) -> list[Record]:
    """Return a stream of a noisy wave; every ``bad``-th record is none."""
    drawn = random.Random(seed)
    records: list[Record] = []
    for i in range(n):
        value: bytes = b'{"at": {"flow": %r}, "n": %d}' % (math.sin(i / 20) + drawn.gauss(0, 0.1), i)
        if bad and i % bad == bad - 1:
            value = drawn.choice([b'{"at": {"flow": "much"}}', b"\xff", b"{}", b"[1]", b'{"at": {"flow": 1e999}}'])
        key = b"k%d" % (i // partitions % keys) if keys else None
        records.append((i % partitions, key, value, EPOCH_MS + i))
    return records


def offline(
    records: Sequence[Record],
    *,
    topic: str,
    kind: ModelKind | None = None,
    records_as: Records | None = None,
    max_keys: int = 1000,
) -> Pairs:
    """Return key and value of each output, by partition: one pass over lists, without Kafka and in one process."""
    expected: Pairs = {}
    for partition in sorted({record[0] for record in records}):
        rows = []
        for offset, (_, key, value, ms) in enumerate([one for one in records if one[0] == partition]):
            try:
                flow = json.loads(value or b"")["at"]["flow"]
            except (ValueError, KeyError, TypeError):
                continue
            if isinstance(flow, float) and np.isfinite(flow):
                rows.append((flow, offset, None if key is None else key.decode(), ms / 1000))
        values, offsets, keys, times = zip(*rows, strict=True)
        block = Block(
            ("at.flow",), np.array([values]).T, offsets, offsets[-1] + 1, keys, times, partition=f"{topic}/{partition}"
        )
        keyed = any(key is not None for key in keys)
        shard = Shard(
            kind or model_kind("RNNAnomalyDetector", MODEL), Alarm(), max_keys, keyed=keyed, records=records_as
        )
        expected[partition] = [
            (None if key is None else key.encode(), line)
            for piece in shard.gather(block)
            for key, line in zip(
                piece.block.keys or keys, encode_block(piece.block, shard.score(piece.block)), strict=True
            )
        ]
    return expected


def differences(found: Pairs, expected: Pairs) -> Counter[str]:
    """Count what is missing, doubled or other than in the offline pass."""
    counts: Counter[str] = Counter(missing=0, doubled=0, different=0)
    for partition, wanted in expected.items():
        got = found.get(partition, [])
        if got == wanted:
            continue
        lacking = Counter(wanted) - Counter(got)
        more = Counter(got) - Counter(wanted)
        counts["missing"] += sum(lacking.values())
        counts["doubled"] += sum(n for one, n in more.items() if one in set(wanted))
        counts["different"] += sum(n for one, n in more.items() if one not in set(wanted)) + (not lacking and not more)
    return counts


def apart(found: Pairs, expected: Pairs) -> list[str]:
    """Say for each partition how and where two outputs part; nothing where they are the same."""
    said = []
    for partition in sorted({*found, *expected}):
        ours, theirs = found.get(partition, []), expected.get(partition, [])
        if ours != theirs:
            same = sum(1 for _ in itertools.takewhile(lambda two: two[0] == two[1], zip(ours, theirs, strict=False)))
            counts = dict(differences({partition: ours}, {partition: theirs}))
            here = slice(max(same - 1, 0), same + 2)
            said.append(
                f"partition {partition}: {len(ours)} records for {len(theirs)}, {counts}, apart from {same} on: {ours[here]} for {theirs[here]}"
            )
    return said


class Rig:
    """A corner of the broker of one's own."""

    def __init__(self, servers: str) -> None:
        self.servers = servers
        self.name = f"t{uuid.uuid4().hex[:10]}"
        self.topic, self.output, self.dead = f"{self.name}.in", f"{self.name}.out", f"{self.name}.dead"
        self.state = f"{self.name}.state"
        self._workers: list[tuple[subprocess.Popen[bytes], Path]] = []
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.admin: Any = KafkaAdminClient(bootstrap_servers=self.servers)
        self._stack.callback(self.admin.close)
        self._readers = {committed: self._reader(committed) for committed in (False, True)}
        return self

    def _reader(self, committed: bool) -> Any:
        level = "read_committed" if committed else "read_uncommitted"
        reader = KafkaConsumer(
            bootstrap_servers=self.servers, isolation_level=level, auto_offset_reset="none", enable_auto_commit=False
        )
        self._stack.callback(reader.close)
        return reader

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the workers and the clients."""
        for worker, _ in self._workers:
            worker.kill()
            worker.wait()
        self._stack.close()
        self._readers.clear()
        self.admin = None

    def create(self, partitions: int = 1, topic: str | None = None, **configs: str) -> str:
        name = topic or self.topic
        self.admin.create_topics(
            {name: {"num_partitions": partitions, "replication_factor": -1, "configs": configs}}, wait_for_metadata=True
        )
        return name

    def produce(self, records: Sequence[Record], topic: str | None = None) -> None:
        producer = KafkaProducer(bootstrap_servers=self.servers, linger_ms=20, batch_size=65536, max_request_size=MOST)
        for partition, key, value, ms in records:
            producer.send(topic or self.topic, value, key, partition=partition, timestamp_ms=ms)
        producer.flush()
        producer.close()

    @contextlib.contextmanager
    def trickling(self, records: Sequence[Record], chunk: int = 50, pause_s: float = 0.2) -> Iterator[None]:
        """Produce little by little while what is inside goes on, and the rest at once behind it."""
        hurry = threading.Event()

        def run() -> None:
            producer = KafkaProducer(bootstrap_servers=self.servers, max_request_size=MOST)
            for start in range(0, len(records), chunk):
                for partition, key, value, ms in records[start : start + chunk]:
                    producer.send(self.topic, value, key, partition=partition, timestamp_ms=ms)
                producer.flush()
                hurry.wait(pause_s)
            producer.close()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            hurry.set()
            thread.join()

    def read(self, topic: str, *, committed: bool = True) -> dict[int, list[Any]]:
        """Return all records of a topic by partition, as a reader of committed ones sees them."""
        consumer = self._readers[committed]
        partitions = self._partitions(consumer, topic)
        found: dict[int, list[Any]] = {one.partition: [] for one in partitions}
        if not partitions:
            return found
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        consumer.seek_to_beginning()
        while any(consumer.position(one) < ends[one] for one in partitions):
            for one, records in consumer.poll(timeout_ms=200, max_records=5000).items():
                found[one.partition] += records
        return found

    @staticmethod
    def _partitions(consumer: Any, topic: str) -> list[TopicPartition]:
        there = topic in consumer.topics()
        return [TopicPartition(topic, i) for i in sorted(consumer.partitions_for_topic(topic) or ())] if there else []

    def pairs(self, topic: str) -> Pairs:
        """Return key and value of each committed record, by partition."""
        return {i: [(one.key, one.value) for one in records] for i, records in self.read(topic).items()}

    def tables(self, **changes: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Return a configuration; ``changes`` are options of a table."""
        tables: dict[str, dict[str, Any]] = {
            "source": {
                "kind": "kafka",
                "servers": self.servers,
                "topics": [self.topic],
                "group": self.name,
                "columns": ["at.flow"],
                "record_key": True,
                "session_timeout_s": 2.0,
            },
            "model": dict(MODEL),
            "sink": {"kind": "kafka", "topic": self.output, "transaction_timeout_s": 5.0},
            "dead_letter": {"topic": self.dead},
            "state": {"every": 300},
        }
        for table, options in changes.items():
            tables[table] = {**tables.get(table, {}), **options}
        return tables

    def config(self, folder: Path, name: str = "watch", **changes: dict[str, Any]) -> Path:
        """Write a configuration as a file."""
        lines = []
        for table, options in self.tables(**changes).items():
            lines.append(f"[{table}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in options.items()]
        path = folder / f"{name}.toml"
        path.write_text("\n".join(lines), "utf-8")
        return path

    def start(self, config: Path, *options: str) -> subprocess.Popen[bytes]:
        """Start ``streamrnn run`` as a process of its own."""
        compile_detector(MODEL["hidden_size"])
        command = [sys.executable, "-X", "faulthandler", "-m", "streamrnn", "run", str(config), *options, "--debug"]
        path = config.with_suffix(".log")
        with path.open("ab") as log:
            worker = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "PYTHONUNBUFFERED": "1"})
        self._workers.append((worker, path))
        return worker

    def kill_in_the_middle(self, config: Path, times: int, pause_s: Callable[[], float]) -> None:
        """Start a worker so many times, and kill it a while after it has written, or once nothing is left for it."""
        for _ in range(times):
            before = self.ends(self.output)
            worker = self.start(config)
            self.wait_until(lambda before=before: self.ends(self.output) > before or bool(before and self.lag() == 0))
            time.sleep(pause_s())
            worker.kill()
            worker.wait()

    def wait_until(self, true: Callable[[], bool], limit_s: float = 60.0) -> None:
        """Wait until ``true()``; after ``limit_s`` fail, with what each worker was doing."""
        end = time.monotonic() + limit_s
        while not true():
            if time.monotonic() > end:
                pytest.fail(f"It did not happen in {limit_s} s.\n{self._post_mortem()}")
            time.sleep(0.1)

    def open_transactions(self) -> list[str]:
        """Return which producers hold a transaction open in this rig's topics, and what the brokers think of each transaction."""
        [reader, *_] = self._readers.values()
        topics = (self.output, self.dead, self.state)
        partitions = [one for topic in topics for one in self._partitions(reader, topic)]
        found = [
            f"{at.topic}/{at.partition}: open since offset {one.current_transaction_start_offset}, producer {one.producer_id}, "
            f"epoch {one.producer_epoch}, last record at {one.last_timestamp} ms"
            for at, state in self.admin.describe_producers(partitions).items()
            for one in state.active_producers
            if one.current_transaction_start_offset >= 0
        ]
        known = [one for listed in self.admin.list_transactions().values() for one in listed]
        return found + [f"{one.transactional_id}: {one.state.value}, producer {one.producer_id}" for one in known]

    def _post_mortem(self) -> str:
        """End the workers so that they show their stacks; return the open transactions and the ends of the logs."""
        transactions: list[str] = []
        with contextlib.suppress(KafkaError):
            transactions = self.open_transactions()
        for worker, _ in self._workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGABRT)
                worker.wait()
        logs = {log for _, log in self._workers}
        ends = [f"--- {log.name}\n{log.read_text(errors='replace')[-6000:]}" for log in sorted(logs)]
        return "\n".join([*transactions, *ends])

    def count(self, topic: str) -> int:
        """Return how many committed records a topic holds; 0 where there is none."""
        return sum(map(len, self.read(topic).values()))

    def ends(self, topic: str, *, committed: bool = True) -> int:
        """Return the sum of a topic's end offsets: cheap, but counts commit markers too."""
        reader = self._readers[committed]
        partitions = self._partitions(reader, topic)
        return sum(reader.end_offsets(partitions).values()) if partitions else 0

    def done(self) -> bool:
        """Whether all of the input is committed and all of the output can be read.

        What a killed worker left open hides what others committed behind it, until its successor or the time-out ends it.
        """
        return self.lag() == 0 and self.ends(self.output) == self.ends(self.output, committed=False)

    def group_is_empty(self) -> bool:
        """Whether the last member's session has timed out: static members do not leave."""
        [group] = self.admin.describe_groups([self.name]).values()
        return group["group_state"] == "Empty"

    def members(self) -> dict[str, int]:
        """Return how many partitions each replica in the group has, of those that are in it."""
        try:
            [group] = self.admin.describe_groups([self.name]).values()
        except NO_GROUP_YET:
            return {}
        stable = group["group_state"] == "Stable"
        return {
            member["group_instance_id"].removeprefix(f"{self.name}-"): sum(
                len(topic["partitions"]) for topic in member["member_assignment"]["assigned_partitions"]
            )
            if stable
            else 0
            for member in group["members"]
        }

    def lag(self) -> int:
        """Return how many records of the input the group has not committed."""
        return self.ends(self.topic) - self.committed()

    def committed(self) -> int:
        """Return how many records of the input the group has committed; 0 where no group has been yet."""
        try:
            found = self.admin.list_group_offsets({self.name: None})[self.name]
        except NO_GROUP_YET:
            return 0
        return sum(one.offset for one in found.values())


def stop(worker: subprocess.Popen[bytes]) -> int:
    """Ask a worker to stop, and return its exit code."""
    worker.send_signal(signal.SIGTERM)
    return worker.wait(timeout=30)
