"""Initial weights, drawn into a net's block of memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.net.front.table import FOURIER_SCALE
from streamrnn.kernels.net.init import INITIALIZERS, input_row, recurrent_rows, uniform, waves
from streamrnn.kernels.net.layout import Layout, Sizes

__all__ = ["draw_fixed_rows", "draw_input_rows", "move_target_inputs"]


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


def draw_input_rows(
    slab: NDArray[np.uint8], layout: Layout, sizes: Sizes, seed: int, names: Sequence[Any], targets: int
) -> None:
    """Draw the rows of the last features of a net, and of its last target inputs.

    Parameters
    ----------
    slab
        The net's block of memory, (bytes,).
    layout, sizes
        Of the slab, the new inputs counted.
    seed
        With the name of an input it decides the numbers.
    names
        Of the new inputs of features, the last of these.
    targets
        How many target inputs are new: their names are their numbers.
    """
    cell, hidden = CELLS[sizes.cell], sizes.hidden
    first = cell.first_row(hidden) + 1
    old, end = sizes.target_inputs - targets, sizes.features
    rows = [*enumerate(names, start=end - len(names)), *((end + i, ("target", i)) for i in range(old, old + targets))]
    if sizes.waves:
        drawn = layout.view(slab, "wave_weights")
        drawn[0] = uniform(sizes.waves, seed, "wave phases")
        if drawn[1, 0] == 0.0:  # what comes later is as wide as what came first: it changes no answer
            drawn[1] = FOURIER_SCALE / math.sqrt(sizes.inputs)
        for place, name in rows[: len(names)]:
            drawn[2 + place] = waves(seed, name, sizes.waves, drawn[1, 0])
    for place, name in rows:
        row = input_row(cell, hidden, seed, 0, name)
        layout.view(slab, "layer0.weights")[first + place] = row
        layout.view(slab, "layer0.weights_initial")[first + place] = row


def move_target_inputs(slab: NDArray[np.uint8], layout: Layout, old: Sizes, by: int) -> None:
    """Make room for new features in front of the target inputs: whatever belongs to these moves on, in every array.

    Parameters
    ----------
    slab
        The net's block of memory, (bytes,), with the arrays as they were before.
    layout
        Of the slab.
    old
        The sizes before.
    by
        How many inputs of features are new.
    """
    first, H = CELLS[old.cell].first_row(old.hidden) + 1, old.hidden
    rows = ("layer0.weights", "layer0.weights_initial", "layer0.moments", "layer0.traces")
    heads = ("head", "head_initial", "head_moments")
    for names, axis, start in (
        (rows, -2, first), (heads, -1, H + 1), (("layer0.inputs", "layer0.live_inputs"), -1, 1),
    ):  # fmt: skip
        for name in names:
            array = layout.every(slab, name)
            if 0 in array.shape:
                continue
            array = np.moveaxis(array, axis, 0)
            at = start + old.features
            kept = array[at : at + old.target_inputs].copy()
            array[at : at + by] = 0.0
            array[at + by : at + by + old.target_inputs] = kept
