"""What a run tells of itself: counters, and what happens, to whoever watches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass, field

from streamrnn.io import Block, DeadLetter
from streamrnn.scorers.scored import Scored

__all__ = ["Monitor", "Summary"]


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
    >>> from streamrnn.engine.monitor import Summary
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


class Monitor:
    """Told by the loop as it goes. This one forgets it all; :class:`~streamrnn.daemon.health.Health` remembers.

    Examples
    --------
    >>> from streamrnn.engine.monitor import Monitor
    >>> Monitor().stepped(0.01, 2048)
    """

    def stepped(self, seconds: float, events: int) -> None:
        """Models have scored and learned a block of ``events`` events.

        Parameters
        ----------
        seconds
            How long that took.
        events
            How many.
        """

    def committed(self, seconds: float, snapshots: Mapping[str, Sized]) -> None:
        """A block's results are written, with snapshots of some partitions.

        Parameters
        ----------
        seconds
            How long that took.
        snapshots
            Snapshots that were written, by partition.
        """

    def assigned(self, partition: str, seconds: float, restored: bool) -> None:
        """A partition has come; ``restored``: with the state of an earlier run.

        Parameters
        ----------
        partition
            Its name.
        seconds
            How long that took.
        restored
            Whether it came with the state of an earlier run.
        """

    def replaying(self, partition: str, events: int) -> None:
        """A partition reads events again that an earlier run has written: so many so far.

        Parameters
        ----------
        partition
            Its name.
        events
            How many.
        """

    def replayed(self, partition: str) -> None:
        """A partition has none (any more) to read again.

        Parameters
        ----------
        partition
            Its name.
        """

    def grown(self, partition: str, columns: Sequence[str]) -> None:
        """The input of a partition has columns that its nets had not when they were restored; they have grown.

        Parameters
        ----------
        partition
            Its name.
        columns
            Names of the columns.
        """

    def revoked(self, partition: str) -> None:
        """A partition has gone.

        Parameters
        ----------
        partition
            Its name.
        """

    def lost(self, why: str, in_a_row: int) -> None:
        """A commit was lost, or may be: the ``in_a_row``-th without one that was not. What it held is read and learned again.

        Parameters
        ----------
        why
            What happened, in a sentence; None: it is over.
        in_a_row
            How many were lost without one between that was not.
        """

    def troubled(self, why: str | None) -> None:
        """Something cannot be written for now; None: it can again.

        Parameters
        ----------
        why
            What happened, in a sentence; None: it is over.
        """
