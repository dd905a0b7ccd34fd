"""One record of a CSV: the numbers and texts that are wanted, or that it is not sure.

It takes cells that are numbers as JSON writes them (with a comma for a point where that is the decimal mark), nothing, or one of the words for
nothing; quotes around a whole cell; and as many cells as there are columns. A record that it is not sure of is left to a reader that also says
what is wrong with it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.columns.compiled import at, kernel
from streamrnn.columns.decimals import BAD, LONG, WHOLE, bits_of, numeral
from streamrnn.columns.json_scan import NONE, STRING
from streamrnn.columns.texts import is_utf8

OTHER: Final = 0
NUMBER: Final = 1
TEXT: Final = 2
"""What a column is: one that nobody wants, numbers, a text."""

_SIGN: Final = np.uint64(1 << 63)
_NAN: Final = 0x6E616E  # nan, na, n/a, null, none: their letters in lower case as one number
_NA: Final = 0x6E61
_N_A: Final = 0x6E2F61
_NULL: Final = 0x6E756C6C
_NONE: Final = 0x6E6F6E65


@kernel
def gap(buf, p, end, delimiter):
    """Return where the next byte is that is neither blank nor tab, or is the delimiter."""
    while p < end and (at(buf, p) == 32 or at(buf, p) == 9) and at(buf, p) != delimiter:
        p += 1
    return p


@kernel
def word(buf, p, end, delimiter):
    """Return where a word for nothing at p ends, which is p where there is none."""
    letters, q = 0, p
    while q < end and q < p + 5 and (at(buf, q) >= 65 or at(buf, q) == 47) and at(buf, q) != delimiter:
        letters = letters << 8 | np.int64(at(buf, q) | 32)
        q += 1
    found = letters == _NAN or letters == _NA or letters == _N_A or letters == _NULL or letters == _NONE
    return q if found else p


@kernel
def amount(buf, p, end, delimiter, point, powers, bits, column):
    """Put the number from p on into a column; return where its cell ends, -1 where that is not sure, and how many numbers it is."""
    p = gap(buf, p, end, delimiter)
    if p == end or at(buf, p) == delimiter:
        return p, 0
    stop, w, power, kind = numeral(buf, p, end, point)
    if kind == BAD or kind == LONG:
        stop = word(buf, p, end, delimiter)
        count = 0
        if stop == p:
            return -1, 0
    else:
        found, sure = bits_of(w, power, powers)
        if not sure:
            return -1, 0
        if at(buf, p) == 45 and (w != np.uint64(0) or kind != WHOLE):  # the integer -0 has no sign
            found |= _SIGN
        bits[column] = found
        count = 1
    stop = gap(buf, stop, end, delimiter)
    return (stop if stop == end or at(buf, stop) == delimiter else -1), count


@kernel
def quoted(buf, p, end, delimiter):
    """Return where the quotes around a cell end that begins behind p, -1 where they do not lie around all of it."""
    q = p + 1
    while q < end and at(buf, q) != 34:
        if at(buf, q) < 32 and at(buf, q) != 9:
            return -1
        q += 1
    if q == end or (q + 1 < end and at(buf, q + 1) != delimiter):
        return -1
    return q


@kernel
def bare(buf, p, end, delimiter):
    """Return where a cell without quotes ends, -1 where it holds one."""
    while p < end and at(buf, p) != delimiter:
        if at(buf, p) == 34:
            return -1
        p += 1
    return p


@kernel
def is_text(buf, p, end, utf8):
    """Whether a cell is a text that is read the same by all: no control characters, and UTF-8 where there is more than ASCII."""
    wide = False
    for i in range(p, end):
        if at(buf, i) < 32:
            return False
        wide = wide or at(buf, i) > 127
    return not wide or (utf8 != 0 and is_utf8(buf, p, end))


@kernel
def scan_row(buf, p, end, delimiter, utf8, columns, powers, bits, found):
    """Read one record; return how many numbers it holds, -1 where it is not sure.

    ``columns``: what each is, its place among numbers or texts, its decimal mark. ``bits`` and ``found`` get numbers and texts.
    """
    count, last = 0, columns.shape[0] - 1
    for k in range(columns.shape[0]):
        kind, place = columns[k, 0], columns[k, 1]
        start = p
        if p < end and at(buf, p) == 34:
            stop = quoted(buf, p, end, delimiter)
            if stop < 0:
                return -1
            start, p = p + 1, stop + 1
            if kind == NUMBER:
                behind, more = amount(buf, start, stop, 0, columns[k, 2], powers, bits, place)
                if behind != stop:
                    return -1
                count += more
        elif kind == NUMBER:
            stop, more = amount(buf, p, end, delimiter, columns[k, 2], powers, bits, place)
            if stop < 0:
                return -1
            count += more
            p = stop
        else:
            stop = bare(buf, p, end, delimiter)
            if stop < 0:
                return -1
            p = stop
        if kind == TEXT:
            if not is_text(buf, start, stop, utf8):
                return -1
            found[3 * place] = STRING if stop > start else NONE
            found[3 * place + 1], found[3 * place + 2] = start, stop
        if k < last:
            if p == end:
                return -1
            p += 1
    return count if p == end else -1
