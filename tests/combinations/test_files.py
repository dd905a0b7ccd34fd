"""Every combination that a configuration can name, on files: what check calls good runs, restarts, is proven and warmed up; the rest is refused."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from streamrnn import config
from streamrnn.cli import main
from streamrnn.engine.assemble import make_runtime
from streamrnn.scorers.check_model import check_model
from tests.combinations.covering import covering, pairs_of, whole
from tests.combinations.table import DIMENSIONS, EVENTS, EVERY, MODELS, good, records, tables, write

STATES = ("none", "snapshot", "replay")


def say(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[object, str]:
    """Run a command in this process; return its exit code and what it said last."""
    with pytest.raises(SystemExit) as ended:
        main([str(one) for one in arguments])
    said = capsys.readouterr()
    return ended.value.code, (said.err.splitlines() or [""])[-1]


def place(folder: Path, row: Mapping[str, Any], state: str, n: int = EVENTS) -> Path:
    folder.mkdir(exist_ok=True)
    found = records(row)[:n]
    with (folder / "in.csv").open("w", newline="") as file:
        out = csv.DictWriter(file, list(found[0]))
        out.writeheader()
        out.writerows(found)
    parts = tables(row)
    parts["source"]["path"] = "in.csv"
    parts["sink"] = {"path": "out.jsonl"}
    parts["state"] = {} if state == "none" else {"dir": "state", "every": EVERY, "mode": state}
    return write(folder / "watch.json", parts)


def run(path: Path) -> bytes:
    make_runtime(config.load(path, check_model), block_events=7).run()
    return (path.parent / "out.jsonl").read_bytes()


@pytest.mark.parametrize("model", MODELS)
def test_every_combination(tmp_path: Path, capsys: pytest.CaptureFixture[str], model: str) -> None:
    """Check, run, restart, verify, warmup: all of them go well and give the same bytes, or check and run refuse with one sentence."""
    wrong = []
    for row in whole({**DIMENSIONS, "model": [model]}):
        expected: bytes | None = None
        for state in STATES:
            folder = tmp_path / "one"
            shutil.rmtree(folder, ignore_errors=True)
            path = place(folder, row, state)
            code, said = say(capsys, "check", path)
            if (code == 0) is not good(row, state, finds_time=True):
                wrong.append((row, state, "check", code, said))
            elif code != 0:
                if (code, said) != say(capsys, "run", path) or code != 78:
                    wrong.append((row, state, "run", code, said))
            else:
                wrong += [(row, state, *one) for one in try_all(folder, row, state, capsys, expected)]
                expected = expected or (folder / "out.jsonl").read_bytes()

    assert wrong == []


def try_all(
    folder: Path, row: Mapping[str, Any], state: str, capsys: pytest.CaptureFixture[str], expected: bytes | None
) -> list[tuple[object, ...]]:
    """Do all that can be done with a good configuration; return what went wrong."""
    if state == "none":
        results = run(folder / "watch.json")
        found: list[tuple[object, ...]] = [("run", results.count(b"\n"))] if results.count(b"\n") != EVENTS else []
        commands = ["verify", "warmup"]
    else:
        run(place(folder, row, state, EVENTS // 2))
        found = [("restart",)] if run(place(folder, row, state)) != expected else []
        commands = ["verify", *(["snapshot verify"] if state == "snapshot" else [])]
    answers = [(command, *say(capsys, *command.split(), folder / "watch.json")) for command in commands]
    return found + [answer for answer in answers if answer[1] != 0]


def test_a_covering_array_holds_every_pair() -> None:
    """Far fewer rows than the table has, the same ones each time, and no pair of values is missing."""
    rows = [row for row in whole(DIMENSIONS) if good(row, "none")]
    chosen = covering(rows)

    assert set().union(*map(pairs_of, chosen)) == set().union(*map(pairs_of, rows))
    assert chosen == covering(rows)
    assert len(chosen) < len(rows) / 3
