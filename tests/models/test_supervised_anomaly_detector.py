"""The supervised detector: surprise about y given x and the past, judged as the detector judges."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from streamrnn import RNNSupervisedAnomalyDetector, dumps, loads
from streamrnn.errors import FeatureError, ParameterError, StateError
from streamrnn.kernels.anomaly.views import VIEWS

RNG = np.random.default_rng(6)
N = 2500
VALVE = (RNG.random(N) < 0.5) * 1.0
LEVEL = 1.0 + 4.0 * VALVE + 0.1 * RNG.normal(size=N)


def detector(**params):
    return RNNSupervisedAnomalyDetector(**{"hidden_size": 8, "seed": 2, **params})


def say(model, start=0, stop=N, level=LEVEL):
    """What a detector says of a stretch of the stream."""
    return model.progressive_many(VALVE[start:stop, None], level[start:stop])


@pytest.fixture(scope="module")
def trained():
    """A detector that knows the stream, as bytes."""
    model = detector()
    return dumps(model), say(model), dumps(model)


def test_a_usual_level_is_odd_where_the_features_say_another(trained):
    """Each of the two levels is half of the stream; the wrong one of them is an anomaly, the right one is not."""
    model = loads(trained[2])
    for valve in (0.0, 1.0):
        right, wrong = (model.explain_one({0: valve}, 1.0 + 4.0 * v) for v in (valve, 1.0 - valve))

        assert (right["alarm"], wrong["alarm"]) == (False, True)
        assert wrong["score"] > 10 * right["score"]
        assert right["low"] < 1.0 + 4.0 * valve < right["high"]
        assert wrong["score"] == model.score_one({0: valve}, 1.0 + 4.0 * (1.0 - valve))


def test_a_block_is_a_loop(trained):
    """Where blocks are cut changes nothing; what is said is what explain_one says."""
    model = loads(trained[0])
    parts = [say(model, start, start + 500) for start in range(0, N, 500)]

    for name, whole in trained[1].items():
        np.testing.assert_array_equal(np.concatenate([part[name] for part in parts]), whole)
    assert dumps(model) == trained[2]


@pytest.mark.parametrize("key", [None, "id"])
def test_a_block_is_a_loop_of_single_events(key):
    """``progressive_many`` says what ``explain_one`` does and leaves the state of ``learn_one``: gaps, new columns, keys, alarms."""
    level = LEVEL[:600].copy()
    level[[300, 301, 450]], level[RNG.random(600) < 0.1] = 20.0, np.nan
    events = pd.DataFrame({"valve": VALVE[:600], "other": RNG.normal(size=600)})
    events.loc[RNG.random(600) < 0.1, "valve"] = np.nan
    if key:
        events[key] = [f"s{i % 3}" for i in range(600)]
    loop, block = detector(key=key, warm_up=50, alarm_rate=0.05), detector(key=key, warm_up=50, alarm_rate=0.05)
    told = []
    for i, x in enumerate(events.drop(columns="other")[:200].to_dict("records") + events[200:].to_dict("records")):
        told.append(loop.explain_one(x, level[i]))
        loop.learn_one(x, level[i])

    parts = [
        block.progressive_many(events.drop(columns="other")[:200], level[:200]),
        block.progressive_many(events[200:], level[200:]),
    ]

    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    assert found["alarm"].any()
    for name in ("score", "alarm", "warm", "change", "p_value", "threshold", "since", "low", "high"):
        np.testing.assert_array_equal(found[name], np.array([one[name] for one in told]), err_msg=name)
    np.testing.assert_array_equal(found["prediction"], [one["prediction"] for one in told])
    assert [None if i < 0 else VIEWS[i] for i in found["view"].tolist()] == [one["view"] for one in told]
    assert dumps(block) == dumps(loop)


def test_the_rate_is_a_promise_of_at_most(trained):
    """No more alarms than 1.5 times the rate, but for a few."""
    said = say(detector(alarm_rate=0.02))

    assert said["alarm"].sum() <= 6 + 1.5 * 0.02 * said["warm"].sum()


def test_an_alarm_teaches_nothing(trained):
    """What is odd, or is called so, leaves the weights as they are, and what follows while it is fresh."""
    for odd, told in ((9.0, None), (5.0, True)):
        model = loads(trained[2])
        while model._net.header[17]:  # no target waits for its update
            say(model, 0, 1)
        before = {name: view.copy() for name, view in model.weights.items()}
        model.learn_one({0: 1.0}, odd, told)
        for _ in range(3 if told is None else 0):
            model.learn_one({0: 1.0}, 5.0)

        assert all(np.array_equal(model.weights[name], view) for name, view in before.items())


def test_a_late_word_is_the_word_of_learn_one(trained):
    """``correct`` with what ``explain_one`` told; where nothing was found nothing moves."""
    early, late = loads(trained[2]), loads(trained[2])
    why = late.explain_one({0: 1.0}, 9.0)
    early.learn_one({0: 1.0}, 9.0, feedback=False)
    late.learn_one({0: 1.0}, 9.0)
    assert dumps(late) != dumps(early)
    late.correct(why["view"], feedback=False)
    late.correct(late.explain_one({0: 1.0}, None)["view"], feedback=True)

    assert dumps(late) == dumps(early)
    with pytest.raises(ParameterError, match="'size'"):
        late.correct("size", feedback=True)


def test_a_target_that_is_not_known_scores_nothing(trained):
    """None and NaN: score 0, no alarm, and the stream goes on."""
    model = loads(trained[2])
    for unknown in (None, float("nan")):
        told = model.explain_one({0: 1.0}, unknown)
        model.learn_one({0: 1.0}, unknown)

        assert (told["score"], told["alarm"]) == (0.0, False)
    assert model.n_events == N + 2


def test_each_series_has_its_own_level():
    """With ``key`` the surprise of one series says nothing of another."""
    model = detector(key="id", warm_up=100)
    for i in range(800):
        for name, level in (("a", 3.0), ("b", 70.0)):
            model.learn_one({"id": name, "v": VALVE[i]}, level + LEVEL[i])

    right = model.score_one({"id": "a", "v": 1.0}, 8.0)
    assert model.score_one({"id": "a", "v": 1.0}, 75.0) > 10 * right
    assert model.score_one({"id": "b", "v": 1.0}, 8.0) > 10 * right


@pytest.mark.parametrize(("x", "y"), [({0: "high"}, 1.0), ({0: 1.0}, "high"), ({0: 1.0, "new": []}, 1.0)])
def test_what_is_no_number_changes_nothing(trained, x, y):
    """An error that names it, and the state stays."""
    model = loads(trained[2])
    with pytest.raises(FeatureError):
        model.learn_one(x, y)
    assert dumps(model) == trained[2]


def test_a_foreign_judge_is_refused(trained):
    """A state whose two parts are of different models."""
    state = loads(trained[2]).__getstate__()
    state["judge"] = detector(alarm_rate=0.5).__getstate__()["judge"]

    with pytest.raises(StateError, match="another alarm rule"):
        detector().__setstate__(state)


def test_another_rate_on_the_way():
    """``set_alarm`` holds for both parts, and is saved."""
    model = detector()
    model.set_alarm(0.1, 5)

    assert pickle.loads(pickle.dumps(model)).alarm_rate == model._judge.alarm_rate == 0.1
