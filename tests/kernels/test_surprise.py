"""Expectation and surprise of one feature: against their definitions in plain Python, and the promises that alarms rest on."""

from __future__ import annotations

import math

import numpy as np
import pytest

from streamrnn.kernels.anomaly import expectation, outlook, surprise
from streamrnn.kernels.anomaly.size import conditional_size, follow_size
from streamrnn.kernels.compile import entry
from streamrnn.kernels.net.words import LIGHT_WORDS, OUTLOOK_SCRATCH, OUTLOOK_WORDS, SEASONLESS_WORDS

RATE, WARM = 0.01, 50
SPARE, DEBT = 24, 25  # words of no use to a feature: for what belongs to the stream


def _run(x, net, o, scratch, out):
    for t in range(x.size):
        expected, known = o[outlook.EXPECTED], o[outlook.AGE] > 0.0
        taken = expectation.taken(o, x[t])
        out[t, 0], out[t, 1], out[t, 2] = expected, taken, 1.0
        if known and x[t] == x[t]:
            one = o[outlook.ONE_STEP : outlook.ONE_STEP + outlook.LOOK_WORDS]
            mean = o[outlook.SMOOTHED : outlook.SMOOTHED + outlook.LOOK_WORDS]
            far, course, times = (
                o[outlook.COURSE : outlook.COURSE + outlook.LOOK_WORDS],
                expectation.course(o, taken),
                conditional_size(o),
            )
            v = surprise.size_of(one, abs(x[t] - expected)) / times
            m = surprise.size_of(mean, abs(surprise.smoothed(o, taken - expected))) / times
            c = surprise.course_size(o, course) / times
            p, q, r = surprise.tail(one, v), surprise.tail(mean, m), surprise.tail(far, c)
            level = surprise.level(o[DEBT], RATE)
            exceeding = t >= WARM and (
                surprise.exceeds(v, p, level) or surprise.exceeds(m, q, level) or surprise.exceeds(c, r, level)
            )
            p = min(p, q, r)
            out[t, 6] = course
            out[t, 2] = p
            out[t, 3] = 1.0 if exceeding and surprise.begins(o, p) else 0.0
            o[SPARE] *= 1.0 - 1.0 / surprise.REMEMBERED
            cost = surprise.price(o[SPARE], RATE)
            charge, free = surprise.follow(o, x[t] - expected, taken - expected, course, p, exceeding, cost)
            o[SPARE] += free
            if t >= WARM:
                o[DEBT] = surprise.paid(o[DEBT], RATE, charge)
        expectation.learn(o, taken, x[t], x[t] == x[t], taken != x[t], True, scratch)
        expectation.forecast(o, taken if x[t] == x[t] else expected, net[t], scratch)
        out[t, 4], out[t, 5] = o[outlook.SEASON], o[outlook.SIZE]


run = entry(_run)


def follow(x, words=OUTLOOK_WORDS, net=None):
    """For each event: expected, learned, p-value, whether an episode begins, season, size of the errors, course. ``net``: what a net expects behind each; none."""
    out, o = np.zeros((len(x), 7)), np.zeros(words)
    run(np.asarray(x, float), np.full(len(x), np.nan) if net is None else net, o, np.zeros(OUTLOOK_SCRATCH), out)
    return out


class Look:
    """Running size and tail of errors, with Python's floats."""

    def __init__(self):
        self.s, self.n, self.wide, self.peak, self.before, self.u, self.h = 0.0, 0, 0, 0.0, 0.0, 2.5, 0.4

    def size_and_p(self, e):
        v = e / self.s if self.s > 0 else 0.0
        return v, 0.02 * (v / self.u) ** (-1 / self.h) if v > self.u else 1.0

    def learn(self, e, teaches):
        v, s = self.size_and_p(e)[0], self.s
        self.n += 1
        usual = 4 * s if self.n > 20 and s > 0 else math.inf
        most = usual * 2 ** max(self.wide - 32, 0)
        self.wide = self.wide + 1 if e > most else self.wide if e > usual else 0
        s += max(2e-3, 1 / self.n) * (min(e, most) - s)
        if self.n % 600 == 0:
            self.before, self.peak = self.peak, 0.0
        self.peak = max(self.peak, e)
        self.s = min(s, max(self.peak, self.before)) if self.n > 1200 else s
        if self.n > 20 and teaches:
            if v > self.u:
                self.h = min(max(self.h + 0.005 * (min(math.log(v / self.u), 3) - self.h), 0.05), 1.5)
            self.u = max(self.u * (1 + 0.005 * (0.98 if v > self.u else -0.02)), 1.0)


class Changes:
    """How much larger errors are where much is expected to change, with Python's floats."""

    def __init__(self):
        self.n, self.e, self.c, self.cc, self.ec = 0, 0.0, 0.0, 0.0, 0.0

    def limited(self, value, mean):
        return min(value, 4 * mean) if self.n > 20 and mean > 0 else value

    def times_larger(self, change):
        variance = self.cc - self.c * self.c
        if not (self.n > 100 and self.e > 0 and variance > 0):
            return 1.0
        slope = (self.ec - self.e * self.c) / variance
        return max(1 + slope * (self.limited(change, self.c) - self.c) / self.e, 1.0)

    def learn(self, error, change):
        e, c, share = self.limited(error, self.e), self.limited(change, self.c), max(1 / 2000, 1 / (self.n + 1))
        self.n += 1
        self.e += share * (e - self.e)
        self.c += share * (c - self.c)
        self.cc += share * (c * c - self.cc)
        self.ec += share * (e * c - self.ec)


def twin(errors, taken, changes, courses):
    """The rule on errors, on those of the values learned, on the changes expected, and on courses: p-value, and whether an episode begins."""
    looks, mean, debt, quiet, free, is_free, least, found = (Look(), Look(), Look()), 0.0, 0.0, 0, 0.0, False, 0.0, []
    usual = Changes()
    for t, (error, limited, change, course) in enumerate(zip(errors, taken, changes, courses, strict=True), 1):
        mean += 0.25 * (limited - mean)
        times = usual.times_larger(change)
        seen = abs(error) / times, abs(mean) / times, abs(course) / times if looks[2].n > 50 else 0.0
        sizes, ps = zip(*(look.size_and_p(e) for look, e in zip(looks, seen, strict=True)), strict=True)
        level, p = 2.4 * RATE * math.exp(debt), min(ps)
        exceeds = t >= WARM and any(v >= 6 and q <= level for v, q in zip(sizes, ps, strict=True))
        found.append((p, exceeds and (quiet <= 0 or 30 * p < least)))
        free *= 1 - 1 / 2000
        charge = 0
        if exceeds and quiet <= 0:
            charge = min(free / (1.5 * max(RATE * 2000, 1)), 1)
            is_free, least = charge < 1, p
            free += is_free
        if exceeds:
            least = min(least, p)
        quiet = 60 if exceeds else max(quiet - 1, 0)
        if t >= WARM:
            debt = min(max(debt + RATE - charge, -50), 2)
        usual.learn(abs(error), change)
        for look, e in zip(looks[:2], seen, strict=False):
            look.learn(e, not (quiet > 0 and is_free))
        if course != 0 and t % 8 == 0:
            looks[2].learn(abs(course) / times, not (quiet > 0 and is_free))
    return np.array(found)


def test_the_layout_has_room_for_an_outlook():
    """The slab is laid out by a number that lies where layouts may see it."""
    assert outlook.END == OUTLOOK_WORDS
    assert outlook.LIGHT_END == LIGHT_WORDS


def curve(n, season=24, noise=0.03, seed=2):
    """A daily curve with two bumps, and noise."""
    rng, phase = np.random.default_rng(seed), np.arange(n) % season / season
    bumps = np.exp(-(((phase - 0.3) / 0.08) ** 2)) + 0.6 * np.exp(-(((phase - 0.7) / 0.1) ** 2))
    return 50.0 + 20.0 * bumps + noise * 20.0 * rng.normal(size=n)


def slowly(seed=2, noise=0.07):
    """A curve of 96 events a day, some days of which come a third later, faded in and out; and the first events of these days."""
    x, smooth, days = curve(8064, 96, noise, seed), curve(8064, 96, 0.0), range(2016, 8000, 768)
    share = np.clip(np.minimum(np.arange(96), 95 - np.arange(96)) / 12.0, 0.0, 1.0)
    for day in days:
        x[day : day + 96] += share * (np.roll(smooth[:96], 32) - smooth[:96])
    return x, days


def wild():
    """Errors with a heavy tail, bursts, a stretch of nothing and another unit."""
    x = np.random.default_rng(1).standard_t(2.5, 3000)
    x[1000:1100], x[2000:] = 0.0, 50.0 * x[2000:]
    x[[400, 402, 800, 1500, 1520]] = 300.0
    x[1540] = 1e6
    return x


@pytest.mark.parametrize("x", [wild(), slowly()[0]], ids=["wild", "slowly"])
def test_the_rule_is_its_definition(x):
    """p-values and episodes, without a season and with one."""
    out = follow(x)

    expected = twin((x - out[:, 0])[1:], (out[:, 1] - out[:, 0])[1:], np.abs(out[1:, 0] - out[:-1, 1]), out[1:, 6])
    np.testing.assert_allclose(out[1:, 2], expected[:, 0], rtol=1e-9)
    np.testing.assert_array_equal(out[1:, 3], expected[:, 1])
    assert out[:, 3].sum() > 5


def test_a_season_is_found_and_expected():
    """Some days of a daily curve are enough; the errors are then those of its noise."""
    x = curve(1500)
    out = follow(x)

    assert (out[300:, 4] % 24 == 0).all()
    assert out[300, 4] > 0
    errors = np.abs(x - out[:, 0])[500:]
    assert errors.mean() < 1.3 * 0.6 * math.sqrt(2 / math.pi)
    assert errors.mean() < 0.5 * np.abs(np.diff(x))[500:].mean()


def test_a_season_that_rises_is_expected_as_one_that_does_not():
    """What is added over a season is part of the level. Else the shape has a step at its end, which is learned slowly where a net forecasts well."""
    smooth, x = curve(6001, season=288, noise=0.0), curve(6001, season=288)
    flat = np.abs(x[:-1] - follow(x[:-1], net=smooth[1:])[:, 0])[100:]
    for slope in (10.0, -10.0):
        rise = slope * np.arange(6001)
        errors = np.abs((x + rise)[:-1] - follow((x + rise)[:-1], net=(smooth + rise)[1:])[:, 0])[100:]
        assert errors.mean() < 1.1 * flat.mean()
        assert errors.max() < 1.1 * flat.max()


def test_a_counter_without_events_is_quiet():
    """A counter of a daily curve varies most where it rises most: a seventh of the rate asked for is not reached."""
    raised, daily = 0, 20.0 * (1.2 + np.sin(np.arange(8001) * 2.0 * np.pi / 96.0))
    for seed in range(4):
        counter = np.random.default_rng(seed).poisson(daily[:-1]).cumsum()
        raised += follow(counter, net=counter + daily[1:])[:, 3].sum()

    assert raised < RATE * 4 * 8000 / 7


def test_a_day_of_five_minutes_is_found():
    """A season of 288 events is expected by, after some days of it."""
    x = curve(3456, season=288, noise=0.05)
    out = follow(x)

    assert out[2000:, 4].min() == out[2000:, 4].max() == 288
    assert np.abs(x - out[:, 0])[2000:].mean() < 1.25 * math.sqrt(2 / math.pi)


@pytest.mark.parametrize("season", [24, 168])
def test_the_light_form_knows_a_week_of_hours(season):
    """Up to 168 bins: what is expected is as near as in the full form, but for a tenth."""
    x = curve(3000, season=season)
    light, full = follow(x, LIGHT_WORDS), follow(x)

    assert light[1000:, 4].min() == light[1000:, 4].max() == season
    assert np.abs(x - light[:, 0])[1000:].mean() < 1.1 * np.abs(x - full[:, 0])[1000:].mean()


def test_the_smallest_form_looks_for_no_season():
    """Its regression alone expects a curve, far nearer than the last value."""
    x = curve(1500)
    out = follow(x, SEASONLESS_WORDS)

    assert not out[:, 4].any()
    assert np.abs(x - out[:, 0])[500:].mean() < 0.6 * np.abs(np.diff(x))[500:].mean()


@pytest.mark.parametrize("words", [LIGHT_WORDS, SEASONLESS_WORDS])
def test_a_level_far_from_0_costs_the_light_form_nothing(words):
    """Its float32 are relative to the first value: 1e6 more alarms alike."""
    x = curve(2000)
    x[1000:1010] = 0.0

    np.testing.assert_array_equal(follow(x + 1e6, words)[:, 3], follow(x, words)[:, 3])


def test_what_creeps_in_is_seen_by_the_mean_of_the_errors():
    """A drift of a few errors' sizes an event, a little more each time: no error alone is far out, their running mean is."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=3000)
    x[2000:2040] += 3.5
    out = follow(x)

    errors = np.abs(x - out[:, 0])
    assert errors[2000:2040].max() < 6.0 * out[1999, 5] * 1.35
    assert out[2000:2012, 3].any()
    assert out[500:2000, 3].sum() <= 3


def test_what_comes_slowly_is_seen_by_its_course():
    """A day that comes later, without a jump, is found each time; the course is then by how much it has left the season in eight events."""
    for seed in range(3):
        x, days = slowly(seed)
        out = follow(x)
        assert all(out[day : day + 100, 3].any() for day in days)
        assert out[1500:, 3].sum() <= len(days) + 2
    x, days = slowly(noise=1e-9)
    fault = x - curve(8064, 96, 0.0)
    course, expected = follow(x)[2016:2112, 6], fault[2016:2112] - fault[2008:2104]
    assert np.abs(course - expected).max() < 1.5
    assert np.abs(expected).max() > 15.0


def test_a_faint_exceedance_does_not_hide_what_follows():
    """A small one, and within its episode an outage: both alarm."""
    x = curve(1500)
    x[1000] += 8.0
    x[1030:1040] = 0.0
    out = follow(x)

    assert out[1000, 3] == 1.0
    assert out[1030:1032, 3].any()


def test_bursts_that_no_tail_foresees_keep_the_rate():
    """Bursts of any size, each beyond all before: the level goes down with the debt, without end."""
    rng = np.random.default_rng(8)
    x = 1e-3 * rng.normal(size=9000)
    starts = np.arange(300, 9000, 150)
    x[starts] += 10.0 ** rng.uniform(1.0, 6.0, len(starts))
    out = follow(x)

    assert len(starts) > 0.6 * RATE * len(x)
    assert out[:, 3].sum() <= 1.5 * RATE / 2 * len(x)


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


@pytest.mark.parametrize("words", [OUTLOOK_WORDS, LIGHT_WORDS, SEASONLESS_WORDS])
def test_two_in_a_row_are_believed(words):
    """The second value of an outage is learned as it is, and so is the second after its end; one reading alone moves hardly anything."""
    rng = np.random.default_rng(5)
    x = 100.0 + np.sin(2 * np.pi * np.arange(900) / 24) + 0.1 * rng.normal(size=900)
    x[600:640] = 24.0 + 0.1 * rng.normal(size=40)  # after 600 events at 100
    x[700] = -999.0
    found = follow(x, words)
    expected, learned, size = found[:, 0], found[:, 1], found[599, 5]

    assert abs(learned[600] - expected[600]) == pytest.approx(expectation.TAKEN * size)
    assert (learned[[601, 641]] == x[[601, 641]]).all()
    assert np.abs(expected[642:655] - x[642:655]).mean() < 1.0
    assert np.abs(expected[701:720] - x[701:720]).max() < 2 * expectation.TAKEN * found[699, 5]
    assert np.abs(expected[720:] - x[720:]).mean() < 0.3


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
    """A thousandth within two stretches, a thousandfold within some hundred events; a quiet half of a stretch is none."""
    look, sizes = np.zeros(outlook.LOOK_WORDS), []
    for e in [*[1.0] * 500, *[1e-3] * 1400, *[1e3] * 200]:
        getattr(follow_size, "py_func", follow_size)(look, e)
        sizes.append(look[outlook.LOOK_SIZE])

    assert sizes[499] == pytest.approx(1.0)
    assert sizes[499 + 300] > 0.5
    assert sizes[499 + 1400] == pytest.approx(1e-3)
    assert sizes[-1] > 100.0
