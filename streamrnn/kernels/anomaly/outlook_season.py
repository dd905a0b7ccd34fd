"""The season of one feature, found as the stream runs: the lag whose changes are least, as in :mod:`streamrnn.kernels.forecast.season`.

An outlook of the full form takes the change that is usual over a lag out of its curve; a light one keeps the mean change alone, in float32.
"""

from __future__ import annotations

import numpy as np

from streamrnn.kernels.anomaly import outlook as at
from streamrnn.kernels.compile import apart, kernel
from streamrnn.kernels.net.words import LIGHT_LAGS, LIGHT_RING, SEASON_LAGS
from streamrnn.kernels.reinterpret import reinterpret
from streamrnn.kernels.season_curve import REMEMBERED, season_after, take_newest


@kernel
def _observe_full(o, t):
    """Take the newest value, of event t, into the curve of seasonal errors."""
    curve, usual = (
        o[at.SEASON_CURVE : at.SEASON_CURVE + SEASON_LAGS + 1],
        o[at.SEASON_CURVE + SEASON_LAGS + 1 : at.RING],
    )
    take_newest(curve, usual, o[at.RING : at.SEASON_SHAPE], t)


@apart
def _take_changes(curve, ring, first, t, y, newest):
    """Take y against a stretch of a ring into the curve: lag m of ``first`` and on is ring[newest - m]."""
    for i in range(curve.size):
        share = np.float32(1.0) / np.float32(t - first - i + 1)
        share = share if share > np.float32(1.0 / REMEMBERED) else np.float32(1.0 / REMEMBERED)
        curve[i] += share * (abs(y - ring[newest - first - i]) - curve[i])


@kernel
def _observe_light(o, t):
    """Do the same in a light outlook, whose curve is that of the changes themselves: no trend is taken out of it."""
    f = reinterpret(o, np.float32)
    ring, newest = f[at.LIGHT_VALUES : at.LIGHT_CURVE], t % LIGHT_RING
    curve, y = f[at.LIGHT_CURVE : at.LIGHT_SHAPE], ring[newest]
    lags = min(t, LIGHT_LAGS)
    first, last, place = 1, min(newest, lags), newest
    for _ in range(2):  # the lags before the ring's end, then those behind
        _take_changes(curve[first : last + 1], ring, first, t, y, place)
        first, last, place = last + 1, lags, newest + LIGHT_RING


@kernel
def season(o, t, sums):
    """Return the season to use from event t on; 0 for none. sums (OUTLOOK_SCRATCH): scratch."""
    most = at.season_lags(o)
    seen = min(2 * (t + 1) // 3, most)
    if seen < 3:
        return 0
    curve = o[at.SEASON_CURVE : at.SEASON_CURVE + most + 1]
    if not at.is_full(o):
        curve, light = sums[most + 1 : 2 * most + 2], reinterpret(o, np.float32)[at.LIGHT_CURVE : at.LIGHT_SHAPE]
        for m in range(most + 1):
            curve[m] = light[m]
    return season_after(curve, sums, seen, t + 1, 3, int(o[at.SEASON]))


@kernel
def observe(o, t):
    """Take the newest value, of event t, into the curve, where there is one."""
    if at.is_full(o):
        _observe_full(o, t)
    elif at.season_lags(o) > 0:
        _observe_light(o, t)
