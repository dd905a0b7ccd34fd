"""What every task does with an event's features: scale them, stage the step, commit it."""

from __future__ import annotations

import numpy as np

from streamrnn.kernels import layout as at
from streamrnn.kernels.compile import kernel, reinterpret
from streamrnn.kernels.layout import LANES
from streamrnn.kernels.losses import CROSS_ENTROPY, GAUSSIAN, LOG, MOST, POISSON
from streamrnn.kernels.net import forward, teach
from streamrnn.kernels.scaler import absorb, spread, usable


@kernel
def views(slab):
    """Return the slab as int64 (the header comes first), float32 and float64."""
    return reinterpret(slab, np.int64), reinterpret(slab, np.float32), reinterpret(slab, np.float64)


@kernel
def bind(hd, area):
    """Make another area the one that all offsets mean. Nothing is copied but the counters."""
    if area == hd[at.AREA]:
        return
    head = hd[at.AREA_HEAD]
    hd[head + at.A_FILL], hd[head + at.A_FRESH] = hd[at.FILL], hd[at.FRESH]
    by = (area - hd[at.AREA]) * hd[at.AREA_BYTES]
    hd[at.AREA_HEAD] += by // 8
    hd[at.LAST] += by // 8
    for word in (at.OUT, at.D_OUT, at.KNOWN, at.LIVE_OUT):
        hd[word] += by // 4
    if hd[at.MEMORY] > 0:
        hd[at.ALARM] += by // 8
        hd[at.WATCH] += by // 8
        hd[at.KEPT] += by // 4
    for layer in range(hd[at.LAYERS]):
        for word in (at.TRACE, at.XS, at.REC, at.LIVE_XS, at.LIVE_REC):
            hd[at.LAYER_0 + layer * at.LAYER_WORDS + word] += by // 4
    head = hd[at.AREA_HEAD]
    hd[at.FILL], hd[at.FRESH] = hd[head + at.A_FILL], hd[head + at.A_FRESH]
    hd[at.AREA] = area
    hd[hd[at.STAGED]] = 0
    hd[hd[at.STAGED] + at.JUDGED] = 0


@kernel
def clear(hd, d):
    """Put the bound area back to before its first event."""
    start = hd[at.AREA_HEAD]
    for i in range(hd[at.AREA_BYTES] // 8):
        hd[start + i] = 0
    for i in range(hd[at.INPUTS]):
        d[hd[at.LAST] + i] = np.nan
    d[start + at.A_CLOCK] = np.nan
    hd[at.FILL], hd[at.FRESH] = 0, 0
    hd[hd[at.STAGED]] = 0
    hd[hd[at.STAGED] + at.JUDGED] = 0


@kernel
def choose_area(hd, d, code):
    """Bind the area that a keyed row names: ``area``, or ``-area`` to begin it anew."""
    area = int(abs(code))
    bind(hd, area)
    if code < 0.0:
        clear(hd, d)


@kernel
def swap_live(hd):
    """Exchange the state that learns and the one that runs ahead; twice is nothing."""
    hd[at.OUT], hd[at.LIVE_OUT] = hd[at.LIVE_OUT], hd[at.OUT]
    hd[at.FILL], hd[at.LIVE_FILL] = hd[at.LIVE_FILL], hd[at.FILL]
    for layer in range(hd[at.LAYERS]):
        b = at.LAYER_0 + layer * at.LAYER_WORDS
        hd[b + at.XS], hd[b + at.LIVE_XS] = hd[b + at.LIVE_XS], hd[b + at.XS]
        hd[b + at.REC], hd[b + at.LIVE_REC] = hd[b + at.LIVE_REC], hd[b + at.REC]
    hd[hd[at.STAGED]] = 0


@kernel
def move_on(hd, f, size):
    """Make the step in slot 0 the past of the next one, in every layer: records of ``size``. For the live state."""
    for layer in range(hd[at.LAYERS]):
        rec = hd[at.LAYER_0 + layer * at.LAYER_WORDS + at.REC]
        for i in range(size):
            f[rec + i] = f[rec + size + i]
    hd[hd[at.STAGED]] = 0


@kernel
def _gap_input(hd, d, t):
    """Return log(1 + gap / mean gap) for an event at time t (s); NaN where there is no gap to measure.

    Time that stands still or runs backwards is a gap of 0. The clock is set by every event, so that one wrong
    time spoils two gaps and no more.
    """
    clock, mean = d[hd[at.AREA_HEAD] + at.A_CLOCK], d[hd[at.GAPS]]
    if not (usable(t) and usable(clock)):
        return np.nan
    gap = max(t - clock, 0.0)
    return np.log1p(gap / mean) if mean > 0.0 else (np.log(2.0) if gap > 0.0 else 0.0)


@kernel
def learn_slot(hd, f, d, slot, targets):
    """Teach a slot its targets, and note the loss in the learning curve."""
    learned, before = hd[at.LEARNED], d[hd[at.LOSS_SUM]]
    teach(hd, f, d, slot, targets)
    if hd[at.LEARNED] > learned:
        if hd[at.LEARNED] >> (hd[at.DOUBLING] + 1) > 0:
            hd[at.DOUBLING] += 1
        loss = d[hd[at.LOSS_SUM]] - before
        d[hd[at.CURVE] + hd[at.DOUBLING]] += loss


@kernel
def scale_inputs(hd, d):
    """Standardise the staged x (I) into ``SCALED``; the statistics that include x are staged too.

    A value that is missing (NaN), infinite or beyond 1e150 counts as the running mean: 0.
    """
    I = hd[at.INPUTS]
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


@kernel
def place_inputs(hd, f, d):
    """Put the standardised inputs into layer 0's slot ``fill``."""
    I = hd[at.INPUTS]
    nx = hd[at.LAYER_0 + at.NX]
    xs = hd[at.LAYER_0 + at.XS] + hd[at.FILL] * nx
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
    kept = hd[hd[at.RAW] : hd[at.RAW] + I]
    now = reinterpret(x, np.int64)
    same = hd[hd[at.STAGED]] != 0
    for i in range(I):
        same = same & (kept[i] == now[i])
    if not same:
        for i in range(I):
            kept[i] = now[i]
            d[hd[at.X_RAW] + i] = x[i]
        if hd[at.TIMED] != 0:
            d[hd[at.X_RAW]] = _gap_input(hd, d, x[0])
        for i in range(I, (I + LANES - 1) // LANES * LANES):
            d[hd[at.X_RAW] + i] = np.nan
        scale_inputs(hd, d)
        place_inputs(hd, f, d)
        forward(cell, hidden, hd, f)
        hd[hd[at.STAGED]] = 1


@kernel
def absorb_inputs(hd, d):
    """Take the staged x into the statistics, and its time into the clock."""
    if hd[at.TIMED] != 0:
        t = d[hd[at.RAW]]
        clock, gaps = hd[at.AREA_HEAD] + at.A_CLOCK, hd[at.GAPS]
        if usable(t):
            if usable(d[clock]) and hd[at.FROZEN] == 0:
                gap = max(t - d[clock], 0.0)
                d[gaps], d[gaps + 1], d[gaps + 2] = absorb(
                    gap, d[gaps], d[gaps + 1], d[gaps + 2], d[hd[at.HYPER] + at.ALPHA]
                )
            d[clock] = t
    n = 3 * ((hd[at.INPUTS] + LANES - 1) // LANES * LANES)
    if hd[at.FROZEN] == 0:
        old = d[hd[at.X_STATS] : hd[at.X_STATS] + n]
        new = d[hd[at.STAGE] : hd[at.STAGE] + n]
        for i in range(n):
            old[i] = new[i]


@kernel
def commit(hd):
    """Make the staged step part of the state: the hidden state advances."""
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
