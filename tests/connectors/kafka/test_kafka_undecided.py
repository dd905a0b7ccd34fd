"""Transactions whose end a broker has not told to a partition: it is told, before anything is written behind them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.structs import OffsetAndMetadata
from kafka_rig import Rig, apart, make_records, offline
from test_kafka_stops import run

from streamrnn_kafka import KafkaSink
from streamrnn_kafka.undecided import OFFSETS_TOPIC, Undecided, offsets_partition
from tests.engine.test_loop import KIND

pytestmark = [pytest.mark.broker, pytest.mark.slow]


def verify_partitions(admin: KafkaAdminClient, wanted: str) -> None:
    name = "transaction.partition.verification.enable"
    admin.alter_configs([ConfigResource(ConfigResourceType.BROKER, "1", {name: wanted})])
    time.sleep(0.5)  # the broker takes it up a little later


@pytest.fixture(scope="module")
def unverified(broker) -> Iterator[None]:
    """The broker takes records into transactions that their coordinator knows nothing of: what one is that it has forgotten."""
    with contextlib.closing(KafkaAdminClient(bootstrap_servers=broker.servers)) as admin:
        verify_partitions(admin, "false")
        yield
        verify_partitions(admin, "true")


def left_open(rig: Rig, name: str, value: bytes, forgotten: list[int], told: list[int] = []) -> None:  # noqa: B006
    """Write a record to partitions of the output in one transaction, and end it in those that its coordinator knows of."""
    producer = KafkaProducer(bootstrap_servers=rig.servers, transactional_id=name, linger_ms=0)
    producer.init_transactions()
    producer.begin_transaction()
    manager = producer._transaction_manager
    manager._partitions_in_transaction |= {TopicPartition(rig.output, partition) for partition in forgotten}
    for partition in told + forgotten:
        producer.send(rig.output, value, partition=partition)
    producer.flush()
    if told:
        producer.commit_transaction()
    producer.close()


def looked(rig: Rig, group: str) -> None:
    options = KafkaSink.Options(topic=rig.output, servers=rig.servers)
    places = [TopicPartition(rig.output, i) for i in range(2)]
    Undecided(options, group, f"{group}-0", places).look(0.0)


@pytest.mark.usefixtures("unverified")
@pytest.mark.parametrize("replica", ["0", "1"])
def test_what_was_aborted_never_becomes_valid(rig, tmp_path, replica):
    """Results of an aborted transaction, this member's or another's, are not read later, and hold no reader back."""
    records = make_records(400, 2)
    rig.folder = tmp_path
    rig.create(2)
    rig.create(2, rig.output)
    left_open(rig, f"{rig.name}-{replica}", b"of an aborted transaction", [0, 1])
    assert len([one for one in rig.open_transactions() if "open since" in one]) == 2
    rig.produce(records)

    run(rig, source={"replica": "0"})

    assert apart(rig.pairs(rig.output), offline(records, topic=rig.topic, kind=KIND)) == []


@pytest.mark.usefixtures("unverified")
def test_what_was_committed_stays(rig):
    """Where the coordinator has committed a transaction, the mark that is missing is that of a commit."""
    rig.create(2, rig.output)
    left_open(rig, f"{rig.name}-0", b"of a committed transaction", forgotten=[0], told=[1])
    rig.wait_until(lambda: rig.count(rig.output) > 0)  # a commit is answered before its marks are written
    assert [len(records) for records in rig.read(rig.output).values()] == [0, 1]

    looked(rig, rig.name)

    assert [len(records) for records in rig.read(rig.output).values()] == [1, 1]


@pytest.mark.usefixtures("unverified")
def test_others_are_left_alone(rig):
    """Transactions of other applications, and such as are not over, are none of ours."""
    rig.create(2, rig.output)
    left_open(rig, f"other-{rig.name}", b"of another application", [0])
    producer = KafkaProducer(bootstrap_servers=rig.servers, transactional_id=f"{rig.name}-1", linger_ms=0)
    producer.init_transactions()
    producer.begin_transaction()
    producer.send(rig.output, b"of a transaction that goes on", partition=1)
    producer.flush()

    looked(rig, rig.name)
    producer.commit_transaction()
    producer.close()

    rig.wait_until(lambda: rig.count(rig.output) > 0)
    assert rig.pairs(rig.output) == {0: [], 1: [(None, b"of a transaction that goes on")]}
    looked(rig, "other")
    assert not [one for one in rig.open_transactions() if "open since" in one]


def test_the_group_s_offsets_lie_there(rig):
    """The partition that a group's offsets lie in is the one that the brokers choose."""
    rig.create(1)
    producer = KafkaProducer(bootstrap_servers=rig.servers, transactional_id=f"{rig.name}-0")
    producer.init_transactions()
    producer.begin_transaction()
    producer.send_offsets_to_transaction({TopicPartition(rig.topic, 0): OffsetAndMetadata(0, "", -1)}, rig.name)
    [state] = rig.admin.describe_transactions([f"{rig.name}-0"]).values()
    producer.abort_transaction()
    producer.close()

    count = len(rig._readers[False].partitions_for_topic(OFFSETS_TOPIC))
    assert state.topic_partitions == {offsets_partition(rig.name, count)}
