"""Rates for each weight by the size of its gradients."""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.cells.activations import F32
from streamrnn.kernels.compile import apart
from streamrnn.kernels.net.optimizers.contract import Rule


@apart
def adagrad(c, w, w_0, s, size, g, n):
    """J. Duchi, E. Hazan, Y. Singer, JMLR 12, 2011."""
    lr, eps, scale = c[0], c[3], c[8]
    for i in range(n):
        d = g[i] * scale
        v = s[i] + d * d
        s[i] = v
        w[i] -= lr * d / np.sqrt(v + eps)


@apart
def adadelta(c, w, w_0, s, size, g, n):
    """M. Zeiler, arXiv:1212.5701, 2012."""
    s, u = s[:n], s[size : size + n]
    rho, eps, scale = c[1], c[3], c[8]
    for i in range(n):
        d = g[i] * scale
        v = rho * s[i] + (F32(1.0) - rho) * d * d
        step = np.sqrt((u[i] + eps) / (v + eps)) * d
        s[i] = v
        u[i] = rho * u[i] + (F32(1.0) - rho) * step * step
        w[i] -= step


@apart
def rmsprop(c, w, w_0, s, size, g, n):
    """T. Tieleman, G. Hinton, 2012."""
    lr, rho, eps, scale = c[0], c[1], c[3], c[8]
    for i in range(n):
        d = g[i] * scale
        v = rho * s[i] + (F32(1.0) - rho) * d * d
        s[i] = v
        w[i] -= lr * d / np.sqrt(v + eps)


ADAPTIVE_RULES: Final = (
    Rule("adagrad", 1, {"lr": 0.01, "eps": 1e-8}, adagrad, river="AdaGrad", code=3),
    Rule("adadelta", 2, {"rho": 0.95, "eps": 1e-8}, adadelta, river="AdaDelta", code=4),
    Rule("rmsprop", 1, {"lr": 0.003, "rho": 0.99, "eps": 1e-8}, rmsprop, river="RMSProp", code=5),
)
