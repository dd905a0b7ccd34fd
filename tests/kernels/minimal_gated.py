"""A cell from outside the package: the minimal gated unit, whole, as a stranger would write it.

G. Zhou et al., Minimal gated unit for recurrent neural networks, 2016, with the gate behind the recurrent weights. ::

    f = sigma(W_f x + U_f h' + b_f)      n = tanh(W_n x + b_n + f (U_n h'))      h = (1 - f) h' + f n

One record a step, blocks of H float32::

    0 f | 1 n | 2-3 U h' (f, n) | 4 h
"""

from __future__ import annotations

import numpy as np

from streamrnn.kernels.cells.activations import ONE, sigmoid, tanh
from streamrnn.kernels.cells.contract import Cell
from streamrnn.kernels.compile import kernel


def forward(H):
    """Build the forward step for H units: prev (5H) in, rec (5H) in and out."""

    @kernel
    def step(prev, rec):
        for j in range(H):
            f = sigmoid(rec[j] + rec[2 * H + j])
            n = tanh(rec[H + j] + f * rec[3 * H + j])
            rec[j] = f
            rec[H + j] = n
            rec[4 * H + j] = prev[4 * H + j] + f * (n - prev[4 * H + j])

    return step


def backward(H):
    """Build the backward step: dh (H) in and out; dz (4H) out: input side, then recurrent side."""

    @kernel
    def step(prev, rec, dh, dc, dz):
        for j in range(H):
            f, n = rec[j], rec[H + j]
            d = dh[j]
            dn = d * f * (ONE - n * n)
            df = (d * (n - prev[4 * H + j]) + dn * rec[3 * H + j]) * f * (ONE - f)
            dz[j] = df
            dz[H + j] = dn
            dz[2 * H + j] = df
            dz[3 * H + j] = dn * f
            dh[j] = d * (ONE - f)

    return step


def reference(wx, uh, h, c):
    """One step in NumPy, from the equations."""
    f = 1.0 / (1.0 + np.exp(-(wx[0] + uh[0])))
    n = np.tanh(wx[1] + f * uh[1])
    return (1 - f) * h + f * n, c


MINIMAL_GATED = Cell(name="minimal_gated", gates=2, record=5, h=4, forward=forward, backward=backward, split=2)
