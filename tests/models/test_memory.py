"""What a model takes is known to the byte, and stays what it is."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest

from streamrnn import RNNAnomalyDetector, RNNClassifier, RNNRegressor

MODELS = 100


def learned(cls, **params):
    """A model that has met eight features."""
    model = cls(**params)
    rng = np.random.default_rng(1)
    for i, row in enumerate(rng.normal(size=(20, 8)).tolist()):
        x = {f"x{j}": value for j, value in enumerate(row)}
        if cls is RNNAnomalyDetector:
            model.learn_one(x)
        else:
            model.learn_one(x, float(i % 3))
    return model


@pytest.mark.parametrize("cls", [RNNAnomalyDetector, RNNClassifier, RNNRegressor])
def test_memory_usage_is_what_is_allocated(cls):
    """The bytes that Python and NumPy allocate for a hundred models are those that ``memory_usage`` counts, within 5 %."""
    learned(cls, hidden_size=16)  # layouts and code that all share
    gc.collect()
    tracemalloc.start()
    kept = [learned(cls, hidden_size=16) for _ in range(MODELS)]
    gc.collect()
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert sum(model.memory_usage() for model in kept) == pytest.approx(grown, rel=0.05)


def test_the_promised_size():
    """H = 32, eight features, traces and Adam: at most 160 KiB."""
    assert learned(RNNRegressor, hidden_size=32, learning="traces").memory_usage() <= 160 * 1024
