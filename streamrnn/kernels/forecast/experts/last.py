"""The last value, and the last confirmed value: two forecasts that cost nothing and are hard to beat.

``last`` repeats the newest value. ``steady`` does too, but not where the value has just jumped by more than ``JUMP`` usual
changes: until a second value confirms a jump it repeats the value before. On a stream of spikes ``last`` is
wrong twice for each, on one of steps ``steady`` is; which kind of stream it is, the weights after a jump tell.
"""

from __future__ import annotations

from typing import Final

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.experts.contract import Expert, place

JUMP: Final = 7.5  # usual changes (6 root mean square ones): a larger one waits for a second value to confirm it
LAST_CODE: Final = 0
STEADY_CODE: Final = 1
LAST_ROW: Final = Expert("last", LAST_CODE, prior=2.0)
STEADY_ROW: Final = Expert("steady", STEADY_CODE, prior=0.5)


@kernel
def last(hd, d, c, e, value):
    """Forecast ``value`` for every step ahead."""
    start = place(hd, c, e)
    for h in range(hd[at.HORIZON]):
        d[start + h] = value
