"""Gradients compared by name: a failure says which layer, matrix and gate is wrong, and in which window."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.testing.twin import Twin

__all__ = ["GRADIENT", "assert_gradient"]

Array = NDArray[np.float64]
GRADIENT: Final[dict[str, Any]] = {"rtol": 1e-3, "atol": 1e-5}  # float32 sums over a window against float64 differences
SHOWN: Final = 5  # of the wrong weights, the worst first


def assert_gradient(twin: Twin, directions: Array, actual: Array, expected: Array) -> None:
    """Compare derivatives along directions; a failure names the worst weights that differ.

    Parameters
    ----------
    twin
        The net's twin: it knows which weight lies where.
    directions
        Directions (D, P) in the space of all weights: the axes, or random ones within one layer each.
    actual
        The kernel's gradient (P).
    expected
        The derivatives (D) along the directions.

    Raises
    ------
    AssertionError
        When a derivative differs by more than :data:`GRADIENT` allows, with layer, matrix, row, gate and unit of the worst,
        cell, window and stride.
    """
    found = directions @ actual
    excess = abs(found - expected) - GRADIENT["atol"] - GRADIENT["rtol"] * abs(expected)
    wrong = [int(i) for i in np.argsort(-excess) if not excess[i] <= 0.0]
    if not wrong:
        return
    sizes = twin.sizes
    lines = [f"{twin.where(directions[i])}: {found[i]:.6g} instead of {expected[i]:.6g}" for i in wrong[:SHOWN]]
    raise AssertionError(
        f"{len(wrong)} of {len(expected)} derivatives are wrong (cell {sizes.cell}, window {sizes.window}, "
        f"stride {sizes.stride}, {'traces' if sizes.traces else 'tbptt'}):\n  " + "\n  ".join(lines)
    )
