"""Forecasts beside the scores: exact, resumable, written and drawn."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from streamrnn.config import Forecast
from streamrnn.display.forecast_picture import draw_forecast
from streamrnn.display.forecast_summary import ForecastSummary
from streamrnn.engine.assemble import replay_tables
from streamrnn.engine.monitor import Summary
from streamrnn.engine.output import encode_block
from streamrnn.engine.shard import Shard
from streamrnn.errors import ConfigError, ModelChangedError, StateError
from streamrnn.io import Block
from streamrnn.scorers.forecast import HIGH, LOW, MIDDLE, new_forecaster
from streamrnn.scorers.kinds import model_kind

AHEAD = Forecast(horizon=3)


def shard(forecast=AHEAD):
    return Shard(model_kind("RNNAnomalyDetector", {"hidden_size": 8}), forecast=forecast)


def blocks(cuts, n=60):
    """One stream of two keys and two features, cut in several ways."""
    values = np.cumsum(np.random.default_rng(1).normal(size=(n, 2)), axis=0)
    keys, times = ["ab"[i % 2] for i in range(n)], [f"2024-01-01T{i // 60:02}:{i % 60:02}:00" for i in range(n)]
    for a, b in pairwise(cuts):
        yield Block(("u", "v"), values[a:b], tuple(range(a, b)), b, keys=tuple(keys[a:b]), times=tuple(times[a:b]))


def test_cuts_and_restarts_change_nothing():
    """One block or many, with a snapshot in between or not: the same forecasts, bit for bit."""
    whole, cut = shard(), shard()
    [expected] = [whole.score(block).forecasts for block in blocks((0, 60))]
    found = []
    for block in blocks((0, 1, 20, 45, 60)):
        found.append(cut.score(block).forecasts)
        again = shard()
        again.restore(cut.snapshot())
        cut = again

    np.testing.assert_array_equal(np.concatenate(found), expected)
    assert cut.snapshot() == whole.snapshot()
    assert (expected[10:, ..., LOW] <= expected[10:, ..., HIGH]).all()
    with pytest.raises(ModelChangedError, match=r"horizon = 3, now it is 0"):
        shard(Forecast()).restore(cut.snapshot())


def test_the_season_is_given_and_kept():
    """``[forecast] period`` reaches the forecasters of every key, and a snapshot of another is refused."""
    given = Forecast(horizon=3, period=(24, 4))
    first = shard(given)
    for block in blocks((0, 20)):
        first.score(block)
    assert first._keys.get("a").scorer.forecasters.only.period == (24, 4)
    again = shard(given)
    again.restore(first.snapshot())
    assert again._keys.get("b").scorer.forecasters.only.period == (24, 4)
    with pytest.raises(ModelChangedError, match=r"period \[24, 4\], now it is unset"):
        shard().restore(first.snapshot())


def test_the_minimum_may_change_between_runs():
    """``[forecast] minimum`` cuts off bounds alone, so a snapshot goes on under another."""
    first = shard(Forecast(horizon=3, minimum=100.0))
    for block in blocks((0, 20)):
        assert (first.score(block).forecasts[..., LOW] >= 100.0).all()
    again = shard(Forecast(horizon=3, minimum="none"))
    again.restore(first.snapshot())

    for block in blocks((0, 20)):
        assert (again.score(block).forecasts[..., LOW] < 100.0).all()


def test_the_calendar_is_that_of_the_events_time():
    """``[forecast] calendar`` and ``holidays`` need no model with ``time``; holidays may be listed anew between runs, cuts change nothing."""
    settings = Forecast(horizon=3, calendar=("hour", "weekday"), holidays=("2024-01-01",))
    whole, cut, found = shard(settings), shard(settings), []
    [expected] = [whole.score(block).forecasts for block in blocks((0, 60))]
    for block in blocks((0, 1, 31, 60)):
        found.append(cut.score(block).forecasts)
        again = shard(settings)
        again.restore(cut.snapshot())
        cut = again

    np.testing.assert_array_equal(np.concatenate(found), expected)
    forecaster = cut._keys.get("a").scorer.forecasters.only
    assert forecaster._states.array(0, "days_off")[0] == 1_704_067_200.0 + 58 * 60.0
    more = shard(Forecast(horizon=3, calendar=("hour", "weekday"), holidays=("2024-01-01", "2025-01-01")))
    more.restore(cut.snapshot())
    assert more._keys.get("a").scorer.forecasters.only.holidays == ("2024-01-01", "2025-01-01")
    with pytest.raises(StateError, match="none of this configuration"):
        shard(Forecast(horizon=3, calendar=("hour",))).restore(cut.snapshot())


def test_a_calendar_needs_times():
    with pytest.raises(ConfigError, match=r"Set \[source\] time"):
        shard(Forecast(horizon=3, calendar=("hour",))).score(Block(("u",), np.zeros((1, 1)), (0,), 1))
    with pytest.raises(ConfigError, match="no day is known"):
        shard(Forecast(horizon=3, holidays=("2024-01-01",))).score(
            Block(("u",), np.zeros((1, 1)), (0,), 1, times=("soon",))
        )
    with pytest.raises(ConfigError, match="holidays: must be dates"):
        Forecast(holidays=("1 May",))
    with pytest.raises(ConfigError, match="calendar"):
        Forecast(calendar=("hour", "hour"))


@pytest.mark.parametrize("period", [(), (24, 24), 1, (24, 20_000), (2, 3, 4)])
def test_what_is_no_season_is_said(period):
    with pytest.raises(ConfigError, match="period"):
        Forecast(horizon=3, period=period)


def test_a_season_on_the_command_line():
    assert replay_tables("a.csv", forecast=3, period="24")["forecast"] == {"horizon": 3, "period": 24}
    assert replay_tables("a.csv", forecast=3, period="24,168")["forecast"]["period"] == [24, 168]


def test_forecasts_are_written():
    """Lists, the next event first, by feature; the forecaster saw the event whose line it is."""
    scored = None
    for block in blocks((0, 60)):
        scored = shard().score(block)
        line = json.loads(encode_block(block, scored, ("forecast", "forecast_low", "forecast_high"))[0])

    assert {name: sorted(part) for name, part in line.items()} == {name: ["u", "v"] for name in line}
    assert line["forecast"]["u"] == scored.forecasts[0, :, 0, MIDDLE].tolist()
    assert line["forecast"]["u"] == pytest.approx([block.values[0, 0]] * 3)
    assert json.loads(encode_block(block, shard(Forecast()).score(block), ("forecast",))[0]) == {"forecast": None}


@pytest.mark.parametrize("ending", ["png", "html"])
@pytest.mark.parametrize("last", [2, 60])
def test_the_fan_is_drawn(tmp_path, ending, last):
    """History, what was forecast of the last events, what came, what is forecast now; a stream of one event, too."""
    fan, made = ForecastSummary(AHEAD), shard()
    for block in blocks((0, last)):
        fan(block, made.score(block), Summary())
    path = tmp_path / f"out.{ending}"

    draw_forecast(fan, str(path), "stream")

    assert path.read_bytes().startswith(b"\x89PNG" if ending == "png" else b"<!DOCTYPE html>")
    assert (fan.events, fan.key) == (last // 2, "a")


def test_many_keys_have_no_long_regression():
    """Where events have keys each forecaster is small: the sums of the long regression would be half a megabyte for each."""
    one, many = new_forecaster(AHEAD), new_forecaster(AHEAD, keyed=True)

    assert set(one.experts) - set(many.experts) == {"long"}
    for forecaster in (one, many):
        forecaster.learn_one({"a": 1.0})
    assert many.memory_usage() < one.memory_usage() - 400_000
