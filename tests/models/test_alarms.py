"""Alarms of the detector: at the rate asked for, explained, quiet when told, a change called a change."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from streamrnn import RNNAnomalyDetector
from streamrnn.errors import StateError
from streamrnn.models.anomaly_detector import VIEWS

RNG = np.random.default_rng(4)
N = 4000
WAVE = np.sin(np.arange(N) / 7.0) + 0.1 * RNG.normal(size=N)


def detector(**params):
    return RNNAnomalyDetector(**{"hidden_size": 8, "seed": 2, **params})


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
def test_the_rate_is_held(name, rate):
    """What the rule owes is bounded, and with it the number of alarms: 1.2 rate n, but for a few."""
    said = say(STREAMS[name], alarm_rate=rate)

    expected = 1.2 * rate * said["warm"].sum()
    assert abs(said["exceeds"].sum() - expected) <= 6.0 + 0.1 * expected


def test_an_alarm_is_evidence_at_or_above_the_threshold():
    """``exceeds`` is that comparison after the warm-up; ``alarm`` leaves out what is quiet or goes on."""
    said = say(WAVE, alarm_rate=0.02, quiet=50)

    assert (said["exceeds"] == (said["warm"] & (said["score"] >= said["threshold"]))).all()
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


@pytest.mark.parametrize(("a", "b"), [(1024.0, 0.0), (0.03, 500.0)])
def test_scale_and_level_change_nothing(a, b):
    """A x + b gives the same evidence, up to the rounding of the values themselves."""
    plain, moved = say(WAVE), say(a * WAVE + b)

    assert np.median(np.abs(plain["score"] - moved["score"])) < 1e-4
    assert np.corrcoef(plain["score"], moved["score"])[0, 1] > 0.9


def test_an_anomaly_is_found_and_explained():
    """A spike, a flat stretch at a usual level: each alarms, and the feature that did it has the larger share."""
    other = RNG.normal(size=N)
    values = np.column_stack([WAVE, other])
    values[3000, 0] = 4.0
    model = detector()
    said = model.progressive_many(values[:3000], ("a", "b"))
    why = model.explain_one({"a": 4.0, "b": other[3000]})

    assert why["alarm"]
    assert why["score"] > 20 * np.median(said["score"][1000:])
    assert why["features"]["a"]["contribution"] > 0.2 > why["features"]["b"]["contribution"]
    assert why["features"]["a"]["low"] < why["features"]["a"]["expected"] < why["features"]["a"]["high"] < 4.0
    assert set(why["views"]) == set(VIEWS)
    assert why["score"] == model.score_one({"a": 4.0, "b": other[3000]})


def test_what_explain_one_tells_is_what_blocks_tell():
    """The same figures, before the event is learned."""
    model, twin = detector(), detector()
    said = say(WAVE[:600], model)
    say(WAVE[:599], twin)
    why = twin.explain_one({"a": WAVE[599]})

    assert [why[name] for name in ("score", "p_value", "threshold", "since", "alarm")] == [
        said[name][599] for name in ("score", "p_value", "threshold", "since", "alarm")
    ]
    assert list(why["views"].values()) == said["view"][599].tolist()
    assert (why["feature"], why["decided"]) == ("a", VIEWS[said["decided"][599]])


def test_what_decided_accounts_for_the_score():
    """Evidence is what the view says that decided, in the feature that did: after words of the user's too. Nothing found: no view."""
    values = np.column_stack([np.arange(1200.0), WAVE[:1200], RNG.normal(size=1200)])
    values[[500, 700, 900], [1, 2, 1]] = 9.0
    words = np.full(1200, np.nan)
    words[[500, 700, *range(800, 820)]] = [0.0, 1.0, *[0.0] * 20]
    model = RNNAnomalyDetector(hidden_size=8, seed=2, time="t")
    said = model.progressive_many(values, ("t", "a", "b"), words)

    assert said["feature"][[500, 700, 900]].tolist() == [1, 2, 1]
    some = np.flatnonzero(said["decided"] >= 0)
    feature, decided = said["feature"][some], said["decided"][some]
    value, expectation, shape, residual = said["view"][some].T
    parts = np.stack([np.sqrt(value * expectation), 0.15 * expectation, shape, residual])
    own = said["contribution"][some, feature]
    before = some < 500
    np.testing.assert_allclose(parts[decided, np.arange(len(some))][before], own[before], rtol=1e-12)
    assert (own == np.nanmax(said["contribution"][some], axis=1)).all()
    assert (model._net.array("gains")[:, :3] != 0.0).any()
    gained = parts[decided, np.arange(len(some))] / own
    assert ((gained > 0.24) & (gained < 4.01)).all()
    assert (said["decided"][0], said["feature"][0]) == (-1, -1)
    assert not np.nan_to_num(said["contribution"][said["decided"] < 0]).any()


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
    """While it is fresh the weights stay; a spike that the user calls an anomaly is not learned either."""
    model = detector(protect=40)
    say(WAVE[:2000], model)
    model.learn_one({"a": 50.0})
    before = model._net.header[19]
    say(WAVE[2001:2030], model)

    assert model._net.header[19] == before
    say(WAVE[2030:2100], model)
    assert model._net.header[19] > before


def test_the_users_word_moves_the_view_that_decided():
    """Called an anomaly, the view counts more; called usual, less, and such an event scores lower."""
    model = detector()
    say(WAVE[:2000], model)
    trained = copy.deepcopy(model)
    x = {"a": 2.5}
    for _ in range(3):
        trained.learn_one(x, is_anomaly=False)
        model.learn_one(x)
        say(WAVE[2000:2060], trained)
        say(WAVE[2000:2060], model)

    odd = {"a": -3.0}
    assert trained.score_one(odd) < 0.8 * model.score_one(odd)


def test_words_in_a_block_are_words_one_by_one():
    """``progressive_many(..., is_anomaly=words)`` is the loop of score_one and learn_one with those words, to the bit."""
    values, words = WAVE[:700].copy(), np.full(700, np.nan)
    values[[400, 500, 600]], words[[0, 400, 401, 500, 600, 699]] = 3.0, [0, 1, 0, 1, 0, 1]
    loop, block = detector(), detector()
    scores = []
    for value, word in zip(values.tolist(), words.tolist(), strict=True):
        scores.append(loop.score_one({"a": value}))
        loop.learn_one({"a": value}, is_anomaly=None if np.isnan(word) else bool(word))

    said = block.progressive_many(values[:, None], ("a",), words)

    assert said["score"].tolist() == scores
    assert pickle.dumps(block) == pickle.dumps(loop)
    assert pickle.dumps(block) != pickle.dumps(say_and_return(values))


def say_and_return(values):
    """A detector that nobody corrects."""
    model = detector()
    say(values, model)
    return model


def test_what_is_called_usual_alarms_less_often_and_other_things_more():
    """A dozen spikes in one sensor are called usual: later ones there alarm less often, those of the other more; the rate is held."""
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
        return [int(exceeds[places[20:]].sum()) for places in spikes], int(exceeds.sum())

    (plain, all_plain), (told, all_told) = (alarms(detector(alarm_rate=0.01), given) for given in (None, words))

    assert told[0] < 0.75 * plain[0]
    assert told[1] > 1.2 * plain[1]
    assert abs(all_told - all_plain) < 10


def test_a_rate_may_change_on_the_way():
    """``set_alarm`` holds from the next event on, and is a parameter like those of the start."""
    model = detector(alarm_rate=0.001)
    say(WAVE[:2000], model)
    model.set_alarm(0.1, 0)
    said = say(WAVE[2000:], model)

    assert said["exceeds"].mean() > 0.05
    assert pickle.loads(pickle.dumps(model)).alarm_rate == 0.1


@pytest.mark.parametrize(("name", "word", "value"), [
    ("watch", 0, np.nan), ("watch", 0, -1.0), ("watch", 0, 1e300), ("alarm", 1, np.nan), ("alarm", 0, np.inf), ("rule", 0, 0.5), ("gains", 1, 1e9), ("gains", 0, -1.0),
    ("kept", 3, np.nan),
])  # fmt: skip
def test_a_state_that_no_detector_has_is_refused(name, word, value):
    """Counts and memories from outside are checked before they are used as places."""
    model = detector(memory=64)
    say(WAVE[:50], model)
    model._net.array(name).reshape(-1)[word] = value

    with pytest.raises(StateError):
        pickle.loads(pickle.dumps(model))
