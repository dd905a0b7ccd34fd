"""Dicts without their zeros: words, indicators, hashed features."""

from __future__ import annotations

import pickle
import random
from typing import Any

import numpy as np
import pytest
from river import feature_extraction, preprocessing

from streamrnn import RNNClassifier, RNNRegressor
from streamrnn.errors import FeatureError
from streamrnn.models.persistence import dumps, loads

WORDS = [f"w{i}" for i in range(160)]


def texts(n: int, seed: int = 1) -> list[tuple[str, bool]]:
    """Return n texts of twelve words, most of them of their side alone."""
    rng, found = random.Random(seed), []
    for _ in range(n):
        side = rng.random() < 0.5
        own = WORDS[side::2]
        found.append((" ".join(rng.choice(own if rng.random() < 0.7 else WORDS) for _ in range(12)), side))
    return found


def bags(n: int) -> list[tuple[dict[str, int], bool]]:
    """Return the same as counts of words."""
    bag = feature_extraction.BagOfWords()
    return [(dict(bag.transform_one(text)), side) for text, side in texts(n)]


def right(model: Any, events: list[tuple[Any, Any]], last: int) -> float:
    """Return the share of right answers in the last events."""
    found = []
    for x, y in events:
        found.append(model.predict_one(x) == y)
        model.learn_one(x, y)
    return float(np.mean(found[-last:]))


@pytest.mark.parametrize(
    "encoder",
    [
        pytest.param(feature_extraction.BagOfWords, id="words"),
        pytest.param(feature_extraction.TFIDF, id="tfidf"),
        pytest.param(
            lambda: feature_extraction.BagOfWords() | preprocessing.FeatureHasher(n_features=128, seed=1), id="hashed"
        ),
    ],
)
def test_words_teach(encoder: Any) -> None:
    """River's own encoders of texts, which leave zeros out, teach a classifier without any setting."""
    assert right(encoder() | RNNClassifier(hidden_size=8), texts(900), 300) > 0.94


def test_indicators_teach() -> None:
    """One indicator an event, the others left out: each class of a category is learned."""
    rng, side = random.Random(1), [random.Random(i).random() < 0.5 for i in range(20)]
    events = [({"category": str(c)}, side[c]) for c in (rng.randrange(20) for _ in range(600))]

    found = right(preprocessing.OneHotEncoder(drop_zeros=True) | RNNClassifier(hidden_size=8), events, 200)

    assert found > 0.99


def test_absent_counts_are_zeros() -> None:
    """A count that is left out is a zero written out, to the bit, from the event on that showed it."""
    sparse, full = RNNClassifier(hidden_size=8, missing="zero"), RNNClassifier(hidden_size=8, missing="zero")
    events = bags(60)
    for model in (sparse, full):
        model.learn_one(dict.fromkeys(WORDS, 1), True)
    for x, y in events:
        sparse.learn_one(x, y)
        full.learn_one({**dict.fromkeys(WORDS, 0), **x}, y)

    assert pickle.dumps(sparse) == pickle.dumps(full)


def test_absent_measurements_are_means() -> None:
    """Sensors that report in turn are no counts: absent, a value is not known, and the model is that with the mean, to the bit."""
    by_itself, told = RNNRegressor(hidden_size=8), RNNRegressor(hidden_size=8, missing="mean")
    for t in range(60):
        x = {f"sensor {t % 3}": 20.0 + t % 7}
        for model in (by_itself, told):
            model.learn_one(x, float(t % 5))

    assert by_itself.predict_one({"sensor 1": 21.0}) == told.predict_one({"sensor 1": 21.0})


def test_sparse_streams_are_resumed() -> None:
    """Stopped at any event, columns that are ready for names to come included, a model goes on to the bit, from its bytes as from a pickle."""
    events = bags(80)
    whole = RNNClassifier(hidden_size=8)
    parts: list[Any] = [RNNClassifier(hidden_size=8)]
    for i, (x, y) in enumerate(events):
        whole.predict_one(x)
        whole.learn_one(x, y)
        parts[0].learn_one(x, y)
        if i in (0, 1, 7, 40):
            parts[0] = pickle.loads(pickle.dumps(parts[0])) if i % 2 else loads(dumps(parts[0]))

    assert pickle.dumps(whole) == pickle.dumps(parts[0])


def test_late_labels_find_sparse_events() -> None:
    """A label finds its event although names, or that they are counts, came in between."""
    model = RNNClassifier(hidden_size=8, advance="predict")
    events = bags(40)
    for x, _ in events:
        model.predict_one(x)
    for x, y in events:
        model.learn_one(x, y)

    assert (model.n_dropped_labels, model.n_events) == (0, 40)


def test_names_beyond_max_features_share_columns() -> None:
    """More counts than there may be columns are no error: they share some, and teach."""
    model = RNNClassifier(hidden_size=8, max_features=70)

    found = right(model, bags(900), 300)

    assert found > 0.8
    assert len(model.weights["layer0.inputs"]) == 64 + 32


def test_blocks_of_counts_are_a_loop() -> None:
    """Frames of counts, of which later ones bring new names, are a loop over their rows, to the bit."""
    rng = np.random.default_rng(1)
    blocks = [(list(names), rng.integers(0, 3, (20, len(names))).astype(float)) for names in ("abc", "bcde", "af")]
    looped, blocked = RNNRegressor(hidden_size=8), RNNRegressor(hidden_size=8)
    for names, block in blocks:
        block[0] = 1.0
        blocked.progressive_many(block, block[:, 0], names)
        for row in block.tolist():
            x = dict(zip(names, row, strict=True))
            looped.predict_one(x)
            looped.learn_one(x, row[0])

    assert pickle.dumps(looped) == pickle.dumps(blocked)


def test_measurements_beyond_max_features_are_an_error() -> None:
    """Measurements do not share columns; the message names the first that has no room."""
    model = RNNRegressor(hidden_size=8, max_features=3)
    model.learn_one({"a": 0.5, "b": 0.5}, 1.0)

    with pytest.raises(
        FeatureError, match=r"has 2 features, and the event brings 2 more: 'd' would be one more than max_features=3"
    ):
        model.learn_one({"a": 0.5, "b": 0.5, "c": 0.5, "d": 0.5}, 1.0)
