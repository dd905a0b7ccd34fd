"""The throw-away broker."""

from __future__ import annotations

import uuid

import pytest

from streamrnn_kafka.broker import Broker

pytestmark = [pytest.mark.broker, pytest.mark.slow]


def test_every_name_of_a_cluster_is_one(tmp_path, monkeypatch):
    """One name in 64 begins with a dash: no option for that."""
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(bytes=b"\xf8" + bytes(15)))

    Broker(folder=tmp_path)._prepare()

    assert "cluster.id=-AAAAA" in (tmp_path / "node-0" / "data" / "meta.properties").read_text()
