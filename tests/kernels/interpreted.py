"""What the tests run in a process of its own with ``NUMBA_DISABLE_JIT=1``: kernels as plain Python.

``python -m tests.kernels.interpreted results FILE`` plays some events through every cell and rule and saves what comes out.
``python -m tests.kernels.interpreted ranks FILE`` does the same with the alarm rule that ranks scores.
``python -m tests.kernels.interpreted mutants`` plants errors into the way back of every cell, one at a time, and
prints which cells' checks fail, as JSON.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
from dataclasses import replace

import numpy as np

from streamrnn.config import Alarm
from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.compile import INTERPRETED
from streamrnn.kernels.net import words as at
from streamrnn.scorers.rank_rule import RankRule
from streamrnn.testing.cells import gradient_is_the_difference_quotient
from streamrnn.testing.nets import play, small_net, weights
from tests.kernels import reference

OWN = {"peephole_lstm": (0, 1, 3)}  # blocks of a cell's own weights that it reads
RULES = [(cell, traces) for cell in CELLS for traces in ([False, True] if CELLS[cell].traced else [False])]


def results():
    """Outputs and final weights of each cell and rule: two layers, Adam, forty standardised events, by name."""
    rng, found = np.random.default_rng(2), {}
    X, Y = rng.normal(size=(40, 3)) * 10.0 + 5.0, rng.normal(size=(40, 2)) * 3.0
    X[7, 1], Y[9, 0], X[11, 2] = np.nan, np.nan, 1e9
    options = {"layers": 2, "window": 5, "stride": 3, "normalize_inputs": True, "normalize_targets": True, "pull": 1e-4}
    for cell, traces in RULES:
        net = small_net(cell, traces=traces, optimizer="adam", **options)
        if (
            cell == "slstm"
        ):  # from rest the gradient of its input gate's bias is 0: Adam would follow the sign of rounding
            net.array("settings")[at.EPS] = 1e-3
        out = play(net, X, Y)
        found[f"{cell}-{traces}"] = np.concatenate([out.ravel(), *(part.ravel() for part in weights(net))])
    return found


def ranks():
    """Alarms, p-values and memory of the rank rule: keys in turns, some anew, with ties, drift and scores that are no numbers, by name of the rate."""
    rng, found = np.random.default_rng(3), {}
    scores = np.round(rng.normal(size=3000) * np.exp(np.sin(np.arange(3000) / 300)), 2)
    scores[::97] = np.nan
    codes = rng.integers(1, 4, 3000) * np.where(np.arange(3000) % 1100 < 1, -1, 1)
    for rate in (0.001, 0.03):
        rule = RankRule(Alarm(rate=rate, window=400, warm_up=20, cooldown=1))
        parts = [*rule.update_many(scores, codes), np.frombuffer(bytes(rule.dumps(3)), np.int64)]
        found |= {f"{rate} {i}": part for i, part in enumerate(parts)}
    return found


def scaled(factory, which, H, argument):
    """A cell's factory whose step returns one block of one of its results five per cent too large."""

    def planted(hidden):
        step = factory(hidden)

        def wrong(*args):
            step(*args)
            args[argument][which * H : (which + 1) * H] *= np.float32(1.05)

        return wrong

    return planted


def mutants():
    """Name, cell and row of each: every block of dz, the direct path of dh, dc, every trace factor, its decay."""
    H = 5
    for name, cell in CELLS.items():
        places = [("backward", f"dz {block}", block, 4) for block in range(cell.dz_blocks)]
        if cell.carry_gate >= 0:
            places.append(("backward", "dh", 0, 2))
        if cell.c >= 0:
            places += [("backward", f"dc {block}", block, 3) for block in range(cell.states)]
        places += [("backward", f"dw {block}", block, 6) for block in OWN.get(name, ())]
        if cell.traces:
            places += [("traces", f"local {block}", block, 3) for block in range(cell.traced)]
            places.append(("traces", "later", 0, 2))
        for part, text, block, argument in places:
            factory = scaled(getattr(cell, part), block, H, argument)
            yield f"{name}: {text}", name, replace(cell, **{part: factory})


def failing(mutant):
    """The cells whose gradient check fails when the table holds this row."""
    _, name, row = mutant
    CELLS[name] = row
    failed = set()
    for cell, traces in RULES:
        try:
            gradient_is_the_difference_quotient(cell, 3, 2, 2, traces, reference.CELL[cell])
        except AssertionError:
            failed.add(cell)
    return sorted(failed)


ALL = [(None, "dense", CELLS["dense"]), *mutants()]


def failing_at(place):
    """The same, by place in the list: functions do not travel between processes."""
    return failing(ALL[place])


def main():
    assert INTERPRETED
    saved = {"results": results, "ranks": ranks}.get(sys.argv[1])
    if saved is not None:
        np.savez(sys.argv[2], **saved())
    else:
        # a process each: bodies are kept by a cell's name
        with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
            found = pool.map(failing_at, range(len(ALL)), chunksize=1)
        print(json.dumps([[text or "", name, failed] for (text, name, _), failed in zip(ALL, found, strict=True)]))


if __name__ == "__main__":
    main()
