"""Rows of keys in one array: where the row of an event's key lies, blank where the key begins anew, and asked for some events before."""

from __future__ import annotations

from typing import Final

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.prefetch import fetch_row

SOON: Final = (
    8  # events before its turn a row is asked for: they take so little time that two are over before it has come
)


@kernel
def _clear(rows, base, width):
    """Make a row zeros."""
    for i in range(base, base + width):
        rows[i] = 0


@kernel
def row_at(rows, codes, e, width):
    """Return where the row of event e begins in rows (keys * width,), of items of eight bytes; codes (n,): the key of each event, negative where it begins anew."""
    if e + SOON < codes.size:
        fetch_row(rows, abs(codes[e + SOON]) * width, width)
    base = abs(codes[e]) * width
    if codes[e] < 0:
        _clear(rows, base, width)
    return base
