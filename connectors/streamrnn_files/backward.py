"""The records of a file from its last to its first: what it takes to read newest-first files in the order of time."""

from __future__ import annotations

import numpy as np

from streamrnn_files.cutter import Batch

__all__ = ["Backward"]


class Backward:
    r"""Gives records like :class:`streamrnn_files.cutter.Cutter`, the last one first; offsets count from the end.

    Parameters
    ----------
    batch
        All records.
    size
        Bytes of the file.

    Examples
    --------
    >>> from streamrnn_files.backward import Backward
    >>> from streamrnn_files.cutter import Cutter
    >>> cutter = Cutter(limit=100)
    >>> cutter.feed(b"3\n2\n")
    >>> backward = Backward(cutter.take(2), 4)
    >>> list(backward.take(1).records), backward.take(1).starts.tolist()
    ([b'2'], [2])
    """

    def __init__(self, batch: Batch, size: int) -> None:
        self._batch = batch
        self._ends = np.append(batch.starts[1:], size)
        self._size = size
        self._left = len(batch)

    def __len__(self) -> int:
        return self._left

    def skip(self, offset: int) -> None:
        """Leave out the records before an offset.

        Parameters
        ----------
        offset
            Counted from the end, in bytes.
        """
        while self._left and self._size - self._ends[self._left - 1] < offset:
            self._left -= 1

    def feed(self, data: bytes, *, final: bool = False) -> None:
        """Take nothing in: all of the file is here.

        Parameters
        ----------
        data
            Not used.
        final
            Not used.
        """

    def take(self, most: int) -> Batch:
        """Return the next records, ``most`` at most.

        Parameters
        ----------
        most
            Most records, >= 0.
        """
        places = np.arange(self._left - 1, max(-1, self._left - 1 - most), -1)
        self._left -= len(places)
        whole = self._batch
        return Batch(
            whole.records.of(places),
            self._size - self._ends[places],
            whole.lines[places],
            {at: whole.faults[i] for at, i in enumerate(places.tolist()) if i in whole.faults} if whole.faults else {},
            self._size - (int(whole.starts[places[-1]]) if len(places) else self._size),
        )
