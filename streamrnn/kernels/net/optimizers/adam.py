"""Adam (D. Kingma, J. Ba, ICLR 2015) and its kin.

``eps`` stands inside the square root, as eps^2 where river adds eps outside: the reciprocal square root is then one instruction.
AdaBound's final rate follows the schedule as in the authors' code (river multiplies it anew at each update, which a constant rate hides).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.cells.activations import F32, ZERO
from streamrnn.kernels.compile import apart, kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.optimizers.contract import Rule


@kernel
def _corrections(hyper, t):
    """Return what the averages of t updates lack of the whole: 1 - beta^t, for the decays in float32 as the steps use them."""
    return 1.0 - float(F32(hyper[at.BETA_1])) ** t, 1.0 - float(F32(hyper[at.BETA_2])) ** t


@kernel
def _corrected(c, hyper, t):
    """Write eps^2 and the reciprocal corrections; return the corrections."""
    bias_1, bias_2 = _corrections(hyper, t)
    c[3] = hyper[at.EPS] * hyper[at.EPS]
    c[4] = 1.0 / bias_1
    c[5] = 1.0 / bias_2
    return bias_1, bias_2


@kernel
def prepare_adam(c, hyper, lr, lr_0, t):
    """Write the rate with both corrections in it, and eps^2 to match."""
    bias_1, bias_2 = _corrected(c, hyper, t)
    c[9] = lr * np.sqrt(bias_2) / bias_1
    c[10] = hyper[at.EPS] * hyper[at.EPS] * bias_2


@kernel
def prepare_amsgrad(c, hyper, lr, lr_0, t):
    """Correct the learning rate, not the moments, as river does."""
    bias_1, bias_2 = _corrected(c, hyper, t)
    c[4] = np.sqrt(bias_2) / bias_1 if hyper[at.OPT_A] != 0.0 else 1.0


@kernel
def prepare_nadam(c, hyper, lr, lr_0, t):
    """Write the corrections."""
    _corrected(c, hyper, t)


@kernel
def prepare_adamax(c, hyper, lr, lr_0, t):
    """Write the corrections; eps stays as it is."""
    _corrected(c, hyper, t)
    c[3] = hyper[at.EPS]


@kernel
def prepare_adabound(c, hyper, lr, lr_0, t):
    """Write the corrected rate and its bounds, which close in on the final rate."""
    bias_1, bias_2 = _corrected(c, hyper, t)
    final = hyper[at.OPT_B] * lr / lr_0
    c[0] = lr * np.sqrt(bias_2) / bias_1
    c[6] = final * (1.0 - 1.0 / (hyper[at.OPT_A] * t + 1.0))
    c[7] = final * (1.0 + 1.0 / (hyper[at.OPT_A] * t))


@apart
def adam(c, w, w_0, s, size, g, n):
    """Adam."""
    m, v = s[:n], s[size : size + n]
    # the corrections of both moments are in c[9] and c[10], and the averages are written as steps towards the new value:
    # multiplications are what limits this loop
    k1, k2, scale, lr, eps2, pull = F32(1.0) - c[1], F32(1.0) - c[2], c[8], c[9], c[10], c[11]
    for i in range(n):
        d = g[i] * scale
        a = m[i] + k1 * (d - m[i])
        b = v[i] + k2 * (d * d - v[i])
        m[i] = a
        v[i] = b
        new = w[i] - lr * a / np.sqrt(b + eps2)
        if pull > ZERO:
            new += pull * (w_0[i] - new)
        w[i] = new
    c[11] = ZERO


@apart
def amsgrad(c, w, w_0, s, size, g, n):
    """S. Reddi, S. Kale, S. Kumar, ICLR 2018."""
    m, v, u = s[:n], s[size : size + n], s[2 * size : 2 * size + n]
    b1, b2, eps2, scale = c[1], c[2], c[3], c[8]
    lr = c[0] * c[4]
    for i in range(n):
        d = g[i] * scale
        a = b1 * m[i] + (F32(1.0) - b1) * d
        b = b2 * v[i] + (F32(1.0) - b2) * d * d
        top = max(u[i], b)
        m[i] = a
        v[i] = b
        u[i] = top
        w[i] -= lr * a / np.sqrt(top + eps2)


@apart
def nadam(c, w, w_0, s, size, g, n):
    """T. Dozat, 2016."""
    m, v = s[:n], s[size : size + n]
    b1, b2, eps2, scale = c[1], c[2], c[3], c[8]
    lr, bias_2 = c[0] * c[4], c[5]
    for i in range(n):
        d = g[i] * scale
        a = b1 * m[i] + (F32(1.0) - b1) * d
        b = b2 * v[i] + (F32(1.0) - b2) * d * d
        m[i] = a
        v[i] = b
        w[i] -= lr * (b1 * a + (F32(1.0) - b1) * d) / np.sqrt(b * bias_2 + eps2)


@apart
def adamax(c, w, w_0, s, size, g, n):
    """Adam with the largest gradient for the second moment."""
    m, u = s[:n], s[size : size + n]
    b1, b2, eps, scale = c[1], c[2], c[3], c[8]
    lr = c[0] * c[4]
    for i in range(n):
        d = g[i] * scale
        a = b1 * m[i] + (F32(1.0) - b1) * d
        top = max(b2 * u[i], abs(d))
        m[i] = a
        u[i] = top
        w[i] -= lr * a / (top + eps)


@apart
def adabound(c, w, w_0, s, size, g, n):
    """L. Luo et al., ICLR 2019."""
    m, v = s[:n], s[size : size + n]
    b1, b2, eps2, scale, lr, low, high = c[1], c[2], c[3], c[8], c[0], c[6], c[7]
    for i in range(n):
        d = g[i] * scale
        a = b1 * m[i] + (F32(1.0) - b1) * d
        b = b2 * v[i] + (F32(1.0) - b2) * d * d
        m[i] = a
        v[i] = b
        w[i] -= min(max(lr / np.sqrt(b + eps2), low), high) * a


_DEFAULTS_OF_ADAM: Final = {"lr": 0.005, "beta_1": 0.9, "beta_2": 0.99, "eps": 1e-8}
ADAM_RULES: Final = (
    Rule("adam", 2, _DEFAULTS_OF_ADAM, adam, prepare_adam, river="Adam", code=6),
    Rule("amsgrad", 3, {**_DEFAULTS_OF_ADAM, "correct_bias": 1.0}, amsgrad, prepare_amsgrad, river="AMSGrad", code=7),
    Rule("nadam", 2, _DEFAULTS_OF_ADAM, nadam, prepare_nadam, river="Nadam", code=8),
    Rule("adamax", 2, _DEFAULTS_OF_ADAM, adamax, prepare_adamax, river="AdaMax", code=9),
    Rule(
        "adabound", 2, {**_DEFAULTS_OF_ADAM, "gamma": 1e-3, "final_lr": 0.1}, adabound, prepare_adabound, river="AdaBound", code=10
    ),
)  # fmt: skip
