"""How a scorer holds its model: its memory, its counters, and its bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamrnn.container import Blob
from streamrnn.errors import StateError
from streamrnn.scorers.capabilities import Counted, Sized
from streamrnn.scorers.scorer import Counters

__all__ = ["ModelStore", "counting", "fitting"]

MODEL_BYTES = 200_000
"""Of a model that knows no size and cannot be written: a forest of 25 half-space trees."""

OBJECT_BYTES = 12_000
"""Around a model whose size is that of its snapshot: measured 6 KB, and as much again for good measure."""

AROUND_BYTES = 6_000
"""Around a model that knows what it holds: measured 4 KB for the entry, and what malloc rounds up."""

SAME = ("horizon", "key", "time", "advance")
"""Attributes in which a model of a snapshot must be that of the configuration, whatever the snapshot says of itself."""


class ModelStore:
    """Writes and reads the models of one configuration.

    Parameters
    ----------
    name
        Of the model, for messages.
    dumps, loads
        The model as bytes and back, without pickle; None where it has no such form.

    Examples
    --------
    >>> from streamrnn import RNNRegressor, dumps, loads
    >>> from streamrnn.scorers.store import ModelStore
    >>> store = ModelStore("RNNRegressor", dumps, loads)
    >>> type(store.read(bytes(store.write(RNNRegressor())), RNNRegressor())).__name__
    'RNNRegressor'
    """

    def __init__(
        self, name: str, dumps: Callable[[Any], Blob] | None = None, loads: Callable[[bytes], Any] | None = None
    ) -> None:
        self.name = name
        self._dumps = dumps
        self._loads = loads

    def write(self, model: Any) -> Blob:
        """Return a model as bytes, or in pieces that are good until it learns again.

        Parameters
        ----------
        model
            Of river's interface.

        Raises
        ------
        StateError
            When it has no form without pickle.
        """
        if self._dumps is None:
            raise StateError(f"A {self.name} cannot be written without pickle; run it without [state] dir.")
        return self._dumps(model)

    def read(self, data: bytes, fresh: Any) -> Any:
        """Return what :meth:`write` wrote, where it is a model such as ``fresh``.

        Parameters
        ----------
        data
            What was written.
        fresh
            A new model of the configuration.

        Raises
        ------
        StateError
            When it is damaged, another model, or has no form without pickle.
        """
        if self._loads is None:
            raise StateError(f"A {self.name} cannot be read without pickle.")
        return fitting(self._loads(data), fresh)

    def memory(self, model: Any, more: int = 0) -> int:
        """Return the memory of a model in bytes, estimated from above; ``more`` are blobs beside it in a snapshot.

        Parameters
        ----------
        model
            Of river's interface.
        more
            Bytes of blobs beside the model in a snapshot.
        """
        if isinstance(model, Sized) and not more:
            return model.memory_usage() + AROUND_BYTES
        written = MODEL_BYTES if self._dumps is None else len(self._dumps(model)) + more
        return written * 3 // 2 + OBJECT_BYTES  # scratch beside what a snapshot holds


def counting(model: Any) -> Callable[[], Counters]:
    """Return what tells the counters of a model; zeros where it does not count. Asked of a model once: the check is slow.

    Parameters
    ----------
    model
        Of river's interface.

    Examples
    --------
    >>> from streamrnn.scorers.store import counting
    >>> counting(object())().learned
    0
    """
    if not isinstance(model, Counted):
        return Counters
    counted: Counted = model
    return lambda: Counters(*counted.learning_counters)


def fitting(found: Any, fresh: Any) -> Any:
    """Return a model out of a snapshot where it is one of those that this configuration makes.

    Parameters
    ----------
    found
        Out of the snapshot.
    fresh
        A new one of the configuration.

    Raises
    ------
    StateError
        When it is of another class, or for another key or horizon: whatever the snapshot says of itself.

    Examples
    --------
    >>> from streamrnn import RNNClassifier, RNNRegressor
    >>> from streamrnn.scorers.store import fitting
    >>> fitting(RNNClassifier(), RNNRegressor())
    Traceback (most recent call last):
    ...
    streamrnn.errors.StateError: The snapshot holds a RNNClassifier where this configuration has a RNNRegressor.
    """
    if type(found) is not type(fresh):
        raise StateError(
            f"The snapshot holds a {type(found).__name__} where this configuration has a {type(fresh).__name__}."
        )
    for name in SAME:
        then, now = getattr(found, name, None), getattr(fresh, name, None)
        if then != now:
            raise StateError(f"The snapshot's model has {name} = {str(then)[:80]!r}, now it is {now!r}.")
    return found
