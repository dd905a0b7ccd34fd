"""Small nets with weights that are not small, and ways to look at what they do from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.layout import Sizes
from streamrnn.kernels.net.losses.table import LOSSES
from streamrnn.kernels.net.supervised import LEARN, PREDICT, supervised
from streamrnn.models._net import Net

__all__ = ["HIDDEN", "assign", "play", "rate", "small_net", "step_of", "targets", "weights"]

HIDDEN: Final = 5  # no multiple of four, so that the remainders of the kernels' loops run too
Array = NDArray[np.float64]


def small_net(
    cell: str, *, inputs: int = 3, outputs: int = 2, layers: int = 1, window: int = 6, stride: int = 6,
    traces: bool = False, seed: int = 3, drawn: bool = True, **options: Any,
) -> Net:  # fmt: skip
    """Return a net of :data:`HIDDEN` units without standardisation, pull or moments unless asked for.

    All its weights, biases and the head included, are drawn anew with a spread of 0.5: with the usual
    initial values many gradients are close to zero, where a wrong one is not seen. ``drawn=False`` leaves them.

    Parameters
    ----------
    cell
        Name of a registered cell.
    inputs
        I.
    outputs
        K.
    layers
        How many.
    window
        T, in events.
    stride
        Events between two updates.
    traces
        Whether eligibility traces are carried.
    seed
        Of the weights.
    drawn
        False leaves the usual initial weights.
    options
        Of :class:`~streamrnn.models._net.Net`.
    """
    options = {"normalize_inputs": False, "normalize_targets": False, "pull": 0.0, "optimizer": "sgd", **options}
    sizes = Sizes(cell, 0, HIDDEN, 0, layers=layers, window=window, stride=stride, traces=traces)
    net = Net(sizes, seed, **options)
    net.grow([f"x{i}" for i in range(inputs)], outputs)
    rng = np.random.default_rng([seed, 7])
    for part in _parts(net):
        if drawn:
            part[...] = rng.normal(0.0, 0.5, part.shape)
    for layer in range(layers):
        net.array(f"layer{layer}.weights_initial")[:] = net.array(f"layer{layer}.weights")
    net.array("head_initial")[:] = net.array("head")
    return net


def _parts(net: Net) -> list[NDArray[Any]]:
    """Views of the weights in use, in the order of :func:`weights`.

    Of each layer recurrent rows (H, G), bias (G), input rows (I, G), and the cell's own
    (rows, G) where it has any; the head (K, H + 1 + I).
    """
    cell, H, inputs = CELLS[net.sizes.cell], net.sizes.hidden, net.sizes.inputs
    first, own = cell.first_row(H), cell.recurrent_rows(H)
    found = []
    for layer in range(net.sizes.layers):
        W = net.array(f"layer{layer}.weights")
        n = inputs if layer == 0 else H
        found += [W[: H if cell.recurrent else 0], W[first], W[first + 1 : first + 1 + n]]
        if cell.own:
            found.append(W[own : own + cell.own])
    return [*found, net.array("head")[:, : H + 1 + inputs]]


def weights(net: Net) -> list[Array]:
    """Return the weights in float64: for each layer recurrent rows (H, G), bias (G), input rows (I, G); then the head.

    Parameters
    ----------
    net
        Whose.
    """
    return [part.astype(np.float64) for part in _parts(net)]


def assign(net: Net, parts: Sequence[Array]) -> None:
    """Set the weights, in the order of :func:`weights`.

    Parameters
    ----------
    net
        Whose.
    parts
        Arrays of the shapes that :func:`weights` returns.
    """
    for into, part in zip(_parts(net), parts, strict=True):
        into[...] = part


def rate(net: Net, lr: float) -> None:
    """Set the learning rate.

    Parameters
    ----------
    net
        Whose.
    lr
        The rate, > 0.
    """
    net.array("settings")[at.LR] = lr


def play(net: Net, X: Array, Y: Array | None, mode: int = PREDICT | LEARN) -> Array:
    """Run events X (n, I) and targets Y (n, K) through the net in one call; return the outputs (n, K).

    Parameters
    ----------
    net
        It moves on.
    X
        Events, (n, I).
    Y
        Targets, (n, K), NaN where not known; None: none is.
    mode
        Bits of the entry: ``PREDICT``, ``LEARN``.
    """
    n, K, inputs = len(X), net.sizes.outputs, net.sizes.inputs
    rows = np.full((n, inputs + 2 * K), np.nan)
    rows[:, :inputs] = X
    if Y is not None:
        rows[:, inputs : inputs + K] = Y
    with np.errstate(all="ignore"):  # interpreted, NumPy warns of what compiled code computes in silence
        supervised(net.sizes.cell, net.sizes.hidden)(net.slab, rows.reshape(-1), n, mode)
    return rows[:, inputs + K :]


def step_of(net: Net, X: Array, Y: Array) -> Array:
    """Learn X, Y by one step of gradient descent with rate 1: what is subtracted is the gradient. Flat.

    Parameters
    ----------
    net
        It moves on.
    X
        Events, (n, I).
    Y
        Targets, (n, K).
    """
    before: Array = np.concatenate([part.ravel() for part in weights(net)])
    rate(net, 1.0)
    play(net, X, Y)
    after: Array = np.concatenate([part.ravel() for part in weights(net)])
    return before - after


def targets(loss: str, rng: np.random.Generator, n: int, outputs: int, missing: float = 0.25) -> Array:
    """Return targets (n, K) of the kind that a loss wants, some of them not known; the last event has one.

    Parameters
    ----------
    loss
        Row of the table of losses.
    rng
        Where they are drawn from.
    n
        How many events.
    outputs
        K.
    missing
        Share of targets that are not known.
    """
    row = LOSSES[loss]
    Y = np.full((n, outputs), np.nan)
    if row.task == "multiclass":
        Y[:, 0] = rng.integers(0, outputs, n)
    elif row.task == "binary":
        Y[:] = rng.integers(0, 2, (n, outputs))
    elif loss == "poisson":
        Y[:] = rng.integers(0, 4, (n, outputs))
    else:
        known = outputs // row.outputs_per_target
        Y[:, :known] = rng.normal(size=(n, known)) * 2.0
    last = Y[-1].copy()
    Y[rng.random(Y.shape) < missing] = np.nan
    Y[-1, 0] = last[0]
    return Y
