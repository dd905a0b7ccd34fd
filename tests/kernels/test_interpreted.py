"""The kernels as plain Python: the same results, the same tests, and planted errors that are found."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np

from tests.kernels.interpreted import ranks, results
from tests.laws.places import ROOT


def interpreted(*arguments):
    """Run a module of the tests with numba switched off; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_compiled_is_interpreted(tmp_path):
    """Forty events with a missing value, an outlier and thirteen updates: compiled and interpreted agree up to rounding."""
    interpreted("tests.kernels.interpreted", "results", str(tmp_path / "results.npz"))

    with np.load(tmp_path / "results.npz") as plain:
        for name, compiled in results().items():
            np.testing.assert_allclose(compiled, plain[name], rtol=2e-3, atol=2e-4, err_msg=name)


def test_compiled_ranks_are_interpreted_ranks(tmp_path):
    """Ranks are whole numbers: the alarm rule's alarms, p-values and memory agree bit for bit."""
    interpreted("tests.kernels.interpreted", "ranks", str(tmp_path / "ranks.npz"))

    with np.load(tmp_path / "ranks.npz") as plain:
        for name, compiled in ranks().items():
            assert compiled.tobytes() == plain[name].tobytes(), name


def test_every_slice_begins_within_its_array():
    """All cells, losses, optimisers and models: no kernel leaves it to Python to cut a slice at the beginning or to turn it round."""
    interpreted("tests.kernels.within")


def test_a_planted_error_is_found_by_its_cells_check_alone():
    """Five per cent too much in any block of any cell's way back fails the gradient check of that cell, and no other."""
    first, *planted = json.loads(interpreted("tests.kernels.interpreted", "mutants"))

    assert first[2] == []  # nothing planted
    assert [(text, failed) for text, _, failed in planted] == [(text, [name]) for text, name, _ in planted]
    assert len(planted) >= 25


def test_the_tests_run_interpreted():
    """A part of the suite in plain Python; ``NUMBA_DISABLE_JIT=1 pytest tests/kernels`` runs all of it."""
    chosen = "row or outputs-2 or full or truncated or history or frozen or growth or quotient or test_loss"

    out = interpreted(
        "pytest", "-q", "-p", "no:cacheprovider", "tests/kernels/test_cells.py", "tests/kernels/test_gradients.py",
        "tests/kernels/test_losses.py", "-k", chosen,
    )  # fmt: skip

    assert " passed" in out
    assert " skipped" not in out
