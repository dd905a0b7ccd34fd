"""The suite for all connectors, for Prometheus: what is read from there, written exactly once to SQLite."""

from __future__ import annotations

import pytest

from streamrnn.io import SourceContext
from streamrnn.testing import connector_checks
from streamrnn.testing.connectors import CONNECTOR_CHECKS
from streamrnn_prometheus import PrometheusSource

ACCIDENTS = 2
"""Places of a commit at which a process is killed: how SQLite takes that is the matter of its own tests."""


@pytest.mark.parametrize("check", CONNECTOR_CHECKS)
def test_prometheus(check, rig):
    """The connector for Prometheus keeps what every connector promises."""
    assert isinstance(rig.source(SourceContext()), PrometheusSource)
    dict(connector_checks(lambda: rig, accidents=ACCIDENTS))[check]()
