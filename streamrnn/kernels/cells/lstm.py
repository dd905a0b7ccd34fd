"""Long short-term memory with a forget gate.

S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997;
forget gate: F. Gers, J. Schmidhuber, F. Cummins, Learning to Forget, Neural Computation 12(10), 2000. ::

    i = sigma(W_i x + U_i h' + b_i)      c = f c' + i g
    f = sigma(W_f x + U_f h' + b_f)      h = o tanh(c)
    g = tanh (W_g x + U_g h' + b_g)
    o = sigma(W_o x + U_o h' + b_o)      h', c' are those of the event before

One record a step, blocks of H float32::

    0 i | 1 f | 2 g | 3 o | 4 tanh(c) | 5 c | 6 h

On entry to ``forward`` blocks 0-3 hold the pre-activations. ``backward`` takes dh = dL/dh (in), dc = dL/dc (in and
out: dL/dc') and writes dz = dL/d(pre-activations), 4H, same order as the gates. The weights see no other gradient.

Traces: dc/dW for the weights of i, f, g, carried by ``c`` alone: e = f e' + l a, where a is the weight's
input and l the local factor: l_i = g i(1-i), l_f = c' f(1-f), l_g = i(1-g^2). Note dz = dc l: the
same factors, so a window of one step gives the truncated gradient of the 1997 paper.
"""

from __future__ import annotations

from dataclasses import replace

from streamrnn.kernels.cells.activations import ONE, ZERO, sigmoid, tanh
from streamrnn.kernels.cells.contract import Cell
from streamrnn.kernels.compile import apart


def forward(H):
    """Build the forward step for H units: prev (7H) in, rec (7H) in and out."""

    @apart
    def step(prev, rec):
        # one activation a loop: short chains, so that the core works on many units at once
        for j in range(2 * H):
            rec[j] = sigmoid(rec[j])
        for j in range(2 * H, 3 * H):
            rec[j] = tanh(rec[j])
        for j in range(3 * H, 4 * H):
            rec[j] = sigmoid(rec[j])
        for j in range(H):
            c = rec[H + j] * prev[5 * H + j] + rec[j] * rec[2 * H + j]
            tc = tanh(c)
            rec[5 * H + j] = c
            rec[4 * H + j] = tc
            rec[6 * H + j] = rec[3 * H + j] * tc

    return step


def backward(H):
    """Build the backward step.

    prev, rec (7H) in; dh (H) in, out: what reaches h' past the weights (nothing); dc (H) in and out; dz (4H) out.
    """

    @apart
    def step(prev, rec, dh, dc, dz):
        for j in range(H):
            i, f, g, o = rec[j], rec[H + j], rec[2 * H + j], rec[3 * H + j]
            tc = rec[4 * H + j]
            d = dc[j] + dh[j] * o * (ONE - tc * tc)
            dz[j] = d * g * i * (ONE - i)
            dz[H + j] = d * prev[5 * H + j] * f * (ONE - f)
            dz[2 * H + j] = d * i * (ONE - g * g)
            dz[3 * H + j] = dh[j] * tc * o * (ONE - o)
            dc[j] = d * f
            dh[j] = ZERO

    return step


def traces(H):
    """Build the trace factors.

    later (H) in and out, the product of the forget gates of all later steps; local (3H) out: l times later.
    """

    @apart
    def step(prev, rec, later, local):
        for j in range(H):
            i, f, g = rec[j], rec[H + j], rec[2 * H + j]
            p = later[j]
            local[j] = p * g * i * (ONE - i)
            local[H + j] = p * prev[5 * H + j] * f * (ONE - f)
            local[2 * H + j] = p * i * (ONE - g * g)
            later[j] = p * f

    return step


LSTM = Cell(
    name="lstm", gates=4, record=7, h=6, c=5, past=5, forward=forward, backward=backward,
    traces=traces, traced=3, input_gate=0, forget_gate=1,
)  # fmt: skip

TRACE_LSTM = replace(LSTM, name="trace_lstm", recurrent=False)
"""An LSTM whose gates see the inputs only.

With U = 0 dc/dW obeys e = f e' + l a *exactly*: one trace a weight is the whole history's gradient, at every event, decayed by a
factor in (0, 1), so that it cannot blow up. The cheapest long memory there is, and the one to choose when a cause lies thousands
of events back.

Exact real-time recurrent learning by independent units: M. Mozer, A focused backpropagation algorithm for temporal
pattern recognition, Complex Systems 3, 1989; K. Javed et al., arXiv:2302.05326, 2023; K. Irie et al., ICLR 2024.
"""
