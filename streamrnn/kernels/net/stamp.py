"""The stamp of compiled code: numba's cache does not notice an edited file, an entry closed over this value does."""

from __future__ import annotations

import hashlib

from streamrnn.kernels.cells.contract import Cell
from streamrnn.kernels.compile import close, sources_digest
from streamrnn.kernels.net.losses.table import LOSSES
from streamrnn.kernels.net.optimizers.table import OPTIMIZERS


def stamp_of(cell: Cell) -> str:
    """Return a hash over all that an entry of this cell compiles.

    Our kernels, the files of the cell's functions, and every loss and optimiser that is registered, with its file. From here on
    none can be added: the code, compiled or loaded, holds those that there are.
    """
    close(LOSSES)
    close(OPTIMIZERS)
    losses = [(row.name, row.code, row.pointwise, row.joint, row.link) for row in LOSSES.values()]
    rules = [(row.name, row.code, row.step, row.prepare, row.bound) for row in OPTIMIZERS.values()]
    functions = [function for _, _, *parts in (*losses, *rules) for function in parts]
    names = repr([(name, code) for name, code, *_ in (*losses, *rules)])
    sources = sources_digest(cell.forward, cell.backward, cell.traces, *functions)
    return hashlib.sha256(f"{sources} {names}".encode()).hexdigest()[:16]
