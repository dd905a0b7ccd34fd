"""What a detector's head states two and eight events ahead is about those events, and no others."""

from __future__ import annotations

import numpy as np

from streamrnn import RNNAnomalyDetector
from streamrnn.kernels.anomaly.novelty import FORECAST_RINGS, ORIGIN, SEEN
from streamrnn.kernels.net import words as at

N = 500


def test_each_head_forecasts_its_own_horizon():
    """x(t + 8) = -x(t), and nothing else holds in the stream: a head taught an event early or late would state another value."""
    pattern = np.random.default_rng(3).choice([-1.0, 1.0], size=8) * np.random.default_rng(4).uniform(1.0, 2.0, size=8)
    values = np.tile(np.concatenate([pattern, -pattern]), N // 16 + 2)
    model = RNNAnomalyDetector(hidden_size=8, seed=2)
    model.progressive_many(values[:N, np.newaxis])

    errors = []
    for t in range(N, N + 16):
        model.learn_one({0: float(values[t])})
        watch = model._net.array("watch")[0]
        slot = (int(watch[SEEN]) - 1) % at.DEPTH
        stated = [watch[ORIGIN] + watch[FORECAST_RINGS + k * at.DEPTH + slot] for k in range(2)]
        errors.append(np.abs(np.subtract(stated, values[[t + 2, t + 8]])))

    near, far = np.max(errors, axis=0)
    assert near < 0.5
    assert far < 0.05
    assert np.abs(values[7:N] - values[: N - 7]).mean() > 1.0
