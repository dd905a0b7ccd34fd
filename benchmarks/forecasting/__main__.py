"""The tables: published protocols, batch models refitted daily, what streams go through, series nothing was chosen on, the first of many steps, and generators.

``make forecasting`` (with ``STREAMRNN_DATA``) prints all rows; ``python -m forecasting seasons latch`` from the folder ``benchmarks`` those of one table, or
of one stream. Three seeds, controls beside every figure, on all cores: seeds run beside each other. ``results/forecasting.md`` keeps them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
from forecasting import first_step, held_out, midnights, robust, seasons
from forecasting.measure import CONTROLS, NAIVE, SEEDS, measure
from forecasting.streams import STREAMS

HEAD = (
    "stream, steps", "optimum x", "MSE", "without the nets", "the nets' credit", "their weight", *CONTROLS,
    "against the best naive", "MAE", "MASE", "80 % band holds", "CRPS", "lost", "us/event",
)  # fmt: skip


def _said(values: list[float], form: str = ".4g", spread: str = ".2g") -> str:
    """Return mean and spread."""
    if not values:
        return "-"
    return f"{np.mean(values):{form}}" + (
        f" ± {np.std(values):{spread}}" if np.std(values) > 1e-12 * abs(np.mean(values)) else ""
    )


def row(name: str, horizon: int, found: list[dict[str, Any]]) -> list[str]:
    """Return one row of the table from what :func:`measure` gave for each seed."""
    stream = STREAMS[name](0)
    kept = "mae" if stream.by_mae else "mse"
    ours = [one["ours"] for one in found]
    own, bare = [one[kept] for one in ours], [one["bare"] for one in found]
    controls = {label: [one[label] for one in found if label in one] for label in CONTROLS}
    naive = min(np.mean(controls[label]) for label in NAIVE if controls[label])
    cover = [c for one in ours for c in one.get("cover", ())]
    multiple = [one["first"] / stream.optimum for one in ours] if stream.optimum else []
    credit = [1.0 - a / b for a, b in zip(own, bare, strict=True) if b > 0.0]
    return [
        f"{stream.name}, {horizon}" + (" (MAE)" if kept == "mae" else ""), _said(multiple), _said(own), _said(bare),
        _said(credit, ".1%", ".1%"), _said([one["weight"] for one in found], ".0%", ".0%"), *(_said(controls[label]) for label in CONTROLS),
        f"{np.mean(own) / naive:.3f}" if naive > 0 else ("equal" if np.mean(own) == 0 else "-"),
        _said([one["mae"] for one in ours]), _said([one["mase"] for one in ours if np.isfinite(one["mase"])]),
        f"{min(cover):.1%} to {max(cover):.1%}" if cover else "-", _said([one["crps"] for one in ours if "crps" in one]),
        str(sum(one["lost"] for one in ours)), f"{min(one['us'] for one in ours):.0f}",
    ]  # fmt: skip


def _print(head: tuple[str, ...]) -> None:
    print("\n".join(["", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]), flush=True)


def _say(cells: list[str]) -> None:
    print("| " + " | ".join(cells) + " |", flush=True)


def _streams(pool: ProcessPoolExecutor, names: list[str]) -> None:
    asked = [(name, horizon) for name in names for horizon in STREAMS[name](0).horizons]
    runs: dict[Any, list[Future[dict[str, Any]]]] = {
        one: [pool.submit(measure, *one, seed) for seed in SEEDS] for one in asked
    }
    for one, seeds in runs.items():
        _say(row(*one, [seed.result() for seed in seeds]))


def _cases(module: Any) -> Callable[[ProcessPoolExecutor, list[str]], None]:
    """Print a table whose module has named cases, measured for each seed."""

    def run(pool: ProcessPoolExecutor, names: list[str]) -> None:
        runs = {name: [pool.submit(module.measure, name, seed) for seed in SEEDS] for name in names}
        for name, seeds in runs.items():
            for cells in module.rows(name, [seed.result() for seed in seeds]):
                _say(cells)

    return run


def _midnights(pool: ProcessPoolExecutor, names: list[str]) -> None:
    for cells in pool.map(midnights.measure, names):
        _say(cells)


def _first_step(pool: ProcessPoolExecutor, names: list[str]) -> None:
    for cells in pool.map(first_step.measure, names):
        _say(cells)


def _held_out(pool: ProcessPoolExecutor, names: list[str]) -> None:
    for found in pool.map(held_out.measure, names):
        _say(held_out.row(found))


TABLES: dict[str, tuple[tuple[str, ...], Callable[[], list[str]], Callable[[ProcessPoolExecutor, list[str]], None]]] = {
    "seasons": (seasons.HEAD, lambda: list(seasons.CASES), _cases(seasons)),
    "midnights": (midnights.HEAD, lambda: list(midnights.MODELS), _midnights),
    "robust": (robust.HEAD, lambda: list(robust.CASES), _cases(robust)),
    "held-out": (held_out.HEAD, lambda: list(held_out.series()), _held_out),
    "first-step": (first_step.HEAD, first_step.names, _first_step),
    "streams": (HEAD, lambda: list(STREAMS), _streams),
}


def main(names: list[str]) -> None:
    """Print the rows of each table as they come."""
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for name, (head, known, run) in TABLES.items():
            found = known()
            wanted = found if not names or name in names else [one for one in found if one in names]
            if wanted:
                _print(head)
                run(pool, wanted)


if __name__ == "__main__":
    main(sys.argv[1:])
