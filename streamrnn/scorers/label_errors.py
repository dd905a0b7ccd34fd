"""How far off predictions of a label are, by its running standard deviation: of one key, or of many at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import StateError
from streamrnn.scorers.rank_rule import MOST_EVENTS
from streamrnn.scorers.turns import by_place, in_turns, with_places

__all__ = ["LabelErrors"]

WORDS = 4
"""Of one key: labels seen, the first of them, sum and sum of squares of what the others differ from it."""


class LabelErrors:
    """Scores errors by the running standard deviation of a label, each key by that of its own.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.scorers.label_errors import LabelErrors
    >>> LabelErrors().scores(np.array([1.0, 3.0, 2.0]), np.array([0.0, 3.0, 1.0])).tolist()
    [0.0, 0.0, 0.5]
    """

    BYTES = 8 * WORDS

    def __init__(self) -> None:
        self._sums = np.zeros((1, WORDS))

    def scores(
        self, labels: NDArray[np.float64], found: NDArray[np.float64], codes: NDArray[np.int64] | None = None
    ) -> NDArray[np.float64]:
        """Return a score for each label; sums run in the order of the rows, so that a block's end leaves no trace.

        Parameters
        ----------
        labels
            float64, shape (n,); NaN where one is missing.
        found
            float64, shape (n,): what was predicted.
        codes
            The place of each key, (n,), negative where it begins anew; None: all are of one.
        """
        if codes is None:
            return self._of_one(0, labels, found)
        places = np.abs(codes)
        self._sums = with_places(self._sums, int(places.max(initial=0)))
        turns = in_turns(places)
        scores = np.full(len(labels), np.nan)
        if turns is not None:
            for rows in turns:
                self._begin(codes[rows])
                known = rows[np.isfinite(labels[rows])]
                scores[known] = self._turn(places[known], labels[known], found[known])
            return scores
        for place, rows in by_place(places):
            for part in np.split(rows, np.flatnonzero(codes[rows] < 0)):
                if len(part):
                    self._begin(codes[part[:1]])
                    scores[part] = self._of_one(place, labels[part], found[part])
        return scores

    def _begin(self, codes: NDArray[np.int64]) -> None:
        self._sums[-codes[codes < 0]] = 0.0

    def _turn(
        self, places: NDArray[np.int64], labels: NDArray[np.float64], found: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Score a label of each of some keys: the arithmetic of :meth:`_of_one`, across keys."""
        n, first, total, squares = self._sums[places].T
        first = np.where(n == 0, labels, first)
        off = labels - first
        scores = _scores(labels, found, n, total, squares)
        self._sums[places] = np.stack([n + 1, first, total + off, squares + off * off], axis=1)
        return scores

    def _of_one(self, place: int, labels: NDArray[np.float64], found: NDArray[np.float64]) -> NDArray[np.float64]:
        scores = np.full(len(labels), np.nan)
        known = np.flatnonzero(np.isfinite(labels))
        if not len(known):
            return scores
        sums = self._sums[place]
        if sums[0] == 0:
            sums[1] = labels[known[0]]
        off = labels[known] - sums[1]
        n = sums[0] + np.arange(len(known) + 1)
        first = np.add.accumulate(np.concatenate([sums[2:3], off]))
        second = np.add.accumulate(np.concatenate([sums[3:4], off * off]))
        scores[known] = _scores(labels[known], found[known], n[:-1], first[:-1], second[:-1])
        sums[:] = n[-1], sums[1], first[-1], second[-1]
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
        sums = np.frombuffer(data, "<f8").astype(np.float64).reshape(-1, WORDS)
        seen = sums[:, 0]
        if not ((seen >= 0) & (seen <= MOST_EVENTS) & (np.floor(seen) == seen)).all():
            raise StateError("The snapshot counts labels as no one can.")
        self._sums = sums


def _scores(
    labels: NDArray[np.float64],
    found: NDArray[np.float64],
    n: NDArray[np.float64],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return r^2 / (1 + r^2), r the error in standard deviations of the n labels before."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean = first / n
        variance = np.maximum(second / n - mean * mean, 0.0)
        squared = np.square(labels - found) / variance
        score = squared / (1.0 + squared)
    score[np.isinf(squared)] = 1.0
    score[(n < 2) | np.isnan(squared)] = 0.0  # nothing to compare with; or no error where nothing has varied
    return score
