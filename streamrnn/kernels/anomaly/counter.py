"""Counters: features that only grow, of which the detector watches how fast.

What it compares and learns is the increase since the reading before, for each second where the events have a time, else for each event::

    rate = (v - v_before) / span        after a reset, where v < v_before:  rate = v / span

A missing reading is bridged: the next rate is the mean since the last one. A first reading has none, nor has one at the very time of the last, or before it.
"""

from __future__ import annotations

import numpy as np

from streamrnn.kernels.anomaly import outlook as at
from streamrnn.kernels.compile import kernel


@kernel
def rate_of(o, v, timed, t):
    """Return how fast a counter with reading v has grown, NaN where nobody knows. ``o``: the outlook; ``timed``: whether t is a time, in seconds."""
    if not (abs(v) < np.inf and o[at.READ_AGO] > 0.0):
        return np.nan
    span = t - o[at.READ_AT] if timed else o[at.READ_AGO]
    if not 0.0 < span < np.inf:
        return np.nan
    return (v - o[at.READING] if v >= o[at.READING] else v) / span


@kernel
def follow_reading(o, v, timed, t):
    """Take a reading."""
    if (
        abs(v) < np.inf
        and (not timed or abs(t) < np.inf)
        and not (o[at.READ_AGO] > 0.0 and timed and t == o[at.READ_AT])
    ):
        o[at.READING], o[at.READ_AT], o[at.READ_AGO] = v, t if timed else 0.0, 1.0
    elif o[at.READ_AGO] > 0.0:
        o[at.READ_AGO] += 1.0
