"""Where to begin, and when to stop rather than leave a gap."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from kafka_rig import EPOCH_MS, Rig, make_records

from streamrnn import config
from streamrnn.engine.assemble import make_runtime
from streamrnn.engine.loop import Runtime
from streamrnn.engine.monitor import Summary
from streamrnn.errors import ConfigError, StateError
from streamrnn.scorers.kinds import ModelKind
from streamrnn_kafka import KafkaSource
from tests.engine.test_loop import KIND

pytestmark = [pytest.mark.broker, pytest.mark.slow]


def runtime(
    rig: Rig, *, fresh: bool = False, idle_s: float = 0.8, kind: ModelKind = KIND, **changes: dict[str, Any]
) -> Runtime:
    """Return a run that ends when nothing more comes; its model is a small one, so nothing is compiled."""
    tables = rig.tables(**changes)
    del tables["model"]
    one = make_runtime(config.parse(tables, rig.folder), fresh=fresh, kind=kind, block_events=64)
    last = [0, time.monotonic()]

    def stopped() -> bool:
        moved = one.summary.events + one.summary.replayed + one.summary.dead_letters
        if moved != last[0] or (not moved and time.monotonic() - last[1] < 20):
            last[0] = moved
            last[1] = last[1] if not moved else time.monotonic()
        return bool(time.monotonic() - last[1] > idle_s and moved) or time.monotonic() - last[1] > 10

    one.stopped = stopped
    return one


def run(rig: Rig, **changes: Any) -> Summary:
    return runtime(rig, **changes).run()


@pytest.fixture
def filled(rig: Rig, tmp_path) -> Rig:
    """Two partitions with 400 records, all of them read once."""
    rig.folder = tmp_path
    rig.create(2)
    rig.produce(make_records(400, 2))
    assert run(rig).events == 400
    return rig


def test_a_second_run_goes_on(filled):
    """A run that was asked to stop left a snapshot: the next one restores it, replays nothing, and goes on."""
    filled.produce(make_records(100, 2, seed=1))

    again = run(filled)

    assert (again.events, again.replayed, again.restores, again.lost_commits) == (100, 0, 2, 0)
    assert filled.count(filled.output) == 500


def test_lost_offset(filled):
    """The group's offsets are gone (expired, or reset) but its state is there: stop."""
    filled.wait_until(filled.group_is_empty)
    filled.admin.delete_groups([filled.name])

    with pytest.raises(StateError, match=r"holds a state of .* but the group has no offset"):
        run(filled)
    assert filled.count(filled.output) == 400


def test_foreign_metadata(filled):
    """The offset carries what another program wrote: stop, and say so."""
    from kafka import TopicPartition
    from kafka.structs import OffsetAndMetadata

    mine = OffsetAndMetadata(10, "note to self", -1)
    filled.wait_until(filled.group_is_empty)
    filled.admin.alter_group_offsets(filled.name, {TopicPartition(filled.topic, 0): mine})

    with pytest.raises(StateError, match="metadata that this program has not written: 'note to self'"):
        run(filled)


def test_retention_has_passed(filled):
    """Records that were not read yet were deleted: stop; --fresh begins at what there is."""
    from kafka import TopicPartition

    filled.produce(make_records(100, 2, seed=1))
    for partition in (0, 1):
        filled.admin.delete_records({TopicPartition(filled.topic, partition): 230})

    with pytest.raises(StateError, match="no longer holds offset 200: retention has deleted all before 230"):
        run(filled)
    assert run(filled, fresh=True).events == 40
    assert run(filled, idle_s=0.3).events == 0


def test_topic_was_recreated(filled):
    """The topic is a new one of the same name and ends before what was read: stop."""
    filled.admin.delete_topics([filled.topic])
    time.sleep(0.5)
    filled.create(2)

    with pytest.raises(StateError, match="went with a topic that was deleted"):
        run(filled)


def test_partition_was_added(filled):
    """The topic has a partition more than when the state was written: stop."""
    filled.admin.create_partitions({filled.topic: 3})

    with pytest.raises(StateError, match="has 3 partitions, 2 when its state was written"):
        run(filled)


def test_partition_was_added_where_there_are_no_keys(rig, tmp_path):
    """Without keys no key has moved: the old partitions go on with their state, and the new one is read from its start."""
    rig.folder = tmp_path
    rig.create(2)
    unkeyed = {"source": {"record_key": False}}
    rig.produce(make_records(400, 2))
    assert run(rig, **unkeyed).events == 400
    rig.admin.create_partitions({rig.topic: 3})
    rig.produce(make_records(90, 3, seed=1))

    again = run(rig, idle_s=4.0, source={"record_key": False, "start": "latest"})

    assert (again.events, again.restores) == (90, 2)
    assert [len(found) for found in rig.pairs(rig.output).values()] == [230 + 30, 230]
    assert run(rig, idle_s=0.3, **unkeyed).restores == 3


@pytest.mark.parametrize("keyed", [True, False])
def test_partition_is_added_meanwhile(rig, keyed):
    """A running member takes up the new partition from its start, whatever ``start`` says; where there are keys it stops."""
    rig.create(2)
    options = {"servers": rig.servers, "group": rig.name, "columns": ["at.flow"], "record_key": keyed}
    with KafkaSource.from_topics(rig.topic, start="latest", **options) as source:
        while not source.poll(1, 0.1).assigned:
            pass
        rig.admin.create_partitions({rig.topic: 3})
        rig.produce([(2, None, b'{"at": {"flow": 1.0}}', EPOCH_MS + i) for i in range(5)])
        found: list[int] = []

        def read() -> None:
            while len(found) < 5:
                source._client().topics()  # at once, not with the next look at what partitions there are
                for block in source.poll(5, 0.1).blocks:
                    found.extend(block.positions)

        if keyed:
            with pytest.raises(StateError, match=r"has 3 partitions, 2 before\. Its keys now come in other partitions"):
                read()
        else:
            read()

    assert found == ([] if keyed else [0, 1, 2, 3, 4])


def test_state_topic_must_be_compacted(filled):
    """A state topic that deletes by age is refused before anything is written."""
    filled.create(1, f"{filled.name}.wrong")

    with pytest.raises(StateError, match=r"cleanup\.policy=delete"):
        run(filled, state={"topic": f"{filled.name}.wrong"})


@pytest.mark.parametrize("delivery", ["at_least_once", "at_most_once"])
def test_other_deliveries(rig, tmp_path, delivery):
    """Without a crash each result comes once; state and position go on as with exactly_once."""
    rig.folder = tmp_path
    rig.create(2)
    for seed in (0, 1):
        rig.produce(make_records(200, 2, bad=50, seed=seed))
        assert run(rig, sink={"delivery": delivery}).events == 196

    assert rig.count(rig.output) == 392
    assert rig.count(rig.dead) == 8


def test_large_snapshots_are_paged(rig, tmp_path):
    """A state above the broker's record limit is written in pages and comes back whole."""
    from streamrnn_kafka import KafkaSink

    rig.create(1)
    rig.produce(make_records(10, 1))
    source_options = {"servers": rig.servers, "group": rig.name, "columns": ["at.flow"]}
    big = bytes(range(256)) * 12_000  # 3 MB
    changed = big[:1_500_000] + b"!" + big[1_500_001:]
    for snapshot, expected in ((big, None), (changed, big), (changed, changed)):
        source, sink = KafkaSource.from_topics(rig.topic, **source_options), KafkaSink.to_topic(rig.output)
        sink.attach(source)
        with source, sink:
            while not source.poll(10, 0.2).assigned:
                pass
            name = f"{rig.topic}/0"
            restored = sink.restore(name)
            assert (None if restored is None else restored.snapshot) == expected
            sink.commit([], [], {name: 5}, {name: snapshot})

    keys = [one.key.decode().removeprefix(name) for one in rig.read(rig.state)[0]]
    pages = [f"/page/{i}" for i in range(6)]
    assert keys == [*pages, "", "/patch/0", "", ""]


def events(rig: Rig, n: int, **options: Any) -> list[tuple[str, int]]:
    source = KafkaSource.from_topics(
        *options.pop("topics", (rig.topic,)),
        **{"servers": rig.servers, "group": rig.name, "columns": ["at.flow"], **options},
    )
    with source:
        all_of_them = iter(source)
        found = [next(all_of_them) for _ in range(n)]
        source.commit()
    return [(str(event.time), event.position) for event in found]


def test_start_at_a_time(rig):
    """Start = a time begins at the first record with that timestamp or a later one; the group then goes on by itself."""
    rig.create()
    rig.produce([(0, None, b'{"at": {"flow": 1.0}}', EPOCH_MS + 1000 * i) for i in range(20)])
    start = datetime.fromtimestamp(EPOCH_MS / 1000 + 12, UTC).isoformat()

    assert [position for _, position in events(rig, 3, start=start)] == [12, 13, 14]
    assert [position for _, position in events(rig, 3, start="earliest")] == [15, 16, 17]


def test_start_at_an_offset(rig):
    """Start = an offset begins there, in every partition or in those that are named; one that there is not is an error."""
    rig.create()
    rig.produce([(0, None, b'{"at": {"flow": 1.0}}', EPOCH_MS + i) for i in range(20)])

    assert [position for _, position in events(rig, 2, start="offset 12", group=f"{rig.name}.all")] == [12, 13]
    assert [position for _, position in events(rig, 2, start=f"offset {rig.topic}/0=7")] == [7, 8]
    assert [position for _, position in events(rig, 2, start="offset other/0=7", group=f"{rig.name}.other")] == [0, 1]
    with pytest.raises(ConfigError, match=r"has the offsets 0 to 20\. Got 21 instead\."):
        events(rig, 2, start="offset 21", group=f"{rig.name}.late")


def test_a_pattern_of_topics(rig):
    """A pattern reads all topics whose names begin as it says, each partition in its order."""
    for i in range(3):
        rig.create(2, f"{rig.name}.many.{i}")
        rig.produce([(p, None, b'{"at": {"flow": 1.0}}', EPOCH_MS + i) for p in (0, 1, 0)], f"{rig.name}.many.{i}")

    found = events(rig, 9, topics=(), pattern=f"{rig.name}\\.many\\.")

    assert sorted(position for _, position in found) == [0] * 6 + [1] * 3
