"""When a score becomes an alarm, where the model does not say: of one key, or of many at once."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from streamrnn.config import Alarm
from streamrnn.container import Blob
from streamrnn.errors import StateError
from streamrnn.kernels.scores import words as at
from streamrnn.pieces import Pieces
from streamrnn.scorers.places import rows_at, with_places

__all__ = ["RankRule"]

MOST_EVENTS = 2**60
"""No stream is as long: a count beyond is none."""


class RankRule:
    """Alarm when a score ranks among the highest of the last scores of its key.

    The rank of a score s among the n scores kept is read as a smoothed p-value, p = (u + #{kept >= s}) / (1 + n), and an
    event alarms when p <= ``rate``; u goes evenly through the numbers from 0 to 1 with the events of a key, see :mod:`streamrnn.kernels.scores.rank`. At least the last ``window`` scores are kept, and at most a third more: the oldest go a third of
    the window at a time. Where scores come in exchangeable order, at most a share ``rate`` of the events alarms, whatever the scale of the scores; ties
    count against an alarm. After a change of level alarms come more often until the kept scores have been renewed.

    A key takes 432 bytes, whatever the window: scores are counted in 31 intervals. So p is never less than it would be
    with all scores at hand, and seldom more than twice as much (on nine kinds of streams 1.1 to 1.3 times in the mean); near the rank at which an alarm
    begins it is almost exact, and with at most 30 different scores it is exact.

    Do not use the p-value for ranking events between streams: it forgets how large the surprise was. The score
    does not.

    Parameters
    ----------
    alarm
        ``rate``: share of events that may alarm. ``window``: scores kept at least. ``warm_up``: events before the first
        alarm. The scores of the first half are not kept: they are those of a net that has learned nothing, high for no reason of the stream's, and would
        outrank the first true alarms. ``cooldown``: events after an alarm that raise none. Their scores are kept too.

    Notes
    -----
    A score that is no finite number is not kept and does not alarm (p = 1). Scores are rounded to float32: what is equal then is a tie.

    References
    ----------
    V. Vovk, A. Gammerman, G. Shafer, Algorithmic Learning in a Random World, Springer 2005, section 2.2: smoothed p-values of ranks.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.config import Alarm
    >>> from streamrnn.scorers.rank_rule import RankRule
    >>> rule = RankRule(Alarm(rate=0.25, window=100, warm_up=6))
    >>> alarms, p_values = rule.update_many(np.array([0.9, 0.9, 0.9, 0.1, 0.2, 0.1, 0.5, 0.1]))
    >>> alarms.tolist(), p_values.round(2).tolist()
    ([False, False, False, False, False, False, True, False], [1.0, 1.0, 1.0, 1.0, 0.24, 0.7, 0.18, 0.87])
    """

    BYTES = 8 * at.RANK_WORDS
    """Of a key."""

    def __init__(self, alarm: Alarm) -> None:
        self._settings = np.zeros(at.RANK_SETTINGS)
        self._settings[at.RANK_WARM_UP] = alarm.warm_up
        self._settings[at.RANK_PART_LENGTH] = math.ceil(alarm.window / (at.RANK_PARTS - 1))
        self.set_alarm(alarm)
        self._words = np.zeros((1, at.RANK_WORDS), np.int64)

    def set_alarm(self, alarm: Alarm) -> None:
        """Alarm at another rate, and with another cooldown, from the next event on; the scores that are kept stay.

        Parameters
        ----------
        alarm
            The settings; those of a start, window and warm-up, stay.
        """
        self._settings[[at.RANK_RATE, at.RANK_COOLDOWN]] = alarm.share, alarm.cooldown

    def update_many(
        self, scores: NDArray[np.float64], codes: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Take scores in order; return for each whether it alarms, and its p-value. Where blocks are cut changes nothing.

        Parameters
        ----------
        scores
            In the order of the events, shape (n,); from 0 to 1, or on any other scale.
        codes
            The place of each key, (n,), negative where it begins anew; None: all are of one.

        Examples
        --------
        >>> import numpy as np
        >>> from streamrnn.config import Alarm
        >>> from streamrnn.scorers.rank_rule import RankRule
        >>> rule = RankRule(Alarm(rate=0.25, window=100, warm_up=2))
        >>> rule.update_many(np.array([0.9, 0.9, 0.1, 0.1, 0.1, 0.5]), np.array([-1, -2, 1, 1, 1, 1]))[1].round(2).tolist()
        [1.0, 1.0, 1.0, 0.62, 0.95, 0.12]
        """
        n = len(scores)
        alarms, p_values = np.zeros(n, bool), np.ones(n)
        if n:
            from streamrnn.kernels.scores.rank import ranking  # noqa: PLC0415  (numba)

            self._words, places = rows_at(self._words, codes, n)
            given = np.ascontiguousarray(scores, np.float64)
            ranking()(self._words.reshape(-1), places, given, self._settings, alarms.view(np.uint8), p_values)
        return alarms, p_values

    def dumps(self, last: int = 0) -> Blob:
        """Return the words of each place, int64, little-endian, from where they lie.

        Parameters
        ----------
        last
            The largest place.

        Examples
        --------
        >>> from streamrnn.config import Alarm
        >>> from streamrnn.scorers.rank_rule import RankRule
        >>> len(RankRule(Alarm()).dumps())
        432
        """
        self._words = with_places(self._words, last)
        words = self._words[: last + 1]
        return Pieces(words.nbytes, lambda: (words.astype("<i8", copy=False).view(np.uint8).reshape(-1).data,))

    def restore(self, data: bytes, last: int = 0) -> None:
        """Take up what :meth:`dumps` gave, of a rule whose settings may have been others.

        Parameters
        ----------
        data
            What was written.
        last
            The largest place.

        Raises
        ------
        StateError
            When the data is no such memory. Nothing has changed then.

        Examples
        --------
        >>> import numpy as np
        >>> from streamrnn.config import Alarm
        >>> from streamrnn.scorers.rank_rule import RankRule
        >>> old, new = RankRule(Alarm()), RankRule(Alarm())
        >>> _ = old.update_many(np.array([0.5, 0.25]))
        >>> new.restore(bytes(old.dumps()))
        >>> bytes(new.dumps()) == bytes(old.dumps())
        True
        """
        if len(data) != self.BYTES * (last + 1):
            raise StateError(f"The alarm rule's memory has {len(data)} bytes: not {self.BYTES} for each of {last + 1}.")
        words = np.frombuffer(data, "<i8").astype(np.int64).reshape(-1, at.RANK_WORDS)
        if not at.possible(words, MOST_EVENTS):
            raise StateError("The alarm rule's memory holds values that no rule can have.")
        words[:, at.RANK_COOLDOWN_LEFT] = np.minimum(
            words[:, at.RANK_COOLDOWN_LEFT], int(self._settings[at.RANK_COOLDOWN])
        )
        self._words = words
