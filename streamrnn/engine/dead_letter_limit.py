"""Stops a run whose input has gone bad."""

from __future__ import annotations

from collections import deque

from streamrnn.engine.monitor import Summary
from streamrnn.errors import BadDataError
from streamrnn.io import Block
from streamrnn.scorers.scored import Scored

__all__ = ["DeadLetterLimit"]


class DeadLetterLimit:
    """Raises when more than a share of the last records were dead letters; an observer of the loop.

    It looks at whole blocks, after they are committed: the dead letters that stopped the run are written.

    Parameters
    ----------
    share
        Of the last ``window`` records, as a number in (0, 1].
    window
        Records looked at. Fewer never stop a run: the first lines of a stream prove nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.io import Block, DeadLetter
    >>> from streamrnn.engine.dead_letter_limit import DeadLetterLimit
    >>> from streamrnn.engine.monitor import Summary
    >>> bad = Block(("a",), np.empty((0, 1)), (), 90, dead_letters=[DeadLetter(i, "no number") for i in range(9)])
    >>> breaker = DeadLetterLimit(0.5, 10)
    >>> breaker(bad, None, Summary())
    >>> breaker(bad, None, Summary())
    Traceback (most recent call last):
    ...
    streamrnn.errors.BadDataError: 18 of the last 18 records could not become events, more than [dead_letter] ...
    """

    def __init__(self, share: float, window: int) -> None:
        self.share = share
        self.window = window
        self._blocks: deque[tuple[int, int]] = deque()
        self._records = 0
        self._dead = 0

    def __call__(self, block: Block, scored: Scored | None, summary: Summary) -> None:
        """Take in a block."""
        del scored, summary
        dead = len(block.dead_letters)
        self._blocks.append((len(block) + dead, dead))
        self._records += len(block) + dead
        self._dead += dead
        while self._records - self._blocks[0][0] >= self.window:
            records, gone = self._blocks.popleft()
            self._records -= records
            self._dead -= gone
        if self._records >= self.window and self._dead > self.share * self._records:
            last = block.dead_letters[-1].reason if block.dead_letters else "see the dead letters"
            raise BadDataError(
                f"{self._dead} of the last {self._records} records could not become events, more than [dead_letter] "
                f"max_share = {self.share} allows. The last one: {last} Look at the input; a restart goes on behind them."
            )
