"""One suite for all connectors, here for those that need no server."""

from __future__ import annotations

import pytest
from connector_rigs import BothRig, FileRig, SqliteRig

from streamrnn.testing import connector_checks
from streamrnn.testing.connectors import CONNECTOR_CHECKS


@pytest.mark.parametrize("check", CONNECTOR_CHECKS)
@pytest.mark.parametrize("rig", [FileRig, SqliteRig, BothRig])
def test_connectors(rig, check, tmp_path):
    """The connector keeps what every connector promises."""
    dict(connector_checks(lambda: rig(tmp_path)))[check]()
