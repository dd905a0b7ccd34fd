"""What an event costs in each net, as a share of what this core can do.

``python benchmarks/kernels.py`` prints the tables and renews the measured part of ``benchmarks/results/kernels.md``;
``--cold`` also measures the first start of every setting (some minutes); ``--no-write`` prints only.

**The limit.** For one stream, with W of N columns and H + I + 1 rows, window = stride = T, an event cannot cost less than

    forward           4 N (H + I + 1)            bytes / load     W passes the core once
  + backward          4 N H (T - 1) / T          bytes / load     its recurrent rows pass once more, but for the oldest event
  + weight gradient   2 N (H + I + 1)            flop  / peak     one multiply-add for each weight and event
  + Adam              3 x 4 N (H + I + 1) / T    bytes / renew    W and two moments are read, changed and written once a window
  + activations       26 x 5 H                   flop  / peak     thirteen multiply-adds each; the division is not counted

where *load* and *renew* are the measured rates of the smallest cache that holds W, or W and its moments, and *peak* is that of
float32 multiply-adds; ``roofline.py`` measures all of them in this very process, in turn with the nets. The parts add up because
each waits for the one before: the state of event t is an input of event t + 1. What is not in the limit is overhead by definition:
scaling the event, the head, the loss, traces, checks for finite numbers. Both sides are the best of many short runs, since this
core has neighbours.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import roofline
from rich.console import Console
from rich.table import Table

from streamrnn import RNNRegressor
from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.net.batch import LEARN as LEARN_BATCH
from streamrnn.kernels.net.batch import PREDICT as PREDICT_BATCH
from streamrnn.kernels.net.batch import batch
from streamrnn.kernels.net.batch_memory import batch_memory
from streamrnn.kernels.net.layout import Sizes
from streamrnn.kernels.net.supervised import LEARN, supervised
from streamrnn.models._net import Net

INPUTS, WINDOW = 8, 16
SIZES = (16, 32, 64, 128)
OTHERS = (32, 128)  # of the other cells: each cell and size is a compilation
ACTIVATIONS = {
    "lstm": 5, "trace_lstm": 5, "peephole_lstm": 5, "slstm": 6, "gru": 3, "elman": 1, "elman_logistic": 1, "dense": 1
}  # fmt: skip
RESULT = Path(__file__).parent / "results" / "kernels.md"


def net(cell: str, hidden: int, *, traces: bool = False) -> Net:
    """Return a net of the benchmark: 8 inputs, one output, Adam, window = stride = 16."""
    sizes = Sizes(cell, 0, hidden, 0, window=WINDOW, stride=WINDOW, traces=traces)
    made = Net(
        sizes, 0, loss="squared", pull=0.0, normalize_inputs=False, normalize_targets=False, settings={"lr": 1e-4}
    )
    made.grow([f"x{i}" for i in range(INPUTS)], 1)
    return made


def limit(core: roofline.Core, cell: str, hidden: int) -> dict[str, float]:
    """Return the parts of the limit in nanoseconds an event; the formula above."""
    spec = CELLS[cell]
    N = spec.gates * hidden
    rows = INPUTS + 1 + (hidden if spec.recurrent else 0)
    weights = 4 * N * rows
    load, renew = core.load[core.level(weights)], core.renew[core.level(3 * weights)]
    return {
        "forward": weights / load,
        "backward": 4 * N * hidden * (WINDOW - 1) / WINDOW / load if spec.recurrent else 0.0,
        "gradient": 2 * N * rows / core.gflops,
        "Adam": 3 * weights / WINDOW / renew,
        "activations": 26 * ACTIVATIONS[cell] * hidden / core.gflops,
    }


def step(cell: str, hidden: int, *, traces: bool = False, learn: bool = True) -> tuple[Callable[[], Any], int]:
    """Return a call that passes some windows through a net, and how many events it takes."""
    model, entry = net(cell, hidden, traces=traces), supervised(cell, hidden)
    n = WINDOW * max(1, 4096 // hidden**2)
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(n, INPUTS + 2))
    if not learn:
        rows[:, INPUTS] = np.nan  # a window without a target moves the state and learns nothing
    flat = rows.reshape(-1)
    return lambda: entry(model.slab, flat, n, LEARN), n


def estimator(hidden: int) -> tuple[Callable[[], Any], int]:
    """Return a call that teaches the same LSTM, as the only expert of a regressor that scales inputs and targets, and how many events it takes."""
    model = RNNRegressor(
        hidden_size=hidden,
        window=WINDOW,
        stride=WINDOW,
        learning="tbptt",
        optimizer="adam",
        experts=("net",),
        autoregressive=False,
    )
    n, rng = 64 * WINDOW, np.random.default_rng(0)
    X, Y = rng.normal(size=(n, INPUTS)), rng.normal(size=n)
    return lambda: model.learn_many(X, Y), n


def many(cell: str, hidden: int, streams: int, mode: int) -> tuple[Callable[[], Any], int]:
    """Return a call that passes one window of many streams through a net, and how many events it takes."""
    model, entry = net(cell, hidden), batch(cell, hidden)
    memory = batch_memory(model.sizes, streams)
    rows = np.random.default_rng(0).normal(size=WINDOW * streams * (INPUTS + 2))
    return lambda: entry(model.slab, memory, rows, streams, WINDOW, mode), WINDOW * streams


def race(jobs: dict[Any, tuple[Callable[[], Any], int]], rounds: int) -> tuple[dict[Any, float], roofline.Core]:
    """Return the best ns an event of every job and the core's best figures, all measured in turn."""
    best = dict.fromkeys(jobs, float("inf"))
    for call, _ in jobs.values():
        call()
    core = roofline.measure()
    for turn in range(rounds):
        for name, (call, events) in jobs.items():
            for _ in range(5):  # the first finds the caches full of the others' weights
                begin = time.perf_counter_ns()
                call()
                best[name] = min(best[name], (time.perf_counter_ns() - begin) / events)
        if turn % 50 == 0:
            core = core.best(roofline.measure(5))
    return best, core


def cold(cell: str, hidden: int, model: str) -> float:
    """Return the CPU seconds that the first event of an estimator costs in a new process with an empty cache."""
    code = (
        "import resource as r, streamrnn\n"
        f"m = streamrnn.{model}(cell={cell!r}, hidden_size={hidden})\n"
        "x = {'a': 1.0}\n"
        + (
            "m.score_one(x); m.learn_one(x); m.score_one(x)\n"
            if "Anomaly" in model
            else "m.predict_one(x); m.learn_one(x, 1.0)\n"
        )
        + "u = r.getrusage(r.RUSAGE_SELF); print(u.ru_utime + u.ru_stime)"
    )
    with tempfile.TemporaryDirectory() as place:
        ran = subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "NUMBA_CACHE_DIR": place}, check=True, capture_output=True
        )
    return float(ran.stdout)


def machine() -> str:
    """Return processor, versions and date in one line."""
    return (
        f"{roofline.model()}; Python {platform.python_version()}, numba {numba.__version__}, numpy {np.__version__}; "
        f"{time.strftime('%Y-%m-%d')}"
    )


class Report:
    """Tables, on the screen and as Markdown."""

    def __init__(self) -> None:
        self.console, self.lines = Console(), []  # type: ignore[var-annotated]

    def table(self, title: str, head: list[str], rows: list[list[str]], note: str = "") -> None:
        """Add one table."""
        shown = Table(*head, title=title)
        for row in rows:
            shown.add_row(*row)
        self.console.print(shown)
        self.lines += [f"## {title}", "", *([note, ""] if note else [])]
        self.lines += ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)] + [""]


def single(report: Report, rounds: int) -> None:
    """Measure one stream: the LSTM against its limit, the price of traces, every other cell."""
    kinds = {cell: ["train", *(["traces"] if CELLS[cell].traced else [])] for cell in CELLS}
    jobs = {("lstm", H, kind): step("lstm", H, traces=kind == "traces", learn=kind != "forward")
            for H in SIZES for kind in ("forward", "train", "traces")}  # fmt: skip
    jobs |= {(cell, H, kind): step(cell, H, traces=kind == "traces")
             for cell in CELLS if cell != "lstm" for H in OTHERS for kind in kinds[cell]}  # fmt: skip
    jobs |= {("lstm", H, "estimator"): estimator(H) for H in SIZES}
    best, core = race(jobs, rounds)
    report.table("This core", ["limit", "measured"], [list(row) for row in roofline.rows(core)])
    rows, parts = [], []
    for H in SIZES:
        bound = limit(core, "lstm", H)
        total = sum(bound.values())
        forward, train, traces = (best["lstm", H, kind] for kind in ("forward", "train", "traces"))
        rows.append([str(H), f"{forward:.0f}", f"{train:.0f}", f"{total:.0f}", f"{total / train:.0%}",
                     f"{best['lstm', H, 'estimator']:.0f}", f"{total / best['lstm', H, 'estimator']:.0%}",
                     f"{traces:.0f}", f"+{traces / train - 1:.0%}"])  # fmt: skip
        parts.append([str(H), *(f"{value:.0f}" for value in bound.values()), f"{total:.0f}"])
    report.table(
        "LSTM, one stream, 8 inputs, window = stride = 16, Adam (ns an event)",
        ["H", "forward", "train step", "limit", "share of the limit", "regressor", "its share", "with carried traces", "traces cost"], rows,
        "The regressor is the same net as a user teaches it with learn_many: inputs and targets scaled, a bounded loss, a pull to the initial weights.",
    )  # fmt: skip
    report.table("The parts of that limit (ns an event)", ["H", *limit(core, "lstm", 16), "sum"], parts)
    rows = []
    for cell in CELLS:
        for kind in kinds[cell]:
            shares = [(best[cell, H, kind], sum(limit(core, cell, H).values())) for H in OTHERS]
            rows.append([f"{cell}, {kind}", *(f"{ns:.0f} ({top / ns:.0%})" for ns, top in shares)])
    report.table(
        "Every cell, one stream, train step (ns an event; share of its limit)", ["cell", *(f"H = {H}" for H in OTHERS)], rows,
        "Small nets are bound by what the limit does not count: the event's own scaling, head and loss, 100 to 200 ns.",
    )  # fmt: skip


def streams(report: Report, rounds: int) -> None:
    """Measure streams that share one net."""
    modes = {"forward": PREDICT_BATCH, "train": LEARN_BATCH}
    jobs = {(H, B, kind): many("lstm", H, B, mode) for H in SIZES for B in (4, 16) for kind, mode in modes.items()}
    jobs |= {(H, 0, kind): step("lstm", H, learn=kind == "train") for H in SIZES for kind in modes}
    best, _ = race(jobs, rounds)
    rows = []
    for H in SIZES:
        for kind in modes:
            alone = best[H, 0, kind]
            rows.append(
                [
                    str(H),
                    kind,
                    f"{alone:.0f}",
                    *(f"{best[H, B, kind]:.0f} ({alone / best[H, B, kind]:.1f} x)" for B in (4, 16)),
                ]
            )
    report.table(
        "LSTM, B streams with shared weights in one call (ns a stream and event)",
        ["H", "what", "one stream alone", "B = 4", "B = 16"], rows,
        "In brackets: how many times as many events a second. Training: one step of Adam for a window of 16 events of all streams.",
    )  # fmt: skip


def starts(report: Report) -> None:
    """Measure the first start, compilation included."""
    rows = [[model, cell, *(f"{cold(cell, H, model):.1f}" for H in (16, 128))]
            for model, cells in (("RNNRegressor", CELLS), ("RNNAnomalyDetector", ("lstm",))) for cell in cells]  # fmt: skip
    report.table(
        "First start: whole process with an empty cache (CPU seconds)", ["estimator", "cell", "H = 16", "H = 128"], rows,
        "A second start takes the compiled code from disk.",
    )  # fmt: skip


def main() -> None:
    """Measure, print, write."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=400, help="runs of each job, of which the best counts")
    options.add_argument("--cold", action="store_true", help="measure first starts too")
    options.add_argument("--no-write", action="store_true", help="print only")
    chosen = options.parse_args()
    report = Report()
    single(report, chosen.rounds)
    streams(report, chosen.rounds // 2)
    if chosen.cold:
        starts(report)
    if not chosen.no_write:
        write("kernels.py", " ".join(["python", "benchmarks/kernels.py", *sys.argv[1:]]), report.lines)


def write(script: str, command: str, lines: list[str]) -> None:
    """Renew the part of the result file that a script measures; the other parts stay."""
    begin, end = f"<!-- {script}: begin -->", f"<!-- {script}: end -->"
    text = RESULT.read_text() if RESULT.exists() else "# What an event costs\n"
    part = "\n".join([begin, "", f"`{command}` on {machine()}", "", *lines, end])
    before, _, rest = text.partition(begin)
    RESULT.write_text(before.rstrip() + "\n\n" + part + rest.partition(end)[2].rstrip() + "\n")


if __name__ == "__main__":
    main()
