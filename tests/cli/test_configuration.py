"""Every broken configuration is a sentence for each mistake, all in one go."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamrnn import config
from streamrnn.errors import ConfigError, SourceError
from streamrnn.runtime.assemble import make_runtime
from streamrnn.runtime.models import check_model

GOOD = '[source]\npath = "in.csv"\n'

BROKEN = {
    # what is wrong: (the file, what each line of the message says)
    "empty": ("", ["[source] path: is missing. It must be a text."]),
    "syntax": ("[source\n", ["watch.toml' is not valid TOML", "line 1"]),
    "no value": (GOOD + "time =\n", ["is not valid TOML", "line 3"]),
    "twice": (GOOD + 'path = "b"\n', ["is not valid TOML"]),
    "not a table": ("source = 3\n", ["[source]: must be a table. Got 3 instead."]),
    "not a table either": (GOOD + "[[alarm]]\nrate = 0.1\n", ["[alarm]: must be a table."]),
    "unknown table": (GOOD + "[alarms]\n", ["[alarms]: there is no such table. Did you mean 'alarm'?"]),
    "far unknown table": (GOOD + "[zzz]\n", ["[zzz]: there is no such table. Known: alarm, dead_letter,"]),
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
        ["[alarm] rate: must be a number > 0 and <= 0.5. Got '1%' instead."],
    ),
    "rate too high": (GOOD + "[alarm]\nrate = 1\n", ["[alarm] rate: must be a number > 0 and <= 0.5. Got 1 instead."]),
    "rate zero": (GOOD + "[alarm]\nrate = 0\n", ["[alarm] rate: must be a number > 0"]),
    "rate not a number": (GOOD + "[alarm]\nrate = nan\n", ["[alarm] rate: must be a number > 0"]),
    "rate against window": (
        GOOD + "[alarm]\nrate = 0.001\nwindow = 100\n",
        ["can never alarm with window = 100", "1000 or more"],
    ),
    "bool for int": (GOOD + "[alarm]\nwarm_up = true\n", ["[alarm] warm_up: must be an int >= 0. Got true instead."]),
    "int for bool": (GOOD + "[alarm]\np_value = 1\n", ["[alarm] p_value: must be true or false. Got 1 instead."]),
    "float for int": (GOOD + "[state]\nevery = 1.5\n", ["[state] every: must be an int >= 1. Got 1.5 instead."]),
    "huge": (
        GOOD + "[alarm]\nwindow = 99999999999999999999\n",
        ["[alarm] window: must be an int >= 10 and <= 1000000."],
    ),
    "choice": (
        GOOD + "format = 'xml'\n",
        ["[source] format: must be one of 'auto', 'csv', 'jsonl'. Got 'xml' instead."],
    ),
    "list for text": (GOOD + "time = ['a']\n", ["[source] time: must be a text. Got ['a'] instead."]),
    "text for list": (
        GOOD + "columns = 'a'\n",
        ["[source] columns: must be a list, each item a text. Got 'a' instead."],
    ),
    "wrong item": (GOOD + "columns = ['a', 3]\n", ["[source] columns: must be a list"]),
    "contradiction": (GOOD + "columns = ['a']\ntime = 'a'\n", ["[source] time: 'a' is one of 'columns'"]),
    "moved option": (GOOD + "[sink]\nstate_dir = 'x'\n", ["[sink] state_dir: is set by [state] dir; write it there."]),
    "long value": (GOOD + f"time = [{'1,' * 999}]\n", ["[source] time: must be a text. Got [1, 1,"]),
}


def problems(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "watch.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        config.load(path, check_model)
    return caught.value.problems


@pytest.mark.parametrize("name", BROKEN)
def test_broken(tmp_path: Path, name: str) -> None:
    """The option, the rule, the value and the remedy are named, briefly."""
    text, says = BROKEN[name]

    found = problems(tmp_path, text)

    for words in says:
        assert any(words in line for line in found), found
    assert all(len(line) < 400 for line in found)


def test_all_at_once(tmp_path: Path) -> None:
    """Mistakes in every table are reported together."""
    text = "[source]\npth = 1\n[model]\nhiden_size = 1\n[alarm]\nrate = 9\nwarmup = 1\n[sink]\npath = 3\n[state]\nevery = 0\n[x]\n"

    found = problems(tmp_path, text)

    for words in ("[x]", "pth", "[source] path", "hiden_size", "rate", "warmup", "[sink] path", "every"):
        assert any(words in line for line in found), found


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
