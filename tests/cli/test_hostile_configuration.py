"""Configurations as anybody may have written them: a sentence, at once, and nobody's code is run."""

from __future__ import annotations

import sys
import time

import pytest

from streamrnn.cli import main
from streamrnn.config import load
from streamrnn.config_file import _toml_lines
from streamrnn.errors import ConfigError

DOTTED = ".".join("a" * 20_000)
DEEP = {
    "keys.toml": f"{DOTTED} = 1",
    "table.toml": f"[{DOTTED}]",
    "inside.toml": f"a = {{{DOTTED} = 1}}",
    "lists.toml": "a = " + "[" * 20_000,
    "tables.toml": "a = " + "{b = " * 20_000,
    "braces.yaml": "{" * 20_000,
    "lines.yaml": "[\n" * 20_000,
    "items.yaml": "- " * 20_000,
    "keys.yaml": "\n".join(" " * i + "a:" for i in range(1300)),
    "objects.json": '{"a":' * 20_000 + "1" + "}" * 20_000,
    "some.json": '{"a":' * 400 + "1" + "}" * 400,
}
TEXTS = {
    "path.toml": '[source]\npath = "a\\u0000b"',
    "sink.toml": '[source]\npath = "a"\n[sink]\npath = "a\\u0000b"',
    "list.toml": '[source]\npath = "a"\ncolumns = ["a", "\\u0000"]',
    "path.yaml": 'source: {path: "a\\0b"}',
    "path.json": '{"source": {"path": "a\\ud800b"}}',
    "model.json": '{"source": {"path": "a"}, "model": {"label": "\\u0000"}}',
    "server.json": '{"source": {"path": "a"}, "server": {"host": "\\u0000"}}',
}
ODD = {
    "bool.yaml": "a: !!bool foo",
    "time.yaml": "a: !!timestamp foo",
    "day.yaml": "a: 2001-99-99",
    "int.yaml": "a: !!int ''",
    "digits.toml": "a = " + "9" * 5000,
    "digits.json": '{"a": ' + "9" * 5000 + "}",
    "quotes.toml": 'a = """' + '\\"' * 100_000,
    "spaces.toml": "[" + " " * 400_000,
    "word.toml": "x = '''" + '"""' + "'''\n# \u2028" + "a" * 5000 + '\ny = "\u2028' + "a" * 5000 + '"',
}


def told(capsys, *arguments):
    """Run; return the exit code and all that was said."""
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    said = capsys.readouterr()
    return ended.value.code, said.out + said.err


@pytest.mark.parametrize("name", [*DEEP, *TEXTS, *ODD])
def test_a_sentence_at_once(tmp_path, capsys, name):
    """Too deep for a parser, a path that no file can have, a value that is none: 78, what and where, within seconds."""
    path = tmp_path / name
    path.write_text({**DEEP, **TEXTS, **ODD}[name], encoding="utf-8")
    started = time.process_time()

    code, said = told(capsys, "check", "--offline", str(path))

    assert code == 78, said
    assert name in said
    assert len(said) < 2000
    assert "nested too deeply" in said or name not in DEEP
    assert "NUL" in said or name not in TEXTS
    assert time.process_time() - started < 10.0


def test_texts_of_a_file_may_hold_no_nul_either(tmp_path):
    """What a reference stands for is looked at, too, and not shown."""
    (tmp_path / "secret").write_text("swordfish\0")
    path = tmp_path / "a.toml"
    path.write_text('[source]\npath = "${file:secret}"')

    with pytest.raises(
        ConfigError, match=r"a\.toml:2: \[source\] path: must be text without .* Got '\$\{file:secret\}'"
    ):
        load(path)


def test_lines_are_those_of_the_options():
    """Whatever stands in texts of several lines, comments and lists: an option's line is where it begins."""
    text = 'a = 1 # x = 2\n[b]\nc.d = """x\n=[[\n\\"""\n"""\n"e.f" = [1, # ]\n2]\n[[g]]\nh=\'\'\'[\'\'\'\n[[g]]\nh = {i.j=2}\n[k."l.m"]\nn=1'

    assert _toml_lines(text) == {
        ("a",): 1, ("b",): 2, ("b", "c", "d"): 3, ("b", "e.f"): 7, ("g",): 9, ("g", "0"): 9, ("g", "0", "h"): 10, ("g", "1"): 11,
        ("g", "1", "h"): 12, ("k", "l.m"): 13, ("k", "l.m", "n"): 14,
    }  # fmt: skip


MINE = "from pathlib import Path\nPath('ran').touch()\ndef make():\n    Path('made').touch()\n    raise SystemExit(3)\n"


@pytest.mark.parametrize("more", ["", '\nlabel = "flow"', '\nn = 3\n[state]\ndir = "state"\nmode = "replay"'])
def test_offline_runs_nobodys_code(tmp_path, capsys, monkeypatch, more):
    """``check --offline`` says what it can from the file alone: a factory is named, and neither imported nor called."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "somebodys.py").write_text(MINE)
    path = tmp_path / "a.toml"
    path.write_text(f'[source]\npath = "a.csv"\n[sink]\npath = "o.jsonl"\n[model]\nkind = "somebodys:make"{more}')

    code, said = told(capsys, "check", "--offline", str(path))

    assert (code, "'somebodys:make' was not imported" in said) == (0, True), said
    assert "somebodys" not in sys.modules
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("table", "rule"),
    [
        ('kind = "somebodys:make"\nlabel = 3', r"[model] label: must be the name of a column"),
        ('kind = "somebodys:make"\n[state]\ndir = "state"', r"[state] mode: a somebodys:make cannot be written"),
        ('kind = "somebodys.Model"', r"[model] kind: must be a class of river or streamrnn"),
        ('kind = "pipeline"\nsteps = [{use = "somebodys.Model"}]', r"must be a class of river or streamrnn"),
        ('kind = "river.anomaly.HalfSpaceTree"', r"Did you mean 'HalfSpaceTrees'?"),
    ],
)
def test_offline_says_what_the_file_alone_shows(tmp_path, capsys, monkeypatch, table, rule):
    """The mistakes around a factory, and names that are not river's or ours, are found without importing anything."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "somebodys.py").write_text("raise SystemExit(3)\n")
    path = tmp_path / "a.toml"
    path.write_text(f'[source]\npath = "a.csv"\n[sink]\npath = "o.jsonl"\n[model]\n{table}')

    code, said = told(capsys, "check", "--offline", str(path))

    assert (code, rule in said) == (78, True), said
    assert "somebodys" not in sys.modules
