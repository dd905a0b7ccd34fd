"""What a net is told of the targets before: the last known ones of the same stream, and how long ago the newest of them came.

The inputs behind the features are: 1 - s | s times the last targets, for s = 1 / sqrt(age). The age is 1 where the target of the event before is known: then
the first input is 0 and the others are the targets. Where labels are rare what is told fades between them, or it would drown what the net must keep
(with log(age), and without fading, a lag of 100 events was not found by one of two seeds). Before any target is known all inputs are 0.
Numbers are standardised as targets are; of classes (the loss is cross entropy) the last one counts 1 and all others 0; beyond ``MOST_TOLD`` classes
several share an input.

Where predictions run ahead of labels, events are counted twice: as they are predicted (``A_AHEAD``), by which the age goes, and as the state that
learns follows (``A_EVENTS``), by which a label has its place.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.areas import learns_statistics
from streamrnn.kernels.net.front.season import keep_season, tell_season
from streamrnn.kernels.net.losses.joint import CROSS_ENTROPY
from streamrnn.kernels.net.scaler import absorb, is_usual, spread, usable

MOST_TOLD: Final = 64  # classes with an input of their own: a thousand would make the head a thousand by a thousand


@kernel
def tell_targets(hd, d):
    """Write what is known of the targets before the next event of the bound area into ``TOLD``: the inputs (A), and the values as they came."""
    A, told, last, head = hd[at.TARGET_INPUTS], hd[at.TOLD], hd[at.LAST_TARGETS], hd[at.AREA_HEAD]
    for i in range(A):
        d[told + i] = 0.0
    for k in range(hd[at.LASTS]):
        d[told + A + k] = d[last + k]
    if hd[at.SEASONS] > 0:
        tell_season(hd, d)
    if A == 0 or hd[head + at.A_KNOWN] == 0:
        return
    s = 1.0 / np.sqrt(float(hd[head + at.A_AHEAD] + 1 - hd[head + at.A_KNOWN]))
    d[told] = 1.0 - s
    if hd[at.LOSS] == CROSS_ENTROPY:
        d[told + 1 + int(d[last]) % (A - 1)] = s
        return
    most = d[hd[at.HYPER] + at.Y_CLIP]
    for k in range(A - 1):
        y = d[last + k]
        if usable(y):
            mean, var = d[hd[at.Y_MEAN] + k], d[hd[at.Y_VAR] + k]
            scaled = hd[at.NORMALIZE_X] != 0 or hd[at.NORMALIZE_Y] != 0
            d[told + 1 + k] = s * (min(max((y - mean) / spread(mean, var), -most), most) if scaled else y)


@kernel
def age_of(hd, d):
    """Return the age that was told of the newest target, in events; 1 where none was known."""
    s = 1.0 - d[hd[at.TOLD]] if hd[at.TARGET_INPUTS] > 0 else 1.0
    return 1.0 / (s * s)


@kernel
def overlap(hd, d):
    """Return how many labels were still to come when the event was predicted: their errors say the same thing that many times."""
    if hd[at.TARGET_INPUTS] == 0 or d[hd[at.TOLD]] == 0.0:  # the age is 1: most labels come at once
        return 1.0
    head = hd[at.AREA_HEAD]
    gap = hd[head + at.A_EVENTS] - hd[head + at.A_KNOWN]
    return max(age_of(hd, d) / max(gap, 1), 1.0)


@kernel
def beyond(hd, d, k):
    """Return how far the last number k lies beyond the most that is told of it, in its own units, fading as what is told does; 0 where it does not."""
    A = hd[at.TARGET_INPUTS]
    if k >= min(hd[at.LASTS], A - 1) or (hd[at.NORMALIZE_X] == 0 and hd[at.NORMALIZE_Y] == 0):
        return 0.0
    y, sd, most = d[hd[at.TOLD] + A + k], spread(d[hd[at.Y_MEAN] + k], d[hd[at.Y_VAR] + k]), d[hd[at.HYPER] + at.Y_CLIP]
    if not usable(y):
        return 0.0
    far = y - d[hd[at.Y_MEAN] + k]
    return (1.0 - d[hd[at.TOLD]]) * (far - min(max(far, -most * sd), most * sd))


@kernel
def count_event(hd, ahead, behind):
    """Count an event of the bound area: for the state that runs ahead, and for the one that learns (1 or 0 each)."""
    hd[hd[at.AREA_HEAD] + at.A_AHEAD] += ahead
    hd[hd[at.AREA_HEAD] + at.A_EVENTS] += behind


@kernel
def keep_targets(hd, d, y):
    """Keep what is known of the targets y (K, raw; a class as its index) of the event that has just been counted."""
    last, known = hd[at.LAST_TARGETS], False
    if hd[at.LOSS] == CROSS_ENTROPY:
        for k in range(min(hd[at.LASTS], 1)):
            if y[k] >= 0.0 and y[k] < hd[at.OUTPUTS]:
                d[last + k] = y[k]
                known = True
    else:
        for k in range(hd[at.LASTS]):
            if usable(y[k]):
                d[last + k] = y[k]
                known = True
                if hd[at.NORMALIZE_Y] == 0 and learns_statistics(hd):  # else the loss has taken it in
                    mean, var, n = hd[at.Y_MEAN] + k, hd[at.Y_VAR] + k, hd[at.Y_COUNT] + k
                    alpha = d[hd[at.HYPER] + at.ALPHA]
                    usual = is_usual(y[k], d[mean], d[var], d[n], alpha)
                    d[mean], d[var], d[n] = absorb(y[k], d[mean], d[var], d[n], alpha, usual)
    if hd[at.SEASONS] > 0:
        keep_season(hd, d, y[0])
    if known:
        hd[hd[at.AREA_HEAD] + at.A_KNOWN] = hd[hd[at.AREA_HEAD] + at.A_EVENTS]
