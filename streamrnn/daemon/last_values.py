"""The last value of each series, and how far it usually lies from the one before: what a model's error is compared with."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["KEYS_JUDGED", "LastValues"]

KEYS_JUDGED: Final = 1024
"""Series of a partition that are judged, the first that come: as good as all for a share, and bounded."""


class LastValues:
    """Of the first ``KEYS_JUDGED`` series of a partition.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.daemon.last_values import LastValues
    >>> values = np.array([[1.0], [5.0], [4.0]])
    >>> LastValues().take(["a", "b", "a"], values, np.isfinite(values))[0].tolist()
    [[nan], [nan], [3.0]]
    """

    def __init__(self) -> None:
        self._slots: dict[str | None, int] = {}
        self._last = self._step = self._seen = np.empty((0, 0))

    def __len__(self) -> int:
        return len(self._slots)

    def take(
        self, keys: list[str | None] | None, values: NDArray[np.float64], finite: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Take in values; return how far each lies from the last one of its series, and in what unit that counts: the series' usual step.

        Parameters
        ----------
        keys
            Of the rows; None where there are none: the unit is 1 then.
        values
            float64, shape (n, F).
        finite
            bool, shape (n, F): which of them count.

        Returns
        -------
        tuple
            Steps and units, both float64, shape (n, F); NaN where there are none.
        """
        if (more := values.shape[1] - self._last.shape[1]) > 0:
            self._grow(0, more)
        slots = self._of(keys, len(values))
        step = self._steps(slots, values, finite)
        if keys is None:
            return step, np.ones(values.shape)
        usual = self._step[slots][:, : values.shape[1]]
        return step, np.where((usual > 0.0) & (slots >= 0)[:, None], usual, np.nan)

    def _grow(self, series: int, features: int) -> None:
        """Add room."""
        by = ((0, series), (0, features))
        self._last = np.pad(self._last, by, constant_values=np.nan)
        self._step, self._seen = np.pad(self._step, by), np.pad(self._seen, by)

    def _of(self, keys: list[str | None] | None, n: int) -> NDArray[np.int64]:
        """Return the slot of each row's series, -1 for one that is not judged."""
        if keys is None:
            slots = np.zeros(n, dtype=np.int64)
            self._slots.setdefault(None, 0)
        else:
            for key in dict.fromkeys(keys) if len(self._slots) < KEYS_JUDGED else ():
                if len(self._slots) < KEYS_JUDGED:
                    self._slots.setdefault(key, len(self._slots))
            slots = np.fromiter((self._slots.get(key, -1) for key in keys), np.int64, n)
        if (new := len(self._slots) - len(self._last)) > 0:
            self._grow(new, 0)
        return slots

    def _steps(
        self, slots: NDArray[np.int64], values: NDArray[np.float64], finite: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Return how far each value lies from the last one of its series, NaN where there is none; go on to the last ones."""
        step = np.full(values.shape, np.nan)
        order = np.argsort(slots, kind="stable")
        order = order[slots[order] >= 0]
        if not len(order):
            return step
        sorted_slots = slots[order]
        begins = np.flatnonzero(np.r_[True, sorted_slots[1:] != sorted_slots[:-1]])
        touched, group = sorted_slots[begins], np.cumsum(np.r_[True, sorted_slots[1:] != sorted_slots[:-1]]) - 1
        for j in range(values.shape[1]):
            good = finite[order, j]
            place = np.where(good, np.arange(len(order)), -1)
            before = np.r_[-1, np.maximum.accumulate(place)[:-1]]  # the last good row before, of whatever series
            own = before >= begins[group]
            found = np.where(own, values[order[np.maximum(before, 0)], j], self._last[sorted_slots, j])
            step[order, j] = np.where(good, np.abs(values[order, j] - found), np.nan)
            ends = np.r_[begins[1:], len(order)] - 1
            newest = np.maximum.accumulate(place)[ends]
            has = newest >= begins
            self._last[touched[has], j] = values[order[newest[has]], j]
            moved = np.isfinite(step[order, j])
            count = np.bincount(group[moved], minlength=len(touched))
            total = np.bincount(group[moved], step[order, j][moved], minlength=len(touched))
            seen = np.minimum(self._seen[touched, j] + count, 1000.0)
            with np.errstate(invalid="ignore", divide="ignore"):
                self._step[touched, j] += np.where(count > 0, (total - count * self._step[touched, j]) / seen, 0.0)
            self._step[touched, j] = np.maximum(self._step[touched, j], 0.0)
            self._seen[touched, j] = seen
        return step
