"""Long short-term memory whose gates see the cell state.

F. Gers, J. Schmidhuber, Recurrent nets that time and count, IJCNN 2000. ::

    i = sigma(W_i x + U_i h' + p_i c' + b_i)      c = f c' + i g
    f = sigma(W_f x + U_f h' + p_f c' + b_f)      o = sigma(W_o x + U_o h' + p_o c + b_o)
    g = tanh (W_g x + U_g h' + b_g)               h = o tanh(c)

The peepholes p are one weight a unit, for the gates i, f and o: a gate sees how full its own cell is, even while the output gate is shut, and
so can count events. They begin at 0, where the cell is an LSTM; that of g stays there.

One record a step, blocks of H float32::

    0 i | 1 f | 2 g | 3 o | 4 tanh(c) | 5 c | 6 h

On entry to ``forward`` blocks 0-3 hold the pre-activations without the peepholes. w and dw (4H): p_i, p_f, p_g (not read), p_o.
"""

from __future__ import annotations

from streamrnn.kernels.cells.activations import ONE, ZERO, sigmoid, tanh
from streamrnn.kernels.cells.contract import Cell
from streamrnn.kernels.compile import apart


def forward(H):
    """Build the forward step for H units: prev (7H) in, rec (7H) in and out, w (4H) in."""

    @apart
    def step(prev, rec, w):
        for j in range(2 * H):
            rec[j] = sigmoid(rec[j] + w[j] * prev[5 * H + j % H])
        for j in range(2 * H, 3 * H):
            rec[j] = tanh(rec[j])
        for j in range(H):
            c = rec[H + j] * prev[5 * H + j] + rec[j] * rec[2 * H + j]
            tc, o = tanh(c), sigmoid(rec[3 * H + j] + w[3 * H + j] * c)
            rec[3 * H + j] = o
            rec[5 * H + j] = c
            rec[4 * H + j] = tc
            rec[6 * H + j] = o * tc

    return step


def backward(H):
    """Build the backward step.

    prev, rec (7H) in; dh (H) in, out: what reaches h' past the weights (nothing); dc (H) in and out; dz (4H) out; w (4H) in;
    dw (4H) in and out.
    """

    @apart
    def step(prev, rec, dh, dc, dz, w, dw):
        for j in range(H):
            i, f, g, o = rec[j], rec[H + j], rec[2 * H + j], rec[3 * H + j]
            c, tc, before = rec[5 * H + j], rec[4 * H + j], prev[5 * H + j]
            zo = dh[j] * tc * o * (ONE - o)
            d = dc[j] + dh[j] * o * (ONE - tc * tc) + zo * w[3 * H + j]
            zi = d * g * i * (ONE - i)
            zf = d * before * f * (ONE - f)
            dz[j], dz[H + j], dz[2 * H + j], dz[3 * H + j] = zi, zf, d * i * (ONE - g * g), zo
            dw[j] += zi * before
            dw[H + j] += zf * before
            dw[3 * H + j] += zo * c
            dc[j] = d * f + zi * w[j] + zf * w[H + j]
            dh[j] = ZERO

    return step


PEEPHOLE_LSTM = Cell(
    name="peephole_lstm", gates=4, record=7, h=6, c=5, past=5, own=1, forward=forward, backward=backward, input_gate=0, forget_gate=1,
)  # fmt: skip
