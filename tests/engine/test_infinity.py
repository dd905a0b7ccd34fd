"""Infinity is a value: it is scored, written as text, and read back the same."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from streamrnn.config import Alarm, Alarms
from streamrnn.engine.output import encode_block
from streamrnn.engine.shard import Shard
from streamrnn.io import Block
from streamrnn.scorers.kinds import model_kind
from streamrnn.scorers.scored import Scored
from streamrnn_files import FileSource

N = 700


def test_infinity_from_end_to_end(tmp_path: Path) -> None:
    """It alarms, its residual is infinite, its result and its alarm hold it as text; read again from the results it is itself."""
    values = np.sin(np.arange(N) / 4.0)[:, None]
    values[[500, 600]] = [[math.inf], [-math.inf]]
    shard = Shard(model_kind("RNNAnomalyDetector", {"hidden_size": 8}), Alarm(), alarms=Alarms(path="alarms.jsonl"))
    block = Block(("flow",), values, range(N), N)
    scored = shard.score(block)

    lines = encode_block(block, scored, ("value", "residual", "alarm", "score", "low"))

    assert lines[500].startswith(b'{"value":"Infinity","residual":"Infinity","alarm":true,')
    assert lines[600].startswith(b'{"value":"-Infinity","residual":"-Infinity","alarm":true,')
    starts = [json.loads(one.data)["start"] for one in scored.episodes if b'"event":"start"' in one.data]
    assert {"Infinity", "-Infinity"} <= {one["value"] for one in starts}
    shard.restore(shard.snapshot())
    (tmp_path / "results.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    with FileSource.from_path(tmp_path / "results.jsonl", columns=["value"]) as source:
        read = [row for poll in (source.poll(N, 0.0), source.poll(N, 0.0)) for one in poll.blocks for row in one.values]
    np.testing.assert_array_equal(np.array(read), values)


def test_only_infinity_is_written_otherwise() -> None:
    """Of several features too; NaN stays null."""
    block = Block(("a", "b"), np.array([[1.5, math.inf], [math.nan, 2.0]]), range(2), 2)
    found = encode_block(block, Scored(np.zeros(2), np.ones((2, 2)), [False] * 2, [1.0] * 2), ("value",))

    assert found == [b'{"value":{"a":1.5,"b":"Infinity"}}', b'{"value":{"a":null,"b":2.0}}']
