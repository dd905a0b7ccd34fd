"""The table: every stream, three seeds, controls beside every figure.

``make forecasting`` (with ``STREAMRNN_DATA`` for ETTh2) prints all rows; ``python -m forecasting latch ett`` from the folder
``benchmarks`` those of these streams. About half an hour of CPU, on all cores: seeds run beside each other.
``results/forecasting.md`` keeps them.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
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


def main(names: list[str]) -> None:
    """Print the rows as they come."""
    asked = [(name, horizon) for name in names or STREAMS for horizon in STREAMS[name](0).horizons]
    print("\n".join(["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]), flush=True)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        runs: dict[Any, list[Future[dict[str, Any]]]] = {
            one: [pool.submit(measure, *one, seed) for seed in SEEDS] for one in asked
        }
        for one, seeds in runs.items():
            print("| " + " | ".join(row(*one, [seed.result() for seed in seeds])) + " |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
