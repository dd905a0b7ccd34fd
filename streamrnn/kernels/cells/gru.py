"""Gated recurrent unit.

K. Cho et al., EMNLP 2014, in the form whose reset gate acts behind the recurrent weights (the one of cuDNN and PyTorch). ::

    z = sigma(W_z x + U_z h' + b_z)      n = tanh(W_n x + b_n + r (U_n h'))
    r = sigma(W_r x + U_r h' + b_r)      h = (1 - z) n + z h'

One record a step, blocks of H float32::

    0 z | 1 r | 2 n | 3-5 U h' (z, r, n) | 6 h

On entry blocks 0-2 hold W x + b and blocks 3-5 hold U h'. The two sides have gradients of their own: dz for the input
rows, dz_h for the recurrent rows (they differ by the factor r in block n).
"""

from __future__ import annotations

from streamrnn.kernels.cells.activations import ONE, sigmoid, tanh
from streamrnn.kernels.cells.contract import Cell
from streamrnn.kernels.compile import apart


def forward(H):
    """Build the forward step for H units: prev (7H) in, rec (7H) in and out."""

    @apart
    def step(prev, rec):
        # one activation a loop: short chains, so that the core works on many units at once
        for j in range(2 * H):
            rec[j] = sigmoid(rec[j] + rec[3 * H + j])
        for j in range(H):
            n = tanh(rec[2 * H + j] + rec[H + j] * rec[5 * H + j])
            rec[2 * H + j] = n
            rec[6 * H + j] = n + rec[j] * (prev[6 * H + j] - n)

    return step


def backward(H):
    """Build the backward step.

    dh (H) in, out: dL/dh' along the direct path; dz (6H) out: input side, then recurrent side.
    """

    @apart
    def step(prev, rec, dh, dc, dz):
        for j in range(H):
            z, r, n = rec[j], rec[H + j], rec[2 * H + j]
            d = dh[j]
            dn = d * (ONE - z) * (ONE - n * n)
            dzz = d * (prev[6 * H + j] - n) * z * (ONE - z)
            dr = dn * rec[5 * H + j] * r * (ONE - r)
            dz[j] = dzz
            dz[H + j] = dr
            dz[2 * H + j] = dn
            dz[3 * H + j] = dzz
            dz[4 * H + j] = dr
            dz[5 * H + j] = dn * r
            dh[j] = d * z

    return step


GRU = Cell(name="gru", gates=3, record=7, h=6, past=6, forward=forward, backward=backward, split=3, carry_gate=0)
