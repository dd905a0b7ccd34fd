"""The forecasting benchmark neither leaks nor is off by one."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
from forecasting.engine import errors, follow, scores
from forecasting.midnights import features, last_week, ridge
from forecasting.models import Last, LeastSquares, Ours, Seasonal
from forecasting.seasons import CASES
from forecasting.streams import STREAMS, Stream

COUNTER = Stream("counter", np.arange(60.0)[:, None], np.empty((60, 0)), start=10)


class Counter(Last):
    """Knows that the stream counts: exact from the second event on."""

    def forecast(self, xs=None):
        return super().forecast(xs) + np.arange(1, self.horizon + 1)[:, None]


class Cheat(Last):
    """Spoils whatever it is given, in the hope that the stream is changed to its liking."""

    def learn(self, y, x):
        super().learn(y.copy(), x)
        y[:] = 0.0


@pytest.mark.parametrize("whole", [False, True])
def test_the_engine_is_not_off_by_one(whole):
    """One who counts on is exact at every step; the last value is wrong by exactly the number of steps."""
    stream = Stream("counter", COUNTER.y, COUNTER.x, start=10, whole=whole)

    exact = errors(stream, follow(Counter(1, 4), stream, 4).forecasts)
    last = errors(stream, follow(Last(1, 4), stream, 4).forecasts)

    assert np.nanmax(np.abs(exact)) == 0.0
    assert np.nanmax(last, axis=(0, 2)).tolist() == np.nanmin(last, axis=(0, 2)).tolist() == [-1.0, -2.0, -3.0, -4.0]
    assert np.isfinite(last[:, 3]).sum() == (47 if whole else 50)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Ours(1, 3, 0, experts=("last", "seasonal", "rls_short")), lambda: Last(1, 3), lambda: Seasonal(1, 3, 7),
        lambda: LeastSquares(1, 3, 5),
    ],
)  # fmt: skip
def test_nothing_leaks(make):
    """Forecasts made before a row do not change with the row, nor with any later one; and no model changes the stream."""
    rng = np.random.default_rng(1)
    y = np.cumsum(rng.normal(size=(80, 1)), axis=0)
    other = y.copy()
    other[50:] = -3.0
    a, b = (follow(make(), Stream("", one, np.empty((80, 0)), start=5), 3).forecasts for one in (y, other))

    np.testing.assert_array_equal(a[:51], b[:51])
    assert (a[51:] != b[51:]).any()


def test_a_model_gets_copies():
    """One who overwrites what it is given changes nothing but its own copy."""
    before = COUNTER.y.copy()

    follow(Cheat(1, 2), COUNTER, 2)

    np.testing.assert_array_equal(COUNTER.y, before)


def test_scores_of_a_known_forecast():
    """MSE, MAE and MASE of the last value on a counter, by hand."""
    row = scores(COUNTER, follow(Last(1, 2), COUNTER, 2))

    assert (row["mse"], row["mae"], row["mase"], row["lost"]) == (2.5, 1.5, 1.0, 0)


@pytest.mark.parametrize("name", [name for name in STREAMS if name != "ett"])
def test_streams_are_reproducible(name):
    """The same seed gives the same stream, finite, longer than its warm-up."""
    a, b = STREAMS[name](3), STREAMS[name](3)

    np.testing.assert_array_equal(a.y, b.y)
    np.testing.assert_array_equal(a.x, b.x)
    assert np.isfinite(a.y).all()
    assert len(a.y) == len(a.x) > a.start


def test_latch_asks_for_the_last_pulse():
    """Behind a mark comes the last pulse, up to the noise; elsewhere nothing but noise."""
    stream = STREAMS["latch"](0)
    held, wrong = 0.0, []
    for t in range(4000):
        asked = t > 0 and stream.x[t - 1, 1] == 1.0
        wrong.append(stream.y[t, 0] - (held if asked else 0.0))
        held = stream.x[t, 0] or held

    assert np.mean(np.square(wrong)) == pytest.approx(stream.optimum, rel=0.1)


def test_batch_models_do_not_look_ahead():
    """What is forecast at row o, and the features that trees are given for the day behind it, need no row from o on."""
    y = 50 + 10 * np.sin(2 * np.pi * np.arange(1800) / 24) + np.random.default_rng(1).normal(size=1800)

    for model in (last_week, ridge):
        assert np.sqrt(np.mean((model(y[:1776], 1776) - y[1776:]) ** 2)) < 3.0
    np.testing.assert_array_equal(features(y[:1776], 1776, holidays=True), features(y, 1776, holidays=True))


def test_weeks_are_the_generators():
    """Working days swing by ten, weekends by the share of it, under noise of variance 1; origins begin where it is said."""
    case = CASES["week-24-0.3"](0)
    day = np.arange(len(case.y)) // 24 % 7
    swing = [np.ptp(case.y[day == d].reshape(-1, 24).mean(axis=0)) for d in (0, 6)]

    assert case.origins[0] == 4000
    assert swing[0] == pytest.approx(20.0, rel=0.1)
    assert swing[1] == pytest.approx(6.0, rel=0.2)
