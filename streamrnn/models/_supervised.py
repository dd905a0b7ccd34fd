"""What regressors and classifiers share: rows of features and targets, one by one and in blocks."""

from __future__ import annotations

import functools
import math
import struct
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.net.supervised import ADVANCE, ALREADY_SCALED, LEARN, LINK, PREDICT, WITH_HIDDEN, supervised
from streamrnn.models import _defaults as defaults
from streamrnn.models._event_code import Way, way
from streamrnn.models._features import NOT_PLAIN, Columns
from streamrnn.models._frames import Table
from streamrnn.models._front import weights_by_name
from streamrnn.models._growing import Now, Pending
from streamrnn.models._intervals import intervals
from streamrnn.models._keys import key_of, keys_of
from streamrnn.models._net import Net
from streamrnn.models._parameters import check
from streamrnn.models._recurrent import Recurrent

__all__ = ["Supervised", "short_ways", "stacked"]

ANSWER = PREDICT | LINK


def short_ways(net: Net, columns: Columns) -> tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]:
    """Return ``predict(x)`` and ``learn(x, y)`` for events in numbers that have exactly the columns, or, where what is absent is 0, some of them.

    They run the event through the row and return the first output, or True; or they touch no state and return None.

    Parameters
    ----------
    net
        Whose compiled code has run before.
    columns
        Of its events.
    """
    some = bool(columns.counted) and columns.time is None
    if net.address is None or columns.time is not None:
        return _ways_in_python(net, _some_into(net, columns) if some else _all_into(net, columns))
    width, target, output = columns.count, net.first_target, net.first_output
    asked, learned = Way(net.address, ANSWER, width, -1, output), Way(net.address, LEARN, width, target, -1)
    return way(asked, net, columns, some=some), way(learned, net, columns, some=some)


def _all_into(net: Net, columns: Columns) -> Callable[[Any], bool]:
    """Return what writes an event that has exactly the columns; closed over what it needs, since looking it up costs as much as the work."""
    count, get = columns.count, columns.get
    # takes the values as the tuple that they are
    pack = functools.partial(struct.Struct(f"{len(columns.names)}d").pack_into, net.cells, 0)

    def write(x: Mapping[Any, Any]) -> bool:
        if len(x) != count:
            return False
        pack(*get(x))
        return True

    return write


def _some_into(net: Net, columns: Columns) -> Callable[[Any], bool]:
    """Return what writes an event that has some of the columns, of which none is a time."""
    blank, place, cells = columns.blank, columns.index, net.cells
    features = net.row[: net.first_target]

    def write(x: Mapping[Any, Any]) -> bool:
        features[:] = blank
        for name, value in x.items():
            cells[place[name]] = value
        return True

    return write


def _ways_in_python(net: Net, write: Callable[[Any], bool]) -> tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]:
    """Return the ways where native code cannot take an event: a column is a time, or this Python lets no such code in."""
    cells, call, slab, row, target, output = net.cells, net.code, net.slab, net.row, net.first_target, net.first_output

    def predict(x: Mapping[Any, Any]) -> float | None:
        try:
            if not write(x):
                return None
        except (*NOT_PLAIN, AttributeError):
            return None
        call(slab, row, 1, ANSWER)
        return cells[output]

    def learn(x: Mapping[Any, Any], y: Any) -> bool | None:
        try:
            if not write(x):
                return None
            cells[target] = y
        except (*NOT_PLAIN, AttributeError):
            return None
        call(slab, row, 1, LEARN)
        return True

    return predict, learn


def stacked(pieces: Sequence[NDArray[np.float64]], width: int) -> NDArray[np.float64]:
    """Return outputs that came in pieces as one array of shape (n, width): NaN where a piece is narrower, from before a target had come.

    Parameters
    ----------
    pieces
        Arrays of shape (rows, K), K growing.
    width
        The last K.
    """
    found = np.full((sum(map(len, pieces)), width), np.nan)
    row = 0
    for piece in pieces:
        found[row : row + len(piece), : piece.shape[1]] = piece
        row += len(piece)
    return found


class Supervised(Recurrent):
    """A net that learns targets: a row is ``x (I) | y (K) | outputs (K) | area``.

    A subclass whose labels are not one number says how those of a block are written (``_write_targets``).
    """

    _entry = staticmethod(supervised)
    _spare = 1
    _strides = (defaults.STRIDE_OF_LABELS, defaults.STRIDE)
    _whole_window = False
    _paced = True
    _weighted = True
    advance: str
    max_pending: int

    @property
    def n_dropped_labels(self) -> int:
        """How many labels came when their event no longer waited, with ``advance="predict"``."""
        return self._n_dropped

    @property
    def weights_(self) -> dict[Any, Any]:
        """The weight of each expert in the mixture, between 0 and 1: by target where there are several, by key where there is one."""
        net = self._net
        targets = None if net.sizes.classes or self._targets.names == ["y"] else self._targets.names

        def of(area: int) -> dict[Any, Any]:
            mixture = net.layout.view(net.slab, "mixture", area) if net.sizes.experts != 1 else np.empty((0, 0))
            return weights_by_name(mixture, net.sizes.experts, targets)

        return of(0) if self.key is None else {key: of(area) for key, area in self._keys.items()}

    def _label_weights(self, labels: Any, start: int, stop: int) -> Any:  # noqa: ARG002
        """Return what the labels of rows ``start`` to ``stop`` weigh; NaN: 1."""
        return np.nan

    def _write_targets(self, into: NDArray[np.float64], labels: Any, start: int, stop: int) -> None:
        """Write the labels of rows ``start`` to ``stop`` into a block of shape (stop - start, K), NaN so far."""
        into[:, 0] = labels[start:stop]

    # ---- one event ------------------------------------------------------------------------------

    def _hasten(self) -> None:
        """Give single events their short way, after the first that went the long one with the columns as they are.

        A net without outputs, which has had no label yet, has no place for one in its rows, and goes on the long way.
        """
        net = self._net
        if not (net.hasty or self._special) and self._columns.names and net.sizes.outputs:
            net.predict, net.learn = short_ways(net, self._columns)

    def _predict(self, x: Mapping[Any, Any]) -> NDArray[np.float64]:
        """Run x forward and return the row: outputs begin at the net's ``first_output``."""
        return self._predict_slowly(x) if self._net.predict(x) is None else self._net.row

    def _predict_slowly(self, x: Mapping[Any, Any]) -> NDArray[np.float64]:
        net = self._net
        if self._late_labels:
            return self._predict_ahead(x)
        row = net.row
        if not self._columns.write(x, row):
            self._columns.write_slowly(x, row)
        if self._special:
            row[-1] = self._find(x)
        net.call(net.slab, row, 1, ANSWER)
        self._hasten()
        return row

    def _predict_by_name(self, x: Mapping[Any, Any]) -> dict[Any, float]:
        """Run x forward and return the outputs by target or class."""
        row, net = self._predict(x), self._net
        return dict(zip(self._targets.names, row[net.first_output :][: net.sizes.outputs].tolist(), strict=True))

    def _intervals(self, x: Mapping[Any, Any], level: float) -> list[tuple[float, float]]:
        """Run x forward and return low and high by target."""
        check("predict_interval_one", "level", level, "a number between 0 and 1", ok=0.0 < level < 1.0)
        net = self._net
        row = self._predict(x)
        answers = row[net.first_output :][: len(self._targets.names)]
        return intervals(net, answers, abs(self._find(x)) if self.key is not None else 0, level, self._loss)

    def _predict_ahead(self, x: Mapping[Any, Any]) -> NDArray[np.float64]:
        """Let the live state take x in, answer from there, and let x wait for its label."""
        self._take(x)
        net = self._net
        row, inputs = net.row, net.sizes.inputs
        raw = row[:inputs].tobytes()
        if self._is_now(x, raw):
            row[net.first_output :][: net.sizes.outputs] = 0.0
            row[net.first_output :][: len(self._event.said)] = self._event.said  # type: ignore[union-attr]
            return row
        code = 0
        if self.key is not None:
            code = self._touch_one(key_of(x, self.key))
            row[-1] = code
        net.call(net.slab, row, 1, ANSWER | ADVANCE)
        if code < 0:
            self._pending.pop(-code, None)
        queue = self._pending.setdefault(abs(code), deque())
        waits = row[net.first_told : net.first_told + net.sizes.waited]
        queue.append(Pending(raw, row[:inputs].tobytes() + waits.tobytes()))
        if self.advance == "event":
            self._event = Now(x, abs(code), raw, row[net.first_output :][: net.sizes.outputs].copy())
        if len(queue) > self.max_pending:
            self._follow(abs(code), 1, np.nan)
        return row

    def _is_now(self, x: Any, raw: bytes) -> bool:
        """Tell whether x is the very dict of the event that the model is at, as it was; names that are new since then had no value."""
        now = self._event
        return now is not None and x is now.x and raw.startswith(now.raw)

    def _place(self, x: Mapping[Any, Any], area: int, raw: bytes) -> int | None:
        """Return which of the waiting events of an area a label belongs to; None where there is none."""
        queue = self._pending.get(area, ())
        if self.advance != "event":
            return next((i for i, one in enumerate(queue) if one.raw == raw), None)
        return len(queue) - 1 if queue and self._is_now(x, raw) and queue[-1].raw == raw else None

    def _weigh(self, w: Any) -> None:
        """Write what the next event to be learned weighs; 1 is what a row without a weight has.

        Raises
        ------
        ParameterError
            When it is no number from 0 on.
        """
        number = isinstance(w, int | float | np.number) and bool(0.0 <= w < math.inf)
        check(type(self).__name__, "w", w, "a number >= 0", ok=number)
        self._net.row[self._net.first_weight] = w

    def _learn(self, x: Mapping[Any, Any], mode: int = LEARN) -> None:
        """Learn from the row, into which x, y and its weight have been written; the next one weighs 1 again."""
        try:
            self._learn_row(x, mode)
        finally:
            if self._net.sizes.weighted:
                self._net.row[self._net.first_weight] = np.nan

    def _learn_row(self, x: Mapping[Any, Any], mode: int) -> None:
        net = self._net
        if self._late_labels:
            first = net.first_target
            if self.advance == "event" and not self._is_now(x, net.row[:first].tobytes()):
                self._predict_ahead(x)
                self._take(x)
            area = self._find(x)
            raw, y, w = net.row[:first].tobytes(), net.row[first : net.first_output].copy(), np.nan
            if net.sizes.weighted:
                w = net.row[net.first_weight]
            place = self._place(x, area, raw)
            if place is None:
                self._n_dropped += self.advance == "predict"
            else:
                self._follow(area, place + 1, y, w)
            return
        if self._special:
            net.row[-1] = self._touch_one(key_of(x, self.key))
        net.call(net.slab, net.row, 1, mode)
        if mode == LEARN:
            self._hasten()

    def _follow(self, area: int, n: int, y: Any, w: float = np.nan) -> None:
        """Let the state that learns take in the n events that have waited for longest; y, of weight w, belongs to the last."""
        net, queue = self._net, self._pending[area]
        inputs, waited = net.sizes.inputs, net.sizes.waited
        rows = np.full((n, self._width()), np.nan)
        for row, one in zip(rows, islice(queue, n), strict=False):
            given = np.frombuffer(one.scaled)
            row[:inputs] = given[:inputs]
            row[net.first_told : net.first_told + waited] = given[inputs:]
        rows[-1, net.first_target : net.first_output] = y
        if net.sizes.weighted:
            rows[-1, net.first_weight] = w
        if self.key is not None:
            rows[:, -1] = area
        for _ in range(n):
            queue.popleft()
        net.call(net.slab, rows.reshape(-1), n, LEARN | ALREADY_SCALED)

    # ---- blocks ---------------------------------------------------------------------------------

    def _block(self, table: Table, start: int, stop: int, labels: Any, mode: int) -> NDArray[np.float64]:
        """Run some rows in one compiled call and return the outputs, shape (stop - start, K), or the hidden states if asked for."""
        net = self._net
        K, H = net.sizes.outputs, self.hidden_size if mode & WITH_HIDDEN else 0
        if start == stop:
            return np.empty((0, H or K))
        rows = np.empty((stop - start, self._width() + H))
        rows.fill(np.nan)
        known = [
            (place, i) for i, name in enumerate(table.names) if (place := self._columns.index.get(name)) is not None
        ]
        if len(known) < len(self._columns.blank):
            rows[:, : len(self._columns.blank)] = self._columns.blank
        if known:
            places, columns = zip(*known, strict=True)
            rows[:, _together(places)] = table.values[start:stop][:, _together(columns)]
        for i, name in enumerate(table.names):
            if name not in self._columns.index and (place := self._columns.place(name)) is not None:
                rows[:, place] += table.values[start:stop, i]
        if table.keys is not None:
            keys = table.keys[start:stop]
            rows[:, -1] = self._touch(keys) if mode & LEARN else self._keys.find_many(keys_of(keys, self.key))
        if mode & LEARN:
            self._write_targets(rows[:, net.first_target : net.first_output], labels, start, stop)
            if net.sizes.weighted:
                rows[:, net.first_weight + H] = self._label_weights(labels, start, stop)
        net.call(net.slab, rows.reshape(-1), stop - start, mode)
        first = net.first_output + (K if H else 0)
        return rows[:, first : first + (H or K)]

    def _many(
        self, table: Table, labels: Any, mode: int, new_targets: Mapping[int, list[Any]] | None = None
    ) -> list[NDArray[np.float64]]:
        """Run a block of rows; the outputs come in as many pieces as the net has sizes on the way.

        A row that brings new names or classes is a piece of its own: it is predicted by the net as it was, and
        learned by the net as it has grown. That is what a loop over single events does. ``new_targets``: which
        targets or classes are new, by the row that brings them.
        """
        n = len(table.values)
        grows = dict(new_targets or {})
        features = self._columns.new(dict.fromkeys(table.names)) if n and not self._columns.shared else []
        if not self._net.sizes.sparse:
            self._check_room(features)
        if mode & LEARN:
            features = self._with_time(table, features)
        if features:
            grows.setdefault(0, [])
        if self._late_labels:
            return list(self._many_late(table, labels, mode, new_targets or {}))
        found = []
        for start, stop in pairwise(sorted({0, n, *grows, *(row + 1 for row in grows)})):
            if start in grows:
                if mode & PREDICT:
                    found.append(self._block(table, start, stop, None, ANSWER))
                first = dict(zip(table.names, table.values[start], strict=True))
                self._open(first, features if start == 0 else [], grows[start])
                self._block(table, start, stop, labels, mode & ~ANSWER)
            else:
                found.append(self._block(table, start, stop, labels, mode))
        return found or [np.empty((0, self._net.sizes.outputs))]

    def _many_late(
        self, table: Table, labels: Any, mode: int, grows: Mapping[int, list[Any]]
    ) -> Iterator[NDArray[np.float64]]:
        """Do the same row by row, where predictions are events and labels look for theirs."""
        net = self._net
        for i, x in enumerate(table.dicts(self.key)):
            if mode & PREDICT:
                yield self._predict(x)[net.first_output : net.first_output + net.sizes.outputs][np.newaxis].copy()
            if mode & LEARN:
                self._take(x)
                if i in grows:
                    self._grow((), grows[i])
                    self._take(x)
                net.row[net.first_target : net.first_output] = np.nan
                self._write_targets(net.row[np.newaxis, net.first_target : net.first_output], labels, i, i + 1)
                self._learn(x)

    def _answers(self, X: Any) -> tuple[Table, NDArray[np.float64]]:
        """Return X as a table, and the outputs for each row, shape (n, K), from the present state."""
        table = self._table(X)
        if self._late_labels:  # these predictions are events
            if len(table.values):
                self._with_time(table, self._columns.new(dict.fromkeys(table.names)))
            rows = list(self._many_late(table, None, ANSWER, {}))
            return table, np.concatenate(rows) if rows else np.empty((0, self._net.sizes.outputs))
        return table, self._block(table, 0, len(table.values), None, ANSWER)


def _together(places: tuple[int, ...]) -> Any:
    """Return places as a slice, which numpy copies three times as fast, where each follows the one before."""
    first, n = places[0], len(places)
    return slice(first, first + n) if places == tuple(range(first, first + n)) else places
