"""Every broken configuration is a sentence for each mistake, all in one go."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path

import pytest

from streamrnn import config
from streamrnn.cli import main
from streamrnn.config_secrets import redact
from streamrnn.engine.assemble import make_runtime
from streamrnn.errors import ConfigError, SourceError
from streamrnn.io import example_names
from streamrnn.scorers.check_model import check_model

GOOD = '[source]\npath = "in.csv"\n'

BROKEN: dict[str, tuple[str, list[str]]] = {
    # what is wrong: (the file, what the message says). Names that begin with a language are files in that language.
    "empty": ("", ["[source] path: is missing. It must be a text of at least 1 character."]),
    "syntax": ("[source\n", ["watch.toml' is not valid TOML", "line 1"]),
    "no value": (GOOD + "time =\n", ["is not valid TOML", "line 3"]),
    "twice": (GOOD + 'path = "b"\n', ["is not valid TOML"]),
    "not a table": ("source = 3\n", ["[source]: must be a table. Got 3 instead."]),
    "not a table either": (GOOD + "[[alarm]]\nrate = 0.1\n", ["[alarm]: must be a table."]),
    "unknown table": (GOOD + "[alrm]\n", ["[alrm]: there is no such table. Did you mean 'alarm' or 'alarms'?"]),
    "far unknown table": (GOOD + "[zzz]\n", ["[zzz]: there is no such table. Known: alarm, alarms, dead_letter,"]),
    "unknown option": ("[source]\npth = 'x'\n", ["[source] pth: there is no such option. Did you mean 'path'?"]),
    "unknown connector": (
        "[source]\nkind = 'redis'\n",
        ["[source] kind: there is no source connector 'redis'. Known: files"],
    ),
    "kind no text": ("[source]\nkind = 3\n", ["[source] kind: must be a text. Got 3 instead."]),
    "unknown model": (
        GOOD + "[model]\nkind = 'RNNDetector'\n",
        ["[model] kind: there is no model 'RNNDetector'. Did you"],
    ),
    "unknown parameter": (GOOD + "[model]\nhiden_size = 8\n", ["[model] hiden_size:", "Did you mean 'hidden_size'?"]),
    "parameter of wrong type": (GOOD + "[model]\nhidden_size = 'big'\n", ["[model] hidden_size:", "Got 'big' instead"]),
    "parameter out of range": (GOOD + "[model]\nhidden_size = 0\n", ["[model] hidden_size:", "Got 0 instead"]),
    "two parameters": (GOOD + "[model]\nhidden_size = 0\nwindow = -1\n", ["hidden_size", "window"]),
    "date for a number": (GOOD + "[model]\nseed = 2024-01-01\n", ["[model] seed:"]),
    "rate as text": (
        GOOD + "[alarm]\nrate = '1%'\n",
        ["[alarm] rate: must be a number > 0 and <= 0.5 or a text such as '2/day'. Got '1%' instead."],
    ),
    "rate too high": (
        GOOD + "[alarm]\nrate = 1\n",
        ["[alarm] rate: must be a number > 0 and <= 0.5 or a text such as '2/day'. Got 1 instead."],
    ),
    "rate zero": (GOOD + "[alarm]\nrate = 0\n", ["[alarm] rate: must be a number > 0"]),
    "rate not a number": (GOOD + "[alarm]\nrate = nan\n", ["[alarm] rate: must be a number > 0"]),
    "rate against window": (
        GOOD + "[model]\nkind = 'river.anomaly.HalfSpaceTrees'\n[alarm]\nrate = 0.001\nwindow = 100\n",
        [":6: [alarm] rate: 0.001 is less than one score in window = 100", "1000 or more"],
    ),
    "rate too low": (
        GOOD + "[alarm]\nrate = 1e-6\n",
        ["[alarm] rate: must be a number >= 1e-05 for RNNAnomalyDetector. Got 1e-06"],
    ),
    "bool for int": (GOOD + "[alarm]\nwarm_up = true\n", ["[alarm] warm_up: must be an int >= 0. Got true instead."]),
    "int for bool": (GOOD + "follow = 1\n", ["[source] follow: must be true or false. Got 1 instead."]),
    "float for int": (GOOD + "[state]\nevery = 1.5\n", ["[state] every: must be an int >= 1. Got 1.5 instead."]),
    "huge": (
        GOOD + "[alarm]\nwindow = 99999999999999999999\n",
        ["[alarm] window: must be an int >= 10 and <= 100000."],
    ),
    "choice": (
        GOOD + "format = 'xml'\n",
        ["[source] format: must be one of 'auto', 'csv', 'influx', 'json', 'jsonl', 'parquet'. Got 'xml' instead."],
    ),
    "list for text": (GOOD + "time = ['a']\n", ["[source] time: must be a text. Got ['a'] instead."]),
    "text for list": (
        GOOD + "columns = 'a'\n",
        ["[source] columns: must be a list, each item a text. Got 'a' instead."],
    ),
    "wrong item": (GOOD + "columns = ['a', 3]\n", ["[source] columns: must be a list"]),
    "contradiction": (GOOD + "columns = ['a']\ntime = 'a'\n", ["[source] time: 'a' is one of 'columns'"]),
    "moved option": (
        GOOD + "[sink]\nstate_dir = 'x'\n",
        ["[sink] state_dir: there is no such option. Known: fsync, path."],
    ),
    "long value": (GOOD + f"time = [{'1,' * 999}]\n", ["[source] time: must be a text. Got [1, 1,"]),
    "connector misspelt": (
        GOOD + "[sink]\nkind = 'file'\n",
        ["[sink] kind: there is no sink connector 'file'. Known: files"],
    ),
    "unknown option of the sink": (GOOD + "[sink]\npaht = 'x'\n", [":4: [sink] paht:", "Did you mean 'path'?"]),
    "empty path": (
        "[source]\npath = ''\n",
        [":2: [source] path: must be a text of at least 1 character. Got '' instead."],
    ),
    "path is a number": (
        "[source]\npath = 7\n",
        [":2: [source] path: must be a text of at least 1 character. Got 7 instead."],
    ),
    "path is a table": ("[source.path]\na = 1\n", [":1: [source] path: must be a text"]),
    "delimiter of two characters": (GOOD + "delimiter = ';;'\n", ["[source] delimiter: must be one ASCII character"]),
    "delimiter is a quote": (
        GOOD + "delimiter = '\"'\n",
        ["[source] delimiter: must be one ASCII character, no quote"],
    ),
    "follow as text": (GOOD + "follow = 'yes'\n", [":3: [source] follow: must be true or false. Got 'yes' instead."]),
    "follow standard input": (
        "[source]\npath = '-'\nfollow = true\n",
        [":3: [source] follow: standard input is read as it comes anyway; leave it unset."],
    ),
    "columns twice": (GOOD + "columns = ['a', 'a']\n", [":3: [source] columns: must differ from each other."]),
    "time is key": (GOOD + "time = 'a'\nkey = 'a'\n", [":4: [source] key: must differ from 'time'. Both are 'a'."]),
    "line bytes too few": (GOOD + "max_line_bytes = 1\n", ["max_line_bytes: must be an int >= 64 and <= 1073741824."]),
    "on_missing": (GOOD + "on_missing = 'skip'\n", ["on_missing: must be one of 'dead_letter', 'mean'. Got 'skip'"]),
    "header as text": (GOOD + "header = 'no'\n", [":3: [source] header: must be true or false. Got 'no' instead."]),
    "fsync": (GOOD + "[sink]\nfsync = 'always'\n", [":4: [sink] fsync: must be one of 'commit', 'never'."]),
    "negative seed": (GOOD + "[model]\nseed = -1\n", [":4: [model] seed:", "must be an int >= 0. Got -1 instead."]),
    "seed as float": (GOOD + "[model]\nseed = 1.5\n", [":4: [model] seed:", "Got 1.5 instead."]),
    "stride above window": (GOOD + "[model]\nwindow = 4\nstride = 9\n", [":3: [model]:", "'stride'", "window (4)"]),
    "unknown cell": (
        GOOD + "[model]\ncell = 'lsmt'\n",
        [":4: [model] cell:", "one of lstm, trace_lstm, peephole_lstm"],
    ),
    "unknown optimiser": (GOOD + "[model]\noptimizer = 'adm'\n", [":4: [model] optimizer:", "one of adam, sgd"]),
    "lr zero": (GOOD + "[model]\nlr = 0\n", [":4: [model] lr:", "a number > 0, or None. Got 0 instead."]),
    "kind of model a list": (GOOD + "[model]\nkind = ['a']\n", [":4: [model] kind: must be a text."]),
    "model a list": (GOOD + "[[model]]\nkind = 'a'\n", [":3: [model]: must be a table."]),
    "cooldown negative": (
        GOOD + "[alarm]\ncooldown = -3\n",
        [":4: [alarm] cooldown: must be an int >= 0. Got -3 instead."],
    ),
    "window too small": (GOOD + "[alarm]\nwindow = 9\n", [":4: [alarm] window: must be an int >= 10"]),
    "every zero": (GOOD + "[state]\nevery = 0\n", [":4: [state] every: must be an int >= 1. Got 0 instead."]),
    "max_keys zero": (GOOD + "[state]\nmax_keys = 0\n", [":4: [state] max_keys: must be an int >= 1."]),
    "state dir a list": (GOOD + "[state]\ndir = ['a']\n", [":4: [state] dir: must be a text. Got ['a'] instead."]),
    "dead letters to standard output": (
        GOOD + "[dead_letter]\npath = 3\n",
        [":4: [dead_letter] path: must be a text."],
    ),
    "dotted": ("source.path = 'a'\nalarm.rate = 2\n", [":2: [alarm] rate: must be a number > 0 and <= 0.5"]),
    "inline": (
        "source = { path = 'a', formt = 'csv' }\n",
        [":1: [source] formt: there is no such option. Did you mean"],
    ),
    "after a text of many lines": (
        '[source]\npath = """\n[alarm]\nrate = 1\n"""\n[alarm]\nrate = 3\n',
        [":7: [alarm] rate: must be a number"],
    ),
    "variable not set": (
        "[source]\npath = '${NO_SUCH_VARIABLE}/in.csv'\n",
        [":2: [source] path: the environment variable 'NO_SUCH_VARIABLE' is not set. Set it, or write '${NO_SUCH"],
    ),
    "variable of a wrong type": (
        GOOD + "[alarm]\nrate = '${NO_SUCH_VARIABLE:-high}'\n",
        [
            ":4: [alarm] rate: must be a number > 0 and <= 0.5 or a text such",
            "Got '${NO_SUCH_VARIABLE:-high}' instead.",
        ],
    ),
    "variable out of range": (
        GOOD + "[alarm]\nwindow = '${NO_SUCH_VARIABLE:-5}'\n",
        ["[alarm] window: must be an int >= 10 and <= 100000. Got '${NO_SUCH_VARIABLE:-5}' instead."],
    ),
    "secret missing": (
        "[source]\npath = '${file:/no/such/secret}'\n",
        [
            ":2: [source] path: the file of '${file:/no/such/secret}' cannot be read: No such file",
            "Create it, or mount",
        ],
    ),
    "secret without a path": (
        "[source]\npath = '${file:}'\n",
        [":2: [source] path: '${file:}' is no reference. Write"],
    ),
    "reference not closed": ("[source]\npath = '${HOME'\n", [":2: [source] path: '${HOME' is no reference."]),
    "reference with a strange name": ("[source]\npath = '${1-A}'\n", ["'${1-A}' is no reference. Write '${NAME}'"]),
    "yaml": (
        "source:\n  path: a\nalarm:\n  rate: 3\n  warmup: 1\n",
        [".yaml:4: [alarm] rate:", ".yaml:5: [alarm] warmup:"],
    ),
    "yaml syntax": ("source:\n  path: [a\n", ["watch.yaml' is not valid YAML", "line 3"]),
    "yaml twice": ("source:\n  path: a\n  path: b\n", ["'source.path' is given twice, in line 2 and line 3."]),
    "yaml alias": ("source: &a\n  path: b\nsink: *a\n", ["anchors and aliases (& and *) are not supported"]),
    "yaml of a tag": ("source: !!python/object/apply:os.system ['true']\n", ["is not valid YAML", "line 1"]),
    "yaml list": ("- a\n- b\n", ["must hold tables ([source], [model], ...). It is a list instead."]),
    "yaml key": ("source:\n  path: a\n  on: 3\n", ["the name True in [source] is no text; put it in quotes."]),
    "yaml truth": (
        "source:\n  path: no\n",
        [".yaml:2: [source] path: must be a text of at least 1 character. Got false instead."],
    ),
    "json": ('{"source": {\n\t"path": "a",\n\t"formt": 1}}', [".json:3: [source] formt: there is no such option."]),
    "json syntax": ('{"source": }', ["watch.json' is not valid JSON: Expecting value (at line 1, column 12)."]),
    "json twice": ('{"source": {"path": "a", "path": "b"}}', ["'source.path' is given twice"]),
    "json number": ("17", ["must hold tables ([source], [model], ...). It is a int instead."]),
    "json deep": ("[" * 100_000, ["watch.json' is not valid JSON: it is nested too deeply."]),
}


def problems(tmp_path: Path, text: str, suffix: str = "toml") -> list[str]:
    """What ``streamrnn check`` says about a file: exit code 78, a line for each mistake, no traceback."""
    path = tmp_path / f"watch.{suffix}"
    path.write_text(text)
    said = io.StringIO()
    with pytest.raises(SystemExit) as ended, contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        main(["check", "--offline", str(path)])
    assert ended.value.code == 78
    return said.getvalue().splitlines()


@pytest.mark.parametrize("name", BROKEN)
def test_broken(tmp_path: Path, name: str) -> None:
    """The file, the option, the rule, the value and the remedy are named, briefly."""
    text, says = BROKEN[name]
    language = name.partition(" ")[0]

    found = problems(tmp_path, text, language if language in ("yaml", "json") else "toml")

    for words in says:
        assert any(words in line for line in found), found
    assert all("watch." in line and line.startswith("streamrnn: ") for line in found)
    assert all(len(line) < 500 + len(str(tmp_path)) for line in found)
    assert "Traceback" not in "".join(found)


def test_enough() -> None:
    """The table is as long as was promised."""
    assert len(BROKEN) >= 60


def test_all_at_once(tmp_path: Path) -> None:
    """Mistakes in every table are reported together."""
    text = "[source]\npth = 1\n[model]\nhiden_size = 1\n[alarm]\nrate = 9\nwarmup = 1\n[sink]\npath = 3\n[state]\nevery = 0\n[x]\n"

    found = problems(tmp_path, text)

    for words in ("[x]", "pth", "[source] path", "hiden_size", "rate", "warmup", "[sink] path", "every"):
        assert any(words in line for line in found), found
    lines = [int(number[1]) for line in found if (number := re.search(r"watch\.toml:(\d+):", line))]
    assert lines == sorted(lines)
    assert len(lines) > 6


def test_not_text(tmp_path: Path) -> None:
    """Bytes that are no UTF-8, and a directory, are errors with the name."""
    (tmp_path / "watch.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigError, match=r"watch\.toml' is not UTF-8"):
        config.load(tmp_path / "watch.toml")
    with pytest.raises(SourceError, match="cannot be read"):
        config.load(tmp_path)


def test_relative_paths(tmp_path: Path) -> None:
    """Paths are relative to the file; - stays what it is."""
    path = tmp_path / "watch.toml"
    path.write_text('[source]\npath = "a/in.csv"\n[sink]\npath = "-"\n[state]\ndir = "/s"\n[dead_letter]\npath = "d"\n')

    found = config.load(path)

    assert found.source.options.path == str(tmp_path / "a/in.csv")
    assert found.sink.options.path == "-"
    assert (found.state.dir, found.dead_letter.path) == ("/s", str(tmp_path / "d"))


def test_handed_to_the_sink(tmp_path: Path) -> None:
    """What other tables say about the sink reaches it: one commit covers all of it."""
    path = tmp_path / "watch.toml"
    path.write_text(GOOD + '[sink]\npath = "o"\n[state]\ndir = "s"\n[dead_letter]\npath = "o"\n')

    with pytest.raises(ConfigError, match="must differ"):
        make_runtime(config.load(path))


SAME = {
    "toml": "[source]\npath = 'in.csv'\ncolumns = ['a', 'b']\n[alarm]\nrate = 0.02\n[model]\nseed = 3\n",
    "yaml": "source:\n  path: in.csv\n  columns: [a, b]\nalarm:\n  rate: 0.02\nmodel:\n  seed: 3\n",
    "yml": "{source: {path: in.csv, columns: [a, b]}, alarm: {rate: 0.02}, model: {seed: 3}}\n",
    "json": json.dumps(
        {"source": {"path": "in.csv", "columns": ["a", "b"]}, "alarm": {"rate": 0.02}, "model": {"seed": 3}},
        indent="\t",
    ),
}


def test_languages(tmp_path: Path) -> None:
    """TOML, YAML and JSON say the same."""
    found = []
    for suffix, text in SAME.items():
        (tmp_path / f"watch.{suffix}").write_text(text)
        found.append(config.load(tmp_path / f"watch.{suffix}", check_model))

    assert all(one == found[0] for one in found)
    assert found[0].source.options.columns == ("a", "b")


def test_references(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables and files stand for texts and, where one is expected, for numbers and truths; $${ stays."""
    (tmp_path / "name").write_text("secret-place\n")
    monkeypatch.setenv("EVERY", "17")
    monkeypatch.setenv("EMPTY", "")
    path = tmp_path / "watch.toml"
    path.write_text(
        "[source]\npath = '${EMPTY:-in}.csv'\nfollow = '${FOLLOW:-true}'\ntime = '$${x}'\n"
        "[model]\nseed = '${EVERY}'\ncell = '${CELL:-gru}'\nnormalize = '${N:-false}'\nlr = '${LR:-0.5}'\n"
        "[state]\nevery = '${EVERY}'\ndir = '${file:name}/x'\n"
    )

    found = config.load(path, check_model)

    assert found.source.options.path == str(tmp_path / "in.csv")
    assert (found.source.options.follow, found.source.options.time) == (True, "${x}")
    assert found.model.options == {"seed": 17, "cell": "gru", "normalize": False, "lr": 0.5}
    assert found.state.every == 17
    assert found.state.dir == str(tmp_path / "secret-place" / "x")
    assert redact(f"it is {found.state.dir}") == f"it is {tmp_path / '***' / 'x'}"


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    """Neither the content of a secret's file nor a value called a password is ever printed."""
    (tmp_path / "password").write_text("correct-horse")

    found = problems(
        tmp_path,
        "[source]\npath = 'a'\nformat = '${file:password}'\nsasl_password = 'battery-staple'\n"
        "[model]\nkind = '${file:password}'\n[sink]\npath = '${file:password}/x'\nfsync = 3\n",
    )

    assert len(found) == 4
    assert "horse" not in "".join(found)
    assert "staple" not in "".join(found)
    assert any("Got '${file:password}' instead" in line for line in found)


def test_check_tries(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --offline, what would go wrong with source and sink is said too, all of it, with the run's exit code."""
    (tmp_path / "file").write_text("no numbers\nhere\n")
    path = tmp_path / "watch.toml"
    cases = {
        ("in.csv", "out", "state"): (66, ["in.csv' cannot be read"]),
        ("file", "file/out", "file"): (
            65,
            ["no column of numbers", "file/out' cannot be written", "is not a directory"],
        ),
        ("good.csv", ".", "state"): (73, ["it is a directory"]),
        ("good.csv", "out", "deep/state"): (
            0,
            ["good (source: good; sink: good; snapshot: none yet; model: good with the first events)"],
        ),
    }
    (tmp_path / "good.csv").write_text("a\n1\n2\n")
    for (source, sink, state), (code, says) in cases.items():
        path.write_text(f"[source]\npath = '{source}'\n[sink]\npath = '{sink}'\n[state]\ndir = '{state}'\n")
        with pytest.raises(SystemExit) as ended:
            main(["check", str(path)])
        said = "".join(capsys.readouterr())

        assert ended.value.code == code, said
        assert [words for words in says if words not in said] == [], said
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "good.csv", "watch.toml"]


def test_the_input_is_never_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Results and dead letters go to other files than the one that is read, by whatever name: refused before any is opened."""
    rows = "a\n1\n2\n"
    (tmp_path / "in.csv").write_text(rows)
    (tmp_path / "link.csv").symlink_to("in.csv")
    path = tmp_path / "watch.toml"
    path.write_text("[source]\npath = 'in.csv'\n[sink]\npath = 'link.csv'\n[dead_letter]\npath = './in.csv'\n")
    replay = ["replay", str(tmp_path / "in.csv"), "--dead-letters", str(tmp_path / "link.csv")]
    for words, lines in (
        (["check", str(path), "--offline"], 2),
        (["check", str(path)], 2),
        (["run", str(path)], 2),
        (replay, 1),
    ):
        with pytest.raises(SystemExit) as ended:
            main(words)
        said = capsys.readouterr().err

        assert ended.value.code == 78
        assert said.count("it would be overwritten. Name another one.") == lines, words
        assert (tmp_path / "in.csv").read_text() == rows


def test_check_asks_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A broker that does not answer is one error, and is waited for once, where source and sink are at the same."""
    kafka = "kind = 'kafka'\nservers = '127.0.0.1:1'\nconnect_timeout_s = 0.2\n"
    path = tmp_path / "watch.toml"
    path.write_text(
        f"[source]\n{kafka}topics = ['a']\ngroup = 'g'\ncolumns = ['x']\n[sink]\nkind = 'kafka'\ntopic = 'b'\n"
    )

    with pytest.raises(SystemExit) as ended:
        main(["check", str(path)])

    assert ended.value.code == 69
    assert capsys.readouterr().err.count("does not answer") == 1


@pytest.mark.parametrize(("share", "net"), [("none", 0), ("net", 150)])
def test_check_tells_memory(tmp_path: Path, capsys: pytest.CaptureFixture[str], share: str, net: int) -> None:
    """Where there are keys, what they take is said before they are paid for, and how many fit into a budget, beside a net that they share."""
    (tmp_path / "in.csv").write_text("sensor,a\ns,1\n")
    path = tmp_path / "watch.toml"
    text = "[source]\npath = 'in.csv'\nkey = 'sensor'\n[model]\nhidden_size = 8\n"
    text += f"share = '{share}'\n[sink]\npath = 'out'\n[state]\ndir = 'state'\n"
    said = []
    for more in ("max_keys = 20\n", "memory_mb = 1.6\n"):
        path.write_text(text + more)
        with pytest.raises(SystemExit) as ended:
            main(["check", str(path)])
        assert ended.value.code == 0
        said.append(
            re.search(r"takes (\d+) KB; there is room for (\d+), (\d+) MB .* as much again", capsys.readouterr().out)
        )

    (each, room, total), (same, fit, budget) = (tuple(map(int, one.groups())) for one in said if one is not None)
    assert (room, total) == (20, round(room * each / 1000))
    assert (same, budget) == (each, 2 if fit * each > 1500 else 1)
    assert (1600 - net) / (each + 0.5) - 1 <= fit <= 1600 / (each - 0.5)  # each is rounded


def test_example(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The examples that the program prints are good."""
    assert example_names() == ["file", "kafka", "postgres", "prometheus", "sqlite"]
    for name in example_names():
        with pytest.raises(SystemExit) as ended:
            main(["config", "--example", name])
        (tmp_path / "watch.toml").write_text(capsys.readouterr().out)

        assert ended.value.code == 0
        config.load(tmp_path / "watch.toml", check_model)


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    """A data file given by mistake is refused at once."""
    (tmp_path / "watch.toml").write_bytes(b"#" * 2_000_000)

    with pytest.raises(ConfigError, match="is larger than 1048576 bytes"):
        config.load(tmp_path / "watch.toml")
