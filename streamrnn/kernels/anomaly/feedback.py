"""Feedback on an event: the view that decided its score counts more or less from then on."""

from __future__ import annotations

from typing import Final

from streamrnn.kernels.anomaly import novelty
from streamrnn.kernels.anomaly.views import GAIN_OF, VIEWS, WAS_ANOMALY
from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.words import FOUND_WORDS

SHIFT: Final = 1.25  # factor by which one piece of feedback moves the weight of the deciding view
MOST_SHIFT: Final = 4.0
RESIDUAL, SURPRISE = VIEWS.index("residual"), VIEWS.index("surprise")
RANGE, STICKING = VIEWS.index("range"), VIEWS.index("sticking")
BY_VIEW: Final = 7  # word of what was found for an event: which view decides; 0 for the one that gave the score


@kernel
def corrected(gain, is_anomaly):
    """Return the gain of a view (its weight is 1 + gain) after one piece of feedback on an event that it decided."""
    by = SHIFT if is_anomaly else 1.0 / SHIFT
    return min(max((1.0 + gain) * by, 1.0 / MOST_SHIFT), MOST_SHIFT) - 1.0


@kernel
def deciding_view(hd, d, F):
    """Return the deciding view of the deciding feature of the event that was judged last."""
    first = int(d[hd[at.FOUND] + FOUND_WORDS * F + 1])
    by = d[hd[at.FOUND] + FOUND_WORDS * F + BY_VIEW]
    if by != 0.0:
        return int(by)
    gains = d[hd[at.GAINS] + at.GAIN_WORDS * first : hd[at.GAINS] + at.GAIN_WORDS * (first + 1)]
    return novelty.decider(gains, d[hd[at.FOUND] + FOUND_WORDS * first : hd[at.FOUND] + FOUND_WORDS * (first + 1)])


@kernel
def apply_feedback(hd, d, F, mode):
    """Apply feedback: move the weight of the deciding view of the deciding feature."""
    view = deciding_view(hd, d, F)
    if view >= 0 and GAIN_OF[view] >= 0:
        first = int(d[hd[at.FOUND] + FOUND_WORDS * F + 1])
        place = hd[at.GAINS] + at.GAIN_WORDS * first + GAIN_OF[view]
        d[place] = corrected(d[place], mode & WAS_ANOMALY != 0)
