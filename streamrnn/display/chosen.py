"""What a source chose of its input, in lines for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from streamrnn.safe_text import safe_name

__all__ = ["chosen_lines", "unread_lines", "window_lines"]

SHOWN = 12
"""Columns that are named; of others, how many there are."""

_SPANS = ((604800.0, "week"), (86400.0, "day"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def _names(names: Sequence[str]) -> str:
    said = ", ".join(safe_name(name, 40, isolate=False) for name in names[:SHOWN])
    return said + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _span(seconds: float, form: str) -> str:
    for word, scale in (("milli", 1e3), ("micro", 1e6), ("nano", 1e9)):
        if form.startswith(word):
            seconds /= scale
    length, unit = next(((length, unit) for length, unit in _SPANS if seconds % length == 0), (1.0, "s"))
    return f"{seconds / length:g} {unit}"


def _time(chosen: Mapping[str, Any]) -> str:
    when = chosen.get("time")
    if when is None:
        return "none found: events count (--time COLUMN)"
    said = [safe_name(when["column"], 60, isolate=False), when["format"]]
    unwritten = when["zone"].startswith("not")
    said.append(f"no zone is written: {when['zone'].rpartition(' ')[2]}" if unwritten else f"zone {when['zone']}")
    if "step_s" in when:
        gaps = when.get("gaps", 0)
        said.append(
            f"every {_span(when['step_s'], when['format'])}"
            + (f" with {gaps} gap{'s' if gaps > 1 else ''} in the first records" if gaps else "")
        )
    if "doubt" in when:
        said.append(when["doubt"])
    return ", ".join(said)


def _form(chosen: Mapping[str, Any]) -> str:
    said = [chosen["format"]]
    if "separator" in chosen:
        said.append(f"separator {chosen['separator']}")
        said.append("decimal comma" if chosen["decimal"] == "," else "decimal point")
        said.append(
            "names in its first row"
            if chosen["header"]
            else "no header: columns are c0, c1, ... (--header if they have names)"
        )
    if chosen.get("lines_skipped"):
        count = chosen["lines_skipped"]
        said.append(f"{count} line{'s' if count > 1 else ''} before the table skipped (--skip N)")
    if "comment" in chosen:
        said.append(f"lines that begin with {chosen['comment']} are no rows")
    said.append(chosen["encoding"])
    return ", ".join(said)


def chosen_lines(chosen: Mapping[str, Any]) -> list[str]:
    r"""Return the lines that say what was chosen.

    Parameters
    ----------
    chosen
        What ``Source.chosen()`` returned.

    Examples
    --------
    >>> from streamrnn.display.chosen import chosen_lines
    >>> found = {"file": "a.jsonl", "format": "JSON Lines", "encoding": "utf-8", "columns": ["flow"], "left_out": {"id": "an id"},
    ...          "time": None, "key": None, "order": "oldest first"}
    >>> print(*chosen_lines(found), sep="\n")
    a.jsonl: JSON Lines, utf-8
      watched   flow
      left out  id: an id (--column NAME watches one)
      time      none found: events count (--time COLUMN)
      key       none
    """
    key, order = chosen.get("key"), chosen.get("order", "oldest first")
    lines = [
        f"{safe_name(str(chosen['file']), 80, isolate=False)}: {_form(chosen)}",
        f"  watched   {_names(chosen['columns']) or 'none: records are counted (--column NAME counts those with a value there)'}",
    ]
    if chosen.get("turned"):
        lines[-1] += ": each cell is a record, its column says its time "
        objects = "JSON" in str(chosen["format"])
        lines[-1] += "(--column NAME watches one row by row)" if objects else "(--format csv takes rows as they are)"
    if "still" in chosen:
        lines[-1] += f": none changes in the first {chosen['still']} records (--column NAME watches another one)"
    if chosen.get("sideways"):
        lines[-1] += (
            ": names are times, so an event is a row of several moments (turn the table to watch them one by one)"
        )
    left = [f"{safe_name(name, 40, isolate=False)}: {why}" for name, why in chosen["left_out"].items()]
    if left:
        more = f"; {len(left) - SHOWN} more" if len(left) > SHOWN else ""
        lines.append(f"  left out  {'; '.join(left[:SHOWN])}{more} (--column NAME watches one)")
    lines.append(f"  time      {_time(chosen)}")
    found = " (--key '' for none)" if chosen.get("key_found") else ""
    lines.append(f"  key       {'none' if key is None else safe_name(key, 60, isolate=False)}{found}")
    if order == "mixed":
        order += ": times go back and forth, records are read as written (--key COLUMN where it holds several series; else sort it)"
    if order != "oldest first":
        lines.append(f"  order     {order}" + (" (--order as_written)" if "end" in order else ""))
    marks = [
        f"{', '.join(f'{mark:g}' for mark in found)} in {safe_name(name, 40, isolate=False)}"
        for name, found in chosen.get("missing", {}).items()
    ]
    if marks:
        lines.append(f"  missing   {'; '.join(marks[:SHOWN])} (--missing '' for none)")
    units = [f"{safe_name(name, 40, isolate=False)} in {unit}" for name, unit in chosen.get("units", {}).items()]
    if units:
        lines.append(f"  units     {'; '.join(units[:SHOWN])}")
    return lines + [f"  in doubt  {said}" for said in chosen.get("doubts", ())]


def unread_lines(chosen: Mapping[str, Any]) -> list[str]:
    """Return the lines that say what could not be read as it stands.

    Parameters
    ----------
    chosen
        What ``Source.chosen()`` returned at the end.

    Examples
    --------
    >>> from streamrnn.display.chosen import unread_lines
    >>> unread_lines({"bad_cells": {"a": {"text": 2}}, "first_bad_cells": {"a": "'x' is not a number"}, "passed_over": 1})
    ["2 cells of a could not be read, and count as missing: 2 text. The first: 'x' is not a number.", '1 line was passed over: comments, or the header once more.']
    """
    lines = []
    for name, kinds in chosen.get("bad_cells", {}).items():
        count = sum(kinds.values())
        cells = "1 cell" if count == 1 else f"{count:,} cells"
        said = ", ".join(f"{times:,} {kind}" for kind, times in kinds.items())
        first = chosen["first_bad_cells"].get(name)
        lines.append(
            f"{cells} of {safe_name(name, 40, isolate=False)} could not be read, and count as missing: {said}."
            + (f" The first: {first}." if first else "")
        )
    if passed := chosen.get("passed_over"):
        lines.append(
            f"{passed:,} line{'s were' if passed > 1 else ' was'} passed over: comments, or the header once more."
        )
    if untimed := chosen.get("untimed"):
        lines.append(
            f"{untimed:,} record{'s have' if untimed > 1 else ' has'} no time: a row of totals, or a cell left empty."
        )
    return lines


_LEFT_OUT = {
    "late": "record{s} came behind the end of {its} window and {was} not counted (--lateness waits longer)",
    "untimed": "record{s} without a time {was} in no window (--time COLUMN)",
    "ahead": "record{s} lay further than {ahead} from the latest time and {was} passed over",
    "unfilled": "empty window{s} of long pauses {was} left out",
    "dropped": "open window{s} {was} dropped: there are more keys than [state] max_keys",
    "doubled": "record{s} in the hour that comes twice when clocks go back {was} told apart by {its} order",
    "skipped": "record{s} in the hour that is left out when clocks go forward {was} read as if they did not",
    "open": "window{s} at the end {was} not given out: no later record has closed {them}",
}


def window_lines(counts: Mapping[str, int], max_ahead: float | str) -> list[str]:
    """Return the lines that say what windows left out, and what was odd of local times.

    Parameters
    ----------
    counts
        What ``Runtime.windows()`` returned at the end.
    max_ahead
        ``[alarms] max_ahead``.

    Examples
    --------
    >>> from streamrnn.display.chosen import window_lines
    >>> window_lines({"late": 2, "open": 1}, "1d")
    ['2 records came behind the end of their window and were not counted (--lateness waits longer).', '1 window at the end was not given out: no later record has closed it.']
    """
    lines = []
    for name, said in _LEFT_OUT.items():
        if count := counts.get(name):
            many = count > 1
            words = {"s": "s" if many else "", "was": "were" if many else "was", "its": "their" if many else "its"}
            text = said.format(**words, them="them" if many else "it", ahead=max_ahead)
            lines.append(f"{count:,} {text}.")
    return lines
