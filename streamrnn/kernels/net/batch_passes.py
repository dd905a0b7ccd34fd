"""Forward, backward and update over tiles of four streams: each reads W once for four."""

from __future__ import annotations

from streamrnn.kernels.cells.activations import ZERO
from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.compile import chosen_by_cell, kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.optimizers import table as optimizers
from streamrnn.kernels.net.products import outer
from streamrnn.kernels.net.steps import backward_step, forward_step


def _against(N, R):
    """a (4 streams, H apart) += W (n rows of N) @ z (4 streams, Z apart): two rows, four streams, eight sums."""

    @kernel
    def against(W, z, Z, a, n):
        n2 = n & ~1
        z0, z1, z2, z3 = z[:N], z[Z : Z + N], z[2 * Z : 2 * Z + N], z[3 * Z : 3 * Z + N]
        for j in range(0, n2, 2):
            w = W[j * N : (j + 2) * N]
            s0, s1, s2, s3, s4, s5, s6, s7 = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
            for i in range(N):
                p, q = w[i], w[N + i]
                s0 += p * z0[i]
                s1 += p * z1[i]
                s2 += p * z2[i]
                s3 += p * z3[i]
                s4 += q * z0[i]
                s5 += q * z1[i]
                s6 += q * z2[i]
                s7 += q * z3[i]
            a[j] += s0
            a[n + j] += s1
            a[2 * n + j] += s2
            a[3 * n + j] += s3
            a[j + 1] += s4
            a[n + j + 1] += s5
            a[2 * n + j + 1] += s6
            a[3 * n + j + 1] += s7
        for j in range(n2, n):
            w = W[j * N : (j + 1) * N]
            for r in range(4):
                s0 = ZERO
                for i in range(N):
                    s0 += w[i] * z[r * Z + i]
                a[r * n + j] += s0

    return against


@kernel
def _gather(m, a, start, apart, n, padded):
    """Write a (padded, 4): n values of each of four streams, the rest zero."""
    for j in range(n):
        for r in range(4):
            a[4 * j + r] = m[start + r * apart + j]
    for j in range(4 * n, 4 * padded):
        a[j] = ZERO


@chosen_by_cell
def forward(cell, hidden):
    """Fill records and outputs of step t of all streams from their inputs."""
    spec, H = CELLS[cell], hidden
    N, R, UH = spec.gates * H, spec.record * H, spec.split * H
    recurrent, h_at, own = spec.recurrent, spec.h * H, spec.own * N
    padded, first = spec.recurrent_rows(H), spec.first_row(H)
    step, product = forward_step(spec, H), outer(N, R, N)

    @kernel
    def run(hd, f, m, place, B, t):
        inputs, outputs, _, _, scratch, _, _, _ = place
        nx, K, width = hd[at.LAYER_0 + at.NX], hd[at.OUTPUTS], hd[at.HEAD_WIDTH]
        W = f[hd[at.LAYER_0 + at.W] : hd[at.LAYER_0 + at.W] + hd[at.LAYER_0 + at.W_SIZE]]
        a = m[scratch:]
        for s in range(0, B, 4):
            prev, rec, x = (t * B + s) * R, ((t + 1) * B + s) * R, inputs + (t * B + s) * nx
            if recurrent:
                _gather(m, a, prev + h_at, R, H, padded)
                product(a, W, m[rec + UH : rec + 4 * R], padded, True)
            _gather(m, a, x, nx, nx, nx)
            product(a, W[first * N :], m[rec : rec + 4 * R], nx, not recurrent or UH > 0)
            for r in range(4):
                step(
                    m[prev + r * R : prev + (r + 1) * R], m[rec + r * R : rec + (r + 1) * R], W[padded * N : padded * N + own]
                )  # fmt: skip
                h = m[rec + r * R + h_at : rec + r * R + h_at + H]
                for k in range(K):
                    v = f[hd[at.HEAD] + k * width : hd[at.HEAD] + (k + 1) * width]
                    o = ZERO
                    for i in range(H):
                        o += v[i] * h[i]
                    for i in range(nx):
                        o += v[H + i] * m[x + r * nx + i]
                    m[outputs + (t * B + s + r) * K + k] = o

    return run


@chosen_by_cell
def backward(cell, hidden):
    """Write dz of n steps of all streams."""
    spec, H = CELLS[cell], hidden
    N, R, Z = spec.gates * H, spec.record * H, spec.dz_blocks * H
    recurrent, recurrent_dz = spec.recurrent, Z - N
    back, against = backward_step(spec, H), _against(N, R)
    padded, own, states = spec.recurrent_rows(H), spec.own * N, spec.states * H

    @kernel
    def run(hd, f, m, place, B, n):
        _, _, errors, dz_at, _, dh_at, dc_at, _ = place
        K, width = hd[at.OUTPUTS], hd[at.HEAD_WIDTH]
        W = f[hd[at.LAYER_0 + at.W] : hd[at.LAYER_0 + at.W] + hd[at.LAYER_0 + at.W_SIZE]]
        w = W[padded * N : padded * N + own]
        dw = f[hd[at.LAYER_0 + at.OWN_GRAD] : hd[at.LAYER_0 + at.OWN_GRAD] + own]
        for i in range(B * (H + states)):
            m[dh_at + i] = ZERO  # dc lies behind dh
        for i in range(own):
            dw[i] = ZERO
        for late in range(n):
            t = n - 1 - late
            for s in range(0, B, 4):
                for r in range(4):
                    q = t * B + s + r
                    dh = m[dh_at + (s + r) * H : dh_at + (s + r + 1) * H]
                    dc = m[dc_at + (s + r) * states : dc_at + (s + r + 1) * states]
                    for k in range(K):
                        e = m[errors + q * K + k]
                        v = f[hd[at.HEAD] + k * width : hd[at.HEAD] + k * width + H]
                        for i in range(H):
                            dh[i] += e * v[i]
                    back(
                        m[q * R : (q + 1) * R], m[(q + B) * R : (q + B + 1) * R], dh, dc,
                        m[dz_at + q * Z : dz_at + (q + 1) * Z], w, dw,
                    )  # fmt: skip
                    if not recurrent:
                        for i in range(H):
                            dh[i] = ZERO
                if recurrent and t > 0:
                    dz = m[dz_at + (t * B + s) * Z + recurrent_dz : dz_at + (t * B + s + 4) * Z]
                    against(W, dz, Z, m[dh_at + s * H : dh_at + (s + 4) * H], H)

    return run


@chosen_by_cell
def update(cell, hidden):
    """Form the gradient of W and of the head over n steps of all streams, four rows at a time, and step."""
    spec, H = CELLS[cell], hidden
    N, R, Z, h_at = spec.gates * H, spec.record * H, spec.dz_blocks * H, spec.h * H
    padded, first = spec.recurrent_rows(H), spec.first_row(H)
    tile = outer(N, N, Z)

    @kernel
    def run(hd, f, m, place, B, n, pull):
        inputs, _, errors, dz_at, scratch, _, _, _ = place
        b, steps, K, width = at.LAYER_0, n * B, hd[at.OUTPUTS], hd[at.HEAD_WIDTH]
        nx, size = hd[b + at.NX], hd[b + at.W_SIZE]
        c = f[hd[at.S_STEP] : hd[at.S_STEP] + 16]
        for k in range(K):  # the head's gradient, from the weights of before
            g = f[hd[at.HEAD_GRAD] + k * width : hd[at.HEAD_GRAD] + (k + 1) * width]
            for i in range(width):
                g[i] = ZERO
            for q in range(steps):
                e = m[errors + q * K + k]
                for i in range(H):
                    g[i] += e * m[(q + B) * R + h_at + i]
                for i in range(nx):
                    g[H + i] += e * m[inputs + q * nx + i]
        a, g = m[scratch : scratch + 4 * steps], f[hd[at.S_ROW] : hd[at.S_ROW] + 4 * N]
        for j in range(0, first + nx, 4):
            if padded <= j < first:
                own = f[hd[b + at.OWN_GRAD] + (j - padded) * N : hd[b + at.OWN_GRAD] + (j - padded + 4) * N]
                for i in range(4 * N):
                    g[i] = own[i]
            else:
                start, apart = (h_at + j, R) if j < padded else (inputs + j - first, nx)
                for q in range(steps):
                    for r in range(4):
                        a[4 * q + r] = m[start + q * apart + r] if j >= padded or j + r < H else ZERO
                dz = dz_at if j >= padded else dz_at + Z - N
                tile(a, m[dz : dz_at + steps * Z], g, steps, True)
            o = j * N
            optimizers.step(
                hd[at.OPTIMIZER], c, f[hd[b + at.W] + o : hd[b + at.W] + o + 4 * N],
                f[hd[b + at.W_0] + o : hd[b + at.W_0] + o + 4 * N], f[hd[b + at.W_S] + o :], size, g, 4 * N, pull,
            )  # fmt: skip
        w = K * width
        optimizers.step(
            hd[at.OPTIMIZER], c, f[hd[at.HEAD] : hd[at.HEAD] + w], f[hd[at.HEAD_0] : hd[at.HEAD_0] + w],
            f[hd[at.HEAD_S] :], w, f[hd[at.HEAD_GRAD] : hd[at.HEAD_GRAD] + w], w, pull,
        )  # fmt: skip

    return run
