"""Weights before the first event: from (seed, layer, row's name) alone.

Neither the order in which features arrive nor features that come later change an existing weight. Numbers come from
SplitMix64 (G. Steele et al., OOPSLA 2014) keyed by BLAKE2 of the name: the same on every machine and version.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.cells.contract import Cell

TAU_MAX: Final = 1e4  # longest time constant drawn, in events; 1e3 halves the share of lag-1000 runs solved
# Bound of an input's weights, whatever H and I are: inputs are standardised, so that the common value moves a gate a
# little and a rare one (20 standard deviations) opens or shuts it. 0.18 (that is 1/sqrt(32)): lag 1000 is not found in
# 3e6 events; 1: fifty one-hot inputs drown the cell. Not 1/sqrt(I): a new input would change the weights of the others.
INPUT_BOUND: Final = 0.5

_MASK = (1 << 64) - 1


def uniform(n: int, *key: object) -> NDArray[np.float64]:
    """Return n numbers in [0, 1), a pure function of ``key``.

    Examples
    --------
    >>> from streamrnn.kernels.net.init import uniform
    >>> uniform(2, 0, "flow").round(6).tolist() == uniform(3, 0, "flow")[:2].round(6).tolist()
    True
    """
    digest = hashlib.blake2b(repr(key).encode(), digest_size=8).digest()
    state = np.uint64(int.from_bytes(digest, "little"))
    with np.errstate(over="ignore"):
        z = state + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53


def input_row(cell: Cell, hidden: int, seed: int, layer: int, name: str) -> NDArray[np.float64]:
    """Return the weights (G) of one input: uniform in +-1/2, for layers above the first in +-1/sqrt(H)."""
    u = uniform(cell.gates * hidden, seed, "input", layer, name)
    return (2.0 * u - 1.0) * (INPUT_BOUND if layer == 0 else 1.0 / math.sqrt(hidden))


def recurrent_rows(cell: Cell, hidden: int, seed: int, layer: int) -> NDArray[np.float64]:
    """Return the weights (H, G) of the recurrence: uniform in +-1/sqrt(H)."""
    u = uniform(hidden * cell.gates * hidden, seed, "recurrent", layer)
    return ((2.0 * u - 1.0) / math.sqrt(hidden)).reshape(hidden, cell.gates * hidden)


def timescales(cell: Cell, hidden: int, seed: int, layer: int) -> NDArray[np.float64]:
    """Return the biases (G) that give unit j the time constant tau_j, log-uniform in [1, 1e4] events.

    Forget bias log(tau - 1), input bias its negative (C. Tallec, Y. Ollivier, arXiv:1804.11188, 2018).
    """
    bias = np.zeros((cell.gates, hidden))
    # stratified, so that every net has the short and the long ones
    u = (np.arange(hidden) + uniform(hidden, seed, "tau", layer)) / hidden
    logit = np.log(np.maximum(TAU_MAX**u - 1.0, 1e-1))
    if cell.forget_gate >= 0:
        bias[cell.forget_gate] = logit
    if cell.input_gate >= 0:
        bias[cell.input_gate] = -logit
    if cell.carry_gate >= 0:
        bias[cell.carry_gate] = logit
    return bias.reshape(-1)


def classic(cell: Cell, hidden: int, seed: int, layer: int) -> NDArray[np.float64]:
    """Return zero biases, and 1 for the forget gate (R. Jozefowicz et al., ICML 2015)."""
    bias = np.zeros((cell.gates, hidden))
    if cell.forget_gate >= 0:
        bias[cell.forget_gate] = 1.0
    return bias.reshape(-1)


INITIALIZERS: Final[dict[str, Callable[[Cell, int, int, int], NDArray[np.float64]]]] = {
    "timescales": timescales,
    "classic": classic,
}


def waves(seed: int, name: object, n: int, scale: float) -> NDArray[np.float64]:
    """Return the fixed weights (n) of one feature in random Fourier features, in turns: normal, of standard deviation ``scale`` / 2 pi."""
    u = uniform(2 * n, seed, "waves", name).reshape(2, n)
    normal: NDArray[np.float64] = np.sqrt(-2.0 * np.log1p(-u[0])) * np.cos(2.0 * np.pi * u[1])
    return normal * (scale / (2.0 * np.pi))


def echo(units: int, seed: int) -> NDArray[np.float64]:
    """Return the fixed weights of the units of a detector's head, (2, units): of one value each, 1.5 either way, and biases."""
    u = uniform(4 * units, seed, "echo").reshape(2, 2, units)
    normal: NDArray[np.float64] = np.sqrt(-2.0 * np.log1p(-u[0])) * np.cos(2.0 * np.pi * u[1])
    normal[0] = np.copysign(1.5, normal[0])
    return normal
