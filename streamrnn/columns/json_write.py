"""Columns to lines of JSON: one compiled call for all of them, byte for byte what msgspec writes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.columns.compiled import EMPTY, at, copy, kernel, put, stamped
from streamrnn.columns.lines import Lines
from streamrnn.columns.sequences import Texts
from streamrnn.columns.shortest import digits_of, rounded_up, write_digits, write_float
from streamrnn.columns.wide import product

__all__ = ["Row"]

FLOAT: Final = 0
INFINITE: Final = 1
WHOLE: Final = 2
TRUTH: Final = 3
RAW: Final = 4
TEXT: Final = 5
"""What a cell is: a float whose infinity is null, one whose infinity is a text, an integer, a truth value, JSON as it stands, a text."""

FLOAT_BYTES: Final = 24
WHOLE_BYTES: Final = 20
WORD_BYTES: Final = 11  # "-Infinity"
ESCAPED_BYTES: Final = 6  # of one byte of a text

_WORDS: Final = np.frombuffer(b'nulltruefalse"Infinity""-Infinity"', np.uint8).copy()
_EXPONENT: Final = np.uint64(0x7FF0000000000000)
_INFINITE: Final = np.uint64(0x7FFFFFFFFFFFFFFF)
_SIGN: Final = np.uint64(1 << 63)


@kernel
def _float(bits, as_text, words, out, p, table):
    if bits & _EXPONENT != _EXPONENT:
        return write_float(bits, out, p, table)
    if not as_text or bits & _INFINITE != _EXPONENT:
        return copy(words, 0, 4, out, p)  # null
    return copy(words, 23, 34, out, p) if bits & _SIGN != np.uint64(0) else copy(words, 13, 23, out, p)


@kernel
def _whole(value, out, p):
    w = np.uint64(value)
    if value < 0:
        p, w = put(out, p, 45), np.uint64(0) - w
    return write_digits(w, digits_of(w), out, p)


@kernel
def _hex(digit):
    return np.uint8(48 + digit if digit < 10 else 87 + digit)


@kernel
def _text(source, start, end, out, p):
    """Write a text in quotes, with escapes where JSON needs them."""
    p = put(out, p, 34)
    for i in range(start, end):
        c = at(source, i)
        if c >= 32 and c != 34 and c != 92:
            p = put(out, p, c)
            continue
        p = put(out, p, 92)
        short = 98 if c == 8 else 116 if c == 9 else 110 if c == 10 else 102 if c == 12 else 114 if c == 13 else 0
        if c == 34 or c == 92:
            p = put(out, p, c)
        elif short:
            p = put(out, p, short)
        else:
            p = put(out, put(out, put(out, p, 117), 48), 48)
            p = put(out, put(out, p, _hex(c >> 4)), _hex(c & 15))
    return put(out, p, 34)


def _make(stamp: str) -> Callable[..., Any]:
    def json_rows(cells, literals, floats, wholes, texts, places, words, out, ends, table):
        """Write a line for each row: the literal and the value of each cell, a last literal, a line end. ``cells``: kind, column, end of its literal."""
        stamp  # noqa: B018
        p, last = 0, cells.shape[0] - 1
        for i in range(ends.shape[0] - 1):
            before = 0
            for k in range(last):
                kind, column = cells[k, 0], cells[k, 1]
                p = copy(literals, before, cells[k, 2], out, p)
                before = cells[k, 2]
                if kind <= INFINITE:
                    p = _float(floats[column, i], kind == INFINITE, words, out, p, table)
                elif kind == WHOLE:
                    p = _whole(wholes[column, i], out, p)
                elif kind == TRUTH:
                    p = copy(words, 4, 8, out, p) if wholes[column, i] else copy(words, 8, 13, out, p)
                elif places[column, i, 0] < 0:
                    p = copy(words, 0, 4, out, p)
                elif kind == RAW:
                    p = copy(texts, places[column, i, 0], places[column, i, 1], out, p)
                else:
                    p = _text(texts, places[column, i, 0], places[column, i, 1], out, p)
            p = put(out, copy(literals, before, cells[last, 2], out, p), 10)
            ends[i + 1] = p

    return json_rows


@functools.cache
def _entry() -> Any:
    return stamped(_make, write_float.py_func, product.py_func)


class Row:
    """Lines of JSON being put together: literals and columns, in the order in which they stand in each line.

    Parameters
    ----------
    n
        How many lines.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.columns.json_write import Row
    >>> row = Row(2).literal(b'{"a":').floats(np.array([0.1, np.nan])).literal(b',"b":').texts(["x", None]).literal(b"}")
    >>> list(row.lines())
    [b'{"a":0.1,"b":"x"}', b'{"a":null,"b":null}']
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self._cells: list[tuple[int, int, int]] = []
        self._literals = bytearray()
        self._floats: list[NDArray[np.float64]] = []
        self._wholes: list[NDArray[np.int64]] = []
        self._data: list[bytes] = []
        self._places: list[NDArray[np.int64]] = []
        self._bytes = 0  # of all texts
        self._room = 0  # that the cells of a line take at most

    def literal(self, text: bytes) -> Row:
        """Add what is the same in each line; return the row.

        Parameters
        ----------
        text
            JSON, or a part of it.
        """
        self._literals += text
        return self

    def _cell(self, kind: int, column: int, room: int) -> Row:
        self._cells.append((kind, column, len(self._literals)))
        self._room += room
        return self

    def floats(self, values: NDArray[np.float64], *, infinite: bool = False) -> Row:
        """Add numbers; NaN is null; return the row.

        Parameters
        ----------
        values
            float64, shape (n,).
        infinite
            Whether infinity is the text ``"Infinity"``; else it is null.
        """
        self._floats.append(values)
        return self._cell(INFINITE if infinite else FLOAT, len(self._floats) - 1, FLOAT_BYTES)

    def wholes(self, values: Sequence[int] | NDArray[np.int64]) -> Row:
        """Add integers of 64 bits; return the row.

        Parameters
        ----------
        values
            Array of shape (n,), or a list.
        """
        self._wholes.append(np.asarray(values, np.int64))
        return self._cell(WHOLE, len(self._wholes) - 1, WHOLE_BYTES)

    def truths(self, values: Sequence[bool] | NDArray[np.bool_]) -> Row:
        """Add truth values; return the row.

        Parameters
        ----------
        values
            Array of shape (n,), or a list.
        """
        self._wholes.append(np.asarray(values, np.int64))
        return self._cell(TRUTH, len(self._wholes) - 1, WORD_BYTES)

    def raws(self, values: Sequence[bytes]) -> Row:
        """Add JSON as it stands; return the row.

        Parameters
        ----------
        values
            One for each line.
        """
        return self._put(RAW, values, b"".join(values))

    def texts(self, values: Sequence[str | None]) -> Row:
        """Add texts, None being null; return the row.

        Parameters
        ----------
        values
            One for each line.
        """
        if isinstance(values, Texts):
            return self._put_whole(values)
        missing = [i for i, one in enumerate(values) if one is None] if None in values else []
        present: Sequence[str] = [one or "" for one in values] if missing else values  # type: ignore[assignment]
        joined = "".join(present)
        if not joined.isascii():
            return self._put(TEXT, [one.encode() for one in present], joined.encode(), missing)
        return self._put(TEXT, present, joined.encode(), missing)

    def _put_whole(self, values: Texts) -> Row:
        """Add texts that are in one piece."""
        before = self._bytes - values.ends[0]
        places = np.stack([values.ends[:-1] + before, values.ends[1:] - 1 + before], axis=1)
        places[values.missing, 0] = -1
        return self._placed(TEXT, places, values.data[values.ends[0] : values.ends[-1]].tobytes())

    def _put(self, kind: int, parts: Sequence[bytes | str], data: bytes, missing: Sequence[int] = ()) -> Row:
        """Add what ``data`` holds, one part behind the other."""
        places = np.empty((self._n, 2), np.int64)
        places[:, 1] = np.cumsum(np.fromiter(map(len, parts), np.int64, self._n)) + self._bytes
        places[0, 0], places[1:, 0] = self._bytes, places[:-1, 1]
        places[missing, 0] = -1
        return self._placed(kind, places, data)

    def _placed(self, kind: int, places: NDArray[np.int64], data: bytes) -> Row:
        self._data.append(data)
        self._places.append(places)
        self._bytes += len(data)
        return self._cell(kind, len(self._places) - 1, WORD_BYTES)

    def lines(self) -> Lines:
        """Return the lines."""
        n = self._n
        cells = np.array([*self._cells, (-1, -1, len(self._literals))], np.int64)
        room = n * (len(self._literals) + self._room + 1) + ESCAPED_BYTES * self._bytes
        out, ends = np.empty(max(1, room), np.uint8), np.zeros(n + 1, np.int64)
        floats = np.array(self._floats or [np.zeros(n)])
        wholes = np.array(self._wholes or [np.zeros(n, np.int64)])
        places = np.array(self._places or [np.zeros((n, 2), np.int64)])
        texts = np.frombuffer(bytearray(b"".join(self._data)), np.uint8) if self._bytes else EMPTY
        literals = np.frombuffer(self._literals or bytearray(1), np.uint8)
        _entry()(cells, literals, floats.view(np.uint64), wholes, texts, places, _WORDS, out, ends, rounded_up())
        return Lines(out[: ends[-1]], ends)
