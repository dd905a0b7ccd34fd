"""CPU of an event of seven channels, 24 steps ahead, learning included: ``python -m forecasting.cost`` from the folder ``benchmarks``.

A block is one call of ``progressive_many``, forecasts included; one by one, an event is a call of ``learn_one`` with a dict, without and with one of
``forecast(24)``, which makes 24 dicts. Given are the
fastest and the median of stretches of 100 events: on a machine that does other work the fastest is what the code costs.
"""

from __future__ import annotations

import time

import numpy as np
from forecasting.streams import Array

from streamrnn import RNNForecaster
from streamrnn.kernels.forecast.experts.table import EXPERTS, NET_CODE

STRETCH, STRETCHES, HORIZON = 100, 60, 24
WAYS = ("in blocks", "`learn_one`", "`forecast` and `learn_one`")


def _stream() -> Array:
    n = STRETCH * STRETCHES
    rng = np.random.default_rng(0)
    season = np.sin(np.arange(n)[:, None] * 2 * np.pi / 24 + np.arange(7))
    return np.asarray(np.cumsum(rng.normal(0.0, 0.1, (n, 7)), axis=0) + season)


def measure(experts: tuple[str, ...], way: str) -> tuple[float, float]:
    """Return the fastest and the median CPU of an event, in microseconds."""
    model = RNNForecaster(horizon=HORIZON, experts=experts)
    spent = []
    rows = _stream()
    for first in range(0, len(rows), STRETCH):
        part = rows[first : first + STRETCH]
        events = [dict(enumerate(row)) for row in part.tolist()]
        start = time.process_time()
        if way == "in blocks":
            model.progressive_many(part)
        elif way == "`learn_one`":
            for event in events:
                model.learn_one(event)
        else:
            for event in events:
                model.forecast(HORIZON)
                model.learn_one(event)
        spent.append(1e6 * (time.process_time() - start) / STRETCH)
    found = np.sort(spent[STRETCHES // 6 :])
    return float(found[0]), float(np.median(found))


def main() -> None:
    """Print the table."""
    print("| experts | " + " | ".join(WAYS) + " |\n|---|---|---|---|")
    bare = tuple(name for name, row in EXPERTS.items() if row.code != NET_CODE)
    for label, experts in (
        ("all", tuple(EXPERTS)),
        ("without the nets", bare),
        ("`rls` alone", ("rls",)),
        ("`last` alone", ("last",)),
    ):
        cells = [measure(experts, way) for way in WAYS]
        print(
            f"| {label} | " + " | ".join(f"{fast:.0f} (median {middle:.0f})" for fast, middle in cells) + " |",
            flush=True,
        )


if __name__ == "__main__":
    main()
