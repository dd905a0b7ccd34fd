"""Anything that scores, behind the rank rule: it says when a score is an alarm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from streamrnn.config import Alarm
from streamrnn.container import Blob
from streamrnn.scorers.capabilities import AroundNet, BlockLearner, Expecting, SharedNet
from streamrnn.scorers.parts import failed
from streamrnn.scorers.rank_rule import RankRule
from streamrnn.scorers.scored import Scored
from streamrnn.scorers.scorer import Counters
from streamrnn.scorers.store import ModelStore, counting

__all__ = ["RankedScorer", "RiverDetector", "Unranked"]


class Unranked(Protocol):
    """What scores events and leaves it to a rule when to alarm. Its methods mean what those of a Scorer do."""

    @property
    def parts(self) -> int:
        """Blobs that :meth:`dumps` gives."""

    @property
    def counters(self) -> Counters:
        """What was learned so far."""

    @property
    def net(self) -> SharedNet:
        """The model, where many keys share it."""

    @property
    def last_place(self) -> int:
        """The largest place that a key of the model has; 0 where it is that of one."""

    def limit_keys(self, room: int) -> None:
        """Keep so many keys at most from now on, where many share the model.

        Parameters
        ----------
        room
            How many.
        """

    def key_memory(self) -> int:
        """Return the memory that one more key takes, where many share the model."""

    def score(
        self,
        values: NDArray[np.float64],
        names: tuple[str, ...],
        keys: Sequence[str | None] | None = None,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64] | None]:
        """Score each event, then learn it; return scores (n,), what was expected (n, I), NaN for nothing, and the place of each event's key.

        Places (n,) are those of the model, negative where a key begins anew; None where the model is that of one.

        Parameters
        ----------
        values
            float64, shape (n, I); NaN where a value is missing.
        names
            Of the columns.
        keys
            Of the events, where many keys share the model; None where it is that of one.
        """

    def memory(self) -> int:
        """Return the memory that is held, in bytes, estimated from above."""

    def dumps(self) -> list[Blob]:
        """Return everything learned as blobs."""

    def restore(self, blobs: Sequence[bytes]) -> None:
        """Take up what :meth:`dumps` gave.

        Parameters
        ----------
        blobs
            What it gave, as many and in the order.
        """


class RankedScorer:
    """Scores by a model, and alarms by the rank of its scores, see :class:`streamrnn.scorers.rank_rule.RankRule`.

    Parameters
    ----------
    model
        What scores.
    alarm
        Settings of the rule. Where many keys share the model each has a rule of its own, found by its place in the model.

    Examples
    --------
    >>> import numpy as np
    >>> from river.anomaly import HalfSpaceTrees
    >>> from streamrnn.config import Alarm
    >>> from streamrnn.scorers.ranked import RankedScorer, RiverDetector
    >>> from streamrnn.scorers.store import ModelStore
    >>> model = RiverDetector(HalfSpaceTrees(seed=1), ModelStore("HalfSpaceTrees"))
    >>> RankedScorer(model, Alarm()).run(np.array([[0.5], [0.1]]), ("a",), None).alarms
    [False, False]
    """

    def __init__(self, model: Unranked, alarm: Alarm) -> None:
        self.model = model
        self.rule = RankRule(alarm)

    @property
    def parts(self) -> int:
        """One blob for the rule, and those of the model."""
        return 1 + self.model.parts

    @property
    def counters(self) -> Counters:
        """What the model has learned so far."""
        return self.model.counters

    def run(
        self,
        values: NDArray[np.float64],
        names: tuple[str, ...],
        times: Sequence[Any] | None,
        keys: Sequence[str | None] | None = None,
    ) -> Scored:
        """Score and learn each event, see :meth:`streamrnn.scorers.scorer.Scorer.run`.

        Parameters
        ----------
        values
            float64, shape (n, I); NaN where a value is missing.
        names
            Of the columns.
        times
            Of the events, as the input wrote them; None where it has no time.
        keys
            Of the events, where many keys share the model; None where it is that of one.
        """
        del times
        scores, predictions, places = self.model.score(values, names, keys)
        alarms, p_values = self.rule.update_many(scores, places)
        return Scored(scores, predictions, alarms.tolist(), p_values.tolist())

    def set_alarm(self, alarm: Alarm) -> None:
        """Alarm by other settings from the next event on; the scores that are kept stay.

        Parameters
        ----------
        alarm
            The settings; those of a start, window and warm-up, stay.
        """
        self.rule.set_alarm(alarm)

    @property
    def net(self) -> SharedNet:
        """The model, where many keys share it."""
        return self.model.net

    def limit_keys(self, room: int) -> None:
        """Keep so many keys at most from now on, see :meth:`streamrnn.scorers.scorer.Scorer.limit_keys`.

        Parameters
        ----------
        room
            How many.
        """
        self.model.limit_keys(room)

    def memory(self) -> int:
        """Return the memory that is held, in bytes, estimated from above."""
        return self.model.memory() + RankRule.BYTES

    def key_memory(self) -> int:
        """Return the memory that one more key takes, in bytes, estimated from above, where many share the model."""
        return self.model.key_memory() + RankRule.BYTES

    def dumps(self) -> list[Blob]:
        """Return what the model has learned, then the memory of the rule, or of those of all keys."""
        return [*self.model.dumps(), self.rule.dumps(self.model.last_place)]

    def restore(self, blobs: Sequence[bytes]) -> None:
        """Take up what :meth:`dumps` gave.

        Parameters
        ----------
        blobs
            What it gave, as many and in the order.
        """
        self.model.restore(blobs[:-1])
        self.rule.restore(blobs[-1], self.model.last_place)


class RiverDetector(AroundNet):
    """Any river anomaly detector, or a pipeline that ends in one.

    One that learns many rows does so in one call. Any other is given event by event, without the features that are
    missing in that event.

    Parameters
    ----------
    model
        With ``score_one`` and ``learn_one``.
    store
        How it is written and read, where it can be.

    Examples
    --------
    >>> import numpy as np
    >>> from river.anomaly import HalfSpaceTrees
    >>> from streamrnn.scorers.ranked import RiverDetector
    >>> from streamrnn.scorers.store import ModelStore
    >>> detector = RiverDetector(HalfSpaceTrees(seed=1), ModelStore("HalfSpaceTrees"))
    >>> scores, expected, _ = detector.score(np.array([[0.5], [0.1]]), ("a",))
    >>> scores, expected.shape
    (array([0., 0.]), (2, 1))
    """

    parts = 1
    last_place = 0

    def __init__(self, model: Any, store: ModelStore) -> None:
        self.model = model
        self._store = store
        self._counters = counting(model)
        self._learns_blocks = isinstance(model, BlockLearner)
        self._expects = isinstance(model, Expecting)

    @property
    def counters(self) -> Counters:
        """What the model has learned so far; zeros where it does not count."""
        return self._counters()

    def score(
        self,
        values: NDArray[np.float64],
        names: tuple[str, ...],
        keys: Sequence[str | None] | None = None,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], None]:
        """Score each event, then learn it; return scores (n,), what was expected (n, I), NaN for nothing, and None: no keys share such a model.

        Parameters
        ----------
        values
            float64, shape (n, I); NaN where a value is missing.
        names
            Of the columns.
        keys
            None.

        Raises
        ------
        ConfigError
            When a model that is not this library's raises at an event.
        """
        del keys
        model: Any = self.model
        if self._learns_blocks:
            found = model.progressive_many(np.ascontiguousarray(values), names)
            return found["score"], found["prediction"], None
        scores = np.empty(len(values))
        expected = np.full(values.shape, np.nan)
        for i, row in enumerate(values.tolist()):
            x = {name: value for name, value in zip(names, row, strict=True) if value == value}  # noqa: PLR0124
            if self._expects:
                before = model.expected_one()
                expected[i] = [before.get(name, np.nan) for name in names]
            try:
                scores[i] = model.score_one(x)
                model.learn_one(x)
            except Exception as error:
                raise failed(model, x, error) from error
        return scores, expected, None

    def memory(self) -> int:
        """Return the memory that is held, in bytes, estimated from above."""
        return self._store.memory(self.model)

    def dumps(self) -> list[Blob]:
        """Return the model as one blob."""
        return [self._store.write(self.model)]

    def restore(self, blobs: Sequence[bytes]) -> None:
        """Take up what :meth:`dumps` gave.

        Parameters
        ----------
        blobs
            What it gave, as many and in the order.
        """
        self.model = self._store.read(blobs[0], self.model)
        self._counters = counting(self.model)
