"""What a run that lasts takes from the machine: a million events from Kafka to Kafka through one daemon, watched from outside.

``python benchmarks/kafka_memory.py [events]`` starts a throw-away broker, fills a topic, starts ``streamrnn run`` on it as a process of
its own, and looks at its memory, open files and threads each time it has committed another tenth. The table goes to
``benchmarks/results/kafka_memory.md``.
"""

from __future__ import annotations

import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import psutil
from kafka.errors import CoordinatorNotAvailableError

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "connectors" / "kafka")]

from kafka_rig import Rig, make_records, stop  # noqa: E402
from machine import cpu  # noqa: E402

from streamrnn_kafka.broker import Broker  # noqa: E402

PARTITIONS, KEYS, BAD = 2, 3, 1000
CHUNK = 100_000
"""Records made and written at once: so that the list of them stays small beside the broker."""


class Look(NamedTuple):
    """What the process holds after so many records."""

    records: int
    seconds: float
    memory: int
    files: int
    threads: int


def fill(rig: Rig, events: int) -> None:
    """Write the input."""
    rig.create(PARTITIONS)
    for start in range(0, events, CHUNK):
        rig.produce(make_records(min(CHUNK, events - start), PARTITIONS, bad=BAD, keys=KEYS, seed=start))


def committed(rig: Rig) -> int:
    """Return how many records the group has committed; 0 while it has no coordinator."""
    try:
        return rig.committed()
    except CoordinatorNotAvailableError:
        return 0


def watched(rig: Rig, events: int, folder: Path) -> tuple[list[Look], float, int]:
    """Run the daemon over the input; return the looks at it, its CPU seconds and its exit code."""
    model = {"hidden_size": 16, "seed": 1}
    worker = rig.start(rig.config(folder, model=model, state={"every": 50_000}, source={"session_timeout_s": 15.0}))
    process, looks, began = psutil.Process(worker.pid), [], 0.0
    while len(looks) < 10:
        if worker.poll() is not None:
            raise SystemExit(f"The daemon ended with {worker.returncode}: {(folder / 'watch.log').read_text()[-3000:]}")
        done = committed(rig)
        began = began or (time.monotonic() if done else 0.0)
        if done >= (len(looks) + 1) * events // 10:
            held = process.memory_info().rss, process.num_fds(), process.num_threads()
            looks.append(Look(done, time.monotonic() - began, *held))
        time.sleep(0.1)
    spent = process.cpu_times()
    return looks, spent.user + spent.system, stop(worker)


def main(events: int) -> int:
    """Print and write the table; the exit code is 1 where results are not as many as events."""
    with tempfile.TemporaryDirectory() as folder, Broker() as broker, Rig(broker.servers) as rig:
        fill(rig, events)
        looks, spent, code = watched(rig, events, Path(folder))
        written, dead = rig.count(rig.output), rig.count(rig.dead)
    warm = looks[1]
    growth = max(look.memory for look in looks[1:]) / warm.memory - 1
    rate = (looks[-1].records - warm.records) / (looks[-1].seconds - warm.seconds)
    lines = [
        "# A million events through one daemon",
        "",
        f"`python benchmarks/kafka_memory.py {events}` on {cpu()}, Python {platform.python_version()}, Apache Kafka 4.3.0 on the same",
        f"machine. {PARTITIONS} partitions, {KEYS} series each, LSTM with 16 units, every {BAD}th record a bad one; exactly once, a snapshot of",
        "each partition every 50,000 events; the daemon is watched from outside. Both cores were busy with other work too.",
        "",
        "| what | figure |",
        "|---|---|",
        f"| results and dead letters | {written:,} and {dead:,} of {events:,} |",
        f"| memory: most after {warm.records:,} records, against then | {growth:+.2%} |",
        f"| open files after {warm.records:,} records: least, most | {min(x.files for x in looks[1:])}, {max(x.files for x in looks[1:])} |",
        f"| threads after {warm.records:,} records: least, most | {min(x.threads for x in looks[1:])}, {max(x.threads for x in looks[1:])} |",
        f"| events a second, end to end | {rate:,.0f} |",
        f"| events a CPU second of the daemon, its start included | {events / spent:,.0f} |",
        f"| exit code after SIGTERM | {code} |",
        "",
        "| records | memory [MB] | open files | threads |",
        "|---|---|---|---|",
        *(f"| {one.records:,} | {one.memory / 1e6:.1f} | {one.files} | {one.threads} |" for one in looks),
    ]
    report = "\n".join(lines) + "\n"
    sys.stdout.write(report)
    (ROOT / "benchmarks" / "results" / "kafka_memory.md").write_text(report, encoding="utf-8")
    return int(written + dead != events or code != 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
