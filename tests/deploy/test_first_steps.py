"""What a newcomer types first works in a fresh checkout, and leaves it as it was where it is told to write elsewhere."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from river.datasets import WaterFlow

from streamrnn.cli import cli
from streamrnn.io import find_example
from tests.laws.places import ROOT

TOOLS = Path(sys.executable).parent
SMALL = {  # a checkout in which every tool that keeps something finds something to keep
    "streamrnn/__init__.py": '"""One name."""\n\nNAME = "small"\n',
    "connectors/one.py": '"""Another one."""\n\nNAME: str = "one"\n',
    "examples/two.py": '"""A third one."""\n\nNAME: str = "two"\n',
    "tests/test_small.py": '''"""What the tools of the tests keep."""

import os
from pathlib import Path

import numba
from hypothesis import given, settings
from hypothesis import strategies as st


@numba.njit(cache=True)
def twice(x):
    return x + x


@settings(deadline=None)
@given(st.text())
def test_small(text):
    """There is a home, which can be written."""
    assert len(text) < twice(1e6)
    assert os.access(Path.home(), os.W_OK)
''',
}


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def checkout(folder: Path) -> Path:
    """Copy what the first commands need."""
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def plain(**more: str) -> dict[str, str]:
    """Return an environment that knows nothing of this run of the tests but where compiled code is."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "NUMBA_CACHE_DIR") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "MPLBACKEND": "Agg", **more}


def test_the_stream_of_the_examples() -> None:
    """The file that lies beside the examples is river's WaterFlow, to the last digit."""
    with (ROOT / "examples" / "water_flow.csv").open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)

    assert head == ["time", "flow [l/s]"]
    assert rows == [[x["Time"].isoformat(), str(flow)] for x, flow in WaterFlow()]


@pytest.mark.slow
def test_the_commands_of_the_readme(tmp_path: Path) -> None:
    """Those that name files name some that are there: each ends well in a checkout where nothing was made before."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("## On the command line")[2]
    lines = re.findall(r"^streamrnn .*", text.partition("```sh\n")[2].partition("```")[0], re.MULTILINE)
    commands = [line for line in lines if line.split()[1] in ("replay", "config", "run")]
    place = checkout(tmp_path)

    assert len(commands) == 4
    for command in commands:
        own = command.replace("streamrnn", f"{sys.executable} -m streamrnn", 1)
        done = subprocess.run(own, shell=True, cwd=place, env=plain(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stderr)
    assert len((place / "demo-out" / "water_flow.jsonl").read_text().splitlines()) == 1268
    assert all((place / name).exists() for name in ("out.png", "fan.png", "watch.toml"))


def test_the_demo_writes_where_it_is_told(tmp_path: Path) -> None:
    """With ``DEMO_OUT`` results, state and picture go there and nothing beside the sources."""
    place, out = checkout(tmp_path / "checkout"), tmp_path / "out"
    before = files(place)

    done = subprocess.run(
        [sys.executable, place / "examples" / "demo.py"],
        env=plain(DEMO_OUT=str(out)), capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "1268 events, 4 alarms" in done.stdout
    assert {"water_flow.jsonl", "water_flow.png"} <= files(out).keys()
    assert files(place) == before


@pytest.mark.slow
@pytest.mark.skipif(
    not all((TOOLS / tool).exists() for tool in ("ruff", "mypy")),
    reason="the tools of `make test` are not beside Python",
)
def test_make_leaves_the_sources_as_they_are(tmp_path: Path) -> None:
    """With VENV elsewhere no tool keeps anything beside the sources; without a home they have one there."""
    place, environment = tmp_path / "checkout", tmp_path / "environment"
    for name, text in SMALL.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, place)
    (environment / "kept" / "home").mkdir(parents=True)
    for name in ("bin", "lib", "pyvenv.cfg"):
        (environment / name).symlink_to(Path(sys.prefix) / name)
    for stamp in (".made", ".dev"):  # what this environment is
        (environment / stamp).touch()
    before = files(place)
    bare = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": "/nonexistent", "PYTEST_XDIST_AUTO_NUM_WORKERS": "1"}

    done = subprocess.run(
        ["make", f"VENV={environment}", f"OUT={tmp_path / 'out'}", "test"],
        cwd=place, env=bare, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert files(place) == before
    for kept in ("bytecode", "numba", "ruff", "mypy", "pytest"):
        assert files(environment / "kept" / kept) != {}, kept
    assert not Path("/nonexistent").exists()


def settings(text: str) -> set[tuple[str, str, str]]:
    """Return table, option and value of each line, where the environment sets nothing."""
    read = tomllib.loads(re.sub(r"\$\{\w+:-(.*?)\}", r"\1", text))
    return {(table, name, str(value)) for table, options in read.items() for name, value in options.items()}


def test_five_minutes_are_those_of_the_example() -> None:
    """What the page shows is in the example that its second step prints; the key is a comment there, and the fifth step's port is not."""
    page = (ROOT / "docs" / "five-minutes.md").read_text(encoding="utf-8")
    shown = settings(page.partition("```toml\n")[2].partition("```")[0])

    assert shown - settings(find_example("kafka")) == {("source", "key", "sensor")}
    assert '\n# key = "sensor"' in find_example("kafka")
    assert {table for table, _, _ in shown} >= {"source", "sink", "server"}


def test_the_example_is_seen_where_top_looks() -> None:
    """The port of the Kafka example is where ``streamrnn top`` looks if it is told nothing; another process takes another one."""
    [address] = [one for one in cli.commands["top"].params if one.name == "address"]

    assert ("server", "port", str(address.default).rpartition(":")[2]) in settings(find_example("kafka"))
    assert 'port = "${PORT:-' in find_example("kafka")
