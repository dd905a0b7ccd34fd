"""How many events are asked for at once: more where they are quickly done, so that polls and commits cost little of it."""

from __future__ import annotations

__all__ = ["Pace"]

LEAST = 2048
"""Smaller costs throughput: scoring and encoding have their costs a block."""

MOST = 16_384
"""Of a transaction; some megabytes of results."""

BLOCK_S = 0.05
"""What was scored and committed faster may be twice as much the next time: a signal waits for one block."""


class Pace:
    """Follows how long blocks take. Results do not depend on where blocks are cut.

    Parameters
    ----------
    fixed
        Events asked for at once, whatever they take; None: from ``LEAST`` to ``MOST``.

    Examples
    --------
    >>> from streamrnn.engine.pace import Pace
    >>> pace = Pace()
    >>> pace.took(2048, 0.02)
    >>> pace.events
    4096
    >>> pace.took(4096, 0.3)
    >>> pace.events
    2048
    """

    def __init__(self, fixed: int | None = None) -> None:
        self.events = LEAST if fixed is None else fixed
        self._fixed = fixed is not None

    def took(self, events: int, seconds: float) -> None:
        """Take notice of a poll that has been dealt with.

        Parameters
        ----------
        events
            What it brought.
        seconds
            How long it took from there to the end of its commit.
        """
        if self._fixed:
            return
        if seconds > 2 * BLOCK_S:
            self.events = max(LEAST, self.events // 2)
        elif events >= self.events and seconds < BLOCK_S:
            self.events = min(MOST, 2 * self.events)
