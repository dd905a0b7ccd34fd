"""The page "From your file to alarms": each of its beginnings is read, and what it says of it is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from files_rig import Got, take

from streamrnn.display.chosen import chosen_lines
from streamrnn.io import SourceContext
from streamrnn_files import FileSource

PAGE = Path(__file__).parents[3] / "docs" / "from-your-file.md"
PARTS = re.compile(
    r"^`([\w.]+)`(?:, with `--every 1m`)?:\n\n```text\n(.*?)```\n\n```text\n(.*?)```$", re.MULTILINE | re.DOTALL
)
BEGINNINGS = {name: (text, said) for name, text, said in PARTS.findall(PAGE.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("name", BEGINNINGS)
def test_beginnings_of_the_page_are_read(tmp_path, monkeypatch, name):
    """The block below a beginning is what a replay of it says."""
    text, said = BEGINNINGS[name]
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(text, encoding="utf-8")

    options = FileSource.Options(path=name)
    with FileSource(options, SourceContext(counted=name == "log.jsonl")) as source:
        got = take(source, Got())
        found = source.chosen()

    assert "\n".join(chosen_lines(found)) + "\n" == said
    assert len(got.rows) >= 3
    assert got.dead == [] or name == "labelled.csv"


def test_the_page_has_fifteen_beginnings():
    """As many as it promises."""
    assert len(BEGINNINGS) == 15
