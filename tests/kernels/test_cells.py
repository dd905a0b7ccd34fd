"""The library's cells pass the suite that it offers for a person's own."""

from __future__ import annotations

import pytest

from streamrnn.kernels.cells.table import CELLS
from streamrnn.testing import cell_checks
from tests.kernels import reference

CHECKS = [
    pytest.param(check, id=f"{cell}-{name}")
    for cell in CELLS
    for name, check in cell_checks(cell, reference.CELL[cell])
]


@pytest.mark.parametrize("check", CHECKS)
def test_cell(check):
    """Each check of the suite, with the equations of the paper as reference."""
    check()
