"""Where the next event is the target: the newest event waits in the window, without a target."""

from __future__ import annotations

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.scaler import usable
from streamrnn.kernels.net.targets import learn_slot, scale_target


@kernel
def learn_changes(hd, f, d, x):
    """Learn, for the newest event if there is one, how each feature has changed with x (I), and keep x."""
    T = hd[at.TIMED]
    targets, last = hd[at.TARGET], hd[at.LAST]
    for k in range(hd[at.OUTPUTS]):
        now = x[T + k]
        d[targets + k] = scale_target(hd, d, k, now - d[last + T + k] if usable(now) else np.nan)
        if usable(now):
            d[last + T + k] = now
    if hd[at.FILL] > 0:
        learn_slot(hd, f, d, hd[at.FILL] - 1, d[targets : targets + hd[at.OUTPUTS]])


@kernel
def learn_nothing(hd, f, slot):
    """Note that a slot has no target yet."""
    K = hd[at.OUTPUTS]
    for k in range(K):
        f[hd[at.D_OUT] + slot * K + k] = 0.0
    f[hd[at.KNOWN] + slot] = 0.0


@kernel
def hold_newest(hd):
    """Take the newest event, whose target is not known yet, out of the window; the window ends before it."""
    hd[at.FILL] -= 1
    hd[at.FRESH] -= 1
    hd[at.WINDOW] -= 1


@kernel
def put_newest(hd, f, size, newest):
    """Put the event of slot ``newest`` back, behind the slots that an update has left: records of ``size``."""
    slot, K = hd[at.FILL], hd[at.OUTPUTS]
    if slot < newest:
        for layer in range(hd[at.LAYERS]):
            b = at.LAYER_0 + layer * at.LAYER_WORDS
            rec, xs, nx = hd[b + at.REC] + size, hd[b + at.XS], hd[b + at.NX]
            for i in range(size):
                f[rec + slot * size + i] = f[rec + newest * size + i]
            for i in range(nx):
                f[xs + slot * nx + i] = f[xs + newest * nx + i]
        for k in range(K):
            f[hd[at.OUT] + slot * K + k] = f[hd[at.OUT] + newest * K + k]
        learn_nothing(hd, f, slot)
    hd[at.FILL] = slot + 1
    hd[at.FRESH] = 1
    hd[at.WINDOW] += 1
