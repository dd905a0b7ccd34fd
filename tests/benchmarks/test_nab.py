"""The scoring of the anomaly benchmarks is what their definitions say, on cases worked out by hand."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks" / "anomaly"))
import controls
import mgab
import nab

STANDARD = nab.PROFILES["standard"]


def series(n=100, windows=((40, 59),)):
    """A file of n events: its first 15 are not judged."""
    return nab.Series("file", np.arange(float(n)), np.zeros(n), windows)


def scores(*alerts, n=100):
    """1 at each alert."""
    found = np.zeros(n)
    found[list(alerts)] = 1.0
    return found


def sigmoid(place):
    return 2.0 / (1.0 + math.exp(5.0 * place)) - 1.0


def test_an_alert_at_once_is_perfect():
    """The first event of a window earns everything, in every profile; never alerting earns nothing."""
    for profile in nab.PROFILES.values():
        assert nab.best([series()], [scores(40)], profile)[0] == pytest.approx(100.0)
        assert nab.best([series()], [scores()], profile)[0] == 0.0


def test_the_earliest_alert_in_a_window_counts_by_its_place():
    """The tenth of twenty events lies at -11/20; a later one adds nothing."""
    gain = sigmoid(-11 / 20) / sigmoid(-1.0)

    assert nab.earned(series(), scores(49, 55), 0.5, STANDARD) == pytest.approx(gain + 1.0)
    assert nab.best([series()], [scores(49, 55)], STANDARD)[0] == pytest.approx(50.0 * (gain + 1.0))


def test_false_alarms_cost_less_close_behind_a_window():
    """Before any window 0.11; behind one the sigmoid of the distance in windows; beyond three windows 0.11 again."""
    for place, cost in ((20, -1.0), (62, sigmoid(3 / 19)), (99, sigmoid(40 / 19))):
        assert nab.earned(series(), scores(place), 0.5, STANDARD) == pytest.approx(0.11 * cost)
    assert nab.earned(series(200, ((40, 42),)), scores(60, n=200), 0.5, STANDARD) == pytest.approx(-0.11)


def test_the_probation_is_not_judged():
    """15 % of a file, of 5000 events at most; a window that ends there is none."""
    assert nab.earned(series(windows=((5, 10),)), scores(3, 7), 0.5, STANDARD) == 0.0
    assert nab.n_windows(series(windows=((5, 10), (12, 15)))) == 1
    assert (series(100).probation, series(20_000).probation) == (15, 750)


def test_one_threshold_serves_all_files():
    """The best one is found as by trying every one."""
    rng = np.random.default_rng(3)
    corpus = [series(), series(windows=((30, 39), (70, 89))), series(windows=())]
    found = [np.round(rng.random(100), 2) for _ in corpus]

    for profile in nab.PROFILES.values():
        tried = [nab.at_threshold(corpus, found, t, profile) for t in np.unique(np.concatenate(found))]
        best, threshold = nab.best(corpus, found, profile)
        assert best == pytest.approx(max(0.0, *tried))
        if best > 0.0:
            assert nab.at_threshold(corpus, found, threshold, profile) == pytest.approx(best)


def test_the_area_is_that_of_the_definition():
    """A perfect ranking has 1, ties count together, and a constant score has the base rate."""
    labels = np.array([False, True, False, True])

    assert mgab.average_precision(np.array([0.1, 0.9, 0.2, 0.8]), labels) == 1.0
    assert mgab.average_precision(np.ones(4), labels) == 0.5
    assert mgab.average_precision(np.array([0.9, 0.8, 0.1, 0.1]), labels) == pytest.approx(0.5 * 0.5 + 0.5 * 0.5)


def test_controls_are_reproduced():
    """The figures known for the files at hand: the scoring and the controls are those of others, to the digit."""
    data = os.environ.get("STREAMRNN_DATA")
    if not data:
        pytest.skip("STREAMRNN_DATA is unset: the files are not there")
    corpus = nab.load(Path(data) / "nab")
    if len(corpus) != 29:
        pytest.skip("the figures are those of 29 files")

    for name, known in (("never", [0.0, 0.0, 0.0]), ("windowed Gaussian", [41.5, 27.7, 47.9])):
        found = [controls.CONTROLS[name](one.values, one.probation) for one in corpus]
        points = [nab.best(corpus, found, profile)[0] for profile in nab.PROFILES.values()]
        assert points == pytest.approx(known, abs=0.05)
