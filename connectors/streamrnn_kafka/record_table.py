"""Records as a table: where the key and the value of each lie in the bytes of their batch. The layout is that of message format 2."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamrnn.columns.compiled import at, bytes_of, concatenated, kernel, stamped

__all__ = ["Rows", "cut", "joined", "rows_of"]

OFFSET: Final = 0
TIMESTAMP: Final = 1
KEY: Final = 2
VALUE: Final = 4
WIDTH: Final = 6
"""Words of a row: offset, timestamp [ms], where the key begins and ends, the same of the value; -1 and -1 where there is none."""

_LONGEST: Final = 9  # bytes of a number that is taken here


class Rows(NamedTuple):
    """Consecutive records of a partition.

    Parameters
    ----------
    data
        Holds their keys and values.
    table
        int64, shape (n, 6): offset, timestamp, beginning and end of the key and of the value.
    """

    data: bytearray
    table: NDArray[np.int64]

    @property
    def offset(self) -> int:
        """That of the last record: whoever passes over what was read already asks for it."""
        return int(self.table[-1, OFFSET])

    def offsets(self) -> Sequence[int]:
        """Return their offsets: a range where none is missing between them."""
        found = self.table[:, OFFSET]
        if len(found) and bool((found[1:] - found[:-1] == 1).all()):
            return range(int(found[0]), int(found[-1]) + 1)
        offsets: list[int] = found.tolist()
        return offsets

    def part(self, start: int, end: int) -> Rows:
        """Return some of the records.

        Parameters
        ----------
        start
            The first one.
        end
            The one behind the last.
        """
        return Rows(self.data, self.table[start:end])

    def of(self, chosen: Sequence[int]) -> Rows:
        """Return some of the records.

        Parameters
        ----------
        chosen
            Their numbers.
        """
        return Rows(self.data, self.table[np.array(chosen, np.int64)])

    def keys(self) -> list[bytes | None]:
        """Return the keys."""
        return self._bytes(KEY)

    def values(self) -> list[bytes | None]:
        """Return the values; None is a tombstone."""
        return self._bytes(VALUE)

    def _bytes(self, at: int) -> list[bytes | None]:
        data = bytes(self.data)
        return [
            None if start < 0 else data[start:end]
            for start, end in zip(self.table[:, at].tolist(), self.table[:, at + 1].tolist(), strict=True)
        ]


@kernel
def _number(buf, p, end):  # type: ignore[no-untyped-def]
    """Read a number of variable length at p: return it and where it ends, -1 where it does not end in time."""
    found, shift, first = np.uint64(0), 0, p
    while p < end and p - first < _LONGEST:
        c = at(buf, p)
        found |= np.uint64(c & 127) << np.uint64(shift)
        p += 1
        shift += 7
        if c < 128:
            return np.int64(found >> np.uint64(1)) ^ -np.int64(found & np.uint64(1)), p
    return 0, -1


@kernel
def _slice(buf, p, end):  # type: ignore[no-untyped-def]
    """Return where bytes with their length before them begin and end, and whether they lie before ``end``; -1, -1: there are none."""
    size, p = _number(buf, p, end)
    if p < 0:
        return -1, -1, p, False
    if size < 0:
        return -1, -1, p, True
    return p, p + size, p + size, p + size <= end


@kernel
def _record(buf, p, end, base, first, row):  # type: ignore[no-untyped-def]
    """Read a record up to ``end`` into a row of the table; return whether it is whole and nothing else."""
    _, p = _number(buf, p, end)  # attributes
    if p < 0:
        return False
    delta, p = _number(buf, p, end)
    if p < 0:
        return False
    row[TIMESTAMP] = first + delta
    delta, p = _number(buf, p, end)
    if p < 0:
        return False
    row[OFFSET] = base + delta
    for k in (KEY, VALUE):
        row[k], row[k + 1], p, whole = _slice(buf, p, end)
        if not whole:
            return False
    headers, p = _number(buf, p, end)
    if p < 0 or headers < 0:
        return False
    for _ in range(headers):
        start, stop, p, whole = _slice(buf, p, end)
        if not whole or start < 0:
            return False
        for i in range(start, stop):
            if at(buf, i) > 127:  # a name that may not be UTF-8
                return False
        _, _, p, whole = _slice(buf, p, end)
        if not whole:
            return False
    return p == end


def _make(stamp: str) -> Callable[..., Any]:
    def records(buf, p, size, base, first, table):  # type: ignore[no-untyped-def]
        """Fill the table with the records from p to ``size``; return whether they are just as many as the table has rows."""
        stamp  # noqa: B018
        for i in range(table.shape[0]):
            length, p = _number(buf, p, size)
            if p < 0 or length < 0 or p + length > size or not _record(buf, p, p + length, base, first, table[i]):
                return False
            p += length
        return p == size

    return records


@functools.cache
def _entry() -> Any:
    return stamped(_make, _number.py_func)


def cut(data: bytearray, start: int, count: int, base: int, first: int) -> Rows | None:
    """Return the records of a batch; None where they are not plainly in order.

    Parameters
    ----------
    data
        The batch, or what it was before it was compressed.
    start
        Where the first record begins.
    count
        How many there are.
    base
        The batch's offset.
    first
        The batch's first timestamp [ms].
    """
    if not 0 < count <= len(data):
        return None
    table = np.empty((count, WIDTH), np.int64)
    return Rows(data, table) if _entry()(bytes_of(data), start, len(data), base, first, table) else None


def rows_of(records: Sequence[Any]) -> Rows:
    """Return records that the client has read as a table.

    Parameters
    ----------
    records
        At least one, with ``offset``, ``timestamp``, ``key`` and ``value``.
    """
    data, table = bytearray(), []
    for record in records:
        row = [record.offset, record.timestamp]
        for one in (record.key, record.value):
            row += [-1, -1] if one is None else [len(data), len(data) + len(one)]
            data += one or b""
        table.append(row)
    return Rows(data, np.array(table, np.int64))


def joined(parts: Sequence[Rows]) -> Rows:
    """Return pieces of one partition as one.

    Parameters
    ----------
    parts
        In order; at least one.
    """
    if len(parts) == 1:
        return parts[0]
    data, places = concatenated([(one.data, one.table[:, KEY:]) for one in parts])
    return Rows(data, np.concatenate([np.concatenate([one.table[:, :KEY] for one in parts]), places], axis=1))
