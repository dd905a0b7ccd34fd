"""All keys of a partition on one net: each has a small state of its own, all learn the same weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from streamrnn.config import Alarm
from streamrnn.errors import StateError
from streamrnn.io import Block
from streamrnn.scorers.scored import Scored
from streamrnn.scorers.scorer import Counters, Scorer, read

__all__ = ["Fleet"]


class Fleet:
    """The scorer that the keys of a partition share.

    Parameters
    ----------
    make
        Returns a new one for at most so many keys.
    room
        Keys held at most.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.engine.fleet import Fleet
    >>> from streamrnn.io import Block
    >>> from streamrnn.scorers.kinds import model_kind
    >>> from streamrnn.scorers.make import new_scorer
    >>> kind = model_kind("RNNAnomalyDetector", {"hidden_size": 8})
    >>> fleet = Fleet(lambda room: new_scorer(kind, room=room), room=2)
    >>> scored, refused = fleet.score(Block(("a",), np.ones((4, 1)), range(4), 4, keys=("x", "y", "z", "x")))
    >>> fleet.keys(), fleet.evicted, refused
    (['z', 'x'], 2, 0)
    """

    def __init__(self, make: Callable[[int], Scorer], room: int) -> None:
        self._make = make
        self.room = room
        self.scorer = make(room)
        self._counters = Counters()
        self._before = 0  # keys that had to go before the net was made or read

    def __len__(self) -> int:
        return len(self.scorer.net.slots)

    def keys(self) -> list[str | None]:
        """Return the keys held, the one unseen for longest first."""
        return list(self.scorer.net.slots)

    def coldest(self, most: int) -> list[tuple[str | None, int]]:
        """Return the keys unseen for longest, each with how many events have come since its own last one.

        Parameters
        ----------
        most
            Keys that are returned.
        """
        return self.scorer.net.coldest_keys(most)

    def count_idle(self, events: int) -> int:
        """Return how many keys had none of the last events.

        Parameters
        ----------
        events
            Of all keys together, so many of the last ones.
        """
        return self.scorer.net.count_idle_keys(events)

    @property
    def evicted(self) -> int:
        """Keys that had to go."""
        return self._before + self.scorer.net.n_evicted_keys

    def limit(self, room: int) -> None:
        """Hold at most so many keys from now on: those seen last stay.

        Parameters
        ----------
        room
            How many.
        """
        if room != self.room:
            self.room = room
            self.scorer.limit_keys(room)

    def score(self, block: Block) -> tuple[Scored, int]:
        """Score and learn every event in the order in which they came; return the results, and the updates refused.

        Parameters
        ----------
        block
            Events with keys.
        """
        found = read(self.scorer.run(block.values, block.names, block.times, _keys_of(block)))
        then, now = self._counters, self.scorer.counters
        self._counters = now
        learned = now.learned - then.learned
        losses = np.array([(now.loss - then.loss) / learned] if learned > 0 else [])
        return replace(found, losses=losses), now.refused - then.refused

    def sizes(self, names: tuple[str, ...]) -> tuple[int, int]:
        """Return the bytes that a net with these features takes with one key, and those of each further one, estimated from above.

        For a moment it is half as much again: while the net makes room for twice as many keys.

        Parameters
        ----------
        names
            Of the features.
        """
        scorer = self._make(1)
        read(scorer.run(np.zeros((1, len(names))), names, [0], ("one",)))
        return scorer.memory(), scorer.key_memory() * 3 // 2

    def set_alarm(self, alarm: Alarm) -> None:
        """Alarm by other settings from the next event on.

        Parameters
        ----------
        alarm
            The settings; those of a start, window and warm-up, stay.
        """
        self.scorer.set_alarm(alarm)

    def restore(self, blobs: list[bytes], evicted: int, alarm: Alarm) -> None:
        """Take up what the scorer gave. Fewer keys than there were stay, where that was asked for.

        Parameters
        ----------
        blobs
            What it gave.
        evicted
            Keys that had had to go.
        alarm
            Settings from now on.

        Raises
        ------
        StateError
            When they are something else.
        """
        scorer = self._make(self.room)
        if len(blobs) != scorer.parts:
            raise StateError("The snapshot's parts are not those of a net that keys share.")
        scorer.restore(blobs)
        scorer.limit_keys(self.room)
        scorer.set_alarm(alarm)
        self.scorer, self._counters = scorer, scorer.counters
        self._before = evicted - scorer.net.n_evicted_keys


def _keys_of(block: Block) -> Sequence[str | None]:
    """Return whose each event is; events without keys are those of one."""
    return [None] * len(block) if block.keys is None else block.keys
