"""Bounds: memory, and input that has gone bad."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from streamrnn import RNNAnomalyDetector
from streamrnn.config import Alarm
from streamrnn.engine.shard import Shard
from streamrnn.io import Block
from streamrnn.scorers.kinds import model_kind
from tests.daemon.daemon_rig import place
from tests.engine.test_loop import KIND
from tests.laws.places import ROOT


def block(keys: int, n: int, cut: slice = slice(None)) -> Block:
    """Events of many keys, in an order of their own."""
    drawn = np.random.default_rng(3)
    values, names = drawn.normal(size=(n, 1)), [f"k{i}" for i in drawn.integers(0, keys, n)]
    return Block(("a",), values[cut], list(range(n))[cut], n, keys=names[cut])


def test_the_guide_says_what_a_series_takes() -> None:
    """The guide's table is what ``check`` says, but for a KB: Python's own objects differ from release to release."""
    guide = (ROOT / "docs" / "operating.md").read_text()
    memories = map(int, re.findall(r"`memory = (\d+)`", guide.partition("| `[model] hidden_size` |")[2])[:2])
    columns = [*memories, 6000]
    rows = {
        int(size): told
        for size, *told in re.findall(r"^\| (8|16)\b[^|]*\| (\d+) \| (\d+) \| (\d+) \|$", guide, re.MULTILINE)
    }
    for size, told in rows.items():
        kinds = [model_kind("RNNAnomalyDetector", {"hidden_size": size, "memory": memory}) for memory in columns]
        found = [Shard(kind).key_bytes(("value",)) / 1000 for kind in kinds]

        assert list(map(int, told)) == pytest.approx(found, abs=1.5)
    detector = RNNAnomalyDetector()
    detector.learn_one({"a": 1.0})

    assert sorted(rows) == [8, 16]
    (told,) = re.findall(r"(\d+) KiB", (ROOT / "README.md").read_text())
    assert int(told) == pytest.approx(detector.memory_usage() / 1024, abs=1.5)


def test_memory_budget() -> None:
    """A budget of bytes holds fewer keys; which ones does not depend on where blocks are cut; at least one stays."""
    alarm = Alarm(window=100, rate=0.05)
    size = 2_000_000

    one = Shard(KIND, alarm, 1000, max_bytes=size)
    one.score(block(500, 3000))
    other = Shard(KIND, alarm, 1000, max_bytes=size)
    for start in range(0, 3000, 70):
        other.score(block(500, 3000, slice(start, start + 70)))
    least = Shard(KIND, alarm, 1000, max_bytes=1)
    least.score(block(500, 100))

    assert 50 < len(one) < 200
    assert one.evicted > 0
    assert one.keys() == other.keys()
    assert one.snapshot() == other.snapshot()
    assert len(least) == 1


def test_memory_budget_of_a_net() -> None:
    """What is held of nets weighs no more than the budget says."""
    shard = Shard(
        model_kind("RNNAnomalyDetector", {"hidden_size": 8}), Alarm(window=100, rate=0.05), max_bytes=4_000_000
    )

    shard.score(block(200, 400))

    assert 10 < len(shard) < 100
    assert len(shard.snapshot()) < 4_000_000


def test_budget_lowered() -> None:
    """A smaller budget after a restart lets go of the keys unseen for longest."""
    alarm = Alarm(window=100, rate=0.05)
    large, small = Shard(KIND, alarm, 400), Shard(KIND, alarm, 400, max_bytes=500_000)
    large.score(block(300, 2000))

    small.restore(large.snapshot())
    small.score(Block(("a",), np.ones((1, 1)), (0,), 1, keys=["new"]))

    assert small.keys() == [*large.keys()[-len(small) + 1 :], "new"]
    assert len(small) < 50


@pytest.mark.parametrize("share", ["0.5", "1.0"])
def test_bad_input(tmp_path: Path, share: str) -> None:
    """Too many dead letters stop the run with 65, all of them written; a restart goes on behind them."""
    config = place(tmp_path, 2000, more=f'[dead_letter]\npath = "dead.jsonl"\nmax_share = {share}\nwindow = 100\n')
    with (tmp_path / "in.csv").open("a") as file:
        file.write("2024-01-01T00:00:00Z,broken,s0\n" * 3000)
    run = [sys.executable, "-m", "streamrnn", "run", config]

    done = subprocess.run(run, capture_output=True, check=False, timeout=150)
    letters = (tmp_path / "dead.jsonl").read_bytes().count(b"\n")
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith(b"{")]

    if share == "1.0":
        assert (done.returncode, letters) == (0, 3000)
        return
    assert done.returncode == 65
    assert (lines[-1]["event"], "[dead_letter] max_share = 0.5" in lines[-1]["error"]) == ("failed", True)
    assert 0 < letters < 3000
    assert b"Traceback" not in done.stderr
    assert (tmp_path / "out.jsonl").read_bytes().count(b"\n") == 2000
    while subprocess.run(run, capture_output=True, check=False, timeout=150).returncode == 65:
        before, letters = letters, (tmp_path / "dead.jsonl").read_bytes().count(b"\n")
        assert letters > before
    assert (tmp_path / "dead.jsonl").read_bytes().count(b"\n") == 3000
