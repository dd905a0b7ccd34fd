"""What an event of a key weighs in what all keys share: the more, the better its key is understood.

Least squares weigh an event by one over the variance of its noise. With m the mean loss of a key of late, M that of all events, and l the loss of the event::

    weight = min(1, TRUSTED M / max(m, EVENT_SHARE l))

So a key of garbage teaches the others next to nothing, whatever its values are; among keys that are alike hardly any weight is below 1. Its own statistics, and the weights
of its mixture, follow as ever. For losses of standardised numbers: others may be negative, or are largest where there is most to learn.
"""

from __future__ import annotations

from typing import Final

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.losses.joint import CROSS_ENTROPY, GAUSSIAN

TRUSTED: Final = 2.0  # with 4 a key of noise costs the others 2 %, with 1.5 keys that differ learn late
EVENT_SHARE: Final = 0.25
KEY_PACE, SHARED_PACE = 0.02, 0.001  # of m and M
MOST_OF_SHARED: Final = 2.0  # times M that an m counts in it


@kernel
def trust(hd, d, loss):
    """Return what an event of the bound key weighs, given its loss; take the loss into the means."""
    if hd[at.KEYED] == 0 or hd[at.NORMALIZE_Y] == 0 or hd[at.LOSS] == GAUSSIAN or hd[at.LOSS] == CROSS_ENTROPY:
        return 1.0
    own, shared, n = hd[at.AREA_HEAD] + at.A_LOSS, hd[at.LOSS_SUM] + 1, hd[hd[at.AREA_HEAD] + at.A_EVENTS]
    d[own] += max(KEY_PACE, 1.0 / max(n, 1)) * (loss - d[own])
    all_keys = d[shared]
    counted = min(d[own], MOST_OF_SHARED * all_keys) if all_keys > 0.0 else d[own]
    d[shared] += max(SHARED_PACE, 1.0 / max(hd[at.LEARNED], 1)) * (counted - all_keys)
    most = max(d[own], EVENT_SHARE * loss)
    if n >= hd[at.EVENTS] or not most > 0.0:  # the only key so far
        return 1.0
    return min(TRUSTED * d[shared] / most, 1.0)
