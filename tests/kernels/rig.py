"""Small nets on their slabs, for the kernel tests."""

from __future__ import annotations

import numpy as np

from streamrnn.kernels import layout as at
from streamrnn.kernels.cells import CELLS
from streamrnn.kernels.layout import Sizes
from streamrnn.kernels.losses import LOSSES
from streamrnn.kernels.supervised import LEARN, PREDICT, supervised
from streamrnn.models.net import Net
from tests.kernels.reference import Params

HIDDEN = 5  # no multiple of four: the kernels' tails run too


def build(cell="lstm", *, inputs=3, outputs=2, hidden=HIDDEN, layers=1, window=6, stride=6, traces=False, **options):
    """A net without normalisation or pull (unless asked), with a head that is not zero."""
    options = {"normalize_inputs": False, "normalize_targets": False, "pull": 0.0, "optimizer": "sgd", **options}
    sizes = Sizes(cell, 0, hidden, 0, layers=layers, window=window, stride=stride, traces=traces)
    net = Net(sizes, options.pop("seed", 3), **options)
    net.grow([f"x{i}" for i in range(inputs)], outputs)
    head = net.array("head")
    used = hidden + 1 + inputs
    head[:, :used] = np.random.default_rng(7).normal(0.0, 0.4, (outputs, used))
    net.array("head_initial")[:] = head
    return net


def params(net):
    """The net's weights as the reference wants them."""
    cell, H, I = CELLS[net.sizes.cell], net.sizes.hidden, net.sizes.inputs
    first = at.up(H, 4) if cell.recurrent else 0
    layers = []
    for layer in range(net.sizes.layers):
        W = net.array(f"layer{layer}.weights").astype(np.float64)
        n = I if layer == 0 else H
        U = W[:H] if cell.recurrent else np.zeros((0, W.shape[1]))
        layers.append((U, W[first], W[first + 1 : first + 1 + n]))
    return Params(layers, net.array("head")[:, : H + 1 + I].astype(np.float64))


def rates(net, lr):
    """Set the learning rate."""
    net.array("settings")[at.LR] = lr


def play(net, X, Y, mode=PREDICT | LEARN):
    """Run events through the supervised entry; returns the outputs."""
    n, K, I = len(X), net.sizes.outputs, net.sizes.inputs
    rows = np.full((n, I + 2 * K), np.nan)
    rows[:, :I] = X
    if Y is not None:
        rows[:, I : I + K] = Y
    supervised(net.sizes.cell, net.sizes.hidden)(net.slab, rows.reshape(-1), n, mode)
    return rows[:, I + K :]


def states(net):
    """Hidden and cell state of every layer at the window's start."""
    cell, H = CELLS[net.sizes.cell], net.sizes.hidden
    found = []
    for layer in range(net.sizes.layers):
        record = net.array(f"layer{layer}.records")[0].astype(np.float64)
        h = record[cell.h * H : (cell.h + 1) * H]
        c = record[cell.c * H : (cell.c + 1) * H] if cell.c >= 0 else np.zeros(H)
        found.append((h, c))
    return found


def learned_gradient(net, X, Y):
    """The gradient that the kernels form for these events: what one step of SGD with rate 1 subtracts."""
    before = params(net).flat()
    rates(net, 1.0)
    play(net, X, Y)
    return before - params(net).flat()


def targets(loss, rng, n, outputs):
    """Random targets of the kind that a loss wants; some are not known."""
    task = LOSSES[loss].task
    Y = np.full((n, outputs), np.nan)
    if task == "multiclass":
        Y[:, 0] = rng.integers(0, outputs, n)
    elif task == "binary":
        Y[:] = rng.integers(0, 2, (n, outputs))
    elif loss == "poisson":
        Y[:] = rng.integers(0, 4, (n, outputs))
    elif loss == "gaussian":
        Y[:, : outputs // 2] = rng.normal(size=(n, outputs // 2))
    else:
        Y[:] = rng.normal(size=(n, outputs)) * 2.0
    Y[rng.random(n) < 0.25] = np.nan
    Y[-1] = Y[-1] if not np.isnan(Y[-1]).all() else 1.0 * (task != "regression" or loss == "poisson")
    return Y
