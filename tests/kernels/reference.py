"""One step of every cell, and every loss, in plain NumPy float64, written from the papers' equations.

The oracle of the kernel tests; shares no code with the kernels. ``CELL[name](wx, uh, h, c)`` as in
:func:`streamrnn.testing.cell_checks`: wx = W x + b and uh = U h of shape (G, ..., H).
"""

from __future__ import annotations

import numpy as np


def sigma(v):
    return 1.0 / (1.0 + np.exp(-v))


def lstm(wx, uh, h, c):
    i, f, g, o = wx + uh
    c = sigma(f) * c + sigma(i) * np.tanh(g)
    return sigma(o) * np.tanh(c), c


def peephole_lstm(wx, uh, h, c, p):
    i, f, g, o = wx + uh
    [(p_i, p_f, _, p_o)] = p
    new = sigma(f + p_f * c) * c + sigma(i + p_i * c) * np.tanh(g)
    return sigma(o + p_o * new) * np.tanh(new), new


def slstm(wx, uh, h, c):
    i, f, z, o = wx + uh
    c, n = c
    c, n = sigma(f) * c + np.exp(i) * np.tanh(z), sigma(f) * n + np.exp(i)
    return sigma(o) * c / n, np.stack([c, n])


def gru(wx, uh, h, c):
    z, r = sigma(wx[0] + uh[0]), sigma(wx[1] + uh[1])
    n = np.tanh(wx[2] + r * uh[2])
    return (1 - z) * n + z * h, c


def elman(wx, uh, h, c):
    return np.tanh(wx[0] + uh[0]), c


def elman_logistic(wx, uh, h, c):
    return sigma(wx[0] + uh[0]), c


# trace_lstm and dense have no recurrent weights: for them uh is zero
CELL = {
    "lstm": lstm, "trace_lstm": lstm, "peephole_lstm": peephole_lstm, "slstm": slstm, "gru": gru, "elman": elman,
    "elman_logistic": elman_logistic, "dense": elman,
}  # fmt: skip


def potential(name, o, t, a, b):
    """Loss of outputs o for targets t, elementwise: what the gradient is the derivative of."""
    d = o - t
    sign = np.where(t > 0.5, 1.0, -1.0)
    match name:
        case "squared":
            return d * d
        case "absolute":
            return np.abs(d)
        case "huber":
            return np.where(np.abs(d) <= a, 0.5 * d * d, a * np.abs(d) - 0.5 * a * a)
        case "quantile":
            return np.maximum(a * -d, (1 - a) * d)
        case "cauchy":  # river's loss value is |d|; its gradient belongs to this
            return 0.5 * a * a * np.log1p((d / a) ** 2)
        case "epsilon_insensitive":
            return np.maximum(np.abs(d) - a, 0.0)
        case "poisson":
            return np.exp(o) - t * o
        case "log":
            return np.where(t > 0.5, a, b) * np.log1p(np.exp(-sign * o))
        case "hinge":
            return np.maximum(a - sign * o, 0.0)
        case "focal":  # Lin et al. (2017), appendix: x_t = y o
            return -np.log(sigma(a * sign * o + b)) / a
    raise KeyError(name)


def loss(name, out, y, a=0.0, b=0.0):
    """Mean loss per known target of outputs (..., n, K) for targets (n, K), NaN where not known."""
    K = out.shape[-1]
    if name == "cross_entropy":
        rows = np.flatnonzero(y[:, 0] >= 0)
        right = y[rows, 0].astype(int)
        log_sum = np.log(np.exp(out[..., rows, :]).sum(-1))
        return (log_sum - out[..., rows, right]).mean(-1)
    if name == "gaussian":
        y, s = y[:, : K // 2], out[..., K // 2 :]
        each = 0.5 * (s + (out[..., : K // 2] - y) ** 2 * np.exp(-s))
    else:
        each = potential(name, out, y, a, b)
    known = np.isfinite(y)
    return np.where(known, each, 0.0).sum((-1, -2)) / known.sum()
