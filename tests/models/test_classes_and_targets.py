"""Classes and targets that appear as they come."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest

from streamrnn import RNNClassifier, RNNMultiTargetRegressor
from streamrnn.errors import FeatureError, ParameterError

PARAMS = {"hidden_size": 8, "window": 8, "stride": 3}


def letters(n=90, seed=3):
    """Rows, and labels of which new ones turn up on the way; some are not known."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    y = [["a", "b", "c", "d"][min(int(rng.integers(1 + i // 20)), 3)] for i in range(n)]
    return X, [None if rng.random() < 0.1 else label for label in y]


def loop(model, X, y):
    """Predict, then learn, row by row."""
    found = []
    for row, label in zip(X.tolist(), y, strict=True):
        x = dict(enumerate(row))
        found.append(model.predict_one(x))
        model.learn_one(x, label)
    return found


def test_new_classes_inside_a_block_are_a_loop():
    """Every row is predicted by the classes known then; the state afterwards is that of a loop, bit for bit."""
    X, y = letters()
    one, many = RNNClassifier(**PARAMS), RNNClassifier(**PARAMS)

    actual = many.progressive_many(X, np.array(y, dtype=object))

    assert actual.tolist() == loop(one, X, y)
    assert pickle.dumps(many) == pickle.dumps(one)
    assert many.classes == ["a", "b", "c", "d"]


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_probabilities_come_in_the_callers_kind(frame):
    """A column a class, rows that sum to one, the numbers of ``predict_proba_one``."""
    X, y = letters()
    model = RNNClassifier(**PARAMS)
    X = frame({"0": X[:, 0], "1": X[:, 1]})
    model.learn_many(X, y)

    proba = model.predict_proba_many(X)
    labels = model.predict_many(X)

    assert isinstance(proba, frame)
    rows = proba.to_numpy().tolist()
    events = [dict(zip(X.columns, row, strict=True)) for row in X.to_numpy().tolist()]
    assert rows == [list(model.predict_proba_one(x).values()) for x in events]
    assert list(labels) == [model.predict_one(x) for x in events]


@pytest.mark.parametrize("params", [{}, {"advance": "predict"}, {"key": 0}])
def test_probabilities_of_a_block_are_those_of_a_loop(params):
    """``progressive_many(X, y, proba=True)``: bit for bit predict_proba_one before each learn_one; NaN where a class had not been seen."""
    X, y = letters()
    X[:, 0] = X[:, 0] > 0  # two keys, where there are keys
    one, many = RNNClassifier(**PARAMS, **params), RNNClassifier(**PARAMS, **params)
    looped = []
    for row, label in zip(X.tolist(), y, strict=True):
        x = dict(enumerate(row))
        looped.append(one.predict_proba_one(x))
        one.learn_one(x, label)

    found = many.progressive_many(X, y, proba=True)

    assert list(found) == many.classes == ["a", "b", "c", "d"]
    rows = [{label: column[i] for label, column in found.items() if not np.isnan(column[i])} for i in range(len(y))]
    assert rows == looped
    assert pickle.dumps(one) == pickle.dumps(many)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_probabilities_of_a_block_come_in_the_callers_kind(frame):
    """A column a class, a row an event; the labels are what they were without being asked for probabilities."""
    X, y = letters()
    data = frame({"u": X[:, 0], "v": X[:, 1]})

    found = RNNClassifier(**PARAMS).progressive_many(data, y, proba=True)

    assert isinstance(found, frame)
    assert (list(found.columns), len(found)) == (["a", "b", "c", "d"], len(y))
    labels = list(RNNClassifier(**PARAMS).progressive_many(data, y))
    values = np.nan_to_num(np.asarray(found))
    assert labels[1:] == [["a", "b", "c", "d"][k] for k in values[1:].argmax(axis=1)]


def test_a_class_that_was_never_seen_changes_nothing_for_the_others():
    """Before the first label there are no classes and no prediction; the first bool brings both."""
    model = RNNClassifier(**PARAMS)
    assert model.predict_proba_one({"u": 1.0}) == {}
    assert model.predict_one({"u": 1.0}) is None
    assert model.predict_many(np.ones((2, 1))).tolist() == [None, None]

    model.learn_one({"u": 1.0}, np.bool_(True))

    assert model.classes == [False, True]
    assert sum(model.predict_proba_one({"u": 1.0}).values()) == pytest.approx(1.0)


def test_labels_of_numpy_are_those_of_python():
    """Scalars and arrays of one element are the class that they hold."""
    model = RNNClassifier(**PARAMS)
    for label in (2, np.int64(2), np.array(2), np.array([2]), "a", np.str_("a"), np.array("a")):
        model.learn_one({"u": 1.0}, label)

    assert model.classes == [2, "a"]


@pytest.mark.parametrize("y", [["a"], {"a": 1}, object()])
def test_what_is_no_label_is_refused(y):
    """The error says what a label is; nothing has changed."""
    model = RNNClassifier(**PARAMS)
    before = pickle.dumps(model)

    with pytest.raises(FeatureError, match="label must be"):
        model.learn_one({"u": 1.0}, y)

    assert pickle.dumps(model) == before


def test_classes_are_bounded():
    """One class more than ``max_classes`` is an error, one by one and in a block, and costs nothing."""
    model = RNNClassifier(**PARAMS, max_classes=2)
    model.learn_many(np.ones((2, 1)), ["a", "b"])
    before = pickle.dumps(model)

    with pytest.raises(FeatureError, match="max_classes=2"):
        model.learn_one({0: 1.0}, "c")
    with pytest.raises(FeatureError, match="max_classes=2"):
        model.learn_many(np.ones((2, 1)), ["a", "c"])
    with pytest.raises(ParameterError, match=r"2 rows\. Got 1"):
        model.learn_many(np.ones((2, 1)), ["a"])

    assert pickle.dumps(model) == before


def test_memory_decides_the_class():
    """The label is the sign of two events ago: a net without memory, and without a linear model that sees lags beside it, guesses."""
    rng = np.random.default_rng(9)
    X = rng.choice([-1.0, 1.0], (4000, 1))
    y = ["up" if v > 0 else "down" for v in np.roll(X[:, 0], 2)]
    hits = {}
    for cell in ("lstm", "dense"):
        answers = RNNClassifier(cell=cell, **PARAMS, experts=("net",)).progressive_many(X, y)
        hits[cell] = np.mean([a == b for a, b in zip(answers[3000:], y[3000:], strict=True)])

    assert hits["lstm"] > 0.95
    assert hits["dense"] < 0.6


def multi(n=60, seed=3):
    """Rows and two targets with holes."""
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(n, 2)), rng.normal(size=(n, 2))
    Y[rng.random(Y.shape) < 0.2] = np.nan
    return X, Y


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_blocks_of_several_targets_are_a_loop(frame):
    """Targets come in one block and go in the next: the numbers of a loop, NaN where a target was not known."""
    X, Y = multi()
    one, many = RNNMultiTargetRegressor(**PARAMS), RNNMultiTargetRegressor(**PARAMS)
    for start, names in ((0, ["v"]), (20, ["u", "v"]), (40, ["u"])):
        rows, part = X[start : start + 20], Y[start : start + 20, : len(names)]
        expected = []
        for row, target in zip(rows.tolist(), part.tolist(), strict=True):
            x = {"a": row[0], "b": row[1]}
            expected.append(one.predict_one(x))
            one.learn_one(x, dict(zip(names, target, strict=True)))

        actual = many.progressive_many(
            frame({"a": rows[:, 0], "b": rows[:, 1]}), frame(dict(zip(names, part.T, strict=True)))
        )

        for name in many.targets:
            wanted = [row.get(name, np.nan) for row in expected]
            assert np.array_equal(np.array(list(actual[name])), wanted, equal_nan=True)
        assert pickle.dumps(many) == pickle.dumps(one)


def test_a_wrong_target_changes_nothing():
    """A target that is no number is named; a loss with two outputs a target is refused."""
    model = RNNMultiTargetRegressor(**PARAMS)
    model.learn_one({"u": 1.0}, {"v": 1.0})
    before = pickle.dumps(model)

    with pytest.raises(FeatureError, match=r"'w'.*'high'"):
        model.learn_one({"u": 1.0}, {"v": 1.0, "w": "high"})
    with pytest.raises(FeatureError, match=r"must be a dict by name\. Got float"):
        model.learn_one({"u": 1.0}, 1.0)
    with pytest.raises(ParameterError, match="'loss'"):
        RNNMultiTargetRegressor(loss="gaussian")

    assert pickle.dumps(model) == before
