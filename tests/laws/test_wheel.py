"""What users install is what was tested: the wheel, with the sources absent."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from configparser import ConfigParser
from email import message_from_string
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from tests.laws.places import PACKAGES, ROOT, SOURCES

# What asks where the packages lie and what was installed with them: commands, entry points, files that are no code, the compiler's cache,
# saved models. All else computes, and the same files, byte for byte, compute the same.
ASKS = (
    "cli/test_command_line.py", "cli/test_configuration.py", "connectors/kafka/test_kafka_suite.py", "connectors/postgres/test_postgres_suite.py", "connectors/sqlite", "daemon/test_server.py", "deploy/test_deploy.py",
    "kernels/test_plugins.py", "kernels/test_sources.py", "laws/test_connectors.py", "models/test_persistence.py",
)  # fmt: skip
NOT_BESIDE = ("streamrnn", "connectors", "demo-out", "dist", "build")  # the tests see everything else of the checkout

pytestmark = pytest.mark.skipif(
    not all((ROOT / folder).is_dir() for folder in SOURCES.values()), reason="the sources are absent"
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy, so that nothing is left behind in the sources."""
    copy = tmp_path_factory.mktemp("sources") / "streamrnn"
    ignore = shutil.ignore_patterns(".*", "__pycache__", "demo-out", "dist", "build")
    shutil.copytree(ROOT, copy, ignore=ignore)
    shutil.copy(ROOT / ".gitignore", copy)
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--no-isolation", copy], check=True, capture_output=True)
    [made] = (copy / "dist").glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """An environment with the wheel and this environment's libraries, but not its editable install."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(command, check=True)
    [site] = home.glob("lib/python*/site-packages")
    # A folder named in a .pth file joins the path, without the .pth files inside it: those of editable installs.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def test_the_wheel_holds_our_packages_and_nothing_else(wheel):
    """Top-level names are exactly ours, and each package is whole, byte for byte: every source file, and what marks it as typed."""
    archive = ZipFile(wheel)
    names = archive.namelist()
    packed = {name: archive.read(name) for name in names if ".dist-info/" not in name}
    expected = {
        f"{package}/{path.relative_to(ROOT / folder).as_posix()}": path.read_bytes()
        for package, folder in SOURCES.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert sorted({name.partition("/")[0] for name in packed}) == sorted(PACKAGES)
    assert sorted(packed) == sorted(expected)
    assert [name for name, data in packed.items() if data != expected[name]] == []
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(packed)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_wheel_says_what_it_is(wheel):
    """Its metadata are whole: licence, links, long description, Python, commands, connectors, and upper bounds where we use what is not promised."""
    archive = ZipFile(wheel)
    [home] = {name.partition("/")[0] for name in archive.namelist() if ".dist-info/" in name}
    found = message_from_string(archive.read(f"{home}/METADATA").decode())
    entries = ConfigParser()
    entries.read_string(archive.read(f"{home}/entry_points.txt").decode())
    bounded = {
        one.name
        for one in map(Requirement, found.get_all("Requires-Dist"))
        if any(s.operator == "<" for s in one.specifier)
    }

    assert (found["Name"], found["License-Expression"], found["Requires-Python"]) == (
        "streamrnn",
        "BSD-3-Clause",
        ">=3.11",
    )
    assert {one.partition(",")[0] for one in found.get_all("Project-URL")} == {"Documentation", "Source", "Changelog"}
    assert found["Description-Content-Type"] == "text/markdown"
    assert "streamrnn run" in found.get_payload()
    assert {"numba", "river", "kafka-python"} <= bounded
    assert set(entries["streamrnn.sources"]) == set(entries["streamrnn.sinks"]) >= {"files", "kafka"}
    assert set(entries["console_scripts"]) == {"streamrnn"}


def test_the_suite_passes_against_the_wheel(installed, tmp_path):
    """Far away from the sources, with the packages that the wheel installed, the tests pass that ask where they are and what there is."""
    for path in ROOT.iterdir():
        if path.name.startswith(".") or path.name in NOT_BESIDE:
            continue
        if path.is_dir():
            shutil.copytree(path, tmp_path / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, tmp_path)
    where = "import streamrnn, streamrnn_files; print(streamrnn.__file__, streamrnn_files.__file__)"
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTEST_ADDOPTS")}
    environment["PATH"] = os.pathsep.join([str(installed.parent), environment.get("PATH", "")])

    def run(*arguments):
        command = [installed, *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    found = [Path(path) for path in run("-c", where).stdout.split()]
    suite = ["-m", "pytest", "-q", "-m", "not slow", *(f"tests/{path}" for path in ASKS)]
    done = run(*suite)
    if done.returncode == 1:  # with a cold cache, a process that a test starts may take longer than the test waits
        done = run(*suite, "--last-failed", "--tb=short")

    assert [path.is_relative_to(installed.parent.parent) for path in found] == [True, True]
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[:4000]  # where it crashed stands first
