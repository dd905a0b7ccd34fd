"""The learning rate over time: river's schedules, and the pace of updates of many events."""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net import words as at

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
def quicken(hd, c, learned):
    """Let an update of many learned events take the place of several, where the rate is the rule's own (``PACED``)."""
    if hd[at.SCHEDULE] == PACED:
        k = np.float32(min(max(learned / PACE, 1.0), MOST_PACES))
        c[0] *= k
        c[6] *= k
        c[7] *= k
        c[9] *= k
