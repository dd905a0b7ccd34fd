"""The suite for all connectors, for Kafka."""

from __future__ import annotations

import pytest
from kafka_rig import EPOCH_MS, Rig

from streamrnn.testing.connectors import CHECKS
from streamrnn_kafka import KafkaSink, KafkaSource

pytestmark = [pytest.mark.broker, pytest.mark.slow]


class KafkaRig:
    """A topic with one partition, and its output."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        rig.create()

    def write(self, values):
        bad = b'{"a": "much"}'
        self.rig.produce([(0, None, bad if one is None else b'{"a": %r}' % one, EPOCH_MS) for one in values])

    def source(self):
        return KafkaSource.from_topics(self.rig.topic, servers=self.rig.servers, group=self.rig.name, columns=["a"])

    def sink(self):
        return KafkaSink.to_topic(self.rig.output, dead_letter_topic=self.rig.dead)

    def outputs(self):
        return [value for _, value in self.rig.pairs(self.rig.output)[0]]

    def dead_letters(self):
        return self.rig.count(self.rig.dead)


@pytest.mark.parametrize("check", CHECKS)
def test_kafka(check, rig):
    """The Kafka connector keeps what every connector promises."""
    CHECKS[check](KafkaRig(rig))
