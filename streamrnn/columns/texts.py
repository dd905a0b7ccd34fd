"""Strings of JSON in compiled code: where one ends, and whether bytes are UTF-8."""

from __future__ import annotations

from typing import Final

from streamrnn.columns.compiled import at, kernel

PLAIN: Final = 0
ESCAPED: Final = 1
WIDE: Final = 2
"""Bits of what a string holds besides ASCII: a backslash, a byte of 128 or more."""


@kernel
def _is_hex(c):
    return 48 <= c <= 57 or 97 <= (c | 32) <= 102


@kernel
def _escape(buf, p, end):
    """Return how many bytes an escape behind a backslash at p - 1 takes; 0 where it is none, or half a pair."""
    if p >= end:
        return 0
    c = at(buf, p)
    if c != 117:  # u
        # " \ / b f n r t
        simple = c == 34 or c == 92 or c == 47 or c == 98 or c == 102 or c == 110 or c == 114 or c == 116
        return 1 if simple else 0
    if p + 5 > end:
        return 0
    for i in range(p + 1, p + 5):
        if not _is_hex(at(buf, i)):
            return 0
    surrogate = (at(buf, p + 1) | 32) == 100 and not 48 <= at(buf, p + 2) <= 55
    return 0 if surrogate else 5


@kernel
def string(buf, p, end):
    """Read a string from behind its opening quote: return where its closing quote is, -1 where that is not sure, and what it holds."""
    holds = PLAIN
    while p < end:
        c = at(buf, p)
        if c == 34:
            return p, holds
        if c < 32:
            return -1, holds
        p += 1
        if c == 92:
            n = _escape(buf, p, end)
            if n == 0:
                return -1, holds
            p += n
            holds |= ESCAPED
        elif c >= 128:
            holds |= WIDE
    return -1, holds


@kernel
def is_utf8(buf, p, end):
    """Whether bytes are UTF-8: no overlong forms, no surrogates, nothing beyond U+10FFFF."""
    while p < end:
        c = at(buf, p)
        p += 1
        if c < 128:
            continue
        if c < 0xC2 or c > 0xF4:
            return False
        more = 1 if c < 0xE0 else 2 if c < 0xF0 else 3
        if p + more > end:
            return False
        least, most = 0x80, 0xBF
        if c == 0xE0:
            least = 0xA0
        elif c == 0xED:
            most = 0x9F
        elif c == 0xF0:
            least = 0x90
        elif c == 0xF4:
            most = 0x8F
        if at(buf, p) < least or at(buf, p) > most:
            return False
        for i in range(p + 1, p + more):
            if at(buf, i) < 0x80 or at(buf, i) > 0xBF:
                return False
        p += more
    return True
