"""An independent net in plain NumPy float64, written from the papers' equations: the oracle of the kernel tests.

Shares no code with the kernels. Gradients are central differences, or, for carried traces, sums over the stored history.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

GATES = {"lstm": 4, "trace_lstm": 4, "gru": 3, "elman": 1, "elman_logistic": 1, "dense": 1}
RECURRENT = {"lstm", "gru", "elman", "elman_logistic"}


def sigma(v):
    return 1.0 / (1.0 + np.exp(-v))


def step(cell, U, b, V, x, h, c):
    """One step: U (H, G H) recurrent, b (G H) bias, V (I, G H) inputs. Returns h, c."""
    H = len(h)
    wx = b + x @ V
    uh = h @ U if cell in RECURRENT else np.zeros_like(wx)
    if cell in ("lstm", "trace_lstm"):
        i, f, g, o = np.split(wx + uh, 4)
        c = sigma(f) * c + sigma(i) * np.tanh(g)
        return sigma(o) * np.tanh(c), c
    if cell == "gru":
        zx, rx, nx = np.split(wx, 3)
        zh, rh, nh = np.split(uh, 3)
        z, r = sigma(zx + zh), sigma(rx + rh)
        n = np.tanh(nx + r * nh)
        return (1 - z) * n + z * h, c
    if cell == "elman_logistic":
        return sigma(wx + uh), c
    return np.tanh(wx + uh), np.zeros(H)


@dataclass
class Params:
    """Weights of every layer (U, b, V) and the head (K, H + 1 + I): [h | 1 | x]."""

    layers: list
    head: np.ndarray

    def flat(self):
        return np.concatenate([part.ravel() for layer in self.layers for part in layer] + [self.head.ravel()])

    def like(self, flat):
        at, layers = 0, []
        for layer in self.layers:
            parts = []
            for part in layer:
                parts.append(flat[at : at + part.size].reshape(part.shape))
                at += part.size
            layers.append(tuple(parts))
        return Params(layers, flat[at:].reshape(self.head.shape))


def forward(cell, params, X, states):
    """Outputs (T, K) of a run from ``states`` (one (h, c) a layer), and the states after each step."""
    out, trail = [], []
    states = list(states)
    for x in X:
        below = x
        for layer, (U, b, V) in enumerate(params.layers):
            h, c = step(cell, U, b, V, below, *states[layer])
            states[layer] = (h, c)
            below = h
        out.append(params.head @ np.concatenate([below, [1.0], x]))
        trail.append(list(states))
    return np.array(out), trail


def loss(name, out, y, a=0.0, b=0.0):
    """Loss of one event: out (K), y (K), NaN where not known. Returns (loss, known)."""
    if name == "cross_entropy":
        if not y[0] >= 0:
            return 0.0, 0
        e = out - out.max()
        return float(np.log(np.exp(e).sum()) - e[int(y[0])]), 1
    total, known = 0.0, 0
    half = len(out) // 2
    targets = y[:half] if name == "gaussian" else y
    for k, t in enumerate(targets):
        if np.isnan(t):
            continue
        known += 1
        o = out[k]
        d = o - t
        if name == "squared":
            total += d * d
        elif name == "absolute":
            total += abs(d)
        elif name == "huber":
            total += 0.5 * d * d if abs(d) <= a else a * abs(d) - 0.5 * a * a
        elif name == "quantile":
            total += max(a * (t - o), (a - 1) * (t - o))
        elif name == "gaussian":
            s = out[half + k]
            total += 0.5 * (s + d * d * np.exp(-s))
        elif name == "cauchy":  # river's loss value is |d|; the gradient belongs to this potential
            total += 0.5 * a * a * np.log1p((d / a) ** 2)
        elif name == "epsilon_insensitive":
            total += max(abs(d) - a, 0.0)
        elif name == "poisson":
            total += np.exp(o) - t * o
        elif name == "log":
            w = a if t > 0.5 else b
            total += w * np.log1p(np.exp(-o if t > 0.5 else o))
        elif name == "hinge":
            total += max(a - (o if t > 0.5 else -o), 0.0)
        else:
            raise KeyError(name)
    return total, known


def objective(cell, params, X, Y, states, fresh, name, a, b):
    """Mean loss per known target over the newest ``fresh`` events of a window."""
    out, _ = forward(cell, params, X, states)
    total, known = 0.0, 0
    for t in range(len(X) - fresh, len(X)):
        one, n = loss(name, out[t], Y[t], a, b)
        total, known = total + one, known + n
    return total / known if known else 0.0


def numeric_gradient(function, params, eps=1e-6):
    """Central differences of ``function(params)``, as flat float64."""
    flat = params.flat()
    grad = np.empty_like(flat)
    for k in range(len(flat)):
        up, down = flat.copy(), flat.copy()
        up[k] += eps
        down[k] -= eps
        grad[k] = (function(params.like(up)) - function(params.like(down))) / (2 * eps)
    return grad
