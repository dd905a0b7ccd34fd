"""What operators say of alarms: the side, the least deviation, the valid values, maintenance, and a rate by time."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from streamrnn import RNNAnomalyDetector, dumps, loads
from streamrnn.errors import ParameterError, StateError
from streamrnn.kernels.anomaly import alarm
from streamrnn.kernels.anomaly.views import VIEWS
from streamrnn.models._maintenance import Windows

RNG = np.random.default_rng(16)
N = 2400
HOURS = np.arange(N)
DAILY = 50.0 + 10.0 * np.sin(HOURS * 2.0 * np.pi / 24.0) + RNG.normal(size=N)
DOWN, UP = [900, 1500, 2100], [1200, 1800]
FAULTY = DAILY.copy()
for at in DOWN:
    FAULTY[at : at + 6] -= 25.0
for at in UP:
    FAULTY[at : at + 6] += 25.0
TIMES = 1_700_000_000.0 + 3600.0 * HOURS
ALL = {
    "time": "t", "alarm_rate": "2/week", "direction": "below", "min_deviation": "10%", "valid_range": [0, 200], "maintenance": "busy",
    "by_feature": {"b": {"direction": "above", "min_deviation": 5}},
}  # fmt: skip


def detector(**params):
    return RNNAnomalyDetector(**{"hidden_size": 8, "seed": 2, **params})


def say(values=FAULTY, model=None, **params):
    return (model or detector(**params)).progressive_many(np.asarray(values, float).reshape(N, -1), ("a",))


def alarms(**params):
    return np.flatnonzero(say(**params)["alarm"]).tolist()


def mixed():
    """A stream of two features, a time and a column that says when a maintenance is, with everything that a policy is about."""
    a, b, busy = FAULTY.copy(), DAILY[::-1] * 2.0, (HOURS // 50 % 7 == 6).astype(float)
    a[700], a[1400], b[1000], b[1600] = 65535.0, -3.0, b[1000] + 60.0, -1e9
    a[busy > 0.0] += 30.0
    b[50:60] = np.nan
    return np.column_stack([TIMES, a, b, busy]), ("t", "a", "b", "busy")


def test_only_the_side_that_was_asked_for_alarms():
    """A fault on the other side raises no alarm, nor does the way back from it, and scores 0; those on this side are found."""
    both, below, above = alarms(), alarms(direction="below"), alarms(direction="above")

    assert set(DOWN + UP) <= set(both)
    assert below == DOWN
    assert above == UP
    assert (say(direction="above")["score"][DOWN] == 0.0).all()
    assert alarms(by_feature={"a": {"direction": "above"}}) == UP


def test_the_other_side_is_charged_to_no_budget():
    """With faults on the other side all the time those on this side alarm as if there were none."""
    values = DAILY.copy()
    values[320::40] += 25.0
    values[DOWN] -= 25.0

    found = alarms(values=values, direction="below")

    assert found == DOWN


def test_a_deviation_must_be_as_large_as_was_said():
    """In units, or as a share of what was expected; what is nearer scores 0."""
    assert set(DOWN + UP) <= set(alarms(min_deviation=15))
    assert alarms(min_deviation=40.0) == []
    assert set(DOWN + UP) <= set(alarms(min_deviation="30%"))
    assert alarms(min_deviation="300%") == []
    assert say(min_deviation=40.0)["score"].max() == 0.0


def test_a_value_that_cannot_be_alarms_at_once_and_is_not_learned():
    """In the warm-up too, with the greatest severity, once until ten events in a row are valid; all else is as if it had been missing."""
    values, missing = FAULTY.copy(), FAULTY.copy()
    wrong = [40, 600, 603, 606, 640]
    values[wrong], missing[wrong] = [np.inf, 1e9, -1.0, 200.5, -np.inf], np.nan

    said, known = say(values, valid_range=(0, 200)), say(missing)

    assert [i for i in np.flatnonzero(said["alarm"]).tolist() if i in wrong] == [40, 600, 640]
    assert (said["severity"][wrong] == 300.0).all()
    assert (said["score"][wrong] == 1.0).all()
    assert (said["view"][wrong] == VIEWS.index("range")).all()
    np.testing.assert_array_equal(said["prediction"], known["prediction"])
    others = np.setdiff1d(HOURS, wrong)
    np.testing.assert_array_equal(said["p_value"][others], known["p_value"][others])
    assert say([5.0, 200.0, 0.0] * (N // 3), valid_range=(0, 200))["alarm"].sum() == 0


def test_an_episode_lasts_as_long_as_values_cannot_be():
    """``since`` counts on, and with the valid values it is over."""
    values = DAILY.copy()
    values[1000:1300] = -1.0

    said = say(values, valid_range=(0, 200))

    assert [i for i in np.flatnonzero(said["alarm"]).tolist() if 1000 <= i < 1300] == [1000]
    assert said["since"][1001:1300].tolist() == list(range(1, 300))
    assert said["since"][1300] == 0.0
    assert set(said["episode"][1000:1300].tolist()) == {said["episode"][1000]}


def test_a_feature_that_cannot_be_does_not_blind_another():
    """While one is out of its range for days another still alarms."""
    other = DAILY.copy()
    other[900:] = -1.0
    values = np.column_stack([other, FAULTY])

    said = detector(valid_range=(0, 200)).progressive_many(values, ("a", "b"))

    assert {900, *UP, *DOWN[1:]} <= set(np.flatnonzero(said["alarm"]).tolist())


def test_maintenance_is_scored_and_neither_alarms_nor_is_learned():
    """A column says when; all that is learned is as if the values had been missing, and the column is no feature."""
    busy = np.zeros(N)
    busy[890:910] = 1.0
    missing = FAULTY.copy()
    missing[busy > 0.0] = np.nan

    said = detector(maintenance="busy").progressive_many(np.column_stack([FAULTY, busy]), ("a", "busy"))
    known, plain = say(missing), say()

    assert 900 in np.flatnonzero(plain["alarm"])
    assert not said["alarm"][890:910].any()
    assert not said["exceeds"][890:910].any()
    assert said["severity"][900] > 2.0
    np.testing.assert_array_equal(said["prediction"][:, 0], known["prediction"][:, 0])
    assert np.isnan(said["prediction"][:, 1]).all()
    np.testing.assert_array_equal(said["score"][910:], known["score"][910:])
    model = detector(maintenance="busy")
    model.learn_one({"a": 1.0, "busy": 1})
    assert list(model.expected_one()) == ["a"]


def test_weekly_times_of_maintenance():
    """They are of a zone, follow its clocks, may pass midnight, and need the time of the events."""
    berlin = Windows(["Sun 02:00-04:00 Europe/Berlin", "Mon-Tue 23:30-00:30"])
    utc = [dt.datetime(2024, month, day, hour, minute, tzinfo=dt.UTC).timestamp() for month, day, hour, minute in (
        (1, 7, 1, 0), (1, 7, 2, 59), (1, 7, 3, 0), (7, 7, 0, 30), (7, 7, 2, 0), (1, 8, 23, 30), (1, 9, 0, 29), (1, 9, 0, 30), (1, 10, 0, 10), (1, 11, 0, 10),
    )]  # fmt: skip
    assert berlin.hold(np.array(utc)).tolist() == [True, True, False, True, False, True, True, False, True, False]

    values = np.column_stack([TIMES, FAULTY])
    when = dt.datetime.fromtimestamp(TIMES[900], dt.UTC)
    window = f"{when:%a} {when:%H}:00-{(when.hour + 6) % 24:02}:00"
    found = detector(time="t", maintenance=[window]).progressive_many(values, ("t", "a"))["alarm"]
    assert not found[900:906].any()
    assert found[[*DOWN[1:], *UP]].all()


def test_a_rate_by_time_is_one_by_events():
    """With the step of time learned: two a week of hourly events are 2 / 168, with the very same alarms from then on."""
    values = np.column_stack([TIMES, FAULTY])
    timed, plain = detector(time="t", alarm_rate="2/week"), detector(time="t", alarm_rate=2 / 168)
    found = [model.progressive_many(values, ("t", "a"))["alarm"].tolist() for model in (timed, plain)]

    assert found[0] == found[1]
    timed.set_alarm("4/day", 0)
    plain.set_alarm(4 / 24, 0)
    rate_of = getattr(alarm.rate_of, "py_func", alarm.rate_of)
    assert rate_of(timed._net.array("rule"), timed._net.array("gaps")[0]) == pytest.approx(4 / 24)


def test_one_by_one_in_blocks_and_resumed_is_the_same():
    """Bit for bit, with everything a policy can say at once; and asking first changes nothing."""
    values, names = mixed()
    whole = detector(**ALL)
    said = whole.progressive_many(values, names)

    one, found = detector(**ALL), []
    for i, row in enumerate(values):
        event = dict(zip(names, row, strict=True))
        why = one.explain_one(event)
        found.append([one.score_one(event), why["severity"], why["alarm"], why["since"]])
        one.learn_one(event)
        if i in (700, 1420):
            one = loads(dumps(one))
    parts = detector(**ALL)
    blocks = [parts.progressive_many(values[a : a + 37], names) for a in range(0, N, 37)]

    for place, name in enumerate(("score", "severity", "alarm", "since")):
        np.testing.assert_array_equal([row[place] for row in found], said[name])
        np.testing.assert_array_equal(np.concatenate([part[name] for part in blocks]), said[name])
    assert dumps(one) == dumps(whole) == dumps(parts)
    assert said["alarm"].sum() > 3


def test_a_policy_may_change_at_any_time():
    """It is set and not learned: a detector that is told later goes on as one that was told from its snapshot."""
    model = detector()
    say(DAILY, model)
    later = loads(dumps(model))
    found = []
    for one in (model, later):
        one.set_policy(direction="above", valid_range=(0, 200))
        found.append(say(FAULTY, one)["alarm"])

    assert np.flatnonzero(found[0]).tolist() == UP
    assert found[0].tolist() == found[1].tolist()
    assert loads(dumps(model)).direction == "above"
    with pytest.raises(ParameterError, match="no feature that was learned"):
        model.set_policy(maintenance="a")


@pytest.mark.parametrize(
    "wrong",
    [
        {"direction": "up"}, {"min_deviation": -1}, {"min_deviation": "ten"}, {"valid_range": (5, 0)}, {"valid_range": 3},
        {"maintenance": ["Sun 2-4"]}, {"maintenance": ["Sun 02:00-04:00"]}, {"maintenance": ["Sun 02:00-04:00 Nowhere/At"], "time": "t"},
        {"alarm_rate": "2/day"}, {"alarm_rate": "two/day", "time": "t"}, {"by_feature": {"a": {"side": "below"}}},
        {"by_feature": {"a": {"direction": "up"}}}, {"maintenance": "t", "time": "t"},
    ],
)  # fmt: skip
def test_what_is_no_policy_is_refused(wrong):
    """With the rule."""
    with pytest.raises(ParameterError, match="must be"):
        detector(**wrong)


def test_a_snapshot_of_another_rate_by_time_is_refused():
    """Its settings must be those that its parameters say."""
    model = detector(time="t", alarm_rate="2/day")
    model.progressive_many(np.column_stack([TIMES, DAILY])[:50], ("t", "a"))
    state = model.__getstate__()
    state["params"]["alarm_rate"] = "3/day"

    with pytest.raises(StateError, match="another alarm rule"):
        detector().__setstate__(state)
