"""The mixture in front of regressors and classifiers: net, last target, linear model, random features."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

from streamrnn import RNNClassifier, RNNMultiTargetRegressor, RNNRegressor, dumps, loads
from streamrnn.errors import ParameterError
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.front import linear
from streamrnn.kernels.net.front.table import MOST_WHOLE

RNG = np.random.default_rng(11)
X = RNG.normal(size=(2500, 2))


def persistent(n=2500, stay=1 / 60):
    rng, label, found = np.random.default_rng(5), 0, []
    for _ in range(n):
        label = int(rng.integers(3)) if rng.random() < stay else label
        found.append("abc"[label])
    return found


def right(found, labels):
    return np.mean([a == b for a, b in zip(found, labels, strict=True)])


def test_never_behind_the_last_value():
    """A random walk, of which nothing more can be known: within a hundredth of the last value."""
    y = np.cumsum(RNG.normal(size=len(X)))
    found = RNNRegressor(hidden_size=8).progressive_many(X, y)

    assert np.abs(found - y)[1:].mean() < 1.02 * np.abs(np.diff(y)).mean()


def test_never_behind_the_last_label():
    """Labels that stay, with features that say nothing."""
    labels = persistent()
    found = RNNClassifier(hidden_size=8).progressive_many(X, labels)

    assert right(found, labels) > right(labels[:-1], labels[1:]) - 0.005


@pytest.mark.parametrize("delay", [1, 10])
def test_never_behind_the_last_known_value(delay):
    """The same where labels come late, with ``advance="predict"``."""
    y = np.cumsum(RNG.normal(size=700))
    model, errors = RNNRegressor(hidden_size=8, advance="predict"), []
    for i, x in enumerate(X[:700]):
        row = dict(enumerate(x))
        errors.append(abs(model.predict_one(row) - y[i]))
        if i >= delay:
            model.learn_one(dict(enumerate(X[i - delay])), y[i - delay])

    known = np.abs(y[delay + 1 :] - y[: -delay - 1])
    assert np.mean(errors[delay + 1 :]) < 1.05 * known.mean()


@pytest.mark.parametrize("experts", [None, ("net", "last")])
def test_never_behind_the_last_known_label(experts):
    """Ten events late, experts are weighed by what they stated then, not by what they have learned since from labels that were not known."""
    labels = persistent(stay=1 / 100)
    model, found, late = RNNClassifier(hidden_size=8, advance="predict", experts=experts), [], 10
    for i, x in enumerate(X.tolist()):
        found.append(model.predict_one(dict(enumerate(x))))
        if i >= late:
            model.learn_one(dict(enumerate(X[i - late].tolist())), labels[i - late])

    known = np.mean([a == b for a, b in zip(labels[: -late - 1], labels[late + 1 :], strict=True)][500:])
    assert right(found[late + 501 :], labels[late + 501 :]) > known - 0.01


def test_classes_come_while_others_wait():
    """A class that comes first in the label of a waiting event is learned as by a model that knew it, and its bytes go on to the bit."""
    labels = persistent(300)
    labels = [f"{label}{i // 100}" for i, label in enumerate(labels)]
    whole = RNNClassifier(hidden_size=8, advance="predict")
    parts = [RNNClassifier(hidden_size=8, advance="predict")]
    for i, x in enumerate(X[:300].tolist()):
        assert whole.predict_one(dict(enumerate(x))) == parts[0].predict_one(dict(enumerate(x)))
        for model in (whole, parts[0]) if i >= 20 else ():
            model.learn_one(dict(enumerate(X[i - 20].tolist())), labels[i - 20])
        if i in (10, 25, 130):
            parts[0] = pickle.loads(pickle.dumps(parts[0]))

    assert pickle.dumps(whole) == pickle.dumps(parts[0])
    assert sum(whole.weights_.values()) == pytest.approx(1.0)


def test_a_stream_that_was_exactly_foreseen_is_learned_anew_when_it_changes():
    """Six equal targets, of which no expert missed any, and then something to learn: the weights still move."""
    y = np.concatenate([np.full(6, 10.0), X[:594, 0]])
    model = RNNRegressor(hidden_size=8)
    found = model.progressive_many(np.concatenate([X[:6], X[:594]]), y)

    assert np.abs(found - y)[300:].mean() < 0.1
    assert model.weights_["last"] < 0.05


def test_rare_labels_are_no_late_ones():
    """One event in ten has a label, and the last one says nothing: the weights follow as fast, label by label, as if all had one."""
    y = np.where(np.arange(len(X)) % 10 == 0, X[:, 0], np.nan)
    model = RNNRegressor(hidden_size=8)
    found = model.progressive_many(X, y)

    assert np.nanmean(np.abs(found - y)[1500:]) < 0.2
    assert model.weights_["last"] < 0.1


def test_short_lags_are_found_at_once():
    """The linear expert sees some events before: what hangs on the feature three events ago is known after 300."""
    y = np.concatenate([np.zeros(3), X[:-3, 0]])[:600]
    found = RNNRegressor(hidden_size=8).progressive_many(X[:600], y)
    assert np.abs(found - y)[300:].mean() < 0.1

    labels = ["up" if value > 0 else "down" for value in y]
    found = RNNClassifier(hidden_size=8).progressive_many(np.sign(X[:600]), labels)
    assert right(found[300:], labels[300:]) > 0.95


def test_the_linear_model_begins_with_the_last_value():
    """Of nine values of a walk, with features that say nothing, it loses little to repeating the last: it has no coefficient to find for that."""
    y = 50.0 + np.cumsum(np.random.default_rng(1).normal(size=(40, 9)), axis=1)
    found = [RNNRegressor(hidden_size=8, experts=("linear",)).progressive_many(X[:9], one) for one in y]

    assert np.abs(found - y)[:, 1:].mean() < 1.1 * np.abs(np.diff(y)).mean()


def test_a_fall_to_where_nothing_was_learned_is_followed_at_once():
    """An outage of a hundred standard deviations: from its second value on no expert pulls the answer back to the level before."""
    y = 100.0 + np.sin(np.arange(130.0)) + 0.1 * RNG.normal(size=130)
    y[100:] -= 70.0
    found = RNNRegressor(hidden_size=8, experts=("linear",)).progressive_many(X[:130], y)

    assert np.abs(found - y)[101:106].mean() < 10.0


def test_the_net_learns_the_same_whoever_stands_in_front():
    """The experts do not touch the net: its weights are equal, bit for bit, with all experts and alone."""
    y = np.cumsum(X[:300, 0])
    mixed, alone = RNNRegressor(hidden_size=8), RNNRegressor(hidden_size=8, experts=("net",))
    mixed.learn_many(X[:300], y)
    alone.learn_many(X[:300], y)

    for name, weights in alone.weights.items():
        assert (mixed.weights[name] == weights).all(), name


def test_one_by_one_and_restored_at_any_event_are_the_bits_of_a_block():
    """Classes that appear on the way, features that come later, keys: loop, block and restart agree."""
    labels = persistent(300, 0.2)
    frame = pd.DataFrame(X[:300], columns=["a", "b"]).assign(k=np.arange(300) % 3)
    block, single = RNNClassifier(hidden_size=8, key="k"), RNNClassifier(hidden_size=8, key="k")
    found = block.progressive_many(frame, labels)
    for i, (x, label) in enumerate(zip(frame.to_dict("records"), labels, strict=True)):
        assert i == 0 or single.predict_one(x) == found[i]
        single.learn_one(x, label)
        if i % 37 == 0:
            single = loads(dumps(single))

    assert dumps(single) == dumps(block)


def test_what_the_linear_expert_knows_stays_as_features_and_classes_come():
    """A new feature, which moves the places of all lags, changes no answer of the linear expert, and it goes on from there."""
    y = np.concatenate([np.zeros(2), X[:-2, 1]])
    model = RNNRegressor(hidden_size=8, experts=("linear",))
    for x, value in zip(X[:400], y[:400], strict=True):
        model.learn_one(dict(zip("ab", x, strict=True)), value)
    before = model.predict_one({"a": 0.3, "b": 0.1})
    model._grow(["c"])
    assert model.predict_one({"a": 0.3, "b": 0.1}) == pytest.approx(before, rel=1e-12)

    errors = []
    for x, value in zip(X[400:450], y[400:450], strict=True):
        row = {**dict(zip("ab", x, strict=True)), "c": 1.0}
        errors.append(abs(model.predict_one(row) - value))
        model.learn_one(row, value)
    assert np.mean(errors) < 0.1


def test_wide_rows_have_a_rate_for_each_weight():
    """Beyond 64 regressors there is no matrix; the expert still learns."""
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(1500, 80))
    y = rows[:, :5].sum(axis=1)
    found = RNNRegressor(hidden_size=8, experts=("linear",)).progressive_many(rows, y)

    assert np.abs(found - y)[1000:].mean() < 0.5 * np.abs(y).mean()


def test_the_weights_can_be_read():
    """They sum to one: by target where there are several, by key where there is one."""
    one = RNNRegressor(hidden_size=8)
    assert one.weights_ == dict.fromkeys(("net", "last", "linear", "fourier"), 1 / 4)
    one.learn_many(X[:100], np.cumsum(X[:100, 0]))
    assert sum(one.weights_.values()) == pytest.approx(1.0)

    several = RNNMultiTargetRegressor(hidden_size=8)
    several.learn_many(X[:100], pd.DataFrame({"u": X[:100, 0], "v": X[:100, 1]}))
    assert list(several.weights_) == ["u", "v"]

    keyed = RNNClassifier(hidden_size=8, key="k", experts=("net", "last"))
    for i in range(20):
        keyed.learn_one({"k": i % 2, "a": 0.0}, bool(i % 3))
    assert [sum(weights.values()) for weights in keyed.weights_.values()] == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"experts": ()}, "different names"),
        ({"experts": ("net", "net")}, "different names"),
        ({"experts": ("rls",)}, "different names"),
        ({"experts": ("net", "last"), "autoregressive": False}, "without 'last'"),
        ({"experts": ("net", "last"), "loss": "quantile"}, "states no middle"),
    ],
)
def test_what_does_not_go_together_is_refused(params, message):
    """With the rule, before anything is made."""
    with pytest.raises(ParameterError, match=message):
        RNNRegressor(**params)


def test_boundaries_bend_and_change():
    """A ring among rows without an order is learned within a thousand of them, and anew within five hundred once its inside is its outside."""
    rows = np.random.default_rng(1).uniform(-1.0, 1.0, (2500, 2))
    inside = np.hypot(*rows.T) < 0.8
    labels = np.where(np.arange(2500) < 1500, inside, ~inside)

    found = np.array(RNNClassifier(hidden_size=8).progressive_many(rows, labels.tolist()))

    assert np.mean(found[1000:1500] == labels[1000:1500]) > 0.95
    assert np.mean(found[2000:] == labels[2000:]) > 0.87


def test_many_features_have_no_random_ones():
    """Beyond 64 features the expert of random features has no opinion, and leaves the others to theirs."""
    rows = np.random.default_rng(1).normal(size=(60, 70))
    model = RNNRegressor(hidden_size=8)

    found = np.asarray(model.progressive_many(rows, rows[:, 0]))

    assert np.isfinite(found).all()
    assert model._net.array("waves").size == 0


def test_a_key_of_garbage_teaches_no_more_than_one_that_says_nothing() -> None:
    """The errors of ten keys of one linear model, beside one whose feature is garbage, and beside one whose feature stays; unweighed, garbage costs 3 % more."""
    drawn = np.random.default_rng(4)
    u = drawn.normal(size=(600, 11))
    y = 0.8 * u + 0.5 * np.roll(u, 1, axis=0) + 0.1 * drawn.normal(size=u.shape)
    keys = np.tile(np.arange(11), 600).tolist()
    errors = []
    for feature in (np.zeros(600), 10.0 ** drawn.uniform(-9, 30, 600) * drawn.choice([-1.0, 1.0], 600)):
        u[:, 10] = feature
        model = RNNRegressor(key="k", experts=["linear"], seed=1)
        said = model.progressive_many(u.reshape(-1, 1), y.reshape(-1), names=("u",), keys=keys)
        errors.append(np.abs(said.reshape(y.shape) - y)[100:, :10].mean())

    assert errors[1] <= errors[0]


def test_what_an_event_far_out_weighs() -> None:
    """Where keys share a model, as much as its regressors allow; alone, and where each weight has a rate of its own, always 1."""
    weigh = getattr(linear.influence, "py_func", linear.influence)
    far, usual = np.full(4, 10.0), np.ones(4)

    def weight(x: Any, *, keyed: int, own: int = 4) -> float:
        hd = np.zeros(at.HEADER_WORDS, np.int64)
        hd[at.KEYED], hd[at.N_OWN], hd[at.REGRESSORS] = keyed, own, 0
        found: float = weigh(hd, np.asarray(x, np.float64))
        return found

    assert weight(usual, keyed=1) == 1.0
    assert weight(far, keyed=1) == linear.MOST_LEVERAGE / 100.0
    assert weight(far, keyed=0) == 1.0
    assert weight(np.full(MOST_WHOLE + 1, 10.0), keyed=1, own=MOST_WHOLE + 1) == 1.0
