"""The shapes of lines that are no table, or one on its side: how each is told, and what makes JSON Lines of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streamrnn_files.access_log import access_rows, is_access
from streamrnn_files.blocks import Blocks, find_blocks
from streamrnn_files.day_rows import DayRows, find_day_rows
from streamrnn_files.labelled import is_labelled, labelled_rows
from streamrnn_files.line_protocol import ProtocolLines, is_protocol
from streamrnn_files.line_stage import LineStage
from streamrnn_files.options import SourceOptions
from streamrnn_files.reports import Reports, find_reports
from streamrnn_files.wide import Wide, find_wide

__all__ = ["SHAPES", "Shape"]

_Stage = ProtocolLines | LineStage


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape.

    Parameters
    ----------
    name
        What a person calls it.
    lines
        How many of the first lines tell it; more are not looked at.
    may_be
        Whether the first line may be one: where not, no more are waited for.
    stage
        Returns what makes JSON Lines of it, None where the lines are another shape.
    turned
        Whether it is a table, and its rows could be read as they are.
    """

    name: str
    lines: int
    may_be: Callable[[str, SourceOptions], bool]
    stage: Callable[[Sequence[str], SourceOptions], _Stage | None]
    turned: bool = False


def _no_table(options: SourceOptions) -> bool:
    """Whether nothing is said that only a table has."""
    return options.skip is None and options.header is None and options.delimiter is None and options.comment is None


def _stage(found: Reports | Blocks | DayRows | Wide | None) -> _Stage | None:
    """Return what reads lines as they were found to be."""
    return None if found is None else LineStage(found.reader())


SHAPES = (
    Shape(
        "line protocol", 1,
        lambda first, options: _no_table(options) and is_protocol(first),
        lambda _, __: ProtocolLines(),
    ),
    Shape(
        "access log", 1,
        lambda first, options: _no_table(options) and is_access(first),
        lambda _, __: LineStage(access_rows),
    ),
    Shape(
        "lines with names", 4,
        lambda first, options: _no_table(options) and (not options.follow or is_labelled([first])),
        lambda lines, _: LineStage(labelled_rows) if is_labelled(lines) else None,
    ),
    Shape(
        "tables below their times", 200,
        lambda _, options: not options.follow and _no_table(options),
        lambda lines, options: _stage(find_reports(lines, options)),
    ),
    Shape(
        "values below their times", 200,
        lambda _, options: not options.follow and _no_table(options),
        lambda lines, options: _stage(find_blocks(lines, options)),
    ),
    Shape(
        "rows of days", 200,
        lambda _, options: not options.follow and _no_table(options),
        lambda lines, options: _stage(find_day_rows(lines, options)),
        turned=True,
    ),
    Shape(
        "a table whose columns are times", 200,
        lambda _, options: not options.follow and options.skip is None,
        lambda lines, options: _stage(find_wide(lines, options)),
        turned=True,
    ),
)  # fmt: skip
"""In the order in which they are tried."""
