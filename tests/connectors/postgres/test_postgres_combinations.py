"""What a configuration can combine, on PostgreSQL: every pair of it here, all of it by ``make combinations``."""

from __future__ import annotations

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

GOOD = [row for row in whole(DIMENSIONS) if good(row, "snapshot")]
ROWS = GOOD if os.environ.get("STREAMRNN_COMBINATIONS") == "all" else covering(GOOD)


def name_of(row):
    return "-".join(value if isinstance(value, str) else name for name, value in row.items() if value)


def one_pass(row):
    """What one pass over the stream gives, without a server."""
    parts, found = tables(row), records(row)
    values = np.array([[np.nan if one[name] is None else one[name] for name in COLUMNS] for one in found])
    times = [one["when"] for one in found] if row["time"] else None
    keys = [one["k"] for one in found] if row["key"] else None
    model = dict(parts["model"])
    kind = model_kind(model.pop("kind", "RNNAnomalyDetector"), model)
    shard = Shard(kind, Alarm(**parts["alarm"]), forecast=Forecast(**parts["forecast"]), keyed=bool(row["key"]))
    block = Block(tuple(COLUMNS), values, range(EVENTS), EVENTS, keys, times)
    return [line.decode() for line in encode_block(block, shard.score(block), tuple(parts["output"]["fields"]))]


def run(path, events=10**9):
    """Run until so many events are written, in this process."""
    runtime = make_runtime(config.load(path, check_model), block_events=7)
    runtime.stopped = lambda: runtime.summary.events >= events
    runtime.run()


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_every_model(row, database, tmp_path, capsys):
    """Check, run, restart and verify go well, and what is written is what one pass over the same rows gives."""
    database.run(
        'CREATE TABLE events (id serial PRIMARY KEY, "when" text, a float8, b float8, y float8, w float8, k text)'
    )
    some = [(one["when"], one["a"], one["b"], one["y"], one["w"], one["k"]) for one in records(row)]
    database.run('INSERT INTO events ("when", a, b, y, w, k) VALUES (%s, %s, %s, %s, %s, %s)', *some)
    parts = tables(row)
    parts["source"] |= {"kind": "postgres", "url": database.url}
    path = write(
        tmp_path / "watch.json",
        {**parts, "sink": {"kind": "postgres", "url": database.url}, "state": {"every": EVERY}},
    )
    run(path, EVENTS // 2)
    run(path)
    for command in ("check", "verify"):
        with pytest.raises(SystemExit) as ended:
            main([command, str(path)])
        assert ended.value.code == 0, capsys.readouterr().err

    assert [line for (line,) in database.run("SELECT result::text FROM results ORDER BY id")] == one_pass(row)
