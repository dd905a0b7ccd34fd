"""One hidden state for each key: shared weights, bounded memory, no key disturbs another."""

from __future__ import annotations

import datetime as dt
import pickle
from collections import OrderedDict

import numpy as np
import pandas as pd
import polars as pl
import pytest

from streamrnn import RNNAnomalyDetector, RNNRegressor
from streamrnn.errors import FeatureError, StateError
from streamrnn.kernels.anomaly import alarm
from streamrnn.kernels.net.words import A_LOSS
from streamrnn.models._keys import Keys, Slots

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
    """The bits are those of a model without ``key``, if all events have the same key, but for the linear expert: only without keys it has a season."""
    params = {**PARAMS, "learning": "traces", "experts": ("net", "last")}
    plain, keyed = RNNRegressor(**params), RNNRegressor(**params, key="sensor")
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

    assert list(model.slots) == ["a", "c"]


@pytest.mark.parametrize(("most", "kinds"), [(1, 5), (7, 30), (300, 400), (300, 3000)])
def test_keys_go_in_the_order_in_which_they_were_seen(most, kinds):
    """Whatever happens to keys, the order, the areas and who goes are those of a table that moves each key to its end when it is seen."""
    rng, keys, seen, free, clock = np.random.default_rng(most), Keys(most), OrderedDict(), [], 0

    def touch(key):
        if key in seen:
            seen.move_to_end(key)
            seen[key] = seen[key][0], clock
            return seen[key][0]
        if len(seen) == most:
            free.append(seen.popitem(last=False)[1][0])
        area = min(free, default=len(seen) + 1)
        free[:] = [one for one in free if one != area]
        seen[key] = area, clock
        return -area

    for step in range(400):
        some = (kinds * rng.random(rng.integers(1, 20)) ** 2).astype(int).tolist()
        expected = []
        for key in some:
            clock += 1
            expected.append(touch(key))

        assert keys.touch_many(some).tolist() == expected
        if step % 5 == 0 and some[0] in seen:
            free.append(seen.pop(some[0])[0])

            assert keys.drop(some[0]) == free[-1]
        if step % 40 == 39:
            keys = Keys(most, *keys.written())
            free = [area for area in free if area <= keys.last]
        if step % 20 == 0:
            assert dict(Slots(keys)) == {key: area for key, (area, _) in seen.items()}
            assert list(keys) == list(seen)
            assert keys.coldest(3) == [(key, clock - tick) for key, (_, tick) in list(seen.items())[:3]]
            assert keys.count_idle(50) == sum(clock - tick > 50 for _, tick in seen.values())
    while len(seen) > most // 3:
        seen.popitem(last=False)
    keys.limit(most // 3)

    assert list(keys) == list(seen)


def test_keys_that_cannot_be_looked_up_change_nothing():
    """A key in the middle of a block that is no key leaves all others unseen, whether they are known or not."""
    keys = Keys(most=3)
    keys.touch_many("ab")
    for block in (["a", "b", []], ["c", "b", []]):
        with pytest.raises(TypeError, match="unhashable"):
            keys.touch_many(block)

        assert (list(keys), keys.clock) == (["a", "b"], 2)


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

    assert list(model.slots) == ["a", "c"]
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


# ---- what is a key's own --------------------------------------------------------------------------------------------------


def waves(n=600, keys="abc", seed=3):
    """Events of some keys in turn: a wave with noise, what follows from it, and where each key's events are."""
    rng = np.random.default_rng(seed)
    u = np.sin(np.arange(n) / 4.0)[:, None] + 0.2 * rng.normal(size=(n, len(keys)))
    y = np.tanh(2.0 * np.roll(u, 1, axis=0)) + 0.1 * rng.normal(size=u.shape)
    return u.ravel(), y.ravel(), np.tile(list(keys), n)


def answers(kind, u, y, keys):
    """What a new model with keys predicts of each event before it learns it."""
    if kind is RNNAnomalyDetector:
        frame = pd.DataFrame({"sensor": keys, "u": u})
        return kind(hidden_size=8, key="sensor").progressive_many(frame)["prediction"][:, -1]
    return kind(**PARAMS, key="sensor").progressive_many(pd.DataFrame({"sensor": keys, "u": u}), y).to_numpy()


@pytest.mark.parametrize("kind", [RNNRegressor, RNNAnomalyDetector])
def test_the_scale_of_a_key_is_its_own(kind):
    """With one key in other units, a power of two apart, its answers are those times that, and the others' stay, to the bit."""
    u, y, keys = waves()
    units = np.where(keys == "b", 2.0**30, 1.0)

    plain, scaled = answers(kind, u, y, keys), answers(kind, u * units, y * units, keys)

    np.testing.assert_array_equal(scaled, plain * units)


def test_keys_of_all_scales_in_one_net_are_as_good_as_a_net_each():
    """From 1e-3 to 1e6: what is predicted of each key is no further off than a net that knows this key alone."""
    u, y, keys = waves(n=1500)
    units = np.select([keys == "a", keys == "b"], [1e-3, 1e6], 1.0)
    together = answers(RNNRegressor, u * units, y * units, keys)

    for key in "abc":
        own = keys == key
        alone = (
            RNNRegressor(**PARAMS).progressive_many(pd.DataFrame({"u": (u * units)[own]}), (y * units)[own]).to_numpy()
        )
        late = slice(own.sum() * 2 // 3, None)
        errors = [np.abs(found - (y * units)[own])[late].mean() for found in (together[own], alone)]

        assert errors[0] <= 1.02 * errors[1]


@pytest.mark.parametrize(
    ("most", "options"), [(8, {}), (4, {"hidden_size": 4, "window": 2, "stride": 2, "memory": 16})]
)
def test_a_key_of_a_detector_is_small(most, options):
    """8 KiB beside the shared net at the defaults, 4 in the smallest form; Python's table of the keys included."""
    model = RNNAnomalyDetector(key="sensor", max_keys=64, **options)
    model._grow(["u"])
    before = model.memory_usage()
    model._touch(range(64))

    assert (model.memory_usage() - before) / 64 <= most * 1024


def test_a_frozen_net_learns_what_is_a_key_s_own():
    """A key that comes when the weights are frozen has its mean and spread, and is predicted by them; no weight changes."""
    u, y, keys = waves()
    model = RNNRegressor(**PARAMS, key="sensor")
    model.progressive_many(pd.DataFrame({"sensor": keys, "u": u}), y)
    model.freeze()
    weights = {name: value.copy() for name, value in model.weights.items()}

    own = keys == "b"
    said = model.progressive_many(
        pd.DataFrame({"sensor": ["new"] * own.sum(), "u": 1e4 + 50.0 * u[own]}), 9.0 + 100.0 * y[own]
    )

    assert all((weights[name] == value).all() for name, value in model.weights.items())
    errors = np.abs(said.to_numpy() - 9.0 - 100.0 * y[own])[200:]
    assert errors.mean() < 0.5 * 100.0 * np.abs(y - y.mean()).mean()


def test_a_rate_by_time_is_that_of_each_key():
    """Two a day are one in 720 of a key that reports each minute, and one in 12 of one that does each hour."""
    model = RNNAnomalyDetector(hidden_size=8, key="sensor", time="at", alarm_rate="2/day")
    for i in range(200):
        model.learn_one({"sensor": "minutes", "at": 60.0 * i, "u": 1.0})
        model.learn_one({"sensor": "hours", "at": 3600.0 * i, "u": 1.0})
    rule, net, rate_of = model._net.array("rule"), model._net, getattr(alarm.rate_of, "py_func", alarm.rate_of)

    found = [rate_of(rule, net.layout.view(net.slab, "gaps", model._keys.find(key))[0]) for key in ("minutes", "hours")]

    assert found == pytest.approx([2 / 1440, 2 / 24])


def test_a_key_of_noise_teaches_the_others_next_to_nothing():
    """Beside one that cannot be learned, the others are predicted as beside one more like them."""
    u, y, keys = waves(keys="abcdefghij")
    noise = np.random.default_rng(7).normal(size=(2, len(u)))
    noisy = [np.where(keys == "j", wild, part) for wild, part in zip(noise, (u, y), strict=True)]
    options, own = {**PARAMS, "key": "sensor", "experts": ("linear",)}, keys != "j"
    errors = []
    for parts in ((u, y), noisy):
        said = RNNRegressor(**options).progressive_many(pd.DataFrame({"sensor": keys, "u": parts[0]}), parts[1])
        errors.append(np.abs(said.to_numpy() - y)[own][1000:].mean())

    assert errors[1] < 1.06 * errors[0]


@pytest.mark.parametrize("loss", [np.nan, np.inf, -1.0])
def test_a_state_with_a_loss_that_is_none_is_refused(loss):
    """What a key's events weigh follows from it: a weight of NaN would be in every weight of the net."""
    model = RNNRegressor(**PARAMS, key="sensor")
    model.learn_one({"sensor": "a", "u": 1.0}, 2.0)
    model._net.layout.every(model._net.slab, "area").view(np.float64)[1, A_LOSS] = loss

    with pytest.raises(StateError, match="losses"):
        pickle.loads(pickle.dumps(model))


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
