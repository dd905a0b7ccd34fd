"""Every cell against kept arrays: outputs, gradient, and a short training run.

PyTorch made those of the cells that it has (``golden/make.py``), NumPy those of the others (``golden/make_numpy.py``).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from streamrnn.kernels.cells.table import CELLS
from streamrnn.testing.nets import assign, play, rate, small_net, step_of, weights


def kept():
    """All arrays, by cell and name."""
    found = {}
    for name in ("cells.npz", "cells_numpy.npz"):
        with np.load(Path(__file__).with_name("golden") / name, allow_pickle=False) as file:
            found |= dict(file)
    return found


GOLDEN = kept()
NAMES = sorted({name.partition(".")[0] for name in GOLDEN})


@pytest.fixture
def golden():
    return GOLDEN


def test_no_cell_is_lost():
    """Whatever cell has kept arrays is still in the table."""
    assert set(NAMES) <= set(CELLS)
    assert {"lstm", "trace_lstm", "peephole_lstm", "slstm", "gru", "elman", "elman_logistic", "dense"} <= set(NAMES)


def started(golden, cell, **options):
    """A net with the golden weights."""
    net = small_net(cell, loss="squared", **options)
    assign(net, [golden[f"{cell}.{name}"] for name in "UbVph" if f"{cell}.{name}" in golden])
    return net


@pytest.mark.parametrize("cell", NAMES)
def test_outputs(golden, cell):
    """Twenty-four events from the state of rest on."""
    net = started(golden, cell)
    rate(net, 0.0)

    out = play(net, golden[f"{cell}.X"][:24], golden[f"{cell}.Y"][:24])

    np.testing.assert_allclose(out, golden[f"{cell}.outputs"], rtol=1e-4, atol=5e-6)


@pytest.mark.parametrize("cell", NAMES)
def test_gradient(golden, cell):
    """Full backpropagation through the same events."""
    net = started(golden, cell, window=24, stride=24)

    actual = step_of(net, golden[f"{cell}.X"][:24], golden[f"{cell}.Y"][:24])

    np.testing.assert_allclose(actual, golden[f"{cell}.gradient"], rtol=1e-3, atol=3e-6)


@pytest.mark.parametrize("cell", NAMES)
def test_training(golden, cell):
    """Forty windows of truncated backpropagation with Adam: outputs on the way and weights at the end."""
    eps = float(golden.get(f"{cell}.eps", 1e-8))
    net = started(golden, cell, optimizer="adam", settings={"lr": 0.01, "beta_1": 0.9, "beta_2": 0.99, "eps": eps})

    out = play(net, golden[f"{cell}.X"], golden[f"{cell}.Y"])

    np.testing.assert_allclose(out, golden[f"{cell}.trained"], rtol=1e-3, atol=3e-4)
    final = np.concatenate([part.ravel() for part in weights(net)])
    np.testing.assert_allclose(final, golden[f"{cell}.final"], rtol=1e-3, atol=3e-4)
