"""What a model may be able to do beyond river's interface, each a protocol: asked once, when a scorer is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from streamrnn.config import POLICY, Alarm

__all__ = [
    "AroundNet",
    "BlockLearner",
    "Counted",
    "Expecting",
    "OwnRule",
    "Policed",
    "RowReader",
    "SharedNet",
    "Sized",
    "take_alarm",
]


@runtime_checkable
class Sized(Protocol):
    """Knows the memory it holds."""

    def memory_usage(self) -> int:
        """Return it, in bytes."""


@runtime_checkable
class Counted(Protocol):
    """Counts what it has learned."""

    @property
    def learning_counters(self) -> tuple[int, int, float]:
        """Updates refused, targets learned, and the sum of their losses."""


@runtime_checkable
class SharedNet(Protocol):
    """One net of many keys: each has a place."""

    @property
    def slots(self) -> Mapping[Any, int]:
        """The place of each key that is held, the one unseen for longest first."""

    @property
    def last_place(self) -> int:
        """The largest place that a key has; 0 where none is held."""

    def noted_places(self) -> AbstractContextManager[list[Any]]:
        """Give a list of the places that events get while they are learned, negative where one begins anew: numbers, and arrays of them."""

    @property
    def n_evicted_keys(self) -> int:
        """Keys that had to go since it was made or read."""

    @property
    def bytes_per_key(self) -> int:
        """Memory that one more key takes."""

    def coldest_keys(self, most: int, /) -> list[tuple[Any, int]]:
        """Return the keys unseen for longest, each with how many events have come since its own last one.

        Parameters
        ----------
        most
            Keys that are returned.
        """

    def count_idle_keys(self, events: int, /) -> int:
        """Return how many keys had none of the last events.

        Parameters
        ----------
        events
            How many events.
        """

    def limit_keys(self, max_keys: int, /) -> None:
        """Hold at most so many keys from now on.

        Parameters
        ----------
        max_keys
            How many.
        """


@runtime_checkable
class Expecting(Protocol):
    """Expects values before it sees them."""

    def expected_one(self) -> dict[str, float]:
        """Return the value that is expected of each feature."""


@runtime_checkable
class BlockLearner(Protocol):
    """Learns many rows in one call."""

    def progressive_many(self, X: Any, /, *more: Any, **named: Any) -> Any:
        """Score or predict each row before it is learned.

        Parameters
        ----------
        X
            Rows.
        *more
            Labels and names, where the model takes them.
        **named
            Keys, where many share the model.
        """


@runtime_checkable
class OwnRule(Protocol):
    """A detector that says itself when it alarms, and learns many rows in one call."""

    def set_alarm(self, alarm_rate: float | str, cooldown: int, warm_up: int | None = None, /) -> None:
        """Alarm at another rate from the next event on.

        Parameters
        ----------
        alarm_rate
            Share of normal events that may raise an alarm, from 0 to 0.5, or how many in what time.
        cooldown
            Events after an alarm that raise none.
        warm_up
            Events before the first alarm; None: it stays.
        """

    def progressive_many(self, X: Any, /, *more: Any, **named: Any) -> dict[str, NDArray[Any]]:
        """Score each row before it is learned; return all that is said of it, by name.

        Parameters
        ----------
        X
            Rows.
        *more
            Labels and names, where the model takes them.
        **named
            Keys, where many share the model.
        """


@runtime_checkable
class Policed(Protocol):
    """A detector that can be told which deviations matter."""

    def set_policy(self, **said: Any) -> None:
        """Follow another policy from the next event on.

        Parameters
        ----------
        **said
            The options of ``[alarm]`` in :data:`streamrnn.config.POLICY`.
        """


def take_alarm(model: OwnRule, alarm: Alarm, *, start: bool = False) -> None:
    """Give a detector the settings of ``[alarm]``.

    Parameters
    ----------
    model
        The detector.
    alarm
        The settings.
    start
        Whether it is a new one: then the warm-up counts, too.
    """
    model.set_alarm(alarm.rate, alarm.cooldown, alarm.warm_up if start else None)
    if isinstance(model, Policed):
        model.set_policy(**{name: getattr(alarm, name) for name in POLICY})


@runtime_checkable
class RowReader(Protocol):
    """A detector whose results can be read later, together with those of others."""

    def run_rows(
        self, values: NDArray[np.float64], names: Sequence[Any], keys: Sequence[Any] | None, /
    ) -> NDArray[np.float64] | None:
        """Score and learn rows; None where that is not possible, and nothing has happened.

        Parameters
        ----------
        values
            float64, shape (n, I); NaN where a value is missing.
        names
            Of the columns.
        keys
            Of the rows, where many share the net.
        """

    def read_rows(self, rows: NDArray[np.float64], /) -> dict[str, NDArray[Any]]:
        """Return what ``progressive_many`` would have.

        Parameters
        ----------
        rows
            float64, shape (n, width).
        """


class AroundNet:
    """A scorer's part that asks its model, one of ours, about the keys that share it."""

    model: Any

    @property
    def net(self) -> SharedNet:
        """The model, where many keys share it."""
        found: SharedNet = self.model
        return found

    def limit_keys(self, room: int) -> None:
        """Keep so many keys at most from now on, see :meth:`streamrnn.scorers.scorer.Scorer.limit_keys`.

        Parameters
        ----------
        room
            How many.
        """
        self.net.limit_keys(room)

    def key_memory(self) -> int:
        """Return the memory that one more key takes, in bytes, estimated from above, where many share the model."""
        return self.net.bytes_per_key
