"""What was chosen of an input, for people and programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streamrnn.io import Tally
from streamrnn_files.dialect_rows import BLANKS
from streamrnn_files.options import SourceOptions
from streamrnn_files.samples import Head
from streamrnn_files.series_lines import TURNED
from streamrnn_files.shapes import SHAPES

__all__ = ["about"]

_DELIMITERS = {BLANKS: "blanks", "\t": "tab"}


def about(
    options: SourceOptions,
    head: Head,
    stages: Sequence[str],
    tally: Tally,
    *,
    backward: bool,
    zone: str | None = None,
) -> dict[str, Any]:
    """Return what was chosen, as JSON can hold it.

    Parameters
    ----------
    options
        What the user asked for.
    head
        What the first records told.
    stages
        What the bytes went through.
    tally
        What could not be read so far.
    backward
        Whether the file is read from its end.
    zone
        What times without a zone are taken for; None: UTC.
    """
    layout = head.layout
    timing, form = layout.timing, layout.timing.form
    found: dict[str, Any] = {"file": options.path, "columns": list(layout.features), "left_out": dict(layout.left_out)}
    when: dict[str, Any] | None = None
    if layout.time is not None:
        when = {"column": layout.time}
        when["format"] = "calendar columns" if timing.parts else form.name if form else "as written"
        when["zone"] = (form.zone if form else "") or f"not written: taken as {zone or 'UTC'}"
        when |= {name: head.moments[name] for name in ("step_s", "gaps") if name in head.moments}
        if form is not None and form.doubt:
            when["doubt"] = form.doubt
    found["time"] = when
    found["key"] = layout.key
    if layout.key is not None and not options.key:
        found["key_found"] = True
    if head.delimiter is None:
        found["format"] = "JSON Lines"
    else:
        found |= {"format": "CSV", "separator": _DELIMITERS.get(head.delimiter, head.delimiter)}
        found |= {
            "decimal": layout.notes.get("decimal", "."),
            "header": head.named,
            "lines_skipped": head.line - 1 - head.named,
        }
        if head.comment:
            found["comment"] = head.comment
    found |= {name: layout.notes[name] for name in ("still", "sideways", "doubts") if name in layout.notes}
    if TURNED in stages or any(shape.turned for shape in SHAPES if shape.name in stages):
        found["turned"] = True
    if stages:
        found["format"] = ", ".join(stages) + ("" if head.delimiter is None and len(stages) else f", {found['format']}")
    found["encoding"] = head.encoding
    order = head.moments.get("order", "oldest first")
    if order == "newest first":
        order += ", read from the end" if backward else ", read as written"
    found["order"] = order
    units = {name: "".join(one.unit) for name, one in layout.numerals.items() if any(one.unit)}
    marks = {name: list(one.sentinels) for name, one in layout.numerals.items() if one.sentinels}
    found |= {"units": units, "missing": marks, **tally.told()}
    return found
