"""The fewest digits that read back as the same float64, in compiled code.

After R. Giulietti, The Schubfach way to render doubles (2021): three products with a power of ten of 128 bits say between which
decimals a number lies, and which of them is the nearest.
"""

from __future__ import annotations

import functools
from typing import Any, Final

import numpy as np

from streamrnn.columns.compiled import at, kernel, put
from streamrnn.columns.wide import ONE, ZERO, product

FIRST: Final = -292
LAST: Final = 324

_TWO: Final = np.uint64(2)
_FOUR: Final = np.uint64(4)
_TEN: Final = np.uint64(10)
_HUNDRED: Final = np.uint64(100)
_MANY: Final = np.uint64(10_000)
_EIGHT_ZEROS: Final = np.uint64(10**8)
_FIFTEEN: Final = np.uint64(10**15)
_SIXTEEN: Final = np.uint64(10**16)
_SEVENTEEN: Final = np.uint64(10**17)
_EIGHTEEN: Final = np.uint64(10**18)
_NINETEEN: Final = np.uint64(10**19)
_FORTY: Final = np.uint64(40)
_FRACTION: Final = np.uint64((1 << 52) - 1)
_HIDDEN: Final = np.uint64(1 << 52)


@functools.cache
def rounded_up() -> Any:
    """Return 10**k for each k from FIRST to LAST, as its leading 128 bits rounded up: uint64, high and low in turn."""
    found = []
    for k in range(FIRST, LAST + 1):
        shift = ((k * 1741647) >> 19) - 127  # 10**k * 2**-shift has 128 bits
        above, below = (10**k, 1) if k >= 0 else (1, 10**-k)
        above, below = (above, below << shift) if shift >= 0 else (above << -shift, below)
        value = -(-above // below)
        found += [value >> 64, value & (2**64 - 1)]
    return np.array(found, np.uint64)


@kernel
def _to_odd(high, low, c):
    """Return the upper 64 bits of a product of 192 bits, the last of them set where something was cut off."""
    x, _ = product(low, c)
    upper, y = product(high, c)
    y += x
    if y < x:
        upper += ONE
    return upper | (ONE if y > ONE else ZERO)


@kernel
def decimal(fraction, exponent, table):
    """Return digits and power of ten of a finite float64 > 0, given by the bits of its fraction and of its exponent."""
    if exponent != 0:
        c, q = fraction | _HIDDEN, exponent - 1075
        if -52 <= q <= 0 and c & ((ONE << np.uint64(-q)) - ONE) == ZERO:
            return c >> np.uint64(-q), 0
    else:
        c, q = fraction, -1074
    closer = fraction == ZERO and exponent > 1  # the number below is nearer than that above
    odd = c & ONE
    k = (q * 1262611 - (524031 if closer else 0)) >> 22
    h = np.uint64(q + ((-k * 1741647) >> 19) + 1)
    high, low = table[2 * (-k - FIRST)], table[2 * (-k - FIRST) + 1]
    middle = c << _TWO
    lower = _to_odd(high, low, (middle - _TWO + (ONE if closer else ZERO)) << h) + odd
    nearest = _to_odd(high, low, middle << h)
    upper = _to_odd(high, low, (middle + _TWO) << h) - odd
    s = nearest >> _TWO
    if s >= _TEN:
        tens = s // _TEN
        below, above = lower <= _FORTY * tens, _FORTY * tens + _FORTY <= upper
        if below != above:
            return tens + (ONE if above else ZERO), k + 1
    below, above = lower <= _FOUR * s, _FOUR * s + _FOUR <= upper
    if below != above:
        return s + (ONE if above else ZERO), k
    half = _FOUR * s + _TWO
    up = nearest > half or (nearest == half and s & ONE == ONE)
    return s + (ONE if up else ZERO), k


@kernel
def write_digits(w, n, out, p):
    """Write the n digits of w, from the last one on, four at a time: a division each."""
    q = p + n
    while w >= _MANY:
        rest = w // _MANY
        four = np.uint32(w - rest * _MANY)
        high = four // np.uint32(100)
        low, w, q = four - high * np.uint32(100), rest, q - 4
        tens, more = high // np.uint32(10), low // np.uint32(10)
        put(out, put(out, q, 48 + tens), 48 + high - tens * np.uint32(10))
        put(out, put(out, q + 2, 48 + more), 48 + low - more * np.uint32(10))
    few = np.uint32(w)
    while q > p:
        rest32 = few // np.uint32(10)
        q -= 1
        put(out, q, 48 + few - rest32 * np.uint32(10))
        few = rest32
    return p + n


@kernel
def without_zeros(w, k):
    """Return digits w > 0 and their power of ten k without the zeros at their end: up to 16, by halves."""
    for _ in range(2):
        rest = w // _EIGHT_ZEROS
        if rest * _EIGHT_ZEROS == w:
            w, k = rest, k + 8
    rest = w // _MANY
    if rest * _MANY == w:
        w, k = rest, k + 4
    rest = w // _HUNDRED
    if rest * _HUNDRED == w:
        w, k = rest, k + 2
    rest = w // _TEN
    return (rest, k + 1) if rest * _TEN == w else (w, k)


@kernel
def digits_of(w):
    """Return how many digits w has: one for 0."""
    if w >= _FIFTEEN:  # most numbers that are no short decimals
        return 16 + (w >= _SIXTEEN) + (w >= _SEVENTEEN) + (w >= _EIGHTEEN) + (w >= _NINETEEN)
    n = 1
    while w >= _MANY:
        w //= _MANY
        n += 4
    few = np.uint32(w)
    return n + (few >= np.uint32(10)) + (few >= np.uint32(100)) + (few >= np.uint32(1000))


@kernel
def write_float(bits, out, p, table):
    """Write a finite float64, given by its bits, as JSON: at most 24 bytes; return where it ends."""
    if bits >> np.uint64(63) != ZERO:
        p = put(out, p, 45)
    fraction, exponent = bits & _FRACTION, np.int64((bits >> np.uint64(52)) & np.uint64(2047))
    w, k = ZERO, 0
    if fraction != ZERO or exponent != 0:
        w, k = decimal(fraction, exponent, table)
        w, k = without_zeros(w, k)
    n = digits_of(w)
    point = n + k  # so many digits stand before it
    if k >= 0 and point <= 16:
        p = write_digits(w, n, out, p)
        for _ in range(k):
            p = put(out, p, 48)
        return put(out, put(out, p, 46), 48)
    if 0 < point <= 16:
        write_digits(w, n, out, p + 1)
        for _ in range(point):
            p = put(out, p, at(out, p + 1))
        return put(out, p, 46) + n - point
    if -5 < point <= 0:
        p = put(out, put(out, p, 48), 46)
        for _ in range(-point):
            p = put(out, p, 48)
        return write_digits(w, n, out, p)
    write_digits(w, n, out, p + 1)
    p = put(out, p, at(out, p + 1))
    if n > 1:
        p = put(out, p, 46) + n - 1
    p, e = put(out, p, 101), point - 1
    if e < 0:
        p, e = put(out, p, 45), -e
    return write_digits(np.uint64(e), digits_of(np.uint64(e)), out, p)
