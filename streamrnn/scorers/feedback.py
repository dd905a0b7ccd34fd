"""Our detector with a column of feedback: what a person says of an event, with it or after it came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamrnn.config import Alarm
from streamrnn.container import Blob
from streamrnn.errors import StateError
from streamrnn.kernels.anomaly.views import VIEWS
from streamrnn.scorers.capabilities import AroundNet, take_alarm
from streamrnn.scorers.label_column import LabelColumn, over_all_columns
from streamrnn.scorers.of_keys import OfKeys
from streamrnn.scorers.recent_events import EVENT, RecentEvents
from streamrnn.scorers.scored import Scored
from streamrnn.scorers.scorer import Counters
from streamrnn.scorers.store import ModelStore, counting

__all__ = ["FIELD", "FeedbackScorer", "feedback_alone"]

ENTRY_BYTES = 600
"""Of what is remembered of one key, without the events."""

FIELD = "feedback"
"""The detail that says whether feedback was applied; None where an event brought none."""


def feedback_alone(
    values: NDArray[np.float64], names: tuple[str, ...], label: str, time: str | None = None
) -> NDArray[np.bool_]:
    """Return which records are feedback on earlier events and no events: nothing but the label's column, and ``time`` where that is one.

    Parameters
    ----------
    values
        float64, shape (n, I); NaN where a value is missing.
    names
        Of the columns.
    label
        The column with the feedback.
    time
        The column that is the time; None: there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.scorers.feedback import feedback_alone
    >>> feedback_alone(np.array([[1.0, np.nan], [1.0, 0.0], [np.nan, 1.0], [np.nan, np.nan]]), ("a", "said"), "said").tolist()
    [False, False, True, False]
    """
    if label not in names:
        return np.zeros(len(values), bool)
    known = ~np.isnan(values)
    if time in names:
        known[:, names.index(time)] = False
    found: NDArray[np.bool_] = known[:, names.index(label)] & (known.sum(axis=1) == 1)
    return found


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a snapshot holds beside the events and the detector."""

    label: str
    features: list[str]


class FeedbackScorer(AroundNet):
    """A detector of all columns but one, in which the user says of an event whether it is an anomaly: not 0 or 0, missing for no feedback.

    It counts for the events that follow, see :meth:`streamrnn.RNNAnomalyDetector.learn_one`. With ``memory`` it may come later, as a record
    that holds nothing but the feedback and the time of the event that is meant: see :meth:`streamrnn.RNNAnomalyDetector.correct`.

    Parameters
    ----------
    model
        A :class:`streamrnn.RNNAnomalyDetector`.
    label
        The column with the feedback.
    memory
        Events that are remembered for feedback to come.
    store
        How the model is written and read.
    room
        Keys held at most, each with events of its own to remember, where many share the model; None where it is that of one.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn import RNNAnomalyDetector, dumps, loads
    >>> from streamrnn.scorers.feedback import FeedbackScorer
    >>> from streamrnn.scorers.store import ModelStore
    >>> scorer = FeedbackScorer(RNNAnomalyDetector(), "said", 10, ModelStore("RNNAnomalyDetector", dumps, loads))
    >>> found = scorer.run(np.array([[1.0, 0.0], [2.0, np.nan], [np.nan, 1.0]]), ("level", "said"), [8, 9, 9])
    >>> found.predictions[:, 0].tolist(), found.details["feedback"].tolist()
    ([nan, 1.0, nan], [True, None, True])
    """

    parts = 3

    def __init__(self, model: Any, label: str, memory: int, store: ModelStore, room: int | None = None) -> None:
        self.model = model
        self.column = LabelColumn(label)
        self._memory = memory
        self.recent = OfKeys(lambda: RecentEvents(memory), room)
        self._store = store
        self._counters = counting(model)

    @property
    def counters(self) -> Counters:
        """What the net has learned so far."""
        return self._counters()

    def run(
        self,
        values: NDArray[np.float64],
        names: tuple[str, ...],
        times: Sequence[Any] | None,
        keys: Sequence[str | None] | None = None,
    ) -> Scored:
        """Score and learn each event, see :meth:`streamrnn.scorers.scorer.Scorer.run`.

        The detail ``"feedback"`` says whether it was applied, None where there was none. The row of feedback that came alone
        says nothing but that.

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

        Raises
        ------
        ConfigError
            When the label is none of the columns.
        """
        index, times = self.column.index(names), [None] * len(values) if times is None else times
        alone: list[int] = []
        if self._memory:
            alone = np.flatnonzero(feedback_alone(values, names, self.column.label, self.model.time)).tolist()
        parts: list[Scored] = []
        start = 0
        for row in [*alone, len(values)]:
            if row > start or not parts:
                whose = None if keys is None else keys[start:row]
                parts.append(self._events(values[start:row], names, index, times[start:row], whose))
            if row < len(values):
                recent = self.recent.find(None if keys is None else keys[row])
                applied = recent is not None and self._apply(recent, times[row], bool(values[row, index]))
                parts.append(parts[0].blank(1, **{FIELD: applied}))
            start = row + 1
        if len(parts) == 1:
            return parts[0]
        columns = [part.columns() for part in parts]
        return Scored.of({name: np.concatenate([part[name] for part in columns]) for name in columns[0]})

    def _events(
        self,
        values: NDArray[np.float64],
        names: tuple[str, ...],
        index: int,
        times: Sequence[Any],
        keys: Sequence[str | None] | None,
    ) -> Scored:
        """Score and learn rows that are events, all of them."""
        feedback = values[:, index]
        given = ~np.isnan(feedback)
        columns = [i for i in range(len(names)) if i != index]
        own, told = [names[i] for i in columns], feedback if given.any() else None
        found = self.model.progressive_many(np.ascontiguousarray(values[:, columns]), own, told, keys)
        found = over_all_columns(found, columns, values.shape)
        found["feature"] = np.array([*columns, -1])[found["feature"]]
        found[FIELD] = np.full(len(values), None, dtype=object)
        found[FIELD][given] = True
        if self._memory:
            self.column.meet(names)
            places = [self.column.features.index(name) if i != index else -1 for i, name in enumerate(names)]
            features = np.array([*places, -1])[found["feature"]]
            said = given * (1 + (feedback != 0.0))
            when = np.empty(len(values), object)
            when[:] = times
            for recent, rows in self.recent.rows_of(keys, len(values)):
                recent.take(*(part[rows].tolist() for part in (when, features, found["view"], said)))
        return Scored.of(found)

    def _apply(self, recent: RecentEvents, time: object, is_anomaly: bool) -> bool:
        """Take in feedback on an earlier event of a key; return whether that event is known."""
        meant = recent.say(time, is_anomaly)
        if meant is None:
            return False
        feature, view, often = meant
        for _ in range(often if view >= 0 else 0):
            self.model.correct(self.column.features[feature], VIEWS[view], is_anomaly)
        return True

    def set_alarm(self, alarm: Alarm) -> None:
        """Alarm by other settings from the next event on.

        Parameters
        ----------
        alarm
            The settings; those of a start, window and warm-up, stay.
        """
        take_alarm(self.model, alarm)

    def limit_keys(self, room: int) -> None:
        """Keep so many keys at most from now on, see :meth:`streamrnn.scorers.scorer.Scorer.limit_keys`.

        Parameters
        ----------
        room
            How many.
        """
        super().limit_keys(room)
        self.recent.limit(room)

    def key_memory(self) -> int:
        """Return the memory that one more key takes, in bytes, estimated from above, where many share the model."""
        return super().key_memory() + (ENTRY_BYTES + self._memory * EVENT.itemsize if self._memory else 0)

    def memory(self) -> int:
        """Return the memory that is held, in bytes, estimated from above."""
        return self._store.memory(self.model, len(self._head()) + self._memory * EVENT.itemsize)

    def _head(self) -> bytes:
        return msgspec.json.encode(_Written(self.column.label, list(self.column.features)))

    def dumps(self) -> list[Blob]:
        """Return the label's column, the events that are remembered, and the detector."""
        return [self._head(), self.recent.dumps(RecentEvents.to_bytes), self._store.write(self.model)]

    def restore(self, blobs: Sequence[bytes]) -> None:
        """Take up what :meth:`dumps` gave.

        Parameters
        ----------
        blobs
            What it gave, as many and in the order.

        Raises
        ------
        StateError
            When they are not what a detector with feedback gave.
        """
        try:
            head = msgspec.json.decode(blobs[0], type=_Written)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StateError("The snapshot holds no detector with feedback.") from error
        self.column.restore_names(head.label, head.features)
        self.model = self._store.read(blobs[2], self.model)
        self._counters = counting(self.model)
        known, size = len(head.features), self._memory
        slots = self.net.slots if self.recent.shared and size else {}
        self.recent.restore(blobs[1], lambda data: RecentEvents.from_bytes(data, known, size), slots)
