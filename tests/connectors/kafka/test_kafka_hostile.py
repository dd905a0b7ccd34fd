"""Records that are no events, of every kind, between good ones."""

from __future__ import annotations

import pytest

from tests.chaos.kafka_hostile import KINDS, RARE, compared

pytestmark = [pytest.mark.broker, pytest.mark.slow]


def test_hostile_records_change_nothing(broker, tmp_path):
    """Good events come out as without them, byte for byte; each bad one is a dead letter, in order, with its reason."""
    seen = compared(broker.servers, tmp_path, 1500)

    assert seen["same"]
    assert seen["found"] == seen["wanted"]
    assert all(seen["reasons"])
    assert set(seen["counts"]) >= set(KINDS) - set(RARE)
