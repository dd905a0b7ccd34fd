"""Hours, weekdays and listed holidays of the steps ahead, from the events' time: they help, resume exactly, and change nothing where there are none."""

from __future__ import annotations

import datetime as dt
import pickle

import numpy as np
import pandas as pd
import pytest

from streamrnn import RNNForecaster, dumps, loads
from streamrnn.errors import ParameterError

EXPERTS = ("last", "rls_short", "profile", "profile_main")
FIRST = dt.date(2018, 1, 1)  # a Monday
HOUR_S = 3600.0
WEEK = {"calendar": ("hour", "weekday")}


def weekly(n, every=9, seed=1, share=1.0, hour=24):
    """Working days and weekends; each ninth day, where it is a working day, is a holiday that goes as a Sunday. Values, times, holidays."""
    t = np.arange(n)
    day = t // hour
    off = (day % every == every - 1) & (day % 7 < 5)
    weekend = np.where(day % 7 >= 5, 1.0, np.where(off, share, 0.0))
    wave = 10 * np.sin(2 * np.pi * t / hour)
    y = 50 + weekend * 0.3 * wave + (1 - weekend) * (wave + 3.5) + np.random.default_rng(seed).normal(size=n)
    start = (FIRST - dt.date(1970, 1, 1)).days * 86_400.0
    days = tuple(str(FIRST + dt.timedelta(int(i))) for i in np.unique(day[off]))
    return y, pd.DataFrame({"at": start + HOUR_S * 24 / hour * t}), days


def fed(y, X, **params):
    model = RNNForecaster(horizon=24, experts=EXPERTS, time="at", **params)
    return model, model.progressive_many(y, X)


def missed(y, told, first):
    origins = np.arange(first, len(y) - 24)
    return np.mean([(told[origins, h] - y[origins + h]) ** 2 for h in range(24)])


def test_holidays_that_are_listed_are_known_ahead():
    """Noise has an error of 1: with the list forecasts come close to it, without it they do not. Days that mean nothing hurt little."""
    y, X, days = weekly(3600)
    known, unknown = (missed(y, fed(y, X, **WEEK, **params)[1], 2400) for params in ({"holidays": days}, {}))
    assert known < 1.4
    assert unknown > 2.5
    plain, X, odd = weekly(3600, share=0.0)
    assert missed(plain, fed(plain, X, **WEEK, holidays=odd)[1], 2400) < 1.1 * missed(
        plain, fed(plain, X, **WEEK)[1], 2400
    )


def test_the_calendar_gives_the_week_at_once():
    """A season is found after some weeks; of the calendar it is known that there is a week and a day in it."""
    y, X, _ = weekly(700, every=10_000)
    told, found = (missed(y, fed(y, X, **params)[1], 400) for params in (WEEK, {}))

    assert told < found
    model, _ = fed(y, X, **WEEK)
    assert model._states.array(0, "profile0.season_of")[0, 0] == 168 + 65536 * 24
    assert fed(y, X, calendar=("hour",))[0]._states.array(0, "profile0.season_of")[0, 0] == 24
    odd = pd.DataFrame(
        {"at": X["at"] * 7 / 24}
    )  # steps of seventeen minutes and a half: no whole number of them is a day
    assert fed(y, odd, calendar=("hour",))[0]._states.array(0, "profile0.season_of")[0, 0] != 24


def test_blocks_loops_and_restarts_agree():
    """Bit for bit, also beyond the horizon, and while a time is missing or rows are absent."""
    y, X, days = weekly(700)
    X.loc[650, "at"] = np.nan
    y, X = np.delete(y, slice(600, 610)), X.drop(index=range(600, 610)).reset_index(drop=True)
    block, told = fed(y, X, holidays=days, **WEEK)
    one = RNNForecaster(horizon=24, experts=EXPERTS, time="at", holidays=days, **WEEK)
    for t, (value, at) in enumerate(zip(y.tolist(), X["at"].tolist(), strict=True)):
        if t in (660, 680):
            np.testing.assert_array_equal(one.forecast(24), told[t])
            one = loads(dumps(one))
        one.learn_one(value, {"at": at})

    assert pickle.dumps(one) == pickle.dumps(block)
    assert loads(dumps(one)).forecast(60) == block.forecast(60)
    assert block.forecast(60)[:24] == block.forecast(24)


def test_the_list_may_be_set_anew():
    """What was learned stays: the coming days alone are forecast otherwise, once they are listed, and as before when they are not."""
    y, X, days = weekly(24 * 71)  # a Monday comes
    model, _ = fed(y, X, holidays=days, **WEEK)
    before = model.forecast(24)
    tomorrow = str(FIRST + dt.timedelta(71))

    model.holidays = (*days, tomorrow)
    back = loads(dumps(model))
    changed = model.forecast(24)
    model.learn_one(y[0], {"at": X["at"].iloc[-1] + HOUR_S})
    back.learn_one(y[0], {"at": X["at"].iloc[-1] + HOUR_S})

    assert changed == before  # it holds from the next event on
    assert np.abs(np.subtract(model.forecast(23), before[1:])).max() > 3.0
    assert back.forecast(24) == model.forecast(24)
    with pytest.raises(ParameterError, match="'holidays'"):
        model.holidays = ("25.12.",)


def test_without_holidays_nothing_changes():
    y, X, _ = weekly(600)
    model, told = fed(y, X)
    other, same = fed(y, X, holidays=("1999-01-01",))

    np.testing.assert_array_equal(told, same)
    assert model.forecast(40) == other.forecast(40)
