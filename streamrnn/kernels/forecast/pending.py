"""Where forecasts wait for their values: for h + 1 steps ahead there are h + 1 of them at any moment, so that each step has a ring of its own length.

All rings of one expert and channel lie behind each other, H (H + 1) / 2 numbers. What was forecast at t - h - 1 of t lies where what is forecast at t
of t + h + 1 will: it is read first.
"""

from __future__ import annotations

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.forecast import words as at


@kernel
def find_pending(hd, t):
    """Write for event t where the forecasts for each of H steps lie; return how many numbers all rings take."""
    H = hd[at.HORIZON]
    first = 0
    for h in range(H):
        hd[hd[at.PENDING_AT] + h] = first + t % (h + 1)
        first += h + 1
    return first


@kernel
def rings_of(hd):
    """Return how many numbers all rings of one expert and channel take."""
    return hd[at.HORIZON] * (hd[at.HORIZON] + 1) // 2


@kernel
def take_pending(hd, kept, start, rows, into):
    """Write what waits for this event into lanes: for each of some rows (experts and channels, or channels) H numbers."""
    H, size, places = hd[at.HORIZON], rings_of(hd), hd[at.PENDING_AT]
    for r in range(rows):
        for h in range(H):
            into[r * H + h] = kept[start + r * size + hd[places + h]]
