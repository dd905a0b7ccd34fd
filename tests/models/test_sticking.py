"""A value that no longer moves, and a counter that stands: found within half a season, on streams whose values are new each time."""

from __future__ import annotations

import numpy as np
import pytest

from streamrnn import RNNAnomalyDetector, dumps, loads
from streamrnn.errors import ParameterError
from streamrnn.kernels.anomaly.views import VIEWS

N, SEASON = 2400, 24
HALF = SEASON // 2
HOURS = np.arange(N)
ONSETS = [800, 1300, 1800, 2200]
STICKING = VIEWS.index("sticking")


def detector(**params):
    return RNNAnomalyDetector(**{"hidden_size": 8, "seed": 2, **params})


def say(values, names=("a",), **params):
    return detector(**params).progressive_many(np.asarray(values, float).reshape(N, -1), names)


def daily(seed, digits=9):
    rng = np.random.default_rng([seed, 5])
    return np.round(50.0 + 10.0 * np.sin(HOURS * 2.0 * np.pi / SEASON) + rng.normal(size=N), digits)


def requests(seed):
    """A counter of requests by the hour: it begins anew, misses a reading, and stands for an hour at each onset but in the record of a restart."""
    rng = np.random.default_rng([seed, 6])
    load = rng.poisson(600.0 * (1.5 + np.sin(HOURS * 2.0 * np.pi / SEASON))).astype(float)
    for at in ONSETS:
        load[at : at + 6] = 0.0
    count = load.cumsum()
    count[1000:] -= count[999]
    count[1100] = np.nan
    return count


@pytest.mark.parametrize("digits", [9, 0])
@pytest.mark.parametrize("seed", range(5))
def test_what_sticks_alarms_within_half_a_season_each_time(seed, digits):
    """Also where two equal values in a row are usual; another view may be earlier."""
    values = daily(seed, digits)
    for at in ONSETS:
        values[at : at + 20] = values[at]

    said = say(values)

    alarms = np.flatnonzero(said["alarm"])
    sticks = alarms[said["view"][alarms] == STICKING]
    assert [((alarms >= at) & (alarms < at + HALF)).sum() for at in ONSETS] == [1] * len(ONSETS)
    assert 0 < len(sticks) <= len(ONSETS)
    assert (said["severity"][sticks] > 3.0).all()
    assert (said["since"][ONSETS[0] + HALF : ONSETS[0] + 20] > 0.0).all()


def test_standing_still_that_is_usual_does_not_alarm():
    """On counts, on plateaus, at night, on rare events; what becomes usual stops to."""
    rng = np.random.default_rng(3)
    steps = np.repeat(rng.normal(size=N), rng.integers(1, 40, N))[:N]
    nights = np.where(HOURS % SEASON < 8, 0.0, daily(1))
    streams = [rng.poisson(0.3, N), (rng.random(N) < 0.02) * 1.0, steps, nights, np.zeros(N)]
    assert sum((say(one)["view"] == STICKING).sum() for one in streams) == 0

    values = daily(2)
    for at in range(600, N, 100):
        values[at : at + 30] = values[at]
    alarms = np.flatnonzero(say(values)["view"] == STICKING)
    assert 600 <= alarms[0] < alarms[-1] < 1000


@pytest.mark.parametrize("seed", range(5))
def test_a_counter_that_stands_is_found(seed):
    """Within an hour, each time; where it begins anew, or a reading is missing, nothing is to be seen."""
    said = say(requests(seed), counters=("a",))

    alarms = np.flatnonzero(said["alarm"])
    assert [((alarms >= at) & (alarms < at + 6)).any() for at in ONSETS] == [True] * len(ONSETS)
    assert not np.isin(alarms, [1000, 1001, 1100, 1101, 1102]).any()


def test_a_counter_is_watched_as_a_rate():
    """Per event, or second; the first reading has none, a reset counts from 0, a missing reading is bridged, time that stands gives none."""
    count = [100.0, 130.0, 150.0, 5.0, np.nan, 45.0, 45.0]
    events = np.array(count + [45.0] * (N - len(count)))
    seconds = np.concatenate([[0.0, 10.0, 10.0, 20.0, 30.0, 60.0], 60.0 + 10.0 * np.arange(1, N - 5)])

    by_event, by_time = (
        say(events, counters=["a"]),
        say(np.column_stack([seconds, events]), ("t", "a"), counters=["a"], time="t"),
    )

    np.testing.assert_array_equal(by_event["observed"][:7, 0], [np.nan, 30.0, 20.0, 5.0, np.nan, 20.0, 0.0])
    np.testing.assert_array_equal(by_time["observed"][:7, 1], [np.nan, 3.0, np.nan, 0.5, np.nan, 1.0, 0.0])
    model = detector(counters=["a"])
    for reading in (10, 14, 18):
        model.learn_one({"a": reading})
    assert model.expected_one() == {"a": 4.0}
    assert model.explain_one({"a": 30})["features"]["a"]["observed"] == 12.0


def test_counters_one_by_one_and_resumed_are_the_same():
    """By key and time, beside a feature that sticks; asking changes nothing."""
    key = HOURS % 2
    values = np.column_stack([1e9 + 60.0 * HOURS, requests(7), daily(7), key])
    values[1300:1400, 2] = values[1300, 2]
    names = ("t", "a", "b", "k")
    params = {"counters": ("a",), "time": "t", "key": "k", "direction": "below"}
    whole = detector(**params)
    said = whole.progressive_many(values, names)

    one, found = detector(**params), []
    for i, row in enumerate(values):
        event = dict(zip(names, row, strict=True))
        found.append(one.explain_one(event)["severity"])
        one.learn_one(event)
        if i in (1001, 1350):
            one = loads(dumps(one))

    np.testing.assert_array_equal(found, said["severity"])
    assert dumps(one) == dumps(whole)


@pytest.mark.parametrize(
    "wrong", [{"counters": "a"}, {"counters": ("t",), "time": "t"}, {"counters": ("a", "a")}, {"counters": 3}]
)
def test_what_are_no_counters_is_refused(wrong):
    """A text is none: it would be letters."""
    with pytest.raises(ParameterError, match="must be a list or tuple of different names"):
        detector(**wrong)
