"""The mixture in front of a net that learns labels, as users give it and see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.net.front.table import FRONT_EXPERTS, LAST_BIT
from streamrnn.models._parameters import check

__all__ = ["experts_of", "weights_by_name"]

MIDDLE: Final = "huber", "squared", "absolute", "cauchy", "epsilon_insensitive", "cross_entropy"
"""Losses whose net states the middle of a target, or probabilities: what all experts state. The others have a net alone."""


def experts_of(owner: str, given: Mapping[str, Any], loss: str) -> int:
    """Return the bits of the experts that an estimator has.

    Parameters
    ----------
    owner
        The class, for the error.
    given
        Its parameters by name.
    loss
        The row of the table of losses.

    Raises
    ------
    ParameterError
        When the experts do not go with the loss, or with a net that is not told its last targets.
    """
    if "autoregressive" not in given or "experts" not in given:  # no labels, or the net alone
        return FRONT_EXPERTS["net"]
    experts, told = given["experts"], bool(given["autoregressive"])
    if experts is None:
        return sum(FRONT_EXPERTS.values()) if told and loss in MIDDLE else FRONT_EXPERTS["net"]
    bits = sum(FRONT_EXPERTS[name] for name in experts)
    rule = f"('net',) with the loss {loss!r}, which states no middle"
    check(owner, "experts", experts, rule, ok=bits == FRONT_EXPERTS["net"] or loss in MIDDLE)
    check(owner, "experts", experts, "without 'last' with autoregressive=False", ok=told or not bits & LAST_BIT)
    return bits


def weights_by_name(
    mixture: NDArray[np.float64], experts: int, targets: Sequence[Any] | None
) -> dict[Any, float] | dict[Any, dict[Any, float]]:
    """Return the weight of each expert, by target where there are several.

    Parameters
    ----------
    mixture
        What a stream keeps of its mixtures, (rows, n), 4 E rows.
    experts
        The bits.
    targets
        Names of the n targets; None: there is one mixture.
    """
    names, E = [name for name, bit in FRONT_EXPERTS.items() if experts & bit], experts.bit_count()
    weights = mixture[3 * E : 4 * E].T if E > 1 else np.ones((len(targets) if targets else 1, 1))
    weights = np.where(weights.sum(axis=1, keepdims=True) > 0.0, weights, 1.0 / E)
    found = [dict(zip(names, one, strict=True)) for one in weights.tolist()]
    if targets is None:
        return found[0] if found else dict.fromkeys(names, 1.0 / E)
    return dict(zip(targets, found, strict=True))
