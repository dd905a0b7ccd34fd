"""Frames and arrays at the border: pandas, polars and whatever else narwhals knows, or plain NumPy.

Inside there are float64 matrices and names; what goes out is of the caller's kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import FeatureError, ParameterError
from streamrnn.models._features import to_float, to_seconds

__all__ = ["Table", "column_of", "first_of", "table_of", "values_of"]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of numbers with names, and the frame they came from.

    Parameters
    ----------
    names
        Of the columns: the frame's, or 0, 1, 2 ... for an array.
    values
        float64, shape (n, F); NaN where a value is missing.
    frame
        The caller's frame as narwhals sees it; None for an array.
    keys
        Whose event each row is; None where the model has no key.
    time
        The column that has become seconds; None where there is none.
    """

    names: list[Any]
    values: NDArray[np.float64]
    frame: Any = None
    keys: list[Any] | None = None
    time: Any = None

    def dicts(self, key: Any = None) -> Iterator[dict[Any, Any]]:
        """Go through the rows as events.

        Parameters
        ----------
        key
            The name under which each event has its key.
        """
        for i, row in enumerate(self.values.tolist()):
            x = dict(zip(self.names, row, strict=True))
            if self.keys is not None:
                x[key] = self.keys[i]
            yield x

    def part(self, start: int, stop: int) -> Table:
        """Return some of the rows.

        Parameters
        ----------
        start
            The first row.
        stop
            The row behind the last.
        """
        if (start, stop) == (0, len(self.values)):
            return self
        keys = None if self.keys is None else self.keys[start:stop]
        return Table(self.names, self.values[start:stop], None, keys, self.time)

    def series(self, values: NDArray[Any] | Sequence[Any], name: Any = None) -> Any:
        """Return one value a row as a series of the caller's kind (an array for an array).

        Parameters
        ----------
        values
            An array (n,) or n values.
        name
            Of the series; without it the series has none.
        """
        if self.frame is None:
            return np.asarray(values)
        from river.utils import dataframe  # noqa: PLC0415  (slow to import; a daemon has arrays alone)

        kept = name if self.frame.implementation.is_pandas_like() or name is None else str(name)
        return dataframe.to_native_series(values, name=kept, like=self.frame)

    def many(self, columns: Mapping[Any, NDArray[Any]]) -> Any:
        """Return several values a row as a frame of the caller's kind; for an array a dict of arrays.

        Parameters
        ----------
        columns
            Arrays of shape (n,) by name.
        """
        if self.frame is None:
            return dict(columns)
        from river.utils import dataframe  # noqa: PLC0415

        return dataframe.to_native_frame(columns, like=self.frame)


def _plain(name: Any) -> Any:
    return name.item() if isinstance(name, np.generic) else name


def _frame(X: Any) -> Any:
    """Return a frame as narwhals sees it, or None for anything else."""
    if isinstance(X, np.ndarray):
        return None
    import narwhals.stable.v2 as nw  # noqa: PLC0415  (slow to import; a daemon has arrays alone)

    frame = nw.from_native(X, eager_only=True, pass_through=True)
    return frame if isinstance(frame, nw.DataFrame) else None


def first_of(X: Any) -> dict[Any, Any]:
    """Return the first row of a frame by name, as single events have it; {} where it has none, and for an array.

    Parameters
    ----------
    X
        A frame or an array.

    Examples
    --------
    >>> import pandas as pd
    >>> from streamrnn.models._frames import first_of
    >>> first_of(pd.DataFrame({"a": ["x", "y"]}))
    {'a': 'x'}
    """
    frame = _frame(X)
    if frame is None or len(frame) == 0:
        return {}
    return {_plain(name): frame[name][0] for name in frame.columns}


def table_of(
    X: Any, key: Any = None, time: Any = None, names: Sequence[Any] | None = None, keys: Sequence[Any] | None = None
) -> Table:
    """Return a frame or a 2-D array as a table.

    Parameters
    ----------
    X
        A frame or a 2-D array.
    key
        The column that says whose event a row is, if there is one.
    time
        The column that becomes seconds, if there is one.
    names
        Of an array's columns; by position without.
    keys
        Whose event each row of an array is; None where a column says so.

    Raises
    ------
    FeatureError
        When a column holds something that is no number.
    ParameterError
        When X is neither a frame nor 2-D, or ``keys`` do not fit it.

    Examples
    --------
    >>> import pandas as pd
    >>> from streamrnn.models._frames import table_of
    >>> table = table_of(pd.DataFrame({"a": [1, None], "b": [True, False]}))
    >>> table.names, table.values.tolist()
    (['a', 'b'], [[1.0, 1.0], [nan, 0.0]])
    """
    frame = _frame(X)
    if frame is None:
        values = _numbers(X)
        if values.ndim != 2:
            raise ParameterError(
                f"The 'X' parameter must be a data frame or a 2-D array. Got shape {values.shape} instead."
            )
        return _keyed_array(values, key, list(range(values.shape[1]) if names is None else names), keys)
    if keys is not None:
        raise ParameterError("The 'keys' parameter is for arrays: a frame has a column for them.")
    names = [_plain(name) for name in frame.columns]
    keys = None
    if key is not None:
        if key not in names:
            raise FeatureError(f"The frame has no column {key!r}, which is the model's key. Add it, or set key=None.")
        keys = column_of(frame[key].to_native())
        names.remove(key)
    plain = frame.select(names) if key is not None else frame
    from river.utils import dataframe  # noqa: PLC0415

    try:
        if time in names or any(kind.is_temporal() for kind in plain.schema.values()):
            raise TypeError  # noqa: TRY301  column by column: a time would pass for a number of nanoseconds
        values = dataframe.to_numpy(plain)
    except (TypeError, ValueError):  # find the column and say so
        columns = [
            [(to_seconds if name == time else to_float)(name, value) for value in plain[name].to_list()]
            for name in names
        ]
        values = np.array(columns, dtype=np.float64).T.reshape(len(frame), len(names))
    return Table(names, np.ascontiguousarray(values), frame, keys, time if time in names else None)


def _keyed_array(values: NDArray[np.float64], key: Any, names: list[Any], keys: Sequence[Any] | None) -> Table:
    """Return an array as a table; one of its columns may be the key."""
    if values.shape[1] != len(names):
        raise ParameterError(
            f"The 'X' parameter must have a column for each of {names}. Got {values.shape[1]} columns."
        )
    if keys is not None and (key is None or len(keys) != len(values)):
        rule = f"one key for each of the {len(values)} rows" if key is not None else "None for a model without key"
        raise ParameterError(f"The 'keys' parameter must be {rule}. Got {len(keys)} keys.")
    if key is None:
        return Table(names, values)
    if keys is not None:
        return Table(names, values, None, list(keys))
    if key not in names:
        raise FeatureError(f"The array has no column {key!r}, which is the model's key. Give a frame, or 'keys'.")
    place = names.index(key)
    rest = [i for i in range(len(names)) if i != place]
    return Table([names[i] for i in rest], values[:, rest], None, values[:, place].tolist())


def _numbers(X: Any) -> NDArray[np.float64]:
    """Return an array as float64; NaN where it is masked."""
    try:
        if isinstance(X, np.ma.MaskedArray):
            X = np.ma.filled(X.astype(np.float64), np.nan)
        return np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        if np.ndim(np.asarray(X, dtype=object)) != 2:
            raise ParameterError(
                f"The 'X' parameter must be a data frame, not a lazy one, or a 2-D array. Got {type(X).__name__} instead."
            ) from error
        raise FeatureError(f"An array of features must hold numbers: {error}. Encode text first.") from error


def column_of(y: Any) -> list[Any]:
    """Return a series, an array, a list or a frame of one column as a list of plain Python values.

    Parameters
    ----------
    y
        A series, an array or list of n values, or a frame of one column.

    Raises
    ------
    ParameterError
        For everything else.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.models._frames import column_of
    >>> column_of(np.array([True, False]))
    [True, False]
    """
    if isinstance(y, np.ndarray):
        return list(y.tolist())
    import narwhals.stable.v2 as nw  # noqa: PLC0415

    series = nw.from_native(y, allow_series=True, pass_through=True)
    if isinstance(series, nw.DataFrame) and series.shape[1] == 1:
        series = series[:, 0]
    if isinstance(series, nw.Series):
        return list(series.to_list())
    if isinstance(series, nw.DataFrame | nw.LazyFrame | Mapping | str) or not isinstance(y, Iterable):
        raise ParameterError(f"The 'y' parameter must be a series, an array or a list. Got {type(y).__name__} instead.")
    return list(y)


def values_of(y: Any, n: int) -> NDArray[np.float64]:
    """Return labels as float64, shape (n,): None is NaN.

    Parameters
    ----------
    y
        What :func:`column_of` takes.
    n
        How many there must be.

    Raises
    ------
    FeatureError
        When a label is no number.
    ParameterError
        When there are not n of them.

    Examples
    --------
    >>> from streamrnn.models._frames import values_of
    >>> values_of([1, None], 2).tolist()
    [1.0, nan]
    """
    if isinstance(y, np.ndarray) and y.dtype.kind in "fiub":
        values = _numbers(y).reshape(-1)
    else:
        values = np.array([to_float("y", value) for value in column_of(y)], dtype=np.float64)
    if len(values) != n:
        raise ParameterError(f"The 'y' parameter must have one label for each of the {n} rows. Got {len(values)}.")
    return values
