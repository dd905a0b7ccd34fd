"""Events that have exactly the known columns take a short way; it must not be told from the long one."""

from __future__ import annotations

import copy
import math
import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from streamrnn import RNNClassifier, RNNRegressor
from streamrnn.errors import FeatureError

RNG = np.random.default_rng(7)
NUMBERS = (
    float, np.float64, np.float32, lambda v: Decimal(repr(float(v))), lambda v: round(float(v)), lambda v: v > 0,
    np.array, lambda v: np.array([v]),
)  # fmt: skip


def events(n=120):
    """Every kind of number, None and NaN, missing and unknown names."""
    for i, (a, b) in enumerate(RNG.normal(size=(n, 2))):
        kind = NUMBERS[i % len(NUMBERS)]
        x = {"a": kind(a), "b": kind(b)}
        if i % 11 == 3:
            x["b"] = None if i % 2 else math.nan
        if i % 13 == 5:
            del x["a"]
        yield x, (None if i % 17 == 2 else kind(a + b))


def labelled(model, y):
    return y if isinstance(model, RNNRegressor) or y is None else bool(y > 0)


def ask(model, x):
    return model.predict_one(x) if isinstance(model, RNNRegressor) else model.predict_proba_one(x)


@pytest.mark.parametrize("make", [RNNRegressor, lambda **kw: RNNRegressor(time="a", **kw), RNNClassifier])
def test_the_short_way_gives_the_bits_of_the_long_one(make, monkeypatch):
    """Answers and pickles are equal whether events may take the short way or not."""
    quick, slow = make(hidden_size=8), make(hidden_size=8)
    monkeypatch.setattr(slow, "_hasten", lambda: None)
    for x, y in events():
        assert ask(quick, x) == ask(slow, x)
        quick.learn_one(x, labelled(quick, y))
        slow.learn_one(x, labelled(slow, y))

    assert quick._net.hasty
    assert not slow._net.hasty
    assert pickle.dumps(quick) == pickle.dumps(slow)


@pytest.mark.filterwarnings("ignore:Warning. converting a masked element to nan")
@pytest.mark.parametrize("box", [np.array, lambda v: np.array([v]), lambda v: np.array([[v]], object)])
def test_an_array_of_one_element_is_the_element(box):
    """Of any number of dimensions, as a feature, a time and a target, from the first event on; masked: not known."""
    plain, boxed = (RNNRegressor(hidden_size=8, time="ts") for _ in range(2))
    for i, (x, y) in enumerate(events(40)):
        x["ts"], masked = np.datetime64("2024-05-01T00:00") + 7 * i, np.ma.array([3.0], mask=[True])
        full = {name: masked if value is None else box(value) for name, value in x.items()}

        assert plain.predict_one(x) == boxed.predict_one(full)
        plain.learn_one(x, y)
        boxed.learn_one(full, masked if y is None else box(y))

    assert pickle.dumps(plain) == pickle.dumps(boxed)


@pytest.mark.parametrize("x", [pd.Series({"a": 1.0}), [1.0], {1.0}, None], ids=lambda x: type(x).__name__)
def test_what_is_no_dict_changes_nothing(x):
    """A series, whose values would be taken for names, is refused with the remedy; so is what has no names."""
    model = RNNRegressor(hidden_size=8)
    before = pickle.dumps(model)

    with pytest.raises(FeatureError, match=f"must be a dict by name. Got {type(x).__name__}.*to_dict"):
        model.learn_one(x, 1.0)
    with pytest.raises(FeatureError, match="must be a dict"):
        model.predict_one(x)

    assert pickle.dumps(model) == before


@pytest.mark.parametrize("x", [[1.0], {1.0}, None], ids=lambda x: type(x).__name__)
def test_what_is_no_dict_is_refused_by_the_short_ways_too(x):
    """A model that knows its features says the same."""
    model = RNNRegressor(hidden_size=8)
    model.learn_one({"a": 1.0}, 1.0)
    before = pickle.dumps(model)

    with pytest.raises(FeatureError, match="must be a dict by name"):
        model.learn_one(x, 1.0)
    with pytest.raises(FeatureError, match="must be a dict by name"):
        model.predict_one(x)

    assert pickle.dumps(model) == before


def test_a_copy_takes_ways_of_its_own():
    """What a copy learns, of whatever kind the copy is, never reaches the model it was made from."""
    model = RNNRegressor(hidden_size=8)
    for x, y in events(40):
        model.learn_one(x, y)
    before = pickle.dumps(model)
    for other in (copy.deepcopy(model), model.clone(include_attributes=True), pickle.loads(before)):
        for x, y in events(40):
            other.predict_one(x)
            other.learn_one(x, y)

        assert pickle.dumps(model) == before
        assert pickle.dumps(other) != before


@pytest.mark.parametrize(
    ("x", "y", "name"),
    [({"a": 1.0, "b": "high"}, 1.0, "'b'"), ({"a": [1], "b": 2}, 1.0, "'a'"), ({"a": 1, "b": np.ones(2)}, 1.0, "'b'")],
)
def test_what_is_no_number_changes_nothing(x, y, name):
    """Text and nested values name the feature, and the model is as it was."""
    model = RNNRegressor(hidden_size=8)
    for plain, target in events(40):
        model.learn_one(plain, target)
    before = pickle.dumps(model)

    with pytest.raises(FeatureError, match=name):
        model.learn_one(x, y)
    with pytest.raises(FeatureError, match=name):
        model.predict_one(x)
    assert pickle.dumps(model) == before
    with pytest.raises(FeatureError, match="'y'"):
        model.learn_one({"a": 1.0, "b": 2.0}, "high")
    assert pickle.dumps(model) == before


def test_weights_cannot_be_written():
    """The views follow the model, and cannot be made writable either."""
    model = RNNRegressor(hidden_size=8)
    model.learn_one({"a": 1.0}, 1.0)
    views = model.weights
    before = {name: view.copy() for name, view in views.items()}
    for view in views.values():
        with pytest.raises(ValueError, match="read-only"):
            view[...] = 0.0
        with pytest.raises(ValueError, match="WRITEABLE"):
            view.flags.writeable = True
    for x, y in events(40):
        model.learn_one({"a": x.get("a")}, y)

    assert any(not np.array_equal(view, before[name]) for name, view in views.items())


def test_a_time_in_text_says_what_a_time_may_be():
    """The message is about times, not about numbers."""
    model = RNNRegressor(hidden_size=8, time="ts")
    with pytest.raises(FeatureError, match=r"'ts' must be a number of seconds, a datetime.*Parse it"):
        model.learn_one({"ts": "2020-01-01", "a": 1.0}, 1.0)
