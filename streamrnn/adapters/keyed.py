"""What a job's models have in common: an exported file, and how events become results."""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

from streamrnn.adapters.results import kind_of
from streamrnn.models.persistence import loads

__all__ = ["DIGEST", "KeyedModel", "digest_of"]

DIGEST: Final = 16
"""Bytes of a digest."""

MOST_KEYS: Final = 2**31 - 1
"""The engine decides which keys there are: none is let go of for another."""


def digest_of(data: bytes) -> str:
    """Return what exported weights are known by, in hexadecimal.

    Parameters
    ----------
    data
        Of the file.
    """
    return hashlib.blake2b(data, digest_size=DIGEST).hexdigest()


class KeyedModel(ABC):
    """A model of an exported file, for one worker of an engine: it runs the events of one key after the other, and the engine keeps the states.

    Parameters
    ----------
    data
        What :func:`~streamrnn.adapters.export` wrote.
    label
        The name under which an event has its label, for a model that learns one.
    """

    def __init__(self, data: bytes, label: Any = None) -> None:
        self.data = data
        self.label = label
        self.digest = digest_of(data)
        self._blank = loads(data)
        self._kind = kind_of(self._blank)

    @classmethod
    def load(cls, path: str | os.PathLike[str], label: Any = None) -> Self:
        """Return the model of a file.

        Parameters
        ----------
        path
            From :func:`~streamrnn.adapters.export`.
        label
            The name under which an event has its label, for a model that learns one.
        """
        return cls(Path(path).read_bytes(), label)

    def __reduce__(self) -> Any:
        return type(self), (self.data, self.label)

    def copy(self) -> Self:
        """Return a model of the same file that holds no key: for another thread."""
        return type(self)(self.data, self.label)

    @property
    def fields(self) -> Mapping[str, type]:
        """What is said of an event, by name, with its type."""
        return self._kind.fields

    @property
    def columns(self) -> tuple[Any, ...]:
        """The features that the file knows, by name."""
        found: tuple[Any, ...] = self._blank.columns
        return found

    @property
    def read(self) -> tuple[Any, ...]:
        """What is read of an event, by name: the features, the label, and the key where that is not the engine's."""
        return (*self.columns, *([] if self.label is None else [self.label]))

    @property
    def time(self) -> Any:
        """Which of the columns is the time; None where there is none."""
        return self._blank.columns[0] if self._blank.timed else None

    @abstractmethod
    def begin(self, key: Any, state: bytes | None) -> None:
        """Take up a key where its state ends; None: anew.

        Parameters
        ----------
        key
            That the engine keeps a state by.
        state
            From :meth:`state`.
        """

    @abstractmethod
    def run(self, key: Any, events: Sequence[Mapping[Any, Any]]) -> dict[str, list[Any]]:
        """Predict each of some events, then learn it; return what is said of them by name, a value for each event.

        Parameters
        ----------
        key
            One that was begun.
        events
            Features by name, in their order. Names that the file does not know are passed over.
        """

    @abstractmethod
    def state(self, key: Any) -> bytes:
        """Return the state of a key, for the engine to keep.

        Parameters
        ----------
        key
            One that was begun.
        """

    def _run(self, model: Any, events: Sequence[Mapping[Any, Any]], keys: Sequence[Any]) -> dict[str, list[Any]]:
        """Run events of these keys through a model."""
        labels = [None if self.label is None else event.get(self.label) for event in events]
        return self._kind.run(model, model.rows_of(events), keys, labels)
