"""What an event costs in deep-river's ``LSTMRegressor`` and in ``RNNRegressor``: predict_one, then learn_one.

``python benchmarks/deep_river_lstm.py --python PATH`` times both in turn, each in a process of its own, and writes
``benchmarks/results/deep_river_lstm.md``. PATH is a Python of an environment with deep-river in it::

    python -m venv other && other/bin/pip install deep-river pytest  # its utilities import pytest

Both: 8 features that are standardised already, one target, an LSTM of H units, a window of 16 events, Adam, one thread. deep-river
runs its window from a zero state at each call and makes a step of its optimiser at each event (its "cadence"). Ours is timed
with an update every 16 events, with its default, and with an update at each event, standardising inside, as it comes.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from itertools import cycle
from pathlib import Path
from typing import Any

RESULT = Path(__file__).parent / "results" / "deep_river_lstm.md"
FEATURES, WINDOW, SIZES = 8, 16, (16, 32, 64)
SECONDS = 0.3  # of one turn


def make(name: str, hidden: int) -> Any:
    """Return a regressor: deep-river's, or ours with an update every so many events."""
    if name == "deep-river":
        import torch  # noqa: PLC0415  only in the process that has it
        from deep_river.regression.zoo import LSTMRegressor  # noqa: PLC0415

        torch.set_num_threads(1)
        return LSTMRegressor(n_features=FEATURES, hidden_size=hidden, window_size=WINDOW, optimizer_fn="adam")
    from streamrnn import RNNRegressor  # noqa: PLC0415  deep-river's environment has none

    return RNNRegressor(
        hidden_size=hidden, window=WINDOW, stride=int(name), optimizer="adam", experts=("net",), autoregressive=False
    )


def worker() -> None:
    """Time what each line asks for (name|hidden) for one turn and answer with microseconds an event."""
    import numpy as np  # noqa: PLC0415

    rng = np.random.default_rng(1)
    X = [{f"x{i}": v for i, v in enumerate(row)} for row in rng.normal(size=(1000, FEATURES)).tolist()]
    events = cycle(zip(X, rng.normal(size=1000).tolist(), strict=True))
    models: dict[str, Any] = {}
    for line in sys.stdin:
        if line not in models:
            name, hidden = line.strip().split("|")
            models[line] = make(name, int(hidden))
            for _ in range(2 * WINDOW):  # the window is full, and all that is compiled is
                x, y = next(events)
                models[line].predict_one(x)
                models[line].learn_one(x, y)
        model, n = models[line], 0
        start = time.perf_counter()
        while time.perf_counter() < start + SECONDS:
            for _ in range(WINDOW):
                x, y = next(events)
                model.predict_one(x)
                model.learn_one(x, y)
            n += WINDOW
        print((time.perf_counter() - start) / n * 1e6, flush=True)


def ask(process: subprocess.Popen[str], name: str, hidden: int) -> float:
    """Let a worker run one turn."""
    assert process.stdin  # noqa: S101  both are pipes
    assert process.stdout  # noqa: S101
    process.stdin.write(f"{name}|{hidden}\n")
    return float(process.stdout.readline())


def main() -> None:
    """Time both sides in turn, print, write."""
    from machine import cpu  # noqa: PLC0415  beside this file

    from streamrnn.models._defaults import STRIDE_OF_LABELS  # noqa: PLC0415

    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--python", required=True, help="a Python that has deep-river")
    options.add_argument("--turns", type=int, default=12, help=f"turns of {SECONDS} s for each")
    options.add_argument("--no-write", action="store_true")
    given = options.parse_args()
    default = STRIDE_OF_LABELS
    labels = {
        "deep-river": "deep-river `LSTMRegressor`, an update at each event", "16": "`RNNRegressor`, an update every 16 events",
        str(default): f"`RNNRegressor`, its default: every {default} events", "1": "`RNNRegressor`, an update at each event",
    }  # fmt: skip
    worker_of = [__file__, "--worker"]
    found = {(name, H): float("inf") for name in labels for H in SIZES}
    with (
        subprocess.Popen([given.python, *worker_of], stdin=-1, stdout=-1, text=True, bufsize=1) as theirs,
        subprocess.Popen([sys.executable, *worker_of], stdin=-1, stdout=-1, text=True, bufsize=1) as ours,
    ):
        for _ in range(given.turns):
            for (name, H), best in found.items():
                found[name, H] = min(best, ask(theirs if name == "deep-river" else ours, name, H))
    versions = subprocess.run(
        [given.python, "-c", "from importlib.metadata import version as v; print(v('deep-river'), v('torch'))"],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    head, *rows = labels
    command = (
        f"`python benchmarks/deep_river_lstm.py --python PYTHON --turns {given.turns}` on {cpu()}, Python "
        f"{platform.python_version()}, deep-river {versions[0]}, torch {versions[1]}, numba {version('numba')}."
    )
    lines = [
        "# An event in deep-river and here", "", command, "",
        "predict_one and learn_one, 8 features, window 16, Adam, one thread; µs an event, the best of all turns. In brackets: how many",
        "times as fast as deep-river. Its gradient ends at the window; ours carries traces beyond it. Ours is the net alone, which is not told its last target, as theirs.", "",
        f"| | {' | '.join(f'H = {H}' for H in SIZES)} |", f"| --- |{' --- |' * len(SIZES)}",
        f"| {labels[head]} | {' | '.join(f'{found[head, H]:.0f}' for H in SIZES)} |",
    ]  # fmt: skip
    for name in rows:
        cells = (f"{found[name, H]:.2f} ({found[head, H] / found[name, H]:.0f} x)" for H in SIZES)
        lines.append(f"| {labels[name]} | {' | '.join(cells)} |")
    print("\n".join(lines))
    if not given.no_write:
        RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    worker() if sys.argv[1:] == ["--worker"] else main()
