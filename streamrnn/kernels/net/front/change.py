"""A change of the rule: the linear expert's loss is far above that of late, event after event.

With l the loss, m and s its running mean and standard deviation over ``LOSS_MEMORY`` events::

    z = min((l - m) / s, WILDEST_LOSS),   S = max(0, S + z - LOSS_ALLOWED),   a change where S > CHANGE_THRESHOLD

(E. S. Page, Continuous Inspection Schemes, Biometrika 41, 1954; in streams of labels: J. Gama et al., Learning with Drift Detection, SBIA 2004.) What was learned of
how sure the coefficients are then says nothing of the new rule: matrix and rates of the experts start anew, so that the next events teach as the first ones did
(G. Goodwin, H. Elliott, E. K. Teoh, Deterministic convergence of a self-tuning regulator with covariance resetting, IEE Proc. D 130, 1983).
The coefficients stay: where it was a false alarm, with coefficients of 0 the errors on series of people would be a tenth higher.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.losses.joint import CROSS_ENTROPY

LOSS_MEMORY: Final = 200.0  # events; with 500 a week of holidays is a change
SETTLED_LOSS: Final = (
    100.0  # events before which, and after a change, none is looked for: the experts are still learning
)
LOSS_ALLOWED: Final = 1.0  # standard deviations above the mean; with half of one a restless day sums up
WILDEST_LOSS: Final = 4.0  # the most that one event counts
CHANGE_THRESHOLD: Final = 30.0  # at least ten events; with 15 loads and tides lose 1 to 3 %
LEAST_LOSS_SPREAD: Final = 0.1  # of a loss: of a probability, or a share of the mean where targets are numbers
MOST_LOSS: Final = 1e150


@kernel
def changed(hd, d, loss):
    """Take the linear expert's loss in; tell whether the rule has changed. All starts anew then."""
    own = d[hd[at.LINEAR_LOSS] : hd[at.LINEAR_LOSS] + 4]
    mean, n = own[0], own[2]
    least = LEAST_LOSS_SPREAD if hd[at.LOSS] == CROSS_ENTROPY else LEAST_LOSS_SPREAD * mean
    sd = max(np.sqrt(own[1]), least)
    beyond = min(loss, MOST_LOSS) - mean
    if n >= SETTLED_LOSS and sd > 0.0:
        own[3] = max(0.0, own[3] + min(beyond / sd, WILDEST_LOSS) - LOSS_ALLOWED)
        if own[3] > CHANGE_THRESHOLD:
            for i in range(4):
                own[i] = 0.0
            return True
    step = min(beyond, WILDEST_LOSS * sd) if n >= SETTLED_LOSS else beyond
    share = max(1.0 / (n + 1.0), 1.0 / LOSS_MEMORY)
    own[0] += share * step
    own[1] = (1.0 - share) * (own[1] + share * step * step)
    own[2] += 1.0
    return False


@kernel
def start_anew(hd, d):
    """Forget how sure the experts' coefficients are."""
    for i in range(hd[at.LINEAR_P_SIZE]):
        d[hd[at.LINEAR_P] + i] = 0.0
    for i in range(hd[at.N_WAVES]):
        d[hd[at.WAVE_P] + i] = 0.0
