"""The channels' values in rings, jumps told from spikes, and how far each channel moves within 1 ... H steps.

For a missing value stands what the mixture had forecast of it, so that lags and seasons go on; after a long gap what was there a season
before, or the last value. What stands for a value teaches nothing.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.experts.last import JUMP
from streamrnn.kernels.forecast.season import main_season, seasons
from streamrnn.kernels.forecast.verify import SETTLED_ERRORS, STRETCH, mean_square
from streamrnn.kernels.net.scaler import usable

USUAL_ALPHA: Final = (
    0.01  # what is usual is learned in a hundred events: a stream may grow a hundredfold in two hundred
)
USUAL_MOST: Final = (
    4.0  # usual changes: no change counts more, so that spikes at up to a quarter of all events stay spikes
)


MIDDLE: Final = (0.0, 0.5)  # levels of a loss that is the same for a series turned upside down: of a mean, of a median
LEAST_TRUSTED: Final = 48  # missing values in a row for which forecasts stand; or two horizons, or two seasons


@kernel
def _stand_in(hd, d, c, t, old):
    """Return what stands for a missing value."""
    H, Q, m = hd[at.HORIZON], hd[at.RING_SIZE], main_season(hd, d, c)
    said = d[hd[at.PLAIN + at.NEXT_FORECASTS] + c * H]
    if d[hd[at.IMPUTED] + c] <= max(LEAST_TRUSTED, 2 * H, 2 * m) and usable(said):
        return said
    before = d[hd[at.VALUE_RING] + c * Q + (t - m) % Q] if m > 0 else np.nan
    return before if usable(before) else old


@kernel
def _remember(hd, d, c, t, y, learns):
    """Put y into the rings. A jump that was taken back by the next value leaves no trace among the values."""
    H, Q = hd[at.HORIZON], hd[at.RING_SIZE]
    ring, slot, before = hd[at.VALUE_RING] + c * Q, t % (H + 1), (t - 1) % (H + 1)
    raw, base, context = hd[at.RAW_VALUES] + c * (H + 1), hd[at.BASE] + c * (H + 1), hd[at.CONTEXT] + c * (H + 1)
    old = d[ring + (t - 1) % Q] if t > 0 else np.nan
    known = usable(y)
    d[hd[at.IMPUTED] + c] = 0.0 if known else d[hd[at.IMPUTED] + c] + 1.0
    value = y if known else _stand_in(hd, d, c, t, old)
    d[raw + slot] = y if known else np.nan
    d[base + slot] = value
    d[context + slot] = 0.0
    d[ring + t % Q] = value
    change = y - old if known and usable(old) else 0.0
    usual = d[hd[at.USUAL_CHANGE] + c]
    n = d[hd[at.CHANGE_COUNT] + c * H]
    settled = n > SETTLED_ERRORS and usual > 0.0
    if known and usable(old) and learns:
        size = min(abs(change), USUAL_MOST * usual) if settled else abs(change)
        d[hd[at.USUAL_CHANGE] + c] += max(USUAL_ALPHA, 1.0 / (n + 1.0)) * (size - usual)
    if known and not usable(d[hd[at.FIRST_VALUE] + c]):
        d[hd[at.FIRST_VALUE] + c] = y
    if known and not usable(d[hd[at.ANCHOR] + c]):
        d[hd[at.ANCHOR] + c] = y
    if known and not (y >= 0.0 and y == np.floor(y)):
        d[hd[at.NO_COUNT] + c] = 1.0
    if d[hd[at.SIGN] + c] == 0.0 and change != 0.0:
        d[hd[at.SIGN] + c] = 1.0 if change > 0.0 or d[at.LOSS_LEVEL] not in MIDDLE else -1.0
    if known and settled and abs(change) > JUMP * usual:
        older = d[ring + (t - 2) % Q] if t > 1 else np.nan
        if t > 1 and d[context + before] == 1.0 and abs(y - older) <= JUMP * usual:
            d[ring + (t - 1) % Q] = older
        else:
            d[context + slot] = 1.0
    seasons(hd, d, c, t, known and learns)


@kernel
def remember(hd, d, row, t, learns):
    """Put every channel's y into the rings, and learn how far it moves within 1 ... H steps."""
    C, H, T = hd[at.CHANNELS], hd[at.HORIZON], hd[at.HAS_TIME]
    n = C * H
    moved, on = (
        d[hd[at.SCRATCH_LANES] : hd[at.SCRATCH_LANES] + n],
        d[hd[at.SCRATCH_LANES] + n : hd[at.SCRATCH_LANES] + 2 * n],
    )
    longest = min(H, t)
    for c in range(C):
        y = row[T + c]
        _remember(hd, d, c, t, y, learns)
        known = learns and usable(y)
        origin = t % (H + 1)
        for h in range(H):
            origin = origin - 1 if origin > 0 else H
            then = d[hd[at.BASE] + c * (H + 1) + origin]
            good = known and h < longest and usable(then)
            moved[c * H + h] = y - then if good else 0.0
            on[c * H + h] = 1.0 if good else 0.0
    if not learns:
        return
    change, changes = d[hd[at.MEAN_CHANGE] : hd[at.MEAN_CHANGE] + n], d[hd[at.CHANGE_COUNT] : hd[at.CHANGE_COUNT] + n]
    peaks = hd[at.CHANGE_PEAKS]
    stretch = d[hd[at.SCRATCH_LANES] + 2 * n : hd[at.SCRATCH_LANES] + 3 * n]
    for i in range(n):
        stretch[i] = STRETCH
    mean_square(change, changes, d[peaks : peaks + n], d[peaks + n : peaks + 2 * n], moved, on, stretch)
    for c in range(C):
        if usable(row[T + c]):
            for h in range(max(longest, 1), H):  # not seen yet: as a walk at random would have it
                if changes[c * H + h] == 0.0:
                    change[c * H + h] = change[c * H] * (h + 1.0)
