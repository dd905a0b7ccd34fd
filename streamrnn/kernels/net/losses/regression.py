"""Losses of numbers. Targets are standardised, so settings are in standard deviations; gradients are those of ``river.optim.losses``.

``epsilon_insensitive`` takes the target as it is; river's maps it to 2 y - 1. river's value of ``cauchy`` is |d|, which is kept.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net.losses.contract import LossRow

LARGEST_EXPONENT: Final = 30.0  # of a log-variance or a Poisson rate: exp(30) = 1e13


@kernel
def squared(y, o, a, b):
    """Return d^2 and 2 d."""
    d = o - y
    return d * d, 2.0 * d


@kernel
def absolute(y, o, a, b):
    """Return |d| and its sign."""
    d = o - y
    return abs(d), 1.0 if d > 0.0 else -1.0


@kernel
def huber(y, o, a, b):
    """Return d^2 / 2 up to a, and a line beyond (P. Huber, 1964)."""
    d = o - y
    if abs(d) <= a:
        return 0.5 * d * d, d
    return a * abs(d) - 0.5 * a * a, a if d > 0.0 else -a


@kernel
def quantile(y, o, a, b):
    """Return the pinball loss of level a."""
    d = o - y
    return (a - (1.0 if d > 0.0 else 0.0)) * -d, (1.0 if d > 0.0 else 0.0) - a


@kernel
def cauchy(y, o, a, b):
    """Return |d|, and the gradient of a^2 / 2 log(1 + (d / a)^2)."""
    d = o - y
    return abs(d), d / ((d / a) ** 2 + 1.0)


@kernel
def epsilon_insensitive(y, o, a, b):
    """Return what |d| exceeds a by."""
    d = o - y
    return max(abs(d) - a, 0.0), (1.0 if d > a else (-1.0 if d < -a else 0.0))


@kernel
def poisson(y, o, a, b):
    """Return the negative log-likelihood of a count y for the log-rate o, without the part that is fixed."""
    rate = np.exp(min(o, LARGEST_EXPONENT))
    return rate - y * o, rate - y


@kernel
def rates(hd, d, o):
    """Turn log-rates into rates."""
    for k in range(o.size):
        o[k] = np.exp(min(o[k], LARGEST_EXPONENT))


REGRESSION_LOSSES: Final = (
    LossRow("huber", huber, defaults={"epsilon": 3.0}, river="Huber", code=2),
    LossRow("squared", squared, river="Squared", code=0),
    LossRow("absolute", absolute, river="Absolute", level=0.5, code=1),
    LossRow("quantile", quantile, defaults={"alpha": 0.5}, river="Quantile", level=0.5, code=3),
    LossRow("cauchy", cauchy, defaults={"C": 80.0}, river="Cauchy", code=7),
    LossRow(
        "epsilon_insensitive",
        epsilon_insensitive,
        defaults={"eps": 0.1},
        river="EpsilonInsensitiveHinge",
        level=0.5,
        code=8,
    ),
    LossRow("poisson", poisson, link=rates, least=0.0, river="Poisson", code=9),
)
