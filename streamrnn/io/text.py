"""What all formats of text read alike: a missing value, infinity, the sign of a zero, JSON that is too deep."""

from __future__ import annotations

import re

__all__ = ["INFINITE", "MAX_NESTING", "MISSING", "nests_too_deep", "signed"]

MAX_NESTING = 64
"""Levels of JSON. A fixed number, so that what is bad does not depend on how deep the caller's stack is."""

MISSING = frozenset(("", "nan", "-nan", "na", "n/a", "null", "none"))
"""Texts that stand for "no value", in any case: what pandas, R, SQL dumps, Python and C write."""

INFINITE = frozenset(("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"))
"""Texts that stand for infinity, in lower case. A number that is too large for a float64 is none of them: it is no number."""

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?')

_BRACKET = re.compile(rb"[\[\]{}]")


def nests_too_deep(record: bytes) -> bool:
    """Tell whether JSON is nested deeper than ``MAX_NESTING``: a decoder that recurses must not see it.

    Parameters
    ----------
    record
        JSON, or what claims to be.

    Examples
    --------
    >>> from streamrnn.io import nests_too_deep
    >>> nests_too_deep(b"[" * 64 + b"]" * 64), nests_too_deep(b"[" * 65), nests_too_deep(b'"' + b"[" * 65 + b'"')
    (False, True, False)
    """
    if record.count(b"[") + record.count(b"{") <= MAX_NESTING:
        return False
    depth = deepest = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", record)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest > MAX_NESTING


def signed(value: float, text: str) -> float:
    """Return the number that ``text`` was read as, with the sign of its zero: -0.0 has one, the integer -0 has none.

    JSON readers take ``-0`` for the integer 0; so does every format, whichever way a record is read.

    Parameters
    ----------
    value
        ``float(text)``.
    text
        The number as it was written.

    Examples
    --------
    >>> from streamrnn.io import signed
    >>> [signed(float(text), text) for text in ("-0.0", "-0", "-0e0", "-2")]
    [-0.0, 0.0, -0.0, -2.0]
    """
    return value if value or not text.strip().lstrip("+-").isdecimal() else 0.0
