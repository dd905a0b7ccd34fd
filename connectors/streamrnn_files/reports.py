"""Tables one below the other, each below a line that says when, as ``iostat -t`` and ``date; df`` in a loop write them, to JSON Lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streamrnn_files.cells import is_number, number
from streamrnn_files.moments import TimeForm, find_form
from streamrnn_files.options import SourceOptions

__all__ = ["Reports", "find_reports", "is_moment", "moment_of"]

FEWEST = 2
"""Tables that show that there are more."""

_WHEN = re.compile(r"[^,;=]{1,40}\d:\d{2}[^,;=]{0,24}")
"""What a line that holds nothing but a moment looks like."""


def _plain(line: str) -> list[str]:
    """Return the cells of a line without the marks that stand behind some names."""
    return [cell.rstrip(":") or cell for cell in line.split()]


def is_moment(line: str) -> bool:
    """Whether a line looks like one that holds a moment and nothing else.

    Parameters
    ----------
    line
        Without its line end.
    """
    return _WHEN.fullmatch(line.strip()) is not None


def moment_of(form: TimeForm, line: str) -> str | None:
    """Return the moment that a line holds and nothing else, None where it is another line.

    Parameters
    ----------
    form
        How moments are written.
    line
        Without its line end.
    """
    if not is_moment(line):
        return None
    if form.written:
        return line.strip() if find_form([line], bare=False) == form else None
    return form.read(line)


@dataclass(frozen=True, slots=True)
class Reports:
    """How such tables are read.

    Parameters
    ----------
    form
        How their moments are written.
    names
        The words of the row of names of the table with the most rows.
    width
        How many columns it has.
    """

    form: TimeForm
    names: tuple[str, ...]
    width: int

    def reader(self) -> Callable[[str], list[dict[str, object]] | None]:
        """Return what makes the records of each line, from the first of the file on."""
        when: list[str] = []
        below = [False]
        names = (*self.names[: self.width - 1], " ".join(self.names[self.width - 1 :]))

        def rows(line: str) -> list[dict[str, object]]:
            if (moment := moment_of(self.form, line)) is not None:
                when[:] = [moment]
                below[0] = False
                return []
            cells = _plain(line)
            if cells == list(self.names):
                below[0] = True
                return []
            below[0] = below[0] and len(cells) == self.width
            if not below[0] or not when:
                return []
            values = [number(cell) if is_number(cell) else cell for cell in cells]
            return [{"time": when[0], **dict(zip(names, values, strict=True))}]

        return rows


def find_reports(lines: Sequence[str], options: SourceOptions) -> Reports | None:
    """Return how tables below their moments are read, None where lines are something else.

    Parameters
    ----------
    lines
        The first lines of the file, blank ones left out.
    options
        What the user asks for.
    """
    whens = [line.strip() for line in lines if is_moment(line)]
    form = find_form(whens, wanted=options.time_format, bare=False) if FEWEST <= len(whens) < len(lines) / 2 else None
    if form is None:
        return None
    counted = Counter(line.strip() for line in lines)
    names = [
        _plain(line)
        for line, times in counted.items()
        if times >= len(whens) - 1 and not any(map(is_number, line.split())) and len(line.split()) > 1
    ]
    best: tuple[int, Reports | None] = (0, None)
    for words in names:
        for width in (len(words), len(words) - 1):  # a name of two words at the end: Mounted on
            found = Reports(form, tuple(words), width)
            reader = found.reader()
            records = [record for line in lines for record in reader(line) or ()]
            held = sum(any(isinstance(value, float) for value in record.values()) for record in records)
            if width > 1 and max(FEWEST, best[0] + 1) <= len(records) == held and len(set(words)) == len(words):
                best = len(records), found
    return best[1] if 4 * best[0] >= len(lines) else None
