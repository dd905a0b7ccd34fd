"""Layers import downwards only."""

from __future__ import annotations

import shutil

import pytest

from tests.laws.imports import violations
from tests.laws.places import PACKAGES, folder


def test_imports_follow_the_layers():
    """No module imports against the direction of the layers, none imports a connector, and there is no cycle."""
    assert violations({package: folder(package) for package in PACKAGES}) == []


PLANTED = [
    ("streamrnn/kernels", "from river import base", "must not import river.base"),
    ("streamrnn/kernels", "from streamrnn.errors import StateError", "must not import streamrnn.errors.StateError"),
    ("streamrnn/kernels", "from streamrnn import RNNAnomalyDetector", "must not import streamrnn.RNNAnomalyDetector"),
    ("streamrnn/kernels", "from streamrnn.kernels.cells import table", "must not import streamrnn.kernels.cells.table"),
    (
        "streamrnn/kernels/cells",
        "from streamrnn.kernels.net import words",
        "must not import streamrnn.kernels.net.words",
    ),
    (
        "streamrnn/kernels/net",
        "from streamrnn.kernels.anomaly import alarm",
        "must not import streamrnn.kernels.anomaly.",
    ),
    ("streamrnn/kernels/anomaly", "import streamrnn.models", "must not import streamrnn.models"),
    ("streamrnn/kernels/forecast", "import streamrnn.kernels.anomaly", "must not import streamrnn.kernels.anomaly"),
    ("streamrnn/models", "import streamrnn.engine.loop", "must not import streamrnn.engine.loop"),
    ("streamrnn/models", "from ..engine import loop", "must not import streamrnn.engine.loop"),
    ("streamrnn/models", "from streamrnn import adapters", "must not import streamrnn.adapters"),
    ("streamrnn/engine", "from streamrnn.adapters import export", "must not import streamrnn.adapters"),
    ("streamrnn/adapters", "import bytewax", "must not import bytewax"),
    ("streamrnn/models", "from streamrnn import io", "must not import streamrnn.io"),
    ("streamrnn/engine", "import kafka", "must not import kafka"),
    ("streamrnn/engine", "def f():\n    from streamrnn_kafka import KafkaSource", "must not import streamrnn_kafka."),
    ("streamrnn/engine", "import importlib\nimportlib.import_module('streamrnn_files')", "must not import streamrnn_"),
    ("streamrnn/engine", "if TYPE_CHECKING:\n    import streamrnn_files", "must not import streamrnn_files"),
    ("streamrnn/engine", "from streamrnn.kernels import net", "must not import streamrnn.kernels.net"),
    ("streamrnn/commands", "from streamrnn.cli import main", "must not import streamrnn.cli.main"),
    ("streamrnn/scorers", "from streamrnn.engine import shard", "must not import streamrnn.engine.shard"),
    ("streamrnn/engine", "from streamrnn.daemon import health", "must not import streamrnn.daemon.health"),
    ("streamrnn/daemon", "from streamrnn.commands import verify", "must not import streamrnn.commands.verify"),
    ("streamrnn/display", "from streamrnn.daemon import health", "must not import streamrnn.daemon.health"),
    ("streamrnn_files", "import streamrnn_kafka", "must not import streamrnn_kafka"),
    ("streamrnn_files", "from streamrnn import models", "must not import streamrnn.models"),
    ("streamrnn_kafka", "import pandas", "must not import pandas"),
    ("streamrnn", "x = 1", "has no row in LAYERS"),
]


@pytest.fixture
def copy(tmp_path):
    """The packages, free to be spoiled."""
    for package in PACKAGES:
        shutil.copytree(folder(package), tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return {package: tmp_path / package for package in PACKAGES}


@pytest.mark.parametrize(("where", "code", "said"), PLANTED)
def test_a_planted_violation_is_caught(copy, tmp_path, where, code, said):
    """Each kind of forbidden import is found and named, wherever it hides."""
    (tmp_path / where / "planted.py").write_text(code)

    [line] = [line for line in violations(copy) if not line.startswith("a cycle")]

    assert line.startswith(f"{where.replace('/', '.')}.planted:")
    assert said in line


def test_a_planted_cycle_is_caught(copy, tmp_path):
    """Two modules of one layer that import each other are found, even inside functions."""
    (tmp_path / "streamrnn/engine/planted_a.py").write_text("from streamrnn.engine import planted_b")
    (tmp_path / "streamrnn/engine/planted_b.py").write_text("def f():\n    import streamrnn.engine.planted_a")

    [line] = violations(copy)

    assert line.startswith("a cycle: ")
    assert "planted_a -> streamrnn.engine.planted_b" in line
