"""What ``make docs`` builds is whole: no page and no public name is left out."""

from __future__ import annotations

import re

import yaml

import streamrnn
from tests.laws.places import ROOT

DOCS = ROOT / "docs"


def pages(nav):
    """Paths of all pages below an entry of the navigation."""
    if isinstance(nav, str):
        return [nav]
    return [page for entry in nav for below in entry.values() for page in pages(below)]


def test_every_page_is_in_the_navigation():
    """The navigation names each page of the folder once."""
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]

    assert sorted(pages(nav)) == sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))


def test_every_public_name_has_its_reference():
    """Whatever can be imported from ``streamrnn`` is described on one page."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(DOCS.rglob("*.md")))
    shown = re.findall(r"^::: (\S+)$", text, flags=re.MULTILINE)

    assert sorted(shown) == sorted(f"{getattr(streamrnn, name).__module__}.{name}" for name in streamrnn.__all__)
