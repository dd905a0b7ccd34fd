"""The entry for many streams that share one net: a window of B streams in one call.

One stream alone is bound by the bytes of W, which it reads once forward and once backward for every event. Four streams
together read them once: the loops below work on tiles of four streams and four rows, and the multiply-adds become the limit.

Weights, optimiser and settings are those of the net's slab. The streams' own memory, their states and one window, is a
float32 array from :func:`batch_memory`. A call takes n <= window events of each stream, from the state in which the call before
left it. In it the rule is plain truncated BPTT, window and stride n; the gradient is the mean over the known targets of all streams.

Layout: time, then stream, then the record of :mod:`streamrnn.kernels.net`, with the streams filled up to a multiple of four::

    records (T + 1, B, R) | inputs (T, B, nx) | outputs (T, B, K) | errors (T, B, K) | dz (T, B, Z) | a | dh (B, H) | dc (B, H)

So for the weights' gradient the T B steps are simply one long window.
"""

from __future__ import annotations

import functools
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels import layout as at
from streamrnn.kernels import optimizers
from streamrnn.kernels.activations import ZERO
from streamrnn.kernels.cells import CELLS
from streamrnn.kernels.compile import chosen_by_cell, entry, kernel, sources_digest
from streamrnn.kernels.events import views
from streamrnn.kernels.layout import Sizes
from streamrnn.kernels.losses import output_gradient
from streamrnn.kernels.net import finite, outer
from streamrnn.kernels.scaler import usable

PREDICT: Final = 1
LEARN: Final = 2
LARGEST: Final = 1e6  # inputs are taken as they are, up to here


@kernel
def _places(T, B, rows, nx, K, H, R, Z):
    """Return where inputs, outputs, errors, dz, a, dh and dc begin (records: 0), and where all ends."""
    inputs = (T + 1) * B * R
    outputs = inputs + T * B * nx
    errors = outputs + T * B * K
    dz = errors + T * B * K
    dz += -dz % 16  # a cache line
    a = dz + T * B * Z
    dh = a + 4 * max(rows, T * B)
    dc = dh + B * H
    return inputs, outputs, errors, dz, a, dh, dc, dc + B * H


def batch_memory(sizes: Sizes, streams: int) -> NDArray[np.float32]:
    """Return the memory of so many streams, all in the state zero.

    Parameters
    ----------
    sizes
        Those of the net whose slab the streams share.
    streams
        B, at least 1. A multiple of four wastes nothing.

    Raises
    ------
    ValueError
        For nets with more than one layer, and for optimisers that need the whole gradient's norm.

    Examples
    --------
    >>> from streamrnn.kernels.batch import batch_memory
    >>> from streamrnn.kernels.layout import Sizes
    >>> batch_memory(Sizes("lstm", inputs=8, hidden=16, outputs=1), 8).nbytes
    103936
    """
    if streams < 1 or sizes.layers != 1 or sizes.two_pass:
        raise ValueError(
            "Batches need at least one stream, one layer and an optimiser without a norm (no 'clip', no 'obgd'). "
            f"Got {streams} streams, {sizes.layers} layers, two_pass={sizes.two_pass} instead."
        )
    cell, H = CELLS[sizes.cell], sizes.hidden
    nx = at.up(sizes.inputs + 1, 4)
    rows = (at.up(H, 4) if cell.recurrent else 0) + nx
    end = getattr(_places, "py_func", _places)(
        sizes.window, at.up(streams, 4), rows, nx, sizes.outputs, H, cell.record * H, cell.dz_blocks * H
    )[-1]
    raw = np.zeros(end + 16, np.float32)
    start = -raw.ctypes.data % 64 // 4
    return raw[start : start + end]


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
def _forward(cell, hidden):
    """Fill records and outputs of step t of all streams from their inputs."""
    spec, H = CELLS[cell], hidden
    N, R, UH = spec.gates * H, spec.record * H, spec.split * H
    recurrent, h_at, padded = spec.recurrent, spec.h * H, at.up(H, 4) if spec.recurrent else 0
    step, product = spec.forward(H), outer(N, R, N)

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
            product(a, W[padded * N :], m[rec : rec + 4 * R], nx, not recurrent or UH > 0)
            for r in range(4):
                step(m[prev + r * R : prev + (r + 1) * R], m[rec + r * R : rec + (r + 1) * R])
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
def _backward(cell, hidden):
    """Write dz of n steps of all streams."""
    spec, H = CELLS[cell], hidden
    N, R, Z = spec.gates * H, spec.record * H, spec.dz_blocks * H
    recurrent, recurrent_dz = spec.recurrent, Z - N
    back, against = spec.backward(H), _against(N, R)

    @kernel
    def run(hd, f, m, place, B, n):
        _, _, errors, dz_at, _, dh_at, dc_at, _ = place
        K, width = hd[at.OUTPUTS], hd[at.HEAD_WIDTH]
        W = f[hd[at.LAYER_0 + at.W] : hd[at.LAYER_0 + at.W] + hd[at.LAYER_0 + at.W_SIZE]]
        for i in range(2 * B * H):
            m[dh_at + i] = ZERO  # dc lies behind dh
        for late in range(n):
            t = n - 1 - late
            for s in range(0, B, 4):
                for r in range(4):
                    q = t * B + s + r
                    dh = m[dh_at + (s + r) * H : dh_at + (s + r + 1) * H]
                    dc = m[dc_at + (s + r) * H : dc_at + (s + r + 1) * H]
                    for k in range(K):
                        e = m[errors + q * K + k]
                        v = f[hd[at.HEAD] + k * width : hd[at.HEAD] + k * width + H]
                        for i in range(H):
                            dh[i] += e * v[i]
                    back(
                        m[q * R : (q + 1) * R], m[(q + B) * R : (q + B + 1) * R], dh, dc,
                        m[dz_at + q * Z : dz_at + (q + 1) * Z],
                    )  # fmt: skip
                    if not recurrent:
                        for i in range(H):
                            dh[i] = ZERO
                if recurrent and t > 0:
                    dz = m[dz_at + (t * B + s) * Z + recurrent_dz : dz_at + (t * B + s + 4) * Z]
                    against(W, dz, Z, m[dh_at + s * H : dh_at + (s + 4) * H], H)

    return run


@chosen_by_cell
def _update(cell, hidden):
    """Form the gradient of W and of the head over n steps of all streams, four rows at a time, and step."""
    spec, H = CELLS[cell], hidden
    N, R, Z, h_at = spec.gates * H, spec.record * H, spec.dz_blocks * H, spec.h * H
    padded = at.up(H, 4) if spec.recurrent else 0
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
        for j in range(0, padded + nx, 4):
            start, apart = (h_at + j, R) if j < padded else (inputs + j - padded, nx)
            for q in range(steps):
                for r in range(4):
                    a[4 * q + r] = m[start + q * apart + r] if j >= padded or j + r < H else ZERO
            first = dz_at if j >= padded else dz_at + Z - N
            tile(a, m[first : dz_at + steps * Z], g, steps, True)
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


@kernel
def _errors(hd, d, m, place, rows, B, streams, n):
    """Write dL/d(outputs) of all steps over the number of known targets, which is returned."""
    _, outputs, errors, _, _, _, _, _ = place
    I, K, hyper = hd[at.INPUTS], hd[at.OUTPUTS], d[hd[at.HYPER] : hd[at.HYPER] + at.N_HYPER]
    targets = d[hd[at.TARGET] : hd[at.TARGET] + K]
    for i in range(n * B * K):
        m[errors + i] = ZERO
    total = 0.0
    for t in range(n):
        for s in range(streams):
            row, q = (t * streams + s) * (I + 2 * K) + I, t * B + s
            for k in range(K):
                targets[k] = rows[row + k]
            out = m[outputs + q * K : outputs + (q + 1) * K]
            known, loss = output_gradient(hd[at.LOSS], targets, out, m[errors + q * K : errors + (q + 1) * K], hyper)
            if known > 0:
                total += known
                hd[at.LEARNED] += 1
                d[hd[at.LOSS_SUM]] += loss / known
    share = np.float32(1.0 / max(total, 1.0))
    for i in range(n * B * K):
        m[errors + i] *= share
    return total


@functools.cache
def batch(cell: str, hidden: int) -> Any:
    """Return ``run(slab, memory, rows, streams, n, mode)`` for one cell and one hidden size.

    ``rows`` is flat float64, (n, streams, I + 2 K): ``x (I) | y (K) | outputs (K)``, n at most the net's window. Inputs and
    targets are taken as they are; missing inputs (NaN) count as 0, targets that are NaN teach nothing. ``mode``:
    ``PREDICT`` writes the outputs, ``LEARN`` takes one step over these n events; both move the states on.
    """
    stamp = sources_digest(CELLS[cell])
    spec, H = CELLS[cell], hidden
    R, Z, first = spec.record * H, spec.dz_blocks * H, at.up(H, 4) if spec.recurrent else 0

    def run(slab, memory, rows, streams, n, mode):
        stamp  # noqa: B018  part of the cache's key
        hd, f, d = views(slab)
        m = memory
        I, K, nx, B = hd[at.INPUTS], hd[at.OUTPUTS], hd[at.LAYER_0 + at.NX], (streams + 3) & ~3
        place = _places(hd[at.WINDOW], B, first + nx, nx, K, H, R, Z)
        inputs, outputs, errors, dz, _, _, _, _ = place
        for t in range(n):
            for s in range(streams):
                x, row = inputs + (t * B + s) * nx, (t * streams + s) * (I + 2 * K)
                m[x] = 1.0
                for i in range(I):
                    v = rows[row + i]
                    m[x + 1 + i] = min(max(v, -LARGEST), LARGEST) if usable(v) else 0.0
            _forward(cell, hidden, hd, f, m, place, B, t)
            if mode & PREDICT:
                for s in range(streams):
                    row = (t * streams + s) * (I + 2 * K) + I + K
                    for k in range(K):
                        rows[row + k] = m[outputs + (t * B + s) * K + k]
        known = _errors(hd, d, m, place, rows, B, streams, n) if mode & LEARN else 0.0
        if known > 0.0:
            _backward(cell, hidden, hd, f, m, place, B, n)
            good = finite(m, errors, n * B * K) and finite(m, inputs, n * B * nx) and finite(m, dz, n * B * Z)
            if good:
                hyper = d[hd[at.HYPER] : hd[at.HYPER] + at.N_HYPER]
                optimizers.prepare(hd, hyper, f[hd[at.S_STEP] : hd[at.S_STEP] + 16])
                _update(cell, hidden, hd, f, m, place, B, n, np.float32(min(hyper[at.PULL] * known, 1.0)))
                hd[at.UPDATES] += 1
            else:
                hd[at.REFUSED] += 1
        for i in range(B * R):
            m[i] = m[n * B * R + i]
        hd[at.EVENTS] += n * streams

    return entry(run)
