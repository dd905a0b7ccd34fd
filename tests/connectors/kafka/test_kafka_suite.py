"""The suite for all connectors, for Kafka."""

from __future__ import annotations

import json

import pytest
from kafka_rig import EPOCH_MS, Rig

from streamrnn.io import SinkContext
from streamrnn.testing import connector_checks
from streamrnn.testing.connectors import CONNECTOR_CHECKS
from streamrnn_kafka import KafkaSink, KafkaSource

pytestmark = [pytest.mark.broker, pytest.mark.slow]

ACCIDENTS = 4
"""Places of a commit at which a process is killed: each takes a member of the group that comes back."""


class KafkaRig:
    """A topic with two partitions, and its output."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.partitions = tuple(f"{rig.topic}/{i}" for i in range(2))
        self.written = {name: [] for name in self.partitions}
        rig.create(2)

    def write(self, records, partition):
        self.written[partition] += records
        self.rig.produce([(int(partition[-1]), None, self.value(one), EPOCH_MS) for one in records])

    def value(self, one):
        if one is None:
            return b'{"a": "much", "b": null}'
        return json.dumps({"a": one.a, "b": one.b, "k": one.key, "t": one.time}).encode()

    def truncate(self, partition, keep):
        """Records are deleted from a topic's beginning only: it is made anew, and shorter."""
        self.rig.admin.delete_topics([self.rig.topic])
        self.rig.wait_until(lambda: self.rig.topic not in self.rig.admin.list_topics())
        self.rig.create(2)
        kept = {name: some[: keep if name == partition else None] for name, some in self.written.items()}
        self.written = {name: [] for name in self.partitions}
        for name, some in kept.items():
            self.write(some, name)

    def source(self, context):
        options = KafkaSource.Options(
            servers=self.rig.servers,
            topics=(self.rig.topic,),
            group=self.rig.name,
            columns=("a", "b"),
            time="t",
            key="k",
        )
        return KafkaSource(options, context)

    def sink(self, context):
        """The state topic is compacted: it keeps one snapshot, whatever is asked."""
        context = SinkContext(dead_letters=self.rig.dead, fresh=context.fresh)
        return KafkaSink(KafkaSink.Options(topic=self.rig.output), context)

    def outputs(self, partition):
        return [value for _, value in self.rig.pairs(self.rig.output).get(int(partition[-1]), [])]

    def dead_letters(self, partition):
        found = self.rig.read(self.rig.dead).get(int(partition[-1]), [])
        headers = [{name: value.decode() for name, value in one.headers} for one in found]
        return [(one["__streamrnn.error.offset"], one["__streamrnn.error.reason"]) for one in headers]


@pytest.mark.parametrize("check", CONNECTOR_CHECKS)
def test_kafka(check, rig):
    """The Kafka connector keeps what every connector promises."""
    dict(connector_checks(lambda: KafkaRig(rig), accidents=ACCIDENTS))[check]()
