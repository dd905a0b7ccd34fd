"""The net on its slab: forward, teach, update. Generic over cells, compiled for one cell and one hidden size.

How an event passes::

    forward   x (scaled) -> records of all layers at slot ``fill`` -> outputs            (changes nothing committed)
    commit    fill += 1: the hidden state has advanced
    teach     target -> dL/d(outputs) of a slot
    update    every ``stride`` events: backward over the window, one optimiser step, window moves on

**Truncated BPTT(T; S).** Of the ``fill`` <= T slots the newest S (``fresh``) bring errors; the errors flow back through
the stored activations to the start of the window (Williams & Peng, 1990). Each target is learned once.

**Carried traces.** At the window's start the error dL/dc does not stop: it meets e = dc/dW, the eligibility trace of
all events before the window, so that grad += dc * e. As the window moves on over its oldest S steps, e <- (prod f) e
+ sum of the steps' own terms. With T = 1 this is the truncated gradient of Hochreiter & Schmidhuber (1997), with T
beyond the stream's length it is full BPTT.

The weight gradient is formed once a window, four rows of W at a time, in a scratch that stays in L1; the
traces and the optimiser's step on the same rows follow at once: W, its moments and traces pass through the core once.
"""

from __future__ import annotations

import numpy as np

from streamrnn.kernels import layout as at
from streamrnn.kernels import optimizers
from streamrnn.kernels.activations import ZERO
from streamrnn.kernels.cells import CELLS
from streamrnn.kernels.compile import chosen_by_cell, kernel, reinterpret
from streamrnn.kernels.losses import output_gradient

# Exponent bits of 2^40. Larger errors or factors are refused: their squares, summed, would leave float32.
TOO_BIG = np.uint32((127 + 40) << 23)
MAGNITUDE = np.uint32(0x7FFFFFFF)


def product_of(N):
    """z (N) += a (n) @ W (n rows of N): eight rows at a time, so that z is read and written once for eight."""

    @kernel
    def product(a, W, z):
        n = a.size
        n8, n4 = n & ~7, n & ~3
        for j in range(0, n8, 8):
            w = W[j * N : (j + 8) * N]
            a0, a1, a2, a3, a4, a5, a6, a7 = a[j], a[j + 1], a[j + 2], a[j + 3], a[j + 4], a[j + 5], a[j + 6], a[j + 7]
            for i in range(N):
                lower = a0 * w[i] + a1 * w[N + i] + a2 * w[2 * N + i] + a3 * w[3 * N + i]
                upper = a4 * w[4 * N + i] + a5 * w[5 * N + i] + a6 * w[6 * N + i] + a7 * w[7 * N + i]
                z[i] += lower + upper
        for j in range(n8, n4, 4):
            w = W[j * N : (j + 4) * N]
            a0, a1, a2, a3 = a[j], a[j + 1], a[j + 2], a[j + 3]
            for i in range(N):
                z[i] += a0 * w[i] + a1 * w[N + i] + a2 * w[2 * N + i] + a3 * w[3 * N + i]
        for j in range(n4, n):
            w = W[j * N : (j + 1) * N]
            a0 = a[j]
            for i in range(N):
                z[i] += a0 * w[i]

    return product


def _transposed(N):
    """a (n) += W (n rows of N) @ z (N): eight rows at a time, eight sums that do not wait for each other."""

    @kernel
    def transposed(W, z, a, n):
        n8 = n & ~7
        for j in range(0, n8, 8):
            w = W[j * N : (j + 8) * N]
            s0, s1, s2, s3, s4, s5, s6, s7 = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
            for i in range(N):
                d = z[i]
                s0 += w[i] * d
                s1 += w[N + i] * d
                s2 += w[2 * N + i] * d
                s3 += w[3 * N + i] * d
                s4 += w[4 * N + i] * d
                s5 += w[5 * N + i] * d
                s6 += w[6 * N + i] * d
                s7 += w[7 * N + i] * d
            a[j] += s0
            a[j + 1] += s1
            a[j + 2] += s2
            a[j + 3] += s3
            a[j + 4] += s4
            a[j + 5] += s5
            a[j + 6] += s6
            a[j + 7] += s7
        for j in range(n8, n):
            w = W[j * N : (j + 1) * N]
            s0 = ZERO
            for i in range(N):
                s0 += w[i] * z[i]
            a[j] += s0

    return transposed


def outer(n, G, Z):
    """g (4 rows of n, G apart) += sum over t of a[t, r] dz[t]: a (T, 4), dz (T rows, Z apart), T a multiple of 4.

    ``fresh``: g is written, not added to.
    """

    @kernel
    def outer(a, dz, g, T, fresh):
        for t in range(0, T, 4):
            b = a[4 * t : 4 * t + 16]
            a00, a10, a20, a30 = b[0], b[1], b[2], b[3]
            a01, a11, a21, a31 = b[4], b[5], b[6], b[7]
            a02, a12, a22, a32 = b[8], b[9], b[10], b[11]
            a03, a13, a23, a33 = b[12], b[13], b[14], b[15]
            d = dz[t * Z : t * Z + 3 * Z + n]
            if fresh and t == 0:
                for i in range(n):
                    d0, d1, d2, d3 = d[i], d[Z + i], d[2 * Z + i], d[3 * Z + i]
                    g[i] = a00 * d0 + a01 * d1 + a02 * d2 + a03 * d3
                    g[G + i] = a10 * d0 + a11 * d1 + a12 * d2 + a13 * d3
                    g[2 * G + i] = a20 * d0 + a21 * d1 + a22 * d2 + a23 * d3
                    g[3 * G + i] = a30 * d0 + a31 * d1 + a32 * d2 + a33 * d3
            else:
                for i in range(n):
                    d0, d1, d2, d3 = d[i], d[Z + i], d[2 * Z + i], d[3 * Z + i]
                    g[i] += a00 * d0 + a01 * d1 + a02 * d2 + a03 * d3
                    g[G + i] += a10 * d0 + a11 * d1 + a12 * d2 + a13 * d3
                    g[2 * G + i] += a20 * d0 + a21 * d1 + a22 * d2 + a23 * d3
                    g[3 * G + i] += a30 * d0 + a31 * d1 + a32 * d2 + a33 * d3

    return outer


@chosen_by_cell
def forward(cell, hidden):
    """Fill records and outputs of slot ``fill`` from its scaled inputs (layer 0: already in place)."""
    spec, H = CELLS[cell], hidden
    N, R, UH = spec.gates * H, spec.record * H, spec.split * H
    recurrent, h_at = spec.recurrent, spec.h * H
    step, product = spec.forward(H), product_of(N)
    padded = at.up(H, 4) if recurrent else 0

    @kernel
    def run(hd, f):
        t = hd[at.FILL]
        top = f[:0]
        for layer in range(hd[at.LAYERS]):
            b = at.LAYER_0 + layer * at.LAYER_WORDS
            nx = hd[b + at.NX]
            x = f[hd[b + at.XS] + t * nx : hd[b + at.XS] + (t + 1) * nx]
            pair = f[hd[b + at.REC] + t * R : hd[b + at.REC] + (t + 2) * R]
            prev, rec = pair[:R], pair[R:]
            W = f[hd[b + at.W] : hd[b + at.W] + hd[b + at.W_SIZE]]
            if layer > 0:
                x[0] = 1.0
                for i in range(H):
                    x[1 + i] = top[i]
            z = rec[:N]
            for i in range(N):
                z[i] = ZERO
            if recurrent:
                if UH > 0:
                    u = rec[UH : UH + N]
                    for i in range(N):
                        u[i] = ZERO
                    product(prev[h_at : h_at + H], W, u)
                else:
                    product(prev[h_at : h_at + H], W, z)
            product(x, W[padded * N :], z)
            step(prev, rec)
            top = rec[h_at : h_at + H]
        K, width = hd[at.OUTPUTS], hd[at.HEAD_WIDTH]
        x = f[
            hd[at.LAYER_0 + at.XS] + t * hd[at.LAYER_0 + at.NX] : hd[at.LAYER_0 + at.XS]
            + (t + 1) * hd[at.LAYER_0 + at.NX]
        ]
        out = f[hd[at.OUT] + t * K : hd[at.OUT] + (t + 1) * K]
        K8 = K & ~7
        for k in range(0, K8, 8):  # eight at a time: eight sums that do not wait for each other
            v = f[hd[at.HEAD] + k * width : hd[at.HEAD] + (k + 8) * width]
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
            v = f[hd[at.HEAD] + k * width : hd[at.HEAD] + (k + 1) * width]
            s = ZERO
            for i in range(H):
                s += v[i] * top[i]
            vx = v[H:]
            for i in range(x.size):
                s += vx[i] * x[i]
            out[k] = s

    return run


@chosen_by_cell
def _backward(cell, hidden):
    """Write dz of every slot of every layer, and dc at the window's start. Errors: S_DO (fill, K)."""
    spec, H = CELLS[cell], hidden
    N, R, Z, UH = spec.gates * H, spec.record * H, spec.dz_blocks * H, spec.split * H
    recurrent = spec.recurrent
    back, transposed = spec.backward(H), _transposed(N)
    padded = at.up(H, 4) if recurrent else 0
    recurrent_dz = N if UH > 0 else 0

    @kernel
    def run(hd, f):
        fill, K, width, layers = hd[at.FILL], hd[at.OUTPUTS], hd[at.HEAD_WIDTH], hd[at.LAYERS]
        learned = fill - hd[at.FRESH]  # slots whose errors have been taken
        dh = f[hd[at.S_DH] : hd[at.S_DH] + H]
        dc = f[hd[at.S_DC] : hd[at.S_DC] + H]
        for up in range(layers):
            layer = layers - 1 - up
            b = at.LAYER_0 + layer * at.LAYER_WORDS
            W = f[hd[b + at.W] : hd[b + at.W] + hd[b + at.W_SIZE]]
            for i in range(H):
                dh[i] = ZERO
                dc[i] = ZERO
            for late in range(fill):
                t = fill - 1 - late
                dx = f[hd[at.S_DX] + t * H : hd[at.S_DX] + (t + 1) * H]
                if up == 0:
                    for k in range(K if t >= learned else 0):
                        e = f[hd[at.S_DO] + t * K + k]
                        if e != ZERO:
                            v = f[hd[at.HEAD] + k * width : hd[at.HEAD] + k * width + H]
                            for i in range(H):
                                dh[i] += e * v[i]
                else:
                    for i in range(H):
                        dh[i] += dx[i]
                pair = f[hd[b + at.REC] + t * R : hd[b + at.REC] + (t + 2) * R]
                dz = f[hd[b + at.DZ] + t * Z : hd[b + at.DZ] + (t + 1) * Z]
                back(pair[:R], pair[R:], dh, dc, dz)
                if recurrent and t > 0:
                    transposed(W, dz[recurrent_dz : recurrent_dz + N], dh, H)
                if not recurrent:
                    for i in range(H):
                        dh[i] = ZERO
                if layer > 0:
                    for i in range(H):
                        dx[i] = ZERO
                    transposed(W[(padded + 1) * N :], dz[:N], dx, H)
            for i in range(H):
                f[hd[b + at.DC_START] + i] = dc[i]
            for i in range(fill * Z, at_pad(fill) * Z):
                f[hd[b + at.DZ] + i] = ZERO

    return run


@kernel
def at_pad(t):
    """Round a number of steps up to a multiple of four."""
    return (t + 3) & ~3


@kernel
def finite(f, start, n):
    """Tell whether n values are finite and below 2^40, by their bits: no float comparison, nothing to optimise away."""
    bits = reinterpret(f[start : start + n], np.uint32)
    worst = np.uint32(0)
    for i in range(n):
        worst = max(worst, np.uint32(bits[i] & MAGNITUDE))  # numba widens what & gives: half the speed
    return worst < TOO_BIG


@chosen_by_cell
def _local_factors(cell, hidden):
    """Write the trace factors of the oldest ``drop`` slots of a layer, times all later forget gates of those."""
    spec, H = CELLS[cell], hidden
    R, Q = spec.record * H, spec.traced * H
    if not spec.traced:

        @kernel
        def nothing(hd, f, b, drop):
            pass

        return nothing
    factors, traced = spec.traces(H), spec.traced

    @kernel
    def run(hd, f, b, drop):
        later = f[hd[at.S_LATER] : hd[at.S_LATER] + Q]
        for i in range(H):
            later[i] = 1.0
        for back in range(drop):
            t = drop - 1 - back
            pair = f[hd[b + at.REC] + t * R : hd[b + at.REC] + (t + 2) * R]
            factors(pair[:R], pair[R:], later[:H], f[hd[at.S_LOCAL] + t * Q : hd[at.S_LOCAL] + (t + 1) * Q])
        for i in range(drop * Q, at_pad(drop) * Q):
            f[hd[at.S_LOCAL] + i] = ZERO
        dcs = f[hd[at.S_DCS] : hd[at.S_DCS] + Q]
        for k in range(traced):
            for i in range(H):
                dcs[k * H + i] = f[hd[b + at.DC_START] + i]
                later[k * H + i] = later[i]

    return run


@chosen_by_cell
def _what_rows_saw(cell, hidden):
    """Write S_A: for each four rows of a layer's weights their inputs over the window, (rows / 4, T, 4)."""
    spec, H = CELLS[cell], hidden
    R, h_at = spec.record * H, spec.h * H
    padded = at.up(H, 4) if spec.recurrent else 0

    @kernel
    def run(hd, f, b, T):
        fill, nx = hd[at.FILL], hd[b + at.NX]
        for j in range(0, padded + nx, 4):
            step, here = (R, hd[b + at.REC] + h_at + j) if j < padded else (nx, hd[b + at.XS] + j - padded)
            a = f[hd[at.S_A] + j * T : hd[at.S_A] + (j + 4) * T]
            for t in range(fill):
                for r in range(4):
                    a[4 * t + r] = f[here + t * step + r]
            if H % 4 != 0 and j < padded and j + 4 > H:  # rows that only fill up
                for t in range(fill):
                    for r in range(H - j, 4):
                        a[4 * t + r] = ZERO
            for i in range(4 * fill, 4 * T):
                a[i] = ZERO

    return run


@chosen_by_cell
def _rows(cell, hidden):
    """Pass over a layer's weights, four rows at a time: gradient, traces, optimiser's step.

    learn: form the gradient; ``apply``: step at once (else the gradient is kept for a second pass);
    drop: over how many of the oldest slots the traces move on (0: not at all).
    Returns the sums of |g| and g^2 (only where the gradient is kept). Flags are variables, never literals: each combination
    of literals is compiled anew.
    """
    spec, H = CELLS[cell], hidden
    N, Z, Q = spec.gates * H, spec.dz_blocks * H, spec.traced * H
    padded = at.up(H, 4) if spec.recurrent else 0
    tile, local_tile = outer(N, N, Z), outer(Q, Q, Q)
    factors_of, rows_saw = _local_factors, _what_rows_saw

    @kernel
    def run(hd, f, layer, learn, apply, drop, pull):
        b = at.LAYER_0 + layer * at.LAYER_WORDS
        size = hd[b + at.W_SIZE]
        T, D = at_pad(hd[at.FILL]), at_pad(drop)
        traces = hd[at.TRACES] != 0 and Q > 0
        if traces:
            factors_of(cell, hidden, hd, f, b, drop)
        rows_saw(cell, hidden, hd, f, b, T)
        c = f[hd[at.S_STEP] : hd[at.S_STEP] + 16]
        later = f[hd[at.S_LATER] : hd[at.S_LATER] + Q]
        dcs = f[hd[at.S_DCS] : hd[at.S_DCS] + Q]
        dz = f[hd[b + at.DZ] : hd[b + at.DZ] + T * Z]
        local = f[hd[at.S_LOCAL] : hd[at.S_LOCAL] + D * Q]  # zero from slot ``drop`` on
        sum_1 = 0.0
        sum_2 = 0.0
        for j in range(0, padded + hd[b + at.NX], 4):
            a = f[hd[at.S_A] + j * T : hd[at.S_A] + (j + 4) * T]
            to = hd[at.S_ROW] if apply else hd[b + at.GRAD] + j * N
            g = f[to : to + 4 * N]
            if learn:
                tile(a, dz if j >= padded else dz[Z - N :], g, T, True)
            if traces:
                e = f[hd[b + at.TRACE] + j * Q : hd[b + at.TRACE] + (j + 4) * Q]
                if learn:
                    for r in range(4):
                        for i in range(Q):
                            g[r * N + i] += dcs[i] * e[r * Q + i]
                if drop > 0:
                    for r in range(4):
                        for i in range(Q):
                            e[r * Q + i] *= later[i]
                    local_tile(a, local, e, D, False)
            if learn and apply:
                o = j * N
                optimizers.step(
                    hd[at.OPTIMIZER], c, f[hd[b + at.W] + o : hd[b + at.W] + o + 4 * N],
                    f[hd[b + at.W_0] + o : hd[b + at.W_0] + o + 4 * N], f[hd[b + at.W_S] + o :], size, g, 4 * N, pull,
                )  # fmt: skip
            elif learn:
                for i in range(4 * N):
                    sum_1 += abs(g[i])
                    sum_2 += g[i] * g[i]
        return sum_1, sum_2

    return run


@chosen_by_cell
def _head_gradient(cell, hidden):
    """Write the gradient of the head (K, width). Returns the sums of |g| and g^2."""
    spec, H = CELLS[cell], hidden
    R, h_at = spec.record * H, spec.h * H

    @kernel
    def run(hd, f):
        fill, fresh, K, width = hd[at.FILL], hd[at.FRESH], hd[at.OUTPUTS], hd[at.HEAD_WIDTH]
        top = at.LAYER_0 + (hd[at.LAYERS] - 1) * at.LAYER_WORDS
        nx = hd[at.LAYER_0 + at.NX]
        for k in range(K):
            g = f[hd[at.HEAD_GRAD] + k * width : hd[at.HEAD_GRAD] + (k + 1) * width]
            gx = g[H:]
            for i in range(width):
                g[i] = ZERO
            for t in range(fill - fresh, fill):
                e = f[hd[at.S_DO] + t * K + k]
                if e != ZERO:
                    h = f[hd[top + at.REC] + (t + 1) * R + h_at : hd[top + at.REC] + (t + 1) * R + h_at + H]
                    x = f[hd[at.LAYER_0 + at.XS] + t * nx : hd[at.LAYER_0 + at.XS] + (t + 1) * nx]
                    for i in range(H):
                        g[i] += e * h[i]
                    for i in range(nx):
                        gx[i] += e * x[i]
        sum_1 = 0.0
        sum_2 = 0.0
        if hd[at.TWO_PASS] != 0:
            g = f[hd[at.HEAD_GRAD] : hd[at.HEAD_GRAD] + K * width]
            for i in range(K * width):
                sum_1 += abs(g[i])
                sum_2 += g[i] * g[i]
        return sum_1, sum_2

    return run


@kernel
def _head_step(hd, f, pull):
    """Apply the head's gradient."""
    n = hd[at.OUTPUTS] * hd[at.HEAD_WIDTH]
    c = f[hd[at.S_STEP] : hd[at.S_STEP] + 16]
    optimizers.step(
        hd[at.OPTIMIZER], c, f[hd[at.HEAD] : hd[at.HEAD] + n], f[hd[at.HEAD_0] : hd[at.HEAD_0] + n],
        f[hd[at.HEAD_S] :], n, f[hd[at.HEAD_GRAD] : hd[at.HEAD_GRAD] + n], n, pull,
    )  # fmt: skip


@chosen_by_cell
def _stored_step(cell, hidden):
    """Apply a layer's stored gradient (second pass)."""
    N = CELLS[cell].gates * hidden

    @kernel
    def run(hd, f, layer, pull):
        b = at.LAYER_0 + layer * at.LAYER_WORDS
        size = hd[b + at.W_SIZE]
        c = f[hd[at.S_STEP] : hd[at.S_STEP] + 16]
        for o in range(0, size, 4 * N):
            optimizers.step(
                hd[at.OPTIMIZER], c, f[hd[b + at.W] + o : hd[b + at.W] + o + 4 * N],
                f[hd[b + at.W_0] + o : hd[b + at.W_0] + o + 4 * N], f[hd[b + at.W_S] + o :], size,
                f[hd[b + at.GRAD] + o : hd[b + at.GRAD] + o + 4 * N], 4 * N, pull,
            )  # fmt: skip

    return run


@kernel
def _scale_errors(hd, f):
    """Write S_DO: the errors of the fresh slots over the number of known targets.

    Returns that number and the mean absolute error signal.
    """
    fill, fresh, K = hd[at.FILL], hd[at.FRESH], hd[at.OUTPUTS]
    known = ZERO
    for t in range(fill - fresh, fill):
        known += f[hd[at.KNOWN] + t]
    share = np.float32(1.0) / known if known > ZERO else ZERO
    total = ZERO
    for i in range((fill - fresh) * K, fill * K):
        e = f[hd[at.D_OUT] + i] * share
        f[hd[at.S_DO] + i] = e
        total += abs(e)
    return known, total


@kernel
def _learned_events(hd, f):
    """Return how many of the fresh slots have a known target."""
    n = 0
    for t in range(hd[at.FILL] - hd[at.FRESH], hd[at.FILL]):
        if f[hd[at.KNOWN] + t] > ZERO:
            n += 1
    return n


@kernel
def _gradient_scale(hd, d, sum_1, sum_2, error):
    """Return the factor on a stored gradient: clipping by global norm, and ObGD's bound.

    ObGD (M. Elsayed et al., Streaming deep reinforcement learning finally works, arXiv:2410.14606, 2024, Algorithm 3,
    lambda = 0): with g = error * z the step is lr / max(1, lr kappa max(error, 1) |z|_1).
    """
    hyper = hd[at.HYPER]
    scale = 1.0
    clip = d[hyper + at.CLIP]
    if clip > 0.0 and sum_2 > clip * clip:
        scale = clip / np.sqrt(sum_2)
    if hd[at.OPTIMIZER] == optimizers.OBGD and error > 0.0:
        bound = optimizers.learning_rate(hd, d[hyper : hyper + at.N_HYPER], float(hd[at.UPDATES]))
        bound = bound * d[hyper + at.BETA_1]
        bound = bound * max(error, 1.0) * scale * sum_1 / error
        scale = scale / max(bound, 1.0)
    return scale


@chosen_by_cell
def update(cell, hidden):
    """Learn from the fresh slots, move the traces and the window on. Call when ``fresh`` has reached the stride."""
    spec, H = CELLS[cell], hidden
    R, Z, Q = spec.record * H, spec.dz_blocks * H, spec.traced * H
    backward, rows, head, stored = _backward, _rows, _head_gradient, _stored_step

    @kernel
    def learn(hd, f, d, drop):
        fill, fresh, K = hd[at.FILL], hd[at.FRESH], hd[at.OUTPUTS]
        known, error = _scale_errors(hd, f)
        if not known > ZERO or hd[at.FROZEN] != 0:
            return False
        backward(cell, hidden, hd, f)
        good = finite(f, hd[at.S_DO] + (fill - fresh) * K, fresh * K)
        for layer in range(hd[at.LAYERS]):
            b = at.LAYER_0 + layer * at.LAYER_WORDS
            good = good and finite(f, hd[b + at.DZ], fill * Z) and finite(f, hd[b + at.DC_START], H)
            good = good and finite(f, hd[b + at.XS], fill * hd[b + at.NX])
        if not good:
            hd[at.REFUSED] += 1
            return False
        hyper = d[hd[at.HYPER] : hd[at.HYPER] + at.N_HYPER]
        c = f[hd[at.S_STEP] : hd[at.S_STEP] + 16]
        optimizers.prepare(hd, hyper, c)
        optimizers.quicken(hd, c, _learned_events(hd, f))
        pull = np.float32(min(hyper[at.PULL] * known, 1.0))
        sum_1, sum_2 = head(cell, hidden, hd, f)
        once = hd[at.TWO_PASS] == 0
        for layer in range(hd[at.LAYERS]):
            more_1, more_2 = rows(cell, hidden, hd, f, layer, good, once, drop, pull)
            sum_1 += more_1
            sum_2 += more_2
        if not once:
            scale = _gradient_scale(hd, d, float(sum_1), float(sum_2), float(error))
            c[8] = scale
            if not scale < 1e30 or not sum_2 < 1e30:
                hd[at.REFUSED] += 1
                return True
            for layer in range(hd[at.LAYERS]):
                stored(cell, hidden, hd, f, layer, pull)
        _head_step(hd, f, pull)
        hd[at.UPDATES] += 1
        return True

    @kernel
    def run(hd, f, d):
        fill, K = hd[at.FILL], hd[at.OUTPUTS]
        drop = max(fill + hd[at.STRIDE] - hd[at.WINDOW], 0)
        drop = min(drop, fill)
        moved = learn(hd, f, d, drop)
        if not moved and hd[at.TRACES] != 0 and Q > 0 and drop > 0:
            for layer in range(hd[at.LAYERS]):
                rows(cell, hidden, hd, f, layer, moved, not moved, drop, ZERO)
        hd[at.FRESH] = 0
        if drop == 0:
            return
        keep = fill - drop
        for layer in range(hd[at.LAYERS]):
            b = at.LAYER_0 + layer * at.LAYER_WORDS
            _move(f, hd[b + at.REC], drop * R, (keep + 1) * R)
            _move(f, hd[b + at.XS], drop * hd[b + at.NX], keep * hd[b + at.NX])
        _move(f, hd[at.OUT], drop * K, keep * K)
        _move(f, hd[at.D_OUT], drop * K, keep * K)
        _move(f, hd[at.KNOWN], drop, keep)
        hd[at.FILL] = keep

    return run


@kernel
def _move(f, start, by, n):
    """Shift n values down by ``by`` places, in runs that do not overlap: those are copied in vectors."""
    for first in range(start, start + n, by):
        into = f[first : first + min(by, start + n - first)]
        source = f[first + by : first + by + into.size]
        for i in range(into.size):
            into[i] = source[i]


@kernel
def teach(hd, f, d, slot, targets):
    """Set the errors of a slot from its targets (standardised; NaN: not known). Return the loss."""
    K = hd[at.OUTPUTS]
    out = f[hd[at.OUT] + slot * K : hd[at.OUT] + (slot + 1) * K]
    grad = f[hd[at.D_OUT] + slot * K : hd[at.D_OUT] + (slot + 1) * K]
    known, loss = output_gradient(hd[at.LOSS], targets, out, grad, d[hd[at.HYPER] : hd[at.HYPER] + at.N_HYPER])
    f[hd[at.KNOWN] + slot] = known
    if known > 0:
        hd[at.LEARNED] += 1
        d[hd[at.LOSS_SUM]] += loss / known
    return loss
