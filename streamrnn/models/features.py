"""From a dict of features to a row of float64, by name."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from streamrnn.errors import FeatureError

__all__ = ["Columns", "to_float"]


def to_float(name: Any, value: Any) -> float:
    """Return a feature's value as a float; None is NaN.

    Parameters
    ----------
    name
        The feature, for the error.
    value
        A bool, int, float, Decimal, NumPy scalar or None.

    Raises
    ------
    FeatureError
        For text, containers and everything else that is no number.

    Examples
    --------
    >>> from streamrnn.models.features import to_float
    >>> to_float("flow", True), to_float("flow", None)
    (1.0, nan)
    """
    if value is None or type(value).__name__ == "NAType":  # pandas' own None
        return math.nan
    if isinstance(value, str | bytes):
        raise FeatureError(f"Feature {name!r} must be a number. Got the text {value[:40]!r} instead. Encode it first.")
    try:
        return float(value)
    except OverflowError:
        return math.inf
    except (TypeError, ValueError) as error:
        raise FeatureError(
            f"Feature {name!r} must be a number, None or NaN. Got {type(value).__name__} instead. "
            "Give each number a feature of its own."
        ) from error


class Columns:
    """Names of the features in the order of their columns, and the fast way from dict to row.

    New names go behind the known ones, sorted within their event: the order inside a dict never matters.

    Examples
    --------
    >>> from streamrnn.models.features import Columns
    >>> columns = Columns()
    >>> columns.new({"b": 1, "a": 2}), columns.new({"a": 1, "c": 0})
    (['a', 'b'], ['a', 'c'])
    """

    __slots__ = ("_get", "_pack", "index", "names")

    def __init__(self, names: Sequence[Any] | None = None) -> None:
        self.names: list[Any] = []
        self.index: dict[Any, int] = {}
        self._get: Callable[[Mapping[Any, Any]], tuple[Any, ...]] | None = None
        self._pack: Callable[..., None] | None = None
        self.add(names or [])

    def add(self, names: Sequence[Any]) -> None:
        """Append columns."""
        for name in names:
            self.index[name] = len(self.names)
            self.names.append(name)
        if len(self.names) > 1:
            self._get = itemgetter(*self.names)
        elif self.names:
            only = self.names[0]
            self._get = lambda x: (x[only],)
        self._pack = struct.Struct(f"{len(self.names)}d").pack_into

    def new(self, x: Mapping[Any, Any]) -> list[Any]:
        """Return the names in ``x`` that have no column yet, sorted."""
        fresh = [name for name in x if name not in self.index]
        return sorted(fresh, key=str) if len(fresh) > 1 else fresh

    def write(self, x: Mapping[Any, Any], row: Any) -> bool:
        """Write ``x`` into ``row`` (a float64 buffer) if its names are exactly the columns and all are numbers."""
        if len(x) != len(self.names) or self._get is None or self._pack is None:
            return False
        try:
            self._pack(row, 0, *self._get(x))
        except (KeyError, struct.error, TypeError, ValueError, OverflowError):
            return False
        return True

    def write_slowly(self, x: Mapping[Any, Any], row: Any) -> None:
        """Write what ``x`` has of the columns into ``row``; NaN where it has none. Unknown names are passed over.

        Raises
        ------
        FeatureError
            When a value is no number.
        """
        values = [to_float(name, x[name]) if name in x else math.nan for name in self.names]
        row[: len(values)] = values
