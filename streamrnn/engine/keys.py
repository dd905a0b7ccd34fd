"""The keys of a partition that are held: each with its scorer, the one unseen for longest goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice, takewhile

from streamrnn.engine.episodes import Episode
from streamrnn.engine.silence import Report
from streamrnn.scorers.scorer import Counters, Scorer

__all__ = ["KeyState", "Keys"]


@dataclass(slots=True)
class KeyState:
    """One key.

    Parameters
    ----------
    scorer
        What scores its events.
    counters
        What the scorer had learned when it was counted last.
    rows
        Its events in the block at hand.
    episode
        The episode that is open, where alarms have an output of their own.
    report
        When it reported last.
    seen
        Its last event, as the number of those of all keys until then; a restart counts anew.

    Examples
    --------
    >>> from streamrnn.engine.keys import KeyState
    >>> from streamrnn.scorers.kinds import model_kind
    >>> from streamrnn.scorers.make import new_scorer
    >>> KeyState(new_scorer(model_kind("RNNAnomalyDetector", {}))).rows
    []
    """

    scorer: Scorer
    counters: Counters = field(default_factory=Counters)
    rows: list[int] = field(default_factory=list)
    episode: Episode | None = None
    report: Report = field(default_factory=Report)
    seen: int = 0

    def count(self) -> tuple[int, float | None]:
        """Return the updates refused since the last count, and the mean loss of what was learned; None where nothing was."""
        then, now = self.counters, self.scorer.counters
        self.counters = now
        learned = now.learned - then.learned
        return now.refused - then.refused, (now.loss - then.loss) / learned if learned > 0 else None


class Keys:
    """Keys in the order in which they were seen last; where there are too many, the first of them goes with all it learned.

    Parameters
    ----------
    make
        Returns the scorer of a new key.
    room
        Keys held at most.

    Examples
    --------
    >>> from streamrnn.engine.keys import Keys
    >>> keys = Keys(lambda: None, room=2)
    >>> for key in "abaca":
    ...     _ = keys.touch(key)
    >>> list(keys), keys.evicted
    (['c', 'a'], 1)
    """

    def __init__(self, make: Callable[[], Scorer], room: int) -> None:
        self._make = make
        self.room = room
        self.evicted = 0
        self._events = 0
        self._held: OrderedDict[str | None, KeyState] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[str | None]:
        return iter(list(self._held))

    def states(self) -> list[KeyState]:
        """Return what is held of each key, in their order."""
        return list(self._held.values())

    def items(self) -> list[tuple[str | None, KeyState]]:
        """Return the keys, each with what is held of it, in their order."""
        return list(self._held.items())

    def get(self, key: str | None) -> KeyState | None:
        """Return what is held of a key, which stays where it is in the order; None: nothing.

        Parameters
        ----------
        key
            Of an event; None where events have none.
        """
        return self._held.get(key)

    def touch(self, key: str | None) -> KeyState:
        """Return what is held of a key, new or old, as the one seen last.

        Parameters
        ----------
        key
            Of an event; None where events have none.
        """
        self._events += 1
        state = self._held.get(key)
        if state is not None:
            self._held.move_to_end(key)
        else:
            state = self._held[key] = KeyState(self._make())
            self.make_room()
        state.seen = self._events
        return state

    def coldest(self, most: int) -> list[tuple[str | None, int]]:
        """Return the keys unseen for longest, each with how many events have come since its own last one, or since the restart.

        Parameters
        ----------
        most
            Keys that are returned.
        """
        return [(key, self._events - one.seen) for key, one in islice(self._held.items(), most)]

    def count_idle(self, events: int) -> int:
        """Return how many keys had none of the last events.

        Parameters
        ----------
        events
            Of all keys together, so many of the last ones.
        """
        return sum(1 for _ in takewhile(lambda one: self._events - one.seen > events, self._held.values()))

    def make_room(self) -> None:
        """Let go of those unseen for longest, as far as there are too many."""
        while len(self._held) > self.room:
            self._held.popitem(last=False)
            self.evicted += 1

    def replace(self, found: list[tuple[str | None, KeyState]], most: int) -> None:
        """Hold other keys.

        Parameters
        ----------
        found
            In the order in which they were seen last.
        most
            So many of them, from the end.
        """
        self._held = OrderedDict(found[-most:])
