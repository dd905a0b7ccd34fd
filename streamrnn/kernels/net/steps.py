"""A cell's two steps with one signature, whether it has weights of its own or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamrnn.kernels.cells.contract import Cell
from streamrnn.kernels.compile import kernel


def forward_step(cell: Cell, hidden: int) -> Callable[..., Any]:
    """Return ``step(prev, rec, w)``; w (own G H): the cell's own weights."""
    step = cell.forward(hidden)
    if cell.own:
        return step  # type: ignore[no-any-return]

    @kernel
    def without(prev, rec, w):
        step(prev, rec)

    return without  # type: ignore[no-any-return]


def backward_step(cell: Cell, hidden: int) -> Callable[..., Any]:
    """Return ``step(prev, rec, dh, dc, dz, w, dw)``; dw (own G H): the gradient of the cell's own weights, which is added to."""
    step = cell.backward(hidden)
    if cell.own:
        return step  # type: ignore[no-any-return]

    @kernel
    def without(prev, rec, dh, dc, dz, w, dw):
        step(prev, rec, dh, dc, dz)

    return without  # type: ignore[no-any-return]
