"""Every kernel as plain Python, on arrays that look at the bounds of each slice: run with ``NUMBA_DISABLE_JIT=1``."""

from __future__ import annotations

import numpy as np

from streamrnn.kernels import compile as compiling


class Bounded(np.ndarray):
    """An array that refuses a slice which begins outside of it, or behind its own end."""

    def __getitem__(self, index):
        if isinstance(index, slice) and self.ndim == 1:
            start = 0 if index.start is None else int(index.start)
            stop = self.size if index.stop is None else int(index.stop)
            if not 0 <= start <= min(stop, self.size):
                raise IndexError(f"[{index.start}:{index.stop}] of {self.size} items")
        return super().__getitem__(index)


def bounded(python):
    """An entry whose arrays are such."""
    return lambda *args: python(*(arg.view(Bounded) if isinstance(arg, np.ndarray) else arg for arg in args))


compiling.entry = bounded

from streamrnn import RNNAnomalyDetector, RNNClassifier, RNNForecaster, RNNMultiTargetRegressor, RNNRegressor  # noqa: E402
from streamrnn.kernels.cells.table import CELLS  # noqa: E402
from streamrnn.kernels.net.losses.table import LOSSES  # noqa: E402
from streamrnn.kernels.net.optimizers.table import OPTIMIZERS  # noqa: E402
from streamrnn.testing.nets import play, small_net  # noqa: E402


def events(n):
    """Features and targets with what streams bring: gaps, an outlier, a feature that comes late."""
    rng = np.random.default_rng(4)
    for i, (a, b) in enumerate(rng.normal(size=(n, 2))):
        x = {"a": 1e6 if i == 9 else float("nan") if i == 5 else a, "b": b}
        yield (x if i < n // 2 else {**x, "late": i % 7}), float("nan") if i == 6 else 2.0 * a


def nets():
    """Each cell, loss and optimiser, both rules, more layers, overlapping windows, clipping."""
    X, Y = np.random.default_rng(1).normal(size=(6, 3)), np.abs(np.random.default_rng(2).normal(size=(6, 2)))
    for cell in CELLS:
        for traces in (False, True):
            play(small_net(cell, traces=traces and bool(CELLS[cell].traced), layers=2, window=3, stride=2), X, Y)
    for loss in LOSSES:
        play(small_net("gru", loss=loss, window=2, stride=2), X, np.round(Y) % 2)
    for optimizer in OPTIMIZERS:
        play(small_net("gru", optimizer=optimizer, window=2, stride=2, clip=1.0), X, Y)


def models():
    """Each model over some events; keys, forms, late and no labels."""
    for options in ({}, {"key": "key"}, {"advance": "predict"}):
        model = RNNRegressor(hidden_size=4, **options)
        for i, (x, y) in enumerate(events(16)):
            model.predict_one({**x, "key": i % 3} if options.get("key") else x)
            model.learn_one({**x, "key": i % 3} if options.get("key") else x, y)
    classifier, targets = RNNClassifier(hidden_size=4, class_weight="balanced"), RNNMultiTargetRegressor(hidden_size=4)
    for i, (x, y) in enumerate(events(16)):
        classifier.learn_one(x, "abc"[i % 3])
        targets.learn_one(x, {"u": y, "v": -y})
    for options in ({}, {"expectation": "light"}, {"key": "key"}, {"n_layers": 2, "window": 8, "stride": 4}):
        detector = RNNAnomalyDetector(hidden_size=4, warm_up=20, **options)
        for i, (x, _) in enumerate(events(36)):
            detector.score_one({**x, "key": i % 2} if options.get("key") else x)
            detector.learn_one({**x, "key": i % 2} if options.get("key") else x)
    for options in ({}, {"period": 6}):
        forecaster = RNNForecaster(horizon=3, hidden_size=4, **options)
        for i, (x, y) in enumerate(events(16)):
            forecaster.learn_one({"y": y, "z": x["b"]}, {"c": x["b"]})
            if i > 9:
                forecaster.forecast(3)


if __name__ == "__main__":
    assert compiling.INTERPRETED
    nets()
    models()
