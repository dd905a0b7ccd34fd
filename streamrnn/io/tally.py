"""What of cells and records could not be read as they stand."""

from __future__ import annotations

from collections import Counter
from typing import Any

__all__ = ["Tally"]

MOST = 1000
"""Kinds that are told apart; the rest is counted together."""


class Tally:
    """Bad cells by column and kind, records that were passed over, and those without a time: what a source adds to ``chosen()``.

    A cell that holds something that is no number is missing, and its record is an event all the same, unless none of its watched cells
    can be read.

    Examples
    --------
    >>> from streamrnn.io import Tally
    >>> tally = Tally()
    >>> tally.bad("CO", "text", "'abc' is not a number")
    >>> tally.bad("CO", "text", "'x' is not a number")
    >>> tally.told()
    {'bad_cells': {'CO': {'text': 2}}, 'first_bad_cells': {'CO': "'abc' is not a number"}, 'passed_over': 0}
    """

    def __init__(self) -> None:
        self._bad: Counter[tuple[str, str]] = Counter()
        self._first: dict[str, str] = {}
        self.passed = 0
        self.untimed = 0

    def bad(self, column: str, kind: str, why: str) -> None:
        """Count a cell.

        Parameters
        ----------
        column
            Its column.
        kind
            What is wrong with it, in a word.
        why
            In a sentence.
        """
        self._first.setdefault(column, why)
        where = (column, kind)
        if where not in self._bad and len(self._bad) >= MOST:
            where = ("", kind)
        self._bad[where] += 1

    def told(self) -> dict[str, Any]:
        """Return the counts, as JSON can hold them."""
        bad: dict[str, dict[str, int]] = {}
        for (column, kind), times in list(self._bad.items()):  # may be asked from another thread
            bad.setdefault(column, {})[kind] = times
        found = {"bad_cells": bad, "first_bad_cells": dict(self._first), "passed_over": self.passed}
        return found | ({"untimed": self.untimed} if self.untimed else {})
