"""What is kept of a key for its alarm rule, and for the scores of its label: which number means what, and which there can be. No numba."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

RANK_PARTS: Final = 4
RANK_INTERVALS: Final = 32

# ---- of a key, for the rank rule (int64 words) -----------------------------------------------------
RANK_EVENTS, RANK_COOLDOWN_LEFT, RANK_KEPT, RANK_FILL, RANK_PART, RANK_USED, RANK_COUNTS = range(7)
RANK_TOPS: Final = RANK_COUNTS + RANK_INTERVALS  # counts are four of 16 bits in a word, one for each part
RANK_WORDS: Final = RANK_TOPS + RANK_INTERVALS // 2  # tops are float32, the largest first
COUNT_BITS: Final = 16  # of a count
COUNT_MASK: Final = 0xFFFF

# ---- settings of the rank rule (float64 words) -----------------------------------------------------
RANK_RATE, RANK_COOLDOWN, RANK_WARM_UP, RANK_PART_LENGTH, RANK_SETTINGS = range(5)

# ---- of a key, for the errors of its label (float64 words): sums are of what labels differ from the first -----
LABELS_SEEN, LABEL_FIRST, LABEL_SUM, LABEL_SQUARES, LABEL_WORDS = range(5)


def possible(words: NDArray[np.int64], most_events: int) -> bool:
    """Tell whether words of keys, (n, RANK_WORDS), are such as the rule leaves behind after no more than so many events."""
    head = words[:, :RANK_COUNTS]
    events, _, kept, fill, part, used = head.T
    if (head < 0).any() or (events > most_events).any() or (kept > events).any():
        return False
    if (part >= RANK_PARTS).any() or (used >= RANK_INTERVALS).any():
        return False
    counts = words[:, RANK_COUNTS:RANK_TOPS].copy().view(np.uint16).reshape(len(words), RANK_INTERVALS, RANK_PARTS)
    tops = words[:, RANK_TOPS:].copy().view(np.float32)
    of_parts = counts.sum(axis=1, dtype=np.int64)
    taken = np.arange(RANK_INTERVALS) < used[:, np.newaxis]
    with np.errstate(invalid="ignore"):
        falls = (tops[:, 1:] < tops[:, :-1]) | ~taken[:, 1:]
    return bool(
        (counts.any(axis=2) == taken).all()
        and (of_parts.sum(axis=1) == kept).all()
        and (of_parts <= COUNT_MASK).all()
        and (np.take_along_axis(of_parts, part[:, np.newaxis], 1)[:, 0] == fill).all()
        and np.isfinite(tops[taken]).all()
        and not tops[~taken].any()
        and falls.all()
    )
