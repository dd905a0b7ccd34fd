"""Losses on the net's outputs: value and gradient, by a run-time code.

Gradients are those of ``river.optim.losses`` where river has the loss (but ``epsilon_insensitive`` takes the target
as it is; river's maps it to 2 y - 1). A target that is NaN is not known: its gradient
is zero. Regression losses see standardised targets; ``log`` sees 0/1 and a logit; ``cross_entropy`` sees the
index of the class and one logit a class; ``gaussian`` has two outputs a target, mean and log-variance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net import words as at


@dataclass(frozen=True, slots=True)
class LossRow:
    """One row of the table of losses.

    Parameters
    ----------
    name
        What users write as ``loss=``.
    code
        What the kernel branches on.
    task
        ``"regression"``, ``"binary"`` or ``"multiclass"``.
    defaults
        Settings by name, at most two.
    river
        Name of river's class, or "".
    outputs_per_target
        1, or 2 where the net states a spread as well.
    """

    name: str
    code: int
    task: str = "regression"
    defaults: dict[str, float] = field(default_factory=dict)
    river: str = ""
    outputs_per_target: int = 1


(
    SQUARED, ABSOLUTE, HUBER, QUANTILE, GAUSSIAN, LOG, CROSS_ENTROPY, CAUCHY, EPSILON, POISSON, HINGE,
    FOCAL,
) = range(12)  # fmt: skip

LOSSES: Final[dict[str, LossRow]] = {
    row.name: row
    for row in (
        LossRow("huber", HUBER, defaults={"epsilon": 3.0}, river="Huber"),
        LossRow("squared", SQUARED, river="Squared"),
        LossRow("absolute", ABSOLUTE, river="Absolute"),
        LossRow("quantile", QUANTILE, defaults={"alpha": 0.5}, river="Quantile"),
        LossRow("gaussian", GAUSSIAN, outputs_per_target=2),
        LossRow("cauchy", CAUCHY, defaults={"C": 80.0}, river="Cauchy"),
        LossRow("epsilon_insensitive", EPSILON, defaults={"eps": 0.1}, river="EpsilonInsensitiveHinge"),
        LossRow("poisson", POISSON, river="Poisson"),
        LossRow("log", LOG, "binary", {"weight_pos": 1.0, "weight_neg": 1.0}, "Log"),
        LossRow("hinge", HINGE, "binary", {"threshold": 1.0}, "Hinge"),
        LossRow("focal", FOCAL, "binary", {"gamma": 2.0, "beta": 1.0}, "BinaryFocalLoss"),
        LossRow("cross_entropy", CROSS_ENTROPY, "multiclass", river="CrossEntropy"),
    )
}

LARGEST_EXPONENT: Final = 30.0  # largest exponent of a log-variance or a Poisson rate: exp(30) = 1e13


@kernel
def value_and_gradient(code, y, o, a, b):
    """Return loss and dL/do for one known target and one output; a, b: the loss's settings."""
    d = o - y
    if code == SQUARED:
        return d * d, 2.0 * d
    if code == ABSOLUTE:
        return abs(d), 1.0 if d > 0.0 else -1.0
    if code == HUBER:
        if abs(d) <= a:
            return 0.5 * d * d, d
        return a * abs(d) - 0.5 * a * a, a if d > 0.0 else -a
    if code == QUANTILE:
        return (a - (1.0 if d > 0.0 else 0.0)) * -d, (1.0 if d > 0.0 else 0.0) - a
    if code == CAUCHY:
        return abs(d), d / ((d / a) ** 2 + 1.0)
    if code == EPSILON:
        return max(abs(d) - a, 0.0), (1.0 if d > a else (-1.0 if d < -a else 0.0))
    if code == POISSON:
        rate = np.exp(min(o, LARGEST_EXPONENT))
        return rate - y * o, rate - y
    sign = 1.0 if y > 0.5 else -1.0
    if code == LOG or code == FOCAL:
        weight = (a if y > 0.5 else b) if code == LOG else 1.0
        slope = 1.0 if code == LOG else a  # the focal loss is log(1 + exp(-(gamma z + beta))) / gamma
        z = sign * o if code == LOG else a * sign * o + b
        # exp(-|z|): never beyond 1
        e = np.exp(-abs(z))
        value = np.log1p(e) + max(-z, 0.0)
        return weight * value / slope, -sign * weight * ((e if z > 0.0 else 1.0) / (1.0 + e))
    # HINGE
    return max(a - sign * o, 0.0), (-sign if sign * o <= a else 0.0)


@kernel
def output_gradient(code, targets, out, grad, hyper):
    """Write dL/d(outputs) for one event: targets (float64), out, grad (K float32). Return (known, loss)."""
    a, b = hyper[at.LOSS_A], hyper[at.LOSS_B]
    K = out.size
    known = 0
    loss = 0.0
    if code == CROSS_ENTROPY:
        y = targets[0]
        if not (y >= 0.0 and y < K):
            for k in range(K):
                grad[k] = 0.0
            return 0, 0.0
        top = out[0]
        for k in range(1, K):
            top = max(top, out[k])
        total = 0.0
        for k in range(K):
            total += np.exp(float(out[k] - top))
        right = int(y)
        for k in range(K):
            p = np.exp(float(out[k] - top)) / total
            grad[k] = p - (1.0 if k == right else 0.0)
        return 1, np.log(total) - float(out[right] - top)
    if code == GAUSSIAN:
        half = K // 2
        for k in range(half):
            y = targets[k]
            grad[k] = 0.0
            grad[half + k] = 0.0
            if abs(y) >= 0.0:
                d = out[k] - y
                s = min(max(float(out[half + k]), -LARGEST_EXPONENT), LARGEST_EXPONENT)
                w = np.exp(-s)
                known += 1
                loss += 0.5 * (s + d * d * w)
                grad[k] = d * w
                grad[half + k] = 0.5 * (1.0 - d * d * w)
        return known, loss
    for k in range(K):
        y = targets[k]
        grad[k] = 0.0
        if abs(y) >= 0.0:  # not NaN
            one, slope = value_and_gradient(code, y, float(out[k]), a, b)
            known += 1
            loss += one
            grad[k] = slope
    return known, loss
