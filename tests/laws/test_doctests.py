"""Whatever the documentation shows, runs and prints what it shows."""

from __future__ import annotations

import doctest
import re

import pytest

from tests.laws.places import PACKAGES, ROOT, folder, load, modules

FLAGS = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
PAGES = [path for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")] if path.name != "CHANGELOG.md"]


def blocks(page):
    """Python code of a page: for each block its first line's number, its text, and the ``text`` block right behind it."""
    text = page.read_text(encoding="utf-8")
    found = re.finditer(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?", text, flags=re.MULTILINE | re.DOTALL)
    return [(text[: match.start(1)].count("\n") + 1, match[1], match[2]) for match in found]


@pytest.mark.parametrize("name", modules())
def test_docstrings_run(name, tmp_path, monkeypatch):
    """Every example in a docstring prints what it says."""
    monkeypatch.chdir(tmp_path)

    failed, _ = doctest.testmod(load(name), optionflags=FLAGS)

    assert failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_run(page, tmp_path, monkeypatch, capsys):
    """The Python of a page runs from top to bottom, and prints what the ``text`` block behind it says."""
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for line, code, promised in blocks(page):
        exec(compile("\n" * (line - 1) + code, str(page), "exec"), names)

        assert promised in (None, capsys.readouterr().out)


def test_a_wrong_page_is_caught(tmp_path, monkeypatch, capsys):
    """A block that prints something else than it says does not pass."""
    page = tmp_path / "wrong.md"
    page.write_text("# t\n\n```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n")

    with pytest.raises(AssertionError):
        test_pages_run(page, tmp_path, monkeypatch, capsys)


def exists(path):
    """Whether a file of the checkout is there; one of a package may be where the package is installed."""
    parts = path.resolve().relative_to(ROOT).parts
    [package, *inside] = parts[1:] if parts[0] == "connectors" else parts
    return path.exists() or (package in PACKAGES and folder(package).joinpath(*inside).exists())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    """Every relative link of a page leads to a file that exists."""
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8"))

    assert [target for target in targets if not exists(page.parent / target)] == []
