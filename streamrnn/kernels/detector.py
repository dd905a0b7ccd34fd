"""The entry for anomaly detection without labels: the next event is the target.

One row an event, float64: ``x (F) | score | expected (F)``. The net sees every feature and its change since the last
event (2 F inputs) and states each feature's next change (F outputs), in units of the changes' running spread:
persistence is what it knows before it has learned anything.

**Score.** With r the largest distance between a value and its expectation, in units of the running standard deviation
of the values themselves, the score is r^2 / (1 + r^2): 0.5 for a surprise as large as the stream's own spread.
"""

from __future__ import annotations

import functools
from typing import Any, Final

import numpy as np

from streamrnn.kernels import layout as at
from streamrnn.kernels.cells import CELLS
from streamrnn.kernels.compile import entry, kernel, sources_digest
from streamrnn.kernels.events import commit, scale_target, stage, unscale_output, views
from streamrnn.kernels.layout import LANES
from streamrnn.kernels.net import teach, update
from streamrnn.kernels.scaler import spread, usable

SCORE: Final = 1
LEARN: Final = 2
SPARE: Final = 3.0  # values of a feature before a distance to its expectation means anything


@kernel
def _expect(hd, f, d, F, expected):
    """Write what the net expects of the next event; NaN for a feature that has not been seen."""
    slot = hd[at.FILL] - 1
    for i in range(F):
        expected[i] = np.nan
        if slot >= 0:
            change = unscale_output(hd, d, i, float(f[hd[at.OUT] + slot * F + i]))
            expected[i] = d[hd[at.LAST] + 2 * i] + change


@kernel
def _score(hd, d, F, x, expected):
    """Return the evidence in [0, 1] that x does not belong here."""
    worst = 0.0
    for i in range(F):
        block = hd[at.X_STATS] + 2 * i // LANES * 3 * LANES + 2 * i % LANES
        if usable(x[i]) and usable(expected[i]) and d[block + 2 * LANES] >= SPARE:
            r = abs(x[i] - expected[i]) / spread(d[block], d[block + LANES])
            worst = max(worst, min(r, 1e8))
    return worst * worst / (1.0 + worst * worst)


@functools.cache
def detector(cell: str, hidden: int) -> Any:
    """Return ``run(slab, rows, n, mode)`` for one cell and one hidden size."""
    stamp = sources_digest(CELLS[cell].forward)

    def run(slab, rows, n, mode):
        stamp  # noqa: B018  part of the cache's key
        hd, f, d = views(slab)
        F = hd[at.OUTPUTS]
        targets, net_row = hd[at.TARGET], d[hd[at.NET_ROW] : hd[at.NET_ROW] + 2 * F]
        for e in range(n):
            row = rows[e * (2 * F + 1) : (e + 1) * (2 * F + 1)]
            x, expected = row[:F], row[F + 1 :]
            if mode & SCORE:
                _expect(hd, f, d, F, expected)
                row[F] = _score(hd, d, F, x, expected)
            if mode & LEARN:
                # the last event learns what followed it
                for i in range(F):
                    change = x[i] - d[hd[at.LAST] + 2 * i] if usable(x[i]) else np.nan
                    net_row[2 * i] = x[i]
                    net_row[2 * i + 1] = change
                    d[targets + i] = scale_target(hd, d, i, change)
                if hd[at.EVENTS] > 0:
                    teach(hd, f, d, hd[at.FILL] - 1, d[targets : targets + F])
                    if hd[at.FRESH] >= hd[at.STRIDE]:
                        update(cell, hidden, hd, f, d)
                stage(cell, hidden, hd, f, d, net_row)
                commit(hd, f, d)
                for i in range(F):
                    if usable(x[i]):
                        d[hd[at.LAST] + 2 * i] = x[i]

    return entry(run)
