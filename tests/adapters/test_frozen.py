"""Exported weights, and keys that go on in whichever worker: without an engine."""

from __future__ import annotations

import pickle
import random

import pytest

from streamrnn import RNNAnomalyDetector, RNNForecaster, dumps, loads
from streamrnn.adapters import LearningModel, bucket_of, export
from streamrnn.errors import FeatureError, ParameterError, StateError
from tests.adapters.jobs import KINDS, alone, events_of, trained, weights


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_is_the_same_wherever_it_runs(kind, tmp_path):
    """One by one beside the others, or alone in pieces, through bytes and another model after each: the same results."""
    model, events = weights(kind, tmp_path), events_of(400)
    expected, rng = alone(model, events), random.Random(1)
    for pump in {event["pump"] for event in events}:
        mine, state, found = [event for event in events if event["pump"] == pump], None, {}
        workers = [model.copy(), pickle.loads(pickle.dumps(model))]
        start = 0
        while start < len(mine):
            worker, some = rng.choice(workers), mine[start : start + rng.randint(1, 9)]
            worker.begin("any", state)
            columns = worker.run("any", some)
            state = worker.state("any")
            found |= {
                event["seq"]: {name: column[i] for name, column in columns.items()} for i, event in enumerate(some)
            }
            start += len(some)

        assert repr(found) == repr({event["seq"]: expected[event["seq"]] for event in mine})


@pytest.mark.parametrize("kind", KINDS)
def test_results_are_those_of_the_estimator(kind, tmp_path):
    """That is frozen and fed all keys; and each key's own statistics go on, so that a level never seen in training is soon a usual one."""
    model, events = weights(kind, tmp_path), events_of(200)
    estimator = loads(model.data)
    x = [{name: event[name] for name in ("pump", "level", "rate")} for event in events]
    if kind == "regressor":
        said = []
        for one, event in zip(x, events, strict=True):
            said.append({"prediction": estimator.predict_one(one)})
            estimator.learn_one(one, event["flow"])
    else:
        said = []
        for one in x:
            why = estimator.explain_one(one)
            said.append({name: why[name] for name in model.fields})
            estimator.learn_one(one)

    assert repr(list(alone(model, events).values())) == repr(said)


def test_weights_are_named_by_what_they_are(tmp_path):
    """The same training gives the same file, another one another name; keys that the model holds are not in it, and the model stays as it was."""
    model = trained("detector")
    before = dumps(model)
    path, again = export(model, tmp_path / "a"), export(trained("detector"), tmp_path / "b")
    other = export(trained("detector", 301), tmp_path / "a")

    assert path.name == again.name != other.name
    assert path.read_bytes() == again.read_bytes()
    assert dict(loads(path.read_bytes()).slots) == {}
    assert dumps(model) == before


def test_a_state_of_other_weights_is_refused(tmp_path):
    """By both digests; what is no state at all, cut or changed is refused too, and the key goes on as it was."""
    model, other = weights("detector", tmp_path), weights("detector", tmp_path, start=1)
    events = [event for event in events_of(50) if event["pump"] == "pump 1"]
    for one in (model, other):
        one.begin("pump 1", None)
        one.run("pump 1", events)
    own = model.state("pump 1")

    with pytest.raises(StateError, match=f"made with the weights {other.digest}, and this job has {model.digest}"):
        model.begin("pump 1", other.state("pump 1"))
    for wrong in (b"", b"x" * 100, own[:-1], own[:20] + b"y" + own[21:]):
        with pytest.raises(StateError):
            model.begin("pump 1", wrong)
    with pytest.raises(ParameterError, match="bytes"):
        model.begin("pump 1", "text")
    assert model.state("pump 1") == own


def test_new_names_change_nothing(tmp_path):
    """A name that the weights do not know is passed over, one that is missing is missing; what is no number is an error, and learns nothing."""
    model = weights("detector", tmp_path)
    model.begin("a", None)
    model.run("a", [{"level": 1.0, "rate": 2.0}])
    other = model.copy()
    other.begin("a", model.state("a"))

    assert model.run("a", [{"level": 1.0, "colour": "red"}]) == other.run("a", [{"level": 1.0, "rate": None}])
    with pytest.raises(FeatureError, match="level"):
        model.run("a", [{"level": 1.0, "rate": 1.0}, {"level": "high"}])
    assert model.state("a") == other.state("a")
    assert set(model.columns) == {"level", "rate"}


@pytest.mark.parametrize("model", [RNNAnomalyDetector(hidden_size=8), RNNForecaster(horizon=2, key="k"), "text"])
def test_other_models_are_refused(model, tmp_path):
    """One without keys, one whose keys share nothing, and what is no model."""
    with pytest.raises(ParameterError, match="made with key="):
        export(model, tmp_path)


def test_buckets_learn(tmp_path):
    """Weights in a bucket go on learning, through bytes and another model as if it had never stopped; a state of other columns is refused."""
    path, events = export(trained("detector"), tmp_path), events_of(300)
    one, two = LearningModel.load(path), LearningModel.load(path)
    estimator = loads(path.read_bytes())
    estimator.unfreeze()
    one.begin("0", None)
    found = one.run("0", events[:150])["score"]
    two.begin("0", one.state("0"))
    found += two.run("0", events[150:])["score"]
    scores = []
    for event in events:
        x = {name: event[name] for name in ("pump", "level", "rate")}
        scores.append(estimator.score_one(x))
        estimator.learn_one(x)
    estimator_of_others = RNNAnomalyDetector(key="pump", hidden_size=8)
    estimator_of_others.learn_one({"pump": "a", "weight": 1.0})

    assert found == scores
    assert dumps(estimator) == two.state("0")
    assert estimator.n_updates > loads(path.read_bytes()).n_updates
    with pytest.raises(StateError, match="bucket '0'"):
        two.begin("0", dumps(estimator_of_others))
    assert len({bucket_of(f"pump {i}", 8) for i in range(100)}) == 8
