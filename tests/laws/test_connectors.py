"""The library knows no connector, and each connector of ours is wherever the guide says."""

from __future__ import annotations

import shutil

import pytest

from streamrnn import io
from streamrnn.commands import config_docs
from streamrnn.io import installed
from tests.laws.connectors import missing_places, names_of_connectors
from tests.laws.imports import violations
from tests.laws.places import CONNECTORS, PACKAGES, PROJECT, folder

KINDS = {kind for role in ("sources", "sinks") for kind in PROJECT["project"]["entry-points"][f"streamrnn.{role}"]}


def test_the_library_names_no_connector():
    """What a connector can do it says itself: no kind and no package of one is in a text of the library."""
    assert names_of_connectors(folder("streamrnn"), CONNECTORS, KINDS) == []


@pytest.mark.parametrize(
    "code",
    [
        "def f(config):\n    return config.source.kind == 'files'",
        "KIND = 'kafka'",
        "X = {'a': ['sqlite']}",
        "def f(x):\n    return f'[state] mode: {x} needs kind = \"files\".'",
        "MESSAGE = 'Topic of Kafka.'",
        "import importlib\nF = getattr(importlib, 'import_module')('streamrnn_files')",
        "X: str = 'streamrnn_sqlite'",
    ],
)
def test_a_planted_name_is_caught(tmp_path, code):
    """A kind compared with, a kind in a message, a package's name: found wherever they hide."""
    shutil.copytree(folder("streamrnn"), tmp_path / "streamrnn", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "streamrnn" / "engine" / "planted.py").write_text(code)

    [line] = names_of_connectors(tmp_path / "streamrnn", CONNECTORS, KINDS)

    assert line.startswith("streamrnn.engine.planted:")


def test_words_of_the_language_are_no_names(tmp_path):
    """Docstrings, the word files, and a library whose name begins as a connector's may be written."""
    (tmp_path / "planted.py").write_text(
        '"""Of Kafka."""\nX = "Paths of files; prometheus-client."\n"""As kafka has them."""\n'
    )

    assert names_of_connectors(tmp_path, CONNECTORS, KINDS) == []


@pytest.mark.parametrize("package", CONNECTORS)
def test_a_connector_is_in_all_its_places(package):
    """The guide "Add a connector" was followed: nothing that it lists is missing."""
    assert missing_places(package, folder(package)) == []


def test_a_connector_that_nobody_registered_is_noticed(tmp_path):
    """Each place that a new package lacks is named."""
    lacking = missing_places("streamrnn_new", tmp_path)

    assert len(lacking) == 9
    assert {"streamrnn_new: README.md", "streamrnn_new: a row in LAYERS", "streamrnn_new: entry points"} <= set(lacking)


class Point:
    """An entry point of somebody else, whose package is called as one of ours could be."""

    name, value = "x", "streamrnn_x:Source"
    dist = type("Dist", (), {"name": "streamrnn-x"})


def test_a_foreign_package_is_foreign_whatever_it_is_called(tmp_path, monkeypatch):
    """``streamrnn_x`` of others may not be imported, is in no page of options, and can be configured."""
    real = installed._registered
    with_it = lambda group: {**real(group), **({"x": Point} if group == "streamrnn.sources" else {})}  # noqa: E731
    monkeypatch.setattr(installed, "_registered", with_it)
    copies = {package: tmp_path / package for package in PACKAGES}
    for package, copy in copies.items():
        shutil.copytree(folder(package), copy, ignore=shutil.ignore_patterns("__pycache__"))
        (copy / "planted.py").write_text("import streamrnn_x")

    lines = [line for line in violations(copies) if line.endswith("must not import streamrnn_x")]

    assert [line.partition(".planted:")[0] for line in lines] == list(PACKAGES)
    assert "x" in io.connector_kinds("source")
    assert "x" not in io.connector_kinds("source", ours=True)
    assert 'kind = "x"' not in config_docs.page()
