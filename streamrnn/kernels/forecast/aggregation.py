"""Bernstein online aggregation: the weights of a mixture of experts, and how a regret changes them.

O. Wintenberger, Optimal learning with Bernstein online aggregation, Machine Learning 106, 2017. With w the weights, p the
mixture's forecast, f_j an expert's, and g the slope of the loss at p, the regret of the mixture against expert j is
r_j = g (p - f_j) (the gradient trick: it bounds the regret of any convex loss against any convex combination), and ::

    R_j += r_j - eta_j r_j^2      V_j += r_j^2      B_j = max(B_j, |r_j|)
    eta_j = min(1 / (2 B_j), sqrt(log E / V_j))      w_j ~ prior_j eta_j exp(eta_j R_j)

The regret against the best fixed combination is then O(sqrt(log log n V log E)), whatever the experts do. The loss is Huber's,
bounded in slope at ``LOSS_SLOPE`` running errors, so that one outlier does not decide; or, as the state's header says, that of a quantile. R, V and B are discounted by ``REGRET_FORGET`` an
event: the bound then holds for the last 1 / (1 - REGRET_FORGET) events instead of all (discounted losses: A. Chernov, F. Zhdanov,
ALT 2010), so that a changing stream is followed; errors of h steps ahead overlap and tell less, so that theirs are discounted 1 + h / ``OVERLAP`` times
more slowly. An expert's B and V count as no less than ``LEAST_SCALE`` of the largest B, and its square of the largest V: one that had no opinion, or hardly differs
from the mixture, has no scale of its own, and with a rate a thousand times that of the others it would have all the weight. They are kept in a unit of each lane's own, so that float32 holds them
(:mod:`streamrnn.kernels.forecast.verify` chooses it).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.cells.activations import F32, ZERO
from streamrnn.kernels.compile import kernel
from streamrnn.kernels.reinterpret import reinterpret

REGRET_FORGET: Final = 0.998  # 1: a regime that recurs gets its weight too late; 0.99: weights follow noise
LEAST_SCALE: Final = 0.03  # with .001 whoever wakes rules alone for a day; at .2 short series lose 1 %; at 1 bad experts keep some weight
LOSS_SLOPE: Final = 3.0  # running errors; without it a spike decides for a thousand events
MOST_REGRET: Final = 4.0  # running errors by which a forecast may differ from the mixture's before its regret is cut
SETTLED_LOSSES: Final = 5.0  # errors before which neither limit holds: the running error is itself noise


_LOG2_E: Final = F32(1.4426950408889634)
_LN2_HIGH: Final = F32(0.693359375)
_LN2_LOW: Final = F32(-2.12194440e-4)
_LEAST: Final = F32(-87.0)  # exp of less is no ordinary float32
_WHOLE: Final = F32(12582912.0)  # 1.5 * 2^23: in the low bits of what is added to it stands the nearest whole number
_BIAS: Final = 127 << 23
_HALF, _ONE = F32(0.5), F32(1.0)
_P: Final = tuple(F32(1.0 / n) for n in (5040.0, 720.0, 120.0, 24.0, 6.0))
_LEAST_BOUND, _LEAST_SQUARE = F32(LEAST_SCALE), F32(LEAST_SCALE**2)


@kernel
def _exponentials(z, whole):
    """Replace z (n), none above 0, by exp(z) to 2e-7: as a loop of libm's, but in vectors. whole (n): scratch."""
    for i in range(z.size):
        v = z[i] if z[i] > _LEAST else _LEAST
        k = np.floor(v * _LOG2_E + _HALF)
        r = v - k * _LN2_HIGH
        r = r - k * _LN2_LOW
        p = _P[0]
        p = p * r + _P[1]
        p = p * r + _P[2]
        p = p * r + _P[3]
        p = p * r + _P[4]
        p = p * r + _HALF
        p = p * r + _ONE
        z[i] = p * r + _ONE
        whole[i] = k + _WHOLE
    bits = reinterpret(whole, np.int32)
    for i in range(z.size):
        bits[i] = (bits[i] << 23) + _BIAS
    for i in range(z.size):
        z[i] *= whole[i]


@kernel
def _regrets(r, forecast, bound, square, g, p, unit, limit, on, forget, most_bound, most_square):
    """Write one expert's regrets r (n); move its largest regret and sum of squares, and the largest of all experts."""
    n = r.size
    for i in range(n):
        v = g[i] * ((p[i] - forecast[i]) * unit[i])
        v = v if v < limit[i] else limit[i]
        r[i] = v if v > -limit[i] else -limit[i]
    for i in range(n):
        size, kept = abs(r[i]), bound[i] * forget[i]
        v = kept if kept > size else size
        bound[i] = v if on[i] > ZERO else bound[i]
        most_bound[i] = most_bound[i] if most_bound[i] > v else v
    for i in range(n):
        v = square[i] * forget[i] + r[i] * r[i]
        square[i] = v if on[i] > ZERO else square[i]
        most_square[i] = most_square[i] if most_square[i] > v else v


@kernel
def _rates(regret, r, rate, bound, square, on, forget, most_bound, most_square, log_E):
    """Write one expert's learning rates (n) and move its sum of regrets."""
    n = r.size
    for i in range(n):
        least = _LEAST_BOUND * most_bound[i]
        least = bound[i] if bound[i] > least else least
        rate[i] = _HALF / least
    for i in range(n):
        least = _LEAST_SQUARE * most_square[i]
        least = square[i] if square[i] > least else least
        v = np.sqrt(log_E / least)
        rate[i] = rate[i] if rate[i] < v else v
    for i in range(n):
        v = regret[i] * forget[i] + r[i] - rate[i] * r[i] * r[i]
        regret[i] = v if (on[i] > ZERO) & (most_square[i] > ZERO) else regret[i]


@kernel
def update_weights(R, V, B, w, f, prior, g, p, unit, limit, on, forget, scratch):
    """Move the weights w after an error: for each of n lanes (a channel and step ahead), E experts. All but the prior is float32.

    R, V, B, w, f (E, n): as above, f the experts' forecasts; prior (E); g, p, unit, limit, on, forget (n): the slope of the loss in the lane's unit,
    the mixture's forecast, one over that unit, the largest regret, 1 where there is something to learn, else 0, and the discount; scratch (3 E + 4, n).
    """
    E, n = prior.size, g.size
    log_E = F32(np.log(float(E)) if E > 1 else 0.0)
    z, eta, whole = scratch[: E * n], scratch[E * n : 2 * E * n], scratch[2 * E * n : 3 * E * n]
    most_bound, most_square = scratch[3 * E * n : (3 * E + 1) * n], scratch[(3 * E + 1) * n : (3 * E + 2) * n]
    top, total = scratch[(3 * E + 2) * n : (3 * E + 3) * n], scratch[(3 * E + 3) * n : (3 * E + 4) * n]
    for i in range(n):
        most_bound[i], most_square[i], top[i], total[i] = ZERO, ZERO, -np.inf, ZERO
    for j in range(E):
        first, last = j * n, (j + 1) * n
        _regrets(
            z[first:last], f[first:last], B[first:last], V[first:last], g, p, unit, limit, on, forget, most_bound, most_square
        )  # fmt: skip
    for j in range(E):
        first, last = j * n, (j + 1) * n
        _rates(
            R[first:last], z[first:last], eta[first:last], B[first:last], V[first:last], on, forget, most_bound, most_square, log_E
        )  # fmt: skip
        r, rate, regret = z[first:last], eta[first:last], R[first:last]
        for i in range(n):
            r[i] = rate[i] * regret[i]
            top[i] = top[i] if top[i] > r[i] else r[i]
    for j in range(E):
        r = z[j * n : (j + 1) * n]
        for i in range(n):
            r[i] -= top[i]
    _exponentials(z, whole)
    for j in range(E):
        r, rate, share = z[j * n : (j + 1) * n], eta[j * n : (j + 1) * n], F32(prior[j])
        for i in range(n):
            r[i] *= share * rate[i]
            total[i] += r[i]
    for i in range(n):  # where the experts agree, the prior
        total[i] = total[i] if most_square[i] > ZERO else ZERO
    for j in range(E):
        r, weight, share = z[j * n : (j + 1) * n], w[j * n : (j + 1) * n], F32(prior[j])
        for i in range(n):
            v = r[i] / total[i] if total[i] > ZERO else share
            weight[i] = v if on[i] > ZERO else weight[i]
