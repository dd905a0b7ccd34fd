"""Targets: scaled as they run, taught to a slot of the window, and outputs taken back to the targets' own units."""

from __future__ import annotations

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.areas import learns_statistics
from streamrnn.kernels.net.losses.joint import GAUSSIAN
from streamrnn.kernels.net.losses.table import output_gradient
from streamrnn.kernels.net.scaler import absorb, is_usual, spread, usable


@kernel
def learn_slot(hd, f, d, slot, targets):
    """Set the errors of a slot from its targets (K, standardised; NaN: not known), and add the loss to the learning curve.

    Returns how many targets are known, and their mean loss.
    """
    K = hd[at.OUTPUTS]
    out = f[hd[at.OUT] + slot * K : hd[at.OUT] + (slot + 1) * K]
    grad = f[hd[at.D_OUT] + slot * K : hd[at.D_OUT] + (slot + 1) * K]
    known, loss = output_gradient(hd[at.LOSS], targets, out, grad, d[hd[at.HYPER] : hd[at.HYPER] + at.N_HYPER])
    f[hd[at.KNOWN] + slot] = known
    if known > 0:
        if known > 1:
            loss /= known
        learned = hd[at.LEARNED] + 1
        hd[at.LEARNED] = learned
        if learned >> (hd[at.DOUBLING] + 1) > 0:
            hd[at.DOUBLING] += 1
        d[hd[at.LOSS_SUM]] += loss
        d[hd[at.CURVE] + hd[at.DOUBLING]] += loss
    return known, loss


@kernel
def scale_target(hd, d, k, y):
    """Take target y of output k into its statistics and return it standardised and clipped; NaN stays NaN."""
    if not usable(y):
        return np.nan
    if hd[at.NORMALIZE_Y] == 0:
        return y
    mean, var, n = d[hd[at.Y_MEAN] + k], d[hd[at.Y_VAR] + k], d[hd[at.Y_COUNT] + k]
    if learns_statistics(hd):
        alpha = d[hd[at.HYPER] + at.ALPHA]
        mean, var, n = absorb(y, mean, var, n, alpha, is_usual(y, mean, var, n, alpha))
        d[hd[at.Y_MEAN] + k] = mean
        d[hd[at.Y_VAR] + k] = var
        d[hd[at.Y_COUNT] + k] = n
    most = d[hd[at.HYPER] + at.Y_CLIP]
    return min(max((y - mean) / spread(mean, var), -most), most)


@kernel
def unscale_output(hd, d, k, o):
    """Return output k in the target's own units (a log-variance stays one)."""
    if hd[at.NORMALIZE_Y] == 0 or (hd[at.LOSS] == GAUSSIAN and k >= hd[at.OUTPUTS] // 2):
        return o
    return d[hd[at.Y_MEAN] + k] + o * spread(d[hd[at.Y_MEAN] + k], d[hd[at.Y_VAR] + k])
