"""The examples run as they stand: each as a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.laws.places import ROOT

QUICK = ["forecasting", "late_labels", "many_sensors", "pipeline_anomalies", "regression"]
SLOW = ["characters", "compare", "memory_pictures"]
ELSEWHERE = {  # shown by commands of their own; their parts are tested in tests/adapters, tests/engine and tests/connectors
    "bytewax_pumps",
    "demo",
    "forward_words",
    "kafka_demo",
    "kafka_plain",
    "memory",
    "spark_pumps",
}


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def test_an_example_runs_and_prints(name, tmp_path):
    """It ends well, warns of nothing and says something."""
    command = [sys.executable, str(ROOT / "examples" / f"{name}.py")]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()


def test_no_example_is_left_out():
    """Every script in the folder is run above, or somewhere else."""
    assert {path.stem for path in ROOT.glob("examples/*.py")} == {*QUICK, *SLOW} | ELSEWHERE
