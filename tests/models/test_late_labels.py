"""Labels that come late: ``advance="predict"``."""

from __future__ import annotations

import pickle
from collections import deque

import numpy as np
import pytest
from river import evaluate, metrics

from streamrnn import RNNClassifier, RNNRegressor

PARAMS = {"hidden_size": 8, "window": 8, "stride": 3}


def stream(n=80, seed=4):
    """Rows, and targets that hang on the row before."""
    rng = np.random.default_rng(seed)
    before = 0.0
    for _ in range(n):
        x = {"u": rng.normal(), "v": rng.normal()}
        yield x, before
        before = x["u"]


@pytest.mark.parametrize("key", [None, "sensor"])
def test_without_delay_both_ways_are_the_same(key):
    """If each label comes before the next event, the bits are those of ``advance="learn"``."""
    usual, ahead = (RNNRegressor(**PARAMS, key=key, advance=way) for way in ("learn", "predict"))
    for i, (x, y) in enumerate(stream()):
        if key:
            x[key] = i % 2

        usual.learn_one(x, None) if i == 0 else None  # it gets its columns
        if i == 0:
            ahead.predict_one(x)
            ahead.learn_one(x, None)
            continue
        assert ahead.predict_one(x) == usual.predict_one(x)
        usual.learn_one(x, y)
        ahead.learn_one(x, y)


def test_a_frozen_net_answers_without_waiting_for_labels():
    """The state moves with the features: however late the labels, a frozen net that is not told them gives the same answers."""
    model = RNNRegressor(**PARAMS, advance="predict", autoregressive=False)
    for x, y in stream():
        model.predict_one(x)
        model.learn_one(x, y)
    model.freeze()
    late, later = pickle.loads(pickle.dumps(model)), pickle.loads(pickle.dumps(model))
    events = list(stream(30, seed=5))

    for i, (x, _) in enumerate(events):
        assert late.predict_one(x) == later.predict_one(x)
        if i >= 4:
            late.learn_one(*events[i - 4])


def test_late_labels_teach():
    """Under ``progressive_val_score`` with a delay, waiting events make what a state ``delay`` behind cannot know."""
    scores = {}
    events = [({**x, "t": i}, y) for i, (x, y) in enumerate(stream(6000))]
    for way in ("learn", "predict"):
        model = RNNRegressor(**PARAMS, advance=way)
        scored = evaluate.progressive_val_score(iter(events), model, metrics.MAE(), moment="t", delay=5)
        scores[way] = scored.get()

    assert scores["predict"] < 0.5 * scores["learn"]


def test_labels_find_their_events():
    """Skipped events are learned as not known; a label whose event is gone is dropped and counted."""
    model = RNNRegressor(**PARAMS, advance="predict", max_pending=3)
    events = list(stream(6))
    for x, _ in events:
        model.predict_one(x)
    assert model.n_events == 3  # the three that waited for longest have gone on

    model.learn_one(*events[4])
    assert (model.n_events, model.n_dropped_labels) == (5, 0)
    for place in (0, 3, 4):
        model.learn_one(*events[place])
    assert (model.n_events, model.n_dropped_labels) == (5, 3)
    model.learn_one(*events[5])
    assert (model.n_events, model.n_dropped_labels) == (6, 3)


@pytest.mark.parametrize("key", [None, "sensor"])
def test_a_new_sequence_has_no_events_that_wait(key):
    """A label that comes after ``reset`` for an event before it is dropped: it would be learned from another state."""
    model = RNNRegressor(**PARAMS, advance="predict", key=key)
    events = [({**x, **({key: i % 2} if key else {})}, y) for i, (x, y) in enumerate(stream(12))]
    for x, y in events[:6]:
        model.predict_one(x)
        model.learn_one(x, y)
    for x, _ in events[6:]:
        model.predict_one(x)
    before = model.n_dropped_labels, model.n_updates
    model.reset()
    for x, y in events[6:]:
        model.learn_one(x, y)

    assert (model.n_dropped_labels, model.n_updates) == (before[0] + 6, before[1])


def test_waiting_events_are_part_of_the_state():
    """A model stored while events wait goes on as one that was not, also when new features come in between."""
    model = RNNRegressor(**PARAMS, advance="predict")
    events = list(stream(30))
    for i, (x, _) in enumerate(events):
        if i == 20:
            x["new"] = 1.0
        model.predict_one(x)
        if i >= 3:
            model.learn_one(*events[i - 3])
        if i in (2, 19, 21):
            model = pickle.loads(pickle.dumps(model))

    assert (model.n_events, model.n_dropped_labels) == (27, 0)


def test_blocks_are_loops_here_too():
    """``predict_many`` is as many events; ``learn_many`` looks for as many."""
    X, y = np.random.default_rng(6).normal(size=(20, 2)), np.arange(20.0)
    one, many = RNNRegressor(**PARAMS, advance="predict"), RNNRegressor(**PARAMS, advance="predict")
    expected = [one.predict_one(dict(enumerate(row))) for row in X.tolist()]
    for row, target in zip(X.tolist(), y.tolist(), strict=True):
        one.learn_one(dict(enumerate(row)), target)

    assert many.predict_many(X).tolist() == expected
    many.learn_many(X, y)
    assert pickle.dumps(many) == pickle.dumps(one)


@pytest.mark.parametrize("delay", [1, 10])
@pytest.mark.parametrize("seed", [1, 2])
def test_labels_that_stay_are_never_behind_the_last_known_one(delay, seed):
    """Where a class stays for a hundred events, no expert that foresees changes costs a mistake, with late labels either."""
    rng = np.random.default_rng(seed)
    label, labels = 0, []
    for _ in range(3000):
        label = int(rng.integers(3)) if rng.random() < 0.01 else label
        labels.append(label)
    model, waiting, known, ours, its = RNNClassifier(hidden_size=8, advance="predict"), deque(), None, 0, 0
    for i, y in enumerate(labels):
        x = {"a": float(rng.normal() + 0.3 * y), "b": float(rng.normal())}
        said = model.predict_one(x)
        if i >= 200:
            ours, its = ours + (said != y), its + (known != y)
        waiting.append((x, y))
        if len(waiting) == delay:
            late, known = waiting.popleft()
            model.learn_one(late, known)

    assert its > 10
    assert ours <= its * 1.02
