"""Our detector as a scorer: it has an alarm rule of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.config import Alarm
from streamrnn.container import Blob
from streamrnn.scorers.capabilities import AroundNet, OwnRule, RowReader, take_alarm
from streamrnn.scorers.scored import RawRows, Scored
from streamrnn.scorers.scorer import Counters
from streamrnn.scorers.store import ModelStore, counting

__all__ = ["DetectorScorer"]


class DetectorScorer(AroundNet):
    """Scores all columns by a detector that says itself when it alarms.

    Parameters
    ----------
    model
        A :class:`streamrnn.RNNAnomalyDetector`, or another with the same way of learning many rows.
    store
        How it is written and read.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn import RNNAnomalyDetector, dumps, loads
    >>> from streamrnn.scorers.detector import DetectorScorer
    >>> from streamrnn.scorers.scorer import read
    >>> from streamrnn.scorers.store import ModelStore
    >>> scorer = DetectorScorer(RNNAnomalyDetector(), ModelStore("RNNAnomalyDetector", dumps, loads))
    >>> read(scorer.run(np.array([[1.0], [2.0]]), ("level",), None)).predictions.tolist()
    [[nan], [1.0]]
    """

    parts = 1

    def __init__(self, model: OwnRule, store: ModelStore) -> None:
        self._store = store
        self._take(model)

    def _take(self, model: OwnRule) -> None:
        self.model: Any = model
        self._rows = model if isinstance(model, RowReader) else None
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
    ) -> Scored | RawRows:
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
        if self._rows is not None:
            rows = self._rows.run_rows(values, names, keys)
            if rows is not None:
                return RawRows(rows, self._read)
        more = {} if keys is None else {"keys": keys}
        return Scored.of(self.model.progressive_many(np.ascontiguousarray(values), names, **more))

    def _read(self, rows: NDArray[np.float64]) -> Scored:
        if self._rows is None:
            raise TypeError("there are no raw rows to read")
        return Scored.of(self._rows.read_rows(rows))

    def set_alarm(self, alarm: Alarm) -> None:
        """Alarm by other settings from the next event on.

        Parameters
        ----------
        alarm
            The settings; those of a start, window and warm-up, stay.
        """
        take_alarm(self.model, alarm)

    def memory(self) -> int:
        """Return the memory that is held, in bytes, estimated from above."""
        return self._store.memory(self.model)

    def dumps(self) -> list[Blob]:
        """Return the detector as one blob."""
        return [self._store.write(self.model)]

    def restore(self, blobs: Sequence[bytes]) -> None:
        """Take up what :meth:`dumps` gave.

        Parameters
        ----------
        blobs
            What it gave, as many and in the order.
        """
        self._take(self._store.read(blobs[0], self.model))
