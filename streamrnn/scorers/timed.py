"""A scorer whose net sees the time of events as one more column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.config import Alarm
from streamrnn.container import Blob
from streamrnn.scorers.capabilities import SharedNet
from streamrnn.scorers.scored import RawRows, Scored
from streamrnn.scorers.scorer import Counters, Scorer, read
from streamrnn.scorers.times import seconds_of_events

__all__ = ["TimedScorer"]


class TimedScorer:
    """Adds the time in seconds to the values, under the name by which the scorer inside knows it; where it is no column anyway.

    Parameters
    ----------
    scorer
        That sees the time.
    time
        Name of the column.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.scorers.kinds import model_kind
    >>> from streamrnn.scorers.make import new_scorer
    >>> scorer = new_scorer(model_kind("RNNAnomalyDetector", {"time": "at"}))
    >>> scorer.run(np.array([[1.0], [2.0]]), ("level",), ["2024-01-01", "2024-01-02"]).predictions.tolist()
    [[nan], [1.0]]
    """

    def __init__(self, scorer: Scorer, time: str) -> None:
        self.scorer = scorer
        self.time = time

    @property
    def parts(self) -> int:
        """As inside."""
        return self.scorer.parts

    @property
    def counters(self) -> Counters:
        """As inside."""
        return self.scorer.counters

    def run(
        self,
        values: NDArray[np.float64],
        names: tuple[str, ...],
        times: Sequence[Any] | None,
        keys: Sequence[str | None] | None = None,
    ) -> Scored | RawRows:
        """Score and learn each event, see :meth:`streamrnn.scorers.scorer.Scorer.run`; the time is none of the results' columns.

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
        if self.time in names:
            return self.scorer.run(values, names, times, keys)
        seconds = seconds_of_events(times, len(values)).reshape(-1, 1)
        timed = np.concatenate([values, seconds], axis=1)
        found = read(self.scorer.run(timed, (*names, self.time), times, keys))
        return found.first_features(len(names))

    def set_alarm(self, alarm: Alarm) -> None:
        """As inside.

        Parameters
        ----------
        alarm
            The settings; those of a start, window and warm-up, stay.
        """
        self.scorer.set_alarm(alarm)

    @property
    def net(self) -> SharedNet:
        """As inside."""
        return self.scorer.net

    def limit_keys(self, room: int) -> None:
        """As inside.

        Parameters
        ----------
        room
            How many.
        """
        self.scorer.limit_keys(room)

    def memory(self) -> int:
        """As inside."""
        return self.scorer.memory()

    def key_memory(self) -> int:
        """As inside."""
        return self.scorer.key_memory()

    def dumps(self) -> list[Blob]:
        """As inside."""
        return self.scorer.dumps()

    def restore(self, blobs: Sequence[bytes]) -> None:
        """As inside.

        Parameters
        ----------
        blobs
            What it gave, as many and in the order.
        """
        self.scorer.restore(blobs)
