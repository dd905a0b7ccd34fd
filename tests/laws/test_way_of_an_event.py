"""The way of an event through the engine, as it is drawn in docs/architecture.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.laws.imports import imported, sources
from tests.laws.places import ROOT, folder

STAGE = re.compile(r"^ (?:Source\.|split |Scorer\.|join|encode|Sink\.)\S*.*?(\w+/\w+)\.py$", re.MULTILINE)
LOOP = "streamrnn.engine.loop"
RESULTS = "streamrnn.scorers.scored"


def stages(page: str) -> list[str]:
    """The modules of the drawing, from top to bottom."""
    return ["streamrnn." + path.replace("/", ".") for path in STAGE.findall(page)]


def ways_back(drawn: list[str], known: dict[str, Path]) -> list[str]:
    """One line for each stage that imports one above it; results are data, which whoever comes later is handed."""
    found = []
    for i, stage in enumerate(drawn):
        names = {name for _, name in imported(stage, known[stage])}
        above = [one for one in drawn[:i] if one != RESULTS and any(f"{name}.".startswith(f"{one}.") for name in names)]
        found += [f"{stage} imports {one}" for one in above]
    return found


@pytest.fixture
def known() -> dict[str, Path]:
    return {
        name: path for name, path in sources({"streamrnn": folder("streamrnn")}).items() if path.name != "__init__.py"
    }


@pytest.mark.skipif(not (ROOT / "docs").is_dir(), reason="the docs are absent")
def test_a_block_returns_nothing_half_way(known):
    """Poll, split, score, join, encode, commit: each stage is a module, and none can call one that lies above it."""
    drawn = stages((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))

    assert drawn[0] == LOOP
    assert [one.rpartition(".")[2] for one in drawn] == ["loop", "shard", "scorer", "scored", "output", "commits"]
    assert ways_back(drawn, known) == []


def test_a_planted_way_back_is_caught(known, tmp_path):
    """A scorer that reaches for the shard, inside a function."""
    (tmp_path / "scorer.py").write_text("def f():\n    from streamrnn.engine.shard import Shard")
    spoiled = {**known, "streamrnn.scorers.scorer": tmp_path / "scorer.py"}

    said = ways_back([LOOP, "streamrnn.engine.shard", "streamrnn.scorers.scorer"], spoiled)

    assert said == ["streamrnn.scorers.scorer imports streamrnn.engine.shard"]
