"""Bytewax itself: in this process with one worker and with several, torn off and resumed; and in one that is killed."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta

import pytest

from streamrnn.adapters import LearningModel, bucket_of, export
from streamrnn.errors import StateError
from tests.adapters.jobs import alone, events_of, trained, weights
from tests.laws.places import ROOT

if sys.version_info >= (3, 13):
    pytest.skip("Bytewax has no release for Python 3.13 and later", allow_module_level=True)

from bytewax import operators as op
from bytewax.connectors.files import FileSink
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSink, TestingSource, cluster_main, run_main

from streamrnn.adapters.bytewax import progressive


def flow_of(items, model, sink, key=lambda event: event["pump"]):
    """Events through a model into a sink, as lines of JSON by their numbers."""
    flow = Dataflow("job")
    up = op.key_on("key", op.input("in", flow, TestingSource(items, batch_size=7)), key)
    found = progressive("watch", up, model)
    op.output("out", op.map_value("line", found, lambda pair: json.dumps([pair[0]["seq"], pair[1]])), sink)
    return flow


def read(lines):
    """Results by the numbers of their events, each once."""
    pairs = [json.loads(line) for line in lines]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@pytest.mark.parametrize("kind", ["detector", "regressor"])
def test_results_do_not_depend_on_the_workers(kind, tmp_path):
    """One, or three: bit for bit those of one model that has all keys."""
    model, events = weights(kind, tmp_path), events_of(400)
    expected = alone(model, events)
    for workers in (1, 3):
        lines: list[str] = []
        flow = flow_of(events, model, TestingSink(lines), lambda event: event["pump"])
        cluster_main(flow, [], 0, worker_count_per_proc=workers, epoch_interval=timedelta(0))

        assert read([line for _, line in lines]) == expected


@pytest.mark.parametrize("buckets", [0, 2])
def test_a_job_that_is_torn_off_goes_on(buckets, tmp_path):
    """Four times: no result is missing, twice or different, with weights that stay and with those of buckets, which learn."""
    events, store = events_of(400), tmp_path / "store"
    path = export(trained("detector"), tmp_path / "weights")
    model = LearningModel.load(path) if buckets else weights("detector", tmp_path)
    key = (lambda event: bucket_of(event["pump"], buckets)) if buckets else (lambda event: event["pump"])
    store.mkdir()
    init_db_dir(store, 1)
    kept = {"epoch_interval": timedelta(0), "recovery_config": RecoveryConfig(str(store))}
    for place in (60, 144, 222, 333, 400):
        torn = [*events[:place], *([TestingSource.ABORT()] if place < 400 else []), *events[place:]]
        run_main(flow_of(torn, model, FileSink(tmp_path / "torn"), key), **kept)
    run_main(flow_of(events, model, FileSink(tmp_path / "whole"), key), epoch_interval=timedelta(0))
    found, expected = ((tmp_path / name).read_text().splitlines() for name in ("torn", "whole"))

    assert read(found) == read(expected)
    assert len(found) == len(events)


def test_a_store_of_other_weights_is_refused(tmp_path):
    """Where a job goes on with another file of weights it ends, and says which are which."""
    model, other = weights("detector", tmp_path), weights("detector", tmp_path, start=1)
    store = tmp_path / "store"
    store.mkdir()
    init_db_dir(store, 1)
    kept = {"epoch_interval": timedelta(0), "recovery_config": RecoveryConfig(str(store))}
    items = [*events_of(50), TestingSource.EOF(), *events_of(50)]
    run_main(flow_of(items, model, TestingSink([])), **kept)

    with pytest.raises(StateError, match=f"weights {model.digest}, and this job has {other.digest}"):
        run_main(flow_of(items, other, TestingSink([])), **kept)


def test_the_example_is_killed_and_resumed(tmp_path):
    """Its process ends by SIGKILL; no result is missing, twice or different."""
    command = [sys.executable, str(ROOT / "examples" / "bytewax_pumps.py")]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("killed: ") == 1
    assert done.stdout.splitlines()[-1] == "0 missing, 0 twice, 0 different"
