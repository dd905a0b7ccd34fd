"""Expectation and surprise of one feature: against their definitions in plain Python, and the promises that alarms rest on."""

from __future__ import annotations

import math

import numpy as np
import pytest

from streamrnn.kernels.anomaly import expectation, outlook, surprise
from streamrnn.kernels.anomaly.size import follow_size
from streamrnn.kernels.compile import entry
from streamrnn.kernels.net.words import OUTLOOK_SCRATCH, OUTLOOK_WORDS

RATE, WARM = 0.01, 50
SPARE, DEBT = outlook.IS_FREE + 8, outlook.IS_FREE + 9  # words for what belongs to the stream, not to the feature


def _run(x, o, scratch, out):
    for t in range(x.size):
        expected, known = o[outlook.EXPECTED], o[outlook.AGE] > 0.0
        taken = expectation.taken(o, x[t])
        out[t, 0], out[t, 1], out[t, 2] = expected, taken, 1.0
        if known and x[t] == x[t]:
            v = surprise.size_of(o, abs(x[t] - expected))
            p = surprise.tail(o, v)
            level = surprise.level(o[DEBT], RATE)
            exceeding = t >= WARM and surprise.exceeds(v, p, level)
            out[t, 2] = p
            out[t, 3] = 1.0 if exceeding and surprise.begins(o) else 0.0
            o[SPARE] *= 1.0 - 1.0 / surprise.REMEMBERED
            cost = surprise.price(o[SPARE], RATE)
            charge, free = surprise.follow(o, abs(x[t] - expected), v, p, exceeding, level, cost)
            o[SPARE] += free
            if t >= WARM:
                o[DEBT] = surprise.paid(o[DEBT], RATE, charge)
        expectation.learn(o, taken, x[t] == x[t], taken != x[t], True, scratch)
        expectation.forecast(o, taken if x[t] == x[t] else expected, np.nan, scratch)
        out[t, 4], out[t, 5] = o[outlook.SEASON], o[outlook.SIZE]


run = entry(_run)


def follow(x):
    """For each event: expected, learned, p-value, whether an episode begins, season, size of the errors."""
    out, o = np.zeros((len(x), 6)), np.zeros(OUTLOOK_WORDS)
    run(np.asarray(x, float), o, np.zeros(OUTLOOK_SCRATCH), out)
    return out


def twin(errors):
    """The rule on absolute errors, with Python's floats: p-value, and whether an episode begins."""
    size = {"s": 0.0, "n": 0, "wide": 0, "peak": 0.0, "before": 0.0}
    u, h, debt, quiet, free, is_free, found = 2.5, 0.4, 0.0, 0, 0.0, False, []
    for t, e in enumerate(errors, 1):
        v = e / size["s"] if size["s"] > 0 else 0.0
        p = 0.02 * (v / u) ** (-1 / h) if v > u else 1.0
        level = 1.2 * RATE * math.exp(min(max(debt, -4), 4))
        exceeds = t >= WARM and v >= 5 and p <= level
        found.append((p, exceeds and quiet <= 0))
        free *= 1 - 1 / 2000
        charge = 0
        if exceeds and quiet <= 0:
            cost = min(free / (1.5 * max(RATE * 2000, 1)), 1)
            is_free = cost < 1 and p < level / 2
            free, charge = free + is_free, cost if is_free else 1
        quiet = 10 if exceeds else max(quiet - 1, 0)
        if t >= WARM:
            debt = min(max(debt + RATE - charge, -50), 6)
        n, s = size["n"] + 1, size["s"]
        usual = 4 * s if n > 20 and s > 0 else math.inf
        most = usual * 2 ** max(size["wide"] - 32, 0)
        size["wide"] = size["wide"] + 1 if e > most else size["wide"] if e > usual else 0
        s += max(2e-3, 1 / n) * (min(e, most) - s)
        if n % 48 == 0:
            size["before"], size["peak"] = size["peak"], 0.0
        size["peak"] = max(size["peak"], e)
        size["s"], size["n"] = min(s, max(size["peak"], size["before"])) if n > 96 else s, n
        if n > 20 and not (exceeds and is_free):
            if v > u:
                h = min(max(h + 0.02 * (min(math.log(v / u), 3) - h), 0.05), 1)
            u = max(u * (1 + 0.02 * (0.98 if v > u else -0.02)), 1.0)
    return np.array(found)


def test_the_layout_has_room_for_an_outlook():
    """The slab is laid out by a number that lies where layouts may see it."""
    assert outlook.END == OUTLOOK_WORDS


def test_the_rule_is_its_definition():
    """p-values and episodes of errors with a heavy tail, bursts, a stretch of nothing and another unit."""
    rng = np.random.default_rng(1)
    x = rng.standard_t(2.5, 3000)
    x[1000:1100], x[2000:] = 0.0, 50.0 * x[2000:]
    x[[400, 402, 800, 1500, 1520]] = 300.0
    out = follow(x)

    errors = np.abs(x - out[:, 0])[1:]
    expected = twin(errors)
    np.testing.assert_allclose(out[1:, 2], expected[:, 0], rtol=1e-9)
    np.testing.assert_array_equal(out[1:, 3], expected[:, 1])
    assert out[:, 3].sum() > 5


def curve(n, season=24, noise=0.03, seed=2):
    """A daily curve with two bumps, and noise."""
    rng, phase = np.random.default_rng(seed), np.arange(n) % season / season
    bumps = np.exp(-(((phase - 0.3) / 0.08) ** 2)) + 0.6 * np.exp(-(((phase - 0.7) / 0.1) ** 2))
    return 50.0 + 20.0 * bumps + noise * 20.0 * rng.normal(size=n)


def test_a_season_is_found_and_expected():
    """Some days of a daily curve are enough; the errors are then those of its noise."""
    x = curve(1500)
    out = follow(x)

    assert (out[300:, 4] % 24 == 0).all()
    assert out[300, 4] > 0
    errors = np.abs(x - out[:, 0])[500:]
    assert errors.mean() < 1.3 * 0.6 * math.sqrt(2 / math.pi)
    assert errors.mean() < 0.5 * np.abs(np.diff(x))[500:].mean()


def test_the_twelfth_outage_is_found_as_the_first():
    """Each begins an episode within two events, and is about as rare as the first: what comes back is still an alarm."""
    x = curve(9000)
    starts = np.arange(700, 9000, 700)
    for start in starts:
        x[start : start + 10] = 0.0
    out = follow(x)

    assert all(out[start : start + 2, 3].any() for start in starts)
    severity = -np.log10(out[:, 2])
    assert severity[starts[-1]] > 0.8 * severity[starts[0]]


@pytest.mark.parametrize("garbage", [2147483647.0, -32768.0, 1e100])
def test_one_reading_of_garbage_sets_no_scale(garbage):
    """What is expected, and the size of its errors, are soon as if it had not come."""
    x = curve(2000)
    plain = follow(x)
    x[1000] = garbage
    out = follow(x)

    assert out[1000, 3] == 1.0
    np.testing.assert_allclose(out[1030:, 5], plain[1030:, 5], rtol=0.1)
    assert np.abs(out[1030:, 0] - plain[1030:, 0]).mean() < 0.2 * plain[1500, 5]


def test_a_new_level_is_learned_within_some_events():
    """However far: the limit on what is learned doubles while values lie beyond it."""
    x = curve(3000)
    x[1500:] += 1e6
    out = follow(x)

    assert np.abs(out[1530:, 0] - x[1530:]).mean() < 0.02 * 1e6
    assert np.abs(out[2500:, 0] - x[2500:]).mean() < 100.0


def test_missing_values_keep_the_season_in_step():
    """The shape goes on by events: after a gap of NaN it is where it would have been."""
    x = curve(1500)
    gone = x.copy()
    gone[1000:1037] = np.nan
    out = follow(gone)

    assert np.isfinite(out[:, 0]).all()
    assert np.abs(out[1040:1100, 0] - x[1040:1100]).mean() < 2.0


def test_scale_and_level_change_no_alarm():
    """Errors are measured in their own size: a x + b gives the same episodes."""
    x = np.random.default_rng(3).standard_t(3, 2000)
    for a, b in ((1024.0, 0.0), (1e-3, 500.0)):
        np.testing.assert_array_equal(follow(a * x + b)[:, 3], follow(x)[:, 3])


def test_the_size_follows_a_unit_that_shrinks_or_grows():
    """A thousandth within two stretches, a thousandfold within some hundred events."""
    o, sizes = np.zeros(OUTLOOK_WORDS), []
    for e in [*[1.0] * 500, *[1e-3] * 200, *[1e3] * 200]:
        getattr(follow_size, "py_func", follow_size)(o, e)
        sizes.append(o[outlook.SIZE])

    assert sizes[499] == pytest.approx(1.0)
    assert sizes[499 + 100] == pytest.approx(1e-3)
    assert sizes[-1] > 100.0
