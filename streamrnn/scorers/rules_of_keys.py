"""The rank rule of each of many keys: of young ones a count, of others the scores that are kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamrnn.config import Alarm
from streamrnn.errors import StateError
from streamrnn.scorers.rank_rule import MOST_EVENTS, AlarmRule
from streamrnn.scorers.turns import by_place, with_places

__all__ = ["RulesOfKeys"]

LEAST = 16
"""Scores that the kept ones are written for room of, and then twice as many each time: so what lies behind is moved rarely."""


class RulesOfKeys:
    """An :class:`~streamrnn.scorers.rank_rule.AlarmRule` for each place. It keeps no score before half of the warm-up, and takes 16 bytes until then.

    Parameters
    ----------
    alarm
        Settings of all of them.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.config import Alarm
    >>> from streamrnn.scorers.rules_of_keys import RulesOfKeys
    >>> rules = RulesOfKeys(Alarm(rate=0.25, window=100, warm_up=2))
    >>> rules.update_many(np.array([0.9, 0.9, 0.1, 0.1, 0.1, 0.5]), np.array([-1, -2, 1, 1, 1, 1]))[1].tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 0.25]
    """

    def __init__(self, alarm: Alarm) -> None:
        self.alarm = alarm
        self._events, self._keeps = np.zeros(1, np.int64), np.zeros(1, bool)
        self._rules: dict[int, AlarmRule] = {}

    def _new(self) -> AlarmRule:
        return AlarmRule(self.alarm.share, self.alarm.window, self.alarm.warm_up, self.alarm.cooldown)

    def set_alarm(self, alarm: Alarm) -> None:
        """Alarm by other settings from the next event on; the scores that are kept stay.

        Parameters
        ----------
        alarm
            The settings.
        """
        self.alarm = alarm
        for rule in self._rules.values():
            rule.rate, rule.cooldown = alarm.share, alarm.cooldown

    def update_many(
        self, scores: NDArray[np.float64], codes: NDArray[np.int64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Take the scores of a block; return for each whether it alarms, and its p-value.

        Parameters
        ----------
        scores
            float64, (n,).
        codes
            The place of each key, (n,), negative where it begins anew.
        """
        alarms, p_values, places = np.zeros(len(scores), bool), np.ones(len(scores)), np.abs(codes)
        if not len(places):
            return alarms, p_values
        there, first, place_of, counts = np.unique(places, return_index=True, return_inverse=True, return_counts=True)
        self._make_room(int(there[-1]))
        begins = codes[first] < 0
        begin = np.bincount(place_of[codes < 0], minlength=len(there))
        counts += np.where(begins, 0, self._events[there])
        # What keeps no score yet, and will not with these, gives p = 1: it is counted, and that is all.
        young = (begin == begins) & (counts <= self.alarm.warm_up // 2) & (begins | ~self._keeps[there])
        self._events[there[young]] = counts[young]
        for place in there[young & begins & self._keeps[there]].tolist():
            self._forget(place)
        rows = np.flatnonzero(~young[place_of])
        for place, own in by_place(places[rows]):
            parts = np.split(rows[own], np.flatnonzero(codes[rows[own]] < 0))
            for part in (one for one in parts if len(one)):
                if codes[part[0]] < 0:
                    self._events[place] = 0
                    self._forget(place)
                alarms[part], p_values[part] = self._one(place, scores[part].tolist())
        return alarms, p_values

    def _one(self, place: int, scores: list[float]) -> tuple[list[bool], list[float]]:
        """Take the scores of one key."""
        rule = self._rules.get(place) or self._new()
        rule.events = int(self._events[place])
        found = rule.update_many(scores)
        self._events[place] = rule.events
        if rule.kept or rule.cooldown_left:
            self._rules[place], self._keeps[place] = rule, True
        return found

    def _forget(self, place: int) -> None:
        self._rules.pop(place, None)
        self._keeps[place] = False

    def _make_room(self, last: int) -> None:
        self._events, self._keeps = with_places(self._events, last), with_places(self._keeps, last)

    def to_bytes(self, last: int) -> bytes:
        """Return three int64 for each place, little-endian: events, what is left of the cooldown, scores kept; then the scores.

        Parameters
        ----------
        last
            The largest place.
        """
        self._make_room(last)
        head, parts = np.zeros((last + 1, 3), "<i8"), []
        head[:, 0] = self._events[: last + 1]
        for place in sorted(self._rules):
            own = self._rules[place].to_bytes()
            head[place, 1:] = self._rules[place].cooldown_left, len(own) // 8 - 2
            parts.append(own[16:].ljust(8 * _room(len(own) // 8 - 2), b"\0"))
        return b"".join([head.tobytes(), *parts])

    def restore(self, data: bytes, last: int) -> None:
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
        if len(data) < 24 * (last + 1):
            raise StateError("The alarm rules of the keys are shorter than there are keys.")
        head = np.frombuffer(data, "<i8", 3 * (last + 1)).reshape(-1, 3)
        if (head < 0).any() or (head > MOST_EVENTS).any():
            raise StateError("The alarm rules of the keys hold values that no rule can have.")
        self._events, self._keeps, self._rules = head[:, 0].copy(), np.zeros(last + 1, bool), {}
        at = head.nbytes
        for place in np.flatnonzero(head[:, 1:].any(axis=1)).tolist():
            events, cooldown, kept = head[place].tolist()
            rule, end = self._new(), at + 8 * kept
            if end > len(data):
                raise StateError("The alarm rules of the keys are shorter than they say.")
            rule.restore(np.array([events, cooldown], "<i8").tobytes() + data[at:end])
            self._rules[place], self._keeps[place] = rule, True
            at += 8 * _room(kept)
        if at != len(data):
            raise StateError("The alarm rules of the keys are longer than they say.")


def _room(kept: int) -> int:
    """Return for how many scores there is room where so many are kept."""
    return 0 if kept == 0 else max(LEAST, 1 << (kept - 1).bit_length())
