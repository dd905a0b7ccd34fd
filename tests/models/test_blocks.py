"""A block of rows is a loop over its rows, bit for bit."""

from __future__ import annotations

import pickle
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from river import preprocessing

from streamrnn import RNNRegressor, dumps
from streamrnn.errors import FeatureError, ParameterError

NAMES = ("b", "a", "c")
PARAMS = {"hidden_size": 8, "window": 8, "stride": 3}


def stream(n=60, seed=1):
    """Rows with missing values, and targets some of which are not known."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(n, len(NAMES))), rng.normal(size=n) + 5.0
    X[rng.random(X.shape) < 0.1] = np.nan
    y[rng.random(n) < 0.1] = np.nan
    return X, y


def loop(model, X, y, names=NAMES):
    """Predict, then learn, row by row."""
    found = []
    for row, target in zip(X.tolist(), y.tolist(), strict=True):
        x = dict(zip(names, row, strict=True))
        found.append(model.predict_one(x))
        model.learn_one(x, target)
    return found


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("cuts", [(0, 60), (0, 1, 2, 30, 60)])
def test_progressive_many_is_a_loop(frame, cuts):
    """Predictions and state after ``progressive_many`` are those of a loop, however the stream is cut."""
    X, y = stream()
    one, many = RNNRegressor(**PARAMS), RNNRegressor(**PARAMS)
    expected = loop(one, X, y)

    actual = []
    for start, stop in pairwise(cuts):
        part = frame(dict(zip(NAMES, X[start:stop].T, strict=True)))
        actual += many.progressive_many(part, y[start:stop]).to_list()

    assert actual == expected
    assert pickle.dumps(many) == pickle.dumps(one)


def test_learn_many_is_a_loop_while_names_come_and_go():
    """New columns, missing columns and other orders in between change nothing about that."""
    X, y = stream()
    one, many = RNNRegressor(**PARAMS), RNNRegressor(**PARAMS)
    for start, names in ((0, ("b",)), (15, ("a", "b", "c")), (30, ("c", "a")), (45, ("d", "b", "a"))):
        part, labels = X[start : start + 15, : len(names)], y[start : start + 15]
        loop(one, part, labels, names)

        many.learn_many(pd.DataFrame(part, columns=list(names)), pd.Series(labels))

    assert pickle.dumps(many) == pickle.dumps(one)


def test_predict_many_asks_the_present_state():
    """Many predictions in one call are as many single ones; nothing has changed afterwards."""
    X, y = stream()
    model = RNNRegressor(**PARAMS)
    model.learn_many(X, y)
    before = pickle.dumps(model)

    many = model.predict_many(X)

    assert many.tolist() == [model.predict_one(dict(enumerate(row))) for row in X.tolist()]
    assert pickle.dumps(model) == before


def test_arrays_have_columns_by_position():
    """A plain array is a frame whose columns are called 0, 1, 2."""
    X, y = stream()
    a, b = RNNRegressor(**PARAMS), RNNRegressor(**PARAMS)

    from_array = a.progressive_many(X, y)
    from_frame = b.progressive_many(pd.DataFrame(X), pd.Series(y))

    assert isinstance(from_array, np.ndarray)
    assert from_array.tolist() == from_frame.tolist()
    assert pickle.dumps(a) == pickle.dumps(b)


def test_what_an_array_masks_is_missing():
    """A masked array is one with NaN in the masked places; what lies under the mask is never learned."""
    X, y = stream()
    hidden = [np.ma.array(np.nan_to_num(one, nan=99.0), mask=np.isnan(one)) for one in (X, y)]
    plain, masked = RNNRegressor(**PARAMS), RNNRegressor(**PARAMS)

    assert plain.progressive_many(X, y).tolist() == masked.progressive_many(*hidden).tolist()
    assert pickle.dumps(plain) == pickle.dumps(masked)


def test_targets_may_be_a_frame_of_one_column():
    """As ``frame[["y"]]`` is: the bits of ``frame["y"]``."""
    X, y = stream()
    models = [RNNRegressor(**PARAMS) for _ in range(3)]
    for model, labels in zip(models, (y, pd.DataFrame({"y": y}), pl.DataFrame({"y": y})), strict=True):
        model.learn_many(X, labels)

    assert len({pickle.dumps(model) for model in models}) == 1


def test_the_answer_is_of_the_callers_kind():
    """A pandas frame in, a pandas series out, with its index; polars in, polars out."""
    X, y = stream(4)
    model = RNNRegressor(**PARAMS)

    pandas = model.progressive_many(pd.DataFrame(X, index=[7, 8, 9, 10]), pd.Series(y))
    polars = model.predict_many(pl.DataFrame(X, schema=["0", "1", "2"]))

    assert pandas.index.tolist() == [7, 8, 9, 10]
    assert isinstance(polars, pl.Series)


@pytest.mark.parametrize("rows", [0, 1])
def test_empty_and_single_rows(rows):
    """No rows: nothing happens. One row: as one event."""
    X, y = stream(rows)
    model = RNNRegressor(**PARAMS)

    assert len(model.predict_many(X)) == rows
    assert len(model.progressive_many(X, y)) == rows
    assert model.n_events == rows


@pytest.mark.parametrize(
    ("X", "y", "error", "said"),
    [
        (pd.DataFrame({"a": [1.0, 2.0], "town": ["Oslo", "Rome"]}), [1.0, 2.0], FeatureError, "'town'.*'Oslo'"),
        (np.array([["x"]]), [1.0], FeatureError, "must hold numbers"),
        (np.zeros(3), [1.0] * 3, ParameterError, "2-D"),
        (np.zeros((3, 1)), [1.0] * 2, ParameterError, "3 rows. Got 2"),
        (np.zeros((1, 1)), ["high"], FeatureError, "'y'.*'high'"),
        (np.zeros((1, 9)), [1.0], FeatureError, "max_features=8"),
        (pd.DataFrame({"a": [1.0], "at": [pd.Timestamp("2024-05-01")]}), [1.0], FeatureError, "'at' must be a number"),
        (pl.LazyFrame({"a": [1.0]}), [1.0], ParameterError, "'X'.*not a lazy one.*Got LazyFrame"),
        ([{"a": 1.0}], [1.0], ParameterError, "'X'.*Got list"),
        (np.zeros((1, 1)), None, ParameterError, "'y'.*Got NoneType"),
        (np.zeros((1, 1)), pd.DataFrame({"a": [1.0], "b": [2.0]}), ParameterError, "'y'.*Got DataFrame"),
    ],
)
def test_a_bad_block_changes_nothing(X, y, error, said):
    """What is no block of numbers is refused by name, before anything has been learned."""
    model = RNNRegressor(**PARAMS, max_features=8)
    model.learn_one({"z": 1.0}, 1.0)
    before = pickle.dumps(model)

    with pytest.raises(error, match=said):
        model.learn_many(X, y)

    assert pickle.dumps(model) == before


def test_a_block_behind_a_scaler_is_the_scaled_rows_one_by_one():
    """``learn_many`` of a pipeline differs from its ``learn_one`` by what the scaler does to a block, and by nothing else."""
    X, y = stream()
    names = [*"bac"]
    model, pipeline = RNNRegressor(**PARAMS), preprocessing.StandardScaler() | RNNRegressor(**PARAMS)
    scaler = preprocessing.StandardScaler()
    X = np.nan_to_num(X)
    for start in (0, 20, 40):
        frame = pd.DataFrame(X[start : start + 20], columns=names)
        scaler.learn_many(frame)
        loop(model, scaler.transform_many(frame).to_numpy(), y[start : start + 20], names)

        pipeline.learn_many(frame, pd.Series(y[start : start + 20]))

    assert pickle.dumps(pipeline["RNNRegressor"]) == pickle.dumps(model)


@pytest.mark.parametrize("key", [None, "k"])
def test_a_block_of_known_columns_is_a_block(key: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The short way of a block gives the bits of the long one, whatever kind of labels it has; what it does not fit goes the long way."""
    drawn = np.random.default_rng(5)
    X, y = drawn.normal(size=(200, 2)), drawn.normal(size=200)
    X[drawn.random((200, 2)) < 0.1] = np.nan
    keys = None if key is None else drawn.integers(5, size=200).tolist()
    short, long = (RNNRegressor(key=key, hidden_size=4) for _ in range(2))
    for model in (short, long):
        model.learn_one({"a": 1.0, "b": 2.0, **({} if key is None else {key: 0})}, 0.5)
    taken = []
    known = short._run_known
    monkeypatch.setattr(short, "_run_known", lambda *given: taken.append(len(given[0])) or known(*given))
    monkeypatch.setattr(long, "_are_known", lambda *_: False)
    said = []
    for model in (short, long):
        found = []
        for start in (0, 1, 8):
            stop = {0: 1, 1: 8, 8: 200}[start]
            labels: Any = [None if i % 3 == 0 else v for i, v in enumerate(y[start:stop].tolist())]
            some = None if keys is None else keys[start:stop]
            found += model.progressive_many(X[start:stop], labels, names=("a", "b"), keys=some).tolist()
        said.append((found, dumps(model)))

    assert repr(said[0]) == repr(said[1])
    assert taken == [1, 7, 192]
    with pytest.raises(ParameterError):
        short.progressive_many(X, y, names=("a", "b"), keys=[1])
    short.progressive_many(X, y, names=("a", "c"), keys=keys)
    assert taken == [1, 7, 192]
