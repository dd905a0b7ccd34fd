"""Few rows of a table that hold every pair of its values: a covering array, the same each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, product
from typing import Any

Row = dict[str, Any]


def pairs_of(row: Mapping[str, Any]) -> set[tuple[tuple[str, Any], tuple[str, Any]]]:
    """Return the pairs of values that a row holds."""
    return set(combinations(sorted(row.items(), key=lambda one: one[0]), 2))


def covering(rows: Sequence[Row]) -> list[Row]:
    """Choose rows, each time the first of those with the most pairs that no chosen one holds, until they hold all pairs of all rows."""
    left = set().union(*map(pairs_of, rows)) if rows else set()
    chosen = []
    while left:
        best = max(rows, key=lambda row: len(pairs_of(row) & left))
        left -= pairs_of(best)
        chosen.append(best)
    return chosen


def whole(dimensions: Mapping[str, Sequence[Any]]) -> list[Row]:
    """Return every combination of the values."""
    return [dict(zip(dimensions, values, strict=True)) for values in product(*dimensions.values())]
