"""The last value, and the last label with its repeat rate, both learned as they run.

Of each class three numbers are kept, forgotten over a thousand labels: how often it was followed by itself, how often by another, and
how often it came. The last label has its own rate of repeats, that of all classes until it has been seen some times, and the others share the rest by how often
they come. Labels that come late overlap: so many of them say what one says.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net import words as at

RATE_FORGET: Final = 0.999
FIRST: Final = 0.5  # repeats and changes of a class before the first that is seen
ALIKE: Final = 4.0  # as if a class had been seen so many times with the repeats of all; with 1, late labels lost to the last known one by a fifth
RARE: Final = 1e-3


@kernel
def state_last_label(hd, d, o, overlap):
    """Write the probabilities o (K) that follow from the last label, told ``overlap`` labels late; NaN where there is none."""
    last, rates = d[hd[at.TOLD] + hd[at.TARGET_INPUTS]], hd[at.RATES]
    if hd[at.LASTS] == 0 or not last >= 0.0:
        for k in range(o.size):
            o[k] = np.nan
        return
    c, prior = int(last), FIRST * overlap
    stayed, known = prior, 2.0 * prior
    for k in range(o.size):
        stayed += d[rates + 3 * k]
        known += d[rates + 3 * k] + d[rates + 3 * k + 1]
    own = d[rates + 3 * c] + d[rates + 3 * c + 1]
    stays = (d[rates + 3 * c] + ALIKE * overlap * stayed / known) / (own + ALIKE * overlap)
    others = 0.0
    for k in range(o.size):
        o[k] = d[rates + 3 * k + 2] + RARE
        others += o[k] if k != c else 0.0
    for k in range(o.size):
        o[k] = o[k] * (1.0 - stays) / others if k != c else (stays if o.size > 1 else 1.0)


@kernel
def learn_last_label(hd, d, label, w, overlap):
    """Take a known label of weight w into the rates: with the one that had been told for its event."""
    last, rates = d[hd[at.TOLD] + hd[at.TARGET_INPUTS]], hd[at.RATES]
    if last >= 0.0:
        c, kept = rates + 3 * int(last), RATE_FORGET ** (1.0 / overlap)
        d[c] *= kept
        d[c + 1] *= kept
        d[c if label == int(last) else c + 1] += w
    for k in range(hd[at.OUTPUTS]):
        d[rates + 3 * k + 2] *= RATE_FORGET
    d[rates + 3 * label + 2] += w


@kernel
def state_last_value(hd, d, o):
    """Write the last known values o (K), in the targets' own units; NaN where there is none."""
    for k in range(o.size):
        o[k] = d[hd[at.TOLD] + hd[at.TARGET_INPUTS] + k] if k < hd[at.LASTS] else np.nan
