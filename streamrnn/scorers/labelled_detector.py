"""A detector of labels that do not fit their features, as a scorer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.config import Alarm
from streamrnn.container import Blob
from streamrnn.scorers.capabilities import AroundNet, take_alarm
from streamrnn.scorers.label_column import LabelColumn, over_all_columns
from streamrnn.scorers.scored import Scored
from streamrnn.scorers.scorer import Counters
from streamrnn.scorers.store import ModelStore, counting

__all__ = ["LabelledDetectorScorer"]


class LabelledDetectorScorer(AroundNet):
    """Judges one column by the others, with an alarm rule of the model's own.

    Parameters
    ----------
    model
        A :class:`streamrnn.RNNSupervisedAnomalyDetector`.
    label
        The column that is judged.
    store
        How the model is written and read.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn import RNNSupervisedAnomalyDetector, dumps, loads
    >>> from streamrnn.scorers.labelled_detector import LabelledDetectorScorer
    >>> from streamrnn.scorers.store import ModelStore
    >>> store = ModelStore("RNNSupervisedAnomalyDetector", dumps, loads)
    >>> scorer = LabelledDetectorScorer(RNNSupervisedAnomalyDetector(hidden_size=8), "y", store)
    >>> scorer.run(np.array([[1.0, 2.0], [1.0, 2.0]]), ("x", "y"), None).predictions.tolist()
    [[nan, nan], [nan, 2.0]]
    """

    parts = 2

    def __init__(self, model: Any, label: str, store: ModelStore) -> None:
        self.model = model
        self.column = LabelColumn(label, model.time)
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
        """Score and learn each event, see :meth:`streamrnn.scorers.scorer.Scorer.run`; the contribution is the score.

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
        del times
        index = self.column.index(names)
        rows = self.column.features_of(values, names)
        found = self.model.progressive_many(rows, values[:, index], self.column.names_for_net(), keys)
        found["contribution"] = found["score"]
        return Scored.of(over_all_columns(found, index, values.shape))

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
        return self._store.memory(self.model, len(self.column.to_bytes()))

    def dumps(self) -> list[Blob]:
        """Return the label's column and the model."""
        return [self.column.to_bytes(), self._store.write(self.model)]

    def restore(self, blobs: Sequence[bytes]) -> None:
        """Take up what :meth:`dumps` gave.

        Parameters
        ----------
        blobs
            What it gave, as many and in the order.
        """
        self.column.restore(blobs[0])
        self.model = self._store.read(blobs[1], self.model)
        self._counters = counting(self.model)
