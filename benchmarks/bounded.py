"""Memory, descriptors and threads of one process over ten million events of a hundred thousand keys, ten thousand of them held.

``python benchmarks/bounded.py`` writes ``benchmarks/results/bounded.md``; ``--events N`` chooses another length.

8000 keys are active at a time and come in random order; every 33rd event one of them gives way to the next of the 100,000, round and
round. A key so has some 33 events before it falls silent, is evicted, and starts anew when its turn comes again. The model is the
default, one net for all keys. The run keeps snapshots and answers on its port; results go to the null device.
Memory is the resident set of the process.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from machine import cpu

RESULTS = Path(__file__).parent / "results" / "bounded.md"
KEYS, HELD, ACTIVE, STAY, EVERY = 100_000, 10_000, 8_000, 33, 250_000
CONFIG = f"""
[source]
path = "in.csv"
key = "key"
[model]
seed = 1
[alarm]
warm_up = 20
[sink]
path = "/dev/null"
[state]
dir = "state"
every = {EVERY}
max_keys = {HELD}
[server]
port = 0
"""


def write_input(path: Path, events: int) -> None:
    """One value for each event, keys as said above."""
    drawn = random.Random(1)  # noqa: S311  (a test signal)
    active, following = list(range(ACTIVE)), ACTIVE
    with path.open("w") as file:
        file.write("key,value\n")
        for i in range(events):
            if i % STAY == 0:
                active[drawn.randrange(ACTIVE)], following = following % KEYS, following + 1
            file.write(f"k{active[int(drawn.random() * ACTIVE)]},{drawn.random():.3f}\n")


def measure(pid: int, port: int) -> dict[str, Any]:
    """Return what the process holds now, and how far it is."""
    with urlopen(f"http://127.0.0.1:{port}/status", timeout=60) as answer:
        status = json.load(answer)
    place = Path(f"/proc/{pid}")
    resident = next(line for line in (place / "status").read_text().splitlines() if line.startswith("VmRSS"))
    partition = next(iter(status["partitions"].values()), {})
    return {
        "events": status["events"],
        "rss": int(resident.split()[1]) / 1024,
        "files": len(list((place / "fd").iterdir())),
        "threads": len(list((place / "task").iterdir())),
        "keys": partition.get("keys", 0),
        "evicted": partition.get("evicted", 0),
        "snapshot": partition.get("snapshot_bytes", 0),
    }


def watch(folder: Path, every_s: float = 2.0) -> list[dict[str, Any]]:
    """Run to the end, measuring all the while."""
    found: list[dict[str, Any]] = []
    line = [sys.executable, "-m", "streamrnn", "run", "watch.toml"]
    with (folder / "err").open("wb") as err, subprocess.Popen(line, cwd=folder, stderr=err) as process:
        port = 0
        while process.poll() is None:
            said = [json.loads(one) for one in (folder / "err").read_bytes().splitlines() if one.endswith(b"}")]
            port = next((one["port"] for one in said if one["event"] == "listening"), port)
            if port:
                try:
                    found.append(measure(process.pid, port))
                except (OSError, StopIteration):
                    continue  # it ends
            time.sleep(every_s)
    if process.returncode != 0:
        raise RuntimeError((folder / "err").read_text())
    return found


def main() -> None:
    """Measure, and write the table."""
    read = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    read.add_argument("--events", type=int, default=10_000_000)
    given = read.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_input(folder / "in.csv", given.events)
        (folder / "watch.toml").write_text(CONFIG)
        started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        found = watch(folder)
        seconds, used = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    snapshot = found[-1]["snapshot"]
    step = given.events // 10
    shown = [next((one for one in found if one["events"] >= i * step), found[-1]) for i in range(1, 11)]
    after = [one for one in found if one["events"] >= step]
    first, most, least = after[0]["rss"], max(one["rss"] for one in after), min(one["rss"] for one in after)
    counts = {name: sorted({one[name] for one in after}) for name in ("files", "threads")}
    what = (
        f"Machine: {cpu()}. Command: `python benchmarks/bounded.py`. {given.events:,} events, {KEYS:,} keys, at most {HELD:,} held. "
        "What is run is said at the top of [`bounded.py`](../bounded.py)."
    )
    rows = [
        f"| {one['events']:,} | {one['rss']:,.1f} | {one['files']} | {one['threads']} | {one['keys']:,} | {one['evicted']:,} |"
        for one in shown
    ]
    verdict = (
        f"After the first {step:,} events, in {len(after)} samples: resident set from {least:,.1f} to {most:,.1f} MB, "
        f"{100 * (least / first - 1):+.1f} to {100 * (most / first - 1):+.1f} % of the first of them; the last "
        f"{100 * (after[-1]['rss'] / first - 1):+.1f} %. Descriptors: {', '.join(map(str, counts['files']))}; threads: "
        f"{', '.join(map(str, counts['threads']))} (one more of each while a client asks)."
    )
    head = ["| events | resident MB | descriptors | threads | keys held | evicted |", "|---|---|---|---|---|---|"]
    note = (
        f"A snapshot of all keys ({snapshot / 1e6:,.0f} MB) is written every {EVERY:,} events, from where the state lies: memory holds it once. "
        f"The whole took\n{seconds / 60:,.1f} minutes and {spent:,.0f} seconds of the processor: {given.events / seconds:,.0f} events a second, and "
        f"{given.events / spent:,.0f} a second of the processor, start and snapshots included, on a\nmachine that other programs used too. Compiled code came from the cache: "
        "a process that compiles it itself keeps 80 MB of the compiler (351 MB in such a run)."
    )
    text = "\n".join(["# Memory over ten million events", "", what, "", *head, *rows, "", verdict, "", note, ""])
    RESULTS.write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
