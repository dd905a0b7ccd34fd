"""What an import costs, counted in modules: machines differ in seconds, not in what they load."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("numba", "llvmlite", "numpy", "scipy", "river", "pandas", "matplotlib", "kafka", "rich")
REPORT = "import json, sys, time; print(json.dumps([sorted(sys.modules), time.process_time() - start]))"


def after(code):
    """Modules loaded and CPU seconds spent by ``code`` in a fresh interpreter."""
    script = f"import time\nstart = time.process_time()\n{code}\n{REPORT}"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    names, seconds = json.loads(done.stdout.splitlines()[-1])
    return set(names), seconds


def test_importing_streamrnn_costs_next_to_nothing():
    """``import streamrnn`` takes less than 0.2 s and loads neither numba nor any other library."""
    names, seconds = after("import streamrnn; dir(streamrnn)")

    assert names.isdisjoint(HEAVY)
    assert seconds < 0.2


HELP = """
import contextlib, io
from streamrnn.cli import main
for arguments in {arguments}:
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        main(arguments)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["replay", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments):
    """``streamrnn --help``, of each command too, loads no numerics."""
    names, _ = after(HELP.format(arguments=[arguments]))

    assert "streamrnn.cli" in names
    assert names.isdisjoint(HEAVY)


def test_checking_a_configuration_compiles_nothing():
    """Reading ``streamrnn.config`` and ``streamrnn.errors`` needs no numerics either."""
    names, _ = after("import streamrnn.config, streamrnn.errors")

    assert names.isdisjoint(HEAVY)


@pytest.mark.parametrize("model", ["RNNAnomalyDetector", "RNNForecaster", "RNNRegressor"])
def test_a_net_waits_for_no_frames_and_no_optimisers(model):
    """What a process loads before its first score: numba, and of river the base classes."""
    names, _ = after(f"from streamrnn import {model}, dumps; dumps({model}())")

    assert "numba" in names
    assert names.isdisjoint(
        {"pandas", "polars", "narwhals", "sklearn", "scipy.stats", "river.optim", "river.preprocessing"}
    )


FORECASTERS = """
import sys
{imports}
from river.time_series import HoltWinters, base
import river.time_series.base as again
assert base.Forecaster is again.Forecaster is sys.modules["river.time_series.base"].Forecaster
assert issubclass(RNNForecaster, base.Forecaster) and issubclass(HoltWinters, base.Forecaster)
"""


@pytest.mark.parametrize("order", [1, -1])
def test_forecasters_are_of_one_class(order):
    """Ours and river's are forecasters of the same class, whichever is imported first."""
    imports = ["from streamrnn import RNNForecaster", "import river.time_series"]

    after(FORECASTERS.format(imports="\n".join(imports[::order])))


MATRICES = """
from streamrnn import RNNAnomalyDetector
RNNAnomalyDetector(cell="dense", hidden_size=4).learn_one({"level": 1.0})
before = "scipy.linalg" in sys.modules
import numba, numpy
product = numba.njit(lambda a, b: a @ b)(numpy.eye(2), numpy.full((2, 2), 3.0))
assert not before and "scipy.linalg" in sys.modules and product.sum() == 12.0
"""


def test_the_first_event_waits_for_no_matrix_functions():
    """A net runs without ``scipy.linalg``; other compiled code of the process still finds it."""
    names, _ = after("import sys" + MATRICES)

    assert "scipy.linalg" in names
