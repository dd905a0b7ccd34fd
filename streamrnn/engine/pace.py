"""How many events are asked for at once, and how long they are waited for: more where they are quickly done, longer where none come."""

from __future__ import annotations

__all__ = ["POLL_S", "Pace"]

POLL_S = 0.2
"""Longest wait for a first event, in seconds: how late a signal is noticed on a stream that has just been quiet."""

QUIET_S = 1.0
"""The same where nothing has come for some waits: each costs a client some work, and a stream that is quiet all day should cost nothing."""

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
    >>> pace.waited(found=False)
    >>> pace.wait_s
    0.4
    """

    def __init__(self, fixed: int | None = None) -> None:
        self.events = LEAST if fixed is None else fixed
        self.wait_s = POLL_S
        self._fixed = fixed is not None

    def waited(self, *, found: bool) -> None:
        """Take notice of a poll that has come back.

        Parameters
        ----------
        found
            Whether it brought anything: events, or partitions that come or go.
        """
        self.wait_s = POLL_S if found else min(QUIET_S, 2 * self.wait_s)

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
