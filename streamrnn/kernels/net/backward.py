"""The backward pass over the window: errors of the outputs -> dz of every step of every layer."""

from __future__ import annotations

from streamrnn.kernels.cells.activations import ZERO
from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.compile import chosen_by_cell, kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.products import add_multiple, at_pad, transposed
from streamrnn.kernels.net.steps import backward_step


@chosen_by_cell
def backward(cell, hidden):
    """Write dz of every slot of every layer, and dc at the window's start. Errors: S_DO (fill, K)."""
    spec, H = CELLS[cell], hidden
    N, R, Z, UH = spec.gates * H, spec.record * H, spec.dz_blocks * H, spec.split * H
    recurrent = spec.recurrent
    back, carry = backward_step(spec, H), transposed(N, H)
    padded, first, own, states = spec.recurrent_rows(H), spec.first_row(H), spec.own * N, spec.states * H
    recurrent_dz = N if UH > 0 else 0

    @kernel
    def run(hd, f):
        fill, K, width, layers = hd[at.FILL], hd[at.OUTPUTS], hd[at.HEAD_WIDTH], hd[at.LAYERS]
        learned = fill - hd[at.FRESH]  # slots whose errors have been taken
        dh = f[hd[at.S_DH] : hd[at.S_DH] + H]
        dc = f[hd[at.S_DC] : hd[at.S_DC] + states]
        for above in range(layers):
            layer = layers - 1 - above
            b = at.LAYER_0 + layer * at.LAYER_WORDS
            W = f[hd[b + at.W] : hd[b + at.W] + hd[b + at.W_SIZE]]
            w = W[padded * N : padded * N + own]
            dw = f[hd[b + at.OWN_GRAD] : hd[b + at.OWN_GRAD] + own]
            for i in range(H):
                dh[i] = ZERO
            for i in range(states):
                dc[i] = ZERO
            for i in range(own):
                dw[i] = ZERO
            for late in range(fill):
                t = fill - 1 - late
                dx = f[hd[at.S_DX] + t * H : hd[at.S_DX] + (t + 1) * H]
                if above == 0:
                    for k in range(K if t >= learned else 0):
                        e = f[hd[at.S_DO] + t * K + k]
                        if e != ZERO:
                            v = f[hd[at.HEAD] + k * width : hd[at.HEAD] + k * width + H]
                            add_multiple(dh, e, v, H)
                else:
                    for i in range(H):
                        dh[i] += dx[i]
                pair = f[hd[b + at.REC] + t * R : hd[b + at.REC] + (t + 2) * R]
                dz = f[hd[b + at.DZ] + t * Z : hd[b + at.DZ] + (t + 1) * Z]
                back(pair[:R], pair[R:], dh, dc, dz, w, dw)
                if recurrent and t > 0:
                    carry(W, dz[recurrent_dz : recurrent_dz + N], dh)
                if not recurrent:
                    for i in range(H):
                        dh[i] = ZERO
                if layer > 0:
                    for i in range(H):
                        dx[i] = ZERO
                    carry(W[(first + 1) * N :], dz[:N], dx)
            for i in range(states):
                f[hd[b + at.DC_START] + i] = dc[i]
            for i in range(fill * Z, at_pad(fill) * Z):
                f[hd[b + at.DZ] + i] = ZERO

    return run
