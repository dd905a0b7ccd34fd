"""The table of regressors and classifiers: river's models, the last value or label, and ours, all with their defaults.

``make accuracy`` (with ``STREAMRNN_DATA`` for ETTh2 and the taxis) prints all rows; ``python -m accuracy WaterFlow SEA`` from the folder
``benchmarks`` those whose names begin so. Each event is predicted, then learned; three seeds, mean. ``results/accuracy.md`` keeps them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
from accuracy.streams import STREAMS, Stream
from river import dummy, forest, linear_model, preprocessing, tree

from streamrnn import RNNClassifier, RNNRegressor

SEEDS = (1, 2, 3)
CLASSIFIERS: dict[str, Callable[[int], Any]] = {
    "last": lambda _: dummy.NoChangeClassifier(),
    "linear": lambda _: preprocessing.StandardScaler() | linear_model.SoftmaxRegression(),
    "tree": lambda seed: tree.HoeffdingAdaptiveTreeClassifier(seed=seed),
    "ARF": lambda seed: forest.ARFClassifier(seed=seed),
    "the net alone": lambda seed: RNNClassifier(experts=("net",), seed=seed),
    "ours": lambda seed: RNNClassifier(seed=seed),
}
REGRESSORS: dict[str, Callable[[int], Any]] = {
    "last": lambda _: Last(),
    "linear": lambda _: preprocessing.StandardScaler() | linear_model.LinearRegression(),
    "tree": lambda seed: tree.HoeffdingAdaptiveTreeRegressor(seed=seed),
    "ARF": lambda seed: forest.ARFRegressor(seed=seed),
    "the net alone": lambda seed: RNNRegressor(experts=("net",), seed=seed),
    "ours": lambda seed: RNNRegressor(seed=seed),
}


class Last:
    """The last value."""

    def __init__(self) -> None:
        self.value = 0.0

    def predict_one(self, x: dict[str, float]) -> float:  # noqa: ARG002
        """Return it."""
        return self.value

    def learn_one(self, x: dict[str, float], y: float) -> None:  # noqa: ARG002
        """Keep it."""
        self.value = y


def error(stream: Stream, model: Any, seed: int) -> float:
    """Return the mean error over a stream; the first event, of which nobody can know anything, is not counted."""
    events, lost = stream.events(seed), []
    for x, y in events:
        found = model.predict_one(x)
        lost.append(float(found != y) if stream.label else abs(found - y))
        model.learn_one(x, y)
    return float(np.mean(lost[1:]))


def cell(name: str, model: str) -> str:
    """Return the mean error of one model on one stream, over the seeds."""
    stream = STREAMS[name]
    models = CLASSIFIERS if stream.label else REGRESSORS
    return f"{np.mean([error(stream, models[model](seed), seed) for seed in SEEDS]):.3g}"


def main(names: list[str]) -> None:
    """Print the rows as they come."""
    asked = [name for name in STREAMS if not names or any(name.startswith(one) for one in names)]
    head = ("stream", "order matters", "error", *REGRESSORS)
    print("\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]), flush=True)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        rows = [(name, [pool.submit(cell, name, model) for model in REGRESSORS]) for name in asked]
        for name, cells in rows:
            stream = STREAMS[name]
            kind = "share wrong" if stream.label else "MAE"
            said = [name, "yes" if stream.order else "no", kind, *(one.result() for one in cells)]
            print("| " + " | ".join(said) + " |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
