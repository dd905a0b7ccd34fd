"""Losses of all outputs of an event together: classes, and numbers with a spread."""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.losses.contract import LossRow
from streamrnn.kernels.net.losses.regression import LARGEST_EXPONENT
from streamrnn.kernels.net.scaler import spread

GAUSSIAN: Final = 4
CROSS_ENTROPY: Final = 6


@kernel
def cross_entropy(targets, out, grad, a, b):
    """Return the negative log-probability of class ``targets[0]`` under the softmax of out (K)."""
    K = out.size
    y = targets[0] if K > 0 else np.nan
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


@kernel
def softmax(hd, d, o):
    """Turn logits into probabilities that sum to 1."""
    if o.size == 0:
        return
    top = o[0]
    for k in range(1, o.size):
        top = max(top, o[k])
    total = 0.0
    for k in range(o.size):
        o[k] = np.exp(o[k] - top)
        total += o[k]
    for k in range(o.size):
        o[k] /= total


@kernel
def gaussian(targets, out, grad, a, b):
    """Return the negative log-likelihood of normal targets (K / 2): means in the first half of out (K), log-variances in the second."""
    known = 0
    loss = 0.0
    half = out.size // 2
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


@kernel
def standard_deviations(hd, d, o):
    """Turn log-variances of standardised targets into standard deviations in the targets' units."""
    half = o.size // 2
    for k in range(half):
        scale = spread(d[hd[at.Y_MEAN] + k], d[hd[at.Y_VAR] + k]) if hd[at.NORMALIZE_Y] != 0 else 1.0
        o[half + k] = scale * np.exp(0.5 * min(max(o[half + k], -LARGEST_EXPONENT), LARGEST_EXPONENT))


JOINT_LOSSES: Final = (
    LossRow("gaussian", joint=gaussian, link=standard_deviations, outputs_per_target=2, code=GAUSSIAN),
    LossRow(
        "cross_entropy", joint=cross_entropy, link=softmax, task="multiclass", river="CrossEntropy", code=CROSS_ENTROPY
    ),
)
