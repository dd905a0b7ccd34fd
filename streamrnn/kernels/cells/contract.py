"""What a cell is: one row of the table in :mod:`streamrnn.kernels.cells.table`.

A cell is a step of H units on *records*: one record a time step, ``record`` blocks of H float32. The driver
fills the pre-activations W a into the first ``gates`` blocks, calls ``forward``, and reads h from block ``h``.
It owns weights, windows, time and learning; the cell owns one step forward and one step back.

Weights of a cell's own, such as peepholes, are rows of G numbers that no matrix product reads: the cell's functions are given them and
return their gradient. They lie in the same matrix, so that optimiser, snapshots and growth treat them as all others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from streamrnn.kernels.slab import up

Factory = Callable[[int], Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """One row of the table.

    Its functions are decorated with :func:`streamrnn.kernels.compile.apart`: no array that they are given is part of another.

    Parameters
    ----------
    name
        What users write as ``cell=``.
    gates
        G: blocks of pre-activations, columns of the weight matrix in units of H.
    record
        Blocks of H float32 that one step keeps for the way back.
    h
        Block that holds the output.
    forward
        ``forward(H)`` returns ``step(prev, rec)``, compiled.
    backward
        ``backward(H)`` returns ``step(prev, rec, dh, dc, dz)``: dh (H) in: dL/dh, out: the part of dL/dh' that
        does not pass the weights; dc (states H) in: dL/dc, out: dL/dc'; dz (G H, or 2 G H where split) out.
    c
        First block that holds the cell state, or -1.
    past
        The first block that the step after reads: of the step before the window only the blocks from there on are kept.
    states
        Blocks of cell state, one behind the other, through which errors flow back.
    own
        Rows of G H weights of the cell's own. If there are any, the functions take them behind their other arguments:
        ``forward`` w (own G H), ``backward`` w and dw, to which dL/dw is added. They begin at 0.
    recurrent
        False: the pre-activations see the inputs alone.
    split
        0, or the first block that takes U h' apart from W x; dz then has 2 G blocks.
    traces
        ``traces(H)`` returns ``step(prev, rec, later, local)``, or None where error cannot be carried.
    traced
        How many leading gates have traces.
    input_gate, forget_gate, carry_gate
        Which gates set the time constant of a unit, or -1: the initialisation needs to know.

    Examples
    --------
    >>> from streamrnn.kernels.cells.table import CELLS
    >>> {name: (cell.gates, cell.record) for name, cell in CELLS.items()}["lstm"]
    (4, 7)
    """

    name: str
    gates: int
    record: int
    h: int
    forward: Factory
    backward: Factory
    c: int = -1
    past: int = 0
    states: int = 1
    own: int = 0
    recurrent: bool = True
    split: int = 0
    traces: Factory | None = None
    traced: int = 0
    input_gate: int = -1
    forget_gate: int = -1
    carry_gate: int = -1

    def recurrent_rows(self, hidden: int) -> int:
        """Rows of a weight matrix that read h', a multiple of four."""
        return up(hidden, 4) if self.recurrent else 0

    def first_row(self, hidden: int) -> int:
        """The row of the bias, behind which the inputs' rows lie: behind those that read h' and those of the cell's own."""
        return self.recurrent_rows(hidden) + up(self.own, 4)

    @property
    def dz_blocks(self) -> int:
        """Blocks of dz: twice the gates where the two sides have gradients of their own."""
        return 2 * self.gates if self.split else self.gates
