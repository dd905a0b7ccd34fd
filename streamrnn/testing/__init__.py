"""Conformance suites: what the library's own cells and losses are held to, for those of one's own.

A suite is a list of named checks without arguments; ``pytest.mark.parametrize`` makes a test of each::

    from streamrnn.testing import cell_checks


    @pytest.mark.parametrize("check", [pytest.param(check, id=name) for name, check in cell_checks(MY_CELL)])
    def test_my_cell(check):
        check()
"""

from __future__ import annotations

from streamrnn.testing.cells import cell_checks, check_cell
from streamrnn.testing.connectors import ConnectorRig, connector_checks
from streamrnn.testing.losses import check_loss, loss_checks

__all__ = ["ConnectorRig", "cell_checks", "check_cell", "check_loss", "connector_checks", "loss_checks"]
