"""Alarms in a topic of their own: in the transaction of the results, each once, whatever is killed."""

from __future__ import annotations

import json

import numpy as np
import pytest
from kafka_rig import MODEL, apart, stop

from streamrnn import config
from streamrnn.commands.alerts import alarm_sink
from streamrnn.config import Alarm, Alarms
from streamrnn.engine.shard import Shard
from streamrnn.io import Block
from streamrnn.scorers.check_model import check_model
from streamrnn.scorers.kinds import model_kind

pytestmark = [pytest.mark.broker, pytest.mark.slow]

ALARM = {"rate": 0.02, "warm_up": 30}


def wave(n, partitions):
    """A wave with spikes, in keys."""
    rng = np.random.default_rng(4)
    level = np.sin(np.arange(n) / 9) + 0.1 * rng.normal(size=n)
    level[[200, 201, 330, 460, 470, 600]] += 6.0
    return [
        (i % partitions, b"k%d" % (i // partitions % 2), json.dumps({"level": level[i]}).encode(), 1000 * i)
        for i in range(n)
    ]


def one_pass(rig, records):
    """The alarms of each partition, without Kafka."""
    found = {}
    for partition in sorted({one[0] for one in records}):
        mine = [one for one in records if one[0] == partition]
        values = np.array([[json.loads(value)["level"]] for _, _, value, _ in mine])
        block = Block(
            ("level",), values, range(len(mine)), len(mine), [key.decode() for _, key, _, _ in mine],
            [ms / 1000 for *_, ms in mine], partition=f"{rig.topic}/{partition}",
        )  # fmt: skip
        shard = Shard(model_kind("RNNAnomalyDetector", MODEL), Alarm(**ALARM), keyed=True, alarms=Alarms(topic="-"))
        found[partition] = [(one.key.encode(), one.data) for one in shard.score(block).episodes]
    return found


def test_alarms_are_committed_with_the_results(rig, tmp_path):
    """A run that is killed and started again writes the alarms of one pass, and they are read back behind any number."""
    records = wave(700, 2)
    alarms = f"{rig.name}.alarms"
    rig.create(2)
    path = rig.config(
        tmp_path, source={"columns": ["level"]}, model=MODEL, alarm=ALARM, state={"every": 60}, alarms={"topic": alarms}
    )

    with rig.trickling(records):
        worker = rig.start(path)
        rig.wait_until(lambda: rig.ends(rig.output) > 350, 120)
        worker.kill()
        worker.wait()
        worker = rig.start(path)
        rig.wait_until(rig.done)
    assert stop(worker) == 0

    expected = one_pass(rig, records)
    assert sum(map(len, expected.values())) >= 8
    assert apart(rig.pairs(alarms), expected) == []
    sink = alarm_sink(config.load(path, check_model))
    read = list(sink.alarms({}))
    assert sorted(data for _, _, data in read) == sorted(data for some in expected.values() for _, data in some)
    half = {place: number for place, number, _ in read[: len(read) // 2]}
    assert [data for *_, data in sink.alarms(half)] == [data for *_, data in read[len(read) // 2 :]]
