"""Forecasts compared with the value that came: weights of the experts, spread and quantiles of the errors.

All channels C and steps ahead H are learned from at once, in C * H lanes.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.conformal import LEVELS, OVERLAP, YOUNG_ERRORS, track
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.aggregation import (
    LOSS_SLOPE,
    MOST_REGRET,
    REGRET_FORGET,
    SETTLED_LOSSES,
    update_weights,
)
from streamrnn.kernels.forecast.pending import take_pending
from streamrnn.kernels.net.scaler import usable
from streamrnn.kernels.reinterpret import reinterpret

ERROR_ALPHA: Final = 1e-3  # changes and errors are remembered over a thousand events
WILD: Final = 8.0  # usual errors or changes: the most that one counts
SHRUNK: Final = 0.5  # of the mean square error, within one event
UNIT_RANGE: Final = 64.0  # times, or a share, of a lane's unit squared: the mean square errors for which it stays
FARTHEST_REGRET: Final = 1e15  # units, while no other limit holds: its square is a float32
SETTLED_ERRORS: Final = 10.0  # values before which there is no such limit


STRETCH: Final = (
    48.0  # values, or a season: no mean square is above the largest square of the last one to two stretches
)


@kernel
def mean_square(mean, count, peak, before, v, on, stretch):
    """Take v^2 into the running mean squares where ``on``; no more than ``WILD``^2 of them, once there are enough.

    A mean is never above the largest square of late: where the unit of a stream shrinks a thousandfold, a running mean alone would
    take ten thousand events to notice. peak, before: the largest square of this stretch of values, and of the one before; stretch: how many values make one,
    no less than a season: what comes once a day is no less usual for that.
    """
    for i in range(mean.size):
        n = count[i] + 1.0
        square, m = v[i] * v[i], mean[i]
        most = WILD * WILD * m
        limited = square if square < most else most
        square = limited if (n > SETTLED_ERRORS) & (m > 0.0) else square
        share = 1.0 / n
        a = share if share > ERROR_ALPHA else ERROR_ALPHA
        m = m + a * (square - m)
        begins = n - np.floor(n / stretch[i]) * stretch[i] == 0.0
        whole = v[i] * v[i]
        older = peak[i] if begins else before[i]
        largest = whole if begins | (whole > peak[i]) else peak[i]
        most = largest if largest > older else older
        m = most if (m > most) & (most > 0.0) & (n > 2.0 * stretch[i]) else m
        mean[i] = m if on[i] > 0.0 else mean[i]
        count[i] = n if on[i] > 0.0 else count[i]
        peak[i] = largest if on[i] > 0.0 else peak[i]
        before[i] = older if on[i] > 0.0 else before[i]


@kernel
def write_stretches(hd, d, into):
    """Write for each lane (C H) how many values make a stretch."""
    H = hd[at.HORIZON]
    for c in range(hd[at.CHANNELS]):
        day = d[hd[at.SHORT_PERIOD] + c] if d[hd[at.SHORT_PERIOD] + c] > 0.0 else d[hd[at.PERIOD] + c]
        own = max(STRETCH, day) if day <= at.CURVE_LAGS else STRETCH
        for h in range(H):
            into[c * H + h] = own


@kernel
def _compare(hd, d, row, t, base, f, p, shares, lanes):
    """Write into ``lanes`` (3, C H): error, whether there is one (1 or 0), and the context at the forecast's origin; into p the forecast.

    f (E, C H): the experts' forecasts; all forecasts as distances from the last value at their origin. Returns whether there is any error, and any in the context behind a jump.
    """
    C, H, T = hd[at.CHANNELS], hd[at.HORIZON], hd[at.HAS_TIME]
    n = C * H
    e, on, context = lanes[:n], lanes[n : 2 * n], lanes[2 * n : 3 * n]
    kept = reinterpret(d, np.float32)
    take_pending(hd, kept, hd[base + at.MIXED_FORECASTS], C, p)
    if base == at.INFORMED:
        take_pending(hd, kept, hd[base + at.SHARE], C, shares)
    any_on = False
    behind = False
    for c in range(C):
        y = row[T + c]
        known = usable(y)
        origin = t % (H + 1)
        for h in range(H):
            i = c * H + h
            origin = origin - 1 if origin > 0 else H
            v = np.float64(p[i])
            if base == at.INFORMED:
                v += np.float64(shares[i]) * f[f.size - n + i]
            good = known and usable(v)
            p[i] = v
            on[i] = 1.0 if good else 0.0
            e[i] = v + (d[hd[at.BASE] + c * (H + 1) + origin] - y) if good else 0.0
            context[i] = d[hd[at.CONTEXT] + c * (H + 1) + origin]
            any_on = any_on or good
            behind = behind or (good and context[i] > 0.0)
    return any_on, behind


@kernel
def _scale(hd, d, base, E, i, share):
    """Multiply the regrets of lane i, which are squares of errors, by ``share``."""
    kept, n = reinterpret(d, np.float32), hd[at.CHANNELS] * hd[at.HORIZON]
    for k in range(at.CONTEXTS * E):
        kept[hd[base + at.REGRET] + k * n + i] *= share
        kept[hd[base + at.REGRET_BOUND] + k * n + i] *= share
        kept[hd[base + at.SQUARED_REGRET] + k * n + i] *= share * share


@kernel
def _choose_units(hd, d, base, E, e, error, errors):
    """Choose the square of each lane's unit anew where the running error has left its range, and the regrets with it."""
    units = d[hd[base + at.REGRET_UNIT] : hd[base + at.REGRET_UNIT] + e.size]
    for i in range(e.size):
        size, unit = error[i], units[i]
        size = e[i] * e[i] if (errors[i] <= SETTLED_LOSSES) & (e[i] * e[i] > size) else size
        if (size > UNIT_RANGE * unit) | (size * UNIT_RANGE < unit) and size > 0.0:
            _scale(hd, d, base, E, i, unit / size)
            units[i] = size


@kernel
def _shrink(hd, d, base, E, error, was):
    """Measure the regrets in the errors' new unit where that has shrunk to less than half: they are squares of errors.

    was (n): the mean square errors before; regrets in the old unit would outweigh whatever comes.
    """
    for i in range(error.size):
        share = error[i] / was[i] if was[i] > 0.0 else 1.0
        if share < SHRUNK:
            _scale(hd, d, base, E, i, share)


@kernel
def _slopes(e, error, errors, units, rms, g, unit, limit, level):
    """Write for each lane the spread of the errors, and in its unit: the slope of the loss at e, one over the unit, and the largest regret.

    The loss is Huber's; with a level above 0 that of this quantile, twice over and times the spread.
    """
    for i in range(e.size):
        rms[i] = np.sqrt(error[i]) if errors[i] > 0.0 else abs(e[i])
    for i in range(e.size):
        share = 1.0 / np.sqrt(units[i]) if units[i] > 0.0 else 0.0
        most = LOSS_SLOPE * rms[i] if errors[i] > SETTLED_LOSSES else np.inf
        v = e[i] if e[i] < most else most
        v = (v if v > -most else -most) * share
        g[i] = v
        unit[i] = share
        if level > 0.0:
            v = 1.0 - level if e[i] > 0.0 else -level
            v = 2.0 * v * rms[i] * share if e[i] != 0.0 else 0.0
            g[i] = v
        limit[i] = MOST_REGRET * most * share * abs(v) if errors[i] > SETTLED_LOSSES else FARTHEST_REGRET


@kernel
def _paces(H, errors, rms, on, pace, forget):
    """Write at what pace each lane's quantiles move, 0 where nothing came, negative where they start; and how its regrets are discounted."""
    for c in range(on.size // H):
        for h in range(H):
            i = c * H + h
            forget[i] = 1.0 - (1.0 - REGRET_FORGET) / (1.0 + h / OVERLAP)
            v = max(1.0 / (1.0 + h / OVERLAP), 1.0 / (1.0 + errors[i] / YOUNG_ERRORS))
            pace[i] = on[i] * v if rms[i] > 0.0 else 0.0
            pace[i] = -on[i] if errors[i] == 0.0 else pace[i]


@kernel
def verify(hd, d, row, t, base):
    """Compare the forecasts of one mixture, whose words begin at ``base``, with the y (C) that came, at ``row[timed :]``."""
    H, E, n = hd[at.HORIZON], hd[at.N_EXPERTS], hd[at.CHANNELS] * hd[at.HORIZON]
    if base == at.INFORMED:
        E += 1
    kept, lanes = reinterpret(d, np.float32), hd[at.SCRATCH_LANES]
    s = d[lanes : lanes + at.LANE_ROWS * n]
    e, on, context, rms = s[:n], s[n : 2 * n], s[2 * n : 3 * n], s[3 * n : 4 * n]
    short = 2 * (lanes + at.LANE_ROWS * n)
    q = kept[short : short + (4 * E + at.SHORT_ROWS) * n]
    p, g, unit, limit, learns = q[:n], q[n : 2 * n], q[2 * n : 3 * n], q[3 * n : 4 * n], q[4 * n : 5 * n]
    pace, z, forget = q[5 * n : 6 * n], q[6 * n : 7 * n], q[7 * n : 8 * n]
    f = q[8 * n : (8 + E) * n]
    take_pending(hd, kept, hd[at.EXPERT_FORECASTS], E * hd[at.CHANNELS], f)
    any_on, behind = _compare(hd, d, row, t, base, f, p, g, s)
    if not any_on:
        return
    error_at, count_at = hd[base + at.MEAN_ERROR], hd[base + at.ERROR_COUNT]
    error, errors = d[error_at : error_at + n], d[count_at : count_at + n]
    _choose_units(hd, d, base, E, e, error, errors)
    units = d[hd[base + at.REGRET_UNIT] : hd[base + at.REGRET_UNIT] + n]
    _slopes(e, error, errors, units, rms, g, unit, limit, d[at.LOSS_LEVEL])
    _paces(H, errors, rms, on, pace, forget)
    prior = d[hd[base + at.PRIOR] : hd[base + at.PRIOR] + E]
    for k in range(2 if behind else 1):
        for i in range(n):
            learns[i] = on[i] if context[i] == float(k) else 0.0
        first, last = k * E * n, (k + 1) * E * n
        update_weights(
            kept[hd[base + at.REGRET] + first : hd[base + at.REGRET] + last],
            kept[hd[base + at.SQUARED_REGRET] + first : hd[base + at.SQUARED_REGRET] + last],
            kept[hd[base + at.REGRET_BOUND] + first : hd[base + at.REGRET_BOUND] + last],
            kept[hd[base + at.WEIGHTS] + first : hd[base + at.WEIGHTS] + last],
            f, prior, g, p, unit, limit, learns, forget, q[(8 + E) * n :],
        )  # fmt: skip
    for i in range(n):
        z[i] = -e[i] / rms[i]
    track(kept[hd[base + at.QUANTILES] : hd[base + at.QUANTILES] + len(LEVELS) * n], z, pace)
    peaks = hd[base + at.ERROR_PEAKS]
    for i in range(n):
        context[i] = error[i]
    write_stretches(hd, d, rms)
    mean_square(error, errors, d[peaks : peaks + n], d[peaks + n : peaks + 2 * n], e, on, rms)
    _shrink(hd, d, base, E, error, context)
