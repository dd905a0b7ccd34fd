"""The schemas of what a run writes hold for what every kind of model writes, and for nothing else."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from streamrnn import config
from streamrnn.cli import main
from streamrnn.commands.output_schema import schema
from streamrnn.config.options import Field
from streamrnn.engine.assemble import make_runtime
from streamrnn.engine.fields import Result
from streamrnn.engine.output import FIELDS
from streamrnn.scorers.check_model import check_model
from tests.combinations.table import LABEL, MODELS, event, tables, write

EVENTS = 60


def validator(name: str, fields: tuple[str, ...] | None = None) -> Draft202012Validator:
    made = json.loads(schema(name, fields))
    Draft202012Validator.check_schema(made)
    return Draft202012Validator(made)


def faults(check: Draft202012Validator, path: Path) -> list[str]:
    return [error.message for line in path.read_bytes().splitlines() for error in check.iter_errors(json.loads(line))]


def lay(folder: Path, model: str, *, much: bool) -> Path:
    """A stream with a fault, infinity, gaps and a record that is none; with ``much`` there are keys, times, forecasts and limits."""
    some = [event(i) for i in range(EVENTS)]
    some[40]["a"] = 1e6
    some[45]["b"] = "inf" if model == "detector" else None
    some[50]["a"] = None
    some[55] |= dict.fromkeys(("a", "b", "y", "w"))
    with (folder / "in.csv").open("w", newline="") as file:
        out = csv.DictWriter(file, list(some[0]))
        out.writeheader()
        out.writerows(some)
    timed = much and not model.startswith(("river", "pipeline"))
    labelled = model != "river's detector" and (model != "detector" or much)
    row = {
        "model": model,
        "label": labelled,
        "key": much,
        "time": timed,
        "forecast": much,
        "feedback": "with the event",
    }
    parts = tables(row)
    parts["source"] |= {"path": "in.csv"}
    parts["output"] = {"fields": list(Result.__struct_fields__)}
    parts["alarms"] = {"path": "alarms.jsonl", "ends_after": 3} | ({"max_gap": "2m"} if timed else {})
    parts["forecast"] |= {"limits": {"high": 1.0}} if much else {}
    parts["dead_letter"] = {"path": "dead.jsonl"}
    parts["sink"] = {"path": "out.jsonl"}
    return write(folder / "watch.json", parts)


@pytest.mark.parametrize("model", MODELS)
def test_real_outputs(model: str, tmp_path: Path) -> None:
    """Each line that a model of this kind writes, of results with every field there is, of alarms and of dead letters, is as its schema says."""
    assert set(LABEL) <= set(MODELS)
    written: dict[str, int] = {}
    for much in (False, True):
        path = lay(tmp_path, model, much=much)
        make_runtime(config.load(path, check_model), fresh=True).run()
        for name, file, fields in (
            ("result", "out.jsonl", Result.__struct_fields__),
            ("alarm", "alarms.jsonl", None),
            ("dead-letter", "dead.jsonl", None),
        ):
            assert faults(validator(name, fields), tmp_path / file) == []
            written[name] = written.get(name, 0) + (tmp_path / file).read_bytes().count(b"\n")
    assert written["result"] == 2 * (EVENTS - 1)
    assert written["dead-letter"] == 2
    assert written["alarm"] > 0 or model not in ("detector", "supervised")


def test_every_field_is_declared() -> None:
    """What ``[output] fields`` may name, what is written, and what the schema describes are the same."""
    assert set(Result.__struct_fields__) == set(FIELDS) == set(get_args(Field))
    properties = json.loads(schema("result"))["properties"]
    assert all(one.get("description") for one in properties.values())


GOOD: dict[str, Any] = {
    "time": None,
    "key": "a",
    "value": {"x": "Infinity", "y": None},
    "score": 0.5,
    "alarm": True,
    "position": "f:1",
}
MOMENT = {
    "position": 1,
    "time": 3,
    "score": None,
    "severity": None,
    "feature": "x",
    "view": "value",
    "value": 1.5,
    "prediction": 1,
}
ALARM = {"id": "a", "event": "start", "partition": "0", "key": None, "start": MOMENT}
SILENCE = {"view": "silence", "position": 3, "time": "t", "last_s": 1.5}


def test_wrong_lines_are_refused() -> None:
    """A field that is missing, unknown or of another type is no result and no alarm."""
    check = validator("result", tuple(GOOD))
    assert check.is_valid(GOOD)
    for wrong in (
        {"score": "0.5"},
        {"score": "Infinity"},
        {"alarm": None},
        {"value": {"x": "NaN"}},
        {"position": 1.5},
        {"scor": 1},
    ):
        assert not check.is_valid(GOOD | wrong), wrong
    assert not check.is_valid({name: one for name, one in GOOD.items() if name != "score"})
    assert validator("result").is_valid({"score": 0.5})

    check = validator("alarm")
    assert check.is_valid(ALARM)
    assert check.is_valid(ALARM | {"start": SILENCE})
    end = ALARM | {"event": "end", "peak": MOMENT, "end": MOMENT, "alarms": 1, "events": 2}
    assert check.is_valid(end)
    for bad in (
        ALARM | {"event": "end"},
        end | {"event": "start"},
        end | {"alarms": -1},
        ALARM | {"start": {"position": 1}},
        end | {"end": SILENCE},
    ):
        assert not check.is_valid(bad), bad


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``streamrnn schema result CONFIG`` has the fields that the configuration names."""
    (tmp_path / "in.csv").write_text("a\n1\n")
    path = write(
        tmp_path / "watch.json",
        {"source": {"path": "in.csv"}, "output": {"fields": ["score", "key"]}, "sink": {"path": "out"}},
    )
    with pytest.raises(SystemExit) as ended:
        main(["schema", "result", str(path)])

    assert ended.value.code == 0
    made = json.loads(capsys.readouterr().out)
    assert made["required"] == list(made["properties"]) == ["score", "key"]
