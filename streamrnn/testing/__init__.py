"""Conformance suites: what the library's own cells, losses and optimisers are held to, for those of one's own.

A suite is a list of named checks without arguments; ``pytest.mark.parametrize`` makes a test of each::

    from streamrnn.testing import cell_checks


    @pytest.mark.parametrize("check", [pytest.param(check, id=name) for name, check in cell_checks(MY_CELL)])
    def test_my_cell(check):
        check()
"""

from __future__ import annotations

from streamrnn.testing.cells import cell_checks, check_cell
from streamrnn.testing.connector_rig import ConnectorRig, Record
from streamrnn.testing.connectors import connector_checks
from streamrnn.testing.losses import check_loss, loss_checks
from streamrnn.testing.optimizers import check_optimizer, optimizer_checks

__all__ = [
    "ConnectorRig",
    "Record",
    "cell_checks",
    "check_cell",
    "check_loss",
    "check_optimizer",
    "connector_checks",
    "loss_checks",
    "optimizer_checks",
]
