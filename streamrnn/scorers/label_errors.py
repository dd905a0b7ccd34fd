"""How far off predictions of a label are, by its running standard deviation: of one key, or of many at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import StateError
from streamrnn.kernels.scores.words import LABEL_WORDS
from streamrnn.scorers.places import rows_at, with_places
from streamrnn.scorers.rank_rule import MOST_EVENTS

__all__ = ["LabelErrors"]


class LabelErrors:
    """Scores errors by the running standard deviation of a label, each key by that of its own.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.scorers.label_errors import LabelErrors
    >>> LabelErrors().scores(np.array([1.0, 3.0, 2.0]), np.array([0.0, 3.0, 1.0])).tolist()
    [0.0, 0.0, 0.5]
    """

    BYTES = 8 * LABEL_WORDS

    def __init__(self) -> None:
        self._sums = np.zeros((1, LABEL_WORDS))

    def scores(
        self, labels: NDArray[np.float64], found: NDArray[np.float64], codes: NDArray[np.int64] | None = None
    ) -> NDArray[np.float64]:
        """Return a score for each label, see :mod:`streamrnn.kernels.scores.label_errors`; where blocks are cut changes nothing.

        Parameters
        ----------
        labels
            float64, shape (n,); NaN where one is missing.
        found
            float64, shape (n,): what was predicted.
        codes
            The place of each key, (n,), negative where it begins anew; None: all are of one.
        """
        n = len(labels)
        scores = np.full(n, np.nan)
        if n:
            from streamrnn.kernels.scores.label_errors import scoring  # noqa: PLC0415  (numba)

            self._sums, places = rows_at(self._sums, codes, n)
            given = np.ascontiguousarray(labels, np.float64), np.ascontiguousarray(found, np.float64)
            scoring()(self._sums.reshape(-1), places, *given, scores)
        return scores

    def to_bytes(self, last: int = 0) -> bytes:
        """Return the four sums of each place, float64, little-endian.

        Parameters
        ----------
        last
            The largest place.
        """
        return with_places(self._sums, last)[: last + 1].astype("<f8").tobytes()

    def restore(self, data: bytes, last: int = 0) -> None:
        """Take up what :meth:`to_bytes` gave.

        Parameters
        ----------
        data
            What was written.
        last
            The largest place.

        Raises
        ------
        StateError
            When it is something else.
        """
        if len(data) != self.BYTES * (last + 1):
            raise StateError("The snapshot holds no model with a label.")
        sums = np.frombuffer(data, "<f8").astype(np.float64).reshape(-1, LABEL_WORDS)
        seen = sums[:, 0]
        if not ((seen >= 0) & (seen <= MOST_EVENTS) & (np.floor(seen) == seen)).all():
            raise StateError("The snapshot counts labels as no one can.")
        self._sums = sums
