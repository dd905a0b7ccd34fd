"""Regressors and classifiers by configuration: the same bits as by hand, in blocks of any size and across restarts."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from river.linear_model import LinearRegression

from streamrnn import RNNAnomalyDetector, RNNClassifier, RNNRegressor, RNNSupervisedAnomalyDetector, config
from streamrnn.cli import main
from streamrnn.engine.assemble import make_runtime
from streamrnn.errors import ConfigError
from streamrnn.scorers.check_model import check_model
from streamrnn.scorers.labelled import LabelledModel
from streamrnn.scorers.store import ModelStore
from tests.engine.short_rig import lay

OUTPUT = '[output]\nfields = ["value", "prediction", "residual", "score", "alarm"]\n'

KINDS = {
    "RNNRegressor": '[model]\nkind = "RNNRegressor"\nlabel = "y"\nhidden_size = 8\nseed = 3\n',
    "RNNSupervisedAnomalyDetector": '[model]\nkind = "RNNSupervisedAnomalyDetector"\nlabel = "y"\nhidden_size = 8\nseed = 3\n',
    "RNNClassifier": '[model]\nkind = "RNNClassifier"\nlabel = "c"\nhidden_size = 8\nseed = 3\n',
    "river": '[model]\nkind = "pipeline"\nlabel = "y"\n[[model.steps]]\nuse = "river.preprocessing.StandardScaler"\n'
    '[[model.steps]]\nuse = "river.linear_model.LinearRegression"\n',
}
STATE = '[state]\ndir = "state"\nevery = 60\n'


def rows(n: int) -> list[list[float]]:
    """Two features, a label that follows the first one a step later, and once does not, a class; one label in ten is missing."""
    found = []
    for i in range(n):
        y = math.sin((i - 1) / 5) + i % 3 / 10 + 3.0 * (i == 205)
        found.append([math.sin(i / 5), float(i % 3), math.nan if i % 10 == 7 else y, float(i // 20 % 2)])
    return found


def place(folder: Path, more: str, n: int = 300) -> Path:
    cells = [",".join("" if math.isnan(one) else repr(one) for one in row) for row in rows(n)]
    return lay(folder, "a,b,y,c\n" + "\n".join(cells) + "\n", OUTPUT + more)


def run(path: Path, block_events: int = 30) -> bytes:
    make_runtime(config.load(path, check_model), block_events=block_events).run()
    return (path.parent / "out.jsonl").read_bytes()


def predictions(out: bytes) -> list[Any]:
    return [json.loads(line)["prediction"] for line in out.splitlines()]


@pytest.mark.parametrize("name", KINDS)
def test_blocks(tmp_path: Path, name: str) -> None:
    """How many events are read at once changes nothing; prediction and residual are numbers, the value is the whole event."""
    out = run(place(tmp_path, KINDS[name]), 30)

    assert run(tmp_path / "watch.toml", 7) == out
    last = json.loads(out.splitlines()[-1])
    label = "c" if name == "RNNClassifier" else "y"
    assert set(last["value"]) == {"a", "b", "y", "c"}
    assert last["residual"] == last["value"][label] - last["prediction"]
    assert 0.0 <= last["score"] <= 1.0


def test_as_by_hand(tmp_path: Path) -> None:
    """What a loop of predict_one and learn_one gives; without a label the score is null and the state moves on."""
    data = rows(300)
    regressor, classifier = RNNRegressor(hidden_size=8, seed=3), RNNClassifier(hidden_size=8, seed=3)
    numbers, classes = [], []
    for a, b, y, c in data:
        x = {0: a, 1: b, 2: c}
        numbers.append(regressor.predict_one(x))
        regressor.learn_one(x, None if math.isnan(y) else y)
        named = {name: one for name, one in zip("aby", (a, b, y), strict=True) if not math.isnan(one)}
        classes.append(classifier.predict_one(named))
        classifier.learn_one(named, c)

    out = run(place(tmp_path / "r", KINDS["RNNRegressor"]))
    assert predictions(out) == numbers
    assert [json.loads(line)["score"] is None for line in out.splitlines()] == [math.isnan(row[2]) for row in data]
    assert predictions(run(place(tmp_path / "c", KINDS["RNNClassifier"]))) == classes


def test_a_detector_of_labels_keeps_its_own_rule(tmp_path: Path) -> None:
    """What the model says by itself, with rate and warm-up of ``[alarm]``; the band is one of the label alone."""
    fields = '[output]\nfields = ["score", "alarm", "p_value", "threshold", "low", "high", "contribution", "views"]\n'
    path = place(tmp_path, KINDS["RNNSupervisedAnomalyDetector"])
    path.write_text(path.read_text().replace(OUTPUT, fields))
    data = np.array(rows(300))
    model = RNNSupervisedAnomalyDetector(hidden_size=8, seed=3, alarm_rate=0.05, warm_up=20)
    found = model.progressive_many(data[:, [0, 1, 3]], data[:, 2])

    told = [json.loads(line) for line in run(path).splitlines()]

    assert found["alarm"].any()
    for name in ("score", "alarm", "p_value", "threshold"):
        assert [one[name] for one in told] == found[name].tolist()
    assert [one["high"] for one in told[200:207]] == found["high"][200:207].tolist()
    assert [one["contribution"] for one in told] == found["score"].tolist()


def test_the_users_words_come_in_a_column(tmp_path: Path) -> None:
    """A detector with ``label`` watches the other columns, and hears; the words are in what a restart goes on with."""
    model = '[model]\nlabel = "c"\nhidden_size = 8\nseed = 3\n'
    data = np.array(rows(300))
    by_hand = RNNAnomalyDetector(hidden_size=8, seed=3, alarm_rate=0.05, warm_up=20)
    found = by_hand.progressive_many(data[:, :3], ("a", "b", "y"), data[:, 3])

    whole = run(place(tmp_path / "whole", model + STATE))
    told = [json.loads(line) for line in whole.splitlines()]
    assert [one["score"] for one in told] == found["score"].tolist()
    assert {name: one for name, one in told[-1]["prediction"].items() if one is not None} == dict(
        zip("aby", found["prediction"][-1].tolist(), strict=True)
    )
    deaf = RNNAnomalyDetector(hidden_size=8, seed=3, alarm_rate=0.05, warm_up=20)
    assert deaf.progressive_many(data[:, :3], ("a", "b", "y"))["score"].tolist() != found["score"].tolist()

    run(place(tmp_path / "half", model + STATE, 130))
    assert run(place(tmp_path / "half", model + STATE)) == whole


@pytest.mark.parametrize("name", ["RNNRegressor", "RNNClassifier", "RNNSupervisedAnomalyDetector"])
def test_restarts(tmp_path: Path, name: str) -> None:
    """A run that stopped goes on with the bits of one that never did; another label is another model."""
    whole = run(place(tmp_path / "whole", KINDS[name] + STATE))
    run(place(tmp_path / "half", KINDS[name] + STATE, 130))
    path = place(tmp_path / "half", KINDS[name] + STATE)

    assert run(path) == whole
    with pytest.raises(SystemExit) as ended:
        main(["snapshot", "verify", str(path)])
    assert ended.value.code == 0
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(path)])
    assert ended.value.code == 0


def test_scores_do_not_depend_on_blocks() -> None:
    """Sums run on from block to block, bit for bit; nothing is scored before there are two labels to compare with."""
    values = np.array(rows(200))
    one, other = (LabelledModel(LinearRegression(), "y", ModelStore("LinearRegression")) for _ in range(2))

    scores, predictions, _ = one.score(values, ("a", "b", "y", "c"))
    parts = [other.score(values[i : i + 13], ("a", "b", "y", "c"))[0] for i in range(0, 200, 13)]

    np.testing.assert_array_equal(np.concatenate(parts), scores)
    assert scores[:2].tolist() == [0.0, 0.0]
    r = (values[-1, 2] - predictions[-1, 2]) / np.nanstd(values[:-1, 2])
    assert scores[-1] == pytest.approx(r * r / (1 + r * r))


def test_no_such_column(tmp_path: Path) -> None:
    """A label that the input lacks is named, with the columns there are."""
    path = place(tmp_path, KINDS["RNNRegressor"].replace('"y"', '"load"'))

    with pytest.raises(ConfigError, match="no column 'load' among those that are watched: a, b, y, c"):
        run(path)
