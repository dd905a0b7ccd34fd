"""What a run has done so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from streamrnn.io import Block, DeadLetter
from streamrnn.scorers.scored import Scored

__all__ = ["Summary"]


@dataclass(slots=True)
class Summary:
    """Counters of a run.

    Parameters
    ----------
    events, alarms, dead_letters
        Committed.
    replayed
        Events that were learned again without being written again.
    snapshots, restores
        Written, and taken up.
    lost_commits
        Commits that were lost, or may have been.
    first_dead_letters
        A few, to show.

    Examples
    --------
    >>> from streamrnn.engine.summary import Summary
    >>> Summary().events
    0
    """

    events: int = 0
    alarms: int = 0
    dead_letters: int = 0
    replayed: int = 0
    snapshots: int = 0
    restores: int = 0
    lost_commits: int = 0
    first_dead_letters: list[DeadLetter] = field(default_factory=list)


Observer = Callable[[Block, Scored, Summary], None]
"""Called after each commit with what was committed."""
