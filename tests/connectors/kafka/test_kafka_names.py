"""Two processes under one name: the later one works on undisturbed, the other stops."""

from __future__ import annotations

import time
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka_rig import Rig, apart, make_records, offline, stop

from streamrnn.errors import ConfigError, RetriableSinkError, StateError
from streamrnn_kafka import KafkaSink, KafkaSource

pytestmark = [pytest.mark.broker, pytest.mark.slow]


@pytest.mark.parametrize("delivery", ["exactly_once", "at_least_once"])
def test_the_older_of_two_processes_stops(rig, tmp_path, delivery):
    """The older one ends with 76 at once, and says why; the later one restores once and loses no commit to it."""
    records = make_records(3000, 2)
    rig.create(2)
    sink = {"delivery": delivery}

    rig.produce(records[:500])
    older = rig.start(rig.config(tmp_path, "older", sink=sink))
    rig.wait_until(lambda: rig.ends(rig.output) > 100)
    later = rig.start(rig.config(tmp_path, "later", sink=sink))
    rest = iter(range(500, 2500, 20))

    def older_has_ended() -> bool:
        start = next(rest, None)
        if start is not None:
            rig.produce(records[start : start + 20])
        return older.poll() is not None

    rig.wait_until(older_has_ended)
    rig.produce(records[next(rest, 2500) :])
    rig.wait_until(rig.done)
    assert stop(later) == 0

    assert older.returncode == 76
    assert f"Another process runs as '{rig.name}-0'" in (tmp_path / "older.log").read_text()
    said = (tmp_path / "later.log").read_text()
    assert said.count("restored") == 2
    assert "lost" not in said
    if delivery == "exactly_once":
        assert apart(rig.pairs(rig.output), offline(records, topic=rig.topic)) == []


def joined(rig: Rig, **options: Any) -> KafkaSource:
    """Return a source, not entered, of the rig's topic and group."""
    given = {"servers": rig.servers, "group": rig.name, "columns": ["at.flow"], "session_timeout_s": 2.0, **options}
    return KafkaSource.from_topics(rig.topic, **given)


def assigned(source: KafkaSource) -> list[str]:
    """Poll until partitions come; return them."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        found = source.poll(10, 0.1).assigned
        if found:
            return list(found)
    pytest.fail("No partition came.")


def poll_on(source: KafkaSource) -> None:
    """Poll for some seconds."""
    for _ in range(100):
        source.poll(10, 0.1)


def test_the_older_stops_where_nothing_happens(rig):
    """Where no event comes, and so nothing is committed, the older one is told with its next heartbeat."""
    rig.create(1)
    with joined(rig) as older:
        assert assigned(older) == [f"{rig.topic}/0"]
        with joined(rig) as later:
            assert assigned(later) == [f"{rig.topic}/0"]

            with pytest.raises(StateError, match=f"Another process runs as '{rig.name}-0'"):
                poll_on(older)
            with pytest.raises(StateError, match=f"Another process runs as '{rig.name}-0'"):
                older.check_member()
            later.check_member()


def test_a_producer_that_is_fenced_is_renewed_by_who_has_the_name(rig):
    """A transaction that its producer has lost, by a time-out say, is a lost commit where nobody else has the name."""
    rig.create(1)
    rig.produce(make_records(10, 1))
    name = f"{rig.topic}/0"
    source, sink = joined(rig), KafkaSink.to_topic(rig.output, transaction_timeout_s=5.0)
    sink.attach(source)
    with source, sink:
        assigned(source)
        assert sink.restore(name) is None
        sink.commit([], [], {name: 1}, {name: b"one"})
        other = KafkaProducer(bootstrap_servers=rig.servers, transactional_id=source.member)
        other.init_transactions()
        other.close()

        with pytest.raises(RetriableSinkError):
            sink.commit([], [], {name: 2}, {name: b"two"})
        restored = sink.restore(name)
        assert restored is not None
        assert (restored.position, restored.snapshot) == (1, b"one")
        sink.commit([], [], {name: 2}, {name: b"two"})


def test_a_group_that_shares_in_another_way(rig):
    """Other programs in the group are a mistake in the configuration, said by check and by the run, as a sentence."""
    rig.create(2)
    other = KafkaConsumer(
        rig.topic,
        bootstrap_servers=rig.servers,
        group_id=rig.name,
        partition_assignment_strategy=[RangePartitionAssignor],
        enable_auto_commit=False,
    )
    while not other.assignment():
        other.poll(timeout_ms=100)
    source = joined(rig)

    [found] = source.check()
    with joined(rig) as running, pytest.raises(ConfigError) as raised:
        poll_on(running)
    other.close()

    assert (found.exit_code, raised.value.exit_code) == (78, 78)
    assert str(found).startswith(
        f"[source] group: '{rig.name}' has members that share its partitions in the way 'range'"
    )
    assert str(raised.value).startswith(
        f"[source] group: '{rig.name}' has members that share its partitions in another"
    )
    with joined(rig) as running:
        assert len(assigned(running)) == 2
        assert source.check() == []


def test_an_open_transaction_before_the_state_hides_nothing(rig):
    """What the committed offset names was committed with it: a process that died in the middle of its own transaction is not waited for."""
    rig.create(1)
    rig.produce(make_records(10, 1))
    name = f"{rig.topic}/0"
    source, sink = joined(rig), KafkaSink.to_topic(rig.output, transaction_timeout_s=5.0)
    sink.attach(source)
    with source, sink:
        assigned(source)
        assert sink.restore(name) is None
        dead = KafkaProducer(
            bootstrap_servers=rig.servers, transactional_id=f"{rig.name}-9", transaction_timeout_ms=60_000
        )
        dead.init_transactions()
        dead.begin_transaction()
        for partition in range(len(dead.partitions_for(sink.state_topic))):
            dead.send(sink.state_topic, b"half", key=b"other", partition=partition).get(timeout=10)
        sink.commit([], [], {name: 1}, {name: b"one"})

        restored = sink.restore(name)
        held = [one for one in rig.open_transactions() if "open since offset" in one]
        dead.abort_transaction()
        dead.close()

        assert restored is not None
        assert (restored.position, restored.snapshot) == (1, b"one")
        assert len(held) == len(dead.partitions_for(sink.state_topic))  # which a test that waits in vain shows
