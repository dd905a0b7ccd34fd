"""What a key costs where many share one net: memory, time of an event, of a new key, of a snapshot, of a restart.

``python benchmarks/fleets.py`` writes ``benchmarks/results/fleets.md``; ``--keys N`` chooses another number, and ``--only MODEL --events`` measures memory and
events of one model alone: a million keys need no room for their snapshots then. Each row is a process of its own: one partition, events of keys in random order, blocks
of 4096, in turns with blocks of one key, whose state stays in the processor's caches. Seconds are those of its processor; memory is what its resident set has grown
by, taken with a hundredth of the keys, and with all of them. Keys are young, with an event or two behind them, or, a tenth as many, warm: 2600 events each, so that the alarm rule keeps as many
scores as it ever will.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from machine import cpu

from streamrnn.config import Alarm
from streamrnn.engine.shard import Shard
from streamrnn.io import Block
from streamrnn.scorers.kinds import model_kind
from streamrnn_kafka.patches import patches, stretches, sums_of
from streamrnn_kafka.state import PAGE_BYTES

RESULTS = Path(__file__).parent / "results" / "fleets.md"
BLOCK, ROUNDS = 4096, 25
LABEL = {"label": "y", "hidden_size": 16}
WARM = 2600
MODELS: dict[str, tuple[str, dict[str, Any], tuple[str, ...], int]] = {
    '`RNNRegressor`, `experts = ["net"]`': ("RNNRegressor", {**LABEL, "experts": ["net"]}, ("x", "y"), 0),
    "`RNNRegressor`": ("RNNRegressor", LABEL, ("x", "y"), 0),
    "`RNNAnomalyDetector`": ("RNNAnomalyDetector", {}, ("x",), 0),
}
MODELS |= {f"{name}, warm": (*row[:-1], WARM) for name, row in MODELS.items()}
"""Kind, parameters, columns, and events of a key before it is measured."""


def resident() -> int:
    """Return the bytes that are resident."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


class Fleet:
    """A partition whose keys share a net, and events for it."""

    def __init__(self, name: str, keys: int) -> None:
        kind, parameters, self.names, _ = MODELS[name]
        self.make = lambda: Shard(model_kind(kind, parameters), Alarm(), keys, keyed=True)
        self.shard, self.drawn = self.make(), np.random.default_rng(1)
        self.keys = np.array([f"key-{i:07d}" for i in range(keys)], object)

    def block(self, which: np.ndarray) -> Block:
        """Return an event of each of these keys."""
        n = len(which)
        values = self.drawn.normal(size=(n, len(self.names)))
        return Block(self.names, values, range(n), n, keys=tuple(self.keys[which].tolist()))

    def any_of(self, n: int) -> Block:
        """Return events of keys in random order."""
        return self.block(self.drawn.integers(len(self.keys), size=n))


def timed(what: Any) -> float:
    """Return the processor's seconds that something takes."""
    before = time.process_time()
    what()
    return time.process_time() - before


def measure(name: str, keys: int, *, events: bool = False) -> dict[str, float]:
    """Return all figures of one model; ``events``: those of its memory and of events alone."""
    fleet = Fleet(name, keys)
    shard, few = fleet.shard, max(keys // 100, 100)
    shard.score(fleet.block(np.arange(few)))
    before = resident()
    blocks = [fleet.block(np.arange(i, min(i + BLOCK, keys))) for i in range(few, keys, BLOCK)]
    found = {"new": timed(lambda: [shard.score(one) for one in blocks]) / (keys - few)}
    for _ in range(keys * MODELS[name][-1] // BLOCK):
        shard.score(fleet.any_of(BLOCK))
    found["rss"] = (resident() - before) / (keys - few)
    found["event"] = found["alone"] = 0.0
    for _ in range(ROUNDS):
        for what, block in (("event", fleet.any_of(BLOCK)), ("alone", fleet.block(np.zeros(BLOCK, np.int64)))):
            found[what] += timed(lambda block=block: shard.score(block)) / (ROUNDS * BLOCK)
    found["resident"] = resident()
    if events:
        return found
    data = shard.snapshot()
    found["bytes"], found["snapshot"] = len(data) / keys, timed(shard.snapshot)
    sums = sums_of(data)
    found["restore"] = timed(lambda: fleet.make().restore(data))
    shard.score(fleet.block(fleet.drawn.choice(keys, keys // 100, replace=False)))
    after = shard.snapshot()
    found["changed"] = sum(map(len, patches(stretches(sums, sums_of(after), len(after)), after, PAGE_BYTES))) / len(
        after
    )
    return found


def main() -> None:
    """Measure, and write the table."""
    read = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    read.add_argument("--keys", type=int, default=100_000)
    read.add_argument("--only", help="measure one model, and print its figures as JSON")
    read.add_argument("--events", action="store_true", help="with --only: memory and events alone")
    given = read.parse_args()
    if given.only:
        sys.stdout.write(json.dumps(measure(given.only, given.keys, events=given.events)))
        return
    rows = []
    for name in MODELS:
        keys = given.keys // (10 if MODELS[name][-1] else 1)
        line = [sys.executable, __file__, "--only", name, "--keys", str(keys)]
        one = json.loads(subprocess.run(line, check=True, capture_output=True).stdout)
        rows.append(
            f"| {name} | {keys:,} | {one['rss'] / 1000:.1f} KB | {one['new'] * 1e6:.0f} us | {one['event'] * 1e6:.1f} us, {1 / one['event']:,.0f} | {one['alone'] / one['event']:.2f} | "
            f"{one['bytes'] / 1000:.1f} KB, {one['snapshot']:.1f} s | {one['changed']:.1%} | {one['restore']:.1f} s |"
        )
    head = [
        "| model | keys | memory a key | a new key | an event; events a second | of one key's, in turns | snapshot: a key, all | written after 1 % of the keys changed | restore |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    what = (
        f"Machine: {cpu()}. Command: `python benchmarks/fleets.py`. Keys in random order, one row of a key in a block; "
        "what is measured is said at the top of [`fleets.py`](../fleets.py)."
    )
    text = "\n".join(["# Many keys on one net", "", what, "", *head, *rows, ""])
    RESULTS.write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
