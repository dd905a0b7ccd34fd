"""The table of what a configuration can combine, and a short stream that every combination can be tried on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streamrnn import RNNRegressor

EVENTS = 40
EVERY = 15
COLUMNS = ["a", "b", "y", "w"]

STEPS = [
    {"use": "river.preprocessing.StandardScaler"},
    {"use": "streamrnn.models.regressor.RNNRegressor", "hidden_size": 8},
]
MODELS: dict[str, dict[str, Any]] = {
    "detector": {"hidden_size": 8},
    "regressor": {"kind": "RNNRegressor", "hidden_size": 8},
    "classifier": {"kind": "RNNClassifier", "hidden_size": 8},
    "supervised": {"kind": "RNNSupervisedAnomalyDetector", "hidden_size": 8},
    "river's regressor": {"kind": "river.linear_model.LinearRegression"},
    "river's classifier": {"kind": "river.linear_model.LogisticRegression"},
    "river's detector": {"kind": "river.anomaly.HalfSpaceTrees", "n_trees": 3, "height": 3},
    "pipeline": {"kind": "pipeline", "steps": STEPS},
    "factory": {"kind": "tests.combinations.table:regressor"},
}
LABEL = {"classifier": "w", "river's classifier": "w", "detector": "w"}  # of the others: y
DIMENSIONS = {
    "model": list(MODELS), "label": [False, True], "key": [False, True], "time": [False, True],
    "forecast": [False, True], "feedback": ["with the event", "late"],
}  # fmt: skip


def regressor(**parameters: Any) -> RNNRegressor:
    """A factory of a user's own."""
    return RNNRegressor(hidden_size=8, **parameters)


def good(row: Mapping[str, Any], state: str, *, finds_time: bool = False) -> bool:
    """Tell whether this combination is one that works; every other one is to be refused.

    ``finds_time``: the source finds the times where none are named.
    """
    detects = row["model"] in ("detector", "river's detector")
    fits = row["label"] or detects
    if row["label"] and row["model"] == "river's detector":
        return False
    if row["feedback"] == "late" and not (row["model"] == "detector" and row["label"] and (row["time"] or finds_time)):
        return False
    if row["time"] and row["model"].startswith(("river", "pipeline")):
        return False  # they have no such parameter
    written = row["model"] in ("detector", "regressor", "classifier", "supervised")
    return fits and (state != "snapshot" or written)


def event(i: int) -> dict[str, Any]:
    """Return an event. Its time goes on unevenly."""
    return {
        "when": f"2024-01-01T{i // 4:02}:{i * i % 60:02}:00Z", "a": i % 7 / 3, "b": float(i % 5), "y": float(i % 3),
        "w": float(i % 2), "k": f"s{i % 2}",
    }  # fmt: skip


def records(row: Mapping[str, Any], n: int = EVENTS) -> list[dict[str, Any]]:
    """Return the stream of a row of the table: with feedback that comes late, some records are nothing but a word."""
    found = []
    for i in range(n):
        one = event(i)
        if row["feedback"] == "late":
            one["w"] = None
            if i % 10 == 9:
                one = {**dict.fromkeys(one), **{name: event(i - 4)[name] for name in ("when", "k")}, "w": 1.0}
        found.append(one)
    return found


def policy(*, by_time: bool) -> dict[str, Any]:
    """Return everything that can be said of alarms."""
    said = {
        "direction": "above",
        "min_deviation": "10%",
        "valid_range": [-1, 3.5],
        "by_feature": {"a": {"direction": "below"}},
    }
    if by_time:
        return {**said, "rate": "3/hour", "maintenance": ["Mon-Tue 02:00-03:30", "daily 08:00-08:05 Europe/Berlin"]}
    return {**said, "maintenance": "y"}


def tables(row: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a configuration without source, sink and state."""
    model = dict(MODELS[row["model"]])
    if row["label"]:
        model["label"] = LABEL.get(row["model"], "y")
    if row["time"]:
        model["time"] = "when"
    if row["feedback"] == "late":
        model["feedback_memory"] = 20
    source: dict[str, Any] = {"columns": COLUMNS, "on_missing": "mean"}
    source |= {"key": "k"} if row["key"] else {}
    source |= {"time": "when"} if row["time"] else {}
    fields = ["key", "value", "prediction", "residual", "score", "alarm", "p_value", "threshold", "warm", "change", "since", "low",
              "high", "contribution", "views", "feature", "view", "feedback", "forecast", "forecast_low", "forecast_high"]  # fmt: skip
    alarm: dict[str, Any] = {"rate": 0.1, "window": 20, "warm_up": 5}
    if row["model"] == "detector" and row["key"] != row["forecast"]:  # each with half of all else
        alarm |= policy(by_time=row["time"])
    return {
        "source": source,
        "model": model,
        "alarm": alarm,
        "output": {"fields": fields},
        "forecast": {"horizon": 2 if row["forecast"] else 0},
    }


def write(path: Path, tables: Mapping[str, Any]) -> Path:
    """Write a configuration as JSON."""
    path.write_text(json.dumps(tables))
    return path
