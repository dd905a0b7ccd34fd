"""The way of an event through Python's C interface: what it must not do to objects, whatever they are."""

from __future__ import annotations

import gc
import pickle
import sys
from collections import OrderedDict, defaultdict
from types import MappingProxyType

import numpy as np
import pytest

from streamrnn import RNNAnomalyDetector, RNNRegressor
from streamrnn.kernels.compile import INTERPRETED
from streamrnn.models import _event_code

pytestmark = pytest.mark.skipif(INTERPRETED, reason="there is no compiled code to take a short way to")


def known(n=40, **parameters):
    """Return a model that knows features a and b."""
    model = RNNRegressor(hidden_size=8, **parameters)
    for i in range(n):
        model.learn_one({"a": i % 5 / 5, "b": i % 3 / 3}, i % 7 / 7)
    return model


def test_models_have_it():
    """Answers come from native code, and not from what stands in for it elsewhere."""
    detector = RNNAnomalyDetector(hidden_size=8)
    for i in range(5):
        detector.learn_one({"a": i % 5 / 5})

    assert all(type(way) is type(len) for net in (known()._net, detector._net) for way in (net.predict, net.learn))


class Number:
    """A number that does something when it is asked."""

    def __init__(self, do, value=0.5):
        self.do, self.value = do, value

    def __float__(self):
        self.do()
        return self.value


@pytest.mark.parametrize(
    "kind", [OrderedDict, lambda x: defaultdict(float, x), MappingProxyType, lambda x: dict(reversed(x.items()))]
)
def test_mappings_of_all_kinds(kind):
    """What is no plain dict has the same answer."""
    one, other = known(), known()
    x = {"a": 0.25, "b": 1}

    assert one.predict_one(kind(x)) == other.predict_one(x)
    one.learn_one(kind(x), 0.5)
    other.learn_one(x, 0.5)
    assert pickle.dumps(one) == pickle.dumps(other)


@pytest.mark.parametrize(
    "value", [-1.0, -1, True, np.float32(-1.0), Number(lambda: None, -1.0)], ids=lambda value: type(value).__name__
)
def test_minus_one(value):
    """The number by which Python says that there may be an error is a number as well."""
    model = known()

    assert model.predict_one({"a": value, "b": value}) == model.predict_one({"a": float(value), "b": float(value)})
    assert model._net.learn({"a": value, "b": value}, value) is True


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, ZeroDivisionError, RuntimeError])
@pytest.mark.parametrize("place", ["a", "y"])
def test_errors_of_others_pass(error, place):
    """What an object raises that is no complaint about a number reaches the caller, and the model is as it was."""
    model = known()
    before = pickle.dumps(model)

    def fail():
        raise error

    x, y = ({"a": Number(fail), "b": 1.0}, 1.0) if place == "a" else ({"a": 1.0, "b": 1.0}, Number(fail))
    with pytest.raises(error):
        model.learn_one(x, y)
    assert pickle.dumps(model) == before


class Name(str):
    """A name that compares by running Python."""

    __slots__ = ()
    asked = 0

    def __eq__(self, other):
        Name.asked += 1
        return str(self) == str(other)

    __hash__ = str.__hash__


def test_names_that_run_python():
    """Names are compared as a dict compares them."""
    model, Name.asked = known(), 0

    assert model.predict_one({Name("a"): 0.25, Name("b"): 0.5}) == model.predict_one({"a": 0.25, "b": 0.5})
    assert Name.asked > 0


@pytest.mark.parametrize("deed", ["clear", "grow", "collect", "learn"])
def test_what_objects_do_meanwhile(deed):
    """A number may empty the dict, let the model grow or learn while it is asked: the process goes on, and so does the model."""
    model = known()
    x = {"a": 0.5, "b": 0.5}
    deeds = {
        "clear": x.clear,
        "grow": lambda: model.learn_one({"a": 1.0, "b": 1.0, f"c{len(model._columns.names)}": 2.0}, 1.0),
        "collect": gc.collect,
        "learn": lambda: model.learn_one({"a": 1.0, "b": 1.0}, 1.0),
    }
    for _ in range(20):
        x.update(a=Number(deeds[deed]), b=0.5)
        model.learn_one(x, 0.5)
        x.update(a=0.5, b=Number(deeds[deed]))
        model.predict_one(x)
        model.learn_one({"a": 0.5, "b": 0.5}, 0.5)

    assert np.isfinite(model.predict_one({"a": 0.5, "b": 0.5}))


def test_counts_of_references():
    """No object is kept, and none is let go, however often it is asked."""
    model = known()
    value, y, name, x = 1234.5, 5432.5, "a", {"a": 0.0, "b": 0.0}
    x["a"] = value
    objects = (value, y, name, x, None, True, dict)
    before = [sys.getrefcount(one) for one in objects]
    for i in range(2000):
        model.predict_one(x)
        model.learn_one(x, y)
        model._net.learn({"a": 1.0}, y)  # another number of names
        model._net.learn({"a": 1.0, "c": 1.0}, y)  # another name
        model._net.learn({"a": "text", "b": 1.0}, y)
        model._net.learn([i], y)
        model._net.learn(x)  # another number of arguments
        model._net.predict()

    after = [sys.getrefcount(one) for one in objects]

    assert after[:4] == before[:4]
    assert np.abs(np.subtract(after, before)).max() < 100  # others have None, True and dict as well


def test_it_outlives_the_model():
    """What a way works on is there as long as the way is."""
    model = known()
    predict, x = model._net.predict, {"a": 0.25, "b": 0.5}
    expected = model.predict_one(x)
    del model
    gc.collect()
    junk = [np.full(1 << 16, 255, np.uint8) for _ in range(64)]

    assert predict(x) == expected
    assert junk


def test_without_it(monkeypatch):
    """An interpreter without such a way has the same answers and the same pickles."""
    one = known(10)
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    assert not _event_code.available()
    monkeypatch.setattr("streamrnn.models._net.available", _event_code.available)
    other = known(10)

    assert other._net.hasty
    assert type(other._net.learn) is not type(len)
    assert one.predict_one({"a": 0.25, "b": 0.5}) == other.predict_one({"a": 0.25, "b": 0.5})
    assert pickle.dumps(one) == pickle.dumps(other)


def test_a_detector_whose_policy_changes():
    """Maintenance that comes later is asked for at each event from then on, and no longer when it is taken away."""
    hasty, slow = (RNNAnomalyDetector(hidden_size=8, expectation="light") for _ in range(2))
    slow._hasten = lambda: None
    for i in range(300):
        if i in (100, 200):
            for model in (hasty, slow):
                model.set_policy(maintenance="off" if i == 100 else None)
        x = {"a": i % 5 / 5 + 50 * (i % 90 == 0)} | ({"off": i % 30 < 3} if 100 <= i < 200 else {})
        assert hasty.score_one(x) == slow.score_one(x)
        for model in (hasty, slow):
            model.learn_one(x, feedback=True if i % 77 == 0 else None)

    assert type(hasty._net.learn) is type(len)
    assert pickle.dumps(hasty) == pickle.dumps(slow)


def bags(n, seed=1):
    """Draw words of which an event has a few."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        words = rng.choice(40, 5, replace=False)
        yield {f"w{i}": float(rng.integers(1, 4)) for i in words}, float(np.sin(words).sum())


def test_some_of_the_names():
    """Events that have a few of many names give the bits of the long way, in Python as in native code."""
    hasty, python, slow = (RNNRegressor(hidden_size=8, missing="zero") for _ in range(3))
    slow._hasten = lambda: None
    for i, (x, y) in enumerate(bags(300)):
        python._net.address = None
        assert hasty.predict_one(x) == python.predict_one(x) == slow.predict_one(x)
        x.update({} if i % 50 else {f"new{i}": 1.0})
        for model in (hasty, python, slow):
            model.learn_one(x, y)

    assert type(hasty._net.learn) is type(len)
    assert type(python._net.learn) is type(bags)
    assert pickle.dumps(hasty) == pickle.dumps(python) == pickle.dumps(slow)


@pytest.mark.parametrize("deed", ["clear", "more", "grow"])
def test_some_of_the_names_change_meanwhile(deed):
    """A dict that changes while it is gone through, and a model that grows: no crash, and the model goes on."""
    model = RNNRegressor(hidden_size=8, missing="zero")
    for x, y in bags(100):
        model.learn_one(x, y)
    for i, (x, y) in enumerate(bags(20, seed=2)):
        deeds = {
            "clear": x.clear,
            "more": lambda x=x, i=i: x.update({f"w{k}": 1.0 for k in range(40)}, **{f"more{i}": 1.0}),
            "grow": lambda i=i: model.learn_one({f"grown{i}_{k}": 1.0 for k in range(20)}, 1.0),
        }
        x[next(iter(x))] = Number(deeds[deed], 1.0)
        model._net.learn(x, y)
        model.learn_one({"w1": 1.0}, y)

    assert np.isfinite(model.predict_one({"w1": 1.0}))


def test_counts_of_references_of_some():
    """No name, no value and no column is kept or let go."""
    model = RNNRegressor(hidden_size=8, missing="zero")
    for x, y in bags(100):
        model.learn_one(x, y)
    x, other = {"w1": 1234.5, "w2": 4321.5}, {"w1": 1234.5, "nobody's": 1.0}
    objects = [*x, *x.values(), x, *(model._columns.index[name] for name in x)]
    before = [sys.getrefcount(one) for one in objects]
    for _ in range(1000):
        model.predict_one(x)
        model._net.learn(x, 1.0)
        model._net.learn(other, 1.0)
        model._net.learn({"w1": "text"}, 1.0)

    assert np.abs(np.subtract([sys.getrefcount(one) for one in objects], before)).max() < 50
