"""Initial weights, drawn into a net's block of memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.net.init import INITIALIZERS, input_row, recurrent_rows
from streamrnn.kernels.net.layout import Layout, Sizes

__all__ = ["draw_fixed_rows", "draw_input_rows"]


def draw_fixed_rows(slab: NDArray[np.uint8], layout: Layout, sizes: Sizes, init: str, seed: int) -> None:
    """Draw all rows but those of the features: recurrent ones, biases, and those between layers.

    Parameters
    ----------
    slab
        The net's block of memory, (bytes,).
    layout, sizes
        Of the slab.
    init
        Row of the table of initialisers of the biases.
    seed
        With layer and name of the row it decides the numbers.
    """
    cell, hidden = CELLS[sizes.cell], sizes.hidden
    first = cell.first_row(hidden)
    for layer in range(sizes.layers):
        weights = layout.view(slab, f"layer{layer}.weights")
        if cell.recurrent:
            weights[:hidden] = recurrent_rows(cell, hidden, seed, layer)
        weights[first] = INITIALIZERS[init](cell, hidden, seed, layer)
        if layer > 0:
            for unit in range(hidden):
                weights[first + 1 + unit] = input_row(cell, hidden, seed, layer, f"unit {unit}")
        layout.view(slab, f"layer{layer}.weights_initial")[:] = weights


def draw_input_rows(slab: NDArray[np.uint8], layout: Layout, sizes: Sizes, seed: int, names: Sequence[Any]) -> None:
    """Draw the rows of the last inputs of a net.

    Parameters
    ----------
    slab
        The net's block of memory, (bytes,).
    layout, sizes
        Of the slab, the new inputs counted.
    seed
        With the name of an input it decides the numbers.
    names
        Of the new inputs, the last of all.
    """
    cell, hidden = CELLS[sizes.cell], sizes.hidden
    first = cell.first_row(hidden) + 1 + sizes.inputs - len(names)
    for place, name in enumerate(names, start=first):
        row = input_row(cell, hidden, seed, 0, name)
        layout.view(slab, "layer0.weights")[place] = row
        layout.view(slab, "layer0.weights_initial")[place] = row
