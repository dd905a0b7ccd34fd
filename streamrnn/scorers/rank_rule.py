"""When a score becomes an alarm."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, insort
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streamrnn.columns import ranks
from streamrnn.errors import StateError

__all__ = ["AlarmRule"]

MOST_EVENTS = 2**60
"""No stream is as long: a count beyond is none."""

_WORTH_IT = 256
"""Scores in a full window from which on the quicker way is quicker."""

_CHUNK = 64
"""Scores compared with each other at once, at most 127: more, and that takes longest; fewer, and sorting what is kept does."""

_BEFORE = np.tril(np.ones((_CHUNK, _CHUNK), np.int8), -1)
"""Row by row, the scores of a chunk that came before this one."""


class AlarmRule:
    """Alarm when a score ranks among the highest of the last ``window`` scores of its key.

    The rank of a score s among the n scores kept is read as a p-value, p = (1 + #{kept >= s}) / (1 + n), and an
    event alarms when p <= ``rate``. The score then joins those kept, and the oldest leaves. Where scores come in
    exchangeable order, at most a share ``rate`` of the events alarms, whatever the scale of the scores; ties count
    against an alarm. After a change of level alarms come more often until the window has been renewed.

    Do not use the p-value for ranking events between streams: it forgets how large the surprise was. The score
    does not.

    Parameters
    ----------
    rate
        Share of events that may alarm.
    window
        Scores kept. The smallest p-value is 1 / (window + 1).
    warm_up
        Events before the first alarm. The scores of the first half are not kept: they are those of a net that has
        learned nothing, high for no reason of the stream's, and would outrank the first true alarms.
    cooldown
        Events after an alarm that raise none. Their scores are kept too.

    Notes
    -----
    An event costs two binary searches and two moves inside a list of at most ``window`` floats (1.4 us at 2000), in a large
    block a share of sorting and comparing arrays (0.8 us). A score that is no finite number is not kept and does not alarm (p = 1).

    Examples
    --------
    >>> from streamrnn.scorers.rank_rule import AlarmRule
    >>> rule = AlarmRule(rate=0.25, window=100, warm_up=6, cooldown=0)
    >>> rule.update_many([0.9, 0.9, 0.9, 0.1, 0.2, 0.1, 0.5, 0.1])
    ([False, False, False, False, False, False, True, False], [1.0, 1.0, 1.0, 1.0, 0.5, 1.0, 0.25, 1.0])
    """

    def __init__(self, rate: float = 0.01, window: int = 2000, warm_up: int = 200, cooldown: int = 0) -> None:
        self.rate = rate
        self.window = window
        self.warm_up = warm_up
        self.cooldown = cooldown
        self.events = 0
        self.cooldown_left = 0
        self._recent, self._sorted = array("d"), array("d")

    def update_many(self, scores: Sequence[float] | NDArray[np.float64]) -> tuple[list[bool], list[float]]:
        """Take scores in order; return for each whether it alarms, and its p-value.

        Parameters
        ----------
        scores
            From 0 to 1, in the order of the events, shape (n,).

        Examples
        --------
        >>> from streamrnn.scorers.rank_rule import AlarmRule
        >>> AlarmRule().update_many([])
        ([], [])
        """
        missing = max(0, self.warm_up // 2 - self.events) + self.window - len(self._sorted)  # until the window is full
        first = max(0, missing, self.warm_up - self.events)
        found = np.asarray(scores, np.float64)
        slides = len(found) - first >= _WORTH_IT and bool(np.isfinite(found).all())
        alarms, p_values = self._fill((found[:first] if slides else found).tolist())
        if slides:
            more = self._slide(found[first:])
            alarms += more[0]
            p_values += more[1]
        return alarms, p_values

    def _fill(self, scores: list[float]) -> tuple[list[bool], list[float]]:
        """Take scores of any kind, before the window is full or when it is."""
        alarms: list[bool] = []
        p_values: list[float] = []
        recent, kept = self._recent, self._sorted
        cooldown_left = self.cooldown_left
        for event, score in enumerate(scores, self.events):
            n = len(kept)
            alarm, p = False, 1.0
            if -math.inf < score < math.inf:
                p = (1 + n - bisect_left(kept, score)) / (1 + n)
                alarm = p <= self.rate and cooldown_left == 0 and event >= self.warm_up
                if event >= self.warm_up // 2:
                    insort(kept, score)
                    recent.append(score)
                if len(kept) > self.window:
                    del kept[bisect_left(kept, recent.pop(0))]
            if alarm:
                cooldown_left = self.cooldown
            elif cooldown_left:
                cooldown_left -= 1
            alarms.append(alarm)
            p_values.append(p)
        self.cooldown_left = cooldown_left
        self.events += len(scores)
        return alarms, p_values

    def _slide(self, scores: NDArray[np.float64]) -> tuple[list[bool], list[float]]:
        """Do the same for finite scores once the warm-up is over and the window full: many at once, by compiled code where that was prepared."""
        n = len(self._sorted)
        all_, kept = np.concatenate([np.array(self._recent), scores]), np.array(self._sorted)
        places = ranks.places(all_, kept)
        if places is None:
            places = self._places(all_, len(scores))
            kept = np.sort(all_[len(scores) :])
        self._recent, self._sorted = array("d", all_[len(scores) :].tobytes()), array("d", kept.tobytes())
        self.events += len(scores)
        p_values = (1 + n - places) / (1 + n)
        alarms = (p_values <= self.rate).tolist()
        if True in alarms or self.cooldown_left:
            alarms = self._with_cooldown(alarms)
        return alarms, p_values.tolist()

    def _places(self, all_: NDArray[np.float64], m: int) -> NDArray[np.int64]:
        """Return for each of the last ``m`` scores how many of those that are kept when it comes lie below it.

        Those kept below the i-th of a chunk are those that were kept when the chunk began, and those of the chunk that have come before it,
        less those that have gone.
        """
        n = len(all_) - m
        places = np.empty(m, np.int64)
        for start in range(0, m, _CHUNK):
            new = all_[n + start : n + start + _CHUNK]
            k = len(new)
            gone, came = all_[start : start + k] < new[:, None], new < new[:, None]
            moved = (came.view(np.int8) - gone.view(np.int8)) * _BEFORE[:k, :k]
            places[start : start + k] = np.searchsorted(np.sort(all_[start : start + n]), new) + moved.sum(1, np.int8)
        return places

    def _with_cooldown(self, alarms: list[bool]) -> list[bool]:
        """Return the alarms that are left where none is raised during a cooldown."""
        left, free = [False] * len(alarms), self.cooldown_left  # the first event that may alarm
        for i in np.flatnonzero(alarms).tolist():
            if i >= free:
                left[i] = True
                free = i + self.cooldown + 1
        self.cooldown_left = max(0, free - len(alarms))
        return left

    @property
    def kept(self) -> int:
        """Scores that are kept."""
        return len(self._sorted)

    def to_bytes(self) -> bytes:
        """Return the whole memory of the rule: two int64 counters, then the kept scores in order, little-endian.

        Examples
        --------
        >>> from streamrnn.scorers.rank_rule import AlarmRule
        >>> len(AlarmRule().to_bytes())
        16
        """
        counters = np.array([self.events, self.cooldown_left], dtype="<i8").tobytes()
        return counters + np.array(self._recent, dtype="<f8").tobytes()

    def restore(self, data: bytes) -> None:
        """Take up a memory that :meth:`to_bytes` gave, of a rule whose settings may have been others.

        Parameters
        ----------
        data
            What was written.

        Raises
        ------
        StateError
            When the data is no such memory.

        Examples
        --------
        >>> from streamrnn.scorers.rank_rule import AlarmRule
        >>> old, new = AlarmRule(), AlarmRule()
        >>> _ = old.update_many([0.5, 0.25])
        >>> new.restore(old.to_bytes())
        >>> new.events, new.to_bytes() == old.to_bytes()
        (2, True)
        """
        if len(data) < 16 or len(data) % 8:
            raise StateError(f"The alarm rule's memory has {len(data)} bytes: not 16 and a multiple of 8.")
        events, cooldown_left = np.frombuffer(data, dtype="<i8", count=2).tolist()
        scores = np.frombuffer(data, dtype="<f8", offset=16)[-self.window :]
        if not len(scores) <= events <= MOST_EVENTS or cooldown_left < 0 or not np.isfinite(scores).all():
            raise StateError("The alarm rule's memory holds values that no rule can have.")
        self.events = events
        self.cooldown_left = min(cooldown_left, self.cooldown)
        self._recent = array("d", scores.tolist())
        self._sorted = array("d", sorted(self._recent))
