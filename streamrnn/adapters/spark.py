"""A model over a streaming DataFrame of Spark: ``transformWithState``, with the state of each key in Spark's state store."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

from streamrnn.adapters.keyed import KeyedModel
from streamrnn.errors import MissingExtraError, ParameterError

__all__ = ["progressive"]

_ONE: Final = ""
"""The key of the model that runs one key of Spark's after the other."""

_SECONDS: Final = "seconds of streamrnn"
"""A column that Spark makes of the time: in Python it may be a date, in whatever zone the session is."""


class _Places:
    """Where a row of Spark has what is read of it: in a tuple, which takes a tenth of the time of a frame.

    Parameters
    ----------
    fields
        Names of the row, in their order.
    model
        Whose features they are.
    order
        Names that the events of a key are sorted by.
    columns
        Names that go out again.
    """

    def __init__(self, fields: Sequence[str], model: KeyedModel, order: Sequence[str], columns: Sequence[str]) -> None:
        place = {name: i for i, name in enumerate(fields)}
        read = {name: _SECONDS if name == model.time and _SECONDS in place else name for name in model.read}
        self.read = [(name, place[column]) for name, column in read.items() if column in place]
        self.order = [place[name] for name in order]
        self.out = [place[name] for name in columns]

    def sorted(self, rows: list[Any]) -> list[Any]:
        """Return rows in their order; what is missing comes last."""
        return sorted(rows, key=lambda row: [_missing_last(row[i]) for i in self.order])


def _missing_last(value: Any) -> tuple[bool, Any]:
    """Return what a value is sorted by."""
    missing = value is None or value != value  # noqa: PLR0124  NaN is
    return missing, 0 if missing else value


@functools.cache
def _processor() -> type:
    """Return the class of what Spark calls for each key of a batch. It has to be one of Spark's own."""
    from pyspark.sql import Row  # noqa: PLC0415  (extra)
    from pyspark.sql.streaming import StatefulProcessor  # noqa: PLC0415

    class Processor(StatefulProcessor):  # type: ignore[misc]
        """The events that a key has in a batch, in their order, and its state."""

        def __init__(self, model: KeyedModel, order: Sequence[str], columns: Sequence[str]) -> None:
            self._model, self._order, self._columns = model, list(order), list(columns)

        def init(self, handle: Any) -> None:
            self._state = handle.getValueState("key", "state BINARY")
            self._places: _Places | None = None
            self._row = Row(*self._columns, *self._model.fields)

        def handleInputRows(self, key: Any, rows: Iterator[Any], timerValues: Any) -> Iterator[Any]:  # noqa: ARG002, N802
            given = list(rows)
            events = list(map(tuple, given))  # a Row finds its places in Python
            places = self._places
            if places is None:
                places = self._places = _Places(given[0].__fields__, self._model, self._order, self._columns)
            if len(events) > 1:
                events = places.sorted(events)
            model, held = self._model, self._state.get()
            model.begin(_ONE, None if held is None else bytes(held[0]))
            found = model.run(_ONE, [{name: event[i] for name, i in places.read} for event in events])
            self._state.update((model.state(_ONE),))
            said = zip(*found.values(), strict=True)
            out = [[event[i] for i in places.out] for event in events]
            return iter([self._row(*whole, *one) for whole, one in zip(out, said, strict=True)])

        def close(self) -> None:
            pass

    return Processor


def progressive(frame: Any, model: KeyedModel, *, key: str, order: str | Sequence[str]) -> Any:
    """Predict each event of a streaming DataFrame, then learn it; return the DataFrame with what is said of each event as columns more.

    A key goes on where its state of the batch before ends. Spark does a batch again that was not committed: with a source that is read again, as all of
    its own are, and a sink that takes a batch once, such as files or Delta, each result is written once.

    Parameters
    ----------
    frame
        Of events, a row each.
    model
        Of an exported file.
    key
        The column that says whose event a row is; Spark wants letters, digits and ``_`` in its name. With a :class:`~streamrnn.adapters.LearningModel` it is that of the bucket.
    order
        The columns that the events of a key are sorted by within a batch, as Spark keeps no order: no two events of a key may be alike in them.

    Raises
    ------
    MissingExtraError
        When PySpark 4.1 is not installed.
    ParameterError
        When the DataFrame has no such column, or one that is called as a result is.
    """
    try:
        types = importlib.import_module("pyspark.sql.types")
        made = _processor()
    except ImportError as error:
        raise MissingExtraError("This needs PySpark 4.1: pip install 'streamrnn[spark]'") from error
    order, columns = [order] if isinstance(order, str) else list(order), list(frame.columns)
    if missing := [name for name in (key, *order) if name not in columns]:
        raise ParameterError(f"The DataFrame has no column {missing[0]!r}. It has {', '.join(columns)}.")
    if taken := [name for name in columns if name in model.fields]:
        raise ParameterError(f"The DataFrame has a column {taken[0]!r}, as a result is called. Rename it.")
    kinds = {float: types.DoubleType(), bool: types.BooleanType(), str: types.StringType()}
    schema = types.StructType(
        [*frame.schema.fields, *(types.StructField(name, kinds[kind]) for name, kind in model.fields.items())]
    )
    if model.time in columns and isinstance(frame.schema[model.time].dataType, types.TimestampType):
        frame = frame.withColumn(_SECONDS, frame[model.time].cast("double"))
    return frame.groupBy(key).transformWithState(made(model, order, columns), schema, "append", "none")
