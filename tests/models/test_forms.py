"""The two forms of what a detector expects: the light one is smaller, compiles nothing, and keeps every promise of the full one."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from streamrnn import RNNAnomalyDetector
from streamrnn.errors import StateError
from streamrnn.kernels.anomaly.views import VIEWS

RNG = np.random.default_rng(4)
HOURS = np.arange(400)
X = np.column_stack([np.sin(HOURS * np.pi / 12) + 0.1 * RNG.normal(size=400), RNG.normal(size=400).cumsum()])
X[RNG.random(X.shape) < 0.02] = np.nan
NAMES = ("a", "b")


def light(**options):
    return RNNAnomalyDetector(hidden_size=8, seed=2, expectation="light", **options)


def test_no_form_compiles_anything():
    """The form is a size in the slab's header: one compiled entry runs both."""
    models = RNNAnomalyDetector(hidden_size=8), light(), light(key="k", memory=16)
    for model in models:
        model.learn_one({"a": 1.0, "k": 1.0})

    assert len({id(model._net.code) for model in models}) == 1


@pytest.mark.parametrize("options", [{}, {"memory": 16}])
def test_blocks_are_a_loop_that_stops_and_goes_on(options):
    """Details of a block, and its state, are those of single events, pickled on the way; scoring changes nothing."""
    many, one = light(**options), light(**options)
    expected = many.progressive_many(X, NAMES)
    scores = []
    for n, row in enumerate(X.tolist()):
        x = dict(zip(NAMES, row, strict=True))
        one = pickle.loads(pickle.dumps(one)) if n % 150 == 75 else one
        scores.append(one.score_one(x))
        one.learn_one(x)

    assert scores == expected["score"].tolist()
    assert pickle.dumps(one) == pickle.dumps(many)
    many.score_one({"a": 9.0})
    assert pickle.dumps(one) == pickle.dumps(many)


def test_a_state_of_the_other_form_is_refused():
    """The bytes of one form are none of the other's."""
    state = light().__getstate__()

    with pytest.raises(StateError):
        RNNAnomalyDetector().__setstate__({**state, "params": {**state["params"], "expectation": "full"}})


def test_with_a_key_the_form_is_light():
    """None is the full form of a single series, and the light one with ``key``; what is asked for is what there is."""
    sizes = {
        (form, key): RNNAnomalyDetector(expectation=form, key=key)._net.sizes.light
        for form in (None, "full", "light")
        for key in (None, "k")
    }

    assert [form_and_key for form_and_key, is_light in sizes.items() if is_light] == [
        (None, "k"),
        ("light", None),
        ("light", "k"),
    ]


def test_the_light_form_fits_into_64_kib():
    """At the defaults, with one feature; the full one into 256."""
    taken = {}
    for form in ("light", "full"):
        model = RNNAnomalyDetector(expectation=form)
        model._grow(["a"])
        taken[form] = model.memory_usage() / 1024

    assert taken["light"] <= 64
    assert taken["full"] <= 256


def test_outages_of_a_week_of_hours_alarm_each_time():
    """The light form expects hour and day of the week: outages are found at their first event, and a quiet Sunday is none."""
    days = np.repeat([1, 1, 1, 1, 1, 0.6, 0.2], 24)
    week = 50.0 + 20.0 * np.sin(np.arange(168) * np.pi / 12) * days
    x = np.tile(week, 20) + np.random.default_rng(1).normal(size=20 * 168)
    starts = range(1700, 3360, 400)
    for start in starts:
        x[start : start + 8] = 0.0
    alarms = np.flatnonzero(light().progressive_many(x[:, None], ("a",))["alarm"])

    assert set(starts) <= set(alarms.tolist())
    assert len(alarms) <= len(starts) + 2


@pytest.mark.parametrize("form", ["full", "light"])
def test_a_short_memory_raises_no_alarm_for_what_is_new(form):
    """To the last 64 events of a day of 144 most of it is new: only what is far from expected alarms, and an outage does."""
    x = 50.0 + 20.0 * np.sin(np.arange(3000) * np.pi / 72) + np.random.default_rng(3).normal(size=3000)
    x[2000:2005] = 0.0
    found = RNNAnomalyDetector(hidden_size=8, expectation=form, memory=64, alarm_rate=0.01).progressive_many(
        x[:, None], ("a",)
    )

    assert found["alarm"][2000]
    assert not found["alarm"][found["view"] < VIEWS.index("surprise")].any()
