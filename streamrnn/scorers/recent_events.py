"""The last events of one key, for feedback that comes after them: which event is meant, and what had decided it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from streamrnn.errors import StateError
from streamrnn.kernels.anomaly.views import VIEWS

__all__ = ["RecentEvents"]

EVENT = np.dtype([("time", "<u8"), ("feature", "<i4"), ("view", "i1"), ("feedback", "i1")])
NOTHING, USUAL, ANOMALY = 0, 1, 2


def _code(time: object) -> int:
    """Return a time of the input as 8 bytes, never 0: 17 and 17.0 are the same, "17" is another. 0 for none."""
    if time is None:
        return 0
    if isinstance(time, float) and time.is_integer():
        time = int(time)
    text = f"{type(time).__name__}:{time}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") or 1


class RecentEvents:
    """The last events of one key, by time: what decided each, and the feedback on it. Fixed memory, 14 bytes an event.

    Parameters
    ----------
    size
        Events kept.

    Examples
    --------
    >>> from streamrnn.scorers.recent_events import RecentEvents
    >>> recent = RecentEvents(2)
    >>> recent.take(["08:00", "09:00", "10:00"], [0, 0, 0], [1, 2, 3], [0, 0, 0])
    >>> recent.say("08:00", True), recent.say("09:00", True), recent.say("09:00", True), recent.say("09:00", False)
    (None, (0, 2, 1), (0, 2, 0), (0, 2, 2))
    """

    def __init__(self, size: int) -> None:
        self.kept = np.zeros(size, EVENT)
        self.seen = 0

    def take(
        self, times: Sequence[Any], features: Sequence[int], views: Sequence[int], feedback: Sequence[int]
    ) -> None:
        """Remember events, the oldest first.

        Parameters
        ----------
        times
            As the input wrote them. None: nobody can speak of that event later.
        features, views
            What :meth:`streamrnn.RNNAnomalyDetector.progressive_many` says, features by indices of the caller's own.
        feedback
            0 where none came with the event, 1 for usual, 2 for an anomaly.
        """
        n, size = len(times), len(self.kept)
        for i in range(max(0, n - size), n):
            self.kept[(self.seen + i) % size] = _code(times[i]), features[i], views[i], feedback[i]
        self.seen += n

    def say(self, time: object, is_anomaly: bool) -> tuple[int, int, int] | None:
        """Note feedback on the newest event of that time.

        Parameters
        ----------
        time
            Of the event.
        is_anomaly
            What the person says.

        Returns
        -------
        tuple or None
            Feature, view, and how often the correction is due: once; not at all where the same was said before; twice where the
            opposite was, to take that back. None where no such event is known (any more).
        """
        code, size = _code(time), len(self.kept)
        slots = np.flatnonzero(self.kept["time"] == code).tolist()
        if not (code and slots):
            return None
        newest = max(slots, key=lambda slot: (slot - self.seen) % size)
        event, said = self.kept[newest], ANOMALY if is_anomaly else USUAL
        often = 0 if event["feedback"] == said else 1 if event["feedback"] == NOTHING else 2
        event["feedback"] = said
        return int(event["feature"]), int(event["view"]), often

    def to_bytes(self) -> bytes:
        """Return how many events came, int64, and those that are kept."""
        return self.seen.to_bytes(8, "little") + self.kept.tobytes()

    @staticmethod
    def from_bytes(data: bytes, features: int, size: int) -> RecentEvents:
        """Return what :meth:`to_bytes` gave.

        Parameters
        ----------
        data
            What was written.
        features
            Of the model: indices below that may be meant.
        size
            Events kept.

        Raises
        ------
        StateError
            When they are something else.
        """
        seen = int.from_bytes(data[:8], "little")
        if len(data) != 8 + size * EVENT.itemsize or seen > 2**52:
            raise StateError("The snapshot's memory of events for feedback does not fit its content.")
        made = RecentEvents(0)
        made.kept, made.seen = np.frombuffer(data, EVENT, offset=8).copy(), seen
        kept = made.kept
        feature, view, said = kept["feature"], kept["view"], kept["feedback"]
        possible = (feature >= np.where(view >= 0, 0, -1)) & (feature < max(features, 1))
        possible &= (view >= -1) & (view < len(VIEWS)) & (said >= NOTHING) & (said <= ANOMALY)
        if not possible.all():
            raise StateError("The snapshot's memory of events for feedback holds what none can.")
        return made
