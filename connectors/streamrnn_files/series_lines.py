"""Lines of JSON that hold more than a record: a series each, as VictoriaMetrics exports them, or a column for each moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from streamrnn.io import nests_too_deep
from streamrnn_files.options import SourceOptions
from streamrnn_files.tabular import series_name
from streamrnn_files.wide import moments_of_names

__all__ = ["TURNED", "find_columns", "is_series", "series_rows"]

TURNED = "JSON whose fields are times"
"""What lines of JSON are called that are a table on its side."""


def _decoded(line: str) -> dict[str, Any] | None:
    data = line.encode(errors="replace")
    if nests_too_deep(data):
        return None
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def is_series(line: str) -> bool:
    """Whether a line is a series: its labels, its values, and as many moments.

    Parameters
    ----------
    line
        The first one.
    """
    return bool(series_rows(line))


def series_rows(line: str) -> list[dict[str, object]] | None:
    """Return the records of a series, None where a line is none.

    Parameters
    ----------
    line
        The line.

    Examples
    --------
    >>> from streamrnn_files.series_lines import series_rows
    >>> series_rows('{"metric":{"__name__":"up","job":"a"},"values":[1,0],"timestamps":[1709510400000,1709510415000]}')[1]
    {'time': 1709510415000, 'series': 'up{job="a"}', 'value': 0}
    """
    found = _decoded(line)
    if found is None or not isinstance(found.get("metric"), dict):
        return None
    values, times = found.get("values"), found.get("timestamps")
    if not isinstance(values, list) or not isinstance(times, list) or len(values) != len(times):
        return None
    name = series_name(found["metric"])
    return [{"time": time, "series": name, "value": value} for time, value in zip(times, values, strict=True)]


def find_columns(line: str, options: SourceOptions) -> Callable[[str], list[dict[str, object]] | None] | None:
    """Return what makes the records of objects whose fields are moments, a year or a month each; None where they are others.

    Parameters
    ----------
    line
        The first object.
    options
        What the user asks for.
    """
    first = _decoded(line)
    if first is None or options.follow or options.time is not None or set(options.columns) & set(first):
        return None
    moments = moments_of_names(list(first), [[str(value) for value in first.values()]])
    if not moments:
        return None

    def rows(line: str) -> list[dict[str, object]] | None:
        record = _decoded(line)
        if record is None:
            return None
        named = [str(value) for name, value in record.items() if name not in moments and isinstance(value, str)]
        series: dict[str, object] = {"series": ", ".join(filter(None, named))} if named else {}
        held = ((moment, record.get(name)) for name, moment in moments.items())
        return [{"time": moment, **series, "value": value} for moment, value in held if value not in (None, "")]

    return rows
