"""One real broker for all tests that need one: started when the first asks, ended with the session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka_rig import Rig
from kafka_security import Listeners, certificates

from streamrnn_kafka.broker import Broker, free_ports


@pytest.fixture(scope="session")
def listeners(tmp_path_factory: pytest.TempPathFactory) -> Listeners:
    """Ports and files of the broker's other doors: TLS with log-in, and one behind a proxy."""
    folder: Path = tmp_path_factory.mktemp("certificates")
    return Listeners(*free_ports(5), certificates(folder))


@pytest.fixture(scope="session")
def broker(listeners: Listeners) -> Iterator[Broker]:
    """A real Apache Kafka. It is never skipped: pip brings all it needs."""
    with Broker(properties=listeners.properties(), format_options=listeners.users()) as one:
        yield one


@pytest.fixture
def rig(broker: Broker) -> Iterator[Rig]:
    """Topics, records and readers, under names that no other test has."""
    with Rig(broker.servers) as one:
        yield one
