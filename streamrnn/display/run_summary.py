"""A bounded summary of one series of a run: what the picture is drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.engine.monitor import Summary
from streamrnn.io import Block
from streamrnn.kernels.anomaly.views import VIEWS
from streamrnn.safe_text import safe_name
from streamrnn.scorers.scored import Scored

__all__ = ["RunSummary"]

REASONS = {
    "value": "new value", "expectation": "not as expected", "shape": "unusual course", "residual": "forecast missed",
    "surprise": "far from expected", "range": "not valid", "sticking": "stands still",
}  # fmt: skip
"""What each view of RNNAnomalyDetector says where it decides, in a picture."""

LIMIT = 4000
"""Buckets kept: about three for each pixel column of the picture, and 1 MB of memory."""

Array = NDArray[Any]


@dataclass(slots=True)
class _Buckets:
    """Runs of consecutive events, each reduced to its extremes. Shapes (n,) and, for ``low`` .. ``top``, (n, I).

    ``index``, ``time``: of the first event. ``low``, ``high``: of the values; ``expected_low``, ``expected_high``: of
    the predictions. ``score``: the highest. ``alarm_score``: the highest of an alarm, -1 where there is none;
    ``top_index``, ``top_time``, ``top``, ``top_expected``: of that alarm's event; ``why``: what decided it, and ``feature``: the
    column in which it did, "" and -1 where the model does not tell. ``alarms``: how many. ``goes_on``: whether an alarm's episode goes on.
    """

    index: Array
    time: Array
    low: Array
    high: Array
    expected_low: Array
    expected_high: Array
    score: Array
    alarms: Array
    alarm_score: Array
    top_index: Array
    top_time: Array
    top: Array
    top_expected: Array
    why: Array
    feature: Array
    goes_on: Array

    def merged(self, width: int) -> _Buckets:
        """Return the buckets of ``width`` events that these, smaller or equal, make up."""
        number = self.index // width
        starts = np.flatnonzero(np.concatenate([[True], number[1:] != number[:-1]]))
        best = np.maximum.reduceat(self.alarm_score, starts)
        sizes = np.diff(np.append(starts, len(number)))
        places = np.where(self.alarm_score == np.repeat(best, sizes), np.arange(len(number)), len(number))
        chosen = np.minimum.reduceat(places, starts)
        return _Buckets(
            index=self.index[starts],
            time=self.time[starts],
            low=np.fmin.reduceat(self.low, starts),
            high=np.fmax.reduceat(self.high, starts),
            expected_low=np.fmin.reduceat(self.expected_low, starts),
            expected_high=np.fmax.reduceat(self.expected_high, starts),
            score=np.fmax.reduceat(self.score, starts),
            alarms=np.add.reduceat(self.alarms, starts),
            alarm_score=best,
            top_index=self.top_index[chosen],
            top_time=self.top_time[chosen],
            top=self.top[chosen],
            top_expected=self.top_expected[chosen],
            why=self.why[chosen],
            feature=self.feature[chosen],
            goes_on=np.logical_or.reduceat(self.goes_on, starts),
        )

    def joined(self, other: _Buckets) -> _Buckets:
        return _Buckets(*(np.concatenate([getattr(self, n), getattr(other, n)]) for n in self.__slots__))


class RunSummary:
    """Follows the first series of a run in bounded memory; an observer of :class:`~streamrnn.engine.loop.Runtime`.

    Up to 4000 events are kept as they are. Then neighbours are merged two by two, again and again; a bucket keeps the
    lowest and the highest value and expectation, the highest score and its strongest alarm, so that no peak and no
    alarm disappears.

    Parameters
    ----------
    limit
        Buckets kept at most.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.io import Block
    >>> from streamrnn.display.run_summary import RunSummary
    >>> from streamrnn.engine.monitor import Summary
    >>> from streamrnn.scorers.scored import Scored
    >>> curve = RunSummary(limit=4)
    >>> values = np.arange(9.0)[:, None]
    >>> block = Block(("a",), values, range(9), 9)
    >>> curve(block, Scored(np.zeros(9), values - 1, [False] * 8 + [True], [1.0] * 9), Summary())
    >>> curve.width, curve.buckets.high.ravel().tolist(), curve.buckets.alarms.tolist()
    (4, [3.0, 7.0, 8.0], [0, 0, 1])
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.width = 1
        self.events = 0
        self.alarms = 0
        self.key: str | None = None
        self.other_keys = False
        self.names: tuple[str, ...] = ()
        self._buckets: _Buckets | None = None

    def reason(self, i: int, places: int = 64) -> str:
        """Return what decided the strongest alarm of a bucket: with the feature where there are several, "" where nobody knows.

        Parameters
        ----------
        i
            The bucket.
        places
            Most letters.
        """
        why, feature = str(self.buckets.why[i]), int(self.buckets.feature[i])
        if not why or feature < 0 or len(self.names) == 1:
            return why
        return f"{safe_name(self.names[feature], places - len(why) - 2, isolate=False)}: {why}"

    @property
    def buckets(self) -> _Buckets:
        """The buckets so far, or an error where no event came."""
        if self._buckets is None:
            raise ValueError("There is no event to draw.")
        return self._buckets

    def __call__(self, block: Block, scored: Scored, _: Summary) -> None:
        """Take in a block."""
        rows = self._rows(block)
        n = len(rows)
        if n == 0:
            return
        values, expected = scored.observed(block.values)[rows], scored.predictions[rows]
        scores, alarms = scored.scores[rows], np.array(scored.alarms, dtype=bool)[rows]
        index = np.arange(self.events, self.events + n)
        time = np.empty(n, dtype=object)
        if block.times is not None:
            time[:] = [block.times[i] for i in rows]
        alarm_score = np.where(alarms, scores, -1.0)
        new = _Buckets(
            index, time, values, values, expected, expected, scores, alarms.astype(np.int64),
            alarm_score, index, time, values, expected, _reasons(scored, rows, alarms),
            np.where(alarms, _detail(scored, "feature", rows, -1), -1), _detail(scored, "since", rows, 0) > 0,
        )  # fmt: skip
        self.events += n
        self.alarms += int(alarms.sum())
        whole = new if self._buckets is None else self._buckets.joined(new)
        if self.width > 1:
            whole = whole.merged(self.width)
        while len(whole.index) > self.limit:
            self.width *= 2
            whole = whole.merged(self.width)
        self._buckets = whole

    def _rows(self, block: Block) -> list[int] | NDArray[np.int64]:
        """Return which events of the block belong to the series followed."""
        if self.names == ():
            self.names = block.names
            self.key = block.keys[0] if block.keys and len(block) else None
        if block.names != self.names:
            return []
        if block.keys is None:
            return np.arange(len(block))
        rows = [i for i, key in enumerate(block.keys) if key == self.key]
        self.other_keys |= len(rows) < len(block)
        return rows


def _detail(scored: Scored, name: str, rows: Any, otherwise: int) -> Array:
    """Return what the model says of some events, or the same number for each."""
    found = scored.details.get(name)
    return np.full(len(rows), otherwise) if found is None else found[rows]


def _reasons(scored: Scored, rows: Any, alarms: Array) -> Array:
    """Return for each alarm what decided it, as far as the model tells."""
    views = _detail(scored, "view", rows, -1)
    found = np.full(len(rows), "", dtype=object)
    for i in np.flatnonzero(alarms & (views >= 0)).tolist():
        found[i] = REASONS[VIEWS[views[i]]]
    return found
