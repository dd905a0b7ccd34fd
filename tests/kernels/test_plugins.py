"""Cells, losses and optimisers from another package: found by entry point, named like any other, held to the same suites."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
POINTS = """
[streamrnn.cells]
minimal_gated = foreign_rows:CELL
[streamrnn.losses]
log_cosh = foreign_rows:LOSS
[streamrnn.optimizers]
lion = foreign_rows:OPTIMIZER
"""
LEARN = """
import random
from streamrnn import RNNRegressor, dumps, loads
model = RNNRegressor(cell="minimal_gated", loss="log_cosh", optimizer="lion", hidden_size=5, lr=0.005, seed=1)
errors, last, draw = [], 0.0, random.Random(0)
for _ in range(3000):
    x = draw.gauss(0.0, 1.0)
    errors.append(abs(model.predict_one({"x": x}) - last))
    model.learn_one({"x": x}, last)
    last = x
copy = loads(dumps(model))
assert copy.predict_one({"x": 1.0}) == model.predict_one({"x": 1.0})
print(sum(errors[-300:]) / sum(errors[:300]))
"""
SUITES = """
from foreign_rows import LOSS, OPTIMIZER, WRONG_LOSS
from streamrnn.testing import check_loss, check_optimizer, loss_checks
wrong = []
for name, check in loss_checks(WRONG_LOSS):
    try:
        check()
    except AssertionError:
        wrong.append(name)
check_loss("log_cosh")
check_loss(LOSS)
check_optimizer("lion")
check_optimizer(OPTIMIZER)
print(wrong)
"""
LATE = """
from streamrnn import RNNRegressor
from streamrnn.kernels.net.losses.table import register_loss
from streamrnn.kernels.net.optimizers.table import register_optimizer
from foreign_rows import LOSS, NO_PLACE, OPTIMIZER
RNNRegressor(hidden_size=5).learn_one({"x": 1.0}, 1.0)
for register, row in ((register_loss, LOSS), (register_optimizer, OPTIMIZER), (register_optimizer, NO_PLACE)):
    try:
        register(row)
    except ValueError as error:
        print(error)
"""
WATCH = """
[source]
path = "in.csv"
[model]
cell = "minimal_gated"
loss = "log_cosh"
optimizer = "lion"
hidden_size = 5
[sink]
path = "out.jsonl"
"""


@pytest.fixture
def package(tmp_path):
    """A folder with the package and what an installer writes of it; returns how to install given entry points."""
    cell = (HERE / "minimal_gated.py").read_text()
    rows = (HERE / "plugin_rows.py").read_text().replace("tests.kernels.minimal_gated", "foreign_cell")
    (tmp_path / "foreign_cell.py").write_text(cell)
    (tmp_path / "foreign_rows.py").write_text(rows)

    def install(points):
        info = tmp_path / "foreign_rows-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-rows\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(points)
        return tmp_path

    return install


def python(folder, *arguments, **options):
    """Run Python with a folder's packages installed."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=300, check=False, **options
    )  # fmt: skip


def test_installed_rows_are_named_like_any_other(package):
    """A regressor of three foreign rows learns, is saved and loaded, without an import of theirs."""
    done = python(package(POINTS), "-c", LEARN)

    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.5


def test_they_work_in_a_configuration(package, tmp_path):
    """``[model] cell``, ``loss`` and ``optimizer`` of a run, and a name that is not installed is an error with those that are."""
    folder = package(POINTS)
    (tmp_path / "in.csv").write_text("t,flow\n" + "".join(f"{i},{i % 7}\n" for i in range(300)))
    (tmp_path / "watch.toml").write_text(WATCH)

    done = python(folder, "-m", "streamrnn", "run", "watch.toml", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert len([json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]) == 300
    (tmp_path / "watch.toml").write_text(WATCH.replace('"lion"', '"tiger"'))
    refused = python(folder, "-m", "streamrnn", "run", "watch.toml", cwd=tmp_path)
    assert refused.returncode != 0
    assert "'optimizer'" in refused.stderr
    assert "lion" in refused.stderr


def test_the_suites_take_foreign_rows(package):
    """They pass by name and by row; a loss whose gradient is not that of its value fails that check alone."""
    done = python(package(POINTS), "-c", SUITES)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['gradient']"


def test_a_row_that_comes_too_late_is_refused(package):
    """Compiled code holds the rows that were there: one registered after a net has run is refused, and says why."""
    done = python(package(""), "-c", LATE)

    assert done.returncode == 0, done.stderr
    loss, rule, settings = done.stdout.splitlines()
    assert "'log_cosh' comes too late" in loss
    assert "'lion' comes too late" in rule
    assert "'no_place' must be among lr, " in settings
    assert "temperature" in settings


def test_a_broken_package_breaks_nothing_else(package):
    """An entry point that cannot be used is told with its package and reason; all other rows are there."""
    folder = package(POINTS + "gone = foreign_rows:GONE\nplaceless = foreign_rows:NO_PLACE\n")
    script = "from streamrnn.kernels.net.optimizers.table import OPTIMIZERS; print(*OPTIMIZERS)"

    done = python(folder, "-W", "always", "-c", script)

    assert done.stdout.split()[-1] == "lion"
    assert "'gone' of streamrnn.optimizers (foreign-rows) cannot be used: AttributeError" in done.stderr
    assert "'placeless' of streamrnn.optimizers (foreign-rows) cannot be used: ValueError" in done.stderr
