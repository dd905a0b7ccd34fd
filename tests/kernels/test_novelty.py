"""The four views of one feature against scans of all that is remembered, in plain Python."""

from __future__ import annotations

import numpy as np
import pytest

from streamrnn.kernels.anomaly import novelty
from streamrnn.kernels.compile import entry
from streamrnn.kernels.net.detector_memory import batch, events_words
from streamrnn.kernels.net.words import DEPTH, FOUND_WORDS, GAIN_WORDS, RECENT, WATCH_WORDS

RNG = np.random.default_rng(10)
M, N = 64, 300


def _run(w, kept, x, forecasts, gains, order, out):
    for n in range(x.size):
        found = out[n]
        novelty.compare(w, kept, M, x[n], gains, found)
        found[FOUND_WORDS - 1] = novelty.decider(gains, found)
        novelty.remember(w, kept, M, x[n], found, order)
        w[novelty.FORECAST_RINGS + n % DEPTH] = forecasts[n, 0]
        w[novelty.FORECAST_RINGS + DEPTH + n % DEPTH] = forecasts[n, 1]


run = entry(_run)


def clipped_mean(squares):
    """The running mean of squared errors: the first twenty left out, the next twenty averaged, then limited and forgetting."""
    mean = 0.0
    for n, square in enumerate(squares):
        if n >= 40:
            mean += max(1e-3, 1 / n) * ((min(square, 64 * mean) if mean > 0 else square) - mean)
        elif n >= 20:
            mean += (square - mean) / (n - 19)
    return mean


def views(x, forecasts):
    """For each event: value, expectation, shape, residual."""
    n = np.arange(N)
    error_2 = np.where(n >= 2, x - np.roll(forecasts[:, 0], 2), 0.0)
    error_8 = np.where(n >= 8, x - np.roll(forecasts[:, 1], 8), 0.0)
    means = np.array([x[max(k - RECENT + 1, 0) : k + 1].mean() for k in n])
    change = np.where(n >= 2, x - np.roll(x, 2), 0.0)
    found = np.zeros((N, 4))
    low = high = x[0]
    for k in range(1, N):
        past = slice(max(k - M, 0), k)
        span = max(high, x[k]) - min(low, x[k])
        most = high - low if k >= 8 and high > low else np.inf
        low, high = max(min(low, x[k]), low - most), min(max(high, x[k]), high + most)
        if (k + 1) % batch(M) == 0:
            kept = x[max(k + 1 - M, 0) : k + 1]
            low, high = np.sort(kept)[[1, -2]]
        dx, de, dm = x[k] - x[past], 0.4 * (error_8[k] - error_8[past]), means[k] - means[past]
        if span > 0:
            found[k, 0] = min(abs(dx).min() / span, 1)
            found[k, 1] = min(np.hypot(dx, de).min() / span, 1)
            found[k, 2] = min(0.3 * np.sqrt(0.5 * (dx * dx + dm * dm).min()) / span, 1)
        error, usual = clipped_mean(error_2[:k] ** 2), clipped_mean(change[:k] ** 2)
        if usual > error:
            r = abs(error_2[k] - error_2[max(k - M // 3, 0) : k]).min()
            found[k, 3] = (1 - error / usual) ** 16 * r / (r + 20 * np.sqrt(error))
    return found


STREAMS = {
    "noise": (RNG.normal(size=N), 1.0),
    "wave, foreseen": (np.sin(np.arange(N) / 5.0), 0.02),
    "levels": (np.where(np.arange(N) % 100 < 50, 0.0, 5.0) + 0.1 * RNG.normal(size=N), 0.3),
    "constant, then not": (np.where(np.arange(N) < 200, 0.0, RNG.normal(size=N)), 0.1),
}


@pytest.mark.parametrize("gains", [(0.0, 0.0, 0.0), (1.0, -0.5, 3.0)], ids=["no feedback", "feedback"])
@pytest.mark.parametrize("name", STREAMS)
def test_views_and_score_are_their_definition(name, gains):
    """Each view is a distance to the nearest remembered event; the score is the largest, weighted; its view is named."""
    x, noise = STREAMS[name]
    x = x - x[0]
    forecasts = np.column_stack([np.roll(x, -2), np.roll(x, -8)]) + noise * RNG.normal(size=(N, 2))
    w, kept, weights = np.zeros(WATCH_WORDS), np.zeros(events_words(M) + M // 3, np.float32), np.zeros(GAIN_WORDS)
    weights[:3], out = gains, np.zeros((N, FOUND_WORDS))

    run(w, kept, x, forecasts, weights, np.zeros(batch(M), np.int64), out)

    expected = views(x, forecasts)
    value, expectation, shape, residual = expected.T
    likely = np.maximum(np.sqrt(value * expectation), 0.15 * expectation)
    score = np.max([(1 + gains[0]) * likely, (1 + gains[1]) * shape, (1 + gains[2]) * residual], axis=0)
    np.testing.assert_allclose(out[:, novelty.VALUE_VIEW : novelty.RESIDUAL_VIEW + 1], expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(out[:, novelty.FEATURE_SCORE], np.minimum(score, 1), rtol=1e-4, atol=1e-6)
    parts = np.column_stack([
        np.where(np.sqrt(value * expectation) >= 0.15 * expectation, (1 + gains[0]) * likely, 0.0),
        (1 + gains[0]) * 0.15 * expectation, (1 + gains[1]) * shape, (1 + gains[2]) * residual,
    ])  # fmt: skip
    ordered = np.sort(parts, axis=1)
    clear = ordered[:, -1] > 1.01 * ordered[:, -2] + 1e-5
    assert clear.sum() > 20
    np.testing.assert_array_equal(out[clear, FOUND_WORDS - 1], parts[clear].argmax(axis=1))
