"""Losses of two classes: the target is 0 or 1, the output a logit."""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net.losses.contract import LossRow


@kernel
def _logistic(z):
    """Return log(1 + exp(-z)) and 1 / (1 + exp(z)), without an exp beyond 1."""
    e = np.exp(-abs(z))
    return np.log1p(e) + max(-z, 0.0), (e if z > 0.0 else 1.0) / (1.0 + e)


@kernel
def log(y, o, a, b):
    """Return the negative log-likelihood, times a for a 1 and b for a 0."""
    sign = 1.0 if y > 0.5 else -1.0
    weight = a if y > 0.5 else b
    value, p = _logistic(sign * o)
    return weight * value, -sign * weight * p


@kernel
def hinge(y, o, a, b):
    """Return what the margin sign o lacks to a."""
    sign = 1.0 if y > 0.5 else -1.0
    return max(a - sign * o, 0.0), (-sign if sign * o <= a else 0.0)


@kernel
def focal(y, o, a, b):
    """Return log(1 + exp(-(a z + b))) / a, z = sign o (T. Lin et al., ICCV 2017, appendix)."""
    sign = 1.0 if y > 0.5 else -1.0
    value, p = _logistic(a * sign * o + b)
    return value / a, -sign * p


@kernel
def probabilities(hd, d, o):
    """Turn logits into probabilities."""
    for k in range(o.size):
        o[k] = 1.0 / (1.0 + np.exp(-o[k]))


BINARY_LOSSES: Final = (
    LossRow(
        "log", log, link=probabilities, task="binary", defaults={"weight_pos": 1.0, "weight_neg": 1.0}, river="Log", code=5
    ),
    LossRow("hinge", hinge, task="binary", defaults={"threshold": 1.0}, river="Hinge", code=10),
    LossRow("focal", focal, task="binary", defaults={"gamma": 2.0, "beta": 1.0}, river="BinaryFocalLoss", code=11),
)  # fmt: skip
