"""The long-lag tasks are what they say, and the shortest of them is learned by the defaults."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import long_lags
from tasks import Adding, GatedRecall, NoisyRecall, TemporalOrder, blocks

TASKS = [GatedRecall(30), NoisyRecall(100, 20), Adding(100), TemporalOrder()]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
def test_targets_are_known_at_one_question_a_trial(task):
    """As many questions as trials; the same seed gives the same stream; shapes are those the task states."""
    X, Y = task.trials(np.random.default_rng(1), 50)
    again, _ = task.trials(np.random.default_rng(1), 50)

    assert X.shape == (len(Y), task.inputs)
    assert np.isfinite(Y[:, 0]).sum() == 50
    np.testing.assert_array_equal(X, again)


def test_recall_asks_for_the_flagged_value():
    """The answer is the value under the flag, exactly ``lag`` events before the question; distractors come between."""
    X, Y = GatedRecall(30).trials(np.random.default_rng(2), 200)
    flags, questions = np.flatnonzero(X[:, 1]), np.flatnonzero(X[:, 2])

    np.testing.assert_array_equal(questions - flags, 30)
    np.testing.assert_array_equal(Y[questions, 0], X[flags, 0])
    assert set(X[:, 0]) == {-1.0, 1.0}


def test_noisy_recall_has_at_least_q_distractors():
    """b, x or y, q or more distractors, e, and the second symbol again: the mean number beyond q is 9."""
    task = NoisyRecall(100, 20)
    X, Y = task.trials(np.random.default_rng(3), 3000)
    symbols = X.argmax(1)
    starts, ends = np.flatnonzero(symbols == 21), np.flatnonzero(symbols == 20)

    between = ends - starts - 2
    assert between.min() == 100
    assert between.mean() == pytest.approx(109, abs=1)
    np.testing.assert_array_equal(symbols[starts + 1], symbols[ends + 1])
    np.testing.assert_array_equal(Y[ends].argmax(1) + 22, symbols[ends + 1])


def test_adding_asks_for_the_two_marked_values():
    """The target is 0.5 + (first + second) / 4 over the marked events."""
    X, Y = Adding(100).trials(np.random.default_rng(4), 100)
    ends = np.flatnonzero(np.isfinite(Y[:, 0]))
    starts = np.concatenate([[0], ends[:-1] + 1])

    for start, end in zip(starts, ends, strict=True):
        marked = np.flatnonzero(X[start : end + 1, 1] == 1.0)
        assert len(marked) == 2
        assert Y[end, 0] == pytest.approx(0.5 + X[start : end + 1, 0][marked].sum() / 4.0)


def test_temporal_order_asks_for_both_symbols():
    """The class is 2 (first is Y) + (second is Y)."""
    X, Y = TemporalOrder().trials(np.random.default_rng(5), 100)
    symbols = X.argmax(1)
    told = symbols[symbols >= 6].reshape(-1, 2) - 6

    np.testing.assert_array_equal(Y[np.isfinite(Y[:, 0]), 0], 2 * told[:, 0] + told[:, 1])


def test_blocks_go_on_where_they_were():
    """Blocks are pieces of one stream, about as long as asked for."""
    stream = blocks(GatedRecall(10), seed=1, events=1000)
    sizes = [len(next(stream)[0]) for _ in range(3)]

    assert all(800 < size < 1200 for size in sizes)
    assert any(a != b for a, b in pairwise(sizes))


def test_a_lag_of_ten_is_learned():
    """The defaults learn the shortest recall of the benchmark within 30,000 events: 98 of the last 100 answers are right."""
    row = long_lags.ROWS[0]
    assert row.name.startswith("recall-10 trace_lstm")

    events, questions = row.solve(0)

    assert 100 <= questions < events <= 30_000
