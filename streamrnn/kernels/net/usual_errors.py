"""How far off answers usually are, by number: what is far off for a mixture, and the unit of prediction intervals.

The usual error of a number is the running mean of its absolute errors, of which each counts four usual ones at most; it is a stream's own. In units of it, as the
standard deviation of normal errors of that size, quantiles of the errors are tracked (:mod:`streamrnn.kernels.conformal`): one set for each number, shared by
all streams of the net, so that a new key has intervals at once. Errors are those of what was answered before the label was known, however late it comes;
errors of labels that were not known to one another say one thing several times, and move the quantiles the less.
"""

from __future__ import annotations

from typing import Final

from streamrnn.kernels.cells.activations import F32, ONE, ZERO
from streamrnn.kernels.compile import kernel
from streamrnn.kernels.conformal import LEVELS, OVERLAP, track
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.areas import learns_statistics
from streamrnn.kernels.net.scaler import usable
from streamrnn.kernels.net.target_inputs import overlap

KNOWN_ERRORS: Final = 5.0  # before so many the running error is itself noise
LONGEST_MEAN: Final = 1000.0  # errors, of those that the usual one is the mean of
ERROR_ALPHA: Final = 1.0 / LONGEST_MEAN
WILD_ERROR: Final = 4.0  # usual errors: the most that one counts
NORMAL_SPREAD: Final = 1.2533141373155001  # sqrt(pi / 2): the standard deviation of normal errors of mean size 1


@kernel
def usual_error(hd, d, k):
    """Return the usual error of number k, in its own unit; 0 as long as none is known."""
    settled = d[hd[at.USUAL] + hd[at.N_BANDS] + k] > KNOWN_ERRORS
    return d[hd[at.USUAL] + k] if settled else 0.0


@kernel
def is_first(hd, d, k):
    """Tell whether the next target of number k is the first one of its stream: nobody could know."""
    return d[hd[at.USUAL] + hd[at.N_BANDS] + k] == 0.0


@kernel
def forget_usual_errors(hd, d):
    """Let the next errors say what is usual: what was cut at the usual errors of another rule would teach for hundreds of events."""
    for k in range(hd[at.N_BANDS]):
        d[hd[at.USUAL] + hd[at.N_BANDS] + k] = 1.0


@kernel
def learn_errors(hd, f, d, y, w):
    """Take in the errors of what was answered for an event of weight w, now that its targets y (K, raw; NaN: not known) are here."""
    n = hd[at.N_BANDS]
    if n == 0 or w == 0.0 or not learns_statistics(hd):
        return
    usual, seen, scratch = hd[at.USUAL], hd[at.USUAL] + n, hd[at.BAND_MOVES]
    tracked = f[hd[at.BANDS] : hd[at.BANDS] + len(LEVELS) * n]
    z, moves = f[scratch : scratch + n], f[scratch + n : scratch + 2 * n]
    late = overlap(hd, d)
    pace = F32(OVERLAP / (OVERLAP + late - 1.0)) if late > 1.0 else ONE
    for k in range(n):
        z[k], moves[k] = ZERO, ZERO
        if not usable(y[k]):
            continue
        if d[seen + k] == 0.0:
            d[seen + k] = 1.0
            continue
        e, unit = y[k] - d[hd[at.MIXED] + k], usual_error(hd, d, k)
        size = abs(e)
        if unit > 0.0:
            size = min(size, WILD_ERROR * unit)
            z[k] = F32(e / (NORMAL_SPREAD * unit))
            moves[k] = -ONE if tracked[k] == ZERO and tracked[(len(LEVELS) - 1) * n + k] == ZERO else pace
        share = 1.0 / d[seen + k] if d[seen + k] < LONGEST_MEAN else ERROR_ALPHA
        d[usual + k] += share * (size - d[usual + k])
        d[seen + k] += 1.0
    if hd[at.FROZEN] == 0:
        track(tracked, z, moves)
