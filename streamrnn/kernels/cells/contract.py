"""What a cell is: one row of the table in :mod:`streamrnn.kernels.cells.table`.

A cell is a step of H units on *records*: one record a time step, ``record`` blocks of H float32. The driver
fills the pre-activations W a into the first ``gates`` blocks, calls ``forward``, and reads h from block ``h``.
It owns weights, windows, time and learning; the cell owns one step forward and one step back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Factory = Callable[[int], Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """One row of the table.

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
        ``backward(H)`` returns ``step(prev, rec, dh, dc, dz)``: dh in: dL/dh, out: the part of dL/dh' that
        does not pass the weights; dc in: dL/dc, out: dL/dc'; dz out.
    c
        Block that holds the cell state, or -1.
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
    recurrent: bool = True
    split: int = 0
    traces: Factory | None = None
    traced: int = 0
    input_gate: int = -1
    forget_gate: int = -1
    carry_gate: int = -1

    @property
    def dz_blocks(self) -> int:
        """Blocks of dz: twice the gates where the two sides have gradients of their own."""
        return 2 * self.gates if self.split else self.gates
