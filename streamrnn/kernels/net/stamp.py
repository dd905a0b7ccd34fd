"""The stamp of compiled code: numba's cache does not notice an edited file, an entry closed over this value does."""

from __future__ import annotations

from streamrnn.kernels.cells.contract import Cell
from streamrnn.kernels.compile import sources_digest


def stamp_of(cell: Cell) -> str:
    """Return a hash over all that an entry of this cell compiles: our kernels, and the files of the cell's functions."""
    return sources_digest(cell.forward, cell.backward, cell.traces)
