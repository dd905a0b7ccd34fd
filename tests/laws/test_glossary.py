"""The words of the field, not those of this house."""

from __future__ import annotations

import re

import pytest

from tests.laws.places import ROOT, folder

# What was once said here, and what the field says.
GLOSSARY = {
    r"\bevidence\b": "score",
    r"\btiredness\b": "habituation",
    r"\btally\b": "counters",
    r"\bfore(tell|told)": "predict",
    r"\bis_anomaly\b": "feedback",
    r"[Hh]ow little an? ": "score",
    r"all that has been": "the remembered events",
    r"led astray|goes? astray": "robustness",
    r"\bbelieved\b|\bbeliefs?\b": "weight",
    r"[Aa]sking changes": "predicting changes nothing",
    r"never stop learning": "online",
}
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def spoken(text: str) -> list[str]:
    """One line for each word of the house in a text, with what the field says."""
    return [
        f"line {text[: found.start()].count(chr(10)) + 1}: {found[0]!r}, say {better!r}"
        for word, better in GLOSSARY.items()
        for found in re.finditer(word, text)
    ]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pages_use_the_words_of_the_field(path):
    """Whoever knows the field reads the documentation without a dictionary."""
    assert spoken(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("room", ["models", "testing"])
def test_code_uses_the_words_of_the_field(room):
    """Names, docstrings and messages of the estimators and of the suites do as well."""
    found = {path.name: spoken(path.read_text(encoding="utf-8")) for path in (folder("streamrnn") / room).glob("*.py")}

    assert {name: lines for name, lines in found.items() if lines} == {}


def test_a_planted_word_is_found():
    """With its line, and with what to say."""
    assert spoken("A score.\nIts evidence.") == ["line 2: 'evidence', say 'score'"]
