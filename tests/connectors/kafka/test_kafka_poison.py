"""Records and results that the brokers would not take end no run: they are dead letters, whoever looks, and however often."""

from __future__ import annotations

import json

import numpy as np
import pytest
from kafka_rig import EPOCH_MS, MOST, make_records, stop
from test_kafka_reread import told

from streamrnn.config import parse
from streamrnn.engine.assemble import make_runtime
from streamrnn.engine.limits import fitting
from streamrnn.engine.shard import Shard
from streamrnn.errors import ConfigError
from streamrnn.io import Block, DeadLetter
from streamrnn_kafka import KafkaSink, KafkaSource
from streamrnn_kafka.letters import KEPT_BYTES, LEAST_RECORD_BYTES, letter_record, record_bytes
from tests.engine.test_loop import KIND

LONG = 600_000
GOOD = b'{"at": {"flow": 0.5}}'
QUOTES = b'{"at": {"flow": 0.5}, "text": "' + b'\\"' * (LONG // 2) + b'"}'
POISON = {
    50: (b"k" * LONG, GOOD),  # stands in the result, and is its key
    60: (b"k0", QUOTES),  # quotes of the input are escaped once more
    70: (b"k" * LONG, b"?" * LONG),
    80: (b"k" * LONG, b"?"),
    90: (b"\xff" * LONG, b"?" * 10),
}
RESULTS = (50, 60)


def attached(**options):
    sink = KafkaSink.to_topic("scores", **options)
    sink.attach(KafkaSource.from_topics("flow", servers="localhost:9092", group="watch", columns=["flow"]))
    return sink


def test_the_length_of_a_result_decides():
    """A result is written up to the last byte that fits, key and headers included, and is a dead letter beyond it."""
    sink = attached(max_record_bytes=20_000)
    block = Block(("flow",), np.zeros((3, 1)), (7, 8, 9), 10, ("a", "k" * 5000, "b"), partition="flow/1")
    headers = [("streamrnn.source", b"flow/1"), ("streamrnn.application", b"watch")]
    fits = b"." * (20_000 - record_bytes(b"a", b"", headers))

    shard = Shard(KIND)
    taken = fitting(sink, shard, block, [fits, fits, fits + b"."])

    assert taken.lines == [fits]
    assert (taken.block.positions, taken.block.keys, taken.block.next_position) == ([7], ["a"], 10)
    assert taken.block.values.shape == (1, 1)
    assert [(one.position, one.partition, one.key, len(one.raw)) for one in taken.letters] == [
        (8, "flow/1", b"k" * 5000, len(fits)),
        (9, "flow/1", b"b", len(fits) + 1),
    ]
    assert taken.letters[1].reason == (
        "Its result has 20001 bytes with key and headers, more than [sink] max_record_bytes = 20000. The event was learned; "
        "what is here is its result."
    )
    assert shard.unwritten == 2


def test_what_is_not_written_is_counted_in_the_state():
    """A restored shard knows how many of its results were not written."""
    shard, other = Shard(KIND), Shard(KIND)
    plain = shard.snapshot()
    shard.unwritten = 3

    other.restore(shard.snapshot())

    assert other.unwritten == 3
    other.restore(plain)
    assert other.unwritten == 0


@pytest.mark.parametrize("value", [0, 10, 5_000, 10_000, LONG])
@pytest.mark.parametrize("key", [None, 0, 10, 5_000, 10_000, LONG])
@pytest.mark.parametrize("reason", [10, 20_000])
@pytest.mark.parametrize("limit", [LEAST_RECORD_BYTES, 1 << 20])
def test_a_dead_letter_fits(value, key, reason, limit):
    """Whatever record it is of, a dead letter is no longer than the limit; what is cut has its length in header and reason."""
    letter = DeadLetter(7, "é" * reason, b"v" * value, None, f"{'t' * 249}/123456", None if key is None else b"k" * key)

    got_key, got_value, headers = letter_record(letter, "g" * 249, limit)

    named = dict(headers)
    said = named["__streamrnn.error.reason"].decode(errors="ignore")
    assert record_bytes(got_key, got_value, headers) <= limit
    for field, got, whole, header in (
        ("value", got_value, letter.raw, "__streamrnn.error.cut"),
        ("key", got_key, letter.key, "__streamrnn.error.cut_key"),
    ):
        if header in named:
            assert (got, int(named[header])) == (whole[:KEPT_BYTES], len(whole))
            assert f"The {field} is cut here: it has {len(whole)} bytes." in said
        else:
            assert got == whole
    needless = record_bytes(letter.key, letter.raw, [one for one in headers if "cut" not in one[0]]) <= limit - 100
    assert not (needless and any("cut" in one for one in named))


@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.parametrize("own", [True, False])
def test_a_topic_that_takes_less_is_refused(rig, tmp_path, own):
    """Results could be longer than their topic takes: check and run say so before anything is written, with both numbers."""
    rig.create(1)
    rig.create(1, rig.output if own else rig.dead, **{"max.message.bytes": "100000"})
    config = parse(rig.tables(), tmp_path)
    runtime = make_runtime(config, kind=KIND)
    runtime.sink.attach(runtime.source)

    [found] = runtime.sink.check()
    with pytest.raises(ConfigError) as raised:
        runtime.run()

    assert str(found) == str(raised.value)
    assert "max.message.bytes=100000, fewer than the 1048576 of [sink] max_record_bytes" in str(found)
    smaller = parse(rig.tables(sink={"max_record_bytes": 100_000}), tmp_path)
    less = make_runtime(smaller, kind=KIND)
    less.sink.attach(less.source)
    assert less.sink.check() == []


@pytest.mark.broker
@pytest.mark.slow
def test_longest_record_is_taken(rig):
    """The topic takes what counts as just short enough, in batches with others too, and where the topic takes little."""
    for limit in (1 << 20, LEAST_RECORD_BYTES):
        rig.create(1, f"{rig.output}.{limit}", **{"max.message.bytes": str(limit)})
        sink = KafkaSink.to_topic(f"{rig.output}.{limit}", max_record_bytes=limit)
        source = KafkaSource.from_topics(rig.topic, servers=rig.servers, group=f"{rig.name}.{limit}", columns=["flow"])
        if limit == 1 << 20:
            rig.create(1)
        sink.attach(source)
        block = Block(("flow",), np.zeros((90, 1)), [*range(90)], 90, partition=f"{rig.topic}/0")
        room = limit - record_bytes(
            None,
            b"",
            [("streamrnn.source", block.partition.encode()), ("streamrnn.application", source.group.encode())],
        )
        lines = [b"." * (room if i % 30 == 29 else room // 40) for i in range(90)]
        assert sink.too_long(block, lines) == {}
        with source, sink:
            while not source.poll(1, 0.1).assigned:
                pass
            sink.restore(block.partition)
            sink.commit(lines, [], {block.partition: 90}, None, [block])
        rig.wait_until(lambda limit=limit: rig.count(f"{rig.output}.{limit}") == 90)


@pytest.mark.broker
@pytest.mark.slow
def test_poison_ends_no_run(rig, tmp_path, capsys):
    """Results and dead letters that are too long are dead letters, once each, over a kill and restarts; verify says the same."""
    records = make_records(400, 1)
    for i, (key, value) in POISON.items():
        records[i] = records[i + 250] = (0, key, value, EPOCH_MS + i)
    rig.create(1, **{"max.message.bytes": str(MOST)})
    fields = {"fields": ["time", "key", "value", "score", "position", "input"]}
    config = rig.config(tmp_path, output=fields, state={"every": 10_000})

    worker = rig.start(config)
    for start in range(0, 100, 25):
        rig.produce(records[start : start + 25])
        rig.wait_until(lambda: rig.lag() == 0)
    worker.kill()
    worker.wait()
    rig.produce(records[100:200])
    worker = rig.start(config)
    rig.wait_until(rig.done)
    assert stop(worker) == 0
    kept = tmp_path / "kept"
    assert told(capsys, "snapshot", "export", config, kept)[0] == 0
    rig.produce(records[200:])
    worker = rig.start(config)
    rig.wait_until(rig.done)
    assert stop(worker) == 0

    poison = sorted([*POISON, *(i + 250 for i in POISON)])
    assert [json.loads(value)["position"] for _, value in rig.pairs(rig.output)[0]] == [
        i for i in range(400) if i not in poison
    ]
    letters = {int(dict(one.headers)["__streamrnn.error.offset"]): one for one in rig.read(rig.dead)[0]}
    assert [*letters] == poison == sorted(letters)
    assert rig.count(rig.dead) == len(poison)
    for i in poison:
        said = dict(letters[i].headers)["__streamrnn.error.reason"].decode()
        assert ("more than [sink] max_record_bytes = 1048576" in said) == (i % 250 in RESULTS)
    code, said, _ = told(capsys, "verify", config)
    assert (code, said.startswith(f"partition {rig.topic}/0: 390 results")) == (0, True)
    code, said, _ = told(capsys, "verify", config, "--snapshot", kept)
    assert (code, said.startswith(f"partition {rig.topic}/0: 195 results")) == (0, True)
