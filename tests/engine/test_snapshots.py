"""What is stored: damage of every kind, older snapshots, other models, other processors, and looking at it."""

from __future__ import annotations

import functools
import json
import random
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest

from streamrnn import config
from streamrnn.cli import main
from streamrnn.commands.export import read_export
from streamrnn.engine.assemble import make_runtime
from streamrnn.errors import ModelChangedError, StateError
from streamrnn.scorers.check_model import check_model
from streamrnn.scorers.kinds import ModelKind
from tests.engine.short_rig import lay
from tests.engine.test_loop import KIND, Mean

CONFIG = """
fsync = "never"
[state]
dir = "state"
every = 40
"""


def place(folder: Path, rows: int, more: str = "") -> Path:
    return lay(folder, "flow\n" + "".join(f"{10 + i * 7 % 24}\n" for i in range(rows)), CONFIG + more)


def run(path: Path, kind: ModelKind | None = KIND, **options: Any) -> Any:
    return make_runtime(config.load(path), kind=kind, block_events=20, **options).run()


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A run over the first 200 of 240 rows; and what all 240 give undisturbed."""
    folder = tmp_path_factory.mktemp("ran")
    whole = place(folder / "whole", 240)
    run(whole)
    place(folder / "half", 200)
    run(folder / "half" / "watch.toml")
    place(folder / "half", 240)
    return folder / "half", (whole.parent / "out.jsonl").read_bytes()


loaded = functools.cache(config.load)  # looking for connectors takes longer than the run


def refused(folder: Path) -> str | None:
    """Run, and return what it was refused with, if it was."""
    try:
        make_runtime(loaded(folder / "watch.toml"), kind=KIND, block_events=200).run()
    except StateError as error:
        return str(error)
    return None


def outcome(ran: tuple[Path, bytes], folder: Path, name: str, data: bytes) -> str:
    """Go on with a damaged file: to the right end from an older snapshot, or refused. Anything else fails the test."""
    before, expected = ran
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(before, folder)
    (folder / "state" / name).write_bytes(data)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        refusal = refused(folder)
    if refusal is not None:
        assert refused(folder) == refusal  # a restart meets the same sentence, and has spoiled nothing
        assert (folder / "out.jsonl").read_bytes() == (before / "out.jsonl").read_bytes()
        return "refused"
    assert (folder / "out.jsonl").read_bytes() == expected
    if data == (before / "state" / name).read_bytes():
        return "whole"
    assert any("is damaged" in str(one.message) for one in told), "silent"
    return "older"


def newest(folder: Path) -> tuple[str, str]:
    """Names of the newest snapshot and of the newest state file."""
    states = sorted(
        (folder / "state").glob("state-*.json"),
        key=lambda path: json.loads(path.read_bytes().split(b"\n", 1)[1])["commit"],
    )
    commits = {path.name: int(path.stem.rpartition("-")[2]) for path in (folder / "state").glob("*.snapshot")}
    return max(commits, key=commits.__getitem__), states[-1].name


@pytest.mark.parametrize("which", [0, 1], ids=["snapshot", "state"])
def test_truncated(ran: tuple[Path, bytes], tmp_path: Path, which: int) -> None:
    """Cut at every sixteenth of its length, the newest file gives way to the one before, and says so."""
    name = newest(ran[0])[which]
    data = (ran[0] / "state" / name).read_bytes()

    found = [outcome(ran, tmp_path / "a", name, data[: len(data) * i // 16]) for i in range(16)]

    assert found == ["older"] * 16
    assert outcome(ran, tmp_path / "a", name, data) == "whole"


@pytest.mark.slow
@pytest.mark.parametrize("which", [0, 1], ids=["snapshot", "state"])
def test_flipped(ran: tuple[Path, bytes], tmp_path: Path, which: int) -> None:
    """The same for each of 500 random bits."""
    name = newest(ran[0])[which]
    data = (ran[0] / "state" / name).read_bytes()
    drawn = random.Random(which)

    for _ in range(500):
        damaged = bytearray(data)
        damaged[drawn.randrange(len(data))] ^= 1 << drawn.randrange(8)
        assert outcome(ran, tmp_path / "a", name, bytes(damaged)) == "older"


def test_all_damaged(ran: tuple[Path, bytes], tmp_path: Path) -> None:
    """Without any whole snapshot it refuses, names all of them, and leaves the outputs alone; again and again."""
    folder = tmp_path / "a"
    shutil.copytree(ran[0], folder)
    for path in (folder / "state").glob("*.snapshot"):
        path.write_bytes(path.read_bytes()[:-1])

    for _ in range(2):
        with pytest.raises(StateError, match=r"No snapshot of partition '0' is whole: .*--fresh"):
            run(folder / "watch.toml")
        assert (folder / "out.jsonl").read_bytes() == (ran[0] / "out.jsonl").read_bytes()


def test_kept(tmp_path: Path) -> None:
    """As many are kept as was asked for; the moment before the last keeps its own."""
    path = place(tmp_path, 400, "keep = 5\n")

    run(path)

    assert len(list((tmp_path / "state").glob("*.snapshot"))) in (5, 6)


def test_other_model(tmp_path: Path) -> None:
    """Another model is refused with the difference, or goes on afresh from there where that was asked for."""
    path = place(tmp_path, 200)
    run(path)
    first = (tmp_path / "out.jsonl").read_bytes()
    place(tmp_path, 240)
    other = ModelKind("Mean", {"seed": 3}, Mean, KIND.dumps, KIND.loads)

    with pytest.raises(ModelChangedError, match=r"seed: 'unset' then, 3 now.*on_change = 'fresh'"):
        run(path, other)
    place(tmp_path, 240, 'on_change = "fresh"\n')
    with pytest.warns(RuntimeWarning, match="A new model goes on"):
        summary = run(path, other)

    out = (tmp_path / "out.jsonl").read_bytes()
    assert (summary.events, out.count(b"\n")) == (40, 240)
    assert out.startswith(first)
    assert json.loads(out.splitlines()[200])["prediction"] is None  # it has seen nothing yet
    assert run(path, other).events == 0  # and its own snapshot is taken up


def test_other_numerics(tmp_path: Path) -> None:
    """Another processor or compiler is a warning, or a refusal; the same is neither."""
    here, there = ({"cpu": name, "numba": "1"} for name in ("znver3", "skylake"))
    kinds = [ModelKind("Mean", {}, Mean, KIND.dumps, KIND.loads, numerics) for numerics in (here, there)]
    path = place(tmp_path, 100)
    run(path, kinds[0])
    place(tmp_path, 120)
    run(path, kinds[0])
    place(tmp_path, 140, 'numerics = "refuse"\n')

    with pytest.raises(StateError, match=r"cpu: znver3 then, skylake now.*numerics = 'refuse'"):
        run(path, kinds[1])
    place(tmp_path, 140)
    with pytest.warns(RuntimeWarning, match="differ in the last bits"):
        assert run(path, kinds[1]).events == 20


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(str(ended.value.code)), "".join(capsys.readouterr())


def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """list, show, export, verify and check tell good from damaged, and change nothing."""
    path = place(tmp_path, 200, "[model]\nhidden_size = 8\nseed = 3\n")
    assert told(capsys, "snapshot", "list", str(path))[1].count("\n") == 1
    assert told(capsys, "snapshot", "show", str(path)) == (76, "streamrnn: There is no snapshot yet.\n")
    make_runtime(config.load(path, check_model), block_events=20).run()
    name = newest(tmp_path)[0]
    before = {one.name: one.read_bytes() for one in (tmp_path / "state").iterdir()}

    code, listed = told(capsys, "snapshot", "list", str(path))
    shown = json.loads(told(capsys, "snapshot", "show", str(path))[1])
    exported = told(capsys, "snapshot", "export", str(path), str(tmp_path / "kept"))
    verified = told(capsys, "snapshot", "verify", str(path))

    assert (code, listed.count("good")) == (0, 3)
    assert listed.splitlines()[1].split()[:2] == ["0", name]
    assert shown["model"] == {"kind": "RNNAnomalyDetector", "parameters": {"hidden_size": 8, "seed": 3}}
    assert (shown["events"], shown["name"], min(shown["numerics"])) == (200, name, "cpu")
    assert exported == (0, "")
    assert read_export(str(tmp_path / "kept")).data == before[name]
    assert (verified[0], verified[1].count("good")) == (0, 3)
    assert "snapshot: good" in told(capsys, "check", str(path))[1]

    (tmp_path / "state" / name).write_bytes(before[name][:-9])
    assert told(capsys, "snapshot", "list", str(path))[1].count("DAMAGED: its SHA-256 differs") == 1
    assert told(capsys, "snapshot", "verify", str(path))[0] == 76
    assert told(capsys, "snapshot", "show", str(path), name)[0] == 76
    assert "There is no snapshot 'x'" in told(capsys, "snapshot", "show", str(path), "x")[1]
    (tmp_path / "state" / name).write_bytes(before[name])
    path.write_text(path.read_text().replace("seed = 3", "seed = 4"))
    code, said = told(capsys, "check", str(path))
    assert (code, "seed: 3 then, 4 now" in said) == (76, True)
    assert before == {one.name: one.read_bytes() for one in (tmp_path / "state").iterdir()}
