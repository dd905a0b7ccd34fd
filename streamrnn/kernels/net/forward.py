"""The forward step: scaled inputs of one event -> records of all layers -> outputs."""

from __future__ import annotations

from streamrnn.kernels.cells.activations import ONE, ZERO
from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.compile import chosen_by_cell, kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.products import add_multiple, product_of
from streamrnn.kernels.net.steps import forward_step


@kernel
def seen(hd, f, t, group):
    """Return where lies what a group of outputs sees of slot t's inputs: all of them, or those of its own, put side by side in scratch."""
    n, x = hd[at.HEAD_SEEN], hd[at.LAYER_0 + at.XS] + t * hd[at.LAYER_0 + at.NX]
    own = hd[at.S_HEAD_X]
    for i in range(n):
        f[own + i] = f[x + hd[hd[at.HEAD_OF] + group * n + i]]
    return own if n > 0 else x


def _outputs_of(H):
    """Outputs (K) of slot t from the top layer's h (H) and the net's inputs."""

    @kernel
    def of_group(head, top, x, out, width):
        """Write some outputs, eight at a time: eight sums that do not wait for each other."""
        K = out.size
        K8 = K & ~7
        for k in range(0, K8, 8):
            v = head[k * width : (k + 8) * width]
            s0, s1, s2, s3, s4, s5, s6, s7 = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
            for i in range(H):
                a = top[i]
                s0 += v[i] * a
                s1 += v[width + i] * a
                s2 += v[2 * width + i] * a
                s3 += v[3 * width + i] * a
                s4 += v[4 * width + i] * a
                s5 += v[5 * width + i] * a
                s6 += v[6 * width + i] * a
                s7 += v[7 * width + i] * a
            for i in range(x.size):
                a = x[i]
                s0 += v[H + i] * a
                s1 += v[width + H + i] * a
                s2 += v[2 * width + H + i] * a
                s3 += v[3 * width + H + i] * a
                s4 += v[4 * width + H + i] * a
                s5 += v[5 * width + H + i] * a
                s6 += v[6 * width + H + i] * a
                s7 += v[7 * width + H + i] * a
            out[k], out[k + 1], out[k + 2], out[k + 3] = s0, s1, s2, s3
            out[k + 4], out[k + 5], out[k + 6], out[k + 7] = s4, s5, s6, s7
        for k in range(K8, K):
            v = head[k * width : (k + 1) * width]
            s0, s1, s2, s3 = ZERO, ZERO, ZERO, ZERO
            for i in range(H, width, 4):  # inputs come in fours
                s0 += v[i] * x[i - H]
                s1 += v[i + 1] * x[i + 1 - H]
                s2 += v[i + 2] * x[i + 2 - H]
                s3 += v[i + 3] * x[i + 3 - H]
            s = (s0 + s1) + (s2 + s3)
            for i in range(H):
                s += v[i] * top[i]
            out[k] = s

    @kernel
    def outputs(hd, f, t, top):
        K, width, groups = hd[at.OUTPUTS], hd[at.HEAD_WIDTH], hd[at.HEAD_GROUPS]
        for group in range(groups):
            first, last = K // groups * group, K // groups * (group + 1)
            head = f[hd[at.HEAD] + first * width : hd[at.HEAD] + last * width]
            x = seen(hd, f, t, group)
            of_group(head, top, f[x : x + width - H], f[hd[at.OUT] + t * K + first : hd[at.OUT] + t * K + last], width)

    return outputs


@chosen_by_cell
def forward(cell, hidden):
    """Fill records and outputs of slot ``fill`` from its scaled inputs (layer 0: already in place)."""
    spec, H = CELLS[cell], hidden
    N, R, UH = spec.gates * H, spec.record * H, spec.split * H
    recurrent, h_at = spec.recurrent, spec.h * H
    step, product, outputs = forward_step(spec, H), product_of(N), _outputs_of(H)
    padded, first, own = spec.recurrent_rows(H), spec.first_row(H), spec.own * N

    @kernel
    def step_layer(hd, f, layer, t):
        b = at.LAYER_0 + layer * at.LAYER_WORDS
        nx = hd[b + at.NX]
        x = f[hd[b + at.XS] + t * nx : hd[b + at.XS] + (t + 1) * nx]
        pair = f[hd[b + at.REC] + t * R : hd[b + at.REC] + (t + 2) * R]
        prev, rec = pair[:R], pair[R:]
        W = f[hd[b + at.W] : hd[b + at.W] + hd[b + at.W_SIZE]]
        z = rec[:N]
        u = rec[UH : UH + N] if UH > 0 else f[hd[at.S_ROW] : hd[at.S_ROW] + N]
        if (
            recurrent
        ):  # before x, which may still be in the making, and in sums of its own, which do not wait for those of x
            for i in range(N):
                u[i] = ZERO
            product(prev[h_at : h_at + H], W, u)
        for i in range(N):
            z[i] = ZERO
        product(x, W[first * N :], z)
        if recurrent and UH == 0:
            add_multiple(z, ONE, u, N)
        step(prev, rec, W[padded * N : padded * N + own])

    @kernel
    def run(hd, f):
        t, top = hd[at.FILL], hd[at.LAYERS] - 1
        for layer in range(top):
            step_layer(hd, f, layer, t)
            b = at.LAYER_0 + layer * at.LAYER_WORDS
            nx, h = hd[b + at.LAYER_WORDS + at.NX], hd[b + at.REC] + (t + 1) * R + h_at
            x = f[hd[b + at.LAYER_WORDS + at.XS] + t * nx : hd[b + at.LAYER_WORDS + at.XS] + (t + 1) * nx]
            x[0] = 1.0
            for i in range(H):
                x[1 + i] = f[h + i]
        step_layer(
            hd, f, top, t
        )  # by itself: for a loop, of one turn mostly, the constants of all activations would be set up first
        h = hd[at.LAYER_0 + top * at.LAYER_WORDS + at.REC] + (t + 1) * R + h_at
        outputs(hd, f, t, f[h : h + H])

    return run
