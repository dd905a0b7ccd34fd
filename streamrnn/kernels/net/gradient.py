"""The pass over the weights: gradient, carried traces and the optimiser's step, four rows of W at a time.

The weight gradient is formed once a window, in a scratch that stays in L1; the traces and the optimiser's step on the same rows
follow at once: W, its moments and traces pass through the core once.
"""

from __future__ import annotations

import numpy as np

from streamrnn.kernels.cells.activations import ZERO
from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.compile import apart, chosen_by_cell, kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.forward import seen
from streamrnn.kernels.net.optimizers import table as optimizers
from streamrnn.kernels.net.products import at_pad, outer

TRACE_FADED = np.float32(1e-30)  # a trace below is over: sums of ever smaller numbers take a hundred times as long


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


@apart
def _take_fours(a, x, step, n):
    """a (n, 4) = four values of each of n slots of x, which are ``step`` apart."""
    for t in range(n):
        for r in range(4):
            a[4 * t + r] = x[t * step + r]


@chosen_by_cell
def _what_rows_saw(cell, hidden):
    """Write S_A: for each four rows of a layer's weights their inputs over the window, (rows / 4, T, 4)."""
    spec, H = CELLS[cell], hidden
    R, h_at = spec.record * H, spec.h * H
    padded, first = spec.recurrent_rows(H), spec.first_row(H)

    @kernel
    def run(hd, f, b, T):
        fill, nx = hd[at.FILL], hd[b + at.NX]
        for j in range(0, first + nx, 4):
            if padded <= j < first:  # the cell's own: it has their gradient
                continue
            step, here = (R, hd[b + at.REC] + h_at + j) if j < padded else (nx, hd[b + at.XS] + j - first)
            a = f[hd[at.S_A] + j * T : hd[at.S_A] + (j + 4) * T]
            _take_fours(a, f[here : here + (fill - 1) * step + 4], step, fill)
            if H % 4 != 0 and j < padded and j + 4 > H:  # rows that only fill up
                for t in range(fill):
                    for r in range(H - j, 4):
                        a[4 * t + r] = ZERO
            for i in range(4 * fill, 4 * T):
                a[i] = ZERO

    return run


def _carried(N, Q):
    """g (4 rows of N) += dcs (Q) e (4 rows of Q): what reaches the weights by way of their traces."""

    @apart
    def carried(g, dcs, e):
        for r in range(4):
            for i in range(Q):
                g[r * N + i] += dcs[i] * e[r * Q + i]

    return carried


def _faded(Q):
    """e (4 rows of Q) *= later (Q), and what has faded is over."""

    @apart
    def faded(e, later):
        for r in range(4):
            for i in range(Q):
                less = e[r * Q + i] * later[i]
                e[r * Q + i] = less if abs(less) > TRACE_FADED else ZERO

    return faded


@chosen_by_cell
def pass_over_rows(cell, hidden):
    """Pass over a layer's weights, four rows at a time: gradient, traces, optimiser's step.

    learn: form the gradient; ``apply``: step at once (else the gradient is kept for a second pass);
    drop: over how many of the oldest slots the traces move on (0: not at all).
    Returns the sums of |g| and g^2 (only where the gradient is kept). Flags are variables, never literals: each combination
    of literals is compiled anew.
    """
    spec, H = CELLS[cell], hidden
    N, Z, Q = spec.gates * H, spec.dz_blocks * H, spec.traced * H
    padded, first = spec.recurrent_rows(H), spec.first_row(H)
    tile, local_tile, carry, fade = outer(N, N, Z), outer(Q, Q, Q), _carried(N, Q), _faded(Q)
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
        for j in range(0, first + hd[b + at.NX], 4):
            a = f[hd[at.S_A] + j * T : hd[at.S_A] + (j + 4) * T]
            to = hd[at.S_ROW] if apply else hd[b + at.GRAD] + j * N
            g = f[to : to + 4 * N]
            if learn and padded <= j and j < first:
                own = f[hd[b + at.OWN_GRAD] + (j - padded) * N : hd[b + at.OWN_GRAD] + (j - padded + 4) * N]
                for i in range(4 * N):
                    g[i] = own[i]
            elif learn:
                tile(a, dz if j >= padded else dz[Z - N :], g, T, True)
            if traces:
                e = f[hd[b + at.TRACE] + j * Q : hd[b + at.TRACE] + (j + 4) * Q]
                if learn:
                    carry(g, dcs, e)
                if drop > 0:
                    fade(e, later)
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


def _seen_times_error(H, R):
    """g (H + inputs) += sum over n slots of e (K apart) times what an output saw: h (H, a record R apart) and x (inputs, ``nx`` apart)."""

    @apart
    def add(g, e, K, h, x, nx, n):
        inputs = g.size - H
        eights = inputs & ~7
        for t in range(n):
            by = e[t * K]
            if by != ZERO:
                for i in range(H):
                    g[i] += by * h[t * R + i]
                for i in range(0, eights, 8):
                    for r in range(8):
                        g[H + i + r] += by * x[t * nx + i + r]
                for i in range(eights, inputs):
                    g[H + i] += by * x[t * nx + i]

    return add


@chosen_by_cell
def head_gradient(cell, hidden):
    """Write the gradient of the head (K, width). Returns the sums of |g| and g^2."""
    spec, H = CELLS[cell], hidden
    R, h_at = spec.record * H, spec.h * H
    add = _seen_times_error(H, R)

    @kernel
    def run(hd, f):
        fill, fresh, K, width, groups = hd[at.FILL], hd[at.FRESH], hd[at.OUTPUTS], hd[at.HEAD_WIDTH], hd[at.HEAD_GROUPS]
        top = at.LAYER_0 + (hd[at.LAYERS] - 1) * at.LAYER_WORDS
        for i in range(K * width):
            f[hd[at.HEAD_GRAD] + i] = ZERO
        together = (
            fresh if hd[at.HEAD_SEEN] == 0 else 1
        )  # slots: of inputs that are put side by side there is one at a time
        for group in range(groups):
            for t in range(fill - fresh, fill, max(together, 1)):
                x = f[seen(hd, f, t, group) :]
                h = f[hd[top + at.REC] + (t + 1) * R + h_at :]
                for k in range(K // groups * group, K // groups * (group + 1)):
                    g = f[hd[at.HEAD_GRAD] + k * width : hd[at.HEAD_GRAD] + (k + 1) * width]
                    add(g, f[hd[at.S_DO] + t * K + k :], K, h, x, hd[at.LAYER_0 + at.NX], together)
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
def head_step(hd, f, pull):
    """Apply the head's gradient."""
    n = hd[at.OUTPUTS] * hd[at.HEAD_WIDTH]
    c = f[hd[at.S_STEP] : hd[at.S_STEP] + 16]
    optimizers.step(
        hd[at.OPTIMIZER], c, f[hd[at.HEAD] : hd[at.HEAD] + n], f[hd[at.HEAD_0] : hd[at.HEAD_0] + n],
        f[hd[at.HEAD_S] :], n, f[hd[at.HEAD_GRAD] : hd[at.HEAD_GRAD] + n], n, pull,
    )  # fmt: skip


@chosen_by_cell
def stored_step(cell, hidden):
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
