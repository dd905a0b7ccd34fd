"""Rows of another package, as its entry points name them: a cell, a loss and an optimiser, whole, as a stranger would write them."""

from __future__ import annotations

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net.losses.contract import LossRow
from streamrnn.kernels.net.optimizers.contract import Rule
from tests.kernels.minimal_gated import MINIMAL_GATED

CELL = MINIMAL_GATED


@kernel
def log_cosh(y, o, a, b):
    """Return log(cosh(d)): d^2 / 2 near 0, |d| far away, smooth between."""
    d = o - y
    return abs(d) + np.log1p(np.exp(-2.0 * abs(d))) - np.log(2.0), np.tanh(d)


LOSS = LossRow("log_cosh", log_cosh)


@kernel
def lion(c, w, w_0, s, size, g, n):
    """X. Chen et al., Symbolic discovery of optimization algorithms, NeurIPS 2023."""
    lr, b1, b2, scale = c[0], c[1], c[2], c[8]
    for i in range(n):
        d = g[i] * scale
        u = b1 * s[i] + (np.float32(1.0) - b1) * d
        w[i] -= lr * np.sign(u)
        s[i] = b2 * s[i] + (np.float32(1.0) - b2) * d


OPTIMIZER = Rule("lion", 1, {"lr": 0.001, "beta_1": 0.9, "beta_2": 0.99}, lion)


@kernel
def wrong(y, o, a, b):
    """Return a gradient of half its size."""
    d = o - y
    return d * d, d


WRONG_LOSS = LossRow("wrong_loss", wrong)
NO_PLACE = Rule("no_place", 0, {"lr": 0.1, "temperature": 1.0}, lion)
