"""What every task does with an event's features: scale them, stage the step, commit it."""

from __future__ import annotations

import numpy as np

from streamrnn.kernels import layout as at
from streamrnn.kernels.compile import kernel
from streamrnn.kernels.layout import LANES
from streamrnn.kernels.losses import CROSS_ENTROPY, GAUSSIAN, LOG, MOST, POISSON
from streamrnn.kernels.net import forward
from streamrnn.kernels.scaler import absorb, spread, usable


@kernel
def views(slab):
    """Return the slab as int64 (the header comes first), float32 and float64."""
    return slab.view(np.int64), slab.view(np.float32), slab.view(np.float64)


@kernel
def scale_inputs(hd, f, d):
    """Standardise the staged x (I) into layer 0's slot ``fill``; the statistics that include x are staged too.

    A value that is missing (NaN), infinite or beyond 1e150 counts as the running mean: 0.
    """
    I = hd[at.INPUTS]
    nx = hd[at.LAYER_0 + at.NX]
    xs = hd[at.LAYER_0 + at.XS] + hd[at.FILL] * nx
    alpha, most = d[hd[at.HYPER] + at.ALPHA], d[hd[at.HYPER] + at.X_CLIP]
    least = -most
    scaled = hd[at.NORMALIZE_X] != 0
    for b in range((I + LANES - 1) // LANES):
        old = d[hd[at.X_STATS] + 3 * LANES * b : hd[at.X_STATS] + 3 * LANES * (b + 1)]
        new = d[hd[at.STAGE] + 3 * LANES * b : hd[at.STAGE] + 3 * LANES * (b + 1)]
        x = d[hd[at.X_RAW] + LANES * b : hd[at.X_RAW] + LANES * (b + 1)]
        z = d[hd[at.SCALED] + LANES * b : hd[at.SCALED] + LANES * (b + 1)]
        for i in range(LANES):
            v = x[i]
            good = usable(v)
            mean, var, n = absorb(v, old[i], old[LANES + i], old[2 * LANES + i], alpha)
            s = (v - mean) / spread(mean, var) if scaled else v
            s = s if s < most else most
            s = s if s > least else least
            z[i] = s if good else 0.0
            new[i] = mean if good else old[i]
            new[LANES + i] = var if good else old[LANES + i]
            new[2 * LANES + i] = n if good else old[2 * LANES + i]
    f[xs] = 1.0
    z = d[hd[at.SCALED] : hd[at.SCALED] + I]
    slot = f[xs + 1 : xs + nx]
    for i in range(I):
        slot[i] = z[i]
    for i in range(I, nx - 1):
        slot[i] = 0.0


@kernel
def stage(cell, hidden, hd, f, d, x):
    """Make sure that the step for x (I) lies ready in slot ``fill``. Changes no state: scratch alone.

    The step of the last call is used again when x has the very same bits.
    """
    I = hd[at.INPUTS]
    kept = hd[hd[at.X_RAW] : hd[at.X_RAW] + I]
    now = x.view(np.int64)
    same = hd[hd[at.STAGED]] != 0
    for i in range(I):
        same = same & (kept[i] == now[i])
    if not same:
        for i in range(I):
            kept[i] = now[i]
        for i in range(I, (I + LANES - 1) // LANES * LANES):
            d[hd[at.X_RAW] + i] = np.nan
        scale_inputs(hd, f, d)
        forward(cell, hidden, hd, f)
        hd[hd[at.STAGED]] = 1


@kernel
def commit(hd, f, d):
    """Make the staged step part of the state: the hidden state advances, the statistics take x in."""
    n = 3 * ((hd[at.INPUTS] + LANES - 1) // LANES * LANES)
    if hd[at.FROZEN] == 0:
        old = d[hd[at.X_STATS] : hd[at.X_STATS] + n]
        new = d[hd[at.STAGE] : hd[at.STAGE] + n]
        for i in range(n):
            old[i] = new[i]
    hd[at.FILL] += 1
    hd[at.FRESH] += 1
    hd[at.EVENTS] += 1
    hd[hd[at.STAGED]] = 0


@kernel
def scale_target(hd, d, k, y):
    """Take target y of output k into its statistics and return it standardised and clipped; NaN stays NaN."""
    if not usable(y):
        return np.nan
    if hd[at.NORMALIZE_Y] == 0:
        return y
    mean, var, n = d[hd[at.Y_MEAN] + k], d[hd[at.Y_VAR] + k], d[hd[at.Y_COUNT] + k]
    if hd[at.FROZEN] == 0:
        mean, var, n = absorb(y, mean, var, n, d[hd[at.HYPER] + at.ALPHA])
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


@kernel
def link(hd, d, o):
    """Turn outputs o (K) into the target's own terms, where the loss has a link: softmax, logistic, exp.

    ``gaussian``: the second half, log-variances, become standard deviations in the target's units.
    """
    loss, K = hd[at.LOSS], o.size
    if loss == CROSS_ENTROPY and K > 0:
        top = o[0]
        for k in range(1, K):
            top = max(top, o[k])
        total = 0.0
        for k in range(K):
            o[k] = np.exp(o[k] - top)
            total += o[k]
        for k in range(K):
            o[k] /= total
    elif loss == LOG:
        for k in range(K):
            o[k] = 1.0 / (1.0 + np.exp(-o[k]))
    elif loss == POISSON:
        for k in range(K):
            o[k] = np.exp(min(o[k], MOST))
    elif loss == GAUSSIAN:
        half = K // 2
        for k in range(half):
            scale = spread(d[hd[at.Y_MEAN] + k], d[hd[at.Y_VAR] + k]) if hd[at.NORMALIZE_Y] != 0 else 1.0
            o[half + k] = scale * np.exp(0.5 * min(max(o[half + k], -MOST), MOST))
