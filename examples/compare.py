"""Our regressor beside river's, each in one ``progressive_val_score`` on three streams.

``python examples/compare.py`` prints mean absolute errors. The first stream needs no memory, the second a little, the third
nothing else. River's models see what the net sees: the event, no lagged features.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from river import dummy, evaluate, forest, linear_model, metrics, neighbors, preprocessing, stats
from river.datasets import TrumpApproval, WaterFlow

from streamrnn import RNNRegressor

Event = tuple[dict[Hashable, Any], float]


def next_hour() -> Iterator[Event]:
    """Yield the flow and the hour of the day; the target is the change within the next hour."""
    before = None
    for x, flow in WaterFlow():  # type: ignore[no-untyped-call]
        if before is not None:
            yield {"flow": before, "hour": x["Time"].hour}, flow - before
        before = flow


def recall(lag: int = 3, n: int = 4000) -> Iterator[Event]:
    """Yield random values; the target is the one of ``lag`` events ago."""
    rng = random.Random(1)  # noqa: S311
    past = [0.0] * lag
    for _ in range(n):
        past.append(rng.uniform(-1.0, 1.0))
        yield {"level": past[-1]}, past[-1 - lag]


STREAMS: dict[str, Callable[[], Iterable[Event]]] = {
    "TrumpApproval": TrumpApproval,
    "WaterFlow, change": next_hour,
    "recall, 3 events": recall,
}


def models() -> dict[str, Any]:
    """Return untaught models."""
    return {
        "running mean": dummy.StatisticRegressor(stats.Mean()),
        "linear_model.LinearRegression": preprocessing.StandardScaler() | linear_model.LinearRegression(),
        "neighbors.KNNRegressor": preprocessing.StandardScaler() | neighbors.KNNRegressor(),
        "forest.ARFRegressor": preprocessing.StandardScaler() | forest.ARFRegressor(n_models=3, seed=1),
        "streamrnn.RNNRegressor": RNNRegressor(seed=1),
    }


def score(events: Iterable[Event], model: Any) -> float:
    """Return the mean absolute error of predictions made before their targets were told."""
    error: float = evaluate.progressive_val_score(events, model, metrics.MAE()).get()  # type: ignore[no-untyped-call]
    return error


def main() -> None:
    """Run every model on every stream."""
    table = Table("model", *STREAMS, title="mean absolute error")
    for name in models():
        table.add_row(name, *(f"{score(make(), models()[name]):.3f}" for make in STREAMS.values()))
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
