"""A model over a streaming DataFrame of Spark: ``transformWithStateInPandas``, with the state of each key in Spark's state store."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from streamrnn.adapters.keyed import KeyedModel
from streamrnn.errors import MissingExtraError, ParameterError

__all__ = ["progressive"]

_ONE: Final = ""
"""The key of the model that runs one key of Spark's after the other."""

_SECONDS: Final = "seconds of streamrnn"
"""A column that Spark makes of the time: pandas has it in the session's zone, where an hour of autumn comes twice."""


@functools.cache
def _processor() -> type:
    """Return the class of what Spark calls for each key of a batch. It has to be one of Spark's own."""
    from pyspark.sql.streaming import StatefulProcessor  # noqa: PLC0415  (extra)

    class Processor(StatefulProcessor):  # type: ignore[misc]
        """The events that a key has in a batch, in their order, and its state."""

        def __init__(
            self, model: KeyedModel, order: Sequence[str], columns: Sequence[str], width: int, texts: Sequence[str]
        ) -> None:
            self._model, self._order, self._columns, self._texts = model, list(order), list(columns), set(texts)
            self._names = [*self._columns, _SECONDS][:width]

        def init(self, handle: Any) -> None:
            self._state = handle.getValueState("key", "state BINARY")

        def handleInputRows(self, key: Any, rows: Iterator[Any], timerValues: Any) -> Iterator[Any]:  # noqa: ARG002, N802
            frame = _joined(list(rows), self._names, self._order)
            model, held = self._model, self._state.get()
            model.begin(_ONE, None if held is None else bytes(held[0]))
            found = model.run(_ONE, _events(frame, model))
            self._state.update((model.state(_ONE),))
            yield _beside(frame, self._columns, found, self._texts)

        def close(self) -> None:
            pass

    return Processor


def _joined(frames: list[Any], names: Sequence[str], order: list[str]) -> Any:
    """Return the frames that Spark has cut a key's rows into as one, sorted. Spark has renamed what is no name of Python's."""
    frame = frames[0] if len(frames) == 1 else importlib.import_module("pandas").concat(frames, ignore_index=True)
    frame.columns = names
    return frame.sort_values(order, kind="stable", ignore_index=True) if len(frame) > 1 else frame


def _beside(frame: Any, columns: Sequence[str], found: Mapping[str, list[Any]], texts: Collection[str]) -> Any:
    """Return some columns of a frame and, beside them, what was found.

    Text is Python's: of pandas' own, in pieces, and of text that is all missing Spark makes no column.
    """
    pandas = importlib.import_module("pandas")
    values: dict[str, Any] = {**{name: frame[name] for name in columns}, **found}
    return pandas.DataFrame(
        {name: pandas.Series(one, dtype=object) if name in texts else one for name, one in values.items()}
    )


def _events(frame: Any, model: KeyedModel) -> list[dict[str, Any]]:
    """Return the rows of a frame of pandas as events."""
    names = [name for name in model.read if name in frame.columns]
    values = [frame[_SECONDS if name == model.time and _SECONDS in frame else name].tolist() for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)] if names else [{}] * len(frame)


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
        When PySpark 4 is not installed.
    ParameterError
        When the DataFrame has no such column, or one that is called as a result is.
    """
    try:
        types = importlib.import_module("pyspark.sql.types")
        made = _processor()
    except ImportError as error:
        raise MissingExtraError("This needs PySpark 4: pip install 'streamrnn[spark]'") from error
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
    texts = [field.name for field in schema.fields if isinstance(field.dataType, types.StringType)]
    processor = made(model, order, columns, len(frame.columns), texts)
    return frame.groupBy(key).transformWithStateInPandas(processor, schema, "append", "none")
