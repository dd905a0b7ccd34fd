"""One hidden state for each key: shared weights, bounded memory, no key disturbs another."""

from __future__ import annotations

import datetime as dt
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest

from streamrnn import RNNAnomalyDetector, RNNRegressor
from streamrnn.errors import FeatureError

PARAMS = {"hidden_size": 8, "window": 8, "stride": 3}


def keyed_stream(n=80, keys=("a", "b", "c"), seed=2):
    """Events of several sensors, mixed at random."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        yield {"sensor": keys[rng.integers(len(keys))], "u": rng.normal(), "v": rng.normal()}, rng.normal()


@pytest.mark.parametrize("learning", ["tbptt", "traces"])
def test_a_frozen_net_sees_each_key_as_a_stream_of_its_own(learning):
    """With fixed weights, the answers for a key are those of a net that has met this key alone."""
    start = RNNRegressor(**PARAMS, learning=learning, key="sensor")
    for x, y in keyed_stream(40):
        start.learn_one(x, y)
    start.reset()
    start.freeze()
    mixed = pickle.loads(pickle.dumps(start))
    alone = {key: pickle.loads(pickle.dumps(start)) for key in "abc"}

    for x, y in keyed_stream(60, seed=3):
        own = alone[x["sensor"]]

        assert mixed.predict_one(x) == own.predict_one(x)
        mixed.learn_one(x, y)
        own.learn_one(x, y)


def test_one_key_is_a_model_without_keys():
    """The bits are those of a model without ``key``, if all events have the same key."""
    plain, keyed = RNNRegressor(**PARAMS, learning="traces"), RNNRegressor(**PARAMS, learning="traces", key="sensor")
    for x, y in keyed_stream(keys=("a",)):
        bare = {name: value for name, value in x.items() if name != "sensor"}

        assert keyed.predict_one(x) == plain.predict_one(bare)
        plain.learn_one(bare, y)
        keyed.learn_one(x, y)


def test_the_key_unseen_for_longest_goes():
    """Where there is no room a new key takes the place of the one that was seen longest ago, not of the one that came first."""
    model = RNNRegressor(**PARAMS, key="sensor", max_keys=2)
    for key in "abac":
        model.learn_one({"sensor": key, "u": 1.0}, 1.0)

    assert list(model._keys.areas) == ["a", "c"]


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_blocks_of_mixed_keys_are_a_loop(frame):
    """``progressive_many`` with keys that come, go and are evicted gives the bits of a loop."""
    one, many = (RNNRegressor(**PARAMS, key="sensor", max_keys=3) for _ in range(2))
    events = list(keyed_stream(90, keys="abcdefg"))
    expected = []
    for x, y in events:
        expected.append(one.predict_one(x))
        one.learn_one(x, y)

    actual = []
    for start in (0, 30, 60):
        part = events[start : start + 30]
        actual += many.progressive_many(frame([x for x, _ in part]), np.array([y for _, y in part])).to_list()

    assert actual == expected
    assert pickle.dumps(many) == pickle.dumps(one)


def test_the_key_unseen_for_longest_makes_room():
    """An evicted key begins anew; predictions do not count as being seen."""
    model = RNNRegressor(**PARAMS, key="sensor", max_keys=2)
    for x, y in [*keyed_stream(30, keys="ab"), ({"sensor": "b"}, 1.0), ({"sensor": "a"}, 1.0)]:
        model.learn_one(x, y)
    model.predict_one({"sensor": "b", "u": 1.0})
    model.learn_one({"sensor": "c", "u": 1.0}, 2.0)

    assert list(model._keys.areas) == ["a", "c"]
    assert model.predict_one({"sensor": "b", "u": 1.0}) == model.predict_one({"sensor": "never", "u": 1.0})
    assert model.predict_one({"sensor": "a", "u": 1.0}) != model.predict_one({"sensor": "b", "u": 1.0})


def test_memory_stops_growing_with_the_keys():
    """However many keys come, the net keeps ``max_keys`` memories and a blank one."""
    model = RNNRegressor(**PARAMS, key="sensor", max_keys=5)
    for i in range(40):
        model.learn_one({"sensor": (i, "x"), "u": 1.0}, 1.0)

    assert model._net.sizes.areas == 6


@pytest.mark.parametrize(("x", "said"), [({"u": 1.0}, "no 'sensor'"), ({"sensor": [1], "u": 1.0}, "hashable.*list")])
def test_events_without_a_usable_key_are_refused(x, said):
    """The error names the key; nothing has been learned."""
    model = RNNRegressor(**PARAMS, key="sensor")
    model.learn_one({"sensor": 1, "u": 1.0}, 1.0)
    before = pickle.dumps(model)

    with pytest.raises(FeatureError, match=said):
        model.learn_one(x, 1.0)

    assert pickle.dumps(model) == before


def test_detectors_have_keys_too():
    """Scores of a keyed detector in a block are those of a loop, and a stored model goes on alike."""
    one, many = (RNNAnomalyDetector(**PARAMS, key="sensor", max_keys=2) for _ in range(2))
    events = [x for x, _ in keyed_stream(60)]
    scores = []
    for x in events:
        scores.append(one.score_one(x))
        one.learn_one(x)

    first = many.progressive_many(pd.DataFrame(events[:31]))["score"]
    many = pickle.loads(pickle.dumps(many))
    second = many.progressive_many(pd.DataFrame(events[31:]))["score"]

    assert [*first, *second] == scores
    assert one.expected_one(events[-1]["sensor"]) == many.expected_one(events[-1]["sensor"])


# ---- time -------------------------------------------------------------------------------------------------------------


def timed(gaps, kind):
    """Events at the times that these gaps lead to."""
    start = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
    seconds = np.cumsum(gaps).tolist()
    make = {
        "seconds": lambda s: s,
        "datetime": lambda s: start + dt.timedelta(seconds=s),
        "naive": lambda s: (start + dt.timedelta(seconds=s)).replace(tzinfo=None),
        "timedelta": lambda s: dt.timedelta(seconds=s),
        "numpy": lambda s: np.datetime64("2024-03-01") + np.timedelta64(round(s * 1e6), "us"),
        "pandas": lambda s: pd.Timestamp(start) + pd.Timedelta(seconds=s),
    }[kind]
    return [{"ts": make(s), "u": float(i % 3)} for i, s in enumerate(seconds)]


@pytest.mark.parametrize("kind", ["datetime", "naive", "timedelta", "numpy", "pandas"])
def test_all_kinds_of_time_mean_the_same(kind):
    """Gaps count, not where they start or how they are written."""
    gaps = np.random.default_rng(5).integers(1, 9, 40).astype(float)
    plain, other = RNNRegressor(**PARAMS, time="ts"), RNNRegressor(**PARAMS, time="ts")
    for a, b in zip(timed(gaps, "seconds"), timed(gaps, kind), strict=True):
        assert plain.predict_one(a) == other.predict_one(b)
        plain.learn_one(a, 1.0)
        other.learn_one(b, 1.0)


def test_a_gap_is_seen_in_units_of_the_mean_gap():
    """Hours or seconds: the net sees gap / mean gap, so a stream at another pace is the same stream."""
    gaps = np.random.default_rng(6).integers(1, 9, 40).astype(float)
    slow, fast = RNNRegressor(**PARAMS, time="ts"), RNNRegressor(**PARAMS, time="ts")
    for a, b in zip(timed(gaps, "seconds"), timed(gaps * 4096.0, "seconds"), strict=True):
        assert slow.predict_one(a) == fast.predict_one(b)
        slow.learn_one(a, a["u"])
        fast.learn_one(b, b["u"])


@pytest.mark.parametrize(
    ("times", "same_as"),
    [
        ([0.0, 1.0, 2.0, 1.5], [0.0, 1.0, 2.0, 2.0]),  # backwards: no gap
        ([0.0, 1.0, 2.0, None], [0.0, 1.0, 2.0, float("nan")]),
        ([0.0, 1.0, 2.0, float("inf")], [0.0, 1.0, 2.0, None]),
    ],
)
def test_odd_times(times, same_as):
    """Backward time is a gap of 0; None, NaN and infinity are times not known."""
    answers = []
    for sequence in (times, same_as):
        model = RNNRegressor(**PARAMS, time="ts")
        for t in sequence[:-1]:
            model.learn_one({"ts": t, "u": 1.0}, 3.0 + (t or 0.0))
        model.learn_one({"ts": 2.0, "u": 1.0}, 1.0)
        model.learn_one({"ts": 3.0, "u": 2.0}, 2.0)
        answers.append(model.predict_one({"ts": sequence[-1], "u": 1.0}))

    assert answers[0] == answers[1] or times[-1] == 1.5


def test_a_net_with_time_learns_what_gaps_mean():
    """The target is a function of the gap alone: with ``time`` it is learned, without it cannot be."""
    rng = np.random.default_rng(7)
    errors = {}
    gaps = rng.choice([1.0, 10.0], 4000)
    for name in (None, "ts"):
        model, wrong = RNNRegressor(**PARAMS, time=name), []
        for i, (t, gap) in enumerate(zip(np.cumsum(gaps).tolist(), gaps.tolist(), strict=True)):
            x = {"u": 1.0, **({"ts": t} if name else {})}
            if i > 3000:
                wrong.append(abs(model.predict_one(x) - gap))
            model.learn_one(x, gap)
        errors[name] = np.mean(wrong)

    assert errors["ts"] < 0.1 * errors[None]


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_blocks_with_times_and_keys_are_a_loop(frame):
    """Datetimes in frames, gaps for each key: the bits of a loop."""
    one, many = (RNNRegressor(**PARAMS, key="sensor", time="ts") for _ in range(2))
    events = timed(np.random.default_rng(8).integers(0, 5, 40).astype(float), "naive")
    events = [{**x, "sensor": "ab"[i % 3 > 0]} for i, x in enumerate(events)]
    expected = []
    for x in events:
        expected.append(one.predict_one(x))
        one.learn_one(x, x["u"])

    actual = many.progressive_many(frame(events), [x["u"] for x in events])

    assert actual.to_list() == expected
    assert pickle.dumps(many) == pickle.dumps(one)
