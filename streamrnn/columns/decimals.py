"""A number of JSON to the nearest float64: exactly, or not at all.

After D. Lemire, Number parsing at a gigabyte per second (2021), and M. Eisel: digits times a power of five of 128 bits decide the mantissa
in all but rare cases. Those, more than 19 digits, what is subnormal and what is too large are left to others.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.columns.compiled import at, kernel
from streamrnn.columns.wide import LEAST_POWER, ONE, ZERO, leading_zeros, product

BAD: Final = -1
"""No number of JSON."""

WHOLE: Final = 0
"""Digits alone."""

BROKEN: Final = 1
"""With a point or an exponent."""

POINT: Final = 46
"""The decimal mark of JSON."""

LONG: Final = 2
"""With more digits than fit."""

_TEN: Final = np.uint64(10)
_MASK: Final = np.uint64(0x1FF)
_FULL: Final = np.uint64(0xFFFFFFFFFFFFFFFF)
_63: Final = np.uint64(63)
_THREE: Final = np.uint64(3)
_HIDDEN: Final = np.uint64(1 << 52)
_EXPONENT: Final = np.uint64(52)


@kernel
def numeral(buf, p, end, point):
    """Read a number of JSON at p, whose decimal mark is the byte ``point``: return where it ends, its digits as one uint64, the power of ten behind them, and its kind."""
    w, power, kind = ZERO, 0, WHOLE
    if p < end and at(buf, p) == 45:  # minus
        p += 1
    first = p
    while p < end and 48 <= at(buf, p) <= 57:
        w = w * _TEN + np.uint64(at(buf, p) - 48)
        p += 1
    digits = p - first
    if digits == 0 or (digits > 1 and at(buf, first) == 48):
        return p, w, power, BAD
    if p < end and at(buf, p) == point:
        p, kind = p + 1, BROKEN
        start = p
        while p < end and 48 <= at(buf, p) <= 57:
            w = w * _TEN + np.uint64(at(buf, p) - 48)
            p += 1
        if p == start:
            return p, w, power, BAD
        power = start - p
        digits -= power
    if digits > 19:
        q = first
        while q < p and (at(buf, q) == 48 or at(buf, q) == point):
            digits -= 1 if at(buf, q) == 48 else 0
            q += 1
    if p < end and (at(buf, p) | 32) == 101:  # e, E
        p, kind = p + 1, BROKEN
        minus = p < end and at(buf, p) == 45
        if p < end and (at(buf, p) == 45 or at(buf, p) == 43):
            p += 1
        start, e = p, 0
        while p < end and 48 <= at(buf, p) <= 57 and p < start + 5:
            e = 10 * e + (at(buf, p) - 48)
            p += 1
        if p == start or p == start + 5:
            return p, w, power, BAD
        power += -e if minus else e
    return p, w, power, LONG if digits > 19 else kind


@kernel
def bits_of(w, power, powers):
    """Return the bits of the float64 nearest to w * 10**power, without a sign, and whether they are sure."""
    if w == ZERO:
        return ZERO, True
    if power < LEAST_POWER or power > 308:
        return ZERO, False
    lz = leading_zeros(w)
    w <<= np.uint64(lz)
    at = 2 * (power - LEAST_POWER)
    high, low = product(w, powers[at])
    if high & _MASK == _MASK:
        more, _ = product(w, powers[at + 1])
        low += more
        if more > low:
            high += ONE
        if low == _FULL and not -27 <= power <= 55:
            return ZERO, False
    upper = high >> _63
    shift = upper + np.uint64(9)
    mantissa = high >> shift
    exponent = ((217706 * power) >> 16) + 63 + np.int64(upper) - lz + 1023
    if exponent <= 0:
        return ZERO, False
    if low <= ONE and -4 <= power <= 23 and mantissa & _THREE == ONE and mantissa << shift == high:
        mantissa &= ~ONE  # a tie, to even
    mantissa += mantissa & ONE
    mantissa >>= ONE
    if mantissa >= _HIDDEN << ONE:
        mantissa = _HIDDEN
        exponent += 1
    if exponent >= 2047:
        return ZERO, False
    return (mantissa & ~_HIDDEN) | (np.uint64(exponent) << _EXPONENT), True
