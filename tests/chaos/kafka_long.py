"""Hundreds of kills against a cluster of three: the output stays that of one offline pass, byte for byte.

``make chaos``, or ``python tests/chaos/kafka_long.py --kills 300``. Three workers share six partitions of a topic that fills
slowly. Workers are killed at random moments or suspended beyond their session, brokers are killed and started again one after
the other, connections are cut, answers to commits above all. Then what readers of committed records see is compared with one
pass over the same records in one process, without Kafka. After that, with the group at rest, workers are restarted to measure how
long it takes to take up their state. The table goes to ``benchmarks/results/kafka_chaos.md``.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from kafka.errors import KafkaError
from rich.progress import Progress

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks"), str(ROOT / "tests" / "connectors" / "kafka")]

from kafka_proxy import END_TXN, Proxy  # noqa: E402
from kafka_rig import Record, Rig, differences, make_records, offline  # noqa: E402
from machine import cpu  # noqa: E402

from streamrnn.scorers.kinds import model_kind  # noqa: E402
from streamrnn_kafka.broker import Broker, free_ports  # noqa: E402

MODEL = {"hidden_size": 32, "seed": 3}
WORKERS = 3
NODES = 3
QUICK = {  # a cluster that notices a lost node within seconds
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "controller.quorum.election.timeout.ms": "600",
    "controller.quorum.fetch.timeout.ms": "1000",
}
TEMPORARY = (69, 75)
MANY = 1000  # keys of a partition, from which on snapshots are large: fewer, and longer transactions
PATIENCE_S = 20.0


def settings(front: int, behind: int) -> dict[str, str]:
    """Return the settings of a node that is also to be reached through a proxy."""
    return {
        **QUICK,
        "listeners": f"BEHIND://127.0.0.1:{behind}",
        "advertised.listeners": f"BEHIND://127.0.0.1:{front}",
        "listener.security.protocol.map": "BEHIND:PLAINTEXT",
    }


class Storm:
    """The workers, what is done to them, and how often."""

    def __init__(
        self, rig: Rig, broker: Broker, folder: Path, drawn: random.Random, servers: str, keys: int, partitions: int
    ) -> None:
        self.rig, self.broker, self.drawn, self.partitions = rig, broker, drawn, partitions
        self.counts: Counter[str] = Counter()
        connection = {"servers": servers, "connect_timeout_s": 90.0}
        state: dict[str, Any] = {"every": 400} if keys < MANY else {"every": 4000, "max_keys": keys}
        more = {"sink": {"transaction_timeout_s": 60.0}} if keys >= MANY else {}
        self.configs = [
            rig.config(folder, f"w{i}", source={**connection, "replica": str(i)}, model=MODEL, state=state, **more)
            for i in range(WORKERS)
        ]
        self.workers = [rig.start(config) for config in self.configs]

    def cut(self, direction: str, api: int) -> str | None:
        """Cut a connection now and then, and one in twenty before the answer to a commit comes through."""
        if direction == "answer" and self.drawn.random() < (0.05 if api == END_TXN else 0.001):
            self.counts["cut connections"] += 1
            self.counts["of them lost answers to a commit"] += api == END_TXN
            return "cut"
        return None

    def kill(self, i: int) -> None:
        """Kill a worker at once, and start it again."""
        self.workers[i].kill()
        self.workers[i].wait()
        self.workers[i] = self.rig.start(self.configs[i])

    def suspend(self, i: int) -> None:
        """Stop a worker for longer than its session lasts: it wakes up as a zombie."""
        self.workers[i].send_signal(signal.SIGSTOP)
        time.sleep(3.5)
        self.workers[i].send_signal(signal.SIGCONT)
        self.counts["suspensions beyond the session"] += 1

    def replace_node(self, node: int) -> None:
        """Kill a broker and start it again."""
        self.broker.kill(node)
        time.sleep(self.drawn.uniform(0.5, 4.0))
        self.broker.start(node)
        self.counts["kills of a broker"] += 1

    def supervise(self) -> None:
        """Start again what gave up with a temporary failure, as a supervisor does; anything else is a failure."""
        for i, worker in enumerate(self.workers):
            if worker.poll() is not None:
                if worker.returncode not in TEMPORARY:
                    raise SystemExit(f"w{i} ended with {worker.returncode}:\n" + self.log(i)[-4000:])
                self.workers[i] = self.rig.start(self.configs[i])
                self.counts["ends with a temporary failure"] += 1

    def wait_for_commit(self, limit_s: float) -> None:
        """Wait until the group commits: on a loaded machine, kills at random alone would only ever hit workers that start."""
        end = time.monotonic() + limit_s
        before = self.committed()
        while time.monotonic() < end and self.committed() <= before:
            time.sleep(0.1)

    def committed(self) -> int:
        """Return how many records the group has committed; 0 while no broker knows."""
        try:
            return self.rig.committed()
        except KafkaError:
            return 0

    def log(self, i: int) -> str:
        """Return what a worker has logged."""
        return self.configs[i].with_suffix(".log").read_text(errors="replace")

    def restores(self) -> list[float]:
        """Return how long each restore took that the workers have logged, in seconds."""
        lines = [line for i in range(WORKERS) for line in self.log(i).splitlines()]
        return [float(json.loads(line)["seconds"]) for line in lines if line.startswith("{") and '"restored"' in line]


def weather(storm: Storm, kills: int, progress: Progress) -> None:
    """Let it happen."""
    task = progress.add_task("kills", total=kills)
    for kill in range(kills):
        if kill % 3 == 0:  # the others fall on whatever is going on: starts and rebalances too
            storm.wait_for_commit(PATIENCE_S)
        time.sleep(storm.drawn.uniform(0.2, 2.2))
        i = storm.drawn.randrange(WORKERS)
        if kill % 15 == 7:
            storm.suspend((i + 1) % WORKERS)
        if kill % 20 == 10:
            storm.replace_node(kill // 20 % NODES)
        storm.kill(i)
        storm.counts["kills of a worker"] += 1
        storm.supervise()
        progress.advance(task)


def settle(storm: Storm, events: int, limit_s: float) -> float:
    """Wait until every record has been dealt with; return how long it took."""
    began = time.monotonic()
    while storm.committed() < events:  # the input holds no markers of transactions: offsets are counts
        if time.monotonic() - began > limit_s:
            raise SystemExit(f"The group did not come to rest in {limit_s:.0f} s.\n{storm.log(0)[-3000:]}")
        storm.supervise()
        time.sleep(0.5)
    return time.monotonic() - began


def calm_restores(storm: Storm, restarts: int, progress: Progress) -> list[float]:
    """Restart workers one at a time, the group at rest; return how long each partition's restore took."""
    task, before = progress.add_task("calm restarts", total=restarts), len(storm.restores())
    for restart in range(restarts):
        had = len(storm.restores())
        storm.kill(restart % WORKERS)
        end = time.monotonic() + 60
        while len(storm.restores()) < had + storm.partitions // WORKERS and time.monotonic() < end:
            time.sleep(0.1)
        progress.advance(task)
    return storm.restores()[before:]


def state_bytes(rig: Rig) -> float:
    """Return the mean size of the newest snapshots, from their manifests."""
    newest = {
        one.key: one.value
        for records in rig.read(rig.state).values()
        for one in records
        if b"/page/" not in one.key and b"/patch/" not in one.key
    }
    return float(np.mean([json.loads(value)["length"] for value in newest.values()]))


def spread(seconds: list[float]) -> str:
    """Return the median and the 99th percentile as text."""
    if not seconds:
        return "none"
    return f"{np.quantile(seconds, 0.5):.2f} s, {np.quantile(seconds, 0.99):.2f} s of {len(seconds)}"


def table(storm: Storm, rows: list[tuple[str, str]], given: argparse.Namespace) -> str:
    """Return the report."""
    lines = [
        "# Kafka: hundreds of kills against a cluster of three",
        "",
        f"`python tests/chaos/kafka_long.py --kills {given.kills} --keys {given.keys} --partitions {given.partitions}` ({cpu()}, two cores for {NODES} brokers and {WORKERS} workers).",
        f"{given.partitions} partitions, LSTM with {MODEL['hidden_size']} units, {given.keys} keys a partition.",
        "",
        "| what | figure |",
        "|---|---|",
        *(f"| {name} | {figure} |" for name, figure in [*sorted(storm.counts.items()), *rows]),
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run it all; the exit code is 1 where any byte differs, or where the storm struck nothing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--events", type=int, default=120_000)
    parser.add_argument("--restarts", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keys", type=int, default=8, help="of a partition; with 8 its state has about a megabyte")
    parser.add_argument("--partitions", type=int, default=6)
    given = parser.parse_args()
    records: list[Record] = make_records(given.events, given.partitions, bad=70, keys=given.keys)
    drawn, ports = random.Random(given.seed), free_ports(2 * NODES)
    doors = list(
        zip(ports[:NODES], ports[NODES:], strict=True)
    )  # of each node: the proxy's port, and the one behind it
    with (
        tempfile.TemporaryDirectory() as place,
        Broker(nodes=NODES, properties=[settings(*door) for door in doors]) as broker,
        Rig(broker.servers) as rig,
        Progress() as progress,
    ):
        rig.create(given.partitions)
        with ExitStack() as stack:
            proxies = [stack.enter_context(Proxy(front, behind)) for front, behind in doors]
            servers = ",".join(f"127.0.0.1:{front}" for front, _ in doors)
            storm = Storm(rig, broker, Path(place), drawn, servers, given.keys, given.partitions)
            for proxy in proxies:
                proxy.rule = storm.cut
            began = time.monotonic()
            with rig.trickling(records, chunk=max(60, given.events // (given.kills * 4)), pause_s=0.25):
                weather(storm, given.kills, progress)
            lasted = time.monotonic() - began
            for proxy in proxies:
                proxy.rule = lambda *_: None
            caught_up = settle(storm, given.events, 600)
            stormy = storm.restores()
            calm = calm_restores(storm, given.restarts, progress)
        kind = model_kind("RNNAnomalyDetector", MODEL)
        expected = offline(records, topic=rig.topic, kind=kind, max_keys=max(given.keys, MANY))
        found = differences(rig.pairs(rig.output), expected)
        rows = [
            ("events", f"{given.events}"),
            ("the storm lasted", f"{lasted:.0f} s, and {caught_up:.0f} s until all was dealt with"),
            (
                "**missing, doubled, different**",
                "**" + ", ".join(str(found[name]) for name in ("missing", "doubled", "different")) + "**",
            ),
            ("dead letters, of how many expected", f"{rig.count(rig.dead)} of {given.events // 70}"),
            ("state of a partition", f"{state_bytes(rig) / 1e6:.2f} MB"),
            (
                "restores in the storm: p50, p99",
                spread(stormy),
            ),
            (
                "restores at rest: p50, p99",
                spread(calm),
            ),
        ]
    report = table(storm, rows, given)
    sys.stdout.write(report)
    (ROOT / "benchmarks" / "results" / ("kafka_chaos.md" if given.keys < MANY else "kafka_chaos_keys.md")).write_text(
        report, encoding="utf-8"
    )
    if not stormy:
        sys.stdout.write(
            "No worker took up any state in the storm: this proves nothing. Is the machine busy with other work?\n"
        )
    return int(any(found.values()) or not stormy)


if __name__ == "__main__":
    sys.exit(main())
