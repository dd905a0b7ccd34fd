"""Samples that come when their step was read: they are not seen any more, and those of the last steps are counted."""

from __future__ import annotations

from typing import Any

from streamrnn_prometheus.options import SourceOptions
from streamrnn_prometheus.steps import Rows, iso

__all__ = ["AGAIN", "Late"]

AGAIN = 4
"""How many steps are looked at again."""


class Late:
    """Looks at the last steps again, whenever the next one is asked for.

    Parameters
    ----------
    options
        What is asked.
    """

    def __init__(self, options: SourceOptions) -> None:
        self._options = options
        self._count = 0
        self._first = ""
        self._seen: list[dict[str, bytes]] = []

    @property
    def steps(self) -> int:
        """How many steps before the next one it knows."""
        return len(self._seen)

    def look(self, rows: Rows, n: int, before: int) -> None:
        """Compare the first steps with what was read, and note the last ones.

        Parameters
        ----------
        rows
            What is there now.
        n
            Of how many steps.
        before
            How many of them were read before: none, or all that it knows; the others are new.
        """
        skipped = 0 if before else max(0, n - AGAIN)
        now: list[dict[str, bytes]] = [{} for _ in range(n - skipped)]
        for i in range(rows.behind(skipped, 0), len(rows)):
            now[int(rows.at[i]) - skipped][rows.labels[rows.series[i]]] = rows.values[i].tobytes()
        for i in range(before):
            when = iso(rows.first + i * self._options.step_ms)
            for label in now[i].keys() | self._seen[i].keys():
                if now[i].get(label) != self._seen[i].get(label):
                    self._first = self._first or f"{label} at {when} ('lag_s' is how long it is waited for)"
                    self._count += 1
        self._seen = now[-AGAIN:]

    def forget(self) -> None:
        """Know no steps any more, as it is gone on elsewhere."""
        self._seen = []

    def told(self) -> dict[str, Any]:
        """Return the count, and the first one, where there is any."""
        return {"late": self._count, "first_late": self._first} if self._count else {}
