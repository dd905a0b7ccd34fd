"""The table of cells. A new cell is one file and one row here (or one call of :func:`register_cell`)."""

from __future__ import annotations

from streamrnn.kernels.cells.contract import Cell
from streamrnn.kernels.cells.elman import DENSE, ELMAN, ELMAN_LOGISTIC
from streamrnn.kernels.cells.gru import GRU
from streamrnn.kernels.cells.lstm import LSTM, TRACE_LSTM
from streamrnn.kernels.cells.peephole_lstm import PEEPHOLE_LSTM
from streamrnn.kernels.cells.slstm import SLSTM
from streamrnn.kernels.plugins import register_installed

CELLS: dict[str, Cell] = {
    cell.name: cell for cell in (LSTM, TRACE_LSTM, PEEPHOLE_LSTM, SLSTM, GRU, ELMAN, ELMAN_LOGISTIC, DENSE)
}


def register_cell(cell: Cell) -> Cell:
    """Add a row to the table, for a cell of one's own.

    Raises
    ------
    ValueError
        When the name is taken by another cell.

    Examples
    --------
    >>> from streamrnn.kernels.cells.table import CELLS, register_cell
    >>> register_cell(CELLS["lstm"]) is CELLS["lstm"]
    True
    """
    if CELLS.setdefault(cell.name, cell) != cell:
        raise ValueError(f"The name {cell.name!r} is taken by another cell. Choose another name.")
    return cell


register_installed("streamrnn.cells", register_cell)
