"""The alarm rule against its definition: ranks counted over the whole history, debt, cooldown and episodes in plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest

from streamrnn.kernels.anomaly import alarm
from streamrnn.kernels.compile import entry
from streamrnn.kernels.net.words import ALARM_WORDS, LIGHT_ALARM_WORDS, RULE_WORDS

RNG = np.random.default_rng(8)


def _run(raw, outside, surprised, rule, a, out):
    for i in range(raw.size):
        e = alarm.after_habituation(a, raw[i])
        least = alarm.threshold(a, rule[alarm.RATE])
        flags = alarm.decide(a, rule, e, least, outside[i], surprised[i])
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = e, least, alarm.p_value(a, e), flags
        out[i, 5] = alarm.episode(a, flags)
        out[i, 4] = 1.0 if alarm.follow(a, rule, rule[alarm.RATE], raw[i], e, flags, outside[i]) else 0.0


run = entry(_run)


class Twin:
    """The rule with all its past: each score with the weight that is left of it."""

    def __init__(self, rate, cooldown, warm_up, patience, bins):
        self.bins = bins
        self.rate, self.cooldown, self.warm_up, self.patience = rate, cooldown, warm_up, patience
        self.n = self.left = self.together = self.since = self.outside = self.episodes = 0
        self.peak = self.debt = 0.0
        self.places, self.weights = [], []

    def p(self, place):
        """Share of the past at or above a place; within a bin scores are spread evenly. Places: log2 of scores, in bins."""
        bins, total = np.floor(self.places), sum(self.weights)
        weights, b = np.array(self.weights), math.floor(place)
        above = weights[bins > b].sum() + weights[bins == b].sum() * (b + 1 - place)
        return min((0.2 + above) / (1.0 + total), 1.0)

    def place(self, e):
        return min(max((math.log2(max(e, 1e-12)) + 32) * self.bins / 32, 0.0), self.bins - 1e-6)

    def threshold(self):
        """The least score whose p-value is within the level, found by halving."""
        level = 1.2 * 0.4 * self.rate * math.exp(np.clip(self.debt, -4, 4))
        if not self.places or 0.2 / (1.0 + sum(self.weights)) >= level:
            return 2.0
        low, high = 0.0, self.bins
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (low, middle) if self.p(middle) <= level else (middle, high)
        return max(2.0 ** (high * 32 / self.bins - 32), 1e-9)

    def event(self, raw, outside, surprised):
        """Score, threshold, p-value, flags, whether an episode begins, its number."""
        e = max(raw - self.peak / 2, raw / 100)
        least = self.threshold()
        p = self.p(self.place(e)) if self.places and e > 1e-9 else 1.0
        warm, exceeds = self.n >= self.warm_up, e >= least
        faint = warm and exceeds and e < 0.05
        novel = warm and exceeds and not faint
        exceeds = novel or (warm and surprised > 0)
        since, out = self.since + (self.since > 0), self.outside + outside
        lasting = since >= 10 and out >= 0.8 * since
        alarms = novel or (warm and surprised == 2)
        alarms = alarms and self.left <= 0 and self.together <= 0 and not lasting
        flags = alarms * 1 + exceeds * 2 + warm * 4 + (lasting and since >= self.patience) * 8 + faint * 16 + novel * 32
        number = self.episodes if self.since else self.episodes + 1 if alarms else 0
        self.peak = max(raw, self.peak * (1 - 1 / max(min(200, 0.15 * self.n), 1)))
        if warm:
            self.debt = np.clip(self.debt + 1.2 * 0.4 * self.rate - (novel or faint), -50, 50)
        if 2 * self.n >= self.warm_up:
            self.weights = [*(w * (1 - 1e-3) for w in self.weights), 1.0]
            self.places.append(self.place(e))
        self.n += 1
        self.left = self.cooldown if alarms else max(self.left - 1, 0)
        self.together = 10 if alarms else max(self.together - 1, 0)
        if self.since:
            self.since, self.outside = self.since + 1, self.outside + outside
            if self.since >= self.patience or (self.since >= 10 and self.outside < 0.8 * self.since):
                self.since = self.outside = 0
        begins = self.since == 0 and alarms
        if begins:
            self.since = self.outside = 1
            self.episodes += 1
        return e, least, p, flags, begins, number


def stream(kind, n):
    """Raw scores, whether a value is outside the usual, and whether a feature is surprised (1) and newly so (2)."""
    raw = 10.0 ** RNG.uniform(-4, -1, n)
    if kind == "drift":
        raw *= np.linspace(1, 8, n)
    if kind == "faint":
        raw *= 1e-8
    raw[RNG.random(n) < 0.03] *= 8.0
    if kind == "empty":
        raw[RNG.random(n) < 0.7] = 0.0
    outside = (RNG.random(n) < 0.1) * 1.0
    outside[n // 2 : n // 2 + 60] = 1.0
    raw[n // 2] = 0.9
    surprised = RNG.choice(3, n, p=[0.96, 0.02, 0.02])
    return np.minimum(raw, 1.0), outside, surprised


@pytest.mark.parametrize(
    ("rate", "cooldown", "warm_up", "patience", "words"),
    [(0.02, 0, 100, 40, ALARM_WORDS), (0.05, 7, 10, 20, LIGHT_ALARM_WORDS)],
)
@pytest.mark.parametrize("kind", ["steady", "drift", "faint", "empty"])
def test_the_rule_is_its_definition(kind, rate, cooldown, warm_up, patience, words):
    """Score, threshold, p-value, flags and episodes of 900 events."""
    events = stream(kind, 900)
    rule, a, out = np.zeros(RULE_WORDS), np.zeros(words), np.zeros((900, 6))
    rule[[alarm.RATE, alarm.COOLDOWN, alarm.WARM_UP, alarm.PATIENCE]] = rate, cooldown, warm_up, patience
    twin = Twin(rate, cooldown, warm_up, patience, words - alarm.COUNTS)

    run(*events, rule, a, out)

    expected = np.array([twin.event(*event) for event in zip(*events, strict=True)], dtype=float)
    np.testing.assert_allclose(out[:, :3], expected[:, :3], rtol=1e-7)
    np.testing.assert_array_equal(out[:, 3:], expected[:, 3:])
    assert kind == "faint" or out[:, 4].sum() >= 3  # there were episodes to compare


def test_the_share_of_alarms_is_novelty_s_share_of_the_rate_on_any_stream():
    """Events at or above the threshold differ from 1.2 times 0.4 of the rate by no more than the debt's few, whatever comes."""
    n, rate = 20_000, 0.01
    for kind, words in (
        ("steady", ALARM_WORDS),
        ("drift", ALARM_WORDS),
        ("empty", ALARM_WORDS),
        ("drift", LIGHT_ALARM_WORDS),
    ):
        raw, _, _ = stream(kind, n)
        rule, a, out = np.zeros(RULE_WORDS), np.zeros(words), np.zeros((n, 6))
        rule[[alarm.RATE, alarm.WARM_UP, alarm.PATIENCE]] = rate, 300, 100

        run(raw, np.zeros(n), np.zeros(n, np.int64), rule, a, out)

        exceeding = (out[300:, 3].astype(int) & (alarm.FLAG_NOVEL | alarm.FLAG_FAINT) > 0).sum()
        assert abs(exceeding - 1.2 * 0.4 * rate * (n - 300)) <= 10
