"""Models by configuration: ours, river's by dotted name, pipelines, a factory of one's own; fields of the results."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from river import anomaly, preprocessing

from streamrnn import config
from streamrnn.cli import main
from streamrnn.engine.assemble import make_runtime
from streamrnn.engine.output import encode_block
from streamrnn.engine.shard import Shard
from streamrnn.errors import ConfigError
from streamrnn.io import Block
from streamrnn.scorers.check_model import check_model
from streamrnn.scorers.kinds import model_kind
from streamrnn.scorers.scored import Scored
from tests.engine.short_rig import lay

PIPELINE = """
[model]
kind = "pipeline"
[[model.steps]]
use = "river.preprocessing.MinMaxScaler"
[[model.steps]]
use = "river.anomaly.HalfSpaceTrees"
seed = 1
window_size = 20
"""


def place(folder: Path, more: str, rows: int = 200) -> Path:
    return lay(folder, "time,a,b\n" + "".join(f"{i},{10 + i * 7 % 24},{i % 5}\n" for i in range(rows)), more)


def run(path: Path) -> list[dict[str, Any]]:
    make_runtime(config.load(path, check_model), block_events=30).run()
    return [json.loads(line) for line in (path.parent / "out.jsonl").read_bytes().splitlines()]


def test_pipeline(tmp_path: Path) -> None:
    """A pipeline of river's by configuration scores what the same pipeline by hand scores."""
    model = preprocessing.MinMaxScaler() | anomaly.HalfSpaceTrees(seed=1, window_size=20)
    expected = []
    for i in range(200):
        x = {"a": float(10 + i * 7 % 24), "b": float(i % 5)}
        expected.append(model.score_one(x))
        model.learn_one(x)

    found = [row["score"] for row in run(place(tmp_path, PIPELINE))]

    assert expected == found
    assert max(found) > 0


def test_nested(tmp_path: Path) -> None:
    """A parameter may be an object by name itself; a class by dotted name needs no steps."""
    quantile = '[model]\nkind = "river.anomaly.QuantileFilter"\nq = 0.9\nanomaly_detector = {use = "river.anomaly.HalfSpaceTrees"}\n'

    path = place(tmp_path, quantile)

    assert len(run(path)) == 200


def test_ours_by_dotted_name(tmp_path: Path) -> None:
    """Our own models are the same by either name."""
    one = run(place(tmp_path, '[model]\nkind = "streamrnn.RNNAnomalyDetector"\nhidden_size = 8\n'))
    other = run(place(tmp_path, '[model]\nkind = "RNNAnomalyDetector"\nhidden_size = 8\n'))

    assert one == other


def test_factory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A factory of one's own is called with the parameters; what is wrong with it is a sentence."""
    (tmp_path / "my_models.py").write_text(
        "from river import anomaly\n"
        "def make(trees):\n    return anomaly.HalfSpaceTrees(n_trees=trees, seed=1)\n"
        "def broken():\n    raise RuntimeError('no luck')\n"
        "def nothing():\n    return 3\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    cases = {
        'kind = "my_models:make"\ntrees = 2\n': None,
        'kind = "my_models:mak"\n': "Did you mean 'make'?",
        'kind = "my_model:make"\n': "Is it on PYTHONPATH?",
        'kind = "my_models:broken"\n': "'my_models:broken' failed: RuntimeError: no luck",
        'kind = "my_models:make"\nn = 2\n': "unexpected keyword argument 'n'",
        'kind = "my_models:nothing"\n': "must be an anomaly detector",
    }

    for text, says in cases.items():
        path = place(tmp_path, f"[model]\n{text}")
        if says is None:
            assert len(run(path)) == 200
        else:
            with pytest.raises(ConfigError, match=r"watch\.toml:[0-9]+: ") as caught:
                config.load(path, check_model)
            assert says in str(caught.value)
    sys.modules.pop("my_models")


BROKEN = {
    'kind = "os.path.join"\n': "must be a class of river or streamrnn. Got 'os.path.join' instead.",
    'kind = "builtins.eval"\n': "must be a class of river or streamrnn.",
    'kind = "river.os.system"\n': "there is no module 'river.os'",
    'kind = "river.datasets.WaterFlow"\n': "is no estimator",
    'kind = "river.anomaly.HalfSpaceTree"\n': "Did you mean 'HalfSpaceTrees'?",
    'kind = "river.anomaly.HalfSpaceTrees"\nn_tree = 3\n': "Did you mean 'n_trees'?",
    'kind = "river.linear_model.LinearRegression"\n': "[model] label: is missing",
    'kind = "RNNRegressor"\n': "[model] label: is missing. RNNRegressor predicts a column",
    'kind = "RNNRegressor"\nlabel = 3\n': "[model] label: must be the name of a column. Got 3",
    'kind = "RNNSupervisedAnomalyDetector"\n': "[model] label: is missing. RNNSupervisedAnomalyDetector predicts a column",
    'kind = "river.anomaly.HalfSpaceTrees"\nlabel = "a"\n': "[model] label: river.anomaly.HalfSpaceTrees is a detector and has none",
    'kind = "river.anomaly.__doc__"\n': "there is no model 'river.anomaly.__doc__'",
    'kind = "river.anomaly.QuantileFilter"\n': "refuses its parameters",
    'kind = "pipeline"\n': "[model] steps: must be a list of tables",
    'kind = "pipeline"\nsteps = ["a"]\n': "[model] steps: must be a list of tables",
    'kind = "pipeline"\nsteps = [{use = 3}]\n': "[model] steps.0.use: must be the dotted name of a class",
    'kind = "pipeline"\nsteps = [{use = "river.preprocessing.StandardScaler"}]\n': "the last step must be an anomaly detector",
    'kind = "pipeline"\nseed = 1\nsteps = []\n': "[model] seed: a pipeline has 'steps' alone.",
    'kind = "pipeline"\nsteps = [{use = "river.anomaly.HalfSpaceTrees", seeds = 1}]\n': "[model] steps.0.seeds: there is no such",
}


@pytest.mark.parametrize("text", BROKEN)
def test_broken(tmp_path: Path, text: str) -> None:
    """Nothing outside river and streamrnn is reached, and each mistake is a sentence with file and line."""
    path = place(tmp_path, f"[model]\n{text}")

    with pytest.raises(ConfigError, match=r"watch\.toml:[0-9]+: ") as caught:
        config.load(path, check_model)

    assert BROKEN[text] in str(caught.value)


def test_replay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model that only pickle could write needs mode = 'replay'; restarted, it writes what an undisturbed run writes."""
    state = '[state]\ndir = "state"\n'
    for arguments in (["check"], ["check", "--offline"]):
        with pytest.raises(SystemExit) as ended:
            main([*arguments, str(place(tmp_path, PIPELINE + state))])
        assert ended.value.code == 78
        assert "cannot be written without pickle" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="cannot be written without pickle"):
        run(place(tmp_path, PIPELINE + state))
    whole = run(place(tmp_path, PIPELINE, 260))
    (tmp_path / "out.jsonl").unlink()

    half = run(place(tmp_path, PIPELINE + state + 'mode = "replay"\n', 200))
    again = make_runtime(config.load(place(tmp_path, PIPELINE + state + 'mode = "replay"\n', 260), check_model))
    summary = again.run()

    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_bytes().splitlines()]
    assert (summary.replayed, summary.events, len(half)) == (200, 60, 200)
    assert [row["score"] for row in whole] == [row["score"] for row in found]


def test_fields(tmp_path: Path) -> None:
    """Results hold the fields asked for, in that order; input is the record as it was read."""
    names = ["input", "score", "residual", "p_value", "partition"]
    path = place(tmp_path, f"[model]\nhidden_size = 8\n[output]\nfields = {names}\n")

    found = run(path)
    full = run(place(tmp_path, "[model]\nhidden_size = 8\n"))

    assert all(list(row) == names for row in found)
    assert found[7]["input"] == "7,11,2"
    assert found[9]["residual"]["a"] == full[9]["value"]["a"] - full[9]["prediction"]["a"]
    assert [row["score"] for row in found] == [row["score"] for row in full]
    with pytest.raises(ConfigError, match=r"\[output\] fields: must be a list, each item one of 'alarm', 'change', "):
        config.load(place(tmp_path, '[output]\nfields = ["scor"]\n'))
    with pytest.raises(ConfigError, match=r"\[output\] fields: must differ from each other"):
        config.load(place(tmp_path, '[output]\nfields = ["score", "score"]\n'))


@pytest.mark.parametrize("names", [("a", "b"), ('say "x"', "back\\slash"), ("Fluß", "a\nb"), ("", " ")], ids=repr)
def test_any_name(names: tuple[str, str]) -> None:
    """Whatever a feature is called, a result is JSON that reads back the same."""
    block = Block(names, np.array([[1.5, np.nan]]), (0,), 1)
    scored = Scored(np.array([0.25]), np.array([[1.0, 2.0]]), [True], [0.5])

    (line,) = encode_block(block, scored, ("value", "prediction", "residual"))

    assert json.loads(line) == {
        "value": {names[0]: 1.5, names[1]: None},
        "prediction": {names[0]: 1.0, names[1]: 2.0},
        "residual": {names[0]: 0.5, names[1]: None},
    }


def test_experts_are_named_by_a_list() -> None:
    """A configuration can name them, and a snapshot of them is one of the same model."""
    kind = model_kind("RNNRegressor", {"label": "a", "hidden_size": 8, "experts": ["net", "last"]})
    shard = Shard(kind)

    Shard(kind).restore(shard.snapshot())

    assert check_model("RNNRegressor", {"label": "a", "experts": ["net", "net"]})[0].startswith("[model] experts: ")


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("river.anomaly.HalfSpaceTrees", {"share": "net"}, "cannot keep many keys apart"),
        ("RNNAnomalyDetector", {"share": "all"}, "must be 'net' or 'none'"),
        ("RNNAnomalyDetector", {"max_keys": 7}, r"is an option of \[state\]"),
        ("RNNRegressor", {"label": "a", "key": "b"}, r"here \[source\] key names"),
    ],
)
def test_how_keys_share_is_checked(name: str, parameters: dict[str, Any], said: str) -> None:
    """What cannot be is refused with what to do; a net each, and river's models as they are, are fine."""
    [problem] = check_model(name, parameters)

    assert re.search(said, problem)
    assert check_model(name, {**{k: v for k, v in parameters.items() if k == "label"}, "share": "none"}) == []


def test_nothing_to_share(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Asked to share a net where events have no key, check and run refuse."""
    path = place(tmp_path, '[model]\nhidden_size = 8\nshare = "net"')
    for command in ("check", "run"):
        with pytest.raises(SystemExit) as ended:
            main([command, str(path)])
        assert ended.value.code == 78
        assert "[model] share: events have no key" in capsys.readouterr().err
