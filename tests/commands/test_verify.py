"""What a run has written, proven; its snapshots, elsewhere; its input, once more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streamrnn import config
from streamrnn.cli import main
from streamrnn.engine.assemble import make_runtime
from streamrnn.scorers.check_model import check_model
from tests.daemon.daemon_rig import HEAD, lines, place


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(str(ended.value.code)), *capsys.readouterr()


def ran(folder: Path, n: int) -> Path:
    """A run over ``n`` rows, some of them no events."""
    path = place(folder, n)
    with (folder / "in.csv").open("a") as file:
        file.write("2024-01-02T00:00:00Z,broken,s0\n" + lines(100, n))
    make_runtime(config.load(path, check_model), block_events=300).run()
    return path


def position(folder: Path, i: int) -> str:
    return str(json.loads((folder / "out.jsonl").read_bytes().splitlines()[i])["position"])


def test_verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each result is proven; a changed digit, a missing line, one too many and another seed are found."""
    path = ran(tmp_path, 1900)
    out = (tmp_path / "out.jsonl").read_bytes()
    before = {one.name: one.read_bytes() for one in (tmp_path / "state").iterdir()}

    assert told(capsys, "verify", str(path)) == (0, "partition 0: 2,000 results are the same, bit for bit.\n", "")

    half = out.splitlines(keepends=True)
    damaged = bytearray(out)
    damaged[len(b"".join(half[:1000])) + 8] ^= 1
    (tmp_path / "out.jsonl").write_bytes(damaged)
    code, said, why = told(capsys, "verify", str(path))
    assert (code, said.split()[2]) == (76, "1,000")
    assert f"position {json.loads(half[1000])['position']}, result 1,001: the output holds" in why

    (tmp_path / "out.jsonl").write_bytes(b"".join(half[:1000]))
    assert told(capsys, "verify", str(path))[0] == 76
    (tmp_path / "out.jsonl").write_bytes(out)
    rows = (tmp_path / "in.csv").read_text()
    (tmp_path / "in.csv").write_text(HEAD + lines(1500))
    code, _, why = told(capsys, "verify", str(path))
    assert (code, "500 results more than its input gives" in why) == (76, True)
    (tmp_path / "in.csv").write_text(rows + lines(50, 3000))  # the run has not come so far
    assert told(capsys, "verify", str(path))[0] == 0
    path.write_text(path.read_text().replace("seed = 3", "seed = 4"))
    assert told(capsys, "verify", str(path))[0] == 76
    assert before == {one.name: one.read_bytes() for one in (tmp_path / "state").iterdir()}


def test_a_snapshot_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Imported into a new run, or replayed from, a snapshot goes on with the very bits of the run it is of."""
    path = ran(tmp_path / "a", 1900)
    out = (tmp_path / "a" / "out.jsonl").read_bytes().splitlines(keepends=True)
    oldest = told(capsys, "snapshot", "list", str(path))[1].splitlines()[-1].split()
    events, kept = int(oldest[3]), str(tmp_path / "kept")
    assert told(capsys, "snapshot", "export", str(path), kept, "--name", oldest[1])[0] == 0
    rest = b"".join(out[events:])

    other = place(tmp_path / "b", 0)
    (tmp_path / "b" / "in.csv").write_bytes((tmp_path / "a" / "in.csv").read_bytes())
    assert told(capsys, "snapshot", "import", str(other), kept)[0] == 0
    code, _, why = told(capsys, "snapshot", "import", str(other), kept)
    assert (code, "has state of partition '0' already" in why) == (76, True)
    make_runtime(config.load(other, check_model)).run()
    assert (tmp_path / "b" / "out.jsonl").read_bytes() == rest
    proven = f"partition 0: {2000 - events:,} results are the same, bit for bit.\n"
    assert told(capsys, "verify", str(other), "--snapshot", kept, "--imported") == (0, proven, "")
    assert told(capsys, "verify", str(other), "--snapshot", kept)[0] == 76

    assert told(capsys, "verify", str(path), "--snapshot", kept)[:2] == (
        0, f"partition 0: {2000 - events:,} results are the same, bit for bit.\n"
    )  # fmt: skip
    replay = ["replay", "--config", str(path), "--snapshot", kept]
    assert told(capsys, *replay)[:2] == (0, rest.decode())
    stretch = told(capsys, *replay, "--to", position(tmp_path / "a", events + 70))
    assert stretch[:2] == (0, b"".join(out[events : events + 70]).decode())
    again = told(capsys, "replay", "--config", str(path), "--to", position(tmp_path / "a", 300))
    assert again[:2] == (0, b"".join(out[:300]).decode())


def test_another_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was learned from one file goes on with another one, in ``replay`` as in a run that took it in."""
    path = ran(tmp_path / "a", 900)
    kept = str(tmp_path / "kept")
    assert told(capsys, "snapshot", "export", str(path), kept)[0] == 0
    other = place(tmp_path / "b", 0)
    (tmp_path / "b" / "in.csv").write_text(HEAD.replace("time", "at") + lines(200, 1000))

    code, _, why = told(capsys, "snapshot", "import", str(other), kept)
    assert (code, "is not the file that was read before" in why) == (76, True)
    assert told(capsys, "snapshot", "import", str(other), kept, "--from-start")[0] == 0
    make_runtime(config.load(other, check_model)).run()
    ran_on = [json.loads(line) for line in (tmp_path / "b" / "out.jsonl").read_bytes().splitlines()]
    options = ["--key", "sensor", "--column", "flow", "--alarm-rate", "0.05", "--snapshot", kept]
    code, said, _ = told(capsys, "replay", str(tmp_path / "b" / "in.csv"), *options)

    assert code == 0
    assert [json.loads(line)["score"] for line in said.splitlines()] == [one["score"] for one in ran_on]
    assert len(ran_on) == 200
    assert ran_on[0]["prediction"] is not None  # it knows the series


WRONG = {
    "no file": (["replay"], 64, "Give FILE, or --config CONFIG"),
    "both": (["replay", "in.csv", "--config", "watch.toml"], 64, "FILE and --config do not go together"),
    "seed": (["replay", "in.csv", "--seed", "3", "--snapshot", "kept"], 64, "--seed and --snapshot do not go together"),
    "key": (["replay", "--config", "watch.toml", "--key", "sensor"], 64, "--key and --config do not go together"),
    "no snapshot": (["replay", "in.csv", "--snapshot", "none"], 66, "'none' cannot be read"),
    "damaged": (["replay", "in.csv", "--snapshot", "cut"], 76, "'cut': The snapshot is damaged"),
    "raw": (["snapshot", "import", "watch.toml", "raw"], 76, "is no exported snapshot"),
    "no gap": (["snapshot", "import", "new.toml", "kept", "--skip-gap"], 76, "so there is no gap"),
    "gap": (["snapshot", "import", "new.toml", "kept", "--skip-gap", "--from-start"], 64, "say different places"),
    "of none": (["snapshot", "export", "watch.toml", "x", "--partition", "7"], 76, "There is no snapshot yet"),
    "no partition": (["replay", "--config", "watch.toml", "--partition", "x"], 76, "no partition 'x'. It has: 0"),
    "nothing": (["verify", "watch.toml", "--snapshot", "kept"], 75, "nothing is proven"),
    "imported": (["verify", "watch.toml", "--imported"], 64, "--imported needs --snapshot FILE"),
    "no output": (["verify", "other.toml"], 73, "cannot be read"),
}


def test_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What does not go together, is damaged or is not there is one sentence with its exit code."""
    path = ran(tmp_path, 200)
    monkeypatch.chdir(tmp_path)
    assert told(capsys, "snapshot", "export", str(path), "kept")[0] == 0
    (tmp_path / "cut").write_bytes((tmp_path / "kept").read_bytes()[:-1])
    (tmp_path / "raw").write_bytes(next((tmp_path / "state").glob("*.snapshot")).read_bytes())
    (tmp_path / "new.toml").write_text(path.read_text().replace('"state"', '"new"').replace("out.jsonl", "new.jsonl"))
    (tmp_path / "other.toml").write_text(path.read_text().replace("out.jsonl", "gone.jsonl"))

    for name, (arguments, code, says) in WRONG.items():
        found, out, why = told(capsys, *arguments)
        assert (found, out) == (code, ""), (name, why)
        assert says in why, name
        assert "Traceback" not in why, name
