"""Gradient descent, with momentum, and with a step that cannot overshoot."""

from __future__ import annotations

from typing import Final

from streamrnn.kernels.compile import apart, kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.optimizers.contract import Rule


@apart
def sgd(c, w, w_0, s, size, g, n):
    """w -= lr g."""
    lr = c[0] * c[8]
    for i in range(n):
        w[i] -= lr * g[i]


@apart
def momentum(c, w, w_0, s, size, g, n):
    """v = rho v + lr g, w -= v (B. Polyak, 1964)."""
    lr, rho = c[0] * c[8], c[1]
    for i in range(n):
        v = rho * s[i] + lr * g[i]
        s[i] = v
        w[i] -= v


@apart
def nesterov(c, w, w_0, s, size, g, n):
    """Nesterov's momentum; the stored weights are the look-ahead ones."""
    lr, rho = c[0] * c[8], c[1]
    for i in range(n):
        v = rho * s[i] + lr * g[i]
        w[i] -= v + rho * (v - s[i])
        s[i] = v


@kernel
def bound_of_obgd(hyper, lr, error, sum_1, scale):
    """Return the scale of ObGD, with lambda = 0.

    M. Elsayed et al., Streaming deep reinforcement learning finally works, arXiv:2410.14606, 2024, Algorithm 3: with
    g = error * z the step is lr / max(1, lr kappa max(error, 1) |z|_1).
    """
    bound = lr * hyper[at.BETA_1]
    bound = bound * max(error, 1.0) * scale * sum_1 / error
    return scale / max(bound, 1.0)


DESCENT_RULES: Final = (
    Rule("sgd", 0, {"lr": 0.01}, sgd, river="SGD", code=0),
    Rule("momentum", 1, {"lr": 0.01, "rho": 0.9}, momentum, river="Momentum", code=1),
    Rule("nesterov", 1, {"lr": 0.01, "rho": 0.9}, nesterov, river="NesterovMomentum", code=2),
    Rule("obgd", 0, {"lr": 1.0, "kappa": 2.0}, sgd, bound=bound_of_obgd, two_pass=True, code=12),
)
