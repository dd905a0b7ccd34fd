"""The alarm rule of models that have none of their own."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamrnn import RNNAnomalyDetector
from streamrnn.config import Alarm
from streamrnn.engine.output import encode_block
from streamrnn.engine.shard import Shard
from streamrnn.errors import StateError
from streamrnn.io import Block
from streamrnn.kernels.anomaly.alarm import NO_THRESHOLD
from streamrnn.kernels.anomaly.views import VIEWS
from streamrnn.kernels.scores import words as rank
from streamrnn.scorers.kinds import model_kind
from streamrnn.scorers.rank_rule import RankRule

ODD = [float("nan"), float("inf"), -0.0, 0.0, 1e300, -1e300]
SCORES = st.lists(st.sampled_from([*ODD, 0.25, 0.5, 1.0]) | st.floats(-1, 1), max_size=80)
ALARM = Alarm(rate=0.2, window=15, warm_up=5, cooldown=2)


def taken(rule: RankRule, scores: list[float], codes: list[int] | None = None) -> list[Any]:
    """What a rule says of scores, as (alarm, p-value)."""
    places = None if codes is None else np.array(codes, np.int64)
    found = rule.update_many(np.array(scores, np.float64), places)
    return list(zip(*(part.tolist() for part in found), strict=True))


def share(event: int) -> float:
    """What a score has of its own rank."""
    return (1 + (event * 40503) % 65536) / 65536


def naive(scores: list[float], alarm: Alarm) -> list[Any]:
    """The definition with all kept scores at hand: of four parts, of which the newest is being filled."""
    found: list[Any] = []
    length, kept, quiet = -(-alarm.window // 3), [], 0
    for i, score in enumerate(scores):
        p = 1.0
        if np.isfinite(score):
            single = np.float32(np.clip(score, *(np.finfo(np.float32).max * one for one in (-1, 1))))
            p = (share(i) + sum(one >= single for one in kept)) / (1 + len(kept)) if kept else 1.0
            if i >= alarm.warm_up // 2:
                kept.append(single)
                kept = kept[length:] if len(kept) == 4 * length else kept
        found.append((p <= alarm.share and i >= alarm.warm_up and quiet == 0, p))
        quiet = alarm.cooldown if found[-1][0] else max(quiet - 1, 0)
    return found


@given(
    st.lists(st.sampled_from(ODD + [i / 8 for i in range(-10, 11)]), max_size=150),
    st.sampled_from([0.05, 0.2, 0.5]),
    st.integers(10, 30),
    st.integers(0, 20),
    st.integers(0, 5),
)
def test_definition(scores: list[float], rate: float, window: int, warm_up: int, quiet: int) -> None:
    """Of few different scores the rule is the definition: ties, parts that go, and what is no number included."""
    alarm = Alarm(rate=rate, window=window, warm_up=warm_up, cooldown=quiet)

    assert taken(RankRule(alarm), scores) == naive(scores, alarm)


KINDS = {
    "uniform": lambda drawn, n: drawn.random(n),
    "heavy tails": lambda drawn, n: drawn.pareto(1.0, n),
    "sinking": lambda drawn, n: drawn.random(n) * np.exp(-np.arange(n) / 20_000),
    "rising": lambda drawn, n: drawn.random(n) * np.exp(np.arange(n) / 2000),
    "in steps": lambda drawn, n: np.round(drawn.random(n), 2),
}


@pytest.mark.parametrize("rate", [0.001, 0.05])
@pytest.mark.parametrize("name", KINDS)
def test_no_p_value_is_less_than_by_all_scores(name: str, rate: float) -> None:
    """Of many different scores: never less, so that no rate is exceeded; seldom twice as much; and most alarms stay."""
    alarm = Alarm(rate=rate, window=1000, warm_up=100)
    scores = KINDS[name](np.random.default_rng(3), 8000).tolist()

    found, exact = np.array(taken(RankRule(alarm), scores)), np.array(naive(scores, alarm))

    assert (found[:, 1] >= exact[:, 1]).all()
    assert np.quantile(found[:, 1] / exact[:, 1], 0.99) <= 2.0
    assert found[:, 0].sum() >= 0.5 * exact[:, 0].sum()


def test_scale_is_nothing() -> None:
    """What grows with a score, and tells the same scores apart, is ranked as the score is."""
    scores = np.round(np.random.default_rng(5).normal(size=5000), 3)

    expected = taken(RankRule(Alarm(rate=0.05)), scores.tolist())

    assert expected == taken(RankRule(Alarm(rate=0.05)), (1024.0 * scores).tolist())
    assert expected == taken(RankRule(Alarm(rate=0.05)), np.arctan(scores).tolist())


@given(SCORES, SCORES, st.sampled_from([1, 7, 1000]))
def test_blocks(scores: list[float], others: list[float], size: int) -> None:
    """Blocks of 1, of 7 and of all give the same bits, and so do keys that come in turns and alone, also one that begins anew."""
    rows = [(one, 1) for one in scores] + [(one, 2) for one in others] + [(one, 3) for one in scores]
    order = np.random.default_rng(len(rows)).permutation(len(rows))
    mixed = [rows[i] for i in sorted(order, key=lambda i: (i * 7919) % (len(rows) or 1))]
    mixed = [
        (score, -code if all(before != code for _, before in mixed[:i]) else code)
        for i, (score, code) in enumerate(mixed)
    ]
    whole, parts = RankRule(ALARM), RankRule(ALARM)
    whole.update_many(np.ones(40), np.repeat([1, 2, 3, 4], 10))  # what places held before
    parts.update_many(np.ones(40), np.repeat([1, 2, 3, 4], 10))

    found = taken(whole, [one for one, _ in mixed], [code for _, code in mixed])
    cut = [mixed[i : i + size] for i in range(0, len(mixed), size)]
    by_part = [one for part in cut for one in taken(parts, [s for s, _ in part], [code for _, code in part])]

    assert found == by_part
    assert bytes(whole.dumps(4)) == bytes(parts.dumps(4))
    for key in (1, 2, 3):
        alone = [score for score, code in mixed if abs(code) == key]
        assert [one for one, (_, code) in zip(found, mixed, strict=True) if abs(code) == key] == taken(
            RankRule(ALARM), alone
        )


@given(SCORES, st.integers(0, 80))
def test_resume(scores: list[float], cut: int) -> None:
    """Stopped, written, read and resumed is never stopped."""
    whole, first, second = RankRule(ALARM), RankRule(ALARM), RankRule(ALARM)
    expected = taken(whole, scores)

    head = taken(first, scores[:cut])
    second.restore(bytes(first.dumps()))

    assert expected == head + taken(second, scores[cut:])
    assert bytes(whole.dumps()) == bytes(second.dumps())


def test_rate_is_held() -> None:
    """Scores in exchangeable order alarm at no more than the nominal rate, whatever their scale, and at little less."""
    for rate in (0.001, 0.01, 0.05):
        for kind in ("uniform", "heavy tails"):
            scores = KINDS[kind](np.random.default_rng(1), 200_000)

            alarms, _ = RankRule(Alarm(rate=rate)).update_many(scores)

            assert 0.8 * rate <= alarms.mean() <= 1.05 * rate  # 200 alarms and more, by chance


def test_shares_of_ranks_are_spread_evenly() -> None:
    """In every stretch of a key's events each share is as frequent as any other, all of them come, and none is 0."""
    shares = np.array([share(i) for i in range(65_536)])

    assert sorted(shares) == [i / 65_536 for i in range(1, 65_537)]
    for start in range(0, 65_000, 977):
        counts, _ = np.histogram(shares[start : start + 100], 10, (0, 1))
        assert counts.min() >= 8
        assert counts.max() <= 12


def test_ties_never_alarm() -> None:
    """A constant score is no surprise."""
    found = taken(RankRule(Alarm(rate=0.5, window=100, warm_up=0)), [0.7] * 500)

    assert {one for one, _ in found[1:]} == {False}
    assert min(p for _, p in found) > 0.5


def test_not_finite() -> None:
    """A score that is no number does not alarm and is not kept; it counts as an event."""
    rule = RankRule(Alarm(rate=0.5, window=100, warm_up=0))

    assert taken(rule, [float("nan"), float("inf"), -float("inf")]) == [(False, 1.0)] * 3
    words = np.frombuffer(bytes(rule.dumps()), np.int64)
    assert words[rank.RANK_EVENTS] == 3
    assert not words[1:].any()


def test_large_windows() -> None:
    """Counts of a part fill all of their bits, with a window as large as there may be."""
    rule = RankRule(Alarm(rate=0.001, window=100_000, warm_up=0))

    rule.update_many(np.zeros(200_000))
    words = np.frombuffer(bytes(rule.dumps()), np.int64)

    assert words[rank.RANK_USED] == 1
    assert 100_000 <= (kept := int(words[rank.RANK_KEPT])) < 134_000
    assert taken(rule, [1.0, 0.0]) == [
        (True, share(200_000) / (1 + kept)),
        (False, (1 + kept + share(200_001)) / (2 + kept)),
    ]


def damaged(at: int, value: int) -> bytes:
    """A memory of forty scores in which one number is another."""
    rule = RankRule(ALARM)
    rule.update_many(np.linspace(0, 1, 40))
    words = np.frombuffer(bytes(rule.dumps()), np.int64).copy()
    words[at] = value
    return words.tobytes()


TOP = int(np.array([0.0, np.nan], np.float32).view(np.int64)[0])
DAMAGE = {
    "nothing": b"", "too short": b"\0" * 431, "too long": b"\0" * 864, "all bits": b"\xff" * 432,
    "events": damaged(rank.RANK_EVENTS, -1), "more kept than came": damaged(rank.RANK_EVENTS, 3), "cooldown": damaged(rank.RANK_COOLDOWN_LEFT, -1),
    "kept": damaged(rank.RANK_KEPT, 1), "filled": damaged(rank.RANK_FILL, 9), "part": damaged(rank.RANK_PART, 4), "used": damaged(rank.RANK_USED, 32),
    "fewer used": damaged(rank.RANK_USED, 1), "a count": damaged(rank.RANK_COUNTS, 2**40), "order": damaged(rank.RANK_TOPS, 0), "no number": damaged(rank.RANK_TOPS, TOP),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_damage(name: str) -> None:
    """A memory that no rule can have is refused, and nothing has changed."""
    rule = RankRule(ALARM)
    rule.update_many(np.linspace(0, 1, 40))
    before = bytes(rule.dumps())

    with pytest.raises(StateError):
        rule.restore(DAMAGE[name])
    assert before == bytes(rule.dumps())


@pytest.mark.parametrize("window", [10, 50, 3000])
def test_another_window(window: int) -> None:
    """A rule restored with another window goes on; the kept scores are as many as the new one says once it has been renewed."""
    old, new = RankRule(Alarm(window=300, warm_up=0)), RankRule(Alarm(window=window, warm_up=0, cooldown=3))
    scores = np.random.default_rng(2).random(20_000)
    old.update_many(scores[:1000])

    new.restore(bytes(old.dumps()))
    new.update_many(scores[1000:])

    kept = np.frombuffer(bytes(new.dumps()), np.int64)[rank.RANK_KEPT]
    assert window <= kept <= 4 * -(-window // 3)


def test_a_model_with_a_rule_of_its_own_is_asked() -> None:
    """The shard gives the detector the settings of ``[alarm]``, passes on what it says, and changes its rate on the way."""
    values = np.random.default_rng(5).normal(size=(900, 1))
    own = RNNAnomalyDetector(hidden_size=8, alarm_rate=0.05, cooldown=3, warm_up=100)
    said = own.progressive_many(values, ("a",))
    kind = model_kind("RNNAnomalyDetector", {"hidden_size": 8})
    shard = Shard(kind, Alarm(rate=0.05, cooldown=3, warm_up=100))

    first = shard.score(block(values[:500], 0))
    again = Shard(kind, Alarm(rate=0.05, cooldown=3, warm_up=100))
    again.restore(shard.snapshot())
    second = again.score(block(values[500:], 500))

    assert first.alarms + second.alarms == said["alarm"].tolist()
    assert first.p_values + second.p_values == said["p_value"].tolist()
    for name in ("threshold", "contribution", "views", "low", "warm", "since", "change"):
        np.testing.assert_array_equal(np.concatenate([first.details[name], second.details[name]]), said[name])
    line = json.loads(encode_block(block(values[:500], 0), first, ("threshold", "views", "contribution", "warm"))[-1])
    assert line["views"] == dict(zip(VIEWS, said["views"][499].tolist(), strict=True))
    lines = [json.loads(one) for one in encode_block(block(values[:500], 0), first, ("feature", "view"))]
    assert [one["view"] for one in lines] == [None if i < 0 else VIEWS[i] for i in said["view"][:500].tolist()]
    assert [one["feature"] for one in lines] == [None if i < 0 else "ab"[i] for i in said["feature"][:500].tolist()]
    assert (line["threshold"], line["contribution"]) == (said["threshold"][499], said["contribution"][499, 0])
    again.set_alarm(Alarm(rate=1e-4))
    assert again.score(block(values[:1], 900)).details["threshold"].item() == NO_THRESHOLD > said["threshold"][-1]


def block(values: NDArray[np.float64], start: int) -> Block:
    return Block(("a",), values, tuple(range(start, start + len(values))), start + len(values))
