"""The detector: pure questions, blocks equal to single events, any features, copies that part ways."""

from __future__ import annotations

import copy
import math
import pickle
from decimal import Decimal

import numpy as np
import pytest

from streamrnn import RNNAnomalyDetector
from streamrnn.errors import FeatureError

RNG = np.random.default_rng(8)
X = RNG.normal(size=(120, 2)).cumsum(axis=0)
NAMES = ("a", "b")


def detector():
    return RNNAnomalyDetector(hidden_size=8, seed=2)


def rows(block=X):
    return [dict(zip(NAMES, row, strict=True)) for row in block.tolist()]


def run(model, events):
    """Score and learn each event; the scores."""
    found = []
    for x in events:
        found.append(model.score_one(x))
        model.learn_one(x)
    return found


def test_questions_change_nothing():
    """Scores and expectations, of this event or others, once or often, leave the pickle as it is, and what follows."""
    asked, silent = detector(), detector()
    expected = run(silent, rows())
    for x, score in zip(rows(), expected, strict=True):
        before = pickle.dumps(asked)
        for other in ({}, {"a": 1e9}, {"a": None, "new": 3.0}, x, x):
            first = asked.score_one(other)
            assert asked.score_one(other) == first
        asked.expected_one()
        assert pickle.dumps(asked) == before
        assert asked.score_one(x) == score
        asked.learn_one(x)
    assert pickle.dumps(asked) == pickle.dumps(silent)


@pytest.mark.parametrize("size", [1, 7, 120])
def test_blocks_are_a_loop(size):
    """``progressive_many`` gives the scores and leaves the state of the loop, to the bit, whatever the block's size."""
    one, many = detector(), detector()
    scores = run(one, rows())

    found = [many.progressive_many(X[start : start + size], NAMES)["score"] for start in range(0, 120, size)]

    assert np.concatenate(found).tolist() == scores
    assert pickle.dumps(many) == pickle.dumps(one)


def test_blocks_with_gaps_and_new_columns():
    """The same with missing values, and a column that comes later."""
    wide = np.column_stack([X, X[:, 0] * 2])
    wide[RNG.random(wide.shape) < 0.2] = np.nan
    one, many = detector(), detector()
    scores = run(one, rows(wide[:40, :2]))
    scores += run(one, [dict(zip("abc", row, strict=True)) for row in wide[40:].tolist()])

    first = many.progressive_many(wide[:40, :2], NAMES)["score"]
    second = many.progressive_many(wide[40:], ("a", "b", "c"))["score"]

    assert [*first.tolist(), *second.tolist()] == scores
    assert pickle.dumps(many) == pickle.dumps(one)


def test_predictions_are_what_was_expected():
    """``prediction`` holds, for each row, what ``expected_one`` said before it came."""
    one, many = detector(), detector()
    result = many.progressive_many(X[:30], NAMES)
    for x, row in zip(rows(X[:30]), result["prediction"].tolist(), strict=True):
        expected = one.expected_one()
        assert [expected.get(name, math.nan) for name in NAMES] == pytest.approx(row, abs=0, nan_ok=True)
        one.learn_one(x)


STRANGE = [
    {"a": math.nan, "b": 1.0},
    {"a": None, "b": 1.0},
    {"a": 1e30, "b": -1e30},
    {"a": math.inf, "b": -math.inf},
    {"a": 1e308, "b": 10**400},
    {"a": True, "b": np.float32(2.5)},
    {"a": Decimal("1.5"), "b": np.int64(3)},
    {"b": 1.0},
    {"new": 1.0},
    {},
]


@pytest.mark.parametrize("x", STRANGE, ids=str)
def test_strange_values_are_survived(x):
    """Whatever is or is not a number: scores stay in [0, 1], no weight is lost, and usual events score as usual soon."""
    model = detector()
    run(model, rows())
    usual = np.mean(run(copy.deepcopy(model), rows(X[::-1])))
    for _ in range(3):
        assert 0.0 <= model.score_one(x) <= 1.0
        model.learn_one(x)

    scores = run(model, rows(X[::-1]))

    assert all(0.0 <= score <= 1.0 for score in scores)
    assert all(np.isfinite(part).all() for part in model.weights.values())
    assert model.n_refused_updates == 0
    assert np.mean(scores) < max(3 * usual, 0.5)


@pytest.mark.parametrize(
    "bad", ["12", b"1", [1.0], {"x": 1}, object()], ids=["text", "bytes", "list", "dict", "object"]
)
def test_what_is_no_number_is_refused_and_learns_nothing(bad):
    """Text and nested values: an error that names the feature; the state stays as it is, a new feature is not begun."""
    model = detector()
    run(model, rows(X[:20]))
    before = pickle.dumps(model)
    for x in ({"a": 1.0, "b": bad}, {"a": 1.0, "b": 2.0, "new": bad}):
        name = next(key for key, value in x.items() if value is bad)
        with pytest.raises(FeatureError, match=name):
            model.learn_one(x)
        assert pickle.dumps(model) == before


def test_columns_are_stable():
    """The order inside an event changes nothing, and a new name that sorts first moves no other column."""
    one, other = detector(), detector()
    scores = run(one, rows())

    assert run(other, [dict(reversed(x.items())) for x in rows()]) == scores
    before = one.expected_one()
    one.score_one({"0": 1.0, "a": 1.0, "b": 2.0})
    assert one.expected_one() == before
    one.learn_one({"0": 1.0, **rows()[-1]})
    assert list(one.expected_one()) == ["a", "b", "0"]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_go_their_own_way(copied):
    """A copy goes on as the original does, and neither sees what the other learns."""
    model = detector()
    run(model, rows(X[:60]))
    twin = copied(model)
    before = pickle.dumps(model)

    scores = run(twin, rows(X[60:]))

    assert pickle.dumps(model) == before
    assert run(model, rows(X[60:])) == scores


def test_clones_are_new_and_keep_every_parameter():
    """``clone`` gives an untrained model of the same parameters."""
    model = RNNAnomalyDetector(cell="lstm", hidden_size=8, window=9, stride=3, learning="tbptt", seed=7)
    run(model, rows())
    clone = model.clone()

    assert clone._get_params() == model._get_params()
    assert clone.expected_one() == {}
    assert run(clone, rows()) == run(model.clone(), rows())


@pytest.mark.parametrize("feature", ["usual", "odd", "none"])
def test_rows_as_lists_are_what_the_arrays_hold(feature: str) -> None:
    """Bit for bit, for rows that nothing was decided of too, and behind a time."""
    model, drawn = RNNAnomalyDetector(hidden_size=4, memory=64, warm_up=5, alarm_rate=0.1), np.random.default_rng(3)
    values = drawn.normal(size=(300, 2))
    values[drawn.random((300, 2)) < {"usual": 0.0, "odd": 0.05, "none": 0.7}[feature]] = (
        np.nan if feature == "none" else 1e6
    )
    model.learn_one({"a": 1.0, "b": 2.0})
    rows = model.run_rows(values, ("a", "b"))

    assert rows is not None
    found, listed = model.read_rows(rows), model.list_rows(rows)
    assert repr(listed) == repr({name: found[name].tolist() for name in listed})
    assert model.list_rows(rows[:0]) == {name: [] for name in listed}
