"""The linear expert: regularised recursive least squares for numbers, and for classes a multinomial logistic with the same matrix.

With x the regressors, o = W x and e = y - o (for classes e = [y] - softmax(o)), and h = 1 (for classes the curvature of the log loss in
the direction of the error, e' (diag(p) - p p') e / e'e, at least ``LEAST_CURVATURE``)::

    g = P x,   power = l + h x . g,   W += e g' / power,   P = (P - h g g' / power) / l

(:mod:`streamrnn.kernels.least_squares`; for classes that is an extended Kalman filter with one covariance for all of them.) What is forgotten is given back as a ridge,
in one direction each ``REFRESH`` events, so that P cannot grow where nothing comes: 1 / P >= ``LINEAR_RIDGE`` or so, and a step is bounded.

Where keys share the model, an event of one of them counts by no more than ``MOST_LEVERAGE`` usual ones would: its weight is min(1, MOST_LEVERAGE n / |x|^2) with
n regressors, whose squares are 1 on average (Mallows' weights of a bounded-influence regression: C. L. Mallows, On Some Topics in Robustness, Bell Labs, 1975; F. Hampel et al.,
Robust Statistics, 1986, sec. 6.3). The errors are bounded already. So a key of garbage, standardised to many small values and few of 20, teaches no more than another key.

Beyond :data:`~streamrnn.kernels.net.front.table.MOST_WHOLE` regressors each weight has its own rate (J. Duchi et al., AdaGrad, 2011).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.least_squares import diagonal, times, update
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.front.table import MOST_WHOLE
from streamrnn.kernels.net.losses.joint import CROSS_ENTROPY

FORGET: Final = 0.998  # as of the forecaster's shorter regression: 500 events; .9995 follows no change, .99 is noise
LINEAR_RIDGE: Final = 3.0  # in events of standardised features; 1 is surer than it should be of the first hundred rows
REFRESH: Final = 8  # events; without it a change of separable classes is followed ten times later
LEAST_CURVATURE: Final = 0.1  # 0.02: rows that are sure take steps without bound; 0.2: changes are followed late
DIAGONAL_RATE: Final = 0.1  # of the diagonal step
MOST_OUTPUT: Final = 10.0  # standard deviations
MOST_LEVERAGE: Final = 2.0  # squares of usual events; 4: garbage in a feature still costs the others 2 % of the linear model, 1: usual events count less as well


@kernel
def state_linear(hd, d, o):
    """Write the outputs o (K): standardised numbers, or logits."""
    x = d[hd[at.REGRESSORS] : hd[at.REGRESSORS] + hd[at.N_REGRESSORS]]
    for k in range(o.size):
        w = d[hd[at.LINEAR_W] + k * x.size : hd[at.LINEAR_W] + (k + 1) * x.size]
        s = 0.0
        if hd[at.N_OWN] > MOST_WHOLE:
            for n in range(1, hd[hd[at.NONZERO]] + 1):
                i = hd[hd[at.NONZERO] + n]
                s += w[i] * x[i]
        else:
            for i in range(x.size):
                s += w[i] * x[i]
        o[k] = s if hd[at.LOSS] == CROSS_ENTROPY else min(max(s, -MOST_OUTPUT), MOST_OUTPUT)


@kernel
def curvature(p, e):
    """Return the curvature of the log loss at p (K) in the direction of the error e (K)."""
    pe, ee, pee = 0.0, 0.0, 0.0
    for k in range(p.size):
        pe += p[k] * e[k]
        ee += e[k] * e[k]
        pee += p[k] * e[k] * e[k]
    return max((pee - pe * pe) / ee, LEAST_CURVATURE) if ee > 1e-12 else LEAST_CURVATURE


@kernel
def influence(hd, d):
    """Return what the event whose regressors are written weighs for those who share the model: 1, or less where it lies far out."""
    n = hd[at.N_OWN]
    if hd[at.KEYED] == 0 or n > MOST_WHOLE:
        return 1.0
    square = 0.0
    for i in range(n):
        x = d[hd[at.REGRESSORS] + i]
        square += x * x
    most = MOST_LEVERAGE * n
    return most / square if square > most else 1.0


@kernel
def _start_matrix(P, n):
    for i in range(P.size):
        P[i] = 0.0
    for i in range(n):
        P[diagonal(i)] = 1.0 / LINEAR_RIDGE


@kernel
def _learn_rates(d, P, W, x, e, nonzero):
    """Take a step with a rate for each weight: P (D), W: where the weights (K, D) begin; nonzero: how many x are not 0, and which."""
    square = 0.0
    for k in range(e.size):
        square += e[k] * e[k]
    for n in range(1, nonzero[0] + 1):
        i = nonzero[n]
        P[i] += square * x[i] * x[i]
        rate = DIAGONAL_RATE * x[i] / np.sqrt(P[i] + 1e-8)
        for k in range(e.size):
            d[W + k * x.size + i] += rate * e[k]


@kernel
def learn_linear(hd, d, e, h):
    """Learn from the errors e (K; 0 where not known) and the curvature h, at the regressors that are written."""
    phi, n, work = hd[at.N_REGRESSORS], hd[at.N_OWN], hd[at.GAIN_SCRATCH]
    x = d[hd[at.REGRESSORS] : hd[at.REGRESSORS] + phi]
    g, scratch, unit = d[work : work + phi], d[work + phi : work + 2 * phi], d[work + 2 * phi : work + 3 * phi]
    P, W = d[hd[at.LINEAR_P] : hd[at.LINEAR_P] + hd[at.LINEAR_P_SIZE]], hd[at.LINEAR_W]
    if n > MOST_WHOLE:
        _learn_rates(d, P, W, x, e, hd[hd[at.NONZERO] : hd[at.NONZERO] + n + 1])
        return
    for turn in range(2 if hd[at.LEARNED] % REFRESH == 0 else 1):
        first = turn == 0
        if not first:  # one direction gets back what is forgotten there between its turns
            for i in range(phi):
                unit[i] = 0.0
            unit[hd[at.LEARNED] // REFRESH % n] = np.sqrt(LINEAR_RIDGE * (1.0 - FORGET) * REFRESH * n)
        if P[0] == 0.0:
            _start_matrix(P, n)
        q, _ = times(P, x if first else unit, g, phi)
        power = FORGET + h * q if first else 1.0 + q
        if not (power > 0.0 and power < 1e300):
            P[0] = 0.0
            return
        for k in range(e.size if first else 0):
            step = e[k] / power
            for i in range(phi):
                d[W + k * phi + i] += step * g[i]
        update(P, g, scratch, (h if first else 1.0) / power, 1.0 / FORGET if first else 1.0, phi)
