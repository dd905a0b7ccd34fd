"""Errors of predictions in standard deviations of the labels before, against the definition."""

from __future__ import annotations

import numpy as np
import pytest

from streamrnn.scorers.label_errors import LabelErrors

RNG = np.random.default_rng(6)


def naive(labels, found):
    """The definition, with all labels at hand."""
    scores, seen = [], []
    for y, guess in zip(labels, found, strict=True):
        if not np.isfinite(y):
            scores.append(np.nan)
            continue
        spread, error = np.var(seen) if seen else 0.0, y - guess
        if len(seen) < 2 or np.isnan(guess) or error == 0.0:
            scores.append(0.0)
        else:
            scores.append(1.0 if spread == 0.0 or np.isinf(error) else error**2 / (error**2 + spread))
        seen.append(y)
    return np.array(scores)


@pytest.mark.parametrize("mean", [0.0, -5.0, 1e6])
def test_definition(mean):
    """Scores are those of the running spread: gaps, no prediction, no spread and no error included."""
    labels, found = RNG.normal(size=300) + mean, RNG.normal(size=300) + mean
    labels[[3, 90, 91]], found[[5, 7]] = np.nan, np.nan
    labels[[12]], found[13], found[14] = np.inf, labels[13], np.inf

    np.testing.assert_allclose(LabelErrors().scores(labels, found), naive(labels, found), rtol=1e-8)


def test_nothing_has_varied():
    """Without a spread what is right scores 0, and all else 1."""
    assert LabelErrors().scores(np.full(5, 7.0), np.array([0.0, 0.0, 7.0, 7.1, 0.0])).tolist() == [0, 0, 0, 1, 1]


def test_labels_beyond_squares():
    """Where squares are too large for a float nothing is said, rather than that all is far off."""
    labels = np.array([0.0, 1e200, -1e200, 1e200])

    assert LabelErrors().scores(labels, np.zeros(4)).tolist() == [0.0] * 4


@pytest.mark.parametrize("size", [1, 7, 400])
def test_blocks_and_keys(size):
    """Blocks of any size give the same bits, and keys in turns those that each has alone; one that begins anew forgets."""
    labels, found = RNG.normal(size=400), RNG.normal(size=400)
    codes = RNG.integers(1, 6, 400)
    codes[[np.flatnonzero(codes == key)[0] for key in range(1, 6)]] *= -1
    errors, whole = LabelErrors(), LabelErrors()
    whole.scores(labels[:6], found[:6], np.arange(6))  # what places held before

    expected = whole.scores(labels, found, codes)
    by_part = [errors.scores(*(x[i : i + size] for x in (labels, found, codes))) for i in range(0, 400, size)]

    assert expected.tobytes() == np.concatenate(by_part).tobytes()
    for key in range(1, 6):
        own = np.abs(codes) == key
        assert expected[own].tobytes() == LabelErrors().scores(labels[own], found[own]).tobytes()
