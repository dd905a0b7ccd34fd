"""Weights that stay, and a state for each key that goes on learning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from streamrnn.adapters.keyed import DIGEST, MOST_KEYS, KeyedModel
from streamrnn.errors import ParameterError, StateError

__all__ = ["FrozenModel"]

_OF_A_KEY: Final = b"SRNNKEY"


class FrozenModel(KeyedModel):
    """A model whose weights are those of a file and stay: each key's statistics, mixture, alarm rule and hidden state go on.

    A key's results depend on the file and on its own events alone: they are the same, bit for bit, whatever keys run beside it, in however many workers.

    When not to use it: while the weights still have much to learn. Train them first, on the past of some keys; or let keys in groups learn weights of
    their own (:class:`~streamrnn.adapters.LearningModel`).

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
    >>> from streamrnn import RNNRegressor
    >>> from streamrnn.adapters import FrozenModel, export
    >>> trained = RNNRegressor(key="pump", hidden_size=8)
    >>> for i in range(100):
    ...     trained.learn_one({"pump": "north", "level": i % 7 / 3}, i % 5)
    >>> model = FrozenModel.load(export(trained, tempfile.mkdtemp()), label="flow")
    >>> model.begin("south", None)
    >>> first = model.run("south", [{"level": 0.5, "flow": 2.0}])
    >>> other = model.copy()
    >>> other.begin("south", model.state("south"))
    >>> events = [{"level": 0.7, "flow": 2.5}, {"level": 0.9}]
    >>> other.run("south", events) == model.run("south", events)
    True
    """

    def __init__(self, data: bytes, label: Any = None) -> None:
        super().__init__(data, label)
        self._model = self._blank
        self._made_with = bytes.fromhex(self.digest)
        self._model.limit_keys(MOST_KEYS)
        self._model.freeze()

    def begin(self, key: Any, state: bytes | None) -> None:
        """Take up a key where its state ends; None: anew.

        Parameters
        ----------
        key
            That the engine keeps a state by.
        state
            From :meth:`state`, of a model of the same file.

        Raises
        ------
        ParameterError
            When the state is no bytes.
        StateError
            When it was made with other weights, or is damaged. Nothing has changed then.
        """
        if state is None:
            self._model.drop_key(key)
            return
        if not isinstance(state, bytes | bytearray | memoryview):
            raise ParameterError(f"A key's state must be bytes. Got {type(state).__name__} instead.")
        state = bytes(state)
        made_with, own = state[:DIGEST], state[DIGEST:]
        if made_with != self._made_with and own.startswith(_OF_A_KEY):
            raise StateError(
                f"The state of key {key!r} was made with the weights {made_with.hex()}, and this job has {self.digest}. Go on with the file "
                "it was made with, or let the keys begin anew: with another checkpoint, another recovery store."
            )
        self._model.set_key_state(key, own)

    def run(self, key: Any, events: Sequence[Mapping[Any, Any]]) -> dict[str, list[Any]]:
        """Predict each of some events of a key, then learn it; return what is said of them by name, a value for each event.

        Parameters
        ----------
        key
            One that was begun.
        events
            Features by name, in their order. Names that the file does not know are passed over.

        Raises
        ------
        FeatureError
            When a value is no number; nothing is learned then.
        """
        return self._run(self._model, events, [key] * len(events))

    def state(self, key: Any) -> bytes:
        """Return the state of a key, for the engine to keep: the digest of the weights, and what is the key's own.

        Parameters
        ----------
        key
            One that had an event.
        """
        own: bytes = self._model.key_state(key)
        return self._made_with + own
