"""Words on earlier events from a topic of their own: forwarded into the input, applied once, exact under kills."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from kafka_rig import MODEL, stop

from streamrnn.config import Alarm
from streamrnn.engine.output import encode_block
from streamrnn.engine.shard import Shard
from streamrnn.io import Block
from streamrnn.scorers.kinds import model_kind
from tests.laws.places import ROOT

pytestmark = [pytest.mark.broker, pytest.mark.slow]

FIELDS = ("time", "key", "score", "alarm", "feedback")
WORDS = {**MODEL, "label": "word", "feedback_memory": 500}


def wave(start: int, stop: int) -> list[tuple[None, bytes, bytes, int]]:
    """Events of two keys, with a spike at 150 of either."""
    rng = np.random.default_rng(start)
    return [
        (
            None, b"pump-%d" % key,
            json.dumps({"at": f"t{i}", "level": 7.0 if i == 150 else np.sin(i / 9) + 0.1 * rng.normal()}).encode(), 1000 * i,
        )
        for i in range(start, stop) for key in range(2)
    ]  # fmt: skip


def offline(rig) -> dict[int, list[bytes]]:
    """What one pass over each partition gives, without Kafka."""
    found = {}
    for partition, records in rig.read(rig.topic).items():
        rows = [json.loads(one.value) for one in records]
        values = np.array([[row.get(name, np.nan) for name in ("level", "word")] for row in rows])
        block = Block(
            ("level", "word"), values, range(len(rows)), len(rows), keys=[one.key.decode() for one in records],
            times=[row["at"] for row in rows], partition=f"{rig.topic}/{partition}",
        )  # fmt: skip
        found[partition] = encode_block(
            block, Shard(model_kind("RNNAnomalyDetector", WORDS), Alarm(), keyed=True).score(block), FIELDS
        )
    return found


def test_words_from_a_topic_of_their_own(rig, tmp_path):
    """A word comes to its event's partition by the key, is applied there, and a killed run leaves the output of one uninterrupted pass."""
    sys.path.insert(0, str(ROOT / "examples"))
    try:
        from forward_words import forward
    finally:
        sys.path.remove(str(ROOT / "examples"))
    rig.create(2)
    rig.create(1, f"{rig.name}.words")
    source = {"columns": ["level", "word"], "time": "at"}
    config = rig.config(tmp_path, source=source, model=WORDS, output={"fields": FIELDS}, state={"every": 100})
    rig.produce(wave(0, 200))
    worker = rig.start(config)
    rig.wait_until(lambda: rig.ends(rig.output) > 0, 120)
    said = [
        (b"pump-%d" % key, b'{"at": "t%d", "word": 0}' % at) for key, at in ((0, 150), (1, 150), (0, 150), (1, 999))
    ]
    rig.produce([(None, key, word, 1) for key, word in said], f"{rig.name}.words")

    assert forward(rig.servers, f"{rig.name}.words", rig.topic, endless=False) == 4
    worker.kill()
    worker.wait()
    rig.produce(wave(200, 300))
    worker = rig.start(config)
    rig.wait_until(rig.done)
    assert stop(worker) == 0

    found = {partition: [value for _, value in pairs] for partition, pairs in rig.pairs(rig.output).items()}
    assert found == offline(rig)
    results = [json.loads(line) for lines in found.values() for line in lines]
    assert sorted(one["feedback"] for one in results if one["feedback"] is not None) == [False, True, True, True]
    assert len(results) == 604
