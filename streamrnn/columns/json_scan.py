"""One record of JSON: the numbers and texts that a plan wants, or that it is not sure.

It takes what is JSON beyond doubt, and of that what any reader takes the same way: no field twice, no name with an escape, no number
that would not be exact. A record that it is not sure of is left to a decoder that also says what is wrong with it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.columns.compiled import at, kernel
from streamrnn.columns.decimals import BAD, LONG, POINT, WHOLE, bits_of, numeral
from streamrnn.columns.json_plan import INSIDE, NUMBER
from streamrnn.columns.texts import ESCAPED, PLAIN, WIDE, is_utf8, string

DEEPEST: Final = 60
"""Objects and lists inside of each other: less than any decoder takes."""

NONE: Final = 0
STRING: Final = 1
QUOTED: Final = 2
INTEGER: Final = 3
FLOAT: Final = 4
"""What a text is: missing, a string as it stands, one with escapes (its quotes included), a number to be read."""

_LIST: Final = -1
_OTHER: Final = -2
_SIGN: Final = np.uint64(1 << 63)
_DIGITS: Final = 18  # of an integer that fits


@kernel
def blank(buf, p, end):
    """Return where the next byte is that is no white space."""
    while p < end and (at(buf, p) == 32 or 9 <= at(buf, p) <= 10 or at(buf, p) == 13):
        p += 1
    return p


@kernel
def word(buf, p, end):
    """Return where true, false or null at p ends; -1 where there is none."""
    if p + 4 <= end:
        a, b, c, d = at(buf, p), at(buf, p + 1), at(buf, p + 2), at(buf, p + 3)
        if (a == 116 and b == 114 and c == 117 and d == 101) or (a == 110 and b == 117 and c == 108 and d == 108):
            return p + 4
        if a == 102 and b == 97 and c == 108 and d == 115 and p + 5 <= end and at(buf, p + 4) == 101:
            return p + 5
    return -1


@kernel
def row_of(buf, start, end, node, hint, nodes, rows, names):
    """Return the row of an object's plan that a name belongs to, -1: none. It begins to look at ``hint``: fields mostly come in order."""
    first, last = nodes[node, 0], nodes[node, 1]
    size = end - start
    row = hint
    for _ in range(last - first):
        if row >= last or row < first:
            row = first
        if rows[row, 1] == size:
            first_byte, i = rows[row, 0], 0
            while i < size and at(buf, start + i) == at(names, first_byte + i):
                i += 1
            if i == size:
                return row
        row += 1
    return -1


@kernel
def number(buf, p, end, bits, column, powers):
    """Put the number or null at p into a column; return where it ends, -1 where that is not sure, and how many there are."""
    if p < end and at(buf, p) == 110:  # null
        return word(buf, p, end), 0
    stop, w, power, kind = numeral(buf, p, end, POINT)
    if kind == BAD or kind == LONG:
        return -1, 0
    found, sure = bits_of(w, power, powers)
    if not sure:
        return -1, 0
    if at(buf, p) == 45 and (w != np.uint64(0) or kind != WHOLE):  # the integer -0 has no sign
        found |= _SIGN
    bits[column] = found
    return stop, 1


@kernel
def text(buf, p, end, found, powers):
    """Note what the text, number or null at p is and where: three words; return where it ends, -1 where that is not sure, and what it holds."""
    c = at(buf, p) if p < end else 0
    if c == 34:
        stop, holds = string(buf, p + 1, end)
        plain = holds & ESCAPED == 0
        found[0] = STRING if plain else QUOTED
        found[1], found[2] = (p + 1, stop) if plain else (p, stop + 1)
        if found[1] == found[2]:
            found[0] = NONE
        return (stop + 1 if stop >= 0 else -1), holds
    if c == 110:
        return word(buf, p, end), PLAIN
    stop, w, power, kind = numeral(buf, p, end, POINT)
    if kind == BAD or kind == LONG or (kind == WHOLE and stop - p > _DIGITS):
        return -1, PLAIN
    _, sure = bits_of(w, power, powers)
    found[0], found[1], found[2] = INTEGER if kind == WHOLE else FLOAT, p, stop
    return (stop if sure else -1), PLAIN


@kernel
def other(buf, p, end):
    """Return where a value ends that nobody wants and that is neither object nor list, -1 where that is not sure; and what it holds."""
    c = at(buf, p) if p < end else 0
    if c == 34:
        stop, holds = string(buf, p + 1, end)
        return (stop + 1 if stop >= 0 else -1), holds
    if c == 45 or 48 <= c <= 57:
        stop, _, _, kind = numeral(buf, p, end, POINT)
        return (-1 if kind == BAD else stop), PLAIN
    return word(buf, p, end), PLAIN


@kernel
def name(buf, p, end, node, hint, nodes, rows, names):
    """Read a name at p and the colon behind it: return where its value begins, -1 where that is not sure, its row in the plan, and what it holds."""
    if at(buf, p) != 34:
        return -1, -1, PLAIN
    stop, holds = string(buf, p + 1, end)
    if stop < 0 or holds & ESCAPED:
        return -1, -1, PLAIN
    row = row_of(buf, p + 1, stop, node, hint, nodes, rows, names) if node >= 0 else -1
    p = blank(buf, stop + 1, end)
    if p >= end or at(buf, p) != 58:
        return -1, -1, PLAIN
    p = blank(buf, p + 1, end)
    return (p if p < end else -1), row, holds


@kernel
def scan(buf, p, end, nodes, rows, names, powers, bits, found, seen, stamp, stack):
    """Read one object; return how many numbers it holds, -1 where it is not sure.

    ``bits`` and ``found`` get its numbers and texts, ``seen`` the stamp where a row has been met, ``stack`` (2 DEEPEST) is scratch: what each
    level is (a node of the plan, or no wanted object, or a list) and where to look next.
    """
    start, depth, count, holds = p, 0, 0, PLAIN
    p = blank(buf, p, end)
    if p >= end or at(buf, p) != 123:
        return -1
    stack[0], stack[1], depth = 0, nodes[0, 0], 1
    p, opened = p + 1, True
    while depth > 0:
        p = blank(buf, p, end)
        if p >= end:
            return -1
        level, row, c = stack[2 * depth - 2], -1, at(buf, p)
        if not (opened and c == (93 if level == _LIST else 125)):
            if level != _LIST:  # a name
                p, row, what = name(buf, p, end, level, stack[2 * depth - 1], nodes, rows, names)
                if p < 0:
                    return -1
                holds |= what
                c = at(buf, p)
            inside = row >= 0 and rows[row, 2] == INSIDE
            if row >= 0:
                if seen[row] == stamp or (inside and c != 123):
                    return -1
                seen[row], stack[2 * depth - 1] = stamp, row + 1
            if inside or (row < 0 and (c == 123 or c == 91)):
                if depth == DEEPEST:
                    return -1
                below = rows[row, 3] if inside else (_OTHER if c == 123 else _LIST)
                stack[2 * depth], stack[2 * depth + 1] = below, nodes[below, 0] if inside else 0
                depth, p, opened = depth + 1, p + 1, True
                continue
            what = PLAIN
            if row < 0:
                p, what = other(buf, p, end)
            elif rows[row, 2] == NUMBER:
                p, more = number(buf, p, end, bits, rows[row, 3], powers)
                count += more
            else:
                first = 3 * rows[row, 3]
                p, what = text(buf, p, end, found[first : first + 3], powers)
            if p < 0:
                return -1
            holds |= what
        opened = False
        while depth > 0:  # what closes behind a value
            p = blank(buf, p, end)
            if p >= end:
                return -1
            c = at(buf, p)
            p += 1
            if c == 44:
                break
            if c != (93 if stack[2 * depth - 2] == _LIST else 125):
                return -1
            depth -= 1
    if blank(buf, p, end) != end or (holds & WIDE and not is_utf8(buf, start, end)):
        return -1
    return count
