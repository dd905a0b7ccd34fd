"""Alarm rules of many keys, in rows by the places of the net that they share."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest

from streamrnn import RNNClassifier, RNNRegressor
from streamrnn.config import Alarm
from streamrnn.errors import FeatureError
from streamrnn.scorers.labelled import LabelledModel
from streamrnn.scorers.rank_rule import RankRule
from streamrnn.scorers.ranked import RankedScorer
from streamrnn.scorers.store import ModelStore
from streamrnn.scorers.table import KEY

ALARM = Alarm(rate=0.2, warm_up=4, window=20, cooldown=1)
ROOM, N = 5, 240
MODELS = {
    "numbers": lambda: RNNRegressor(key=KEY, max_keys=ROOM, hidden_size=8),
    "numbers that wait for labels": lambda: RNNRegressor(key=KEY, max_keys=ROOM, hidden_size=8, advance="event"),
    "classes": lambda: RNNClassifier(key=KEY, max_keys=ROOM, hidden_size=8),
    "classes that wait for labels": lambda: RNNClassifier(key=KEY, max_keys=ROOM, hidden_size=8, advance="predict"),
}


def scorer(name):
    return RankedScorer(LabelledModel(MODELS[name](), "y", ModelStore("a model")), ALARM)


class Oracle:
    """A rule for each key, begun anew when the key has had to go: the one unseen for longest first."""

    def __init__(self, room):
        self.room, self.rules = room, OrderedDict()

    def p_values(self, keys, scores):
        found = []
        for key, score in zip(keys, scores, strict=True):
            rule = self.rules.pop(key, None)
            if rule is None:
                self.limit(self.room - 1)
                rule = RankRule(ALARM)
            self.rules[key] = rule
            found.append(rule.update_many(np.array([score]))[1][0])
        return found

    def limit(self, room):
        while len(self.rules) > room:
            self.rules.popitem(last=False)


@pytest.mark.parametrize("name", MODELS)
def test_each_key_has_a_rule_of_its_own(name):
    """Keys that come, go, come back, are dropped, while there is less room and the net grows: p-values are those of a rule for each."""
    rng, made, oracle = np.random.default_rng(4), scorer(name), Oracle(ROOM)
    keys = [f"k{i}" for i in (9 * rng.random(N) ** 2).astype(int)]
    values = np.column_stack([rng.normal(size=N), rng.integers(2, size=N)]).astype(float)
    values[rng.random(N) < 0.1, 1] = np.nan
    start = 0
    for step, size in enumerate([1, 30, 1, 70, 18, 60, 60]):
        part, whose = values[start : start + size], keys[start : start + size]
        names = ("x", "y") if step < 4 else ("x", "y", "later")
        rows = part if step < 4 else np.column_stack([part, part[:, 0]])
        found = made.run(rows, names, None, whose)

        assert found.p_values == oracle.p_values(whose, found.scores)
        assert list(made.net.slots) == list(oracle.rules)
        start += size
        if step == 2:
            gone = next(iter(oracle.rules))
            oracle.rules.pop(gone)
            assert made.net.drop_key(gone)
        if step == 3:
            made.limit_keys(3)
            oracle.room = 3
            oracle.limit(3)


def test_places_are_noted_while_somebody_asks():
    """Events before and after, and those of an event that raised, are in no list."""
    model = MODELS["numbers"]()
    model.learn_one({KEY: "a", "x": 1.0}, 1.0)
    with pytest.raises(FeatureError), model.noted_places() as first:
        model.learn_one({KEY: "b", "x": "high"}, 1.0)
    model.progressive_many(np.ones((2, 1)), np.ones(2), ("x",), ["a", "c"])
    with model.noted_places() as second:
        model.progressive_many(np.ones((3, 1)), np.ones(3), ("x",), ["c", "d", "c"])
        model.predict_one({KEY: "a", "x": 1.0})

    assert (first, np.hstack(second).tolist(), model.last_place) == ([], [2, -3, 2], 3)
