"""Weights that go on learning, where an engine keeps state by key alone: keys in buckets, net and keys in one state."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from streamrnn.adapters.keyed import KeyedModel
from streamrnn.errors import StateError
from streamrnn.models.persistence import dumps, loads

__all__ = ["LearningModel", "bucket_of"]


def bucket_of(key: Any, buckets: int) -> str:
    """Return the bucket of a key, the same in every process: ``"0"`` to ``"buckets - 1"``.

    Parameters
    ----------
    key
        Of the events: text, or what its text says apart.
    buckets
        How many there are. Another number is another job: keys then lie in other buckets.

    Examples
    --------
    >>> from streamrnn.adapters import bucket_of
    >>> bucket_of("pump 1", 8), bucket_of("pump 2", 8)
    ('3', '1')
    """
    return str(zlib.crc32(str(key).encode(errors="replace")) % buckets)


class LearningModel(KeyedModel):
    """A model whose weights go on learning, one for each bucket of keys: the engine's key is the bucket, and each event brings its own key.

    A bucket begins with the weights of the file; what it learns its own keys share. Its results are those of the estimator with ``key``, fed the bucket's
    events alone, in their order, bit for bit: the order among the keys of a bucket counts.

    When not to use it: where few of many keys have an event at a time. The state of a bucket is its net and all of its keys, and is read and written
    whole.

    Parameters
    ----------
    data
        What :func:`~streamrnn.adapters.export` wrote.
    label
        The name under which an event has its label, for a model that learns one.

    Raises
    ------
    StateError
        When the bytes are damaged, or no model.
    ParameterError
        When it is a model that no engine can run here.

    Examples
    --------
    >>> import tempfile
    >>> from streamrnn import RNNAnomalyDetector
    >>> from streamrnn.adapters import LearningModel, export
    >>> trained = RNNAnomalyDetector(key="pump", hidden_size=8)
    >>> trained.learn_one({"pump": "north", "level": 1.0})
    >>> model = LearningModel.load(export(trained, tempfile.mkdtemp()))
    >>> model.begin("5", None)
    >>> model.run("5", [{"pump": "north", "level": 1.0}, {"pump": "south", "level": 7.0}])["alarm"]
    [False, False]
    """

    def __init__(self, data: bytes, label: Any = None) -> None:
        super().__init__(data, label)
        self._models: dict[Any, Any] = {}

    @property
    def read(self) -> tuple[Any, ...]:
        """What is read of an event, by name: the features, the label, and the key."""
        return (*super().read, self._blank.key)

    def begin(self, key: Any, state: bytes | None) -> None:
        """Take up a bucket where its state ends; None: with the weights of the file, and no key.

        Parameters
        ----------
        key
            Of the bucket.
        state
            From :meth:`state`.

        Raises
        ------
        StateError
            When it is damaged, or of another model. Nothing has changed then.
        """
        model = loads(self.data if state is None else state)
        if (type(model), model.key, model.columns) != (type(self._blank), self._blank.key, self._blank.columns):
            raise StateError(f"The state of bucket {key!r} is of another model, or of one with other columns.")
        model.unfreeze()
        self._models[key] = model

    def run(self, key: Any, events: Sequence[Mapping[Any, Any]]) -> dict[str, list[Any]]:
        """Predict each of some events of a bucket, then learn it; return what is said of them by name, a value for each event.

        Parameters
        ----------
        key
            Of the bucket, which was begun.
        events
            Features by name and the key of each, in their order. Names that the file does not know are passed over.

        Raises
        ------
        FeatureError
            When a value is no number; nothing is learned then.
        """
        model = self._models[key]
        return self._run(model, events, [event.get(model.key) for event in events])

    def state(self, key: Any) -> bytes:
        """Return the state of a bucket, for the engine to keep: the net and all of its keys.

        Parameters
        ----------
        key
            Of the bucket, which was begun.
        """
        return dumps(self._models[key])
