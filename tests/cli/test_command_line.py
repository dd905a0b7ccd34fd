"""The command line as a process: what a person at a terminal, or a script, meets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

HEAD = "time,flow\n"
ROWS = "".join(f"2024-01-01T{i // 60 % 24:02}:{i % 60:02}:00Z,{10 + (i * 7 % 24) / 3:.2f}\n" for i in range(400))
CONFIG = """
[source]
path = "in.csv"
[model]
hidden_size = 8
seed = 3
[alarm]
warm_up = 100
rate = 0.05
[sink]
path = "out.jsonl"
[dead_letter]
path = "dead.jsonl"
[state]
dir = "state"
every = 100
"""


def command(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run ``streamrnn`` as a process of its own."""
    line = [sys.executable, "-m", "streamrnn", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, timeout=120, check=False, **options)  # type: ignore[call-overload]


def quiet(log: bytes) -> bool:
    """Whether a run said nothing but that it started and stopped, and which states it went through on the way."""
    events = [json.loads(line)["event"] for line in log.splitlines()]
    return [
        event for event in events if event not in ("stopping", "restored", "compiling", "compiled", "replaying")
    ] == [
        "started",
        "stopped",
    ]


def rows(data: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in data.splitlines()]


def place(folder: Path, data: str = HEAD + ROWS, config: str = CONFIG) -> Path:
    """Lay out an input and its configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "in.csv").write_text(data)
    (folder / "watch.toml").write_text(config)
    return folder / "watch.toml"


def test_replay(tmp_path: Path) -> None:
    """One line for each event, in order, with the promised fields; on standard error what was chosen, and nothing else."""
    place(tmp_path)

    done = command("replay", tmp_path / "in.csv")

    found = rows(done.stdout)
    said = done.stderr.decode().splitlines()
    assert (done.returncode, [line[:11] for line in said[1:]]) == (0, ["  watched  ", "  time     ", "  key      "])
    assert said[0].endswith("in.csv: CSV, separator ,, decimal point, names in its first row, utf-8")
    assert list(found[0]) == ["time", "key", "value", "prediction", "score", "alarm", "position"]
    assert [row["time"] for row in found] == [line.split(",")[0] for line in ROWS.splitlines()]
    assert [row["value"] for row in found] == [float(line.split(",")[1]) for line in ROWS.splitlines()]
    assert all(0 <= row["score"] <= 1 for row in found)  # type: ignore[operator]


def test_same_bytes(tmp_path: Path) -> None:
    """Two processes in two working directories write the same bytes, hash seeds and terminals aside."""
    results = []
    for name, seed in (("a", "1"), ("b/deeper", "2")):
        config = place(tmp_path / name, config=CONFIG.replace("warm_up = 100\n", ""))  # that replay has no option for
        cwd = tmp_path / name if name == "a" else tmp_path
        done = command("run", config.relative_to(cwd), cwd=cwd, env={**os.environ, "PYTHONHASHSEED": seed})
        assert done.returncode == 0
        assert quiet(done.stderr)
        results.append((config.parent / "out.jsonl").read_bytes())
    options = ("--seed", "3", "--hidden-size", "8", "--alarm-rate", "0.05")  # as configured
    piped = command("replay", "-", *options, input=(HEAD + ROWS).encode())

    assert results[0] == results[1]
    assert [row["score"] for row in rows(results[0])] == [row["score"] for row in rows(piped.stdout)]


HOSTILE = {
    "missing value": ("time,flow,level\n" + ROWS.replace("\n", ",1\n") + "2024-01-02T00:00:00Z,,1\n", 401, 0),
    "no value at all": (HEAD + ROWS + "2024-01-02T00:00:00Z,\n", 400, 1),
    "text in a number column": (HEAD + ROWS + "2024-01-02T00:00:00Z,abc\n2024-01-02T00:01:00Z,10\n", 401, 1),
    "duplicate and backward times": (HEAD + ROWS + "2024-01-01T00:00:00Z,10\n2024-01-01T00:00:00Z,10\n", 402, 0),
    "a line of 10 MB": (
        HEAD + ROWS + "2024-01-02T00:00:00Z," + "9" * 10_000_000 + "\n2024-01-02T00:01:00Z,10\n",
        401,
        1,
    ),
    "too few and too many cells": (HEAD + ROWS + "2024-01-02T00:00:00Z\n2024-01-02T00:00:00Z,1,2\n", 400, 2),
    "infinity and not UTF-8": (HEAD + ROWS + "2024-01-02T00:00:00Z,inf\n\udcff\udcfe,3\n", 401, 1),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_rows(tmp_path: Path, name: str) -> None:
    """A bad row is a dead letter with its line; the run goes on, and says so in one place."""
    data, events, dead = HOSTILE[name]
    (tmp_path / "in.csv").write_bytes(data.encode(errors="surrogateescape"))

    done = command("replay", tmp_path / "in.csv", "--dead-letters", tmp_path / "dead.jsonl")

    assert done.returncode == 0
    assert len(rows(done.stdout)) == events
    assert b"Traceback" not in done.stderr
    assert (b"could not become" in done.stderr) == (dead > 0)
    letters = rows((tmp_path / "dead.jsonl").read_bytes()) if dead else []
    assert len(letters) == dead
    assert all(letter["line"] and letter["reason"] for letter in letters)
    assert len(done.stderr) < 1000


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"a,b\n" + b"1,2\n" * 500 + b"1\n" * 900, "900 of 1,400 records could not become"),
        (b"a,b\nx,y\nz,w\n", "number"),
        (b"\0\1\2" * 99, ""),
    ],
    ids=["empty", "most of it ragged", "no numbers", "binary"],
)
def test_hostile_files(tmp_path: Path, data: bytes, says: str) -> None:
    """A file that is no stream is an error in a sentence, or a stream of nothing but dead letters."""
    (tmp_path / "in.csv").write_bytes(data)

    done = command("replay", tmp_path / "in.csv")

    assert done.returncode in (0, 65, 66, 78)
    assert done.returncode == 65 or not done.stdout
    assert says in done.stderr.decode().lower()
    assert b"Traceback" not in done.stderr
    assert b"a bug" not in done.stderr


def test_input_missing(tmp_path: Path) -> None:
    """66: the input, or the configuration, is not there."""
    for arguments in (("replay", tmp_path / "no.csv"), ("run", tmp_path / "no.toml")):
        done = command(*arguments)

        assert done.returncode == 66
        assert b"no." in done.stderr
        assert done.stderr.count(b"\n") == 1


def test_pipe_closed(tmp_path: Path) -> None:
    """A reader that leaves (``| head``) is no error."""
    place(tmp_path, HEAD + ROWS * 50)
    line = f"{sys.executable} -m streamrnn replay {tmp_path / 'in.csv'} | head -n 1"

    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, timeout=120, check=False)

    assert (done.returncode, done.stderr) == (0, b"")
    assert len(rows(done.stdout)) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal(tmp_path: Path, number: signal.Signals) -> None:
    """Asked to stop, it finishes what it has read, writes its state and exits 0; a restart goes on from there."""
    config = place(tmp_path, config=CONFIG.replace('path = "in.csv"', 'path = "in.csv"\nfollow = true'))
    process = subprocess.Popen([sys.executable, "-m", "streamrnn", "run", config], stderr=subprocess.PIPE)
    try:
        wait_for_lines(tmp_path / "out.jsonl", 400)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    half = (tmp_path / "out.jsonl").read_bytes()
    with (tmp_path / "in.csv").open("a") as file:
        file.write(ROWS)
    config.write_text(CONFIG)
    again = command("run", config)

    assert (process.returncode, again.returncode) == (0, 0)
    assert quiet(said)
    assert quiet(again.stderr)
    whole = place(tmp_path / "whole", HEAD + ROWS + ROWS)
    command("run", whole)
    found = (tmp_path / "out.jsonl").read_bytes()
    assert found.startswith(half)
    assert [row["score"] for row in rows(found)] == [
        row["score"] for row in rows((whole.parent / "out.jsonl").read_bytes())
    ]


def wait_for_lines(path: Path, n: int) -> None:
    for _ in range(2400):  # the first run of all compiles
        if path.exists() and path.read_bytes().count(b"\n") >= n:
            return
        time.sleep(0.05)
    raise TimeoutError(path)


def test_second_signal(tmp_path: Path) -> None:
    """A second signal does not wait."""
    code = (
        "import os, signal, time\n"
        "from streamrnn.daemon.signals import StopSignals\n"
        "with StopSignals():\n"
        "    os.kill(os.getpid(), signal.SIGTERM); os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)\n"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 128 + signal.SIGTERM


def test_kill(tmp_path: Path) -> None:
    """Killed without warning and restarted, the outputs are those of one uninterrupted run."""
    config = place(tmp_path, HEAD + ROWS * 40, CONFIG.replace("every = 100", "every = 3000"))
    whole = place(tmp_path / "whole", HEAD + ROWS * 40)
    command("run", whole)
    for lines in (1, 4000, 9000):
        process = subprocess.Popen([sys.executable, "-m", "streamrnn", "run", config])
        try:
            wait_for_lines(tmp_path / "out.jsonl", lines)
        finally:
            process.kill()
        process.wait(timeout=20)

    assert command("run", config).returncode == 0
    assert (whole.parent / "out.jsonl").read_bytes() == (tmp_path / "out.jsonl").read_bytes()


def test_fresh(tmp_path: Path) -> None:
    """Run again at its end it adds nothing; with --fresh it starts anew, other models included."""
    config = place(tmp_path)
    out = tmp_path / "out.jsonl"
    command("run", config)
    first = out.read_bytes()

    assert command("run", config).returncode == 0
    assert first == out.read_bytes()
    config.write_text(CONFIG.replace("seed = 3", "seed = 4"))
    refused = command("run", config)
    assert refused.returncode == 76
    assert b"seed: 3 then, 4 now" in refused.stderr
    assert command("run", config, "--fresh").returncode == 0
    assert len(rows(first)) == len(rows(out.read_bytes()))
    assert first != out.read_bytes()


def test_picture(tmp_path: Path) -> None:
    """--plot draws; a name it cannot draw to is refused before the run."""
    place(tmp_path)

    done = command("replay", tmp_path / "in.csv", "--plot", tmp_path / "a.html")
    refused = command("replay", tmp_path / "in.csv", "--plot", "a.gif")

    assert (done.returncode, done.stderr.count(b"\n")) == (0, 4)  # what was chosen
    assert "<svg" in (tmp_path / "a.html").read_text()
    assert (refused.returncode, refused.stdout) == (78, b"")


@pytest.mark.parametrize(
    "arguments",
    [
        ("replay",),
        ("run",),
        ("replay", "a.csv", "--seed", "x"),
        ("rum", "x"),
        ("run", "a", "b"),
        ("replay", "a", "--colum", "x"),
    ],
    ids=" ".join,
)
def test_usage(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """64: the command line itself is wrong."""
    from streamrnn.cli import main

    with pytest.raises(SystemExit) as ended:
        main(arguments)

    said = capsys.readouterr().err
    assert ended.value.code == 64
    assert "Error: " in said or said.startswith("streamrnn: ")


def test_help_is_light() -> None:
    """--help imports nothing that takes time."""
    code = (
        "import sys\nfrom streamrnn.cli import cli\n"
        "for words in (['--help'], ['run', '--help'], ['replay', '--help']):\n    cli.main(words, standalone_mode=False)\n"
        "heavy = {'numpy', 'numba', 'river', 'matplotlib', 'rich', 'pandas', 'msgspec'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=30)

    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_no_room_for_standard_output() -> None:
    """73: a full disk under standard output is one sentence, of every command."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "streamrnn", "config", "--schema"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )

    said = "streamrnn: Standard output cannot be written: no space left on its disk.\n"
    assert (done.returncode, done.stderr.decode()) == (73, said)


def commands(group: click.Group, *path: str) -> list[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with the words that lead to it."""
    found = []
    for name, one in group.commands.items():
        found += commands(one, *path, name) if isinstance(one, click.Group) else [((*path, name), one)]
    return found


def test_every_command() -> None:
    """Each has a help that says what it does and what its options are, and shows a traceback when asked."""
    from streamrnn import cli

    for words, command in commands(cli.cli):
        said = CliRunner().invoke(cli.cli, [*words, "--help"])
        options = [one for one in command.params if isinstance(one, click.Option)]

        assert said.exit_code == 0
        assert "--debug" in said.output, words
        assert command.help, words
        assert not command.get_short_help_str().endswith("..."), words  # the list of commands cuts nothing off
        assert [one.name for one in options if not one.help] == [], words


def test_bug(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """70: a mistake of the program is one line that asks for a report; --debug shows where it happened."""
    from streamrnn import cli, config

    def broken(*_: object) -> None:
        raise KeyError("no such\nthing")

    monkeypatch.setattr(config, "load", broken)
    for arguments, lines in ((["run", "a.toml"], 1), (["run", "a.toml", "--debug"], 5)):
        with pytest.raises(SystemExit) as ended:
            cli.main(arguments)
        said = capsys.readouterr().err

        assert ended.value.code == 70
        assert "Please report it" in said
        assert said.count("\n") == 1 if lines == 1 else "Traceback" in said


MESSY = "Messwerte;;\nZeit;Wert;Kennung\n" + "".join(
    f"{1 + i // 24:02d}.03.2024 {i % 24:02d}:00;{'-999' if i % 40 == 7 else f'{10 + i % 7},5'};{7000 + i % 3}\n"
    for i in range(400)
)


def test_what_was_chosen_is_said_and_its_options_work(tmp_path: Path) -> None:
    """The block names columns, time, key and what was skipped, each with the option that changes it; obeyed, each does."""
    (tmp_path / "in.csv").write_text(MESSY)

    said = command("replay", "in.csv", cwd=tmp_path)
    told = command(
        "replay", "in.csv", "--json", "--column", "Kennung", "--time", "", "--key", "", "--missing", "", "--skip", "2", "--no-header",
        cwd=tmp_path,
    )  # fmt: skip
    right = command(
        "replay", "in.csv", "--json", "--skip", "1", "--header", "--delimiter", ";", "--decimal", ",", "--encoding", "cp1252", "--missing", "-999",
        "--time", "Zeit", "--time-format", "%d.%m.%Y %H:%M", "--order", "as_written", "--comment", "", "--format", "csv", cwd=tmp_path,
    )  # fmt: skip

    assert said.stderr.decode().removeprefix(f"{tmp_path}/").splitlines() == [
        "in.csv: CSV, separator ;, decimal comma, names in its first row, 1 line before the table skipped (--skip N), utf-8",
        "  watched   Wert, Kennung",
        "  time      Zeit, day/month/year, no zone is written: UTC, every 1 h",
        "  key       none",
        "  missing   -999 in Wert (--missing '' for none)",
        "  in doubt  'Kennung' holds one number, or few large ones, in the first 400 records (--column NAME for what is to be watched instead)",
    ]
    assert (told.returncode, b"has no column 'Kennung'" in told.stderr) == (78, True)  # with --no-header it is c2
    found = json.loads(right.stderr)
    assert (right.returncode, found["columns"], found["missing"]) == (
        0,
        ["Wert", "Kennung"],
        {"Wert": [-999.0], "Kennung": [-999.0]},
    )
    assert (found["lines_skipped"], found["encoding"], found["time"]["format"]) == (1, "cp1252", "%d.%m.%Y %H:%M")
    values = [[{**row, "position": None} for row in rows(done.stdout)] for done in (said, right)]
    assert values[0] == values[1]


def test_options_of_reading_are_those_of_the_connector() -> None:
    """Each option of replay for reading a file is an option of [source] with the same name."""
    from streamrnn.cli.replay import READING
    from streamrnn.io import find_connector

    fields = find_connector("source", "files").Options.__struct_fields__
    assert {name.split("/")[0].replace("-", "_") for name in READING} <= set(fields)
