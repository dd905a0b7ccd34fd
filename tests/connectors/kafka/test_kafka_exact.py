"""Exactly once, state included: whatever is killed, the output is that of one uninterrupted offline pass, bit for bit."""

from __future__ import annotations

import random

import pytest
from kafka_rig import Rig, apart, make_records, offline, stop

from streamrnn.config import Records

pytestmark = [pytest.mark.broker, pytest.mark.slow]


def dead_letters(rig: Rig) -> list[tuple[int, int]]:
    """Partition and offset of each dead letter, as its headers say."""
    headers = [dict(one.headers) for records in rig.read(rig.dead).values() for one in records]
    return sorted((int(one["__streamrnn.error.partition"]), int(one["__streamrnn.error.offset"])) for one in headers)


def bad_ones(records, bad):
    seen = {}
    found = []
    for i, (partition, *_) in enumerate(records):
        if i % bad == bad - 1:
            found.append((partition, seen.get(partition, 0)))
        seen[partition] = seen.get(partition, 0) + 1
    return sorted(found)


def test_killed_workers_leave_no_mark(rig, tmp_path):
    """A worker killed at any moment, again and again, leaves the output and dead letters of one that never stopped."""
    records = make_records(3000, 3, bad=50)
    expected = offline([*records, records[0]], topic=rig.topic)  # first, so that the workers find the net compiled
    rig.create(3)
    config = rig.config(tmp_path, state={"every": 200})
    drawn = random.Random(7)

    with rig.trickling(records, chunk=20):
        rig.kill_in_the_middle(config, 3, lambda: drawn.uniform(0, 0.4))
    worker = rig.start(config)
    rig.wait_until(lambda: rig.lag() == 0)
    rig.produce(records[:1])  # once more, so that the worker is known to be at work when it is asked to stop
    rig.wait_until(rig.done)
    assert stop(worker) == 0

    assert apart(rig.pairs(rig.output), expected) == []
    assert dead_letters(rig) == bad_ones(records, 50)


def test_open_windows_survive_kills(rig, tmp_path):
    """Windows of events, with a worker killed at any moment: open ones are part of the state, and results are those of one pass."""
    records = make_records(2400, 2, keys=3)
    windows = {"every": 0.05, "aggregate": "mean"}
    expected = offline(records, topic=rig.topic, records_as=Records(**windows))
    rig.create(2)
    config = rig.config(tmp_path, source=windows, state={"every": 150})
    drawn = random.Random(11)

    with rig.trickling(records, chunk=40):
        rig.kill_in_the_middle(config, 2, lambda: drawn.uniform(0, 0.3))
    worker = rig.start(config)
    rig.wait_until(rig.done)
    rig.wait_until(lambda: rig.pairs(rig.output) == expected)
    assert stop(worker) == 0

    assert rig.pairs(rig.output) == expected


def test_partitions_move_with_their_state(rig, tmp_path):
    """Partitions that go to a second worker, and back when that one is killed, go on with what they have learned."""
    records = make_records(6000, 4)
    expected = offline(records, topic=rig.topic)
    rig.create(4)
    rig.produce(records[:2000])
    configs = [rig.config(tmp_path, f"w{i}", source={"replica": str(i)}, state={"every": 300}) for i in range(2)]

    first = rig.start(configs[0])
    rig.wait_until(lambda: rig.lag() == 0)
    second = rig.start(configs[1])
    rig.wait_until(lambda: members(rig) == [2, 2])
    rig.produce(records[2000:4000])
    rig.wait_until(lambda: rig.lag() == 0)
    second.kill()
    rig.produce(records[4000:])
    rig.wait_until(rig.done)
    assert stop(first) == 0

    assert apart(rig.pairs(rig.output), expected) == []


def members(rig: Rig) -> list[int]:
    """How many partitions each member of the group has."""
    [group] = rig.admin.describe_groups([rig.name]).values()
    return sorted(len(assigned(member)) for member in group["members"])


def assigned(member) -> list[int]:
    found = member["member_assignment"]
    return [part for topic in (found or {}).get("assigned_partitions", []) for part in topic["partitions"]]


def test_the_demo_keeps_its_word(broker, capsys):
    """``make demo-kafka`` on the broker of the tests: each result once, in spite of the kill in its middle."""
    import sys

    from tests.laws.places import ROOT

    sys.path.insert(0, str(ROOT / "examples"))
    try:
        import kafka_demo
    finally:
        sys.path.remove(str(ROOT / "examples"))

    assert kafka_demo.play(broker.servers) == 0
    assert "1268 results for 1268 events, 0 twice" in capsys.readouterr().out
