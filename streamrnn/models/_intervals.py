"""Prediction intervals of what is learned from labels: an answer, and quantiles of the errors of answers before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.conformal import LEVELS, NORMAL
from streamrnn.kernels.net.losses.table import LOSSES
from streamrnn.kernels.net.usual_errors import NORMAL_SPREAD
from streamrnn.models._net import Net

__all__ = ["intervals"]


def intervals(net: Net, answers: NDArray[np.float64], area: int, level: float, loss: str) -> list[tuple[float, float]]:
    """Return low and high for each number that a net answers.

    Parameters
    ----------
    net
        Whose errors are followed.
    answers
        (K,), in the targets' own units.
    area
        The memory of the stream.
    level
        What share of the targets lies between, in the long run; half of the others on either side.
    loss
        The row of the table of losses: of a count nothing below 0 is stated.
    """
    tracked, usual = net.array("bands"), net.layout.view(net.slab, "usual_errors", area)[0]
    least, found = LOSSES[loss].least, []
    for k, answer in enumerate(answers.tolist()):
        quantiles = np.sort(tracked[:, k]) if tracked[:, k].any() else NORMAL  # they can cross while they move
        low, high = np.interp((0.5 - level / 2, 0.5 + level / 2), LEVELS, quantiles) * (NORMAL_SPREAD * usual[k])
        found.append((max(answer + float(low), least), max(answer + float(high), least)))
    return found
