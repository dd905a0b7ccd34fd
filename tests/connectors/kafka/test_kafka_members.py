"""What a member of the group leaves behind when it stops, and members that come and go in the midst of a cycle."""

from __future__ import annotations

import threading

import pytest
from kafka_proxy import END_TXN, FETCH, JOIN_GROUP, OFFSET_FETCH, PRODUCE, SYNC_GROUP, TXN_OFFSET_COMMIT, Proxy
from kafka_rig import apart, make_records, offline, stop

from streamrnn_kafka import KafkaSource

pytestmark = [pytest.mark.broker, pytest.mark.slow]


@pytest.mark.parametrize("leaves", [False, True])
def test_leave_on_stop(rig, tmp_path, leaves):
    """A member keeps its place when it stops, for the session time-out; with leave_on_stop it is gone at once."""
    rig.create(1)
    rig.produce(make_records(50, 1))
    worker = rig.start(rig.config(tmp_path, source={"leave_on_stop": leaves, "session_timeout_s": 60.0}))
    rig.wait_until(lambda: rig.ends(rig.output) > 0 and rig.lag() == 0)

    assert stop(worker) == 0

    assert rig.group_is_empty() == leaves


PHASES = {
    "the group forms": ("answer", JOIN_GROUP),
    "partitions are handed out": ("answer", SYNC_GROUP),
    "the snapshot is looked for": ("answer", OFFSET_FETCH),
    "records are on their way": ("answer", FETCH),
    "outputs are sent": ("request", PRODUCE),
    "offsets join the transaction": ("request", TXN_OFFSET_COMMIT),
    "the commit is asked for": ("request", END_TXN),
    "the commit is done, and not yet known": ("answer", END_TXN),
}


@pytest.mark.parametrize("phase", PHASES)
def test_rebalance_in_every_phase(rig, listeners, tmp_path, phase):
    """One member is held in a phase of its cycle while another comes, and again while it goes: every bit stays the same."""
    records = make_records(3000, 4, bad=70)
    expected = offline(records, topic=rig.topic)  # and compiles the net, which the members then load
    member = {"replica": "second", "leave_on_stop": True}
    behind = {"servers": f"127.0.0.1:{listeners.proxy}", "connect_timeout_s": 60.0, "replica": "first"}
    held, released = threading.Event(), threading.Event()

    def rule(direction, api):
        if (direction, api) == PHASES[phase] and not released.is_set():
            held.set()
            released.wait(20)

    rig.create(4)
    with Proxy(listeners.proxy, listeners.behind_proxy, rule):
        with rig.trickling(records[:1500], chunk=40, pause_s=0.1):
            first = rig.start(rig.config(tmp_path, "first", source=behind, state={"every": 150}))
            assert held.wait(60)
            second = rig.start(rig.config(tmp_path, "second", source=member, state={"every": 150}))
            rig.wait_until(lambda: "second" in rig.members())
            released.set()
            rig.wait_until(lambda: rig.members() == {"first": 2, "second": 2})
        held.clear()
        released.clear()
        with rig.trickling(records[1500:], chunk=40, pause_s=0.1):
            second.terminate()
            rig.wait_until(lambda: "second" not in rig.members())
            assert held.wait(60)
            released.set()
            assert second.wait(30) == 0
        rig.wait_until(rig.done)
        assert stop(first) == 0

    assert apart(rig.pairs(rig.output), expected) == []


def test_given_up_while_it_joins(rig, listeners, tmp_path):
    """A member is given up while its request to join is under way; what it gets back, another has gone on with meanwhile."""
    records = make_records(4000, 4, bad=70)
    expected = offline(records, topic=rig.topic)
    behind = {"servers": f"127.0.0.1:{listeners.proxy}", "connect_timeout_s": 60.0, "replica": "first"}
    held, released = threading.Event(), threading.Event()
    released.set()

    def rule(direction, api):
        if (direction, api) == ("request", SYNC_GROUP) and not released.is_set():
            held.set()
            released.wait(60)

    rig.create(4)
    with Proxy(listeners.proxy, listeners.behind_proxy, rule):
        with rig.trickling(records, chunk=40, pause_s=0.1):
            first = rig.start(rig.config(tmp_path, "first", source=behind, state={"every": 150}))
            rig.wait_until(lambda: rig.ends(rig.output) > 0)
            released.clear()
            second = rig.start(rig.config(tmp_path, "second", source={"replica": "second"}, state={"every": 150}))
            assert held.wait(60)
            rig.wait_until(lambda: rig.members() == {"second": 4})
            before = rig.committed()
            rig.wait_until(lambda: rig.committed() > before)
            released.set()
            rig.wait_until(lambda: rig.members() == {"first": 2, "second": 2})
        rig.wait_until(rig.done)
        assert [stop(first), stop(second)] == [0, 0]

    assert apart(rig.pairs(rig.output), expected) == []


def test_a_join_that_outlasts_a_poll(rig, listeners):
    """A member joins anew because there is another topic, and the poll runs out before the answer: the next ones end it."""
    rig.create(1)
    rig.produce(make_records(20, 1))
    armed, held, released = threading.Event(), threading.Event(), threading.Event()

    def rule(direction, api):
        if (direction, api) == ("answer", SYNC_GROUP) and armed.is_set():
            held.set()
            released.wait(20)

    options = {"servers": f"127.0.0.1:{listeners.proxy}", "group": rig.name, "columns": ["at.flow"]}
    with (
        Proxy(listeners.proxy, listeners.behind_proxy, rule),
        KafkaSource.from_topics(pattern=f"{rig.topic}.*", **options) as source,
    ):
        next(iter(source))
        armed.set()
        rig.create(1, f"{rig.topic}.second")
        source._client().topics()  # at once, not with the next look at what topics there are
        while not held.is_set():
            source.poll(1, 0.05)
        released.set()
        source.committed(f"{rig.topic}/0")  # answered behind what was held

        source.commit()

    assert rig.committed() == 1
