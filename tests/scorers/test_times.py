"""The time of events reaches the nets that ask for it, however the input writes it; where it cannot, check and run say so."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamrnn import (
    RNNAnomalyDetector,
    RNNClassifier,
    RNNForecaster,
    RNNRegressor,
    RNNSupervisedAnomalyDetector,
    config,
)
from streamrnn.cli import main
from streamrnn.engine.assemble import make_runtime
from streamrnn.scorers.check_model import check_model
from tests.engine.short_rig import lay

N = 2000
FIELDS = '[output]\nfields = ["prediction", "score", "feature", "forecast"]\n'
SAME = {"hidden_size": 8, "seed": 3, "time": "when"}
MODEL = 'hidden_size = 8\nseed = 3\ntime = "when"\n'


def events() -> list[tuple[float, float, float, float]]:
    """Time, a wave, a label that is what the gap lets through, and its class: nothing but the time foretells them."""
    drawn = np.random.default_rng(7)
    found, now = [], 1_700_000_000.0
    for i in range(N):
        gap = float(drawn.choice([60, 600, 1800]))
        now += gap
        found.append((now, math.sin(i / 5), gap / 30, float(gap > 300)))
    return found


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def run(folder: Path, more: str, write: Any = iso, columns: str = "") -> list[dict[str, Any]]:
    rows = [f"{write(when)},{a!r},{y!r},{c!r}" for when, a, y, c in events()]
    path = lay(folder, "when,a,y,c\n" + "\n".join(rows) + "\n", FIELDS + more)
    path.write_text(path.read_text().replace('path = "in.csv"', 'path = "in.csv"\ntime = "when"' + columns, 1))
    make_runtime(config.load(path, check_model), block_events=37).run()
    return [json.loads(line) for line in (folder / "out.jsonl").read_bytes().splitlines()]


def cells(*columns: int) -> np.ndarray[Any, Any]:
    return np.array(events())[:, columns]


def test_a_regressor_sees_the_gaps(tmp_path: Path) -> None:
    """To the bit what a loop with the time in its events gives; what depends on the gap is foretold, where it was not at all."""
    model, by_hand = RNNRegressor(**SAME), []
    for when, a, y, _ in events():
        by_hand.append(model.predict_one({0: a, "when": when}))
        model.learn_one({0: a, "when": when}, y)

    kind, columns = '[model]\nkind = "RNNRegressor"\nlabel = "y"\n', '\ncolumns = ["a", "y"]'
    found = run(tmp_path / "iso", kind + MODEL, columns=columns)
    alone = run(tmp_path / "alone", kind + MODEL.replace('time = "when"', ""), columns=columns)

    assert [one["prediction"] for one in found] == by_hand
    off = [
        np.mean([abs(one["prediction"] - row[2]) for one, row in zip(told[N // 2 :], events()[N // 2 :], strict=True)])
        for told in (found, alone)
    ]
    assert off[0] < 0.25 * off[1], off


@pytest.mark.parametrize("write", [repr, lambda when: str(int(when)), lambda when: iso(when).replace("T", " ")])
def test_however_it_is_written(tmp_path: Path, write: Any) -> None:
    """Seconds as numbers, ISO 8601 with either separator: the same results."""
    model = '[model]\nkind = "RNNSupervisedAnomalyDetector"\nlabel = "y"\n' + MODEL

    assert run(tmp_path / "other", model, write) == run(tmp_path / "iso", model)


def test_other_models_see_them(tmp_path: Path) -> None:
    """A detector of all columns, one of labels, a classifier: the bits of the same by hand; the time is no column of the results."""
    data = cells(1, 2, 3, 0)
    detector = RNNAnomalyDetector(**SAME, warm_up=20, alarm_rate=0.05)
    scored = detector.progressive_many(data, ("a", "y", "c", "when"))
    judge = RNNSupervisedAnomalyDetector(**SAME, warm_up=20, alarm_rate=0.05)
    judged = judge.progressive_many(cells(1, 3, 0), cells(2)[:, 0], (0, 1, "when"))
    classifier, classes = RNNClassifier(**SAME), []
    for when, a, y, c in events():
        x = {"a": a, "y": y, "when": when}
        classes.append(classifier.predict_one(x))
        classifier.learn_one(x, c)

    told = run(tmp_path / "d", "[model]\n" + MODEL)
    labels = run(tmp_path / "s", '[model]\nkind = "RNNSupervisedAnomalyDetector"\nlabel = "y"\n' + MODEL)
    named = run(tmp_path / "c", '[model]\nkind = "RNNClassifier"\nlabel = "c"\n' + MODEL)

    assert [one["score"] for one in told] == scored["score"].tolist()
    assert set(told[-1]["prediction"]) == {"a", "y", "c"}
    assert [list(one["prediction"].values()) for one in told[1:]] == scored["prediction"][1:, :3].tolist()
    assert [one["feature"] for one in told] == [("a", "y", "c", None, None)[i] for i in scored["feature"].tolist()]
    assert [one["score"] for one in labels] == judged["score"].tolist()
    assert [one["prediction"] for one in named] == classes


def test_a_forecaster_sees_them(tmp_path: Path) -> None:
    """The forecaster beside a model that sees the time sees it too."""
    model = RNNForecaster(horizon=2, time="when")
    for when, a, y, c in events():
        model.learn_one({"a": a, "y": y, "c": c}, {"when": when})

    found = run(tmp_path, "[forecast]\nhorizon = 2\n[model]\n" + MODEL)

    assert found[-1]["forecast"] == {name: [step[name] for step in model.forecast(2)] for name in ("a", "y", "c")}


REFUSED = {
    "no such column": ('[model]\ntime = "whan"\n', "'whan' is neither a column that is watched (a, y, c) nor the time of"),
    "not the time": ('[model]\ntime = "at"\n', "nor the time of [source], which is 'when'"),
    "no name": ("[model]\ntime = 3\n", "time: must be the name of a column. Got 3 instead."),
    "the label": ('[model]\nkind = "RNNRegressor"\nlabel = "y"\ntime = "y"\n', "must be another column than the label"),
    "no such label": ('[model]\nkind = "RNNRegressor"\nlabel = "z"\n', "no column 'z' among those that are watched: a, y, c."),
    "a word's": ('[model]\nlabel = "z"\n', "no column 'z' among those that are watched"),
    "river's label": ('[model]\nkind = "river.linear_model.LinearRegression"\nlabel = "z"\n', "no column 'z'"),
    "too many": ("[model]\nmax_features = 2\n", "the input has 3 features (a, y, c), and 2 are allowed"),
    "a key": ('[model]\nkey = "a"\n', "key: here [source] key names the column of keys"),
    "a step's": (
        ('[model]\nkind = "pipeline"\nlabel = "y"\n'
        "steps = [{ use = 'river.preprocessing.StandardScaler' }, { use = 'streamrnn.models.regressor.RNNRegressor', time = 'when' }]\n"),
        "a net within another model does not see the time",
    ),
    "no detector": ('[model]\nkind = "river.anomaly.GaussianScorer"\n', "must be an anomaly detector"),
    "no regressor": ('[model]\nkind = "river.cluster.KMeans"\nlabel = "y"\n', "must be an anomaly detector"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("columns", ["", 'columns = ["a", "y", "c"]'])
def test_what_cannot_be_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, columns: str) -> None:
    """By check with a sentence, by run with the same one and the same code, and nothing is written."""
    more, said = REFUSED[name]
    path = lay(tmp_path, "when,a,y,c\n2024-01-01,1,2,3\n2024-01-02,2,3,4\n", more)
    path.write_text(path.read_text().replace('path = "in.csv"', f'path = "in.csv"\ntime = "when"\n{columns}', 1))
    lines = []
    for command in ("check", "run"):
        with pytest.raises(SystemExit) as ended:
            main([command, str(path)])
        assert ended.value.code == 78
        lines.append(capsys.readouterr().err.splitlines()[-1])

    assert said in lines[0]
    assert lines[1] == lines[0]
    assert not (tmp_path / "out.jsonl").exists() or not (tmp_path / "out.jsonl").read_bytes()


def test_a_time_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A time that nobody can read would reach no net, so it is refused; without one that asks for it, it is passed on."""
    path = lay(tmp_path, "when,a\n31.1.2024 8h,1\n31.1.2024 9h,2\n", '[model]\nhidden_size = 8\ntime = "when"\n')
    path.write_text(path.read_text().replace('path = "in.csv"', 'path = "in.csv"\ntime = "when"', 1))
    for command in ("check", "run"):
        with pytest.raises(SystemExit) as ended:
            main([command, str(path)])
        assert ended.value.code == 78
        assert "the time '31.1.2024 8h' of 'when' is neither a number nor ISO 8601" in capsys.readouterr().err

    path.write_text(path.read_text().replace('hidden_size = 8\ntime = "when"', "hidden_size = 8"))
    with pytest.raises(SystemExit) as ended:
        main(["run", str(path)])
    assert ended.value.code == 0


def test_a_word_that_comes_later(tmp_path: Path) -> None:
    """A record with nothing but feedback is one for a detector that sees the time, too: it moves no gap, and is applied."""
    rows = [f"{iso(1_700_000_000 + 60 * i)},{i % 7 / 3!r}," for i in range(60)]
    rows.insert(50, f"{iso(1_700_000_000 + 60 * 20)},,1")
    more = '[model]\nhidden_size = 8\nlabel = "word"\nfeedback_memory = 50\ntime = "when"\n[output]\nfields = ["score", "feedback"]\n'
    path = lay(tmp_path, "when,a,word\n" + "\n".join(rows) + "\n", more)
    path.write_text(
        path.read_text().replace('"in.csv"', '"in.csv"\ntime = "when"\ncolumns = ["a", "word"]\non_missing = "mean"', 1)
    )
    make_runtime(config.load(path, check_model)).run()
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_bytes().splitlines()]

    assert found[50] == {"score": None, "feedback": True}
