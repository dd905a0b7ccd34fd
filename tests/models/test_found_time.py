"""The only date among the features of the first event is the time, as if it had been named; every other one is told how to name it."""

from __future__ import annotations

import copy
import datetime as dt
import math
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from river import datasets, evaluate, metrics

import streamrnn
from streamrnn import RNNClassifier, RNNForecaster, RNNRegressor, dumps, loads
from streamrnn.errors import FeatureError
from streamrnn.testing.playing import kind_of, learn, predict

ESTIMATORS = [getattr(streamrnn, name) for name in streamrnn.__all__ if name.startswith("RNN")]
START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
HOURS = np.cumsum(np.random.default_rng(3).integers(1, 9, 50)).tolist()
EVENTS = [({"when": START + dt.timedelta(hours=h), "a": math.sin(h)}, math.cos(h)) for h in HOURS]


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_it_is_the_time_as_if_it_had_been_named(cls):
    """Every answer, before the first event too, and what is kept: those of a model with ``time="when"``, also behind a restart and frozen."""
    found, named = cls(hidden_size=8), cls(hidden_size=8, time="when")
    for i, (x, y) in enumerate(EVENTS):
        if i == 20:
            found = loads(dumps(found))
        for model in (found, named):
            (model.unfreeze if i % 7 else model.freeze)()
        np.testing.assert_equal(predict(found, x), predict(named, x))
        learn(found, x, y)
        learn(named, x, y)

    states = [model.__getstate__() for model in (found, named)]
    assert (found.time, states[0].pop("time")) == (None, "when")
    states[0]["params"]["time"] = "when"
    assert states[0] == states[1]
    assert pickle.dumps(found.clone()) == pickle.dumps(cls(hidden_size=8))
    assert pickle.dumps(copy.deepcopy(found)) == pickle.dumps(found)


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_a_block_is_a_loop(cls, kind):
    """A column of times in the first block, and the same events one by one: the same bits."""
    single, block = cls(hidden_size=8), cls(hidden_size=8)
    frame = kind({"when": [x["when"] for x, _ in EVENTS], "a": [x["a"] for x, _ in EVENTS]})
    labels = [y for _, y in EVENTS]
    for x, y in EVENTS:
        learn(single, x, y)

    what = kind_of(block)
    if what == "detector":
        block.progressive_many(frame)
    elif what == "forecaster":
        block.learn_many(labels, frame)
    elif what == "targets":
        block.learn_many(frame, kind({"y": labels, "minus y": [-y for y in labels]}))
    elif what == "classifier":
        assert set(map(str, block.predict_many(frame))) == {"None"}  # asking finds nothing for good
        block.learn_many(frame, ["up" if y > 0 else "down" for y in labels])
    elif what == "surprise":
        block.progressive_many(frame, labels)
    else:
        block.learn_many(frame, labels)

    assert pickle.dumps(block) == pickle.dumps(single)


def test_labels_that_come_late():
    """With ``advance="predict"`` the first prediction is the first event, one by one and in a block."""
    models = [RNNRegressor(hidden_size=8, advance="predict", **params) for params in ({}, {}, {"time": "when"})]
    frame = pd.DataFrame([x for x, _ in EVENTS])
    found = [[models[i].predict_one(x) for x, _ in EVENTS] for i in (0, 2)]

    assert found[0] == found[1] == models[1].predict_many(frame).tolist()
    for x, y in EVENTS:
        for model in models:
            model.learn_one(x, y)
    assert dumps(models[0]) == dumps(models[1])
    assert [model.n_dropped_labels for model in models] == [0, 0, 0]


@pytest.mark.parametrize("expert", ["rls", "arx"])
def test_rivers_evaluation_of_airline_passengers(expert):
    """``evaluate(AirlinePassengers(), RNNForecaster(...))`` runs, its features to come in a deque, and finds what a named month finds."""
    found = []
    for time in (None, "month"):
        model = RNNForecaster(horizon=12, hidden_size=8, experts=("seasonal", expert), time=time)
        data = [({**x, "quarter": x["month"].month // 4}, y) for x, y in datasets.AirlinePassengers()]
        found.append([one.get() for one in evaluate.evaluate(data, model, metrics.MAE(), horizon=12).metrics])

    assert found[0] == found[1]
    assert max(found[0]) < 100.0


TWO = {"a": 1.0, "from": START, "until": START}


@pytest.mark.parametrize(
    ("x", "name"),
    [
        (TWO, "from"), ({"a": START.date(), "b": pd.Timestamp(START)}, "a"), ({"a": 1.0, "b": np.datetime64(5, "ns"), "c": START}, "b"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_which_of_several_has_to_be_said(cls, x, name):
    """Two dates: the first is refused, with the parameter that names the time; nothing has changed. Named, the other is refused so."""
    model = cls(hidden_size=8)

    with pytest.raises(FeatureError, match=rf"Feature '{name}' must be a number.* make the model with time='{name}'"):
        learn(model, x, 1.0)
    assert pickle.dumps(model) == pickle.dumps(cls(hidden_size=8))


def test_a_date_that_comes_later_is_told_how_to_be_named():
    """A model that has learned an event has no place for a time any more, in an event or a block."""
    model = RNNRegressor(hidden_size=8)
    model.learn_one({"a": 1.0}, 1.0)
    before = pickle.dumps(model)

    for learn_it in (
        lambda: model.learn_one({"a": 1.0, "when": START}, 1.0),
        lambda: model.learn_many(pd.DataFrame({"a": [1.0], "when": [START]}), [1.0]),
    ):
        with pytest.raises(FeatureError, match=r"make the model with time='when'"):
            learn_it()
    assert pickle.dumps(model) == before


@pytest.mark.parametrize("wrong", [{"a": "text"}, {"b": START}, {f"f{i}": 1.0 for i in range(9)}])
def test_a_first_event_that_is_refused_leaves_no_time(wrong):
    """Text beside the date, a second date, too many features: the model is as new, and may find its time in the next event."""
    model = RNNClassifier(hidden_size=8, max_features=5)
    with pytest.raises(FeatureError):
        model.learn_one({"when": START, **wrong}, "x")
    with pytest.raises(FeatureError):
        model.learn_many(pd.DataFrame([{"when": START, **wrong}]), ["x"])

    assert pickle.dumps(model) == pickle.dumps(RNNClassifier(hidden_size=8, max_features=5))
    model.learn_one({"until": START}, "x")
    assert model.__getstate__()["time"] == "until"
