"""The entry for many streams that share one net: a window of B streams in one call.

One stream alone is bound by the bytes of W, which it reads once forward and once backward for every event. Four streams
together read them once: the passes work on tiles of four streams and four rows, and the multiply-adds become the limit.

Weights, optimiser and settings are those of the net's slab. The streams' own memory, their states and one window, is a
float32 array from :func:`~streamrnn.kernels.net.batch_memory.batch_memory`. A call takes n <= window events of each stream, from the
state in which the call before left it. In it the rule is plain truncated BPTT, window and stride n; the gradient is the mean over the
known targets of all streams.

Layout: time, then stream, then the record of the cell, with the streams filled up to a multiple of four::

    records (T + 1, B, R) | inputs (T, B, nx) | outputs (T, B, K) | errors (T, B, K) | dz (T, B, Z) | a | dh (B, H) | dc (B, H)

So for the weights' gradient the T B steps are simply one long window.
"""

from __future__ import annotations

import functools
from typing import Any, Final

import numpy as np

from streamrnn.kernels.cells.activations import ZERO
from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.compile import entry, kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.areas import views
from streamrnn.kernels.net.batch_memory import places
from streamrnn.kernels.net.batch_passes import backward, forward, update
from streamrnn.kernels.net.losses.table import output_gradient
from streamrnn.kernels.net.optimizers import table as optimizers
from streamrnn.kernels.net.scaler import usable
from streamrnn.kernels.net.stamp import stamp_of
from streamrnn.kernels.net.update import finite

PREDICT: Final = 1
LEARN: Final = 2
LARGEST: Final = 1e6  # inputs are taken as they are, up to here


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
    targets are taken as they are; missing inputs (NaN) count as 0, targets that are NaN are not learned. ``mode``:
    ``PREDICT`` writes the outputs, ``LEARN`` takes one step over these n events; both move the states on.
    """
    stamp = stamp_of(CELLS[cell])
    spec, H = CELLS[cell], hidden
    R, Z, first, states = spec.record * H, spec.dz_blocks * H, spec.first_row(H), spec.states

    def run(slab, memory, rows, streams, n, mode):
        stamp  # noqa: B018  part of the cache's key
        hd, f, d = views(slab)
        m = memory
        I, K, nx, B = hd[at.INPUTS], hd[at.OUTPUTS], hd[at.LAYER_0 + at.NX], (streams + 3) & ~3
        place = places(hd[at.WINDOW], B, first + nx, nx, K, H, R, Z, states)
        inputs, outputs, errors, dz, _, _, _, _ = place
        for t in range(n):
            for s in range(streams):
                x, row = inputs + (t * B + s) * nx, (t * streams + s) * (I + 2 * K)
                m[x] = 1.0
                for i in range(I):
                    v = rows[row + i]
                    m[x + 1 + i] = min(max(v, -LARGEST), LARGEST) if usable(v) else 0.0
            forward(cell, hidden, hd, f, m, place, B, t)
            if mode & PREDICT:
                for s in range(streams):
                    row = (t * streams + s) * (I + 2 * K) + I + K
                    for k in range(K):
                        rows[row + k] = m[outputs + (t * B + s) * K + k]
        known = _errors(hd, d, m, place, rows, B, streams, n) if mode & LEARN else 0.0
        if known > 0.0:
            backward(cell, hidden, hd, f, m, place, B, n)
            good = finite(m, errors, n * B * K) and finite(m, inputs, n * B * nx) and finite(m, dz, n * B * Z)
            if good:
                hyper = d[hd[at.HYPER] : hd[at.HYPER] + at.N_HYPER]
                optimizers.prepare(hd, hyper, f[hd[at.S_STEP] : hd[at.S_STEP] + 16])
                update(cell, hidden, hd, f, m, place, B, n, np.float32(min(hyper[at.PULL] * known, 1.0)))
                hd[at.UPDATES] += 1
            else:
                hd[at.REFUSED] += 1
        for i in range(B * R):
            m[i] = m[n * B * R + i]
        hd[at.EVENTS] += n * streams

    return entry(run)
