"""What ``make docs`` builds is whole: no page and no public name is left out."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys

import pytest
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


def hooks():
    """What mkdocs does to a page, as a module."""
    spec = importlib.util.spec_from_file_location("hooks", DOCS / "hooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_roles_become_names():
    """A role of a docstring is a link where the page has one description of that name, and a plain name elsewhere."""
    html = '<h3 id="streamrnn.models.a.A.learn_one"></h3> as :meth:<code>learn_one</code> of :class:<code>~streamrnn.B</code>.'

    shown = hooks().on_page_content(html)

    assert shown.partition(" as ")[2] == (
        '<a href="#streamrnn.models.a.A.learn_one"><code>learn_one</code></a> of <code>B</code>.'
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The pages, built as ``make docs`` builds them."""
    pytest.importorskip("mkdocs", reason="make docs installs what builds the pages")
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", target]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return target


@pytest.mark.slow
def test_the_pages_show_no_raw_roles_and_fetch_nothing(site):
    """Docstrings are shown in words, and no page loads a script or a style from elsewhere."""
    pages = {path.relative_to(site).as_posix(): path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    links = [
        link
        for text in pages.values()
        for link in re.findall(r'<(?:script|link)[^>]*(?:src|href)="(https?:[^"]*)"', text)
    ]

    assert {"index.html", "operating.html", "estimators/regressor.html"} <= set(pages)
    assert [name for name, text in pages.items() if re.search(r":(class|meth|func|attr|data|mod|exc):", text)] == []
    assert links == []


@pytest.mark.slow
def test_the_search_works_from_the_file_system(site, tmp_path):
    """Opened as a file, with no network at all, the pages find a word."""
    browser = next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )
    if browser is None:
        pytest.skip("no browser was found")
    command = [
        browser, "--headless", "--disable-gpu", "--no-first-run", f"--user-data-dir={tmp_path}", "--host-resolver-rules=MAP * ~NOTFOUND",
        "--virtual-time-budget=8000", *(["--no-sandbox"] if os.geteuid() == 0 else []), "--dump-dom", f"file://{site}/index.html?q=eligibility",
    ]  # fmt: skip

    seen = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout

    assert "matching document" in seen
    assert "learning-rules.html" in seen
