"""Simple recurrent net, h = phi(W x + U h' + b), with phi = tanh or the logistic function; and the layer without U.

J. Elman, Finding structure in time, Cognitive Science 14, 1990. The error fades with every step back: lags
beyond some ten events are out of reach, which is what the LSTM was made for.

One record a step, blocks of H float32: ``0 h`` (on entry to ``forward`` the pre-activation).
"""

from __future__ import annotations

from dataclasses import replace

from streamrnn.kernels.cells.activations import ONE, ZERO, sigmoid, tanh
from streamrnn.kernels.cells.contract import Cell
from streamrnn.kernels.compile import apart


def forward_tanh(H):
    """Build the forward step: rec (H) in: pre-activation, out: h."""

    @apart
    def step(prev, rec):
        for j in range(H):
            rec[j] = tanh(rec[j])

    return step


def backward_tanh(H):
    """Build the backward step: dz = dh (1 - h^2)."""

    @apart
    def step(prev, rec, dh, dc, dz):
        for j in range(H):
            dz[j] = dh[j] * (ONE - rec[j] * rec[j])
            dh[j] = ZERO

    return step


def forward_logistic(H):
    """Build the forward step: rec (H) in: pre-activation, out: h."""

    @apart
    def step(prev, rec):
        for j in range(H):
            rec[j] = sigmoid(rec[j])

    return step


def backward_logistic(H):
    """Build the backward step: dz = dh h (1 - h)."""

    @apart
    def step(prev, rec, dh, dc, dz):
        for j in range(H):
            dz[j] = dh[j] * rec[j] * (ONE - rec[j])
            dh[j] = ZERO

    return step


ELMAN = Cell(name="elman", gates=1, record=1, h=0, forward=forward_tanh, backward=backward_tanh)
ELMAN_LOGISTIC = Cell(
    name="elman_logistic", gates=1, record=1, h=0, forward=forward_logistic, backward=backward_logistic
)

DENSE = replace(ELMAN, name="dense", recurrent=False)
"""A feed-forward layer, h = tanh(W x + b): no state, the amnesiac that the recurrent cells are held against."""
