"""Bernstein online aggregation: what a mixture of experts believes of each, and how a regret changes it.

O. Wintenberger, Optimal learning with Bernstein online aggregation, Machine Learning 106, 2017. With w the weights, p the
mixture's forecast, f_j an expert's, and g the slope of the loss at p, the regret of the mixture against expert j is
r_j = g (p - f_j) (the gradient trick: it bounds the regret of any convex loss against any convex combination), and ::

    R_j += r_j - eta_j r_j^2      V_j += r_j^2      B_j = max(B_j, |r_j|)
    eta_j = min(1 / (2 B_j), sqrt(log E / V_j))      w_j ~ prior_j eta_j exp(eta_j R_j)

The regret against the best fixed combination is then O(sqrt(log log n V log E)), whatever the experts do. The loss is Huber's,
bounded in slope at ``SLOPE`` running errors, so that one outlier does not decide. R, V and B are discounted by ``FORGET`` an event: the
bound then speaks of the last 1 / (1 - FORGET) events instead of all (discounted losses: A. Chernov, F. Zhdanov, ALT 2010), so
that a stream that changes is followed.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel

FORGET: Final = 0.998  # 1: a regime that recurs is believed too late; 0.99: weights follow noise
SLOPE: Final = 3.0  # running errors; without it a spike decides for a thousand events
MOST: Final = 4.0  # running errors by which a forecast may differ from the mixture's before its regret is cut
SETTLED: Final = 5.0  # errors before which neither limit holds: the running error is itself noise


@kernel
def _rate(bound, square, most_bound, most_square, log_E):
    """Return eta of an expert. One that never differed from the mixture has no scale of its own: it borrows the others'."""
    return min(0.5 / max(bound, 1e-3 * most_bound), np.sqrt(log_E / max(square, 1e-6 * most_square)))


@kernel
def believe(d, first, E, f, p, e, rms, n, prior, R, V, B, w):
    """Move the weights at ``d[w + first :]`` (E) after an error.

    f: where the E forecasts lie; p: the mixture's; e = p - y; rms: the running error; n: errors so far. R, V, B, w, prior:
    where those arrays begin.
    """
    g = e
    limit = np.inf
    if n > SETTLED:
        g = min(max(e, -SLOPE * rms), SLOPE * rms)
        limit = MOST * SLOPE * rms * abs(g)
    log_E = np.log(float(E)) if E > 1 else 0.0
    most_bound, most_square = 0.0, 0.0
    for j in range(E):
        r = g * (p - d[f + j])
        r = min(max(r, -limit), limit)
        i = first + j
        bound = max(d[B + i] * FORGET, abs(r))
        square = d[V + i] * FORGET + r * r
        d[B + i], d[V + i], d[w + i] = bound, square, r
        most_bound, most_square = max(most_bound, bound), max(most_square, square)
    if not most_square > 0.0:  # the experts agree
        for j in range(E):
            d[w + first + j] = d[prior + j]
        return
    top = -np.inf
    for j in range(E):
        i = first + j
        eta = _rate(d[B + i], d[V + i], most_bound, most_square, log_E)
        r = d[w + i]
        d[R + i] = d[R + i] * FORGET + r - eta * r * r
        d[w + i] = eta * d[R + i]
        top = max(top, d[w + i])
    total = 0.0
    for j in range(E):
        i = first + j
        eta = _rate(d[B + i], d[V + i], most_bound, most_square, log_E)
        d[w + i] = d[prior + j] * eta * np.exp(d[w + i] - top)
        total += d[w + i]
    for j in range(E):  # total is 0 only where squares are beyond float64
        d[w + first + j] = d[w + first + j] / total if total > 0.0 else d[prior + j]
