"""What the pages and deploy/ tell people to type, set and look at is what the program knows."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

from streamrnn import config, errors
from streamrnn.cli import EXIT_USAGE, cli
from streamrnn.cli.terminal import EXIT_BUG
from streamrnn_prometheus.samples import AS_SERIES
from tests.deploy.test_deploy import metrics
from tests.laws.places import ROOT

PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(one for one in (ROOT / "deploy").rglob("*") if one.is_file()),
]
TEXTS = {path: path.read_text() for path in PAGES}


def lines(text: str) -> Iterator[list[str]]:
    """The command lines of ours in a page: in code between backticks, or at the start of a line."""
    found = re.findall(r"(?:^|[`$/]) ?streamrnn ([a-z][^`\n]*)", text, re.MULTILINE)
    for line in found:
        words = shlex.split(re.split(r"\s[|#>&;]|&&", line)[0], comments=True)
        if words and "|" not in " ".join(words):
            yield words


def wrong(words: list[str]) -> str | None:
    """Say what the command line would not understand, or None; an argument may be missing, as in prose."""
    command: click.Command = cli
    left = list(words)
    while isinstance(command, click.Group):
        if not left:
            return None
        named = left[0] in command.commands
        default = getattr(command, "default", None)
        if not named and default is None:
            return f"no command {left[0]!r}"
        command = command.commands[left.pop(0) if named else default]
    try:
        command.make_context("streamrnn", left)
    except click.MissingParameter:
        return None
    except click.UsageError as error:
        return error.format_message()
    return None


def test_command_lines() -> None:
    """Every command that a page shows exists, with the options that it shows."""
    shown = [(path.name, words) for path, text in TEXTS.items() for words in lines(text)]

    assert len(shown) > 40
    assert [(name, words, said) for name, words in shown if (said := wrong(words))] == []


@pytest.mark.parametrize(
    "planted", ["`streamrnn rnu a.toml`", "\nstreamrnn run a.toml --frsh\n", "$ streamrnn run a b"]
)
def test_a_planted_command_is_caught(planted: str) -> None:
    """One letter is enough."""
    (words,) = lines(planted)

    assert wrong(words) is not None


def test_options() -> None:
    """Every ``[table] option`` that a page names exists; those of a model or a connector in one of its kinds."""
    reference = (ROOT / "docs" / "options.md").read_text()
    known = {"kind", *re.findall(r"^\| `(\w+)` \|", reference, re.MULTILINE)}
    tables = {one.name for one in msgspec.structs.fields(config.Config)}
    found = {
        (path.name, table, name)
        for path, text in TEXTS.items()
        for table, name in re.findall(r"`\[(\w+)\] (\w+)", text)
        if path.name != "options.md"
    }

    assert len(found) > 20
    assert sorted(one for one in found if one[1] not in tables or one[2] not in known) == []


def test_exit_codes() -> None:
    """The guide's table of exit codes is that of the errors."""
    guide = (ROOT / "docs" / "operating.md").read_text().partition("## Exit codes")[2].partition("## ")[0]
    ours = {getattr(errors, name).exit_code for name in errors.__all__ if hasattr(getattr(errors, name), "exit_code")}

    assert set(map(int, re.findall(r"^\| (\d+) \|", guide, re.MULTILINE))) == {0, EXIT_USAGE, EXIT_BUG} | ours


def test_labels() -> None:
    """Rules, dashboard and guide name no metric that is not there, and ask for no label that none has."""
    everything = {path: text for path, text in TEXTS.items() if path.suffix in (".yaml", ".json", ".md")}
    named = {(path.name, one) for path, text in everything.items() for one in re.findall(r"\bstreamrnn_[a-z_]+", text)}
    packages = {"streamrnn_files", "streamrnn_kafka", "streamrnn_postgres", "streamrnn_prometheus", "streamrnn_sqlite"}
    results = {f"streamrnn_result_{one}" for one in AS_SERIES}
    labels = {
        one
        for path, text in everything.items()
        if path.parent.name == "deploy"
        for one in re.findall(r"streamrnn_\w+\{(\w+)|\b(?:by|on) ?\(([\w, ]+)\)|\$labels\.(\w+)|\{\{(\w+)\}\}", text)
        for one in re.split(r"[, ]+", "".join(one))
    }

    assert sorted(one for one in named if one[1] not in metrics() | packages | results) == []
    assert not results & metrics(), "what a sink writes is not what the daemon shows of itself"
    assert labels <= {"partition", "quantile", "events", "instance", "job", "le"}
    assert {"partition", "instance"} <= labels


def test_paths() -> None:
    """What the unit, the image and the manifest name alike lies at the same places; the port is one."""
    unit, image, manifest = (
        (ROOT / "deploy" / one).read_text() for one in ("streamrnn.service", "Dockerfile", "kubernetes.yaml")
    )

    for path in ("/etc/streamrnn/watch.toml", "/var/lib/streamrnn", "/var/cache/streamrnn", "/opt/streamrnn"):
        assert path in unit
        assert path in image
    assert "mountPath: /etc/streamrnn," in manifest
    assert re.findall(r"EXPOSE (\d+)", image) == ["9100"] == re.findall(r"containerPort: (\d+)", manifest)
    for one in re.findall(r"deploy/[\w.]+\w|docs/[\w/.-]+\.md", "\n".join(TEXTS.values())):
        assert Path(ROOT / one).exists(), one
