"""Element-wise optimisers, compiled, and the table that names them.

One step of each works on a run of weights ``w`` with its gradient ``g`` and moments ``s`` (rows of one array), with
constants prepared once an update. The rules and their defaults are river's (``river.optim``), so that a
river object can be given as a setting. ``eps`` stands inside the square root (as eps^2 where river adds eps
outside): the reciprocal square root is then one instruction.

Differences from river. FTRL-Proximal works on the displacement from the initial weights, applies a gradient in its own
update (river: in the next), and returns to the initial weight where |z| <= l1, as in the paper (river: stays where it
was). Nesterov's stored weights are the look-ahead ones. AdaBound's final rate follows the schedule as in the authors'
code (river multiplies it anew at each update, which a constant rate hides).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from streamrnn.kernels.cells.activations import F32, ZERO
from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net import words as at


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table of optimisers.

    Parameters
    ----------
    name
        What users write as ``optimizer=``.
    code
        What the kernel branches on.
    slots
        Arrays of moments kept for each weight.
    defaults
        Settings by name; ``lr`` first, where there is a learning rate.
    river
        Name of river's class, or "" where river has none.
    two_pass
        True where the step needs a norm of the whole gradient.
    """

    name: str
    code: int
    slots: int
    defaults: dict[str, float]
    river: str = ""
    two_pass: bool = False


(
    SGD, MOMENTUM, NESTEROV, ADAGRAD, ADADELTA, RMSPROP, ADAM, AMSGRAD, NADAM, ADAMAX, ADABOUND, FTRL, OBGD,
) = range(13)  # fmt: skip

_ADAM = {"lr": 0.005, "beta_1": 0.9, "beta_2": 0.99, "eps": 1e-8}
OPTIMIZERS: Final[dict[str, Rule]] = {
    rule.name: rule
    for rule in (
        Rule("adam", ADAM, 2, _ADAM, "Adam"),
        Rule("sgd", SGD, 0, {"lr": 0.01}, "SGD"),
        Rule("momentum", MOMENTUM, 1, {"lr": 0.01, "rho": 0.9}, "Momentum"),
        Rule("nesterov", NESTEROV, 1, {"lr": 0.01, "rho": 0.9}, "NesterovMomentum"),
        Rule("adagrad", ADAGRAD, 1, {"lr": 0.01, "eps": 1e-8}, "AdaGrad"),
        Rule("adadelta", ADADELTA, 2, {"rho": 0.95, "eps": 1e-8}, "AdaDelta"),
        Rule("rmsprop", RMSPROP, 1, {"lr": 0.003, "rho": 0.99, "eps": 1e-8}, "RMSProp"),
        Rule("amsgrad", AMSGRAD, 3, {**_ADAM, "correct_bias": 1.0}, "AMSGrad"),
        Rule("nadam", NADAM, 2, _ADAM, "Nadam"),
        Rule("adamax", ADAMAX, 2, _ADAM, "AdaMax"),
        Rule("adabound", ADABOUND, 2, {**_ADAM, "gamma": 1e-3, "final_lr": 0.1}, "AdaBound"),
        Rule("ftrl", FTRL, 2, {"lr": 0.05, "beta": 1.0, "l1": 0.0, "l2": 0.0}, "FTRLProximal"),
        Rule("obgd", OBGD, 0, {"lr": 1.0, "kappa": 2.0}, "", two_pass=True),
    )
}

# The word of the slab's settings that holds a setting. The other settings of a schedule share one word.
WORDS: Final[dict[str, int]] = {
    "lr": at.LR, "beta_1": at.BETA_1, "rho": at.BETA_1, "kappa": at.BETA_1, "beta": at.BETA_1, "beta_2": at.BETA_2,
    "eps": at.EPS, "gamma": at.OPT_A, "l1": at.OPT_A, "correct_bias": at.OPT_A, "final_lr": at.OPT_B, "l2": at.OPT_B,
    "power": at.POWER, "t0": at.POWER,
}  # fmt: skip

CONSTANT, INVERSE, OPTIMAL, PACED = range(4)
SCHEDULES: Final = {"Constant": CONSTANT, "InverseScaling": INVERSE, "Optimal": OPTIMAL}
PACE: Final = 4  # learned events of an update that a rule's own rate is meant for
MOST_PACES: Final = 2  # times that rate, at most: 4 times costs 2 % in noise that no net can foresee


@kernel
def learning_rate(hd, hyper, t):
    """Return the learning rate after t updates, by river's schedulers."""
    if hd[at.SCHEDULE] == INVERSE:
        return hyper[at.LR] / (t + 1.0) ** hyper[at.POWER]
    if hd[at.SCHEDULE] == OPTIMAL:  # LR holds alpha, POWER holds t0
        return 1.0 / (hyper[at.LR] * (hyper[at.POWER] + t))
    return hyper[at.LR]


@kernel
def prepare(hd, hyper, c):
    """Write what a step needs beside the moments: c (16 float32), once an update. ``c[8]`` scales the gradient."""
    rule = hd[at.OPTIMIZER]
    lr = learning_rate(hd, hyper, float(hd[at.UPDATES]))
    t = float(hd[at.UPDATES]) + 1.0
    # the decays as the steps use them, in float32, so that the corrections are exactly theirs
    b1, b2, eps = float(F32(hyper[at.BETA_1])), float(F32(hyper[at.BETA_2])), hyper[at.EPS]
    bias_1 = 1.0
    bias_2 = 1.0
    if rule == ADAM or rule == AMSGRAD or rule == NADAM or rule == ADAMAX or rule == ADABOUND:
        bias_1 = 1.0 - b1**t
        bias_2 = 1.0 - b2**t
    c[0] = lr
    c[1] = b1
    c[2] = b2
    c[3] = eps * eps if rule in (ADAM, AMSGRAD, NADAM, ADABOUND) else eps
    c[4] = 1.0 / bias_1
    c[5] = 1.0 / bias_2
    c[6] = 0.0
    c[7] = 0.0
    c[8] = 1.0
    if rule == ADAM:
        c[9] = lr * np.sqrt(bias_2) / bias_1
        c[10] = eps * eps * bias_2
    if rule == AMSGRAD:  # river corrects the learning rate, not the moments
        c[4] = np.sqrt(bias_2) / bias_1 if hyper[at.OPT_A] != 0.0 else 1.0
    if rule == ADABOUND:
        final = hyper[at.OPT_B] * lr / learning_rate(hd, hyper, 0.0)
        c[0] = lr * np.sqrt(bias_2) / bias_1
        c[6] = final * (1.0 - 1.0 / (hyper[at.OPT_A] * t + 1.0))
        c[7] = final * (1.0 + 1.0 / (hyper[at.OPT_A] * t))
    if rule == FTRL:
        c[1] = hyper[at.BETA_1]  # beta
        c[6] = hyper[at.OPT_A]  # l1
        c[7] = hyper[at.OPT_B]  # l2


@kernel
def quicken(hd, c, learned):
    """Let an update of many learned events take the place of several, where the rate is the rule's own (``PACED``)."""
    if hd[at.SCHEDULE] == PACED:
        k = np.float32(min(max(learned / PACE, 1.0), MOST_PACES))
        c[0] *= k
        c[6] *= k
        c[7] *= k
        c[9] *= k


@kernel
def _sgd(c, w, g, n):
    lr = c[0] * c[8]
    for i in range(n):
        w[i] -= lr * g[i]


@kernel
def _momentum(c, w, s, g, n):
    lr, rho = c[0] * c[8], c[1]
    for i in range(n):
        v = rho * s[i] + lr * g[i]
        s[i] = v
        w[i] -= v


@kernel
def _nesterov(c, w, s, g, n):
    lr, rho = c[0] * c[8], c[1]
    for i in range(n):
        v = rho * s[i] + lr * g[i]
        w[i] -= v + rho * (v - s[i])
        s[i] = v


@kernel
def _adagrad(c, w, s, g, n):
    lr, eps, scale = c[0], c[3], c[8]
    for i in range(n):
        d = g[i] * scale
        v = s[i] + d * d
        s[i] = v
        w[i] -= lr * d / np.sqrt(v + eps)


@kernel
def _adadelta(c, w, s, u, g, n):
    rho, eps, scale = c[1], c[3], c[8]
    for i in range(n):
        d = g[i] * scale
        v = rho * s[i] + (F32(1.0) - rho) * d * d
        step = np.sqrt((u[i] + eps) / (v + eps)) * d
        s[i] = v
        u[i] = rho * u[i] + (F32(1.0) - rho) * step * step
        w[i] -= step


@kernel
def _rmsprop(c, w, s, g, n):
    lr, rho, eps, scale = c[0], c[1], c[3], c[8]
    for i in range(n):
        d = g[i] * scale
        v = rho * s[i] + (F32(1.0) - rho) * d * d
        s[i] = v
        w[i] -= lr * d / np.sqrt(v + eps)


@kernel
def _adam(c, w, m, v, g, n):
    # the corrections of both moments are in c[9] and c[10], and the averages are written as steps towards the new value:
    # multiplications are what limits this loop
    k1, k2, scale, lr, eps2 = F32(1.0) - c[1], F32(1.0) - c[2], c[8], c[9], c[10]
    for i in range(n):
        d = g[i] * scale
        a = m[i] + k1 * (d - m[i])
        b = v[i] + k2 * (d * d - v[i])
        m[i] = a
        v[i] = b
        w[i] -= lr * a / np.sqrt(b + eps2)


@kernel
def _amsgrad(c, w, m, v, u, g, n):
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


@kernel
def _nadam(c, w, m, v, g, n):
    b1, b2, eps2, scale = c[1], c[2], c[3], c[8]
    lr, bias_2 = c[0] * c[4], c[5]
    for i in range(n):
        d = g[i] * scale
        a = b1 * m[i] + (F32(1.0) - b1) * d
        b = b2 * v[i] + (F32(1.0) - b2) * d * d
        m[i] = a
        v[i] = b
        w[i] -= lr * (b1 * a + (F32(1.0) - b1) * d) / np.sqrt(b * bias_2 + eps2)


@kernel
def _adamax(c, w, m, u, g, n):
    b1, b2, eps, scale = c[1], c[2], c[3], c[8]
    lr = c[0] * c[4]
    for i in range(n):
        d = g[i] * scale
        a = b1 * m[i] + (F32(1.0) - b1) * d
        top = max(b2 * u[i], abs(d))
        m[i] = a
        u[i] = top
        w[i] -= lr * a / (top + eps)


@kernel
def _adabound(c, w, m, v, g, n):
    b1, b2, eps2, scale, lr, low, high = c[1], c[2], c[3], c[8], c[0], c[6], c[7]
    for i in range(n):
        d = g[i] * scale
        a = b1 * m[i] + (F32(1.0) - b1) * d
        b = b2 * v[i] + (F32(1.0) - b2) * d * d
        m[i] = a
        v[i] = b
        w[i] -= min(max(lr / np.sqrt(b + eps2), low), high) * a


@kernel
def _ftrl(c, w, w_0, z, q, g, n):
    alpha, beta, l1, l2, scale = c[0], c[1], c[6], c[7], c[8]
    for i in range(n):
        d = g[i] * scale
        before = q[i]
        after = before + d * d
        s = (np.sqrt(after) - np.sqrt(before)) / alpha
        y = z[i] + d - s * (w[i] - w_0[i])
        z[i] = y
        q[i] = after
        shrunk = max(abs(y) - l1, ZERO)
        w[i] = w_0[i] - (shrunk if y > ZERO else -shrunk) / ((beta + np.sqrt(after)) / alpha + l2)


@kernel
def _pull(w, w_0, p, n):
    for i in range(n):
        w[i] += p * (w_0[i] - w[i])


@kernel
def step(rule, c, w, w_0, s, size, g, n, pull):
    """Take one step on n weights.

    ``s`` starts at this run's place in the first array of moments; the next arrays lie ``size`` further each.
    ``pull`` moves the weights towards their initial values by that share.
    """
    if rule == ADAM:
        _adam(c, w, s[:n], s[size : size + n], g, n)
    elif rule == SGD or rule == OBGD:
        _sgd(c, w, g, n)
    elif rule == MOMENTUM:
        _momentum(c, w, s, g, n)
    elif rule == NESTEROV:
        _nesterov(c, w, s, g, n)
    elif rule == ADAGRAD:
        _adagrad(c, w, s, g, n)
    elif rule == ADADELTA:
        _adadelta(c, w, s[:n], s[size : size + n], g, n)
    elif rule == RMSPROP:
        _rmsprop(c, w, s, g, n)
    elif rule == AMSGRAD:
        _amsgrad(c, w, s[:n], s[size : size + n], s[2 * size : 2 * size + n], g, n)
    elif rule == NADAM:
        _nadam(c, w, s[:n], s[size : size + n], g, n)
    elif rule == ADAMAX:
        _adamax(c, w, s[:n], s[size : size + n], g, n)
    elif rule == ADABOUND:
        _adabound(c, w, s[:n], s[size : size + n], g, n)
    elif rule == FTRL:
        _ftrl(c, w, w_0, s[:n], s[size : size + n], g, n)
    if pull > ZERO:
        _pull(w, w_0, pull, n)
