"""The table inside a JSON document: rows, columns beside one another, points of series, values by time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from streamrnn_files.dialect_rows import like_data
from streamrnn_files.meanings import TIME_NAMES, is_key_name, is_time_name
from streamrnn_files.moments import find_form

__all__ = ["points_of", "series_name", "tabular"]

FEWEST = 5
"""Records that make an object of objects a table: with fewer, it may be one record with parts."""

_SHORTER = 4
"""How often shorter than the longest one another list with times may be that is as much of the table."""


def _prometheus(found: Any) -> Iterator[dict[str, Any]] | None:
    """Return the rows of an answer to a range query."""
    result = found.get("data", {}).get("result") if isinstance(found.get("data"), dict) else None
    if not isinstance(result, list) or not all(isinstance(one, dict) and "metric" in one for one in result):
        return None
    return (row for row in _by_time([(series_name(one["metric"]), one) for one in result]))


def series_name(metric: Mapping[str, Any]) -> str:
    """Return what Prometheus calls a series.

    Parameters
    ----------
    metric
        Its labels.
    """
    labels = ",".join(f'{name}="{value}"' for name, value in sorted(metric.items()) if name != "__name__")
    return f"{metric.get('__name__', '')}{{{labels}}}" if labels else str(metric.get("__name__", ""))


def _by_time(series: list[tuple[str, Mapping[str, Any]]]) -> Iterator[dict[str, Any]]:
    rows = [
        (pair[0], i, name, pair[1])
        for i, (name, one) in enumerate(series)
        for pair in (one.get("values") or [one.get("value")])
        if isinstance(pair, list) and len(pair) == 2
    ]
    for time, _, name, value in sorted(rows, key=lambda row: row[:2]):
        yield {"time": time, "series": name, "value": value}


def _columns(found: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return rows where an object holds lists of equal length, one a column."""
    lists = {name: value for name, value in found.items() if isinstance(value, list)}
    lengths = {len(value) for value in lists.values()}
    if len(lists) < 2 or len(lengths) != 1 or lengths == {0}:
        return None
    if any(isinstance(cell, list | dict) for value in lists.values() for cell in value[:3]):
        return None
    named = {name: value for name, value in found.items() if isinstance(value, str) and _names_series(name)}
    return [{**named, **dict(zip(lists, row, strict=True))} for row in zip(*lists.values(), strict=True)]


_NAMES = ("target", "metric", "name", "label", "series", "scope")


def _names_series(name: str) -> bool:
    return name.lower() in _NAMES or is_key_name(name)


def points_of(found: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the points of a series, None where an object is none.

    Parameters
    ----------
    found
        Decoded JSON.
    """
    return _pairs(found) or _by_moment(found) or _readings(found)


def _readings(found: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return rows where an object that says no time holds one list of some that do, with what else it says of them."""
    lists = [(name, value) for name, value in found.items() if isinstance(value, list) and len(value) > 2]
    if len(lists) != 1 or any(map(_says_when, found)):
        return None
    rows = lists[0][1]
    if not all(isinstance(row, dict) and any(map(_says_when, row)) for row in rows):
        return None
    named = {name: value for name, value in found.items() if isinstance(value, str) and _names_series(name)}
    return [{**named, **row} for row in rows] if named else None


def _by_moment(found: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return rows where an object holds values or rows by the moment of each: ``{"1709510400": 1.5, ...}``."""
    for name, value in found.items():
        if isinstance(value, dict) and _are_moments(value):
            tags = found.get("tags")
            labels = ",".join(f"{tag}={said}" for tag, said in sorted(tags.items())) if isinstance(tags, dict) else ""
            series = _label(found) + (f"{{{labels}}}" if labels else "")
            return [{**({"series": series} if series else {}), **row} for row in _keyed(value) or ()]
        del name
    return None


def _label(found: Mapping[str, Any]) -> str:
    return " ".join(str(found[name]) for name in _NAMES if isinstance(found.get(name), str))


def _are_moments(found: Mapping[str, Any]) -> bool:
    """Whether the names of an object are moments, and what it holds is alike."""
    names = list(found)[:50]
    form = find_form(names) if len(found) > 1 and all(name[:1].isdigit() for name in names) else None
    kinds = {type(value) for value in list(found.values())[:50]} - {type(None)}
    return form is not None and form.name != "year" and kinds <= ({dict} if dict in kinds else {int, float, str})


def _says_when(name: str) -> bool:
    return name.lower() in TIME_NAMES or is_time_name(name)


def _keyed(found: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return rows where an object holds them by time, or columns by place, as pandas writes frames."""
    if not found:
        return None
    if _are_moments(found):
        return [{"time": time, **(row if isinstance(row, dict) else {"value": row})} for time, row in found.items()]
    columns = {name: value for name, value in found.items() if isinstance(value, dict)}
    if len(columns) == len(found) >= FEWEST and all(any(map(_says_when, row)) for row in columns.values()):
        return list(columns.values())  # records by a name of each, as a store of objects writes them
    places = list(next(iter(columns.values()), {}))
    if len(columns) < len(found) or len(places) < 2 or any(list(column) != places for column in columns.values()):
        return None
    if any(isinstance(cell, list | dict) for column in columns.values() for cell in list(column.values())[:3]):
        return None
    if places == [str(i) for i in range(len(places))]:
        return [
            dict(zip(columns, row, strict=True)) for row in zip(*(c.values() for c in columns.values()), strict=True)
        ]
    if not _are_moments(dict.fromkeys(places, 0)):
        return None
    return [{"time": place, **{name: column[place] for name, column in columns.items()}} for place in places]


def _pairs(found: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return rows where an object holds points, a list of a time and a value each, in either order; several beside one another are columns."""
    lists: dict[str, tuple[list[Any], list[Any]]] = {}
    for name, value in found.items():
        points = value if isinstance(value, list) else []
        if len(points) < 2 or not all(isinstance(one, list) and len(one) == 2 for one in points):
            continue
        at = next((i for i in (0, 1) if all(_is_moment(one[i]) for one in points)), None)
        if at is not None:
            lists[name] = ([one[at] for one in points], [one[1 - at] for one in points])
    if not lists:
        return None
    times = next(iter(lists.values()))[0]
    alike = {name: values for name, (moments, values) in lists.items() if moments == times}
    series = _label(found)
    columns = alike if len(alike) > 1 else {"value": next(iter(lists.values()))[1]}
    rows = zip(times, *columns.values(), strict=True)
    return [
        {"time": time, **({"series": series} if series else {}), **dict(zip(columns, row, strict=True))}
        for time, *row in rows
    ]


def _is_moment(value: Any) -> bool:
    """Whether a number is a moment from 1980 to 2100, in seconds or milliseconds."""
    return isinstance(value, int | float) and (3.2e8 <= value <= 4.2e9 or 3.2e11 <= value <= 4.2e12)


def _spread(found: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return rows where an object holds a list of times, and as long lists lie deeper inside of it."""
    here = {name: value for name, value in found.items() if _is_column(value)}
    if len(here) != 1:
        return None
    length = len(next(iter(here.values())))
    inside = {name: value for name, value in _inside(found, 0) if len(value) == length}
    return _columns(here | inside) if len(inside) > 1 else None


def _is_column(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 1 and not any(isinstance(cell, list | dict) for cell in value)


def _inside(found: Any, depth: int) -> Iterator[tuple[str, list[Any]]]:
    if isinstance(found, list):
        for one in found if len(found) > 1 else ():  # series, each with its name
            name = (
                next((one[key] for key in _NAMES if isinstance(one.get(key), str)), None)
                if isinstance(one, dict)
                else None
            )
            columns = [value for value in one.values() if _is_column(value)] if name else []
            if name is not None and len(columns) == 1:
                yield name, columns[0]
        found = found[0] if len(found) == 1 else None
    if isinstance(found, dict) and depth < 6:
        for name, value in found.items():
            if _is_column(value):
                yield name, value
            else:
                yield from _inside(value, depth + 1)


def _influx(found: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return rows where an object names its columns beside lists of values."""
    names, values = found.get("columns"), found.get("values", found.get("rows", found.get("data")))
    if not isinstance(names, list) or not isinstance(values, list) or not values:
        return None
    names = [name.get("text", name.get("name")) if isinstance(name, dict) else name for name in names]
    tags: Any = found.get("tags") if isinstance(found.get("tags"), dict) else {}
    return [{**tags, **dict(zip(names, row, strict=False))} for row in values if isinstance(row, list)]


def _grid(found: list[list[Any]]) -> list[dict[str, Any]] | None:
    """Return rows where a list holds lists of equal length, one a row; the first one names the columns where it is all texts."""
    width = len(found[0])
    if width < 2 or any(len(row) != width or any(isinstance(cell, list | dict) for cell in row) for row in found):
        return None
    named = all(isinstance(cell, str) and not like_data(cell) for cell in found[0])
    names = found[0] if named else [f"c{i}" for i in range(width)]
    return [dict(zip(names, row, strict=True)) for row in found[named:]]


def _in_series(rows: list[dict[str, Any]], tables: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return the rows of all tables, those with times alone where some have them, with the name of the series that each is of, where each has one of its own."""
    timed = [(row, table) for row, table in zip(rows, tables, strict=True) if any(map(_says_when, table[0]))]
    if timed:
        rows, tables = [row for row, _ in timed], [table for _, table in timed]
    names = list(map(_label, rows))
    if (
        len(set(names)) < max(2, len(rows))
        or "" in names
        or any({"series", *_NAMES} & set(table[0]) for table in tables)
    ):
        return [row for table in tables for row in table]
    return [{"series": name, **row} for name, table in zip(names, tables, strict=True) for row in table]


def tabular(found: Any, depth: int = 0) -> list[dict[str, Any]] | None:
    """Return the longest table inside a document, None where there is none.

    Parameters
    ----------
    found
        Decoded JSON.
    depth
        How deep it lies.
    """
    if isinstance(found, list):
        rows = [row for row in found if isinstance(row, dict)]
        inner = [tabular(row, depth + 1) for row in rows[:50]] if depth < 6 else []
        tables = [table for table in inner if table is not None]
        if tables and len(tables) == len(rows):  # a list of series
            return _in_series(rows, tables)
        if rows and 2 * len(rows) > len(found):
            return rows
        lists = [one for one in found if isinstance(one, list)]
        if len(lists) == len(found) > 1 and (grid := _grid(lists)):
            return grid
        nested = [table for one in lists[:50] if (table := tabular(one, depth + 1))] if depth < 6 else []
        return [row for table in nested for row in table] or None
    if not isinstance(found, dict) or depth > 6:
        return None
    prometheus = _prometheus(found)
    if prometheus is not None:
        return list(prometheus)
    rows_here = _influx(found) or _columns(found) or points_of(found) or _keyed(found) or _spread(found)
    if rows_here:
        return rows_here
    inside = {name: table for name, value in found.items() if (table := tabular(value, depth + 1))}
    longest = max(inside.values(), key=lambda table: (any(map(_says_when, table[0])), len(table)), default=None)
    alike = {
        name: one
        for name, one in inside.items()
        if longest is not None and list(one[0]) == list(longest[0])
        if len(one) == len(longest)
        or (any(map(_says_when, one[0])) and len(one) >= FEWEST and _SHORTER * len(one) >= len(longest))
    }
    if len(alike) < 2 or longest is None or "series" in longest[0]:
        return longest
    return [{"series": name, **row} for name, one in alike.items() for row in one]
