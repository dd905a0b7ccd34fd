"""The models of the accuracy benchmark, and the error of one on a stream."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
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


def deep_river_error(stream: Stream, python: str, seed: int) -> float:
    """Return the same of deep-river's LSTM, run by the Python of an environment that has it."""
    asked = {"label": stream.label, "seed": seed, "events": stream.events(seed)}
    words = [python, str(Path(__file__).with_name("torch_peer.py"))]
    done = subprocess.run(words, input=json.dumps(asked), capture_output=True, text=True, check=True)
    return float(done.stdout)


def deep_river_cell(name: str, python: str) -> str:
    """Return its mean error on one stream, over the seeds."""
    return f"{np.mean([deep_river_error(STREAMS[name], python, seed) for seed in SEEDS]):.3g}"


def cell(name: str, model: str) -> str:
    """Return the mean error of one model on one stream, over the seeds."""
    stream = STREAMS[name]
    models = CLASSIFIERS if stream.label else REGRESSORS
    return f"{np.mean([error(stream, models[model](seed), seed) for seed in SEEDS]):.3g}"
