"""What one event costs as a user calls it: ``predict_one`` and ``learn_one`` against river's linear regression.

``python benchmarks/estimators.py`` prints the tables and renews the measured part of ``benchmarks/results/estimators.md``;
``--no-write`` prints only. All models of a table take turns within one process, the best of many short runs by CPU time counts:
this core has neighbours. Every model is measured as it comes (normalisation inside): the mixture, the same with an update at each
event, and the net alone.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from machine import cpu
from river import linear_model, preprocessing

from streamrnn import RNNRegressor
from streamrnn.kernels.net.supervised import LEARN, PREDICT

RESULT = Path(__file__).parent / "results" / "estimators.md"
BEGIN, END = "<!-- estimators.py: begin -->", "<!-- estimators.py: end -->"
FEATURES, EVENTS = 8, 2000
SIZES = (16, 32, 64)
KINDS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "stride 1": {"stride": 1},
    "the net alone": {"experts": ("net",)},
}


def stream(n: int = EVENTS) -> tuple[list[dict[str, float]], list[float]]:
    """Return n events of eight features, and their targets."""
    rng = np.random.default_rng(1)
    X = [{f"x{i}": v for i, v in enumerate(row)} for row in rng.normal(size=(n, FEATURES)).tolist()]
    return X, rng.normal(size=n).tolist()


def pass_over(model: Any, X: list[dict[str, float]], Y: list[float]) -> float:
    """Predict and learn every event; return microseconds an event."""
    predict, learn = model.predict_one, model.learn_one
    start = time.process_time()
    for x, y in zip(X, Y, strict=True):
        predict(x)
        learn(x, y)
    return (time.process_time() - start) / len(X) * 1e6


def best_of(rounds: int, runs: dict[str, Callable[[], float]]) -> dict[str, float]:
    """Let all take turns; return the best of each."""
    found = dict.fromkeys(runs, float("inf"))
    for _ in range(rounds):
        for name, run in runs.items():
            found[name] = min(found[name], run())
    return found


def against_river(rounds: int) -> list[str]:
    """Return the table of single events."""
    X, Y = stream()
    models: dict[str, Any] = {
        "river LinearRegression": linear_model.LinearRegression(),
        "river StandardScaler, LinearRegression": preprocessing.StandardScaler() | linear_model.LinearRegression(),
    }
    for hidden in SIZES:
        for name, settings in KINDS.items():
            models[f"RNNRegressor, H = {hidden}, {name}"] = RNNRegressor(hidden_size=hidden, **settings)
    found = best_of(rounds, {name: lambda m=model: pass_over(m, X, Y) for name, model in models.items()})
    bare, scaled = list(found.values())[:2]
    lines = [
        "| model | us an event | x LinearRegression | x StandardScaler, LinearRegression |",
        "| --- | --- | --- | --- |",
    ]
    return lines + [f"| {name} | {us:.2f} | {us / bare:.2f} | {us / scaled:.2f} |" for name, us in found.items()]


def blocks(rounds: int) -> list[str]:
    """Return the table of ``progressive_many`` against the kernel's own call on rows that lie ready."""
    rng = np.random.default_rng(2)
    X, Y = rng.normal(size=(EVENTS, FEATURES)), rng.normal(size=EVENTS)
    runs: dict[str, Callable[[], float]] = {}
    named = [(f"{hidden}, {name}", hidden, KINDS[name]) for hidden in SIZES for name in KINDS]
    for title, hidden, settings in named:
        whole, bare = RNNRegressor(hidden_size=hidden, **settings), RNNRegressor(hidden_size=hidden, **settings)
        for model in (whole, bare):
            model.learn_many(X, Y)
        net = bare._net  # noqa: SLF001  the kernel behind the estimator
        rows = np.full((EVENTS, bare._width()), np.nan)  # noqa: SLF001
        rows[:, :FEATURES], rows[:, FEATURES] = X, Y
        flat = rows.reshape(-1)

        def kernel(net: Any = net, flat: Any = flat) -> float:
            start = time.process_time()
            net.call(net.slab, flat, EVENTS, PREDICT | LEARN)
            return (time.process_time() - start) / EVENTS * 1e6

        def many(model: RNNRegressor = whole) -> float:
            start = time.process_time()
            model.progressive_many(X, Y)
            return (time.process_time() - start) / EVENTS * 1e6

        runs |= {f"{title} many": many, f"{title} kernel": kernel}
    found = best_of(5 * rounds, runs)
    lines = ["| H, model | progressive_many, us | kernel alone, us | ratio |", "| --- | --- | --- | --- |"]
    for title, _, _ in named:
        took, alone = found[f"{title} many"], found[f"{title} kernel"]
        lines.append(f"| {title} | {took:.2f} | {alone:.2f} | {took / alone:.2f} |")
    return lines


def tails(n: int = 40_000) -> list[str]:
    """Return the table of how long single events take, the garbage collector at work."""
    X, Y = stream()
    lines = ["| H, model | p50, us | p99, us | p99 / p50 |", "| --- | --- | --- | --- |"]
    for name, settings in KINDS.items():
        model = RNNRegressor(hidden_size=32, **settings)
        pass_over(model, X, Y)
        took = np.empty(n)
        clock = time.perf_counter_ns
        for i in range(n):
            x, y = X[i % EVENTS], Y[i % EVENTS]
            start = clock()
            model.predict_one(x)
            model.learn_one(x, y)
            took[i] = clock() - start
        p50, p99 = np.percentile(took, [50, 99]) / 1000
        lines.append(f"| 32, {name} | {p50:.2f} | {p99:.2f} | {p99 / p50:.1f} |")
    return lines


def keys(n: int = 1000) -> list[str]:
    """Return the table of what a key's first event costs, and its later ones: one model, n keys, learn_one."""
    lines = [
        "| H | first event, mean, us | p50, us | slowest, us | later events, p50, us |",
        "| --- | --- | --- | --- | --- |",
    ]
    for hidden in SIZES:
        first, later = min((key_times(hidden, n) for _ in range(3)), key=lambda took: took[0].mean())
        lines.append(
            f"| {hidden} | {first.mean():.0f} | {np.median(first):.1f} | {first.max():.0f} | {np.median(later):.1f} |"
        )
    return lines


def key_times(hidden: int, n: int) -> np.ndarray:
    """Return how long the first and the second event of each key took, us, shape (2, n - 1)."""
    [x], [y] = stream(1)
    model, took = RNNRegressor(hidden_size=hidden, key="key", max_keys=n), np.empty((2, n - 1))
    model.learn_one({**x, "key": None}, y)  # the features have their places, and all is compiled
    clock = time.perf_counter_ns
    for turn in took:
        for i in range(n - 1):
            event = {**x, "key": i}
            start = clock()
            model.learn_one(event, y)
            turn[i] = clock() - start
    return took / 1000


def memory(n: int = 1000) -> list[str]:
    """Return what a model takes: by its own count, and by what the process grew."""
    X, Y = stream(40)  # so that every page of a slab is in use

    def make() -> RNNRegressor:
        model = RNNRegressor(hidden_size=32)
        for x, y in zip(X, Y, strict=True):
            model.learn_one(x, y)
        return model

    kept = [make()]
    gc.collect()
    if sys.platform == "linux":  # what is free inside the process, after compiling, would hide growth
        ctypes.CDLL(None).malloc_trim(0)
    process = psutil.Process(os.getpid())
    before = process.memory_info().rss
    kept += [make() for _ in range(n)]
    gc.collect()
    grown = (process.memory_info().rss - before) / n
    counted = kept[-1].memory_usage()
    lines = [
        "| one model, H = 32, 8 features, the defaults | KiB |", "| --- | --- |",
        f"| `memory_usage()` | {counted / 1024:.1f} |", f"| what the process grew by, of {n} | {grown / 1024:.1f} |",
    ]  # fmt: skip
    net = kept[0]._net  # noqa: SLF001  the map of the slab
    groups: dict[str, int] = {}
    for name, field in net.layout.fields.items():
        size = np.dtype(field.dtype).itemsize * int(np.prod(field.shape))
        kind = name.rpartition(".")[2] if "." in name else ("head" if name.startswith("head") else "the rest")
        groups[kind] = groups.get(kind, 0) + size
    return lines + [
        f"| of it: {kind} | {size / 1024:.1f} |" for kind, size in sorted(groups.items(), key=lambda g: -g[1])
    ]


def main() -> None:
    """Measure, print, write."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--no-write", action="store_true")
    given = options.parse_args()
    command = (
        f"`python benchmarks/estimators.py --rounds {given.rounds}` on {cpu()}, Python {platform.python_version()}, "
        f"river {version('river')}, numba {version('numba')}"
    )
    parts = [
command,
        "",
        "## Memory", "", *memory(), "",
        "## One event: predict_one, then learn_one; 8 features", "", *against_river(given.rounds), "",
        "## Blocks", "", *blocks(given.rounds), "",
        "## Single events, slowest and usual", "", *tails(), "",
        "## A thousand keys; the slowest first events are those that make room for twice as many", "", *keys(), "",
    ]  # fmt: skip
    print("\n".join(parts))
    if given.no_write:
        return
    text = (
        RESULT.read_text(encoding="utf-8") if RESULT.exists() else f"# What an event costs a user\n\n{BEGIN}\n{END}\n"
    )
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    RESULT.write_text(f"{head}{BEGIN}\n\n" + "\n".join(parts) + f"\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
