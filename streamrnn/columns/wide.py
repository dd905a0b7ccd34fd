"""Numbers of 64 and 128 bits in compiled code, and powers of ten with 128 bits: what exact decimal numbers are made of."""

from __future__ import annotations

import functools
from typing import Any, Final

import numpy as np

from streamrnn.columns.compiled import kernel

LEAST_POWER: Final = -342
MOST_POWER: Final = 324
"""Of the table: what can be read needs -342 to 308, what can be written -292 to 324."""

ZERO: Final = np.uint64(0)
ONE: Final = np.uint64(1)
_32: Final = np.uint64(32)
_LOW: Final = np.uint64(0xFFFFFFFF)


@functools.cache
def powers() -> Any:
    """Return 5**q for each q of the table, as its leading 128 bits: uint64, high and low in turn. Negative powers are rounded up."""
    found = []
    for q in range(LEAST_POWER, MOST_POWER + 1):
        if q < 0:
            power = 5**-q
            z = (power - 1).bit_length()
            value = 2 ** (z + 127 if q >= -27 else 2 * z + 128) // power + 1
            value >>= max(0, value.bit_length() - 128)
        else:
            value = 5**q
            shift = 128 - value.bit_length()
            value = value << shift if shift >= 0 else value >> -shift
        found += [value >> 64, value & (2**64 - 1)]
    return np.array(found, np.uint64)


@kernel
def product(a, b):
    """Return the two halves of a * b, high and low: uint64."""
    a_low, a_high, b_low, b_high = a & _LOW, a >> _32, b & _LOW, b >> _32
    low, cross, other, high = a_low * b_low, a_high * b_low, a_low * b_high, a_high * b_high
    middle = (low >> _32) + (cross & _LOW) + other
    return high + (cross >> _32) + (middle >> _32), a * b


@kernel
def leading_zeros(w):
    """Return how many of the 64 bits of w > 0 stand before its first."""
    n = 0
    for step in (32, 16, 8, 4, 2, 1):
        if w >> np.uint64(64 - step) == ZERO:
            n += step
            w <<= np.uint64(step)
    return n
