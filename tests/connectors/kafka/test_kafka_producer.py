"""The producer: many records to one partition are what they would be one by one."""

from __future__ import annotations

import contextlib

import pytest
from kafka import KafkaAdminClient, TopicPartition, codec
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, MessageSizeTooLargeError

from streamrnn.errors import ConfigError
from streamrnn_kafka import KafkaSink, KafkaSource
from streamrnn_kafka.options import SinkOptions
from streamrnn_kafka.producer import BATCH_BYTES, drop_producer, make_producer
from streamrnn_kafka.row_writer import row_writer


def test_compression_without_its_library_is_refused(monkeypatch):
    """With the option, and what to install; nothing is connected before. ``check`` says the same."""
    monkeypatch.setattr(codec, "has_zstd", lambda: False)
    sink = KafkaSink.to_topic("x", compression="zstd")
    sink.attach(KafkaSource.from_topics("in", servers="127.0.0.1:1", group="g", columns=["a"]))
    assert "zstd needs a library" in str(sink.check()[0])
    with pytest.raises(ConfigError, match=r"\[sink\] compression: zstd .* pip install 'streamrnn\[compression\]'"):
        make_producer(SinkOptions(servers="127.0.0.1:1", topic="x", compression="zstd"), "w")


@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.parametrize("compression", ["gzip", "lz4", "zstd", "snappy"])
def test_compressed_batches_hold_the_same_records(rig, compression):
    """Whole batches in a transaction are compressed as the option says, and read as they were written."""
    lines = [b'{"i":%d,"x":"%s"}' % (i, b"y" * 50) for i in range(3000)]
    rig.create(1)
    options = SinkOptions(servers=rig.servers, topic=rig.topic, compression=compression)
    producer = make_producer(options, rig.name)
    producer.init_transactions()
    producer.begin_transaction()
    row_writer(options.max_record_bytes).send(producer, TopicPartition(rig.topic, 0), lines, None, [("h", b"1")], 1)
    producer.flush()
    producer.commit_transaction()
    drop_producer(producer)

    rig.wait_until(lambda: rig.ends(rig.topic) == rig.ends(rig.topic, committed=False))
    [found] = rig.read(rig.topic).values()
    assert [one.value for one in found] == lines
    assert {tuple(one.headers) for one in found} == {(("h", b"1"),)}


@pytest.mark.broker
@pytest.mark.slow
def test_batches_outside_of_transactions_are_written_or_told(rig):
    """They come whole and in order; those that a broker refuses as too long, and cuts, are failures."""
    lines = [b'{"i":%d,"x":"%s"}' % (i, b"y" * 50) for i in range(3000)]
    rig.create(1)
    options = SinkOptions(servers=rig.servers, topic=rig.topic, delivery="at_least_once")
    producer = make_producer(options, rig.name)
    to = TopicPartition(rig.topic, 0)
    answers = row_writer(options.max_record_bytes).send(producer, to, lines, None, [("h", b"1")], 1)
    producer.flush()
    [found] = rig.read(rig.topic).values()
    assert [one.value for one in found] == lines
    assert not any(one.failed() for one in answers)

    admin = KafkaAdminClient(bootstrap_servers=rig.servers)
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, rig.topic, {"max.message.bytes": "150000"})])
    admin.close()
    [answer] = row_writer(options.max_record_bytes).send(producer, to, lines, None, [("h", b"1")], 1)

    def flushed():
        with contextlib.suppress(KafkaError):  # the client's own wait may be told of what was cut
            producer.flush()
            return True

    rig.wait_until(flushed)
    drop_producer(producer)
    assert answer.failed()
    assert isinstance(answer.exception, MessageSizeTooLargeError)


@pytest.mark.broker
@pytest.mark.slow
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
