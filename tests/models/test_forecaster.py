"""The forecaster: nothing leaks, blocks are loops, experts are what they say, bands hold."""

from __future__ import annotations

import math
import pickle

import numba
import numpy as np
import pandas as pd
import pytest
from numba.core.dispatcher import Dispatcher
from river.optim.losses import Quantile

from streamrnn import RNNForecaster, dumps, loads
from streamrnn.errors import FeatureError, ParameterError, StateError
from streamrnn.kernels.compile import INTERPRETED, OPTIONS, _Guarded
from streamrnn.kernels.forecast.aggregation import LEAST_SCALE, REGRET_FORGET, update_weights
from streamrnn.kernels.forecast.experts.rls import RIDGE
from streamrnn.kernels.forecast.experts.table import EXPERTS

SMALL = {"horizon": 2, "hidden_size": 8}
NO_NETS = ("last", "steady", "seasonal", "drift", "rls", "rls_short", "ar")


def series(n=300, seed=1):
    """An AR(1) with a season of 12."""
    rng = np.random.default_rng(seed)
    y = np.zeros(n)
    for t in range(1, n):
        y[t] = 0.7 * y[t - 1] + rng.normal()
    return y + 3.0 * np.sin(np.arange(n) * 2 * math.pi / 12)


def channels(n=120, seed=2):
    """Three channels with holes, and two features."""
    rng = np.random.default_rng(seed)
    Y, X = np.cumsum(rng.normal(size=(n, 3)), axis=0), rng.normal(size=(n, 2))
    Y[rng.random(Y.shape) < 0.1] = np.nan
    X[rng.random(X.shape) < 0.1] = np.nan
    return Y, X


def test_a_block_is_a_loop():
    """Forecasts and state after ``progressive_many`` are those of a loop of ``forecast`` and ``learn_one``, bit for bit."""
    Y, X = channels()
    one, many = RNNForecaster(**SMALL), RNNForecaster(**SMALL)
    expected = np.full((3, len(Y), 2), np.nan)
    for t, (y, x) in enumerate(zip(Y.tolist(), X.tolist(), strict=True)):
        for h, step in enumerate(one.forecast(2)):
            for name, value in (step or {}).items() if isinstance(step, dict) else ():
                expected["abc".index(name), t, h] = value
        one.learn_one(dict(zip("abc", y, strict=True)), dict(zip("uv", x, strict=True)))

    found = [
        many.progressive_many(pd.DataFrame(Y[a:b], columns=[*"abc"]), pd.DataFrame(X[a:b], columns=[*"uv"]))
        for a, b in ((0, 1), (1, 50), (50, 120))
    ]

    for c, name in enumerate("abc"):
        np.testing.assert_array_equal(np.concatenate([part[name] for part in found]), expected[c])
    assert pickle.dumps(many) == pickle.dumps(one)


def test_channels_and_features_appear_as_they_come():
    """A channel that appears later has forecasts from then on, and leaves those of the others as they were before it."""
    y = series(80)
    model, alone = RNNForecaster(**SMALL), RNNForecaster(**SMALL)
    for t, value in enumerate(y.tolist()):
        if t < 40:
            alone.learn_one({"a": value})
        model.learn_one({"a": value} if t < 40 else {"a": value, "b": -value}, {"u": 1.0} if t >= 60 else None)
        if t == 39:
            assert model.forecast(2) == alone.forecast(2)

    assert set(model.forecast(2)[1]) == {"a", "b"}
    back = loads(dumps(model))
    model.learn_one({"b": 1.0, "c": 2.0})
    back.learn_one({"b": 1.0, "c": 2.0})
    assert back.forecast(5) == model.forecast(5)
    with pytest.raises(FeatureError, match="a dict of channels so far"):
        model.learn_one(1.0)


def test_nothing_leaks_from_the_future():
    """What was forecast before a row does not depend on that row or any later one."""
    y = series()
    other = y.copy()
    other[150:] = 7.0

    a, b = (RNNForecaster(**SMALL).progressive_many(one) for one in (y, other))

    np.testing.assert_array_equal(a[:151], b[:151])
    assert (a[151] != b[151]).all()


@pytest.mark.parametrize(("a", "b"), [(4.0, 0.0), (-3.7, 11.0), (1e6, -5e5), (1e-6, 3e-6)])
def test_forecasts_follow_the_unit(a, b):
    """Forecasts of a y + b are a times those of y, plus b, to 1e-5 of the series' spread."""
    y = series(600)

    plain = RNNForecaster(**SMALL).progressive_many(y)[1:]
    scaled = RNNForecaster(**SMALL).progressive_many(a * y + b)[1:]

    np.testing.assert_allclose((scaled - b) / a, plain, rtol=0.0, atol=1e-5 * y.std())


def test_each_key_has_a_series_of_its_own():
    """Without nets, which share weights, interleaved series are forecast as each would be alone; the rest resumes exactly."""
    streams = {"a": series(90), "b": 5.0 - series(90, seed=3)}
    keyed = RNNForecaster(horizon=2, experts=NO_NETS, key="id")
    for values in zip(*streams.values(), strict=True):
        for key, value in zip(streams, values, strict=True):
            keyed.learn_one(value, {"id": key})

    for key, values in streams.items():
        alone = RNNForecaster(horizon=2, experts=NO_NETS)
        alone.learn_many(values)
        assert keyed.forecast(2, key=key) == alone.forecast(2)
        assert loads(dumps(keyed)).forecast(4, [{"id": key}] * 4) == keyed.forecast(4, key=key)
    with pytest.raises(FeatureError, match="'id'"):
        keyed.learn_one(1.0)


def test_keys_make_room_and_resume():
    """With nets and more keys than places, stopping and resuming changes nothing."""
    rng = np.random.default_rng(5)
    model = RNNForecaster(**SMALL, key="id", max_keys=2)
    other = RNNForecaster(**SMALL, key="id", max_keys=2)
    for value, key in zip(rng.normal(size=90).tolist(), rng.integers(0, 4, 90).tolist(), strict=True):
        model.learn_one(value, {"id": key})
        other.learn_one(value, {"id": key})
        if value > 1.0:
            other = loads(dumps(other))

    assert pickle.dumps(other) == pickle.dumps(model)
    assert len(model._states.slabs) == 3


def test_time_and_missing_values():
    """Gaps in time and values that are missing are events like others: forecasts stay finite, the state resumes."""
    model = RNNForecaster(**SMALL, time="at")
    for t, value in enumerate(series(100).tolist()):
        model.learn_one(None if t % 7 == 3 else value, {"at": t * t, "u": math.nan if t % 5 else 1.0})

    assert np.isfinite(model.forecast(5)).all()
    assert loads(dumps(model)).forecast(5) == model.forecast(5)


@pytest.mark.parametrize("name", [name for name in EXPERTS if name != "arx"])
def test_one_expert_alone_is_that_expert(name):
    """The mixture of one has a weight of one, and forecasts as its only member."""
    y = series(60)
    model = RNNForecaster(**SMALL, experts=(name,))
    found = model.progressive_many(y)

    assert model.weights_[name].tolist() == [1.0, 1.0]
    if name == "last":
        np.testing.assert_array_equal(found[1:, 1], y[:-1])
    else:
        assert np.isfinite(found).all()


def test_a_constant_is_forecast_exactly():
    """Weights that sum to one but for rounding spoil nothing: all that is said of a constant is the constant."""
    model = RNNForecaster(**SMALL)
    found = model.progressive_many(np.full(300, 17.1))

    assert (found[1:] == 17.1).all()
    assert model.forecast_interval(2, 0.9) == [(17.1, 17.1)] * 2


@pytest.mark.parametrize("turned", [1.0, -1.0])
def test_forecasts_aim_at_what_the_loss_is_least_for(turned):
    """Of skewed values the mean, the median and another quantile, whichever way the first change was; stopped on the way is never stopped."""
    y = 10.0 + np.random.default_rng(4).exponential(size=4000)
    y[:2] = 10.0, 10.0 + turned
    found, score = {}, {}
    for loss in ("squared", "absolute", Quantile(0.9)):
        model, whole = RNNForecaster(**SMALL, loss=loss), RNNForecaster(**SMALL, loss=loss)
        told = whole.progressive_many(y)[2000:, 0]
        model.learn_many(y[:2500])
        model = loads(dumps(model))
        model.learn_many(y[2500:])
        name = loss if isinstance(loss, str) else "quantile"
        found[name] = told.mean() - 10.0
        score[name] = abs(told - y[2000:]).mean()
        assert dumps(model) == dumps(whole)

    assert abs(found["squared"] - 1.0) < 0.05
    assert abs(found["absolute"] - np.log(2.0)) < 0.1
    assert found["quantile"] > 1.5
    assert score["absolute"] < 0.98 * score["squared"]


def test_what_is_near_counts_more_in_the_nets():
    """The error of a step h ahead of the first moves the hidden units by 1 / (1 + h / 3) as much."""
    model = RNNForecaster(**SMALL, experts=("lstm",), loss="absolute")  # of an absolute loss all slopes are 1
    model.learn_many(series(3))

    [error] = abs(model._net.array("output_gradients")[:1])

    np.testing.assert_array_equal(error, np.float32([1.0, 0.75]))


def test_weights_say_who_is_right():
    """On a random walk the last value is believed, on a season the season; weights are a share of one."""
    rng = np.random.default_rng(4)
    walk, season = RNNForecaster(horizon=2, experts=NO_NETS), RNNForecaster(horizon=2, experts=NO_NETS)
    walk.learn_many(np.cumsum(rng.normal(size=1500)))
    season.learn_many(np.tile(rng.normal(size=60), 25) + 0.1 * rng.normal(size=1500))

    np.testing.assert_allclose(sum(walk.weights_.values()), 1.0, rtol=1e-6)
    assert (walk.weights_["last"] + walk.weights_["steady"] > 0.5).all()
    assert (season.weights_["seasonal"] > 0.5).all()
    assert season._states.array(0, "period").tolist() == [60.0]


def test_a_spike_is_not_believed():
    """Where jumps are taken back, the forecast behind a jump is the value before it; where they stay, the jump."""
    rng = np.random.default_rng(6)
    spikes, steps = (RNNForecaster(experts=("last", "steady")) for _ in range(2))
    level = np.cumsum(np.where(rng.random(3000) < 0.02, 50.0, 0.0))
    spikes.learn_many(rng.normal(size=3000) + np.where(rng.random(3000) < 0.02, 50.0, 0.0))
    steps.learn_many(rng.normal(size=3000) + level)
    spikes.learn_many([0.0, 50.0])
    steps.learn_many([level[-1], level[-1] + 50.0])

    assert abs(spikes.forecast(1)[0]) < 10.0
    assert steps.forecast(1)[0] - level[-1] > 40.0


def test_belief_follows_the_paper():
    """The weights are those of the formulas, in plain NumPy: Wintenberger (2017) with the gradient trick. Lanes that are off rest."""
    rng = np.random.default_rng(7)

    def call(R, V, B, w, f, prior, g, p, unit, limit, on, forget, scratch):
        update_weights(R, V, B, w, f, prior, g, p, unit, limit, on, forget, scratch)

    run = call if INTERPRETED else numba.njit(**OPTIONS)(call)  # kernels run inside an entry only
    E, n, prior = 3, 2, np.array([0.5, 0.25, 0.25])
    R, V, B, w = np.zeros((4, E, n), np.float32)
    w[:] = prior[:, None]
    weights, regret, square, bound = prior.copy(), np.zeros(E), np.zeros(E), np.zeros(E)
    for i in range(200):
        experts = rng.normal(size=E) + np.array([0.0, 0.5, 2.0])
        p, spread = float(weights @ experts), 1.0 + i / 100
        g = np.clip(p / spread, -3.0, 3.0)
        limit = 12.0 * abs(g)
        both = [np.array([v, math.nan], np.float32) for v in (g, p, 1 / spread, limit)]
        f = np.stack([experts, np.full(E, math.nan)], axis=1).astype(np.float32)
        flat = [one.reshape(-1) for one in (R, V, B, w, f)]
        forget = np.full(n, REGRET_FORGET, np.float32)
        run(*flat, prior, *both, np.array([1.0, 0.0], np.float32), forget, np.empty((3 * E + 4) * n, np.float32))
        r = np.clip(g * (p - experts) / spread, -limit, limit)
        bound, square = np.maximum(bound * REGRET_FORGET, abs(r)), square * REGRET_FORGET + r * r
        least = LEAST_SCALE * bound.max(), LEAST_SCALE**2 * square.max()
        eta = np.minimum(0.5 / np.maximum(bound, least[0]), np.sqrt(np.log(E) / np.maximum(square, least[1])))
        regret = regret * REGRET_FORGET + r - eta * r * r
        weights = prior * eta * np.exp(eta * regret - (eta * regret).max())
        weights /= weights.sum()

        np.testing.assert_allclose(w[:, 0], weights, rtol=1e-4)
        assert w[:, 1].tolist() == prior.tolist()
    assert weights[2] < 0.1 < weights[0]


def unpacked(P):
    """The whole symmetric matrix: rows of blocks of eight, each up to the end of its block's diagonal."""
    n = int(np.sqrt(2 * P.size + 16) - 4)
    full, start = np.zeros((n, n)), 0
    for i in range(n):
        length = 8 * (i // 8 + 1)
        full[i, :length] = P[start : start + length]
        start += length
    return np.tril(full) + np.tril(full, -1).T


def test_least_squares_is_the_ridge_regression_of_all_it_saw():
    """With nothing forgotten, the recursion's coefficients solve the normal equations."""
    y = series(400, seed=8)
    model = RNNForecaster(horizon=2, experts=("rls",))
    model.learn_many(y)
    L, H = EXPERTS["rls"].lags, 2
    d = np.diff(y, prepend=np.nan)
    rows = range(1, len(y) - H)
    A = np.array([[d[t - i] if t - i >= 1 else 0.0 for i in range(L)] for t in rows])
    found = model._states.array(0, "rls0.coefficients")[0]
    gain = model._states.array(0, "rls0.gain")[0]
    full = unpacked(gain)
    ridge = np.linalg.inv(full) - A.T @ A

    assert abs(ridge - np.diag(np.diag(ridge))).max() < 1e-6 * abs(full).max() ** -1
    np.testing.assert_allclose(np.diag(ridge), np.diag(ridge)[0], rtol=1e-6)
    assert np.diag(ridge)[0] / RIDGE < 100.0
    for h in range(H):
        target = np.array([y[t + 1 + h] - y[t] for t in rows])
        np.testing.assert_allclose(
            found[h], np.linalg.solve(A.T @ A + ridge, A.T @ target), rtol=1e-5, atol=1e-6
        )  # float32


def driven(n=1500, seed=11):
    """What two features do at once, one of them rare, under an AR(1) of spread 0.1 / sqrt(1 - 0.49): y and the features."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=n), rng.random(n) < 0.1]).astype(float)
    u = np.zeros(n)
    for t in range(1, n):
        u[t] = 0.7 * u[t - 1] + rng.normal(0.0, 0.1)
    return u + 2.0 * x[:, 0] - 3.0 * x[:, 1], x


def named(x):
    return [dict(zip("uv", row, strict=True)) for row in x.tolist()]


DRIVEN = {"horizon": 3, "experts": ("last", "rls_short", "arx")}


def test_known_features_count():
    """With the features to come the error is near that of one who knows the rule; the band is as narrow, and holds."""
    y, x = driven()
    model, features = RNNForecaster(**DRIVEN), named(x)
    errors, inside = [], []
    for t, value in enumerate(y.tolist()):
        if 700 <= t < len(y) - 3:
            xs = features[t : t + 3]
            errors.append(np.array(model.forecast(3, xs)) - y[t : t + 3])
            bands = np.array(model.forecast_interval(3, 0.8, xs))
            inside.append((bands[:, 0] <= y[t : t + 3]) & (y[t : t + 3] <= bands[:, 1]))
        model.learn_one(value, features[t])

    optimum = 0.01 * np.cumsum(0.49 ** np.arange(3))
    assert (np.mean(np.square(errors), axis=0) < 1.1 * optimum).all()
    assert (abs(np.mean(inside, axis=0) - 0.8) < 0.05).all()
    assert (model.weights_with_xs_["arx"] > 0.9).all()
    assert "arx" not in model.weights_
    low, high = model.predict_interval_one(features[7], 0.9)
    assert (low, high) == model.forecast_interval(1, 0.9, features[7:8])[0]
    assert high - low < 0.5 * np.ptp(model.predict_interval_one(level=0.9))


def test_without_known_features_nothing_changes():
    """Who never gives ``xs`` has the same forecasts with ``arx`` as without it, bit for bit; a gap in ``xs`` ends what is known."""
    y, x = driven(400)
    with_arx, without = RNNForecaster(**DRIVEN), RNNForecaster(horizon=3, experts=DRIVEN["experts"][:2])
    np.testing.assert_array_equal(with_arx.progressive_many(y, x), without.progressive_many(y, x))

    plain, features = with_arx.forecast(3), [{0: 1.0, 1: 0.0}, {0: 0.5, 1: 1.0}, {0: -1.0, 1: 0.0}]
    before = pickle.dumps(with_arx)
    all_known = with_arx.forecast(3, features)
    assert with_arx.forecast(3, [features[0], {0: 0.5}, features[2]]) == [all_known[0], *plain[1:]]
    assert with_arx.forecast(3, [{}, *features[1:]]) == plain == without.forecast(3, features)
    assert with_arx.forecast(2, features[:2]) == all_known[:2]
    assert all(a != b for a, b in zip(all_known, plain, strict=True))
    assert pickle.dumps(with_arx) == before


def test_what_is_verified_is_what_was_said():
    """A path that the events lead on takes the very steps that ``forecast`` takes over the same features, and resumes exactly."""
    y, x = driven(300)
    model = RNNForecaster(**DRIVEN)
    model.learn_many(y[:200], x[:200])
    E = len(DRIVEN["experts"]) - 1
    said = np.array(model.forecast(3, [dict(enumerate(row)) for row in x[200:203].tolist()]))
    value, books = y[199], model._states  # what is kept is how far from the last value
    slots = [h * (h + 1) // 2 + 199 % (h + 1) for h in range(3)]
    partial, share = (books.array(0, f"informed.{name}")[0, slots].copy() for name in ("mixed", "share"))
    back = loads(dumps(model))
    for h in range(3):
        for one in (model, back):
            one.learn_one(y[200 + h], dict(enumerate(x[200 + h].tolist())))
        path = model._states.array(0, "forecasts")[E, 0, slots[h]]

        assert said[h] - value == pytest.approx(partial[h] + share[h] * path, abs=1e-6 * y.std())
    assert pickle.dumps(back) == pickle.dumps(model)


def test_known_features_do_not_leak():
    """A forecast over ``xs`` reads nothing of what the stream then does, nor of features that it was not given."""
    y, x = driven(300)
    other_y, other_x = y.copy(), x.copy()
    other_y[250:], other_x[250:] = 9.0, 1.0
    xs = [{0: 1.0, 1: 0.0}] * 3

    found = []
    for values, features in ((y, x), (other_y, other_x)):
        model = RNNForecaster(**DRIVEN)
        model.learn_many(values[:250], features[:250])
        at_250 = model.forecast(3, xs)
        model.learn_many(values[250:], features[250:])
        found.append((at_250, model.forecast(3, xs)))

    assert found[0][0] == found[1][0]
    assert found[0][1] != found[1][1]


def test_known_features_of_channels_that_come_late():
    """Features and channels that appear on the way, gaps in both, time and keys: forecasts stay finite, the state resumes."""
    rng = np.random.default_rng(12)
    model = RNNForecaster(**DRIVEN, time="at", key="id")
    for t in range(120):
        x = {"at": 2 * t, "id": t % 2, "u": math.nan if t % 11 == 3 else rng.normal()} | (
            {"v": rng.normal()} if t > 60 else {}
        )
        model.learn_one({"a": x["u"] * 2, "b": rng.normal()} if t > 30 else {"a": x["u"] * 2}, x)
    xs = [{"at": 240 + 2 * h, "id": 1, "u": 1.0, "v": 0.0} for h in range(7)]

    far = model.forecast(7, xs)
    assert all(math.isfinite(v) for step in far for v in step.values())
    assert loads(dumps(model)).forecast(7, xs) == far != model.forecast(7, key=1)


def test_bands_hold_what_they_say():
    """The 80 % band covers 78 to 82 % at every horizon, on a stream whose noise grows; quantiles never cross."""
    rng = np.random.default_rng(9)
    y = np.cumsum(rng.standard_t(4, 4000) * np.linspace(1.0, 5.0, 4000))
    model = RNNForecaster(horizon=3, experts=("last", "rls_short"))
    inside = np.zeros((len(y), 3))
    for t, value in enumerate(y):
        for h, (low, high) in enumerate(model.forecast_interval(3, 0.8)):
            inside[t, h] = t + h < len(y) and low <= y[min(t + h, len(y) - 1)] <= high
        model.learn_one(value)

    covered = inside[1000:-3].mean(axis=0)
    assert ((covered > 0.78) & (covered < 0.82)).all(), covered
    [band, *_] = model.forecast_quantiles(6, np.linspace(0.01, 0.99, 99).tolist())
    assert sorted(band.values()) == list(band.values())
    wide = [high - low for low, high in model.forecast_interval(6, 0.9)]
    assert wide[5] > wide[2]


def test_nothing_is_compiled_after_the_first_event(monkeypatch):
    """Intervals, quantiles, known features and steps beyond the horizon are asked of the code that the first event ran."""
    model = RNNForecaster(**SMALL)
    model.learn_one(1.0, {"u": 1.0})
    begun = []
    monkeypatch.setattr(_Guarded, "_first", lambda self, *args: begun.append(args))
    monkeypatch.setattr(Dispatcher, "compile", lambda self, signature: begun.append(signature))

    model.learn_one(2.0, {"u": 2.0})
    model.forecast_interval(2)
    model.forecast_quantiles(2, [0.1, 0.9], [{"u": 3.0}, {"u": 4.0}])
    model.forecast(5, [{"u": 3.0}] * 5)
    RNNForecaster(**SMALL, loss="absolute").learn_one(1.0)

    assert begun == []


def test_an_output_sees_its_own_channel_and_the_features():
    """With a hidden state that no input reaches, a channel's forecast moves with its own values and with features, not with other channels'."""
    Y, X = np.nan_to_num(channels()[0]), np.nan_to_num(channels()[1])
    model = RNNForecaster(**SMALL, experts=("lstm",))
    for y, x in zip(Y.tolist(), X.tolist(), strict=True):
        model.learn_one(dict(zip("abc", y, strict=True)), dict(zip("uv", x, strict=True)))
    model.freeze()
    model._nets[0].array("layer0.weights")[:] = 0.0
    changes = []
    for y, x in (((0.0, 0.0, 0.0), 0.0), ((0.0, 2.0, 0.0), 0.0), ((0.0, 0.0, 0.0), 2.0)):
        other = loads(dumps(model))
        other.learn_one(dict(zip("abc", y, strict=True)), {"u": x, "v": 0.0})
        changes.append([value - was for value, was in zip(other.forecast(1)[0].values(), y, strict=True)])
    plain, b_moved, u_moved = changes

    assert [one == two for one, two in zip(plain, b_moved, strict=True)] == [True, False, True]
    assert all(one != two for one, two in zip(plain, u_moved, strict=True))


def test_memory_grows_with_the_channels_not_with_their_square():
    """Three times the channels take at most three times the memory, and a hundred with 24 steps less than 20 MB."""
    wide, wider = (RNNForecaster(horizon=24, hidden_size=8) for _ in range(2))
    wide.learn_many(np.zeros((1, 100)))
    wider.learn_many(np.zeros((1, 300)))

    assert wider.memory_usage() < 3 * wide.memory_usage()
    assert wide.memory_usage() < 20e6


def test_rolling_on_changes_nothing():
    """Beyond its horizon the model asks a copy that takes the forecasts in."""
    model = RNNForecaster(**SMALL)
    model.learn_many(series(100), pd.DataFrame({"u": np.arange(100.0)}))
    before = pickle.dumps(model)

    far = model.forecast(7, [{"u": 100.0 + i} for i in range(7)])

    assert far[:2] == model.forecast(2, [{"u": 100.0}, {"u": 101.0}])
    assert model.forecast(7)[:2] == model.forecast(2)
    assert np.isfinite(far).all()
    assert pickle.dumps(model) == before
    for horizon in (0, 2.5, "3"):
        with pytest.raises(ParameterError, match=r"'horizon'.*int >= 1"):
            model.forecast(horizon)
    with pytest.raises(ParameterError, match="7 entries"):
        model.forecast(7, [{}])


def test_frozen_and_reset():
    """A frozen model follows the series and learns nothing; a reset one forgets the series and keeps what it learned."""
    model = RNNForecaster(**SMALL)
    model.learn_many(series(100))
    model.freeze()
    kept = {name: view.copy() for name, view in model.weights.items()}
    believed = {name: w.copy() for name, w in model.weights_.items()}
    kept_weights = model._states.array(0, "weights").copy()
    before = model.forecast(1)
    model.learn_many(series(50, seed=2))

    assert all(np.array_equal(model.weights[name], view) for name, view in kept.items())
    assert all(np.array_equal(model.weights_[name], w) for name, w in believed.items())
    assert model.forecast(1) != before
    model.unfreeze()
    model.reset()
    assert model.forecast(2) == [0.0, 0.0]
    np.testing.assert_array_equal(
        model._states.array(0, "weights"), kept_weights
    )  # weights_ gives none to who cannot forecast yet


@pytest.mark.parametrize(("name", "value"), [("context", 7.0), ("period", 1e9), ("period", math.nan), ("prior", 0.5)])
def test_a_hostile_state_is_refused(name, value):
    """A place that does not exist, in a state's bytes, is an error before it is used."""
    model = RNNForecaster(horizon=2, experts=("last", "seasonal"))
    model.learn_many(series(50))
    model._states.array(0, name)[:] = value

    with pytest.raises(StateError, match="other settings"):
        pickle.loads(pickle.dumps(model))
