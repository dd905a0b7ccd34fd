"""Alarms of the detector: at the rate asked for, explained, quiet when told, a change called a change."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from streamrnn import RNNAnomalyDetector
from streamrnn.errors import StateError
from streamrnn.kernels.anomaly.views import VIEWS

RNG = np.random.default_rng(4)
N = 4000
WAVE = np.sin(np.arange(N) / 7.0) + 0.1 * RNG.normal(size=N)


def detector(**params):
    return RNNAnomalyDetector(**{"hidden_size": 8, "seed": 2, **params})


SPIKED = WAVE.copy()
SPIKED[500::250] += 3.0


def say(values, model=None, **params):
    """What a detector says of a stream of one feature."""
    return (model or detector(**params)).progressive_many(np.asarray(values, float)[:, None], ("a",))


STREAMS = {
    "noise": RNG.normal(size=N),
    "wave": WAVE,
    "walk": RNG.normal(size=N).cumsum(),
    "growing": RNG.normal(size=N) * np.linspace(1, 30, N),
    "heavy tails": RNG.standard_t(2, size=N),
}


@pytest.mark.parametrize("rate", [0.003, 0.03])
@pytest.mark.parametrize("name", STREAMS)
def test_the_rate_is_a_promise_of_at_most(name, rate):
    """No more alarms than 1.5 times the rate, but for a few, on streams without any event."""
    said = say(STREAMS[name], alarm_rate=rate)

    assert said["alarm"].sum() <= 6.0 + 1.5 * rate * said["warm"].sum()


def test_an_alarm_is_a_score_at_or_above_the_threshold_or_a_surprise():
    """``exceeds`` is that comparison after the warm-up; ``alarm`` leaves out what is cooldown or goes on."""
    said = say(SPIKED, alarm_rate=0.02, cooldown=50)

    novel, surprising = said["warm"] & (said["score"] >= said["threshold"]), said["view"] == VIEWS.index("surprise")
    assert said["exceeds"][novel].all()
    assert surprising[said["exceeds"] & ~novel].all()
    assert (said["exceeds"] & ~novel).any()
    np.testing.assert_allclose(10.0 ** -said["severity"], said["p_value"])
    assert said["exceeds"][said["alarm"]].all()
    assert said["warm"].tolist() == [t >= 300 for t in range(N)]
    assert np.diff(np.flatnonzero(said["alarm"])).min() > 50
    assert ((said["p_value"] > 0) & (said["p_value"] <= 1)).all()


def test_a_constant_stream_never_alarms():
    """Nothing is new in it."""
    assert not say(np.full(1500, 3.5), alarm_rate=0.1)["exceeds"].any()


def test_scores_of_a_prefix_are_the_prefix_of_the_scores():
    """Nothing looks ahead: scores, thresholds, flags."""
    whole, prefix = say(WAVE), say(WAVE[:1500])

    for name, found in prefix.items():
        np.testing.assert_array_equal(found, whole[name][:1500], err_msg=name)


@pytest.mark.parametrize(("a", "b", "rounding"), [(1024.0, 0.0, 0.0), (0.5, 0.0, 0.0), (0.03, 500.0, 1e-5)])
def test_scale_and_level_change_nothing(a, b, rounding):
    """A x + b gives the same evidence for every event, up to the rounding of the values themselves, and the same alarms."""
    plain, moved = say(SPIKED, alarm_rate=0.01), say(a * SPIKED + b, alarm_rate=0.01)

    np.testing.assert_allclose(moved["score"], plain["score"], rtol=0.0, atol=rounding)
    for name in ("exceeds", "alarm", "change"):
        np.testing.assert_array_equal(moved[name], plain[name], err_msg=name)
    assert plain["alarm"].sum() > 10


def test_an_anomaly_is_found_and_explained():
    """A spike alarms, and the feature that did it has the larger share."""
    other = RNG.normal(size=N)
    values = np.column_stack([WAVE, other])
    values[3000, 0] = 4.0
    model = detector()
    said = model.progressive_many(values[:3000], ("a", "b"))
    why = model.explain_one({"a": 4.0, "b": other[3000]})

    assert why["alarm"]
    assert why["score"] > 20 * np.median(said["score"][1000:])
    assert why["features"]["a"]["contribution"] > 0.2 > why["features"]["b"]["contribution"]
    assert why["features"]["a"]["low"] < why["features"]["a"]["prediction"] < why["features"]["a"]["high"] < 4.0
    assert set(why["views"]) == set(VIEWS)
    assert why["score"] == model.score_one({"a": 4.0, "b": other[3000]})


@pytest.mark.parametrize("level", [0.0, 0.5, WAVE[2950]])
def test_a_flat_stretch_at_a_usual_level_alarms(level):
    """No value of it is new: that they do not change is. It is the first stretch of the stream's that alarms, within a dozen events."""
    other = np.random.default_rng(5).normal(size=N)
    values = np.column_stack([WAVE, other])
    values[3000:3060, 0] = level
    said = detector(alarm_rate=0.01).progressive_many(values[:3060], ("a", "b"))

    [first, *_] = np.flatnonzero(said["alarm"][3000:]) + 3000
    assert first < 3012
    assert said["feature"][first] == 0
    assert said["contribution"][first, 0] > said["contribution"][first, 1]
    assert said["views"][first, VIEWS.index("value")] < 0.01


def test_what_explain_one_tells_is_what_blocks_tell():
    """The same figures, before the event is learned."""
    model, twin = detector(), detector()
    said = say(WAVE[:600], model)
    say(WAVE[:599], twin)
    why = twin.explain_one({"a": WAVE[599]})

    assert [why[name] for name in ("score", "p_value", "threshold", "since", "alarm")] == [
        said[name][599] for name in ("score", "p_value", "threshold", "since", "alarm")
    ]
    assert list(why["views"].values()) == said["views"][599].tolist()
    assert (why["feature"], why["view"]) == ("a", VIEWS[said["view"][599]])


def test_a_residual_is_not_habituated():
    """The score is the raw one less half of the largest of late, or the residual where that is more: where the net forecasts well."""
    n, values = 9000, np.sin(np.arange(9000) / 7.0) + 0.5 * np.sin(np.arange(9000) / 11.0)
    values += 0.002 * RNG.normal(size=n)
    values[4000::30] += 0.05
    said = say(values)

    raw, residual, most, expected = said["contribution"][:, 0], said["views"][:, VIEWS.index("residual")], 0.0, []
    raw[:2] = said["score"][:2]  # of the first events no feature's score is told
    for t in range(n):
        expected.append(max(raw[t] - 0.5 * most, 0.01 * raw[t], residual[t]))
        most = max(raw[t], most * (1.0 - 1.0 / max(min(200.0, 0.15 * t), 1.0)))
    np.testing.assert_allclose(said["score"], expected, rtol=1e-12)
    spared = (said["score"] == residual) & (residual > 0.0)
    assert spared.sum() > 20
    assert set(said["view"][spared].tolist()) <= {VIEWS.index("residual"), VIEWS.index("surprise")}


def test_what_decided_accounts_for_the_score():
    """Evidence is what the view says that decided, in the feature that did: after words of the user's too. Nothing found: no view."""
    values = np.column_stack([np.arange(1200.0), WAVE[:1200], RNG.normal(size=1200)])
    values[[500, 700, 900], [1, 2, 1]] = 9.0
    words = np.full(1200, np.nan)
    words[[500, 700, *range(800, 820)]] = [0.0, 1.0, *[0.0] * 20]
    model = RNNAnomalyDetector(hidden_size=8, seed=2, time="t")
    said = model.progressive_many(values, ("t", "a", "b"), words)

    assert said["feature"][[500, 700, 900]].tolist() == [1, 2, 1]
    assert (said["view"][[500, 700, 900]] == VIEWS.index("surprise")).all()
    surprise = said["view"] == VIEWS.index("surprise")
    np.testing.assert_allclose(said["severity"][surprise], said["views"][surprise, VIEWS.index("surprise")])
    some = np.flatnonzero((said["view"] >= 0) & ~surprise)
    feature, decided = said["feature"][some], said["view"][some]
    value, expectation, shape, residual, *_ = said["views"][some].T
    parts = np.stack([np.sqrt(value * expectation), 0.15 * expectation, shape, residual])
    own = said["contribution"][some, feature]
    before = some < 500
    np.testing.assert_allclose(parts[decided, np.arange(len(some))][before], own[before], rtol=1e-12)
    assert (own == np.nanmax(said["contribution"][some], axis=1)).all()
    assert (model._net.array("gains")[:, :3] != 0.0).any()
    gained = parts[decided, np.arange(len(some))] / own
    assert ((gained > 0.24) & (gained < 4.01)).all()
    assert (said["view"][0], said["feature"][0]) == (-1, -1)
    assert not np.nan_to_num(said["contribution"][said["view"] < 0]).any()


def test_a_new_regime_is_a_change_and_no_endless_alarm():
    """After ``patience`` events far off, one change; an alarm at its start, hardly any in between."""
    values = np.concatenate([WAVE[:2000], WAVE[2000:3000] + 30.0])
    said = say(values, patience=80)

    changes = np.flatnonzero(said["change"])
    assert said["alarm"][2000]
    assert len(changes) == 1
    assert 2078 <= changes[0] <= 2082
    assert said["alarm"][2011:2080].sum() == 0
    assert not say(WAVE)["change"].any()


def test_an_alarm_teaches_the_net_nothing():
    """While it is fresh, ``protect`` events with the alarm's own, no weight and no head moves; then they do."""
    model = detector(protect=40)
    say(WAVE[:2000], model)
    assert model.explain_one({"a": 50.0})["alarm"]
    model.learn_one({"a": 50.0})
    before, learned = learned_by(model), model.learning_counters[1]

    say(WAVE[2001:2040], model)

    for name, part in learned_by(model).items():
        np.testing.assert_array_equal(part, before[name], err_msg=name)
    assert model.learning_counters[1] == learned
    say(WAVE[2040:2060], model)
    for name, part in learned_by(model).items():
        assert not np.array_equal(part, before[name]), name


def learned_by(model):
    """Copies of all that a detector's net and heads learn by."""
    return {name: part.copy() for name, part in {**model.weights, "heads": model._net.array("heads")}.items()}


@pytest.mark.parametrize("feedback", [True, False, None])
def test_what_is_called_an_anomaly_teaches_the_net_nothing(feedback):
    """Without any protection: the event called an anomaly is no target, neither of the net nor of a head; called usual it is, as if nothing was said."""
    model = detector(protect=0)
    say(WAVE[:2000], model)
    before, learned = learned_by(model), model.learning_counters[1]

    model.learn_one({"a": 2.5}, feedback)

    assert model.learning_counters[1] - learned == (feedback is not True)
    assert np.array_equal(model._net.array("heads"), before["heads"]) == (feedback is True)


@pytest.mark.parametrize(("feedback", "gain"), [(True, 0.25), (False, -0.2)])
def test_the_users_word_moves_the_view_that_decided(feedback, gain):
    """Called an anomaly, the view counts a quarter more, and such an event is severer; called usual, a fifth less, and it is less so."""
    model = detector()
    say(WAVE[:2000], model)
    trained = copy.deepcopy(model)
    x = {"a": 2.5}
    assert model.explain_one(x)["view"] == "surprise"
    trained.learn_one(x, feedback=feedback)
    model.learn_one(x)
    for one in (trained, model):
        say(WAVE[2000:2060], one)

    odd = {"a": -3.0}
    severity, plain = (one.explain_one(odd)["severity"] for one in (trained, model))
    np.testing.assert_allclose(trained._net.array("gains")[0], [0.0, 0.0, 0.0, gain])
    assert not model._net.array("gains").any()
    assert severity > plain + 0.1 if feedback else severity < plain - 0.1


def test_words_in_a_block_are_words_one_by_one():
    """``progressive_many(..., feedback=words)`` is the loop of score_one and learn_one with those words, to the bit."""
    values, words = WAVE[:700].copy(), np.full(700, np.nan)
    values[[400, 500, 600]], words[[0, 400, 401, 500, 600, 699]] = 3.0, [0, 1, 0, 1, 0, 1]
    loop, block = detector(), detector()
    scores = []
    for value, word in zip(values.tolist(), words.tolist(), strict=True):
        scores.append(loop.score_one({"a": value}))
        loop.learn_one({"a": value}, feedback=None if np.isnan(word) else bool(word))

    said = block.progressive_many(values[:, None], ("a",), words)

    assert said["score"].tolist() == scores
    assert pickle.dumps(block) == pickle.dumps(loop)
    assert pickle.dumps(block) != pickle.dumps(say_and_return(values))


def say_and_return(values):
    """A detector that nobody corrects."""
    model = detector()
    say(values, model)
    return model


def test_what_is_called_usual_alarms_less_often():
    """A dozen spikes in one sensor are called usual: later ones there alarm less often, those of the other do not."""
    rng = np.random.default_rng(1)
    n = 12_000
    values = np.column_stack([np.sin(np.arange(n) / 7.0), np.cos(np.arange(n) / 9.0)]) + 0.1 * rng.normal(size=(n, 2))
    spikes = [np.arange(500, n, 97), np.arange(540, n, 97)]
    for feature, places in enumerate(spikes):
        values[places, feature] += rng.uniform(1.0, 4.0, len(places)) * rng.choice([-1.0, 1.0], len(places))
    words = np.full(n, np.nan)
    words[spikes[0][:12]] = 0.0

    def alarms(model, given):
        exceeds = model.progressive_many(values, ("a", "b"), given)["exceeds"]
        return [int(exceeds[places[20:]].sum()) for places in spikes]

    plain, told = (alarms(detector(alarm_rate=0.01), given) for given in (None, words))

    assert told[0] < 0.75 * plain[0]
    assert told[1] > 0.9 * plain[1]


def test_a_rate_may_change_on_the_way():
    """``set_alarm`` holds from the next event on, as exactly as a rate of the start, and is a parameter like those."""
    model = detector(alarm_rate=0.001, cooldown=0)
    say(SPIKED[:2000], model)
    usual = copy.deepcopy(model)
    model.set_alarm(0.1, 30)
    loaded = pickle.loads(pickle.dumps(model))
    said, before = say(SPIKED[2000:], model), say(SPIKED[2000:], usual)

    assert said["threshold"][0] < before["threshold"][0]
    assert before["alarm"].sum() <= said["alarm"].sum() <= 3 + 1.5 * 0.1 * 2000
    assert np.diff(np.flatnonzero(said["alarm"])).min() > 30
    for one in (model, loaded, model.clone()):
        assert (one.alarm_rate, one.cooldown, one.warm_up) == (0.1, 30, usual.warm_up)
    say(SPIKED[2000:], loaded)
    assert pickle.dumps(loaded) == pickle.dumps(model)
    model.set_alarm(0.001, 0)
    assert say(WAVE[:1000], model)["exceeds"].sum() < 30


@pytest.mark.parametrize(("name", "word", "value"), [
    ("watch", 0, np.nan), ("watch", 0, -1.0), ("watch", 0, 1e300), ("alarm", 1, np.nan), ("alarm", 0, np.inf), ("rule", 0, 0.5), ("gains", 1, 1e9), ("gains", 0, -1.0),
    ("kept", 3, np.nan), ("outlook", 0, -1.0), ("outlook", 3, 1e6), ("outlook", 40, np.nan),
])  # fmt: skip
def test_a_state_that_no_detector_has_is_refused(name, word, value):
    """Counts and memories from outside are checked before they are used as places."""
    model = detector(memory=64)
    say(WAVE[:50], model)
    model._net.array(name).reshape(-1)[word] = value

    with pytest.raises(StateError):
        pickle.loads(pickle.dumps(model))


def test_with_persistence_in_the_nets_place_no_weight_plays_a_part_in_the_score():
    """Scores and predictions of the control are the same for every seed, those of the detector are not; saved, it stays a control."""
    values = np.random.default_rng(1).normal(size=(900, 1)).cumsum(axis=0)

    def play(seed, *, control, saved=False):
        model = RNNAnomalyDetector(hidden_size=8, seed=seed)
        model.use_persistence(control)
        return (pickle.loads(pickle.dumps(model)) if saved else model).progressive_many(values)

    controls, usual = [play(1, control=True), play(2, control=True)], [play(1, control=False), play(2, control=False)]

    np.testing.assert_array_equal(controls[0]["score"], controls[1]["score"])
    assert (usual[0]["score"] != usual[1]["score"]).mean() > 0.5
    np.testing.assert_array_equal(controls[0]["prediction"], controls[1]["prediction"])
    assert (usual[0]["prediction"] != usual[1]["prediction"]).mean() > 0.5
    np.testing.assert_array_equal(play(1, control=True, saved=True)["score"], controls[0]["score"])


@pytest.mark.parametrize("garbage", [2147483647.0, -32768.0, 1e20, np.inf])
def test_one_reading_of_garbage_blinds_nobody(garbage):
    """It alarms itself, scores higher than whatever is nearer, and every drop behind it alarms as if it had not come."""
    values = WAVE.copy()
    drops = np.arange(900, N, 300)
    values[drops] = -6.0
    values[600] = garbage
    model = detector(alarm_rate=0.01)
    say(values[:600], model)
    nearer = model.score_one({"a": 100.0 * np.sign(garbage)})
    said = say(values[600:], model)

    assert said["alarm"][0]
    assert said["score"][0] > nearer
    assert all(said["alarm"][drop - 600 : drop - 597].any() for drop in drops)
    assert said["alarm"].sum() - 1 - len(drops) <= 3 + 1.5 * 0.01 * len(said["alarm"])


def test_a_fault_that_comes_back_alarms_again_and_is_as_severe():
    """Twelve equal outages: each is an alarm and an episode of its own; the scores fall, the severity does not."""
    values = np.tile(20.0 + 5.0 * np.sin(np.arange(24) / 24 * 2 * np.pi), 420) + 0.3 * np.random.default_rng(2).normal(
        size=10_080
    )
    starts = 900 + 750 * np.arange(12)
    for start in starts:
        values[start : start + 10] = 0.0
    said = say(values)

    assert said["alarm"][starts].all()
    assert said["severity"][starts[-1]] > 0.8 * said["severity"][starts[0]]
    assert said["score"][starts[-1]] < 0.2 * said["score"][starts[0]]
    assert len(set(said["episode"][starts].tolist())) == 12
    assert (said["view"][starts] == VIEWS.index("surprise")).all()
