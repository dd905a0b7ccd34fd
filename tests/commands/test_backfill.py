"""History learned first: the run goes on exactly behind it, as if it had been running all the time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streamrnn import config
from streamrnn.commands.backfill import backfill
from streamrnn.engine.assemble import make_runtime
from streamrnn.scorers.check_model import check_model
from tests.commands.test_verify import ran, told
from tests.daemon.daemon_rig import HEAD, lines, place


def goes_on(path: Path) -> bytes:
    make_runtime(config.load(path, check_model)).run()
    return (path.parent / "out.jsonl").read_bytes()


@pytest.mark.parametrize("more", ["", '\n[source]\nevery = "20s"\naggregate = "mean"\n'])
def test_no_gap_and_no_double(tmp_path: Path, capsys: pytest.CaptureFixture[str], more: str) -> None:
    """Results behind a backfill are those of one run over all, byte for byte; with windows that are open at its end too."""
    whole, part = (place(tmp_path / name, n) for name, n in (("a", 1900), ("b", 1100)))
    for path in (whole, part):
        tables = path.read_text()
        windows = more.replace("\n[source]\n", "")
        path.write_text(tables.replace("[source]\n", f"[source]\n{windows}"))
    expected = goes_on(whole).splitlines(keepends=True)

    code, said, _ = told(capsys, "backfill", str(part))
    assert (code, said.startswith("partition 0: ")) == (0, True)
    assert not (tmp_path / "b" / "out.jsonl").exists() or (tmp_path / "b" / "out.jsonl").read_bytes() == b""
    with (tmp_path / "b" / "in.csv").open("a") as file:
        file.write(lines(800, 1100))
    found = goes_on(part).splitlines(keepends=True)

    assert 0 < len(found) < len(expected)
    assert found == expected[-len(found) :]
    if not more:
        assert len(found) == 800
        kept = str(tmp_path / "kept")
        assert told(capsys, "snapshot", "export", str(part), kept)[0] == 0
        assert told(capsys, "backfill", str(part))[0] == 76  # it has state now


def test_a_history_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another input is learned first; the run reads its own from its beginning, and knows the series."""
    history = ran(tmp_path / "a", 900)
    path = place(tmp_path / "b", 0)
    (tmp_path / "b" / "in.csv").write_text(HEAD.replace("time", "at") + lines(200, 1000))

    code, said, _ = told(capsys, "backfill", str(path), "--history", str(history))
    assert (code, said.startswith("partition 0: 1,000 events learned, 1 records were none")) == (0, True)
    found = [json.loads(line) for line in goes_on(path).splitlines()]

    assert len(found) == 200
    assert found[0]["prediction"] is not None


def test_stopped(tmp_path: Path) -> None:
    """A backfill that is stopped leaves nothing behind: the run may begin as if there had been none."""
    path = place(tmp_path, 300)
    checked = config.load(path, check_model)

    assert backfill(checked, stopped=lambda: True) == ["Stopped; nothing was stored."]
    assert len(goes_on(path).splitlines()) == 300


WRONG = {
    "no state": ("watch.toml", 78, "[state] dir: is missing"),
    "keyless": ("--history", 78, "events of the history have a key and those of the run have none"),
    "other partition": ("--partition", 66, "no partition 'x'"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """What cannot be is one sentence with its exit code, before anything is stored."""
    option, code, sentence = WRONG[what]
    path = place(tmp_path / "a", 300)
    monkeypatch.chdir(path.parent)
    text = path.read_text()
    more = []
    if what == "no state":
        path.write_text(text[: text.index("[state]")])
    if what == "keyless":
        other = place(tmp_path / "b", 300)
        other.write_text(text)
        path.write_text(text.replace('key = "sensor"\n', 'columns = ["flow"]\n'))
        more = ["--history", str(other)]
    if what == "other partition":
        more = [option, "x"]
    found, _, why = told(capsys, "backfill", str(path), *more)

    assert (found, sentence in why) == (code, True)
    path.write_text(text)
    assert told(capsys, "snapshot", "list", str(path))[1] == "There is no snapshot yet.\n"
