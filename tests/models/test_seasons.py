"""Seasons, the experts that know them, and what is missing: against plain NumPy, and on streams whose answer is known."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from streamrnn import RNNForecaster
from streamrnn.errors import ParameterError, StateError
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.experts import long, profile
from streamrnn.kernels.forecast.experts.rls import CHANGE_LIMIT, RIDGE
from streamrnn.kernels.forecast.season import FARTHEST_ERROR
from streamrnn.kernels.forecast.words import CURVE_LAGS
from streamrnn.kernels.season_curve import LAG_ERROR_LIMIT, REMEMBERED, SETTLED_LAGS

LINEAR = ("last", "seasonal", "drift", "rls_short", "profile", "profile_main")


def weekly(n, day=24, weekend=0.3, seed=1, noise=1.0):
    """Working days and weekends: the day alone foretells a third of them wrongly."""
    t = np.arange(n)
    free = t // day % 7 >= 5
    shape = 10 * np.sin(2 * np.pi * t / day) * np.where(free, weekend, 1.0) + np.where(free, 0.0, 5 * (1 - weekend))
    return 50 + shape + noise * np.random.default_rng(seed).normal(size=n)


def daily(n, seed=1):
    """A sine of 24 events with noise."""
    return 50 + 10 * np.sin(2 * np.pi * np.arange(n) / 24) + 0.8 * np.random.default_rng(seed).normal(size=n)


def found(model):
    return model._states.array(0, "period")[0], model._states.array(0, "short")[0]


def test_the_curve_of_seasonal_errors_is_its_definition():
    y = daily(70)
    model = RNNForecaster(experts=("last", "seasonal"))
    D, B = np.zeros((2, CURVE_LAGS + 1))
    most = np.inf
    for t, v in enumerate(y):
        for m in range(1, t + 1):
            n = t - m + 1
            share = max(1 / n, 1 / REMEMBERED)
            d = v - y[t - m] - B[m]
            limit = min(LAG_ERROR_LIMIT * D[m], most) if D[m] > 0 and n > SETTLED_LAGS else most
            d = np.clip(d, -limit, limit)
            B[m] += share * d
            D[m] += share * (abs(d) - D[m])
        model.learn_one(v)
        seen = 2 * (t + 1) // 3
        if t > 2 * SETTLED_LAGS:
            most = FARTHEST_ERROR * D[1 : seen + 1].mean()
    np.testing.assert_allclose(model._states.array(0, "curve")[0, 0], D, rtol=1e-5, atol=1e-5)  # float32


def test_the_week_is_found_and_the_day_in_it():
    model = RNNForecaster(experts=("last", "seasonal"))
    model.learn_many(weekly(1200))
    assert found(model) == (168, 24)


def test_a_week_of_five_minutes_is_found():
    model = RNNForecaster(experts=("last", "seasonal"))
    model.learn_many(weekly(21 * 288, day=288))
    assert found(model) == (2016, 288)


def square(n, day):
    """A working time each day, with two jumps."""
    t = np.arange(n)
    return np.where((t % day >= day // 3) & (t % day < 3 * day // 4), 80.0, 20.0)


@pytest.mark.parametrize("seed", [0, 1])
def test_two_jumps_a_day_tell_how_long_it_is(seed):
    """Under noise a lag of one event more or less is hardly worse at any event but those: neighbouring lags are told apart by errors in full."""
    day, known = 288, []
    y = square(10 * day, day) + np.random.default_rng(seed).uniform(-5, 5, 10 * day)
    model = RNNForecaster(24, experts=("seasonal",))
    for i in range(0, len(y), 16):
        model.learn_many(y[i : i + 16])
        known.append(found(model)[0])

    assert set(known[5 * day // 16 :]) == {day}


def test_who_foretells_the_jumps_of_each_day_is_believed_at_the_next():
    """Nothing happens between two jumps: the usual error stays that of a day, or what the jumps had told of the experts would be lost by the next one."""
    day, n = 288, 14 * 288
    y = square(n, day)
    told = RNNForecaster(24, experts=(*LINEAR, "rls", "ar"), period=day).progressive_many(y)

    origins = range(6 * day, n - 24)
    last = np.repeat(np.roll(y, 1)[:, None], 24, axis=1)
    assert _error(told, y, origins) < 0.02 * _error(last, y, origins)


def test_a_walk_has_no_season():
    model = RNNForecaster(experts=("last", "seasonal"))
    model.learn_many(np.cumsum(np.random.default_rng(2).normal(size=3000)))
    assert found(model) == (0, 0)


def test_a_day_of_zeros_changes_no_season():
    y = daily(3000)
    y[2016:2040] = 0.0
    model = RNNForecaster(experts=("last", "seasonal"))
    for t in y.tolist():
        model.learn_one(t)
        if model.n_events > 1000:
            assert found(model) == (24, 0)


@pytest.mark.parametrize("period", [(168, 24), (24, 168)])
def test_two_seasons_are_given(period):
    model = RNNForecaster(experts=("profile",), period=period)
    model.learn_many(weekly(400))
    assert found(model) == (168, 24)
    assert found(pickle.loads(pickle.dumps(model))) == (168, 24)


@pytest.mark.parametrize("period", [(), (24, 24), (24, 168, 336), (1, 24), "day", (24.0, 168)])
def test_what_is_no_season_is_refused(period):
    with pytest.raises(ParameterError, match="period"):
        RNNForecaster(period=period)


def _regression(residuals, spreads, H, forget, start):
    """Recursive least squares of the next H residuals on the last ones, one matrix for all, as the book has it."""
    L, P, W = profile.PROFILE_LAGS, None, np.zeros((profile.PROFILE_LAGS, H))
    for t in range(start, len(residuals)):
        if P is None:
            P = np.eye(L) / (RIDGE * spreads[t] ** 2)
        x = residuals[t - H - np.arange(L)]
        g = P @ x
        power = forget + x @ g
        error = (residuals[t - H + 1 : t + 1] - x @ W) / power
        W = W + np.outer(g, error)
        P = (P - np.outer(g, g) / power) / forget
    return W


def test_a_profile_is_its_formula():
    """Level and shapes bin by bin from the first value on, then a regression of what is left."""
    H, m, short, n = 3, 12, 4, 400
    row, rng = profile.PROFILE_ROW, np.random.default_rng(5)
    t = np.arange(n)
    noise = np.zeros(n)
    for i in range(1, n):
        noise[i] = 0.7 * noise[i - 1] + 0.3 * rng.normal()
    y = 20 + 3 * np.sin(2 * np.pi * t / m) + np.cos(2 * np.pi * t / short) + noise
    model = RNNForecaster(H, experts=("profile",), period=(m, short))
    model.learn_many(y)
    begun = m + m // 2
    level, spread = y[: begun + 1].mean(), 0.0
    S1, S2, residuals, spreads = np.zeros(m), np.zeros(short), np.zeros(n), np.zeros(n)
    for i in range(n):
        r = y[i] - level - S1[i % m] - S2[i % short]
        if i > profile.SETTLED_SPREAD and spread > 0:
            r = np.clip(r, -profile.RESIDUAL_LIMIT * spread, profile.RESIDUAL_LIMIT * spread)
        spread += max(profile.SPREAD_ALPHA, 1 / (i + 1)) * (abs(r) - spread)
        residuals[i], spreads[i] = r, spread
        level += profile.LEVEL_PACE * r
        g = max(row.short_floor, 1 / (i // short + 2))
        S2[i % short] += g * r
        S1[i % m] += max(row.floor, 1 / (i // m + 2)) * (1 - g) * r
    first = max(begun, H + profile.PROFILE_LAGS + 1) + 1
    W = _regression(residuals, spreads, H, row.forget, first)
    ahead = n + np.arange(H)
    told = level + S1[ahead % m] + S2[ahead % short] + residuals[n - 1 - np.arange(profile.PROFILE_LAGS)] @ W
    np.testing.assert_allclose(model.forecast(H), told, rtol=1e-8)


def test_the_long_regression_is_the_ridge_of_all_it_saw():
    """The factor that is built row by row gives what a dense solver gives of the sums' definition."""
    H, C, n = 4, 2, 790
    rng = np.random.default_rng(3)
    Y = np.column_stack([daily(n), np.cumsum(rng.normal(size=n))])
    model = RNNForecaster(H, experts=("long",))
    z, begun = np.zeros((C, n)), None
    K = long.LONG_ROW.lags + H
    for t in range(n):
        model.learn_many(Y[t : t + 1])
        z[:, t] = model._states.array(0, "long.changes")[:, t % K]
        if begun is None and model._states.header(0)[at.LONG_PHASE] == long.BUILD:
            begun = t
    L = int(model._states.header(0)[at.LONG_READY])
    assert long.LONG_ROW.lags // 2 == L
    assert abs(z).max() <= CHANGE_LIMIT
    keep, N = 1 - 1 / long.LONG_REMEMBERED, L - 1 + H
    G = np.zeros((N, N))
    for c in range(C):
        past = np.concatenate([np.zeros(N), z[c, : begun + 1]])
        for s in range(begun + N + 1):  # what lies behind the end has no weight of its own: it ends where the sums do
            window = np.concatenate([past, np.zeros(N)])[s + N - np.arange(N)] if s <= begun else None
            if window is not None:
                G += keep ** (begun - s) * np.outer(window, window)
    levels = -np.tril(np.ones((L - 1, L - 1)))  # y[t - i] - y[t] of the changes back
    steps = np.tril(np.ones((H, H)))[:, ::-1]  # y[t + h] - y[t] of the changes ahead, the newest first
    A = levels @ G[H:, H:] @ levels.T
    B = levels @ G[H:, :H] @ steps.T
    W = np.linalg.solve(A + long.RIDGE_SHARE * np.trace(A) / (L - 1) * np.eye(L - 1), B)
    np.testing.assert_allclose(model._states.array(0, "long.coefficients")[: L - 1], W, rtol=1e-5, atol=1e-7)


def test_a_model_goes_on_in_the_middle_of_a_solution():
    y = daily(900)
    whole = RNNForecaster(2, experts=("long", "last"))
    whole.learn_many(y)
    for stop, phase in ((520, long.BUILD), (600, long.FACTOR), (750, long.BACK)):
        first = RNNForecaster(2, experts=("long", "last"))
        first.learn_many(y[:stop])
        assert first._states.header(0)[at.LONG_PHASE] == phase
        again = pickle.loads(pickle.dumps(first))
        for v in y[stop:].tolist():
            again.learn_one(v)
        assert pickle.dumps(again) == pickle.dumps(whole)


@pytest.mark.parametrize(
    ("word", "value"), [(at.LONG_PHASE, 7), (at.LONG_PLACE, 10**6), (at.LONG_READY, 10**6), (at.LONG_SOLVED, -3)]
)
def test_a_hostile_place_in_a_solution_is_refused(word, value):
    model = RNNForecaster(2, experts=("long", "profile"), period=12)
    model.learn_many(daily(50))
    model._states.header(0)[word] = value
    with pytest.raises(StateError, match="other settings"):
        pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize("season", [1e9, -12.0, np.nan, 12.5, 65536.0])
def test_a_hostile_season_of_a_profile_is_refused(season):
    model = RNNForecaster(2, experts=("profile",), period=12)
    model.learn_many(daily(50))
    model._states.array(0, "profile0.season_of")[0, 0] = season
    with pytest.raises(StateError, match="other settings"):
        pickle.loads(pickle.dumps(model))


def test_an_expert_without_an_opinion_changes_no_forecast():
    """On a walk no season is found: the mixture is that of the others, step for step."""
    y = np.cumsum(np.random.default_rng(4).normal(size=400))
    alone = RNNForecaster(3, experts=("last",)).progressive_many(y)
    np.testing.assert_allclose(
        RNNForecaster(3, experts=("last", "profile", "long")).progressive_many(y), alone, rtol=1e-12
    )


def test_the_week_is_forecast():
    """The last week alone has twice the error of the noise."""
    n, H = 3000, 24
    y = weekly(n)
    told = RNNForecaster(H, experts=LINEAR).progressive_many(y)
    t = np.arange(2000, n - H)
    errors = np.array([told[i] - y[i : i + H] for i in t])
    assert (errors**2).mean() < 1.4


def _error(told, y, origins, H=24):
    return np.sqrt(np.mean([(told[o] - y[o : o + H]) ** 2 for o in origins]))


def test_who_has_no_opinion_has_no_weight():
    """Without a season the profiles' part of the weights is that of the others, which are all that is forecast by."""
    model = RNNForecaster(6, experts=LINEAR)
    model.learn_many(np.column_stack([np.cumsum(np.random.default_rng(2).normal(size=1200)), weekly(1200)]))
    walk, week = model.weights_.values()

    assert not walk["profile"].any()
    assert not walk["profile_main"].any()
    assert week["profile"].min() > 0.0
    for weights in (walk, week):
        np.testing.assert_allclose(sum(weights.values()), 1.0)


def test_in_a_gap_and_after_it_the_season_goes_on():
    n = 3000
    y = daily(n)
    holed = y.copy()
    holed[2000:2030] = np.nan
    told = RNNForecaster(24, experts=LINEAR).progressive_many(holed)
    assert _error(told, y, range(2001, 2031)) < 1.2
    assert _error(told, y, range(2031, 2055)) < 1.2


def test_absent_rows_are_missing_values():
    """With event time, rows that are not there are as rows without values, bit for bit behind them."""
    n, minutes = 900, 60.0 * np.arange(900)
    y = daily(n)
    holed = y.copy()
    holed[500:530] = np.nan
    holed[700] = np.nan
    there = np.isfinite(holed)
    whole = RNNForecaster(6, experts=LINEAR, time="at")
    whole.learn_many(holed, pd.DataFrame({"at": minutes}))
    absent = RNNForecaster(6, experts=LINEAR, time="at")
    told = absent.progressive_many(y[there], pd.DataFrame({"at": minutes[there]}))
    assert absent.forecast(6) == whole.forecast(6)
    assert absent.n_events == there.sum()
    one_by_one = RNNForecaster(6, experts=LINEAR, time="at")
    for i, t in enumerate(np.flatnonzero(there)):
        if i and there[t - 1]:  # what is forecast before a gap does not know of it yet
            assert one_by_one.forecast(6) == told[i].tolist()
        one_by_one.learn_one(float(y[t]), {"at": minutes[t]})
    assert one_by_one.forecast(6) == absent.forecast(6)


def test_times_without_a_step_make_no_rows():
    rng = np.random.default_rng(6)
    model = RNNForecaster(experts=("last", "rls"), time="at")
    model.learn_many(rng.normal(size=500), pd.DataFrame({"at": np.cumsum(rng.exponential(size=500))}))
    assert model._states.header(0)[at.N_EVENTS] == 500


def test_a_day_of_zeros_does_not_recur():
    n = 3000
    y = daily(n)
    holed = y.copy()
    holed[2016:2040] = 0.0
    told = RNNForecaster(24, experts=LINEAR).progressive_many(holed)
    assert _error(told, y, range(2065, 2089)) < 3.0


def test_a_unit_that_shrinks_a_thousandfold_is_followed():
    n = 4500
    y = np.cumsum(np.random.default_rng(1).normal(size=n))
    y[3000:] /= 1000.0
    told = RNNForecaster(6, experts=(*LINEAR, "rls", "ar")).progressive_many(y)
    origins = range(3101, 4001)
    last = np.repeat(y[:, None], 6, axis=1)
    assert _error(told, y, origins, 6) < 1.05 * _error(np.roll(last, 1, axis=0), y, origins, 6)


@pytest.mark.parametrize("once", [False, True], ids=["each day", "not on one of the last two"])
def test_a_jump_of_each_day_is_forecast_whole(once):
    """Where the series jumped at this time in both of the last two seasons a forecast goes as far; after one time it stays within some usual changes."""
    t = np.arange(650)
    y = np.where(t % 100 >= 50, 60.0, 0.0) + np.random.default_rng(1).normal(0.0, 0.1, 650)
    y[450:500] -= 60.0 * once
    model = RNNForecaster(horizon=2, experts=("seasonal",), period=100)
    model.learn_many(y)

    first, second = model.forecast(2)

    changes = np.sqrt(model._states.array(0, "change")[0])
    farthest = y[-1] + 4.0 * changes if once else [60.0, 60.0]
    np.testing.assert_allclose([first, second], farthest, atol=0.5)
