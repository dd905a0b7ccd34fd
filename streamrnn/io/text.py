"""What all formats of text read alike: a missing value, infinity, the sign of a zero, JSON that is too deep."""

from __future__ import annotations

import contextlib
import json
import math
import re
from typing import Any

import msgspec

__all__ = ["MARKS", "MAX_NESTING", "MISSING", "json_of", "kind_of", "nests_too_deep", "signed"]

MAX_NESTING = 64
"""Levels of JSON. A fixed number, so that what is bad does not depend on how deep the caller's stack is."""

MISSING = frozenset(("", "nan", "-nan", "na", "n/a", "null", "none"))
"""Texts that stand for "no value", in any case: what pandas, R, SQL dumps, Python and C write."""

MARKS = MISSING | frozenset(
    ("?", ".", "..", "-", "--", "---", "*", "**", "***", "****", "#n/a", "n.a.", "n.d.", "nil", "missing", "unavailable",
     "unknown", "no data", "nodata", "(null)", "\\n", "#value!", "#div/0!", "#ref!", "#num!", "#name?", "undefined", "n/e", "n/d", "nd", ":")
)  # fmt: skip
"""The same, with what people and instruments write: such a cell was measured, and failed."""

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


def json_of(record: bytes) -> Any:
    """Return what a record of JSON holds, nested no deeper than ``MAX_NESTING``.

    NaN and Infinity are numbers, as Python and others write them. A number that is too large to be one is its text: a cell that cannot be
    read, not a record that is none.

    Parameters
    ----------
    record
        UTF-8.

    Raises
    ------
    ValueError
        When it is not JSON.

    Examples
    --------
    >>> from streamrnn.io import json_of
    >>> json_of(b'{"a": 1, "b": -Infinity, "c": 1e999}')
    {'a': 1, 'b': -inf, 'c': '1e999'}
    """
    try:
        return msgspec.json.decode(record)
    except msgspec.DecodeError as error:
        if b"NaN" in record or b"Infinity" in record or "out of range" in str(error):
            with contextlib.suppress(ValueError):
                return json.loads(record, parse_float=lambda text: text if math.isinf(float(text)) else float(text))
        raise ValueError(str(error)) from None


def kind_of(cell: str) -> str:
    """Return in a word what a cell is that holds no number.

    Parameters
    ----------
    cell
        Its text.

    Examples
    --------
    >>> from streamrnn.io import kind_of
    >>> [kind_of(cell) for cell in ("much", "49%", "1e999", "1_0")]
    ['text', 'unit', 'too large', 'number']
    """
    cell = cell.strip()
    if "\ufffd" in cell:
        return "encoding"
    if cell[:1].isdigit() or cell[1:2].isdigit():
        try:
            float(cell)
        except ValueError:
            return "unit" if cell[-1:].isalpha() or cell[-1:] in "%°" else "number"
        return "number" if "_" in cell else "too large"
    return "text"


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
