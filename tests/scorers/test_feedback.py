"""Feedback on events that came before: applied at its place in the stream, the same bits in blocks of any size and across restarts."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamrnn import RNNAnomalyDetector, config, dumps, loads
from streamrnn.config import Alarm, Forecast
from streamrnn.engine.assemble import make_runtime
from streamrnn.engine.shard import Shard
from streamrnn.errors import ConfigError, ParameterError, StateError
from streamrnn.io import Block
from streamrnn.scorers.check_model import check_model
from streamrnn.scorers.feedback import FeedbackScorer
from streamrnn.scorers.kinds import model_kind
from streamrnn.scorers.store import ModelStore
from tests.engine.short_rig import lay

MODEL = '[model]\nlabel = "word"\nfeedback_memory = 100\nhidden_size = 8\nseed = 3\n'
OUTPUT = '[output]\nfields = ["time", "value", "score", "alarm", "view", "feedback"]\n'
STATE = '[state]\ndir = "state"\nevery = 60\n'
SPIKES = (150, 230, 300)


def records() -> list[tuple[Any, ...]]:
    """A wave with spikes as (time, level, word). A spike is called usual 40 events later; some words mean nobody's event."""
    rng = np.random.default_rng(2)
    found: list[tuple[Any, ...]] = []
    for i in range(400):
        found.append((f"t{i}", 5.0 if i in SPIKES else np.sin(i / 7) + 0.1 * rng.normal(), np.nan))
        if i - 40 in SPIKES:
            found += [(f"t{i - 40}", np.nan, 0.0)] * 2  # forwarded twice
        if i == 350:
            found += [("t10", np.nan, 1.0), ("nonsense", np.nan, 1.0)]
    return found


def run(folder: Path, more: str = "", n: int | None = None, block_events: int = 50) -> list[dict[str, Any]]:
    """The results of the first n records, resumed where there were some before."""
    lines = [",".join(str(one).replace("nan", "") for one in row) for row in records()[:n]]
    path = lay(folder, "time,level,word\n" + "\n".join(lines) + "\n", MODEL + OUTPUT + more)
    path.write_text(path.read_text().replace('path = "in.csv"', 'path = "in.csv"\ncolumns = ["level", "word"]'))
    make_runtime(config.load(path, check_model), block_events=block_events).run()
    return [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]


def test_a_late_word_is_a_word_at_its_place(tmp_path: Path) -> None:
    """What follows is what ``correct`` by hand gives; feedback that is not applied costs nothing; a repetition counts once."""
    model = RNNAnomalyDetector(hidden_size=8, seed=3, alarm_rate=0.05, warm_up=20)
    scores: list[float] = []
    told: dict[Any, dict[str, Any]] = {}
    for time, level, word in records():
        if np.isnan(word):
            told[time] = model.explain_one({"level": level})
            model.learn_one({"level": level})
            scores.append(told[time]["score"])
        elif time in [f"t{i}" for i in SPIKES] and (time, "said") not in told:
            model.correct(told[time]["feature"], told[time]["view"], bool(word))
            told[time, "said"] = {}
    found = run(tmp_path)
    events = [one for one in found if one["feedback"] is None]
    words = [one for one in found if one["feedback"] is not None]

    assert [one["score"] for one in events] == scores
    assert [one["view"] for one in events] == [told[f"t{i}"]["view"] for i in range(400)]
    assert [one["feedback"] for one in words] == [True] * 6 + [False] * 2
    assert all((one["score"], one["alarm"], one["view"]) == (None, False, None) for one in words)
    assert (model._net.array("gains") < 0.0).any()


@pytest.mark.parametrize("block_events", [1, 7])
def test_blocks_and_restarts(tmp_path: Path, block_events: int) -> None:
    """How many records are read at once changes nothing, nor does a stop between an event and the word on it."""
    whole = run(tmp_path / "whole")

    assert run(tmp_path / "other", block_events=block_events) == whole
    for stop in (160, 195):
        run(tmp_path / str(stop), STATE, stop, block_events)
        assert run(tmp_path / str(stop), STATE) == whole


def test_a_word_moves_what_follows_and_nothing_else() -> None:
    """Called usual afterwards, the view that decided counts less in the feature that did; the word of ``learn_one``, late."""
    early, late = (RNNAnomalyDetector(hidden_size=8, seed=2) for _ in range(2))
    levels = np.random.default_rng(1).normal(size=400).tolist()
    for level in levels:
        early.learn_one({"a": level, "b": -level})
        late.learn_one({"a": level, "b": -level})
    x = {"a": 9.0, "b": 0.0}
    why = late.explain_one(x)
    early.learn_one(x, feedback=False)
    late.learn_one(x)
    late.score_one(x)
    late.correct(why["feature"], why["view"], feedback=False)

    assert (why["feature"], why["view"]) == ("a", "surprise")
    assert pickle.dumps(late) == pickle.dumps(early)
    assert late.score_one(x) == early.score_one(x)
    for wrong in (("c", "value"), ("a", "size")):
        with pytest.raises(ParameterError, match="as explain_one returned"):
            late.correct(*wrong, feedback=True)


@pytest.mark.parametrize("names", [("word", "a", "b"), ("a", "word", "b"), ("a", "b", "word")])
def test_what_decided_is_a_column_of_the_input(names: tuple[str, ...]) -> None:
    """Wherever the column with the feedback stands, the feature that decided is told by its place among all columns."""
    drawn = np.random.default_rng(4).normal(size=(120, 2))
    drawn[90, 1] = 50.0
    columns = {"a": drawn[:, 0], "b": drawn[:, 1], "word": np.full(120, np.nan)}
    store = ModelStore("RNNAnomalyDetector", dumps, loads)

    found = FeedbackScorer(RNNAnomalyDetector(hidden_size=8, seed=3), "word", 10, store).run(
        np.column_stack([columns[name] for name in names]), names, None
    )

    assert names[found.details["feature"][90]] == "b"
    assert set(found.details["feature"].tolist()) <= {-1, names.index("a"), names.index("b")}


def block(keys: list[str], values: list[tuple[float, float]], times: list[Any]) -> Block:
    return Block(("level", "word"), np.array(values), range(len(keys)), len(keys), keys=keys, times=times)


def test_a_word_on_no_key_begins_no_series() -> None:
    """Nor does one on a key keep it: who is unseen for longest goes, whatever is said of it."""
    nan = float("nan")
    kind = model_kind("RNNAnomalyDetector", {"hidden_size": 8, "label": "word", "feedback_memory": 10})
    shard = Shard(kind, Alarm(), max_keys=2, forecast=Forecast(horizon=2))

    alone = shard.score(block(["x"], [(nan, 1.0)], [1]))
    shard.score(block(["x", "y"], [(1.0, nan), (1.0, nan)], [1, 1]))
    found = shard.score(
        block(["x", "ghost", "z", "x"], [(nan, 1.0), (nan, 1.0), (1.0, nan), (nan, 0.0)], [1.0, 1, 2, 1])
    )

    assert alone.details["feedback"].tolist() == [False]
    assert found.details["feedback"].tolist() == [True, False, None, False]
    assert shard.keys() == ["y", "z"]
    assert shard.unapplied == 3
    assert np.isnan(found.scores).tolist() == [True, True, False, True]
    assert found.forecasts is not None
    assert np.isnan(found.forecasts[:, :, 0]).all(axis=(1, 2)).tolist() == [True, True, False, True]


def scorer(memory: int) -> FeedbackScorer:
    """Our detector with feedback in the column ``word``."""
    return FeedbackScorer(RNNAnomalyDetector(hidden_size=8), "word", memory, ModelStore("ours", dumps, loads))


def test_the_opposite_takes_a_word_back() -> None:
    """The last word on an event counts, and counts as if it had been the only one."""
    both, last = scorer(50), scorer(50)
    values = np.array([[float(i % 2), np.nan] for i in range(200)])
    values[190, 0] = 7.0
    for one, words in ((both, [0.0, 1.0, 1.0]), (last, [1.0])):
        one.run(values, ("level", "word"), list(range(200)))
        for word in words:
            one.run(np.array([[np.nan, word]]), ("level", "word"), [190])

    np.testing.assert_allclose(both.model._net.array("gains"), last.model._net.array("gains"), rtol=1e-15)
    assert (last.model._net.array("gains") > 0.0).sum() == 1


def test_what_is_wrong_is_said() -> None:
    """No memory without a label, none without times, none for other models; a memory that no model has is refused."""
    for late, label, said in (
        (-1, "word", "from 0 to 100000. Got -1"),
        (True, "word", "Got True"),
        (9, None, "Name it: label"),
    ):
        given = {"feedback_memory": late} if label is None else {"feedback_memory": late, "label": label}
        assert said in check_model("RNNAnomalyDetector", given)[0]
    assert "no such parameter" in check_model("RNNRegressor", {"feedback_memory": 9, "label": "y"})[0]
    kind = model_kind("RNNAnomalyDetector", {"hidden_size": 8, "label": "word", "feedback_memory": 10})
    untimed = Block(("level", "word"), np.array([[1.0, np.nan]]), (0,), 1)
    with pytest.raises(ConfigError, match=r"Set \[source\] time"):
        Shard(kind).score(untimed)

    one = scorer(4)
    one.run(np.array([[1.0, np.nan]]), ("level", "word"), [1])
    again = scorer(4)
    again.restore(one.dumps())
    assert again.dumps() == one.dumps()
    for name, value in (("feature", 7), ("view", 9), ("feedback", 5)):
        other = scorer(4)
        other.restore(one.dumps())
        other.recent.only.kept[name] = value
        with pytest.raises(StateError, match="holds what none can"):
            scorer(4).restore(other.dumps())
    again.recent.only.kept = again.recent.only.kept[:3]
    with pytest.raises(StateError, match="does not fit"):
        scorer(4).restore(again.dumps())
