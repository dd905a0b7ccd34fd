"""The columns that a partition has learned, and how they may change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from streamrnn.errors import ModelChangedError
from streamrnn.io import Block

__all__ = ["Columns"]


class Columns:
    """Knows which columns were learned, and since when; more may come, none may go between two runs.

    Examples
    --------
    >>> from streamrnn.engine.columns import Columns
    >>> columns = Columns()
    >>> columns.meet(("a",), 0)
    >>> columns.meet(("a", "b"), 100)
    >>> columns.learned, columns.take_growth(), columns.take_growth()
    ({'a': 0, 'b': 100}, ['b'], [])
    """

    def __init__(self) -> None:
        self.learned: dict[str, int] = {}
        """Each with the events that were learned before it came."""
        self.current: tuple[str, ...] | None = None
        """Those that came last; None: nothing has come since a snapshot was taken up."""
        self._written: tuple[str, ...] = ()
        self._growth: list[str] = []

    def meet(self, names: tuple[str, ...], events: int) -> None:
        """Take notice of the columns that come from here on.

        Parameters
        ----------
        names
            Of the columns.
        events
            Events learned before.

        Raises
        ------
        ModelChangedError
            When columns of the snapshot are missing.
        """
        self.check(names)
        fresh = [name for name in names if name not in self.learned]
        self._growth += fresh if self.learned else []
        self.learned |= dict.fromkeys(fresh, events if self.learned else 0)
        self._written, self.current = (), names

    def check(self, names: Sequence[str]) -> None:
        """Raise where columns of the snapshot are missing: their nets would see nothing there for ever.

        Parameters
        ----------
        names
            Of the columns that come, or will.

        Raises
        ------
        ModelChangedError
            With those that are missing, and what to do.
        """
        gone = [name for name in self._written if name not in names]
        if gone:
            raise ModelChangedError(
                f"The snapshot was written with the columns {', '.join(self._written)}; now {', '.join(gone)} "
                f"{'is' if len(gone) == 1 else 'are'} missing, and there {'is' if len(names) == 1 else 'are'} {', '.join(names)}. "
                "Restore the old [source] columns (more may be added), let a new model go on with [state] on_change = 'fresh', or "
                "start anew with --fresh."
            )

    def take_growth(self) -> list[str]:
        """Return the columns that have come to nets which had learned without them, once."""
        grown, self._growth = self._growth, []
        return grown

    def of_then(self, block: Block) -> Block:
        """Return a block with the columns that were learned when an earlier run scored it.

        Parameters
        ----------
        block
            As it is read now.
        """
        self.check(block.names)
        known = [i for i, name in enumerate(block.names) if name in self.learned]
        if not self.learned or len(known) == len(block.names):
            return block
        return replace(block, names=tuple(block.names[i] for i in known), values=block.values[:, known])

    def expect(self, written: Mapping[str, int]) -> None:
        """Have the next columns compared with those of a snapshot.

        Parameters
        ----------
        written
            What ``learned`` was.
        """
        self._written = tuple(written)

    def restore(self, written: Mapping[str, int]) -> None:
        """Take up the columns of a snapshot.

        Parameters
        ----------
        written
            What ``learned`` was.
        """
        self.learned, self.current = dict(written), None
