"""Which columns are features, which one is the time, which one the key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streamrnn.config import nearest
from streamrnn.errors import ConfigError, SourceError
from streamrnn.io import MISSING
from streamrnn_files.cells import is_number
from streamrnn_files.options import SourceOptions

__all__ = ["Layout", "choose"]

TIME_NAMES = ("time", "timestamp", "date", "datetime", "ts")


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns by name.

    Parameters
    ----------
    header
        Every column of a CSV, in order; () for JSON Lines.
    features
        The columns to watch.
    time
        The column of the event's time, or None.
    key
        The column of the event's key, or None.
    epoch
        Whether times of a CSV are numbers.
    """

    header: tuple[str, ...]
    features: tuple[str, ...]
    time: str | None
    key: str | None
    epoch: bool = False

    @property
    def used(self) -> tuple[str, ...]:
        """Every column that is read."""
        return (*self.features, *(name for name in (self.time, self.key) if name is not None))


def _is_value(value: Any) -> bool:
    return not (value.strip().lower() in MISSING if isinstance(value, str) else value is None)


def _is_feature(value: Any, text: bool) -> bool:
    if text:
        return is_number(value)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_known(options: SourceOptions, known: Sequence[str]) -> None:
    asked = [("columns", name) for name in options.columns]
    asked += [(option, name) for option, name in (("time", options.time), ("key", options.key)) if name]
    problems = [
        f"[source] {option}: {options.path!r} has no column {name!r}. {nearest(name, known)}"
        for option, name in asked
        if name not in known
    ]
    if problems:
        raise ConfigError(problems)


def choose(
    options: SourceOptions,
    header: Sequence[str],
    sample: Sequence[Mapping[str, Any]],
    *,
    text: bool,
    nameless: frozenset[str] = frozenset(),
    strict: bool = True,
) -> Layout:
    """Choose the columns of an input.

    Parameters
    ----------
    options
        What the user asks for.
    header
        Every column, in order.
    sample
        The first records by column: texts of a CSV, values of JSON.
    text
        Whether values are texts.
    nameless
        Columns the header has no name for: features only when asked for.
    strict
        Whether a column that is not in ``header`` is an error: JSON Lines that are still growing may show it later.

    Raises
    ------
    SourceError
        When no column holds numbers, and none is asked for.
    """
    if strict:
        _check_known(options, header)
    time = options.time or next(
        (name for name in header if name.strip().lower() in TIME_NAMES and name not in options.columns), None
    )
    key = options.key or None
    if time == key:
        time = options.time or None
    features = options.columns
    if not features:
        shown = {name: [row[name] for row in sample if _is_value(row.get(name))] for name in header}
        features = tuple(
            name
            for name, values in shown.items()
            if name not in (time, key)
            and name not in nameless
            and values
            and 2 * sum(_is_feature(value, text) for value in values) >= len(values)
        )
    if not features:
        found = ", ".join(repr(name) for name in header[:20]) or "none"
        raise SourceError(
            f"{options.path!r} has no column of numbers to watch in its first {len(sample)} records. Columns: {found}. "
            "Name those to watch with the option 'columns'."
        )
    times = [row[time] for row in sample if _is_value(row.get(time))] if time is not None else []
    epoch = text and bool(times) and all(is_number(value) for value in times)
    return Layout(tuple(header) if text else (), tuple(features), time, key, epoch)
