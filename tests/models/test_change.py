"""A change of the rule: heard by the loss of the linear expert, and learned from as the first events are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from streamrnn import RNNClassifier, RNNRegressor, dumps, loads
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.front import change
from streamrnn.kernels.net.losses.joint import CROSS_ENTROPY

HEAR = getattr(change.changed, "py_func", change.changed)


def header(loss: int = 0) -> Any:
    hd = np.zeros(at.HEADER_WORDS, np.int64)
    hd[at.LOSS], hd[at.LINEAR_LOSS] = loss, 0
    return hd


def heard(losses: Any, loss: int = 0) -> list[int]:
    """At which of the losses a change is heard."""
    hd, d = header(loss), np.zeros(4)
    return [i for i, one in enumerate(losses) if HEAR(hd, d, float(one))]


@pytest.mark.parametrize("seed", range(5))
def test_page(seed: int) -> None:
    """The statistic is Page's, computed here anew from all losses that have come; running means are weighted sums of those."""
    drawn = np.random.default_rng(seed)
    losses = abs(drawn.normal(size=900)) * np.where(np.arange(900) < 600, 1.0, 4.0)
    found = heard(losses)

    mean = variance = total = 0.0
    n, expected = 0, []
    for i, one in enumerate(losses):
        sd = max(variance**0.5, change.LEAST_LOSS_SPREAD * mean)
        if n >= change.SETTLED_LOSS:
            total = max(0.0, total + min((one - mean) / sd, change.WILDEST_LOSS) - change.LOSS_ALLOWED)
        if total > change.CHANGE_THRESHOLD:
            expected.append(i)
            mean = variance = total = 0.0
            n = 0
            continue
        share = max(1 / (n + 1), 1 / change.LOSS_MEMORY)
        step = one - mean if n < change.SETTLED_LOSS else min(one - mean, change.WILDEST_LOSS * sd)
        mean, variance, n = mean + share * step, (1 - share) * (variance + share * step**2), n + 1
    assert found == expected
    assert found
    assert 600 < found[0] < 680


def test_what_is_no_change() -> None:
    """Heavy tails, a single garbage value, a slow rise, and a loss of nothing at all."""
    drawn = np.random.default_rng(3)
    calm = abs(drawn.normal(size=20_000))

    assert heard(abs(drawn.standard_t(2, size=20_000))) == []
    assert heard(np.where(np.arange(20_000) == 9_000, np.inf, calm)) == []
    assert heard(calm * np.linspace(1.0, 5.0, 20_000)) == []
    assert heard(np.zeros(500)) == []
    assert heard(drawn.random(20_000) < 0.02, CROSS_ENTROPY) == []


def test_what_was_foreseen_exactly_and_no_longer_is() -> None:
    """A loss of 0 that becomes one is a change after as many events as the threshold allows."""
    events = int(change.CHANGE_THRESHOLD / (change.WILDEST_LOSS - change.LOSS_ALLOWED))

    assert heard([1.0] + [0.0] * 999 + [1.0] * 50) == [1000 + events]


def switched(lag: int, after: int, n: int = 4000) -> tuple[Any, list[str]]:
    """Labels that are one of three symbols ``lag`` events back, from the middle on ``after``."""
    symbols = np.random.default_rng(8).integers(0, 3, n)
    back = np.where(np.arange(n) < n // 2, lag, after)
    labels = [f"s{symbols[max(t - back[t], 0)]}" for t in range(n)]
    return np.eye(3)[symbols], labels


def test_another_lag_is_learned_within_fifty_events() -> None:
    """Where the answer moves from two to four events back; sure of the old rule, the linear expert takes five hundred."""
    rows, labels = switched(2, 4)
    found = RNNClassifier(hidden_size=8).progressive_many(rows, labels)
    wrong = np.array([a != b for a, b in zip(found, labels, strict=True)])

    assert wrong[2000:2050].sum() > 15
    assert wrong[2050:].sum() <= 10


def test_other_coefficients_are_learned_within_three_hundred_events() -> None:
    """Numbers, to nearly the noise: whoever is sure of the old coefficients, or cuts errors at what was usual then, is twice as far."""
    drawn = np.random.default_rng(9)
    rows, noise = drawn.normal(size=(3000, 4)), 0.1 * drawn.normal(size=3000)
    ways = drawn.normal(size=(2, 4))
    y = np.where(np.arange(3000) < 1500, rows @ ways[0], rows @ ways[1]) + noise
    errors = np.abs(RNNRegressor(hidden_size=8).progressive_many(rows, y) - y)

    assert errors[1600:1900].mean() < 0.4
    assert errors[1900:].mean() < 1.3 * errors[1000:1500].mean()


@pytest.mark.parametrize("size", [1, 7, 4000])
def test_blocks_and_restarts_hear_the_same(size: int) -> None:
    """One by one, in blocks, and restored between any two, also while evidence gathers."""
    rows, labels = switched(2, 4)
    first = 1900
    whole = RNNClassifier(hidden_size=8)
    whole.progressive_many(rows[:first], labels[:first])
    model, found = loads(dumps(whole)), []
    expected = list(whole.progressive_many(rows[first:2100], labels[first:2100]))
    for i in range(first, 2100, size):
        end = min(i + size, 2100)
        found += list(model.progressive_many(rows[i:end], labels[i:end]))
        model = loads(dumps(model))

    assert found == expected
    assert dumps(model) == dumps(whole)


def test_keys_that_share_a_model_do_not_start_it_anew() -> None:
    """A key with another rule is no change of the rule."""
    drawn = np.random.default_rng(4)
    rows = drawn.normal(size=(2000, 3))
    y = np.where(np.arange(2000) < 1500, rows @ [1.0, 2.0, 3.0], rows @ [-3.0, 1.0, -2.0])
    keys = ["a" if t < 1500 else "b" for t in range(2000)]
    model = RNNRegressor(hidden_size=8, key="k")
    model.progressive_many(rows, y, keys=keys)

    assert not model._net.array("linear_loss").any()
