"""What regressors and classifiers share: rows of features and targets, one by one and in blocks."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.supervised import LEARN, LINK, PREDICT, supervised
from streamrnn.models.frames import Table
from streamrnn.models.recurrent import Recurrent

__all__ = ["Supervised"]

ANSWER = PREDICT | LINK


class Supervised(Recurrent):
    """A net that learns targets: a row is ``x (I) | y (K) | outputs (K)``.

    A subclass says how the labels of a block are written (``_write_targets``).
    """

    _entry = staticmethod(supervised)

    def _write_targets(self, into: NDArray[np.float64], labels: Any, start: int, stop: int) -> None:
        """Write the labels of rows ``start`` to ``stop`` into a block of shape (stop - start, K), NaN so far."""
        raise NotImplementedError

    def _block(self, table: Table, start: int, stop: int, labels: Any, mode: int) -> NDArray[np.float64]:
        """Run some rows in one compiled call and return the outputs, shape (stop - start, K)."""
        net = self._net
        if start == stop:
            return np.empty((0, net.sizes.outputs))
        rows = np.full((stop - start, self._width()), np.nan)
        known = [
            (place, i) for i, name in enumerate(table.names) if (place := self._columns.index.get(name)) is not None
        ]
        if known:
            places, columns = zip(*known, strict=True)
            rows[:, places] = table.values[start:stop][:, columns]
        if mode & LEARN:
            self._write_targets(rows[:, net.first_target : net.first_output], labels, start, stop)
        net.call(net.slab, rows.reshape(-1), stop - start, mode)
        return rows[:, net.first_output : net.first_output + net.sizes.outputs]

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
        features = self._columns.new(dict.fromkeys(table.names)) if n else []
        self._check_room(features)
        if features:
            grows.setdefault(0, [])
        found = []
        for start, stop in pairwise(sorted({0, n, *grows, *(row + 1 for row in grows)})):
            if start in grows:
                if mode & PREDICT:
                    found.append(self._block(table, start, stop, None, ANSWER))
                self._grow(features if start == 0 else [], grows[start])
                self._block(table, start, stop, labels, LEARN)
            else:
                found.append(self._block(table, start, stop, labels, mode))
        return found or [np.empty((0, self._net.sizes.outputs))]
