"""Windows of records instead of records: tumbling, by the time of records, closed by the partition's watermark."""

from __future__ import annotations

import math
import operator
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from streamrnn.config import Records
from streamrnn.engine.panes import AGGREGATES, COUNT, Pane
from streamrnn.engine.silence import Clock
from streamrnn.engine.window_state import WrittenWindows, open_panes, said, written_panes
from streamrnn.engine.window_times import read_time, written_like
from streamrnn.errors import ConfigError
from streamrnn.io import Block, Position, reached

__all__ = ["Gathered", "Windows"]

PIECE = 4096
"""Windows that one piece of a block may bring before the next record starts another: what bounds memory."""

MOST_EMPTY = 100_000
"""Empty windows, over all keys, that one record may bring; of a longer pause only the latest are filled."""


@dataclass(slots=True)
class Gathered:
    """Windows that a stretch of records has closed.

    Parameters
    ----------
    block
        The windows, as events: each at the position of the record that closed it, with its first moment as the time.
    records
        How many records there were.
    """

    block: Block
    records: int


@dataclass(slots=True)
class _Key:
    following: int  # the first window that was not given out
    panes: dict[int, Pane] = field(default_factory=dict)


@dataclass(slots=True)
class _Rows:
    values: list[list[float]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    times: list[str | float] = field(default_factory=list)
    positions: list[Position] = field(default_factory=list)


class Windows:
    """The open windows of one partition.

    A window of every key that was seen is given out as soon as a record's time has passed its end: with what came, or empty. What comes
    later still is counted (``late``), as are records without a time (``untimed``), and those from far in the future or the past
    (``clock.ahead``), which move nothing unless ten in a row say the same.

    Parameters
    ----------
    settings
        Of ``[source]``.
    max_ahead
        Seconds: a record further from the watermark than that is passed over.
    room
        Keys held at most; the one unseen for longest goes, with what its open windows held (``dropped``).

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.config import Records
    >>> from streamrnn.engine.windows import Windows
    >>> from streamrnn.io import Block
    >>> windows = Windows(Records(every=60), 86400.0, room=10)
    >>> orders = Block(("eur",), np.array([[9.0], [5.0], [7.0], [1.0]]), (0, 1, 2, 3), 4, times=(0.0, 59.0, 185.0, 20.0))
    >>> [(block.times, block.values.ravel().tolist()) for block in (one.block for one in windows.gather(orders))]
    [([0.0, 60.0, 120.0], [2.0, 0.0, 0.0])]
    >>> windows.late
    1
    """

    def __init__(self, settings: Records, max_ahead: float, room: int) -> None:
        self.settings = settings
        self.room = room
        self.clock = Clock()
        self.late = 0
        self.untimed = 0
        self.unfilled = 0  # empty windows that a long pause had too many of
        self.dropped = 0  # windows of keys that had to go
        self._max_ahead = max_ahead
        self._every = settings.every_s
        self._aggregate = AGGREGATES[settings.aggregate]
        self._closed: int | None = None
        self._names: tuple[str, ...] = ()
        self._keys: OrderedDict[str | None, _Key] = OrderedDict()

    def told(self) -> dict[str, int]:
        """Return how many windows hold records and are ``open``, and what was left out. May be called from another thread.

        Records: ``late`` behind their window's end, ``untimed``, ``ahead``: too far from the watermark. Windows: ``unfilled`` in a long
        pause, ``dropped`` with their key.
        """
        return {
            "open": sum(len(key.panes) for key in list(self._keys.values())),
            "late": self.late,
            "untimed": self.untimed,
            "ahead": self.clock.ahead,
            "unfilled": self.unfilled,
            "dropped": self.dropped,
        }

    def names_of(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the columns of windows.

        Parameters
        ----------
        names
            Those of records.
        """
        return (COUNT,) if self.settings.aggregate == COUNT else names

    def gather(self, block: Block) -> Iterator[Gathered]:
        """Take records in; yield what they close, at least one piece. Where blocks are cut changes nothing.

        Parameters
        ----------
        block
            Records in the order of the partition.

        Raises
        ------
        ConfigError
            When they have no time.
        """
        n = len(block)
        if n and block.times is None:
            raise ConfigError(
                "[source] every: the records have no time, so no window is known. Name its column with [source] time, or leave every unset."
            )
        self._meet(self.names_of(block.names))
        rows: Sequence[Sequence[float]] = block.values.tolist() if self.settings.aggregate != COUNT else [()] * n
        out, start = _Rows(), 0
        for i in range(n):
            self._take(block, i, rows[i], out)
            if len(out.values) >= PIECE and i + 1 < n:
                yield Gathered(self._piece(block, out, start, block.positions[i + 1]), i + 1 - start)
                out, start = _Rows(), i + 1
        yield Gathered(self._piece(block, out, start, block.next_position), n - start)

    def _take(self, block: Block, i: int, row: Sequence[float], out: _Rows) -> None:
        written = block.times[i] if block.times is not None else None
        when, scale = read_time(written)
        leaps = self.clock.leaps(when, self._max_ahead)
        if not self.clock.moves(when, self._max_ahead):
            self.untimed += math.isnan(when)
            return
        watermark = self.clock.watermark
        closed = math.floor(((when if watermark is None else watermark) - self.settings.lateness_s) / self._every)
        if leaps:
            self._start_over(block, i, closed, out, scale)
        elif self._closed is None or closed > self._closed:
            self._close(block, i, closed, out, scale)
        number = math.floor(when / self._every)
        if self._closed is None or number < self._closed:
            self.late += 1
            return
        pane = self._pane(None if block.keys is None else block.keys[i], number)
        pane.count += 1
        self._aggregate.add(pane.values, pane.marks, row, when)

    def _pane(self, name: str | None, number: int) -> Pane:
        key = self._keys.get(name)
        if key is None:
            key = self._keys[name] = _Key(number)
            while len(self._keys) > self.room:
                _, gone = self._keys.popitem(last=False)
                self.dropped += len(gone.panes)
        else:
            self._keys.move_to_end(name)
            key.following = min(key.following, number)
        pane = key.panes.get(number)
        if pane is None:
            width = 0 if self.settings.aggregate == COUNT else len(self._names)
            pane = key.panes[number] = Pane([math.nan] * width, [self._aggregate.first_mark] * width)
        return pane

    def _close(self, block: Block, i: int, until: int, out: _Rows, scale: float) -> None:
        """Give out every window before ``until``, of each key that was seen."""
        self._closed = until
        due: list[tuple[int, str | None, Pane | None]] = []
        for name, key in self._keys.items():
            if key.following >= until:
                continue
            begin = max(key.following, until - max(1, MOST_EMPTY // max(1, len(self._keys))))
            early = sorted(number for number in key.panes if number < begin)
            self.unfilled += begin - key.following - len(early)
            due += [(number, name, key.panes.pop(number, None)) for number in (*early, *range(begin, until))]
            key.following = until
        self._give(block, i, due, out, scale)

    def _start_over(self, block: Block, i: int, closed: int, out: _Rows, scale: float) -> None:
        """Give out what is open, and go on at another time: nothing is filled between."""
        due: list[tuple[int, str | None, Pane | None]] = []
        for name, key in self._keys.items():
            due += [(number, name, key.panes[number]) for number in sorted(key.panes)]
            key.panes, key.following = {}, closed
        self._closed = closed
        self._give(block, i, due, out, scale)

    def _give(
        self, block: Block, i: int, due: list[tuple[int, str | None, Pane | None]], out: _Rows, scale: float
    ) -> None:
        due.sort(key=operator.itemgetter(0))  # stable: within a window the order of the keys
        written = block.times[i] if block.times is not None else None
        moments: dict[int, str | float] = {}
        nothing = [0.0] if self.settings.aggregate == COUNT else [math.nan] * len(self._names)
        for number, name, pane in due:
            if number not in moments:
                moments[number] = written_like(written, number * self._every, scale)
            out.values.append(nothing if pane is None else self._aggregate.result(pane))
            out.keys.append(name)
            out.times.append(moments[number])
            out.positions.append(block.positions[i])

    def _piece(self, block: Block, out: _Rows, start: int, end: Position) -> Block:
        """Return windows as a block that ends where reading goes on; dead letters go with the records around them."""
        letters = tuple(
            one
            for one in block.dead_letters
            if (start == 0 or reached(one.position, block.positions[start]))
            and (end == block.next_position or not reached(one.position, end))
        )
        return replace(
            block,
            names=self._names,
            values=np.array(out.values, dtype=np.float64).reshape(len(out.values), len(self._names)),
            positions=out.positions,
            next_position=end,
            keys=None if block.keys is None else out.keys,
            times=None if block.times is None else out.times,
            raws=(),
            dead_letters=letters,
        )

    def _meet(self, names: tuple[str, ...]) -> None:
        """Have panes hold the columns that come from here on."""
        if names == self._names:
            return
        before = {name: i for i, name in enumerate(self._names)}
        places = [before.get(name) for name in names]
        self._names = names
        if self.settings.aggregate == COUNT:
            return
        for key in self._keys.values():
            for pane in key.panes.values():
                values, marks = pane.values, pane.marks
                pane.values = [math.nan if at is None else values[at] for at in places]
                pane.marks = [self._aggregate.first_mark if at is None else marks[at] for at in places]

    def written(self) -> WrittenWindows:
        """Return them as a snapshot keeps them."""
        keys = [
            (
                name,
                key.following,
                written_panes(key.panes),
            )
            for name, key in self._keys.items()
        ]
        return WrittenWindows(
            settings=said(self.settings),
            clock=self.clock,
            closed=self._closed,
            names=list(self._names),
            keys=keys,
            late=self.late,
            untimed=self.untimed,
            unfilled=self.unfilled,
            dropped=self.dropped,
        )

    def restore(self, found: WrittenWindows) -> None:
        """Take up what a snapshot kept.

        Parameters
        ----------
        found
            What :meth:`written` gave.

        Raises
        ------
        StateError
            When it is damaged.
        """
        width = 0 if self.settings.aggregate == COUNT else len(found.names)
        keys: OrderedDict[str | None, _Key] = OrderedDict()
        for name, following, panes in found.keys:
            keys[name] = _Key(following, open_panes(panes, width))
        self.clock, self._closed = found.clock, found.closed
        self._names, self._keys = tuple(found.names), keys
        self.late, self.untimed = found.late, found.untimed
        self.unfilled, self.dropped = found.unfilled, found.dropped
