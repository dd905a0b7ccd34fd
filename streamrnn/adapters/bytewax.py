"""A model as a step of a Bytewax dataflow: ``stateful_batch``, with the state of each key in Bytewax's recovery store."""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from streamrnn.adapters.keyed import KeyedModel
from streamrnn.errors import MissingExtraError

__all__ = ["progressive"]


@functools.cache
def _logic() -> type:
    """Return the class of what Bytewax calls for each key. It has to be one of Bytewax's own."""
    from bytewax.operators import StatefulBatchLogic  # noqa: PLC0415  (extra)

    numbers = itertools.count()

    class KeyLogic(StatefulBatchLogic):  # type: ignore[misc]
        """The events of one key, and its state; Bytewax does not say which key it is."""

        def __init__(self, model: KeyedModel, state: bytes | None) -> None:
            self._model, self._key = model, next(numbers)
            model.begin(self._key, state)

        def on_batch(self, values: Sequence[Mapping[Any, Any]]) -> tuple[list[tuple[Any, dict[str, Any]]], bool]:
            found = self._model.run(self._key, values)
            said = zip(*found.values(), strict=True)
            return [(event, dict(zip(found, one, strict=True))) for event, one in zip(values, said, strict=True)], False

        def snapshot(self) -> bytes:
            return self._model.state(self._key)

    return KeyLogic


def progressive(step_id: str, up: Any, model: KeyedModel) -> Any:
    """Predict each event of a keyed stream, then learn it; return the keyed stream of pairs of event and what is said of it.

    Each worker has a model of its own. Where the dataflow has a recovery store, a key goes on where its state ends; with a source that is read again from
    there, and a sink that is cut back to there, such as those of files, each result is written once.

    Parameters
    ----------
    step_id
        Of the step, as every one of a dataflow has it.
    up
        Pairs of a key, which is a text, and an event: features by name. With a :class:`~streamrnn.adapters.LearningModel` the key is the bucket.
    model
        Of an exported file.

    Raises
    ------
    MissingExtraError
        When Bytewax is not installed.
    """
    try:
        from bytewax.operators import stateful_batch  # noqa: PLC0415  (extra)
    except ImportError as error:
        raise MissingExtraError("A step of a dataflow needs Bytewax: pip install 'streamrnn[bytewax]'") from error
    return stateful_batch(step_id, up, _builder(model))


def _builder(model: KeyedModel) -> Callable[[bytes | None], Any]:
    """Return what Bytewax makes a key's logic by, in the thread of the worker that has the key."""
    workers = threading.local()

    def build(state: bytes | None) -> Any:
        if not hasattr(workers, "model"):
            workers.model = model.copy()
        return _logic()(workers.model, state)

    return build
