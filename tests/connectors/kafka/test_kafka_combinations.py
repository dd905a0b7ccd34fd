"""What a configuration can combine, on Kafka: every pair of it here, all of it by ``make combinations``."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from streamrnn import config
from streamrnn.cli import main
from streamrnn.config import Alarm, Forecast
from streamrnn.engine.assemble import make_runtime
from streamrnn.engine.output import encode_block
from streamrnn.engine.shard import Shard
from streamrnn.io import Block
from streamrnn.scorers.check_model import check_model
from streamrnn.scorers.kinds import model_kind
from tests.combinations.covering import covering, whole
from tests.combinations.table import COLUMNS, DIMENSIONS, EVENTS, EVERY, good, records, tables, write

pytestmark = [pytest.mark.broker, pytest.mark.slow]

STARTED_MS = 1_700_000_000_000
GOOD = [row for row in whole(DIMENSIONS) if good(row, "snapshot")]
ROWS = GOOD if os.environ.get("STREAMRNN_COMBINATIONS") == "all" else covering(GOOD)


def name_of(row):
    return "-".join(value if isinstance(value, str) else name for name, value in row.items() if value)


def offline(row):
    """What one pass over the stream gives, without Kafka."""
    parts, found = tables(row), records(row)
    values = np.array([[np.nan if one[name] is None else one[name] for name in COLUMNS] for one in found])
    times = [one["when"] if row["time"] else (STARTED_MS + i) / 1000 for i, one in enumerate(found)]
    keys = [one["k"] for one in found] if row["key"] else None
    model = dict(parts["model"])
    kind = model_kind(model.pop("kind", "RNNAnomalyDetector"), model)
    shard = Shard(kind, Alarm(**parts["alarm"]), forecast=Forecast(**parts["forecast"]), keyed=bool(row["key"]))
    block = Block(tuple(COLUMNS), values, range(EVENTS), EVENTS, keys, times)
    return encode_block(block, shard.score(block), tuple(parts["output"]["fields"]))


def run(path, events):
    """Run until so many events are written, in this process."""
    runtime = make_runtime(config.load(path, check_model), block_events=7)
    runtime.stopped = lambda: runtime.summary.events >= events
    runtime.run()


@pytest.fixture(scope="module")
def inputs():
    """Topics of the two streams, with feedback at once and late: made once for all rows."""
    return {}


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_a_combination(rig, tmp_path, inputs, row):
    """Check says good; a run that stops halfway and one that goes on write what one pass gives; verify proves it."""
    feedback = row["feedback"]
    if feedback not in inputs:
        inputs[feedback] = rig.create(1, f"{rig.topic}.{len(inputs)}")
        sent = [(0, None, json.dumps(one).encode(), STARTED_MS + i) for i, one in enumerate(records(row))]
        rig.produce(sent, inputs[feedback])
    parts = tables(row)
    parts["source"] |= {"kind": "kafka", "servers": rig.servers, "topics": [inputs[feedback]], "group": rig.name}
    parts["sink"] = {"kind": "kafka", "topic": rig.create(1, rig.output)}
    parts["state"] = {"every": EVERY}
    path = write(tmp_path / "watch.json", parts)

    with pytest.raises(SystemExit) as checked:
        main(["check", str(path)])
    run(path, EVENTS // 2)
    run(path, EVENTS - rig.count(rig.output))
    with pytest.raises(SystemExit) as verified:
        main(["verify", str(path)])

    assert (checked.value.code, verified.value.code) == (0, 0)
    assert [value for _, value in rig.pairs(rig.output)[0]] == offline(row)
