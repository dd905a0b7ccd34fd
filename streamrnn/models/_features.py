"""From a dict of features to a row of float64, by name."""

from __future__ import annotations

import datetime as dt
import math
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Number
from operator import itemgetter
from typing import Any, Final

import numpy as np

from streamrnn.errors import FeatureError

__all__ = ["Columns", "element", "is_moment", "is_unknown", "to_float", "to_seconds"]

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def element(value: Any) -> Any:
    """Return what an array of one element holds, None where it is masked; all else as it is.

    Parameters
    ----------
    value
        Anything.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.models._features import element
    >>> element(np.array([True])), element("a")
    (np.True_, 'a')
    """
    if not isinstance(value, np.ndarray) or value.size != 1:
        return value
    return None if np.ma.is_masked(value) else value.reshape(-1)[0]


def is_moment(value: Any) -> bool:
    """Tell whether a value is a date, with or without a time of day.

    Parameters
    ----------
    value
        Anything.

    Examples
    --------
    >>> import datetime as dt
    >>> from streamrnn.models._features import is_moment
    >>> is_moment(dt.date(2024, 5, 1)), is_moment(dt.timedelta(hours=1)), is_moment(7)
    (True, False, False)
    """
    return isinstance(element(value), dt.date | np.datetime64)  # a datetime is a date, pandas' timestamp a datetime


def is_unknown(value: Any) -> bool:
    """Tell whether a label, or feedback on an event, is not known: None, NaN, what pandas has for them, or masked.

    Parameters
    ----------
    value
        A label, or feedback.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.models._features import is_unknown
    >>> is_unknown(None), is_unknown(np.array([np.nan])), is_unknown(False), is_unknown({})
    (True, True, False, False)
    """
    value = element(value)
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, Number) and bool(value != value)  # noqa: PLR0124  NaN


def to_float(name: Any, value: Any) -> float:
    """Return a feature's value as a float; None is NaN.

    Parameters
    ----------
    name
        The feature, for the error.
    value
        A bool, int, float, Decimal, NumPy scalar, array of one element, or None.

    Raises
    ------
    FeatureError
        For text, containers and everything else that is no number.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.models._features import to_float
    >>> to_float("flow", True), to_float("flow", None), to_float("flow", np.array([2]))
    (1.0, nan, 2.0)
    """
    value = element(value)
    if value is None or type(value).__name__ == "NAType":  # pandas' own None
        return math.nan
    if isinstance(value, str | bytes):
        raise FeatureError(f"Feature {name!r} must be a number. Got the text {value[:40]!r} instead. Encode it first.")
    try:
        if isinstance(value, np.datetime64 | np.timedelta64):  # nanoseconds would pass for a number
            raise TypeError  # noqa: TRY301
        return float(value)
    except OverflowError:
        return math.inf
    except (TypeError, ValueError) as error:
        advice = "Give each number a feature of its own."
        if is_moment(value):
            advice = f"If it is the event's time, make the model with time={name!r}; otherwise give numbers that are made from it."
        raise FeatureError(
            f"Feature {name!r} must be a number, None or NaN. Got {type(value).__name__} instead. {advice}"
        ) from error


def to_seconds(name: Any, value: Any) -> float:
    """Return a time as seconds: a number is seconds; a datetime counts from 1970, in UTC where it has no zone.

    Parameters
    ----------
    name
        The feature, for the error.
    value
        A number, datetime, date, timedelta, their NumPy and pandas kin, or None (NaN: not known).

    Raises
    ------
    FeatureError
        For everything that is no time.

    Examples
    --------
    >>> import datetime as dt
    >>> from streamrnn.models._features import to_seconds
    >>> to_seconds("ts", dt.datetime(1970, 1, 2)), to_seconds("ts", dt.timedelta(minutes=1))
    (86400.0, 60.0)
    """
    value = element(value)
    if isinstance(value, np.datetime64 | np.timedelta64):
        value = value.astype("M8[us]" if isinstance(value, np.datetime64) else "m8[us]").item()
    if value is None or type(value).__name__ == "NaTType":
        return math.nan
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, dt.datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
        return (aware - _EPOCH).total_seconds()
    if isinstance(value, dt.date):
        return (value - _EPOCH.date()).total_seconds()
    if isinstance(value, str | bytes):
        raise FeatureError(
            f"The time {name!r} must be a number of seconds, a datetime, a date or a timedelta. Got the text {value[:40]!r} "
            "instead. Parse it first."
        )
    return to_float(name, value)


def _check_mapping(x: Any) -> None:
    """Refuse what has no names, or is not gone through by them, as a pandas series."""
    if not isinstance(x, Mapping):
        raise FeatureError(
            f"Features, like several targets, must be a dict by name. Got {type(x).__name__} instead. A series has to_dict()."
        )


NOT_PLAIN: Final = (KeyError, struct.error, TypeError, ValueError, OverflowError)
"""What reading or packing an event raises that has other names than the columns, or values that are no numbers."""


def _getter(names: list[Any], time: Any) -> Callable[[Mapping[Any, Any]], Sequence[Any]]:
    """Return the fast way from an event to its values in the order of the columns."""
    if not names:
        return lambda x: ()  # noqa: ARG005
    get: Callable[[Any], Any] = itemgetter(*names)
    if len(names) == 1:
        [only] = names

        def get(x: Any) -> Any:
            return (x[only],)

    if time is None:
        return get

    def get_timed(x: Mapping[Any, Any]) -> Sequence[Any]:
        first, *rest = get(x)
        return to_seconds(time, first), *rest

    return get_timed


def _writer(get: Callable[[Any], Sequence[Any]], n: int, count: int) -> Callable[[Mapping[Any, Any], Any], bool]:
    """Return the fast way from an event to a row: closed over what it needs, since looking it up costs as much as the work."""
    pack = struct.Struct(f"{n}d").pack_into

    def write(x: Mapping[Any, Any], row: Any) -> bool:
        try:
            if len(x) != count or n == 0:
                return False
            pack(row, 0, *get(x))
        except NOT_PLAIN:
            return False
        return True

    return write


class Columns:
    """Names of the features in the order of their columns, and the fast way from dict to row.

    New names go behind the known ones, sorted within their event: the order inside a dict never matters.

    Parameters
    ----------
    names
        Columns known so far.
    key
        A name that is no feature: it says whose event it is.
    time
        A name whose column is the first, in seconds.
    counted
        Columns that are 0 where they are absent; all others are NaN there.
    most
        Columns from which on names that have none share those of ``counted``, by their hash; None: they are passed over.
    aside
        A name that is no feature either: what it says of an event is somebody else's business.

    Examples
    --------
    >>> from streamrnn.models._features import Columns
    >>> columns = Columns()
    >>> columns.new({"b": 1, "a": 2}), columns.new({"a": 1, "c": 0})
    (['a', 'b'], ['a', 'c'])
    """

    __slots__ = (
        "aside",
        "blank",
        "count",
        "counted",
        "get",
        "index",
        "key",
        "most",
        "names",
        "shared",
        "time",
        "width",
        "write",
    )

    get: Callable[[Mapping[Any, Any]], Sequence[Any]]
    """Read the values of an event that has all columns; raises one of ``NOT_PLAIN`` where it has not."""

    write: Callable[[Mapping[Any, Any], Any], bool]
    """Write an event into a row (a float64 buffer) if its names are exactly the columns and all are numbers."""

    def __init__(
        self,
        names: Sequence[Any] = (),
        key: Any = None,
        time: Any = None,
        counted: Iterable[Any] = (),
        most: int | None = None,
        aside: Any = None,
    ) -> None:
        self.names: list[Any] = []
        self.index: dict[Any, int] = {}
        self.key, self.time, self.most, self.aside = key, time, most, aside
        self.counted: set[Any] = set(counted)
        self.width = 0
        self.add([*([time] if time is not None and time not in names else []), *names])

    def add(self, names: Sequence[Any]) -> None:
        """Append columns.

        Parameters
        ----------
        names
            Of the new columns, none of which is known.
        """
        for name in names:
            self.index[name] = len(self.names)
            self.names.append(name)
        self.count = len(self.names) + (self.key is not None) + (self.aside is not None)
        self.get = _getter(list(self.names), self.time)
        self.write = _writer(self.get, len(self.names), self.count)
        self.count_on(())

    def __reduce__(self) -> Any:
        counted = [name for name in self.names if name in self.counted]
        return Columns, (list(self.names), self.key, self.time, counted, self.most, self.aside)

    def count_on(self, names: Iterable[Any]) -> None:
        """Let columns be 0 where they are absent.

        Parameters
        ----------
        names
            Of the columns.
        """
        self.counted.update(names)
        places = [i for i, name in enumerate(self.names) if name in self.counted]
        self.blank = np.full(max(self.width, len(self.names)), math.nan)
        self.blank[[*places, *range(len(self.names), len(self.blank))]] = 0.0
        self.shared = places if self.most is not None and len(self.names) >= self.most else []

    def lay(self, width: int) -> None:
        """Let rows have so many columns, of which the last, without a name so far, are 0.

        Parameters
        ----------
        width
            How many, at least as many as there are names.
        """
        self.width = width
        self.count_on(())

    def place(self, name: Any) -> int | None:
        """Return the column of a name: its own, or one that it shares; None where it has none.

        Parameters
        ----------
        name
            Of a feature.

        Examples
        --------
        >>> from streamrnn.models._features import Columns
        >>> columns = Columns(["a", "b", "level"], counted=["a", "b"], most=3)
        >>> columns.place("level"), columns.place("c"), columns.place("d")
        (2, 0, 1)
        """
        found = self.index.get(name)
        if found is None and self.shared and name not in (self.key, self.aside):
            return self.shared[zlib.crc32(repr(name).encode()) % len(self.shared)]
        return found

    @property
    def plain(self) -> bool:
        """Whether each column is a feature's own, and none is of the time or stands aside."""
        return not self.shared and self.time is None and self.aside is None

    def new(self, x: Mapping[Any, Any]) -> list[Any]:
        """Return the names in ``x`` that have no column yet, sorted.

        Parameters
        ----------
        x
            Features by name.

        Raises
        ------
        FeatureError
            When x is no dict.
        """
        _check_mapping(x)
        apart = [name for name in (self.key, self.aside) if name is not None]
        fresh = [name for name in x if name not in self.index and name not in apart]
        return sorted(fresh, key=str) if len(fresh) > 1 else fresh

    def write_slowly(self, x: Mapping[Any, Any], row: Any) -> None:
        """Write what ``x`` has of the columns into ``row``; where it has none 0 or NaN, as the column says. Names without a column are passed over.

        Parameters
        ----------
        x
            Features by name.
        row
            float64, at least as long as there are columns; the rest of it is left alone.

        Raises
        ------
        FeatureError
            When a value is no number, or x no dict.
        """
        _check_mapping(x)
        found: list[tuple[int, float]] = []
        more: list[tuple[int, float]] = []
        for name, value in x.items():
            own = self.index.get(name)
            place = self.place(name) if own is None else own
            if place is None:
                continue
            if type(value) is float:
                number = value
            else:
                number = (
                    to_seconds(name, value) if self.time is not None and name == self.time else to_float(name, value)
                )
            (more if own is None else found).append((place, number))
        row[: len(self.blank)] = self.blank
        for place, number in found:
            row[place] = number
        for place, number in more:
            row[place] += number
