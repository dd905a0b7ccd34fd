"""A regressor or classifier as what scores: it predicts a label, which is one of the columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river.base import Classifier

from streamrnn.container import Blob
from streamrnn.scorers.capabilities import AroundNet, BlockLearner
from streamrnn.scorers.label_column import LabelColumn
from streamrnn.scorers.label_errors import LabelErrors
from streamrnn.scorers.parts import failed, last_step
from streamrnn.scorers.scorer import Counters
from streamrnn.scorers.store import ModelStore, counting
from streamrnn.scorers.table import KEY

__all__ = ["LabelledModel", "is_classifier"]


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


class LabelledModel(AroundNet):
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

    Examples
    --------
    >>> import numpy as np
    >>> from river.linear_model import LinearRegression
    >>> from streamrnn.scorers.labelled import LabelledModel
    >>> from streamrnn.scorers.store import ModelStore
    >>> model = LabelledModel(LinearRegression(), "y", ModelStore("LinearRegression"))
    >>> scores, predictions, _ = model.score(np.array([[1.0, 2.0], [1.0, 4.0]]), ("x", "y"))
    >>> predictions[:, 1].round(2), scores.round(2)
    (array([0.  , 0.08]), array([0., 0.]))
    """

    parts = 3

    def __init__(self, model: Any, label: str, store: ModelStore) -> None:
        self.model = model
        self._store = store
        self._counters = counting(model)
        self._learns_blocks = isinstance(model, BlockLearner)
        self.column = LabelColumn(label, getattr(model, "time", None) if self._learns_blocks else None)
        self._classifies = is_classifier(model)
        self._errors = LabelErrors()

    @property
    def counters(self) -> Counters:
        """What the model has learned so far; zeros where it does not count."""
        return self._counters()

    def score(
        self,
        values: NDArray[np.float64],
        names: tuple[str, ...],
        keys: Sequence[str | None] | None = None,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64] | None]:
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
            Scores (n,), predictions (n, I), NaN in all columns but the label's, and where many keys share the model the place of each event, (n,),
            negative where the key begins anew.

        Raises
        ------
        ConfigError
            When the label is none of the columns.
        """
        index = self.column.index(names)
        labels, features = values[:, index], self.column.features_of(values, names)
        with nullcontext([]) if keys is None else self.net.noted_places() as noted:
            if self._classifies:
                scores, found = self._classes(features, labels, keys)
            else:
                found = self._numbers(features, labels, keys)
        places = np.hstack(noted) if noted else None
        if not self._classifies:
            scores = self._errors.scores(labels, found, places)
        predictions = np.full(values.shape, np.nan)
        predictions[:, index] = found
        return scores, predictions, places

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
    def last_place(self) -> int:
        """The largest place that a key of the model has; 0 where it is that of one."""
        return getattr(self.model, "last_place", 0)

    def key_memory(self) -> int:
        """Return the memory that one more key takes, in bytes, estimated from above, where many share the model."""
        return super().key_memory() + 2 * LabelErrors.BYTES

    def memory(self) -> int:
        """Return the memory that is held, in bytes, estimated from above."""
        return self._store.memory(self.model, len(self.column.to_bytes()) + LabelErrors.BYTES)

    def dumps(self) -> list[Blob]:
        """Return the label's column, its running moments, and the model."""
        return [self.column.to_bytes(), self._errors.to_bytes(self.last_place), self._store.write(self.model)]

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
        self._errors.restore(blobs[1], self.last_place)
