"""The sorted memory of a detector answers as a scan of all it holds would."""

from __future__ import annotations

import numpy as np
import pytest

from streamrnn.kernels.anomaly import nearest
from streamrnn.kernels.compile import entry
from streamrnn.kernels.net.detector_memory import batch, events_words, unit

RNG = np.random.default_rng(5)
N = 2500


def _run(kept, M, first, rows, order, out):
    for k in range(len(rows)):
        out[k, 0], out[k, 1], out[k, 2] = nearest.search(kept, M, first + k, rows[k, 0], rows[k, 1], rows[k, 2])
        nearest.insert(kept, M, first + k, rows[k, 0], rows[k, 1], rows[k, 2], order)


run = entry(_run)


def found(M, rows, kept=None):
    """What a memory of M events says of each row, before it remembers it."""
    kept = np.zeros(events_words(M), np.float32) if kept is None else kept
    out = np.zeros((len(rows), 3))
    run(kept, M, 0, rows, np.zeros(batch(M), np.int64), out)
    return out


def scanned(rows, k, M):
    """The least squared distances of row k to the M before it."""
    d = np.square(rows[k] - rows[max(k - M, 0) : k])
    return np.array([d[:, 0].min(), (d[:, 0] + d[:, 1]).min(), (d[:, 0] + d[:, 2]).min()])


STREAMS = {
    "noise": RNG.normal(size=N),
    "walk": RNG.normal(size=N).cumsum(),
    "wave": np.sin(np.arange(N) / 9.0),
    "constant": np.full(N, 3.0),
    "two levels": (RNG.random(N) < 0.3) * 1.0,
    "rising": np.arange(N) * 1.0,
    "heavy tails": RNG.standard_t(1, size=N) * 1e9,
}


def events(values):
    """Values with errors and means of their own."""
    rows = np.column_stack([values, RNG.normal(size=len(values)), RNG.normal(size=len(values)) - values])
    rows[0] = 0.0  # values count from the first
    return rows.astype(np.float32)


@pytest.mark.parametrize("M", [16, 64, 1000])
@pytest.mark.parametrize("name", STREAMS)
def test_a_search_is_a_full_scan(name, M):
    """While the memory fills, and while old events leave it; sums of squares may round once more or less."""
    rows = events(STREAMS[name])
    rows[::97, 0] = 0.0

    said = found(M, rows)

    for k in range(1, N):
        np.testing.assert_allclose(said[k], scanned(rows, k, M), rtol=3e-7, err_msg=str(k))


def test_a_memory_beyond_what_int16_counts():
    """Ages in steps of two events: what is remembered is the last M, or one event fewer."""
    M = 40_000
    rows = events(RNG.normal(size=2 * M + 3000))
    assert unit(M) == 2

    said = found(M, rows)

    for k in [*range(1, 60), *range(M - 2, len(rows), 1501)]:
        assert (said[k] >= scanned(rows, k, M) * (1 - 3e-7)).all()
        assert (said[k] <= scanned(rows, k, M - 1) * (1 + 3e-7)).all()


def test_a_state_from_outside_harms_nothing_else():
    """Ages and values that no memory can have lead no one beyond it."""
    M = 64
    for seed in range(20):
        rng = np.random.default_rng(seed)
        room = np.full(events_words(M) + 64, 7.0, np.float32)
        room[:-64] = rng.normal(size=events_words(M))
        room[:-64].view(np.int16)[-100:] = rng.integers(-(2**15), 2**15, 100)
        found(M, events(rng.normal(size=200)), room)
        assert (room[-64:] == 7.0).all()
