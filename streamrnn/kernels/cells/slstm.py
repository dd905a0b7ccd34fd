"""LSTM with exponential input gates and a normaliser.

M. Beck et al., xLSTM: Extended long short-term memory, NeurIPS 2024, equations 8-17, one head, sigmoid forget gate. ::

    i = exp(W_i x + U_i h' + b_i)        c = f c' + i z
    f = sigma(W_f x + U_f h' + b_f)      n = f n' + i
    z = tanh(W_z x + U_z h' + b_z)       h = o c / n
    o = sigma(W_o x + U_o h' + b_o)

An input gate without a ceiling can outweigh everything stored: the cell revises what it remembers. Against overflow c and n are kept
divided by exp(m), m = max(log f + m', log i), which leaves h as it is (eq. 15-17); before the first event there is no n', and m = log i, so that n is
at least 1. As h does not depend on m, no error flows through it.

One record a step, blocks of H float32::

    0 i / exp(m) | 1 f exp(m') / exp(m) | 2 z | 3 o | 4 c / exp(m) | 5 n / exp(m) | 6 sigma of the forget gate | 7 m | 8 h

On entry to ``forward`` blocks 0-3 hold the pre-activations. Errors flow back through two states, c and n.
"""

from __future__ import annotations

import numpy as np

from streamrnn.kernels.cells.activations import ONE, ZERO, sigmoid, tanh
from streamrnn.kernels.cells.contract import Cell
from streamrnn.kernels.compile import apart


def forward(H):
    """Build the forward step for H units: prev (9H) in, rec (9H) in and out."""

    @apart
    def step(prev, rec):
        for j in range(H):
            log_i, a = rec[j], rec[H + j]
            log_f = min(a, ZERO) - np.log1p(np.exp(-abs(a)))  # of sigma(a), without a difference of large numbers
            kept, before = log_f + prev[7 * H + j], prev[5 * H + j]
            m = max(kept, log_i) if before > ZERO else log_i
            i = np.exp(log_i - m)
            f = np.exp(kept - m) if before > ZERO else ZERO
            z, o = tanh(rec[2 * H + j]), sigmoid(rec[3 * H + j])
            c, n = f * prev[4 * H + j] + i * z, f * before + i
            rec[j], rec[H + j], rec[2 * H + j], rec[3 * H + j] = i, f, z, o
            rec[4 * H + j], rec[5 * H + j], rec[6 * H + j], rec[7 * H + j] = c, n, sigmoid(a), m
            rec[8 * H + j] = o * c / n

    return step


def backward(H):
    """Build the backward step.

    prev, rec (9H) in; dh (H) in, out: nothing reaches h' past the weights; dc (2H) in and out: errors of c, then of n; dz (4H) out.
    """

    @apart
    def step(prev, rec, dh, dc, dz):
        for j in range(H):
            i, f, z, o = rec[j], rec[H + j], rec[2 * H + j], rec[3 * H + j]
            share = ONE / rec[5 * H + j]
            h = rec[4 * H + j] * share
            dcell = dc[j] + dh[j] * o * share
            dn = dc[H + j] - dh[j] * o * h * share
            dz[j] = (dcell * z + dn) * i
            dz[H + j] = (dcell * prev[4 * H + j] + dn * prev[5 * H + j]) * f * (ONE - rec[6 * H + j])
            dz[2 * H + j] = dcell * i * (ONE - z * z)
            dz[3 * H + j] = dh[j] * h * o * (ONE - o)
            dc[j] = dcell * f
            dc[H + j] = dn * f
            dh[j] = ZERO

    return step


SLSTM = Cell(
    name="slstm", gates=4, record=9, h=8, c=4, past=4, states=2, forward=forward, backward=backward, forget_gate=1
)
