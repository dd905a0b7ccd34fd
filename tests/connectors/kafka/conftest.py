"""One real broker for all tests that need one: started when the first asks, ended with the session."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from kafka_rig import Rig

from streamrnn_kafka.broker import Broker

# A broker that runs already (python -m streamrnn_kafka.broker) spares the start while one works on a test.
RUNNING = "STREAMRNN_TEST_KAFKA"


@pytest.fixture(scope="session")
def servers() -> Iterator[str]:
    """The address of a real Apache Kafka. It is never skipped: pip brings all it needs."""
    if RUNNING in os.environ:
        yield os.environ[RUNNING]
        return
    with Broker() as broker:
        yield broker.servers


@pytest.fixture
def rig(servers: str) -> Iterator[Rig]:
    """Topics, records and readers, under names that no other test has."""
    with Rig(servers) as one:
        yield one
