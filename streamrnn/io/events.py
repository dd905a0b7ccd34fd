"""What flows in: events one by one and as blocks of columns, records that are none, and where they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["AlarmEvent", "Block", "DeadLetter", "Event", "Poll", "Position", "reached"]

Position = int | str
"""Where an event lies in its partition. Opaque, JSON-serialisable, made and read by the source alone."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event, as a person handles it.

    Parameters
    ----------
    x
        Features by name; NaN where a value is missing.
    position
        Where the event lies in its partition.
    key
        Which series the event belongs to, or None.
    time
        The event's time as the input wrote it, or None.
    raw
        The record as it was read.

    Examples
    --------
    >>> from streamrnn.io import Event
    >>> Event(x={"flow": 12.5}, position=17).x["flow"]
    12.5
    """

    x: dict[str, float]
    position: Position
    key: str | None = None
    time: str | float | None = None
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that could not become an event, and why.

    Parameters
    ----------
    position
        Where the record lies in its partition.
    reason
        One sentence: what is wrong, with the field and the value.
    raw
        The record as it was read (possibly cut; the reason then says so).
    line
        1-based line number where the input has lines, else None.
    partition
        The partition the record came from.
    key
        The record's own key, where the input has such a thing beside the value.

    Examples
    --------
    >>> from streamrnn.io import DeadLetter
    >>> DeadLetter(position=40, reason="column 'flow': 'abc' is not a number.", raw=b"t,abc").line is None
    True
    """

    position: Position
    reason: str
    raw: bytes = b""
    line: int | None = None
    partition: str = "0"
    key: bytes | None = None


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """The start or the end of an episode: what is written where ``[alarms]`` says.

    Parameters
    ----------
    id
        The same for the same event of the same input, however often it is computed: who has seen it can pass over it.
    data
        JSON, without a line end.
    partition
        Of the event that the episode starts or ends with.
    key
        Of the episode, cut where it is very long; None where the stream is a single series.

    Examples
    --------
    >>> from streamrnn.io import AlarmEvent
    >>> AlarmEvent("5f2a", b'{"id":"5f2a","event":"start"}').partition
    '0'
    """

    id: str
    data: bytes
    partition: str = "0"
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive events of one partition, as columns.

    Parameters
    ----------
    names
        Feature names, the columns of ``values``.
    values
        float64, shape (n, I); NaN where a value is missing.
    positions
        One per event, in order.
    next_position
        Where reading goes on after this block: what a commit records.
    keys
        One per event, or None when the stream is a single series.
    times
        One per event, as the input wrote them, or None.
    raws
        The records as they were read, or () when the source was told not to keep them.
    dead_letters
        Records among these that could not become events.
    partition
        The partition they came from.
    time_name
        What the input calls the column of ``times``, so that a model can be given it by name; None where nobody knows.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.io import Block
    >>> block = Block(names=("flow",), values=np.array([[1.0], [np.nan]]), positions=(0, 9), next_position=14)
    >>> len(block), [event.x for event in block.events()]
    (2, [{'flow': 1.0}, {'flow': nan}])
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]
    positions: Sequence[Position]
    next_position: Position
    keys: Sequence[str | None] | None = None
    times: Sequence[str | float | None] | None = None
    raws: Sequence[bytes] = ()
    dead_letters: Sequence[DeadLetter] = ()
    partition: str = "0"
    time_name: str | None = None

    def __len__(self) -> int:
        return len(self.positions)

    def events(self) -> list[Event]:
        """Return the same events one by one.

        Examples
        --------
        >>> import numpy as np
        >>> from streamrnn.io import Block
        >>> Block(("a",), np.array([[2.0]]), (0,), 1).events()[0].x
        {'a': 2.0}
        """
        return [
            Event(
                x=dict(zip(self.names, row, strict=True)),
                position=self.positions[i],
                key=self.keys[i] if self.keys is not None else None,
                time=self.times[i] if self.times is not None else None,
                raw=self.raws[i] if self.raws else b"",
            )
            for i, row in enumerate(self.values.tolist())
        ]


@dataclass(frozen=True, slots=True)
class Poll:
    """What one call of :meth:`Source.poll` brought.

    Parameters
    ----------
    blocks
        Events, at most one block a partition. May be empty.
    assigned, revoked
        Partitions that came or went since the last poll. The runtime drops the state of a revoked partition
        and restores that of an assigned one, then calls :meth:`Source.seek`.
    ended
        True when no more events will ever come.

    Examples
    --------
    >>> from streamrnn.io import Poll
    >>> Poll(ended=True).blocks
    ()
    """

    blocks: Sequence[Block] = ()
    assigned: Sequence[str] = ()
    revoked: Sequence[str] = ()
    ended: bool = False


def reached(position: Position, target: Position) -> bool:
    """Whether ``position`` lies at or behind ``target`` in its partition: how a run knows what an earlier one has written.

    Two ints are compared, and two texts that end in ``:number`` after the same start. Any other text is opaque: then only the
    very same one counts, and a source must see to it that ``next_position`` is the position of the record that follows.

    Parameters
    ----------
    position, target
        Both made by one source, of one partition.

    Examples
    --------
    >>> from streamrnn.io import reached
    >>> reached("f:12", "f:9"), reached(3, 4), reached("b", "a")
    (True, False, False)
    """
    if isinstance(position, int) and isinstance(target, int):
        return position >= target
    if isinstance(position, str) and isinstance(target, str):
        (start, _, number), (target_start, _, target_number) = position.rpartition(":"), target.rpartition(":")
        if start == target_start and number.isdecimal() and target_number.isdecimal():
            return int(number) >= int(target_number)
    return position == target
