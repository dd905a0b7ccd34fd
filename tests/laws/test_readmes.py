"""A room's README lists the files of the room."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.laws.places import PACKAGES, folder

KERNELS = folder("streamrnn") / "kernels"


def listed(readme: str) -> set[str] | None:
    """The names in the first column of a README's table of files; None where it has no such table."""
    found, inside, seen = set(), False, False
    for line in readme.splitlines():
        first = line.split("|")[1].strip() if line.startswith("|") else ""
        if first in ("file", "room"):
            inside = first == "file"
            seen = seen or inside
        elif inside and first:
            found.update(re.findall(r"`([^`]+\.py)`", first))
        inside = inside and bool(first)
    return found if seen else None


def disagreements(package: Path) -> list[str]:
    """One line for each file that is in a room and not in its README, or the other way round."""
    lines = []
    for readme in sorted(package.rglob("README.md")):
        names = listed(readme.read_text(encoding="utf-8"))
        if names is None:
            continue
        there = {path.name for path in readme.parent.glob("*.py")} - {"__init__.py"}
        where = readme.parent.relative_to(package.parent)
        lines += [f"{where}: the README does not list {name}" for name in sorted(there - names)]
        lines += [f"{where}: the README lists {name}, which is not there" for name in sorted(names - there)]
    return lines


@pytest.mark.parametrize("package", PACKAGES)
def test_readmes_list_the_files(package):
    """Whoever looks for a file finds it in the README of its folder; whoever adds one adds a line there."""
    assert disagreements(folder(package)) == []


def test_every_room_has_a_readme():
    """What a room of compiled functions or of estimators promises stands in it, in at most forty lines."""
    rooms = {path.parent for path in KERNELS.rglob("__init__.py")} | {folder("streamrnn") / "models"}

    lengths = {room.name: len((room / "README.md").read_text(encoding="utf-8").splitlines()) for room in rooms}

    assert {"kernels", "cells", "net", "anomaly", "forecast", "experts", "models"} <= set(lengths)
    assert [name for name, length in lengths.items() if not 10 <= length <= 40] == []


@pytest.mark.parametrize("room", ["io", "engine", "scorers", "commands", "daemon", "display"])
def test_every_room_of_the_engine_has_a_readme(room):
    """What a room promises, and what not, stands in it, in ten to thirty lines, beside the list of its files."""
    readme = (folder("streamrnn") / room / "README.md").read_text(encoding="utf-8")

    assert 10 <= len(readme.splitlines()) <= 30
    assert listed(readme)
    assert "Promised: " in readme
    assert "Not promised: " in readme


@pytest.mark.parametrize(
    ("readme", "said"),
    [
        ("| file | what |\n|---|---|\n| `a.py` | x |\n", ["house/room: the README does not list b.py"]),
        (
            "| file | what |\n|---|---|\n| `a.py`, `b.py` | x |\n| `c.py` | x |\n",
            ["house/room: the README lists c.py, which is not there"],
        ),
        ("| file | what |\n|---|---|\n| `a.py`, `b.py` | as `c.py` was |\n\n| other |\n|---|\n| `d.py` |\n", []),
        ("No table.\n", []),
    ],
)
def test_a_planted_disagreement_is_caught(tmp_path, readme, said):
    """A file too many, a file too few; names outside the first column of the table count for nothing."""
    room = tmp_path / "house" / "room"
    room.mkdir(parents=True)
    for name in ("__init__.py", "a.py", "b.py"):
        (room / name).touch()
    (room / "README.md").write_text(readme)

    assert disagreements(tmp_path / "house") == said
