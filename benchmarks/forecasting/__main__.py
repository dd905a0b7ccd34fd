"""The table: every stream, three seeds, controls beside every figure.

``python -m forecasting`` from the folder ``benchmarks`` (with ``STREAMRNN_DATA`` for ETTh2) prints all rows;
``python -m forecasting latch ett`` those of these streams. About half an hour of CPU. ``results/forecasting.md`` keeps them.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from forecasting.engine import Model, follow, scores
from forecasting.models import Last, LeastSquares, Ours, River, Seasonal
from forecasting.streams import STREAMS, Stream

from streamrnn.kernels.experts import EXPERTS, NET

SEEDS = (0, 1, 2)
NO_NETS = tuple(name for name, row in EXPERTS.items() if row.code != NET)
HEAD = (
    "stream, steps", "optimum x", "MSE", "without the nets", "last", "seasonal", "RLS 12", "RLS 48", "HoltWinters", "SNARIMAX",
    "against the best naive", "MAE", "MASE", "80 % band holds", "CRPS", "lost", "us/event",
)  # fmt: skip


def _controls(stream: Stream, horizon: int) -> Iterator[tuple[str, Callable[[], Model]]]:
    from river import time_series  # noqa: PLC0415

    C = stream.y.shape[1]
    yield "last", lambda: Last(C, horizon)
    if stream.period > 1:
        yield "seasonal", lambda: Seasonal(C, horizon, stream.period)
    yield "RLS 12", lambda: LeastSquares(C, horizon, 12)
    yield "RLS 48", lambda: LeastSquares(C, horizon, 48)
    if C == 1:  # on seven channels they take minutes
        season = {"gamma": 0.1, "seasonality": stream.period} if 1 < stream.period < 100 else {}
        yield "HoltWinters", lambda: River(C, horizon, lambda: time_series.HoltWinters(0.3, 0.1, **season))
        yield "SNARIMAX", lambda: River(C, horizon, lambda: time_series.SNARIMAX(p=12, d=1, q=0))


def row(name: str, horizon: int) -> list[str]:
    """Return one row of the table."""
    ours: list[dict[str, Any]] = []
    bare: list[float] = []
    controls: dict[str, list[float]] = {}
    kept = "mae" if STREAMS[name](0).by_mae else "mse"
    for seed in SEEDS:
        stream = STREAMS[name](seed)
        C = stream.y.shape[1]
        ours.append(scores(stream, follow(Ours(C, horizon, seed), stream, horizon)))
        bare.append(scores(stream, follow(Ours(C, horizon, seed, experts=NO_NETS), stream, horizon))[kept])
        if seed == SEEDS[0] or not stream.real:
            for label, make in _controls(stream, horizon):
                controls.setdefault(label, []).append(scores(stream, follow(make(), stream, horizon))[kept])
    own = [one[kept] for one in ours]
    naive = min(np.mean(controls[label]) for label in ("last", "seasonal", "RLS 12", "RLS 48") if label in controls)
    cover = [c for one in ours for c in one.get("cover", ())]
    multiple = [one["first"] / stream.optimum for one in ours] if stream.optimum else []

    def said(values: list[float]) -> str:
        if not values:
            return "-"
        spread = f" ± {np.std(values):.2g}" if len(values) > 1 and np.std(values) > 0 else ""
        return f"{np.mean(values):.4g}{spread}"

    return [
        f"{stream.name}, {horizon}" + (" (MAE)" if kept == "mae" else ""), said(multiple), said(own), said(bare),
        *(said(controls.get(label, [])) for label in HEAD[4:10]),
        f"{np.mean(own) / naive:.3f}" if naive > 0 else ("equal" if np.mean(own) == 0 else "-"),
        said([one["mae"] for one in ours]), said([one["mase"] for one in ours if np.isfinite(one["mase"])]),
        f"{min(cover):.1%} to {max(cover):.1%}" if cover else "-", said([one["crps"] for one in ours if "crps" in one]),
        str(sum(one["lost"] for one in ours)), f"{min(one['us'] for one in ours):.0f}",
    ]  # fmt: skip


def main(names: list[str]) -> None:
    """Print the rows as they come."""
    warnings.simplefilter("ignore", RuntimeWarning)  # controls that diverge
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    print("\n".join(lines), flush=True)
    for name in names or STREAMS:
        for horizon in STREAMS[name](0).horizons:
            lines.append("| " + " | ".join(row(name, horizon)) + " |")
            print(lines[-1], flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
