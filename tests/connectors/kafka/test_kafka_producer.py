"""The producer: many records to one partition are what they would be one by one."""

from __future__ import annotations

import pytest

from streamrnn_kafka.options import SinkOptions
from streamrnn_kafka.producer import BATCH_BYTES, drop_producer, make_producer

pytestmark = [pytest.mark.broker, pytest.mark.slow]


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
def test_all_at_once_is_one_by_one(rig, delivery):
    """Keys, values, headers and order are the same; batches fill and begin, a record that none holds goes by itself."""
    records = [(None if i % 3 else b"k%d" % i, b"v" * (i % 700)) for i in range(1500)]
    records[700] = (b"large", b"L" * 3 * BATCH_BYTES)
    headers = [("from", b"flow/1")]
    rig.create(2)
    producer = make_producer(SinkOptions(servers=rig.servers, topic=rig.topic, delivery=delivery), rig.name)
    if delivery == "exactly_once":
        producer.init_transactions()
        producer.begin_transaction()

    futures = producer.send_all(rig.topic, records, headers, 1)
    for key, value in records:
        producer.send(rig.topic, value, key, headers, 0)
    producer.flush()
    if delivery == "exactly_once":
        producer.commit_transaction()
    drop_producer(producer)

    rig.wait_until(lambda: rig.ends(rig.topic) == rig.ends(rig.topic, committed=False))
    found = rig.read(rig.topic)
    one_by_one, at_once = ([(one.key, one.value, list(one.headers)) for one in found[i]] for i in range(2))
    assert [future.value.offset for future in futures] == list(range(1500))
    assert at_once == one_by_one == [(key, value, headers) for key, value in records]
