"""Running standardisation against its definition in plain Python."""

from __future__ import annotations

import numpy as np
import pytest

from streamrnn.kernels.compile import entry
from streamrnn.kernels.net.scaler import absorb, is_usual, spread, usable

RNG = np.random.default_rng(12)


def _run(values, alpha, out):
    mean, var, n = 0.0, 0.0, 0.0
    for i in range(values.size):
        if usable(values[i]):
            mean, var, n = absorb(values[i], mean, var, n, alpha, is_usual(values[i], mean, var, n, alpha))
        out[3 * i], out[3 * i + 1], out[3 * i + 2] = mean, var, spread(mean, var)


def _run_both_ways(values, alpha, out):
    mean, var, n, seen = 0.0, 0.0, 0.0, 0
    for i in range(values.size):
        if usable(values[i]):
            if is_usual(values[i], mean, var, n, alpha):
                short = absorb(values[i], mean, var, n, alpha, True)
                whole = absorb(values[i], mean, var, n, alpha, False)
                for k in range(3):
                    out[6 * seen + k], out[6 * seen + 3 + k] = short[k], whole[k]
                seen += 1
            mean, var, n = absorb(values[i], mean, var, n, alpha, False)
    return seen


run, both_ways = entry(_run), entry(_run_both_ways)


def defined(values, alpha):
    """Mean, variance and standard deviation after each value."""
    mean = var = 0.0
    found, n = [], 0
    for v in values:
        if abs(v) < 1e150:
            n += 1
            a, d = max(alpha, 1 / n), v - mean
            if n > 10 and var > (1e-7 * abs(mean)) ** 2:
                d = np.clip(d, -8 * np.sqrt(var), 8 * np.sqrt(var))
            mean, var = mean + a * d, (1 - a) * (var + a * d * d)
        found.append((mean, var, np.hypot(np.sqrt(var), 1e-7 * mean)))
    return np.array(found)


STREAMS = {
    "noise": RNG.normal(5.0, 2.0, 3000),
    "drift": RNG.normal(size=3000) + np.arange(3000) / 100.0,
    "spikes": np.where(RNG.random(3000) < 0.01, 1e6, RNG.normal(size=3000)),
    "constant, then a step": np.repeat([3.0, 4.0], 1500),
    "far from zero": 1e9 + RNG.normal(size=3000),
    "missing and absurd": np.where(RNG.random(3000) < 0.2, RNG.choice([np.nan, np.inf, -np.inf, 1e200], 3000), RNG.normal(size=3000)),
    "a spike as the tenth value, and late": np.concatenate([RNG.normal(size=9), [1e6], RNG.normal(size=1000), [1e9], RNG.normal(size=1989)]),
    "a spike as the eleventh value": np.concatenate([RNG.normal(size=10), [1e6], RNG.normal(size=2989)]),
}  # fmt: skip


@pytest.mark.parametrize("alpha", [1e-3, 0.1])
@pytest.mark.parametrize("name", STREAMS)
def test_statistics_are_those_of_the_definition(name, alpha):
    """Mean, variance and spread after every value: forgetting, limited spikes, values that count for nothing."""
    values, out = STREAMS[name], np.zeros((3000, 3))

    run(values, alpha, out.reshape(-1))

    expected = defined(values, alpha)
    np.testing.assert_allclose(out[:, 0], expected[:, 0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(out[:, 1], expected[:, 1], rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(out[:, 2], expected[:, 2], rtol=1e-6, atol=1e-12)


def test_without_limit_and_forgetting_they_are_those_of_the_sample():
    """Over the first ten values: the plain mean and variance."""
    values, out = STREAMS["noise"][:10], np.zeros((10, 3))

    run(values, 0.0, out.reshape(-1))

    np.testing.assert_allclose(out[-1, :2], [values.mean(), values.var()], rtol=1e-12)


def test_the_spread_of_a_constant_is_no_zero():
    """A frozen sensor can be divided by: its spread is rounding noise of its value."""
    out = np.zeros((50, 3))

    run(np.full(50, 3.0), 1e-3, out.reshape(-1))

    assert out[-1].tolist() == [3.0, 0.0, pytest.approx(3e-7)]


@pytest.mark.parametrize("alpha", [1e-3, 0.1])
@pytest.mark.parametrize("name", STREAMS)
def test_the_short_way_of_usual_values_gives_the_bits_of_the_whole(name, alpha):
    """Without the root and the quotient; values are usual once 1 / n no longer counts."""
    values, out = STREAMS[name], np.zeros((3000, 2, 3))

    seen = both_ways(values, alpha, out.reshape(-1))

    assert seen > 1200
    np.testing.assert_array_equal(out[:seen, 0], out[:seen, 1])


@pytest.mark.parametrize("v", [8.0 * (1.0 - 1e-7), 8.0, 9.0, -9.0, np.nan])
def test_what_may_lie_beyond_the_limit_is_not_usual(v):
    """At the limit itself, beyond it, and no number at all."""
    tells = getattr(is_usual, "py_func", is_usual)

    assert not tells(v, 0.0, 1.0, 5000.0, 1e-3)
    assert tells(7.9, 0.0, 1.0, 5000.0, 1e-3)
    assert not tells(7.9, 0.0, 1.0, 900.0, 1e-3)
