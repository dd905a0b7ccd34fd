"""The season of a stream of numbers, and what it says of the next one: two regressors of the linear expert, in standard deviations.

The season m is the lag whose changes are least (:mod:`streamrnn.kernels.season_curve`). With y' the last known value, its event r, and n the next event,
means over the last seasons that are kept::

    mean of y[n - k m] - y[r - k m],   mean of y[n - k m] - y',   k = 1 ... MOST_SEASONS

Without a season both are 0. The newest value of each event lies in a ring, NaN where none was known.
"""

from __future__ import annotations

from typing import Final

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.areas import learns_statistics
from streamrnn.kernels.net.scaler import spread, usable
from streamrnn.kernels.season_curve import season_after, take_newest

MOST_SEASONS: Final = 4
SHORTEST: Final = 3
TARGET_SEARCH_EVERY: Final = 60  # events between two searches
TARGET_SEARCH_EARLY, TARGET_SEARCH_BEGINNING = 8, 512  # how many at first, and until when
CURVE_EVERY: Final = 5  # from then on the curve learns from every fifth: no day or week is a multiple of it
CURVE_PLACE: Final = 1  # places in a stream's memory: behind the season the curve, the usual changes, and the values
USUAL_PLACE: Final = CURVE_PLACE + at.TARGET_SEASON + 1
VALUES_PLACE: Final = USUAL_PLACE + at.TARGET_SEASON + 1
SEASON_WORDS: Final = VALUES_PLACE + at.TARGET_RING


@kernel
def _in_use(hd, d):
    """Return the season; 0 where there is none."""
    m = d[hd[at.SEASON_PLACE]]
    return int(m) if m >= SHORTEST and m <= at.TARGET_SEASON else 0


@kernel
def tell_season(hd, d):
    """Write what the season says of the next event of the bound area behind what else is told."""
    told, head = hd[at.TOLD] + hd[at.TARGET_INPUTS] + hd[at.LASTS], hd[at.AREA_HEAD]
    d[told], d[told + 1] = 0.0, 0.0
    m, last, newest = _in_use(hd, d), hd[head + at.A_KNOWN] - 1, hd[head + at.A_EVENTS] - 1
    values = d[hd[at.SEASON_PLACE] + VALUES_PLACE : hd[at.SEASON_PLACE] + SEASON_WORDS]
    if m == 0 or last < 0:
        return
    moved, level, count = 0.0, 0.0, 0
    for k in range(1, MOST_SEASONS + 1):
        there, then = hd[head + at.A_AHEAD] - k * m, last - k * m
        if then < 0 or then <= newest - at.TARGET_RING:
            break
        if there <= newest:
            u, v = values[there % at.TARGET_RING], values[then % at.TARGET_RING]
            if usable(u) and usable(v):
                moved, level, count = moved + u - v, level + u, count + 1
    if count > 0:
        scaled, most = hd[at.NORMALIZE_X] != 0 or hd[at.NORMALIZE_Y] != 0, d[hd[at.HYPER] + at.Y_CLIP]
        sd = spread(d[hd[at.Y_MEAN]], d[hd[at.Y_VAR]]) if scaled else 1.0
        d[told] = min(max(moved / count / sd, -most), most)
        d[told + 1] = min(max((level / count - d[hd[at.LAST_TARGETS]]) / sd, -most), most)


@kernel
def keep_season(hd, d, y):
    """Take y, the target of the event that has just been counted (NaN: not known), into the ring and the curve; look for the season now and then."""
    s, t = hd[at.SEASON_PLACE], hd[hd[at.AREA_HEAD] + at.A_EVENTS] - 1
    values = d[s + VALUES_PLACE : s + SEASON_WORDS]
    values[t % at.TARGET_RING] = y
    if not (usable(y) and learns_statistics(hd)) or (t > TARGET_SEARCH_BEGINNING and t % CURVE_EVERY != 0):
        return
    curve, usual = d[s + CURVE_PLACE : s + USUAL_PLACE], d[s + USUAL_PLACE : s + VALUES_PLACE]
    take_newest(curve, usual, values, t)
    seen = min(2 * (t + 1) // 3, at.TARGET_SEASON)
    if seen >= SHORTEST and t % (TARGET_SEARCH_EARLY if t < TARGET_SEARCH_BEGINNING else TARGET_SEARCH_EVERY) == 0:
        sums = d[hd[at.SEASON_SUMS] : hd[at.SEASON_SUMS] + at.TARGET_SEASON + 1]
        d[s] = season_after(curve, sums, seen, t + 1, SHORTEST, _in_use(hd, d))
