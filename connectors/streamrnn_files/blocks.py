"""Blocks of lines that name a value each, below a line that says when, as scripts append them to a log, to JSON Lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streamrnn_files.labelled import measured
from streamrnn_files.moments import TimeForm, find_form
from streamrnn_files.options import SourceOptions
from streamrnn_files.reports import is_moment, moment_of

__all__ = ["Blocks", "find_blocks"]

_FEWEST = 3
"""Blocks that show that there are more."""

_MOST = 0.8
"""The share of blocks that hold a name, and of lines that hold one of these."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """How such blocks are read.

    Parameters
    ----------
    form
        How their moments are written.
    last
        The name of the last value of a block: with it the record is whole.
    """

    form: TimeForm
    last: str

    def reader(self) -> Callable[[str], list[dict[str, object]] | None]:
        """Return what makes the records of each line, from the first of the file on; a block without its last value ends with the next moment."""
        row: dict[str, object] = {}

        def taken() -> list[dict[str, object]]:
            held = dict(row)
            row.clear()
            return [held] if len(held) > 1 else []

        def rows(line: str) -> list[dict[str, object]]:
            if (moment := moment_of(self.form, line)) is not None:
                before = taken()
                row["time"] = moment
                return before
            values = measured(line) if row else {}
            row.update(values)
            return taken() if self.last in values else []

        return rows


def find_blocks(lines: Sequence[str], options: SourceOptions) -> Blocks | None:
    """Return how blocks below their moments are read, None where lines are something else.

    Parameters
    ----------
    lines
        The first lines of the file, blank ones left out.
    options
        What the user asks for.
    """
    whens = [line.strip() for line in lines if is_moment(line)]
    form = find_form(whens, wanted=options.time_format, bare=False) if _FEWEST <= len(whens) <= len(lines) / 2 else None
    if form is None or not is_moment(lines[0]):
        return None
    names = [tuple(measured(line)) for line in lines if not is_moment(line)]
    counted = Counter(name for found in names for name in found)
    usual = [name for name, times in counted.items() if times >= _MOST * (len(whens) - 1)]
    held = sum(not set(usual).isdisjoint(found) for found in names)
    return Blocks(form, usual[-1]) if usual and held >= _MOST * len(names) else None
