"""The memory of many streams that share one net, as one float32 array."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net.layout import Sizes
from streamrnn.kernels.slab import up


@kernel
def places(T, B, rows, nx, K, H, R, Z, states):
    """Return where inputs, outputs, errors, dz, a, dh and dc begin (records: 0), and where all ends."""
    inputs = (T + 1) * B * R
    outputs = inputs + T * B * nx
    errors = outputs + T * B * K
    dz = errors + T * B * K
    dz += -dz % 16  # a cache line
    a = dz + T * B * Z
    dh = a + 4 * max(rows, T * B)
    dc = dh + B * H
    return inputs, outputs, errors, dz, a, dh, dc, dc + B * states * H


def batch_memory(sizes: Sizes, streams: int) -> NDArray[np.float32]:
    """Return the memory of so many streams, all in the state zero.

    Parameters
    ----------
    sizes
        Those of the net whose slab the streams share.
    streams
        B, at least 1. A multiple of four wastes nothing.

    Raises
    ------
    ValueError
        For nets with more than one layer, and for optimisers that need the whole gradient's norm.

    Examples
    --------
    >>> from streamrnn.kernels.net.batch_memory import batch_memory
    >>> from streamrnn.kernels.net.layout import Sizes
    >>> batch_memory(Sizes("lstm", inputs=8, hidden=16, outputs=1), 8).nbytes
    103936
    """
    if streams < 1 or sizes.layers != 1 or sizes.two_pass:
        raise ValueError(
            "Batches need at least one stream, one layer and an optimiser without a norm (no 'clip', no 'obgd'). "
            f"Got {streams} streams, {sizes.layers} layers, two_pass={sizes.two_pass} instead."
        )
    cell, H = CELLS[sizes.cell], sizes.hidden
    nx = up(sizes.inputs + 1, 4)
    rows = cell.first_row(H) + nx
    end = getattr(places, "py_func", places)(
        sizes.window,
        up(streams, 4),
        rows,
        nx,
        sizes.outputs,
        H,
        cell.record * H,
        cell.dz_blocks * H,
        cell.states,
    )[-1]
    raw = np.zeros(end + 16, np.float32)
    start = -raw.ctypes.data % 64 // 4
    return raw[start : start + end]
