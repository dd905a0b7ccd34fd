"""The suite for all connectors, for PostgreSQL."""

from __future__ import annotations

import pytest
from postgres_rig import PostgresRig

from streamrnn.testing import connector_checks
from streamrnn.testing.connectors import CONNECTOR_CHECKS
from streamrnn_postgres import PostgresSink

ACCIDENTS = 12
"""Places of a commit at which a process is killed, of some seventy."""


@pytest.mark.parametrize("check", CONNECTOR_CHECKS)
def test_postgres(check, rig):
    """The connector for PostgreSQL keeps what every connector promises."""
    assert isinstance(rig, PostgresRig)
    assert PostgresSink.delivery == "exactly_once"
    dict(connector_checks(lambda: rig, accidents=ACCIDENTS))[check]()
