"""Snapshots and what the topics still hold: retention behind a snapshot, offsets set by tools, a state topic that goes, large snapshots."""

from __future__ import annotations

import itertools
import json
import logging
import time
from typing import Any

import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata
from kafka_rig import MODEL, Rig, make_records, offline
from test_kafka_stops import run, runtime

from streamrnn import config
from streamrnn.cli import main
from streamrnn.engine.assemble import make_runtime
from streamrnn.engine.loop import Runtime
from streamrnn.errors import RetriableSinkError, StateError
from streamrnn.scorers.kinds import model_kind
from streamrnn_kafka import KafkaSink, KafkaSource, connection, producer, state
from tests.compiled import compile_detector
from tests.engine.test_loop import KIND

pytestmark = [pytest.mark.broker, pytest.mark.slow]


class Killed(BaseException):
    """Ends a run as kill -9 does: nothing more is written."""


def killed_at(one: Runtime, events: int) -> None:
    """Run until so many events are committed, and write no snapshot then."""

    def look(*_: Any) -> None:
        if one.summary.events >= events:
            raise Killed

    one.observers = [look]
    with pytest.raises(Killed):
        one.run()


def drop_before(rig: Rig, offset: int) -> None:
    """Delete records as retention does."""
    rig.admin.delete_records({TopicPartition(rig.topic, 0): offset})


def code(command: list[str]) -> object:
    """Return the exit code of a command."""
    with pytest.raises(SystemExit) as ended:
        main(command)
    return ended.value.code


def positions(rig: Rig) -> list[int]:
    """Return the input offset that each result in the output names, in order."""
    return [json.loads(one.value)["position"] for records in rig.read(rig.output).values() for one in records]


def test_retention_behind_the_snapshot(rig, tmp_path, capsys):
    """Killed with a snapshot older than the input: check and run say so, and what they say to do goes on without a gap in the results."""
    rig.folder = tmp_path
    rig.create()
    rig.produce(make_records(400, 1, keys=0))
    options = {"source": {"record_key": False}, "state": {"every": 10_000, "every_s": 0}}
    path = str(rig.config(tmp_path, **options))
    compile_detector(MODEL["hidden_size"])
    killed_at(make_runtime(config.load(path), block_events=64), 300)
    drop_before(rig, 250)
    kept = str(tmp_path / "kept")

    assert code(["check", path]) == 76
    assert "is from position 64, and the input begins at 250" in capsys.readouterr().err
    assert code(["run", path]) == 76
    assert "is from position 64, results are written up to 320" in capsys.readouterr().err
    assert code(["snapshot", "export", path, kept, "--partition", f"{rig.topic}/0"]) == 0
    assert code(["snapshot", "import", path, kept]) == 76
    assert "--skip-gap" in capsys.readouterr().err
    assert code(["snapshot", "import", path, kept, "--skip-gap"]) == 0
    assert "goes on from" in capsys.readouterr().out
    again = runtime(rig, kind=model_kind("RNNAnomalyDetector", MODEL), **options).run()

    assert (again.restores, again.replayed) == (1, 0)
    assert positions(rig) == list(range(400))


def test_retention_before_what_was_read(rig, tmp_path, capsys):
    """Records that were never read are gone too: import goes on at the oldest there is, and says where that is."""
    rig.folder = tmp_path
    rig.create()
    rig.produce(make_records(400, 1, keys=0))
    options = {"source": {"record_key": False}, "state": {"every_s": 0}}
    path = str(rig.config(tmp_path, **options))
    compile_detector(MODEL["hidden_size"])
    killed_at(make_runtime(config.load(path), block_events=64), 128)
    drop_before(rig, 250)

    assert code(["run", path]) == 76
    assert "retention has deleted all before 250" in capsys.readouterr().err
    assert code(["snapshot", "export", path, f"{tmp_path}/kept"]) == 0
    assert code(["snapshot", "import", path, f"{tmp_path}/kept", "--skip-gap"]) == 0
    assert "position 250." in capsys.readouterr().out


def test_early_snapshot(rig, tmp_path):
    """The log's start draws near the newest snapshot: another is taken at once, so that a restart finds what it needs."""
    rig.folder = tmp_path
    rig.create()
    rig.produce(make_records(300, 1))
    one = runtime(rig, source={"stuck_after_s": 1.0}, state={"every": 10_000, "every_s": 0})
    end = time.monotonic() + 30
    seen: list[int | None] = []

    def stopped() -> bool:
        now = one.headroom().get(f"{rig.topic}/0")
        if one.summary.events == 300 and now not in (None, *seen):
            seen.append(now)
            if len(seen) == 1:
                drop_before(rig, 40)
        if one.summary.snapshots == 2 and now == 260:
            raise Killed
        return time.monotonic() > end

    one.stopped = stopped
    with pytest.raises(Killed):
        one.run()
    drop_before(rig, 290)

    assert seen[0] == 64
    assert run(rig, idle_s=0.3).restores == 1
    assert positions(rig) == list(range(300))


def test_check_warns_of_retention(rig, tmp_path, capsys):
    """The input begins close to the newest snapshot: check is good, and says so."""
    rig.create()
    rig.produce(make_records(400, 1, keys=0))
    path = str(rig.config(tmp_path, source={"record_key": False}, state={"every_s": 0}))
    compile_detector(MODEL["hidden_size"])
    killed_at(make_runtime(config.load(path), block_events=64), 128)

    assert code(["check", path]) == 0
    assert "retention:" not in capsys.readouterr().out
    drop_before(rig, 60)
    assert code(["check", path]) == 0
    assert "begins at 60, close to its newest snapshot, from position 64" in capsys.readouterr().out


def test_check_warns_of_large_snapshots(rig, tmp_path, capsys):
    """As many series as a partition may hold are more than is written before the broker aborts: check says so, with the option."""
    rig.create()
    compile_detector(MODEL["hidden_size"])
    for limit, said in ((1.0, True), (100.0, False)):
        path = str(rig.config(tmp_path, sink={"transaction_timeout_s": limit}, state={"max_keys": 10_000}))
        assert code(["check", path]) == 0
        assert ("snapshot size: " in (out := capsys.readouterr().out)) is said, out


def set_offset(rig: Rig, offset: int) -> None:
    """Set the group's offset as ``kafka-consumer-groups --reset-offsets`` does, which erases what a commit says of the state."""
    rig.wait_until(rig.group_is_empty)
    rig.admin.alter_group_offsets(rig.name, {TopicPartition(rig.topic, 0): OffsetAndMetadata(offset, "", -1)})


@pytest.mark.parametrize("offset", [200, 290])
def test_offsets_set_by_a_tool(rig, tmp_path, caplog, offset):
    """Back, or close behind a snapshot: the newest one before it is taken up, and the results from there on are those of one pass."""
    rig.folder = tmp_path
    rig.create()
    records = make_records(400, 1)
    rig.produce(records[:300])
    assert run(rig, state={"every": 64}).events == 300
    set_offset(rig, offset)
    rig.produce(records[300:])
    logging.getLogger("streamrnn").propagate = True

    with caplog.at_level("WARNING"):
        again = run(rig, state={"every": 64})

    assert (again.events, again.replayed) == (400 - offset, offset % 64)
    assert f"was set to {offset} by another program" in caplog.text
    expected = offline(records, topic=rig.topic, kind=KIND)[0]
    assert rig.pairs(rig.output)[0] == expected[:300] + expected[offset:]
    assert run(rig, idle_s=0.3).replayed == 0


def test_offset_before_every_snapshot(rig, tmp_path):
    """No snapshot is old enough: it stops, names those there are, and does as it is then told."""
    rig.folder = tmp_path
    rig.create()
    rig.produce(make_records(300, 1))
    assert run(rig, state={"every": 128}).events == 300
    set_offset(rig, 10)

    with pytest.raises(StateError, match=r"set to 10, .* no snapshot of it at or before that .*: 192, 300, 64\."):
        run(rig)
    set_offset(rig, 192)
    assert run(rig).events == 108


def test_pages_behind_an_older_snapshot(rig, tmp_path):
    """After an older snapshot was taken up, the next is written whole: compaction may take what newer pages have replaced."""
    rig.create()
    rig.produce(make_records(10, 1))
    options = {"servers": rig.servers, "group": rig.name, "columns": ["at.flow"], "session_timeout_s": 2.0}
    name, old = f"{rig.topic}/0", bytes(1_200_000)
    for turn in range(2):
        source, sink = KafkaSource.from_topics(rig.topic, **options), KafkaSink.to_topic(rig.output)
        sink.attach(source)
        with source, sink:
            while not source.poll(10, 0.2).assigned:
                pass
            restored = sink.restore(name)
            if turn == 0:
                sink.commit([], [], {name: 5}, {name: old})
                sink.commit([], [], {name: 8}, {name: b"!" + old[1:]})
            else:
                assert restored is not None
                assert (restored.snapshot, restored.snapshot_position, restored.passing) == (old, 5, True)
                sink.commit([], [], {name: 7}, {name: old})
        if turn == 0:
            set_offset(rig, 6)

    keys = [one.key.decode().removeprefix(name) for one in rig.read(rig.state)[0]]
    pages = ["/page/0", "/page/1", "/page/2"]
    assert keys == [*pages, "", "/patch/0", "", *pages, ""]


def test_state_topic_deleted(rig, tmp_path, monkeypatch):
    """The state topic is deleted under a run: it ends with the code that a restart ends with, and says that it is damaged."""
    rig.folder = tmp_path
    rig.create()
    rig.produce(make_records(200, 1))
    monkeypatch.setattr(connection, "REQUEST_S", 2.0)
    monkeypatch.setattr(state, "READ_S", 4.0)
    monkeypatch.setattr(producer, "WAIT_MS", 4000)  # how long the client asks for a topic that is no more
    one = runtime(rig, state={"every": 64})
    one.stopped = lambda: False
    gone: list[float] = []

    def look(*_: Any) -> None:
        if one.summary.events == 200 and not gone:
            gone.append(time.monotonic())
            rig.admin.delete_topics([rig.state])
            rig.produce(make_records(200, 1, seed=1))

    one.observers = [look]
    codes = []
    for attempt in (lambda: one, lambda: runtime(rig)):
        with pytest.raises(StateError, match=r"is damaged: offset .* is outside the topic") as raised:
            attempt().run()
        codes.append(raised.value.exit_code)

    assert codes == [76, 76]


def test_snapshot_longer_than_the_transaction(rig, monkeypatch):
    """A commit that lasts longer than the broker waits for is lost, soon, and says how long it took, with how much, and what to set."""
    sent, send = itertools.count(), KafkaProducer.send

    def slow(self, *args, **options):
        if next(sent) == 50:  # the broker looks every half second, and a fast machine needs less for all pages
            time.sleep(3.0)
        return send(self, *args, **options)

    monkeypatch.setattr(KafkaProducer, "send", slow)
    rig.create()
    rig.produce(make_records(10, 1))
    options = {"servers": rig.servers, "group": rig.name, "columns": ["at.flow"]}
    source = KafkaSource.from_topics(rig.topic, **options)
    sink = KafkaSink.to_topic(rig.output, transaction_timeout_s=1.0)
    sink.attach(source)
    with source, sink:
        while not source.poll(10, 0.2).assigned:
            pass
        name = f"{rig.topic}/0"
        assert sink.restore(name) is None
        started = time.monotonic()
        with pytest.raises(
            RetriableSinkError, match=r"It lasted .* s, with 254\.0 MB of snapshots; .* transaction_timeout_s = 1\. "
        ):
            sink.commit([], [], {name: 5}, {name: bytes(254_000_000)})
        assert next(sent) > 50
        assert time.monotonic() - started < 20  # not as long as the client keeps what comes behind a refused page
