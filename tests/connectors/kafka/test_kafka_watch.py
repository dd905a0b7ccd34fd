"""A partition that is not read any more is noticed; a broker that is away does not hold up the end."""

from __future__ import annotations

import signal
import time

import pytest
from kafka import TopicPartition
from kafka_proxy import Proxy
from kafka_rig import apart, make_records, offline, stop

from streamrnn_kafka import KafkaSource

pytestmark = [pytest.mark.broker, pytest.mark.slow]


def test_a_forgotten_partition_is_read_again(rig):
    """The client stops fetching one of two partitions: it is counted, the group is joined again, and nothing is left out."""
    rig.create(2)
    rig.produce(make_records(20, 2))
    options = {"servers": rig.servers, "group": rig.name, "columns": ["at.flow"], "session_timeout_s": 3.0}
    source = KafkaSource.from_topics(rig.topic, stuck_after_s=2.0, **options)
    with source:
        events = iter(source)
        seen = [next(events) for _ in range(20)]
        source.commit()
        source._client().pause(TopicPartition(rig.topic, 1))  # what bugs of the client's fetcher came to
        end = time.monotonic() + 30
        while not source.stuck_partitions and time.monotonic() < end:
            rig.produce(make_records(4, 2))
            for block in source.poll(100, 0.1).blocks:
                assert block.partition == f"{rig.topic}/0"
                seen += block.events()
        assert source.lag()[f"{rig.topic}/1"] > 0
        rig.produce(make_records(2, 2))
        late: dict[str, list[int]] = {f"{rig.topic}/{i}": [] for i in (0, 1)}
        ends = {i: len(found) for i, found in rig.read(rig.topic).items()}
        while any(ends[i] - 1 not in late[f"{rig.topic}/{i}"] for i in (0, 1)):
            for block in source.poll(100, 0.2).blocks:
                late[block.partition] += block.positions

    assert source.stuck_partitions == 1
    assert late[f"{rig.topic}/1"] == list(range(10, ends[1]))


def test_a_quiet_partition_is_not_stuck(rig):
    """Partitions where nothing comes, or all is read, are left alone; nothing lies between them and their ends."""
    rig.create(2)
    rig.produce([one for one in make_records(20, 2) if one[0] == 0])
    source = KafkaSource.from_topics(
        rig.topic, servers=rig.servers, group=rig.name, columns=["at.flow"], stuck_after_s=1.0
    )
    with source:
        end = time.monotonic() + 3
        while time.monotonic() < end:
            source.poll(100, 0.1)
            rig.produce([one for one in make_records(2, 2) if one[0] == 0])
        source.poll(100, 0.1)

    assert source.stuck_partitions == 0
    assert source.lag()[f"{rig.topic}/1"] == 0


def test_an_end_while_the_broker_is_away(rig, listeners, tmp_path):
    """SIGTERM while no broker answers, a commit under way, ends the run before long; the next start goes on where it was."""
    records = make_records(3000, 2)
    rig.create(2)
    config = rig.config(tmp_path, source={"servers": f"127.0.0.1:{listeners.proxy}"})

    with rig.trickling(records, pause_s=0.1):
        with Proxy(listeners.proxy, listeners.behind_proxy):
            worker = rig.start(config)
            rig.wait_until(lambda: rig.ends(rig.output) > 300)
        worker.send_signal(signal.SIGTERM)
        code = worker.wait(timeout=60)
    with Proxy(listeners.proxy, listeners.behind_proxy):
        worker = rig.start(config)
        rig.wait_until(lambda: rig.lag() == 0)
        assert stop(worker) == 0

    assert code == 0
    assert apart(rig.pairs(rig.output), offline(records, topic=rig.topic)) == []
