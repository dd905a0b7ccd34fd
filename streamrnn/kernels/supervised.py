"""The entry for learning y from x: predict, learn, or both, over a block of events.

One row an event, float64: ``x (I) | y (K) | outputs (K)``. The one-event call is the block call with one row.
"""

from __future__ import annotations

import functools
from typing import Any, Final

from streamrnn.kernels import layout as at
from streamrnn.kernels.cells import CELLS
from streamrnn.kernels.compile import entry, sources_digest
from streamrnn.kernels.events import commit, link, scale_target, stage, unscale_output, views
from streamrnn.kernels.net import teach, update

PREDICT: Final = 1
LEARN: Final = 2
LINK: Final = 4  # outputs in the target's own terms: probabilities, rates, standard deviations


@functools.cache
def supervised(cell: str, hidden: int) -> Any:
    """Return ``run(slab, rows, n, mode)`` for one cell and one hidden size."""
    stamp = sources_digest(CELLS[cell].forward)

    def run(slab, rows, n, mode):
        stamp  # noqa: B018  part of the cache's key
        hd, f, d = views(slab)
        I, K = hd[at.INPUTS], hd[at.OUTPUTS]
        targets = hd[at.TARGET]
        for e in range(n):
            x = rows[e * (I + 2 * K) : e * (I + 2 * K) + I]
            y = rows[e * (I + 2 * K) + I : e * (I + 2 * K) + I + K]
            o = rows[e * (I + 2 * K) + I + K : (e + 1) * (I + 2 * K)]
            stage(cell, hidden, hd, f, d, x)
            slot = hd[at.FILL]
            if mode & PREDICT:
                for k in range(K):
                    o[k] = unscale_output(hd, d, k, float(f[hd[at.OUT] + slot * K + k]))
                if mode & LINK:
                    link(hd, d, o)
            if mode & LEARN:
                commit(hd, f, d)
                for k in range(K):
                    d[targets + k] = scale_target(hd, d, k, y[k])
                teach(hd, f, d, slot, d[targets : targets + K])
                if hd[at.FRESH] >= hd[at.STRIDE]:
                    update(cell, hidden, hd, f, d)

    return entry(run)
