"""Records to columns: the fast way for clean stretches, the careful one for the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from streamrnn_files.cells import CellError, PassedOverError

__all__ = ["Fast", "Found", "Parser", "Row", "Rows", "Scan", "Time", "parse_rows"]

Time = str | float | None
Row = tuple[list[float], Time, str | None]
"""Values, time and key of one record."""

Fast = tuple[NDArray[np.float64], Sequence[Time], Sequence[str | None]]
"""The same of many records; () for times or keys the input has none of."""


class Found(NamedTuple):
    """What compiled code has read.

    Parameters
    ----------
    values
        float64, shape (n, I); NaN where a number is missing.
    times, keys
        Of each record; () where the input has none.
    doubtful
        int64: the records that must be read by others; what stands for them here means nothing.
    """

    values: NDArray[np.float64]
    times: Sequence[Time]
    keys: Sequence[str | None]
    doubtful: NDArray[np.int64]


Scan = Callable[[bytearray, NDArray[np.int64]], Found | None]
"""Reads the records at these places of the bytes; a beginning below 0 is that of none. None: all are doubtful."""

CAREFUL_AT_ONCE = 8
"""Records that are not worth one more try of the fast way."""


PIECES = 16
"""Pieces a refused stretch is cut in: two cuts lead from a full block to the careful way."""


class Parser(Protocol):
    """Two ways from records to values. Whatever ``fast`` accepts, ``careful`` accepts with equal results."""

    @property
    def width(self) -> int:
        """How many features there are."""
        ...

    def fast(self, records: Sequence[bytes]) -> Fast | None:
        """Return the columns of all records, or None where any of them is not plainly clean.

        Parameters
        ----------
        records
            Records without their line ends.
        """
        ...

    def careful(self, record: bytes) -> Row:
        """Return one record's values.

        Parameters
        ----------
        record
            A record without its line end.

        Raises
        ------
        CellError
            When it is no event; the message says why.
        """
        ...


@dataclass(slots=True)
class Rows:
    """What came of some records: columns of those that are events, and why the others are none.

    Parameters
    ----------
    values
        Features of the events, shape (n, I); NaN where one is missing.
    times
        Times of the events, as written; None where there is none.
    keys
        Keys of the events; None where there is none.
    faults
        Why a record is no event, by its index.
    passed
        Indices of records that are neither: comments, and the header once more.
    """

    values: NDArray[np.float64]
    times: Sequence[Time]
    keys: Sequence[str | None]
    faults: dict[int, str]
    passed: set[int] = field(default_factory=set)


def parse_rows(parser: Parser, records: Sequence[bytes], faults: dict[int, str]) -> Rows:
    """Parse records; those in ``faults`` are known to be bad.

    A stretch that the fast way refuses is cut in pieces until they are short enough for the careful way: one bad
    record sends a handful of others the slow way, not the whole stretch.

    Parameters
    ----------
    parser
        The parser of the file's format.
    records
        Records without their line ends.
    faults
        Why a record is known to be bad, by its index in ``records``.
    """
    parts: list[NDArray[np.float64]] = []
    times: list[Time] = []
    keys: list[str | None] = []
    rows = Rows(np.empty((0, parser.width)), times, keys, dict(faults))
    stack = [(0, len(records))]
    while stack:
        start, end = stack.pop()
        if end - start > CAREFUL_AT_ONCE:
            found = None if any(start <= i < end for i in faults) else parser.fast(records[start:end])
            if found is None:
                step = max(CAREFUL_AT_ONCE, (end - start) // PIECES)
                stack += [(at, min(at + step, end)) for at in range(start, end, step)][::-1]
                continue
            parts.append(found[0])
            times += found[1] or [None] * (end - start)
            keys += found[2] or [None] * (end - start)
        else:
            some = list(_careful(parser, records, start, end, rows))
            parts.append(np.array([row for row, _, _ in some], np.float64).reshape(len(some), parser.width))
            times += [time for _, time, _ in some]
            keys += [key for _, _, key in some]
    if parts:
        rows.values = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return rows


def _careful(parser: Parser, records: Sequence[bytes], start: int, end: int, rows: Rows) -> Iterator[Row]:
    """Yield those that are events; note why the others are none."""
    for i in range(start, end):
        if i in rows.faults:
            continue
        try:
            row = parser.careful(records[i])
        except PassedOverError:
            rows.passed.add(i)
        except CellError as error:
            rows.faults[i] = f"{str(error)[0].upper()}{str(error)[1:]}."
        else:
            yield row
