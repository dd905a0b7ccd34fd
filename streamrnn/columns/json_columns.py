"""Records of JSON to columns of numbers and texts: one compiled call for all of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamrnn.columns.compiled import bytes_of, copy, kernel, put, stamped
from streamrnn.columns.decimals import numeral
from streamrnn.columns.json_plan import Plan
from streamrnn.columns.json_scan import DEEPEST, FLOAT, INTEGER, NONE, QUOTED, STRING, scan
from streamrnn.columns.sequences import Texts
from streamrnn.columns.texts import string
from streamrnn.columns.wide import powers, product

__all__ = ["JsonColumns", "Scanned", "line", "plain_texts"]


@kernel
def line(buf, start, end, out, p):
    """Write bytes and a line end to p; return where the next one goes."""
    return put(out, copy(buf, start, end, out, p), 10)


def _make(stamp: str) -> Callable[..., Any]:
    def json_columns(buf, spans, nodes, rows, names, powers, least, most, bits, found, texts, seen, stack, sure):
        """Read the records of ``spans``; return how many are not sure. ``sure`` is their flag, ``texts`` the strings of each text, by lines."""
        stamp  # noqa: B018  (its value is part of the code's name on disk)
        doubtful = 0
        ends = stack[2 * DEEPEST :]
        for k in range(ends.shape[0]):
            ends[k] = 0
        for i in range(spans.shape[0]):
            start, end = spans[i, 0], spans[i, 1]
            count = -1
            if start >= 0 and end - start <= most:
                count = scan(buf, start, end, nodes, rows, names, powers, bits[i], found[i], seen, i + 1, stack)
            sure[i] = 1 if count >= least else 0
            doubtful += 1 - sure[i]
            for k in range(ends.shape[0]):
                if sure[i] == 0:
                    found[i, 3 * k] = NONE
                if found[i, 3 * k] == STRING:
                    ends[k] = line(buf, found[i, 3 * k + 1], found[i, 3 * k + 2], texts[k], ends[k])
                else:
                    ends[k] = line(buf, 0, 0, texts[k], ends[k])
        return doubtful

    return json_columns


@functools.cache
def _entry() -> Any:
    return stamped(_make, scan.py_func, string.py_func, numeral.py_func, product.py_func)


Read = Mapping[int, Callable[[bytes], Any]]
"""What makes of a text what it means, by what it is, where it is no plain string."""

TIME: Read = {QUOTED: msgspec.json.decode, INTEGER: int, FLOAT: float}
"""A time is passed on as written."""


def _named(raw: bytes) -> str:
    return msgspec.json.encode(msgspec.json.decode(raw)).decode()


KEY: Read = {QUOTED: msgspec.json.decode, INTEGER: _named, FLOAT: _named}
"""A key is a text."""


class Scanned(NamedTuple):
    """What was read of some records.

    Parameters
    ----------
    values
        float64, shape (n, numbers); NaN where a number is missing.
    texts
        For each text one a record: a text, a number as it was written, or None. In one piece where all are plain.
    doubtful
        int64: the records that must be read by others; what stands for them here means nothing.
    """

    values: NDArray[np.float64]
    texts: list[Sequence[Any]]
    doubtful: NDArray[np.int64]


class JsonColumns:
    """Reads records of JSON, as exactly as a decoder does.

    Parameters
    ----------
    plan
        Which fields.
    numbers
        How many of them are numbers.
    texts
        What makes of each text what it means: ``TIME`` or ``KEY``.
    least
        A record with fewer numbers is doubtful.
    most
        A record with more bytes is.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.columns.json_columns import TIME, JsonColumns
    >>> from streamrnn.columns.json_plan import plan_of
    >>> data = bytearray(b'{"t":"9:15","a":1.5}{"a":"much"}')
    >>> found = JsonColumns(plan_of(["a"], ["t"]), 1, [TIME], 1, 1000)(data, np.array([[0, 20], [20, 32]]))
    >>> found.values[0].tolist(), found.texts[0][0], found.doubtful.tolist()
    ([1.5], '9:15', [1])
    """

    def __init__(self, plan: Plan, numbers: int, texts: Sequence[Read], least: int, most: int) -> None:
        self._plan, self._numbers, self._texts = plan, numbers, texts
        self._least, self._most = least, most
        self._run, self._powers = _entry(), powers()
        self._seen = np.zeros(max(1, len(plan.rows)), np.int64)
        self._stack = np.zeros(2 * DEEPEST + len(texts), np.int64)

    def __call__(self, data: bytearray, spans: NDArray[np.int64]) -> Scanned:
        """Return the columns of some records.

        Parameters
        ----------
        data
            Holds the records.
        spans
            int64, shape (n, 2): where each begins, and where it ends; a beginning below 0 for none.
        """
        n, m = len(spans), len(self._texts)
        bits = np.full((n, self._numbers), np.nan)
        found = np.zeros((n, 3 * m), np.int64)
        texts = np.empty((m, n + len(data)), np.uint8)
        sure = np.empty(n, np.uint8)
        self._seen[:] = 0
        doubtful = self._run(
            bytes_of(data), spans, *self._plan, self._powers, self._least, self._most, bits.view(np.uint64), found, texts,
            self._seen, self._stack, sure,
        )  # fmt: skip
        ends = self._stack[2 * DEEPEST :]
        return Scanned(
            bits,
            [_read(data, found[:, 3 * k : 3 * k + 3], texts[k, : ends[k]], self._texts[k]) for k in range(m)],
            np.flatnonzero(sure == 0) if doubtful else np.empty(0, np.int64),
        )


def plain_texts(found: NDArray[np.int64], lines: NDArray[np.uint8]) -> Texts:
    """Return texts that are lines as they are, or missing.

    Parameters
    ----------
    found
        int64, shape (n, 3): what each is, where it began and where it ended.
    lines
        uint8, shape (m,): the lines.
    """
    plain = found[:, 0] == STRING
    ends = np.zeros(len(found) + 1, np.int64)
    np.cumsum(np.where(plain, found[:, 2] - found[:, 1], 0) + 1, out=ends[1:])
    return Texts(lines, ends, np.flatnonzero(~plain))


def _read(data: bytearray, found: NDArray[np.int64], lines: NDArray[np.uint8], read: Read) -> Sequence[Any]:
    """Return texts: lines as they are, but for those of them that are no plain strings."""
    kinds = found[:, 0]
    if ((kinds == STRING) | (kinds == NONE)).all():
        return plain_texts(found, lines)
    texts: list[Any] = lines[:-1].tobytes().decode().split("\n")
    for i in np.flatnonzero(kinds != STRING).tolist():
        kind, start, end = found[i].tolist()
        texts[i] = None if kind == NONE else read[kind](bytes(data[start:end]))
    return texts
