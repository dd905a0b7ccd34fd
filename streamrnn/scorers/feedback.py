"""What a person says of an event after it came: which event is meant, and what had decided it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import StateError
from streamrnn.kernels.anomaly.views import VIEWS

__all__ = ["Recent", "blank_row", "words_alone"]

EVENT = np.dtype([("time", "<u8"), ("feature", "<i4"), ("decided", "i1"), ("word", "i1")])
NOTHING, USUAL, ANOMALY = 0, 1, 2


def words_alone(
    values: NDArray[np.float64], names: tuple[str, ...], label: str, time: str | None = None
) -> NDArray[np.bool_]:
    """Return which rows are words that came by themselves: nothing but the label's column, and ``time`` where that is one.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.scorers.feedback import words_alone
    >>> words_alone(np.array([[1.0, np.nan], [1.0, 0.0], [np.nan, 1.0], [np.nan, np.nan]]), ("a", "word"), "word").tolist()
    [False, False, True, False]
    """
    if label not in names:
        return np.zeros(len(values), bool)
    known = ~np.isnan(values)
    if time in names:
        known[:, names.index(time)] = False
    found: NDArray[np.bool_] = known[:, names.index(label)] & (known.sum(axis=1) == 1)
    return found


def blank_row(like: dict[str, NDArray[Any]], heard: bool) -> dict[str, NDArray[Any]]:
    """Return what is said of a record that is a word and no event: nothing, and whether it was heard.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.scorers.feedback import blank_row
    >>> row = blank_row({"score": np.zeros(3), "alarm": np.ones(3, bool), "heard": np.full(3, None)}, True)
    >>> row["score"].tolist(), row["alarm"].tolist(), row["heard"].tolist()
    ([nan], [False], [True])
    """
    nothing = {"f": np.nan, "b": False, "i": -1, "O": heard}
    return {name: np.full((1, *part.shape[1:]), nothing[part.dtype.kind], part.dtype) for name, part in like.items()}


def _code(time: object) -> int:
    """Return a time of the input as 8 bytes, never 0: 17 and 17.0 are the same, "17" is another. 0 for none."""
    if time is None:
        return 0
    if isinstance(time, float) and time.is_integer():
        time = int(time)
    text = f"{type(time).__name__}:{time}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") or 1


class Recent:
    """The last events of one series, by time: what decided each, and what was said of it. Fixed memory, 14 bytes an event.

    Parameters
    ----------
    size
        Events kept.

    Examples
    --------
    >>> from streamrnn.scorers.feedback import Recent
    >>> recent = Recent(2)
    >>> recent.take(["08:00", "09:00", "10:00"], [0, 0, 0], [1, 2, 3], [0, 0, 0])
    >>> recent.say("08:00", True), recent.say("09:00", True), recent.say("09:00", True), recent.say("09:00", False)
    (None, (0, 2, 1), (0, 2, 0), (0, 2, 2))
    """

    def __init__(self, size: int) -> None:
        self.kept = np.zeros(size, EVENT)
        self.seen = 0

    def take(self, times: Sequence[Any], features: Sequence[int], decided: Sequence[int], words: Sequence[int]) -> None:
        """Remember events, the oldest first.

        Parameters
        ----------
        times
            As the input wrote them. None: nobody can speak of that event later.
        features, decided
            What :meth:`streamrnn.RNNAnomalyDetector.progressive_many` says, features by places of the caller's own.
        words
            0 where nothing was said with the event, 1 for usual, 2 for an anomaly.
        """
        n, size = len(times), len(self.kept)
        for i in range(max(0, n - size), n):
            self.kept[(self.seen + i) % size] = _code(times[i]), features[i], decided[i], words[i]
        self.seen += n

    def say(self, time: object, is_anomaly: bool) -> tuple[int, int, int] | None:
        """Note a word on the newest event of that time.

        Parameters
        ----------
        time
            Of the event.
        is_anomaly
            The word.

        Returns
        -------
        tuple or None
            Feature, view, and how often the correction is due: once; not at all where the same was said before; twice where the
            opposite was, to take that back. None where no such event is known (any more).
        """
        code, size = _code(time), len(self.kept)
        places = np.flatnonzero(self.kept["time"] == code).tolist()
        if not (code and places):
            return None
        newest = max(places, key=lambda place: (place - self.seen) % size)
        event, word = self.kept[newest], ANOMALY if is_anomaly else USUAL
        often = 0 if event["word"] == word else 1 if event["word"] == NOTHING else 2
        event["word"] = word
        return int(event["feature"]), int(event["decided"]), often

    @staticmethod
    def from_bytes(data: bytes, seen: object, features: int) -> Recent:
        """Return what ``kept`` and ``seen`` were, for a model of so many features.

        Raises
        ------
        StateError
            When they are something else.
        """
        if not isinstance(seen, int) or isinstance(seen, bool) or not 0 <= seen <= 2**52 or len(data) % EVENT.itemsize:
            raise StateError("The snapshot's memory of events for late words is damaged.")
        made = Recent(0)
        made.kept, made.seen = np.frombuffer(data, EVENT).copy(), seen
        kept = made.kept
        feature, decided, word = kept["feature"], kept["decided"], kept["word"]
        places = (feature >= np.where(decided >= 0, 0, -1)) & (feature < max(features, 1))
        if not (places & (decided >= -1) & (decided < len(VIEWS)) & (word >= NOTHING) & (word <= ANOMALY)).all():
            raise StateError("The snapshot's memory of events for late words holds what none can.")
        return made
