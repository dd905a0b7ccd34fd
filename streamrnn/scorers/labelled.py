"""A regressor or classifier as what scores: it predicts a label, which is one of the columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river.base import Classifier

from streamrnn.errors import StateError
from streamrnn.scorers.capabilities import BlockLearner, SharedNet
from streamrnn.scorers.label_column import LabelColumn
from streamrnn.scorers.of_keys import OfKeys
from streamrnn.scorers.parts import failed, last_step
from streamrnn.scorers.rank_rule import MOST_EVENTS
from streamrnn.scorers.scorer import Counters
from streamrnn.scorers.store import ModelStore, counting
from streamrnn.scorers.table import KEY

__all__ = ["LabelErrors", "LabelledModel", "is_classifier"]

ERRORS_BYTES = 600
"""Of the running moments of one key's label, and of their entry."""


def is_classifier(model: Any) -> bool:
    """Whether a model of river's interface answers with a class.

    Parameters
    ----------
    model
        Of river's interface.

    Examples
    --------
    >>> from river.linear_model import LinearRegression, LogisticRegression
    >>> from streamrnn.scorers.labelled import is_classifier
    >>> is_classifier(LogisticRegression()), is_classifier(LinearRegression())
    (True, False)
    """
    return isinstance(last_step(model), Classifier)


class LabelledModel:
    """Predicts one column from the others before it learns it, and says how far off it was.

    The score of a number is r^2 / (1 + r^2), where r is the error in running standard deviations of the label, those of the events
    before: 0.5 is off by one. The score of a class, a number too, is one less the probability that it was given. Where the label is
    missing the net's state moves on, nothing is learned, and the score is NaN.

    Do not use it where the label comes later than the features: it must be in the same record.

    Parameters
    ----------
    model
        A regressor or a classifier of river's interface.
    label
        The column to predict.
    store
        How the model is written and read, where it can be.
    room
        Keys held at most, where many share the model; None where it is that of one.

    Examples
    --------
    >>> import numpy as np
    >>> from river.linear_model import LinearRegression
    >>> from streamrnn.scorers.labelled import LabelledModel
    >>> from streamrnn.scorers.store import ModelStore
    >>> model = LabelledModel(LinearRegression(), "y", ModelStore("LinearRegression"))
    >>> scores, predictions = model.score(np.array([[1.0, 2.0], [1.0, 4.0]]), ("x", "y"))
    >>> predictions[:, 1].round(2), scores.round(2)
    (array([0.  , 0.08]), array([0., 0.]))
    """

    parts = 3

    def __init__(self, model: Any, label: str, store: ModelStore, room: int | None = None) -> None:
        self.model = model
        self._store = store
        self._counters = counting(model)
        self._learns_blocks = isinstance(model, BlockLearner)
        self.column = LabelColumn(label, getattr(model, "time", None) if self._learns_blocks else None)
        self._classifies = is_classifier(model)
        self._errors = OfKeys(LabelErrors, room)

    @property
    def counters(self) -> Counters:
        """What the model has learned so far; zeros where it does not count."""
        return self._counters()

    def score(
        self, values: NDArray[np.float64], names: tuple[str, ...], keys: Sequence[str | None] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Predict, score and learn row by row. Where blocks are cut changes nothing.

        Parameters
        ----------
        values
            float64, shape (n, I); NaN where a value is missing.
        names
            Of the columns.
        keys
            Of the events, where many keys share the model; None where it is that of one.

        Returns
        -------
        tuple
            Scores (n,) and predictions (n, I), NaN in all columns but the label's.

        Raises
        ------
        ConfigError
            When the label is none of the columns.
        """
        index = self.column.index(names)
        labels, features = values[:, index], self.column.features_of(values, names)
        if self._classifies:
            scores, found = self._classes(features, labels, keys)
        else:
            found, scores = self._numbers(features, labels, keys), np.empty(len(labels))
            for errors, rows in self._errors.rows_of(keys, len(labels)):
                scores[rows] = errors.scores(labels[rows], found[rows])
        predictions = np.full(values.shape, np.nan)
        predictions[:, index] = found
        return scores, predictions

    def _numbers(
        self, rows: NDArray[np.float64], labels: NDArray[np.float64], keys: Sequence[str | None] | None
    ) -> NDArray[np.float64]:
        if self._learns_blocks:
            named = self.column.names_for_net()
            more = () if named is None else (named,)
            whose = {} if keys is None else {"keys": keys}
            return np.asarray(self.model.progressive_many(rows, labels, *more, **whose), np.float64)
        found = np.full(len(rows), np.nan)
        for i, (x, y) in enumerate(self._events(rows, labels, keys)):
            try:
                answer = self.model.predict_one(x)
                found[i] = np.nan if answer is None else answer
                if y is not None:
                    self.model.learn_one(x, y)
            except Exception as error:
                raise failed(self.model, x, error) from error
        return found

    def _classes(
        self, rows: NDArray[np.float64], labels: NDArray[np.float64], keys: Sequence[str | None] | None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        scores, found = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
        for i, (x, y) in enumerate(self._events(rows, labels, keys)):
            try:
                shares = self.model.predict_proba_one(x)
                if shares:
                    found[i] = max(shares, key=shares.__getitem__)
                if y is not None:
                    scores[i] = 1.0 - shares.get(y, 0.0) if shares else 0.0
                if y is not None or self._learns_blocks:  # a net's state moves on without a label
                    self.model.learn_one(x, y)
            except Exception as error:
                raise failed(self.model, x, error) from error
        return scores, found

    def _events(
        self, rows: NDArray[np.float64], labels: NDArray[np.float64], keys: Sequence[str | None] | None
    ) -> Iterator[tuple[dict[str, Any], float | None]]:
        names = self.column.features
        for i, (row, y) in enumerate(zip(rows.tolist(), labels.tolist(), strict=True)):
            x: dict[str, Any] = {name: value for name, value in zip(names, row, strict=True) if value == value}  # noqa: PLR0124
            if keys is not None:
                x[KEY] = keys[i]
            yield x, (y if y == y else None)  # noqa: PLR0124

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
        self._errors.limit(room)

    def key_memory(self) -> int:
        """Return the memory that one more key takes, in bytes, estimated from above, where many share the model."""
        return self.net.bytes_per_key + ERRORS_BYTES

    def memory(self) -> int:
        """Return the memory that is held, in bytes, estimated from above."""
        return self._store.memory(self.model, len(self.column.to_bytes()) + LabelErrors.BYTES)

    def dumps(self) -> list[bytes]:
        """Return the label's column, its running moments, and the model."""
        return [self.column.to_bytes(), self._errors.dumps(LabelErrors.to_bytes), self._store.write(self.model)]

    def restore(self, blobs: Sequence[bytes]) -> None:
        """Take up what :meth:`dumps` gave.

        Parameters
        ----------
        blobs
            What it gave, as many and in the order.
        """
        self.column.restore(blobs[0])
        self.model = self._store.read(blobs[2], self.model)
        self._counters = counting(self.model)
        slots = self.net.slots if self._errors.shared and not self._classifies else {}
        self._errors.restore(blobs[1], LabelErrors.of, slots)


class LabelErrors:
    """Scores errors by the running standard deviation of a label."""

    BYTES = 32

    def __init__(self) -> None:
        # Labels seen, the first of them, sum and sum of squares of what the others differ from it.
        self._sums = np.zeros(4)

    def scores(self, labels: NDArray[np.float64], found: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a score for each label; sums run in the order of the rows, so that a block's end leaves no trace.

        Parameters
        ----------
        labels
            float64, shape (n,); NaN where one is missing.
        found
            float64, shape (n,): what was predicted.
        """
        scores = np.full(len(labels), np.nan)
        known = np.flatnonzero(np.isfinite(labels))
        if not len(known):
            return scores
        if self._sums[0] == 0:
            self._sums[1] = labels[known[0]]
        off = labels[known] - self._sums[1]
        n = self._sums[0] + np.arange(len(known) + 1)
        first = np.add.accumulate(np.concatenate([self._sums[2:3], off]))
        second = np.add.accumulate(np.concatenate([self._sums[3:4], off * off]))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            mean = first / n
            variance = np.maximum(second / n - mean * mean, 0.0)[:-1]
            squared = np.square(labels[known] - found[known]) / variance
            score = squared / (1.0 + squared)
        score[np.isinf(squared)] = 1.0
        score[(n[:-1] < 2) | np.isnan(squared)] = 0.0  # nothing to compare with; or no error where nothing has varied
        scores[known] = score
        self._sums[:] = n[-1], self._sums[1], first[-1], second[-1]
        return scores

    def to_bytes(self) -> bytes:
        """Return the four sums, float64, little-endian."""
        return self._sums.astype("<f8").tobytes()

    @staticmethod
    def of(data: bytes) -> LabelErrors:
        """Return what :meth:`to_bytes` gave.

        Parameters
        ----------
        data
            What was written.

        Raises
        ------
        StateError
            When it is something else.
        """
        if len(data) != LabelErrors.BYTES:
            raise StateError("The snapshot holds no model with a label.")
        sums = np.frombuffer(data, "<f8").astype(np.float64)
        if not (0 <= sums[0] <= MOST_EVENTS and sums[0].is_integer()):
            raise StateError("The snapshot counts labels as no one can.")
        found = LabelErrors()
        found._sums = sums
        return found
