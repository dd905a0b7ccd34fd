"""What every task does with an event's features: standardise them, step forward as scratch, commit the step."""

from __future__ import annotations

import numpy as np

from streamrnn.kernels.compile import apart, kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.areas import learns_statistics
from streamrnn.kernels.net.forward import forward
from streamrnn.kernels.net.scaler import SPIKE_LIMIT, absorb, is_usual, size_of, spread, usable
from streamrnn.kernels.net.target_inputs import tell_targets
from streamrnn.kernels.net.words import LANES
from streamrnn.kernels.reinterpret import reinterpret


@apart
def _copy(into, v):
    """into = v, which may be of another type."""
    for i in range(v.size):
        into[i] = v[i]


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
def _absent(hd, d, b, old, new, z, alpha):
    """Prepare a block of columns of counts of which the event has none; return whether it is one. Most are, where few of many names come."""
    x, kinds = d[hd[at.X_RAW] + LANES * b :][:LANES], d[hd[at.KINDS] + LANES * b :][:LANES]
    other, fewest = LANES * (b + 1) > hd[at.INPUTS], old[2 * LANES]
    for i in range(LANES):
        mean = old[i]  # of what is no count, or was there all the time and is not now, see absorb
        fewest = min(fewest, old[2 * LANES + i])
        other |= (
            (x[i] != 0.0) | (kinds[i] != at.KIND_COUNTED) | (mean * mean > SPIKE_LIMIT * SPIKE_LIMIT * old[LANES + i])
        )
    if other:
        return False
    young = alpha * (fewest + 1.0) < 1.0
    for i in range(LANES):
        mean, n, a = old[i], old[2 * LANES + i] + 1.0, alpha
        if young:
            a = max(a, 1.0 / n)
        z[i] = 0.0
        new[i] = mean - a * mean
        new[LANES + i] = (1.0 - a) * (old[LANES + i] + a * mean * mean)
        new[2 * LANES + i] = n
    return True


@apart
def _scale_lanes(x, old, new, z, alpha, most, scaled):
    """Standardise a block of columns x into z, and write their statistics with x into new: vectors of ``LANES``."""
    least, other = -most, False
    for i in range(LANES):
        v = x[i]
        other |= usable(v) & (is_usual(v, old[i], old[LANES + i], old[2 * LANES + i], alpha) == False)  # noqa: E712  in lanes
    for i in range(LANES):
        v = x[i]
        good = usable(v)
        mean, var, n = absorb(v, old[i], old[LANES + i], old[2 * LANES + i], alpha, not other)
        s = (v - mean) / spread(mean, var) if scaled else v
        s = s if s < most else most
        s = s if s > least else least
        z[i] = s if good else 0.0
        new[i] = mean if good else old[i]
        new[LANES + i] = var if good else old[LANES + i]
        new[2 * LANES + i] = n if good else old[2 * LANES + i]


@kernel
def scale_inputs(hd, d):
    """Standardise the prepared x (I) into ``SCALED_INPUTS``; the statistics that include x are prepared too.

    A value that is missing (NaN), infinite or beyond 1e150 counts as the running mean: 0. A column of counts is not centred: nothing is 0.
    """
    I = hd[at.INPUTS]
    alpha, most = d[hd[at.HYPER] + at.ALPHA], d[hd[at.HYPER] + at.X_CLIP]
    least = -most
    scaled = hd[at.NORMALIZE_X] != 0
    sparse = hd[at.SPARSE] != 0 and scaled
    for b in range((I + LANES - 1) // LANES):
        old = d[hd[at.X_STATS] + 3 * LANES * b : hd[at.X_STATS] + 3 * LANES * (b + 1)]
        new = d[hd[at.PREPARED_STATS] + 3 * LANES * b : hd[at.PREPARED_STATS] + 3 * LANES * (b + 1)]
        x = d[hd[at.X_RAW] + LANES * b : hd[at.X_RAW] + LANES * (b + 1)]
        z = d[hd[at.SCALED_INPUTS] + LANES * b : hd[at.SCALED_INPUTS] + LANES * (b + 1)]
        counted = False
        if sparse:
            kinds = d[hd[at.KINDS] + LANES * b :][:LANES]
            for i in range(LANES):
                counted |= kinds[i] == at.KIND_COUNTED
        if counted and _absent(hd, d, b, old, new, z, alpha):
            continue
        _scale_lanes(x, old, new, z, alpha, most, scaled)
        if counted:
            for i in range(min(LANES, I - LANES * b)):
                if d[hd[at.KINDS] + LANES * b + i] == at.KIND_COUNTED:
                    v = x[i]
                    s = v / size_of(new[i], new[LANES + i]) if v != 0.0 and usable(v) else 0.0
                    z[i] = min(max(s, least), most)


@kernel
def place_inputs(hd, f, d):
    """Put the standardised inputs into layer 0's slot ``fill``, and behind them what is told of the targets before.

    Columns without an input of their own are added up in some, with a sign each (K. Weinberger et al., Feature hashing, ICML 2009).
    """
    own, I, A = hd[at.OWN_INPUTS], hd[at.FEATURE_INPUTS], hd[at.TARGET_INPUTS]
    nx = hd[at.LAYER_0 + at.NX]
    xs = hd[at.LAYER_0 + at.XS] + hd[at.FILL] * nx
    f[xs] = 1.0
    z = d[hd[at.SCALED_INPUTS] : hd[at.SCALED_INPUTS] + own]
    slot = f[xs + 1 : xs + nx]
    _copy(slot, z)
    for i in range(own, I):
        slot[i] = 0.0
    for i in range(own, hd[at.INPUTS]):
        v = d[hd[at.SCALED_INPUTS] + i]
        if v != 0.0:
            code = i * 40503 % 65536 // 1024  # multiplicative hashing: neighbours fall apart
            slot[own + code % at.SUMS] += v if code < at.SUMS else -v
    for i in range(A):
        slot[I + i] = d[hd[at.TOLD] + i]
    for i in range(I + A, nx - 1):
        slot[i] = 0.0


@kernel
def prepare_inputs(hd, f, d, x):
    """Put the inputs of x (I) into slot ``fill``, and tell whether a step forward is due. Changes no state, only scratch.

    The step of the last call is used again when x has the very same bits.
    """
    I = hd[at.INPUTS]
    kept = hd[hd[at.RAW] : hd[at.RAW] + I]
    now = reinterpret(x, np.int64)
    other = 0
    for i in range(I):
        other |= kept[i] ^ now[i]
    same = hd[hd[at.PREPARED]] != 0 and other == 0
    if not same:
        _copy(d[hd[at.RAW] : hd[at.RAW] + I], x)
        _copy(d[hd[at.X_RAW] : hd[at.X_RAW] + I], x)
        if hd[at.TIMED] != 0:
            d[hd[at.X_RAW]] = _gap_input(hd, d, x[0])
        for i in range(I, (I + LANES - 1) // LANES * LANES):
            d[hd[at.X_RAW] + i] = np.nan
        scale_inputs(hd, d)
        tell_targets(hd, d)
        place_inputs(hd, f, d)
        hd[hd[at.PREPARED]] = 1
    return not same


@kernel
def prepare_step(cell, hidden, hd, f, d, x):
    """Step forward with x (I) into slot ``fill``."""
    if prepare_inputs(hd, f, d, x):
        forward(cell, hidden, hd, f)


@kernel
def absorb_inputs(hd, d):
    """Take the prepared x into the statistics, and its time into the clock."""
    if hd[at.TIMED] != 0:
        t = d[hd[at.RAW]]
        clock, gaps = hd[at.AREA_HEAD] + at.A_CLOCK, hd[at.GAPS]
        if usable(t):
            if usable(d[clock]) and learns_statistics(hd):
                gap = max(t - d[clock], 0.0)
                mean, var, n, alpha = d[gaps], d[gaps + 1], d[gaps + 2], d[hd[at.HYPER] + at.ALPHA]
                usual = is_usual(gap, mean, var, n, alpha)
                d[gaps], d[gaps + 1], d[gaps + 2] = absorb(gap, mean, var, n, alpha, usual)
            d[clock] = t
    n = 3 * ((hd[at.INPUTS] + LANES - 1) // LANES * LANES)
    if learns_statistics(hd):
        _copy(d[hd[at.X_STATS] : hd[at.X_STATS] + n], d[hd[at.PREPARED_STATS] : hd[at.PREPARED_STATS] + n])


@kernel
def commit(hd):
    """Make the prepared step part of the state: the hidden state advances."""
    hd[at.FILL] += 1
    hd[at.FRESH] += 1
    hd[at.EVENTS] += 1
    hd[hd[at.PREPARED]] = 0
