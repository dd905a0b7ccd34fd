"""The entry for anomaly detection without labels: the next event is the target.

One row an event, float64: ``time, if it counts | x (F) | score | expected (F) | area, if the net is keyed``. The net
sees the gap since the event before, every feature and its change since the last event (2 F inputs), and states each feature's next change (F outputs), in units of the changes' running spread:
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
from streamrnn.kernels.events import (
    absorb_inputs,
    choose_area,
    commit,
    learn_slot,
    scale_target,
    stage,
    unscale_output,
    views,
)
from streamrnn.kernels.layout import LANES
from streamrnn.kernels.net import update
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
            expected[i] = d[hd[at.LAST] + hd[at.TIMED] + 2 * i] + change


@kernel
def _score(hd, d, F, x, expected):
    """Return the evidence in [0, 1] that x does not belong here."""
    worst = 0.0
    for i in range(F):
        j = hd[at.TIMED] + 2 * i
        block = hd[at.X_STATS] + j // LANES * 3 * LANES + j % LANES
        if usable(x[i]) and usable(expected[i]) and d[block + 2 * LANES] >= SPARE:
            r = abs(x[i] - expected[i]) / spread(d[block], d[block + LANES])
            worst = max(worst, min(r, 1e8))
    return worst * worst / (1.0 + worst * worst)


@functools.cache
def detector(cell: str, hidden: int) -> Any:
    """Return ``run(slab, rows, n, mode)`` for one cell and one hidden size."""
    stamp = sources_digest(CELLS[cell])

    def run(slab, rows, n, mode):
        stamp  # noqa: B018  part of the cache's key
        hd, f, d = views(slab)
        F, T = hd[at.OUTPUTS], hd[at.TIMED]
        width = T + 2 * F + 1 + hd[at.KEYED]
        targets, net_row = hd[at.TARGET], d[hd[at.NET_ROW] : hd[at.NET_ROW] + T + 2 * F]
        last = hd[at.LAST]
        for e in range(n):
            row = rows[e * width : (e + 1) * width]
            x, expected = row[T : T + F], row[T + F + 1 : T + 2 * F + 1]
            if hd[at.KEYED] != 0:
                choose_area(hd, d, row[width - 1])
                last = hd[at.LAST]
            if T > 0:
                net_row[0] = row[0]
            if mode & SCORE:
                _expect(hd, f, d, F, expected)
                row[T + F] = _score(hd, d, F, x, expected)
            if mode & LEARN:
                # the last event learns what followed it
                for i in range(F):
                    change = x[i] - d[last + T + 2 * i] if usable(x[i]) else np.nan
                    net_row[T + 2 * i] = x[i]
                    net_row[T + 2 * i + 1] = change
                    d[targets + i] = scale_target(hd, d, i, change)
                if hd[at.FILL] > 0:
                    learn_slot(hd, f, d, hd[at.FILL] - 1, d[targets : targets + F])
                    if hd[at.FRESH] >= hd[at.STRIDE]:
                        update(cell, hidden, hd, f, d)
                stage(cell, hidden, hd, f, d, net_row)
                absorb_inputs(hd, d)
                commit(hd)
                for i in range(F):
                    if usable(x[i]):
                        d[last + T + 2 * i] = x[i]

    return entry(run)
