"""What the linear expert has learned, carried over when a net grows: its weights, its matrix, and the tapes of the streams."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.least_squares import row
from streamrnn.kernels.net.front.linear import LINEAR_RIDGE
from streamrnn.kernels.net.front.table import LINEAR_BIT, MOST_WHOLE, lags
from streamrnn.kernels.net.layout import Layout, Sizes

__all__ = ["MOVED", "carry_experts"]

MOVED: Final = "linear", "linear_gain", "tape", "live_tape"
"""Arrays whose places follow from what the regressors are: they are carried over here."""


def _places(sizes: Sizes) -> dict[tuple[str, int, int], int]:
    """Return the place of each regressor, by what it is: a feature or a target, its number, how many events ago."""
    n, told = sizes.inputs, sizes.told_targets
    features, targets = lags(n, told, sizes.seasons)
    named = [("one", 0, 0)]
    named += [("feature", i, 0) for i in range(n)] + [("target", i, ago) for ago in range(targets) for i in range(told)]
    named += [("feature", i, ago) for ago in range(1, features + 1) for i in range(n)]
    named += [("season", i, 0) for i in range(sizes.seasons)]
    return {name: place for place, name in enumerate(named)}


def _whole(P: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return the matrix (n, n) of which P holds one half."""
    found = np.zeros((n, n))
    for i in range(n):
        at, length = getattr(row, "py_func", row)(i)
        length = min(length, n)
        found[i, :length] = P[at : at + length]
        found[:i, i] = found[i, :i]
    return found


def _halved(whole: NDArray[np.float64], P: NDArray[np.float64]) -> None:
    """Write one half of a matrix (n, n) into P."""
    n = len(whole)
    for i in range(n):
        at, length = getattr(row, "py_func", row)(i)
        length = min(length, n)
        P[at : at + length] = whole[i, :length]


def _carry_gain(
    old: NDArray[np.float64], new: NDArray[np.float64], sizes: tuple[int, int], into: Any, out_of: Any
) -> None:
    """Carry the matrix over, or the rates; where the one becomes the other it begins anew."""
    before, now = sizes
    if now > MOST_WHOLE:
        if before > MOST_WHOLE:
            new[into] = old[out_of]
    elif old[0] != 0.0:
        whole = np.eye(now) / LINEAR_RIDGE
        whole[np.ix_(into, into)] = _whole(old, before)[np.ix_(out_of, out_of)]
        _halved(whole, new)


def carry_experts(
    old: tuple[Layout, Sizes, NDArray[np.uint8]], new: tuple[Layout, Sizes, NDArray[np.uint8]], areas: int
) -> None:
    """Give everything its new place, by what it belongs to; what is new begins as at the first event.

    Parameters
    ----------
    old, new
        Layout, sizes and block of memory (bytes,) of before and of now.
    areas
        How many memories of streams there were.
    """
    (layout_0, sizes_0, slab_0), (layout, sizes, slab) = old, new
    if not sizes.experts & LINEAR_BIT:
        return
    was, now = _places(sizes_0), _places(sizes)
    names = [name for name in was if name in now]
    out_of, into = [was[name] for name in names], [now[name] for name in names]
    W_0, W = layout_0.view(slab_0, "linear"), layout.view(slab, "linear")
    W[: len(W_0), into] = W_0[:, out_of]
    if not sizes.classes:  # before anything is known a number is the last one
        for i in range(sizes_0.told_targets, sizes.told_targets):
            W[i, now["target", i, 0]] = 1.0
    _carry_gain(
        layout_0.view(slab_0, "linear_gain"), layout.view(slab, "linear_gain"), (len(was), len(now)), into, out_of
    )
    base_0, base = (1 + one.inputs + one.told_targets for one in (sizes_0, sizes))
    behind = [name for name in names if name[0] != "season" and was[name] >= base_0 and now[name] >= base]
    for name in ("tape", "live_tape"):
        for area in range(areas):
            kept, tape = layout_0.view(slab_0, name, area), layout.view(slab, name, area)
            if kept.size and tape.size:
                tape[[now[one] - base for one in behind]] = kept[[was[one] - base_0 for one in behind]]
