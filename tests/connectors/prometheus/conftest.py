"""One real Prometheus for all tests that need one: started when the first asks, ended with the session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_rig import PrometheusRig, Server, found_server


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[Server]:
    """A real Prometheus that samples can be written to."""
    with Server(found_server(), tmp_path_factory.mktemp("prometheus")) as one:
        yield one


@pytest.fixture
def rig(server, tmp_path) -> PrometheusRig:
    """What the suite for all connectors asks for."""
    return PrometheusRig(server, tmp_path)
