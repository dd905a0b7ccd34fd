"""What an event costs in counts that no clock can blur: allocations, compilations, and bits that differ."""

from __future__ import annotations

import os
import subprocess
import sys

import numba
import numpy as np
import pytest
from numba.core import event

from streamrnn import RNNAnomalyDetector
from streamrnn.kernels.compile import INTERPRETED, OPTIONS, entry
from streamrnn.kernels.net.batch import LEARN as LEARN_BATCH
from streamrnn.kernels.net.batch import batch
from streamrnn.kernels.net.batch_memory import batch_memory
from streamrnn.kernels.net.supervised import LEARN, PREDICT, supervised
from streamrnn.testing.nets import HIDDEN, play, small_net

compiled_only = pytest.mark.skipif(INTERPRETED, reason="counts are those of compiled code")


@compiled_only
def test_what_would_allocate_does_not_compile():
    """Kernels have no allocator: the options forbid it, and the compiler says so."""
    assert OPTIONS["_nrt"] is False
    with pytest.raises(numba.core.errors.NumbaError, match="NRT"):
        entry(lambda n: np.empty(n).sum())(3)


@compiled_only
@pytest.mark.parametrize("many", [False, True])
def test_events_leave_no_block_of_memory(many):
    """After the first calls, a thousand more leave Python with as many blocks of memory as before."""
    net = small_net("lstm", traces=not many)
    if many:
        memory, rows = batch_memory(net.sizes, 4), np.random.default_rng(0).normal(size=6 * 4 * 7)
        run = batch("lstm", HIDDEN)
        call = lambda: run(net.slab, memory, rows, 4, 6, LEARN_BATCH)  # noqa: E731
    else:
        rows = np.random.default_rng(0).normal(size=7)
        run = supervised("lstm", HIDDEN)
        call = lambda: run(net.slab, rows, 1, PREDICT | LEARN)  # noqa: E731
    counts = np.zeros(4, np.int64)  # an array: the numbers of a list would be blocks themselves
    for turn in range(4):
        for _ in range(1000):
            call()
        counts[turn] = sys.getallocatedblocks()

    assert counts[3] == counts[2]


@compiled_only
def test_nothing_is_compiled_after_the_first_event():
    """New features, missing ones, blocks, another optimiser, loss, window: one compiled function serves them all."""
    model = RNNAnomalyDetector(hidden_size=HIDDEN)
    model.score_one({"a": 1.0})
    model.learn_one({"a": 1.0})
    first = small_net("lstm")
    play(first, np.ones((1, 3)), np.ones((1, 2)))

    with event.install_recorder("numba:compile") as seen:
        for x in ({"a": 1.0, "b": 2.0}, {"c": 3.0}, {f"x{i}": float(i) for i in range(20)}, {"a": None}):
            for _ in range(40):
                model.score_one(x)
                model.learn_one(x)
        model.progressive_many(np.ones((50, 2)), ("a", "b"))
        play(small_net("lstm", outputs=4, layers=3, window=9, stride=2, traces=True, optimizer="adam",
                           loss="cross_entropy", clip=1.0), np.ones((40, 3)), np.ones((40, 4)))  # fmt: skip

    assert [data for _, data in seen.buffer] == []


BITS = """
import hashlib, sys
import numpy as np
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.supervised import LEARN
from streamrnn.kernels.net.supervised import PREDICT
from streamrnn.kernels.net.supervised import supervised
from streamrnn.testing.nets import HIDDEN, small_net
events = np.random.default_rng(1).normal(size=(100_000, 7))
for block in (1, 7, 1000):
    net = small_net("lstm", window=2, stride=1, traces=True, optimizer="adam", normalize_inputs=True, pull=1e-6)
    run, rows = supervised("lstm", HIDDEN), events.copy()
    for first in range(0, len(rows), block):
        some = rows[first : first + block]
        run(net.slab, some.reshape(-1), len(some), PREDICT | LEARN)
    print(int(net.header[at.UPDATES]), hashlib.sha256(net.state() + rows.tobytes()).hexdigest())
"""


@compiled_only
@pytest.mark.slow
def test_a_hundred_thousand_updates_end_in_the_same_bits():
    """Two new processes, blocks of 1, 7 and 1000 events: one state and one sequence of outputs, bit for bit."""
    runs = [
        subprocess.run(
            [sys.executable, "-c", BITS],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
        for seed in ("1", "2")
    ]

    assert runs[0][::2] == ["100000"] * 3
    assert len(set(runs[0][1::2] + runs[1][1::2])) == 1
