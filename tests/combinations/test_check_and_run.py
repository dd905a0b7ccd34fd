"""Whatever check calls good starts and processes events; whatever it refuses, a run refuses with the same code."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from streamrnn.cli import main
from tests.combinations.table import COLUMNS, MODELS, event, write

ROWS = 25


def table(**options: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of these options."""
    return st.fixed_dictionaries({}, optional=options)


def mostly(good: Any, *others: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([good, good, good, *others])


# What costs a compilation is left alone: cell and hidden_size.
NET = {
    "window": mostly(4, 1, 16, 0), "stride": mostly(2, 1, 30), "n_layers": st.sampled_from([1, 2]),
    "learning": st.sampled_from(["traces", "window", "none"]), "optimizer": st.sampled_from(["adam", "sgd", "no such"]),
    "lr": mostly(0.01, 0.0, -1.0), "loss": st.sampled_from(["huber", "squared", "cross_entropy", "poisson"]), "normalize": st.booleans(),
    "max_features": mostly(10, 2, 1, 0), "seed": st.integers(0, 9), "advance": st.sampled_from(["learn", "predict"]),
    "alarm_rate": mostly(0.1, 2.0), "memory": mostly(64, 0), "max_classes": mostly(5, 1), "max_pending": mostly(5, 0),
    "key": mostly(None, "k", "a"), "share": mostly("none", "net", "both"),
}  # fmt: skip
FIELDS = st.lists(st.sampled_from([
    "time", "key", "value", "prediction", "residual", "score", "alarm", "p_value", "threshold", "warm", "change", "since", "low", "high",
    "contribution", "views", "feature", "view", "feedback", "position", "partition", "input", "forecast", "forecast_low", "forecast_high", "limit", "limit_alarm",
]), min_size=1, unique=True)  # fmt: skip

POLICIES = table(
    rate=mostly("3/hour", "3/fortnight"), direction=mostly("below", "both", "down"), min_deviation=mostly("10%", -1), valid_range=mostly([0, 2], [2, 0]),
    maintenance=mostly("b", "no such", "y", ["Sun 02:00-04:00"], ["Sun"]), by_feature=mostly({"a": {"direction": "above"}}, {"no such": {}}, {"a": {"up": 1}}),
)  # fmt: skip


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(list(MODELS)))
    model = dict(MODELS[name])
    if "kind" not in model or model["kind"].startswith("RNN") or name == "factory":
        model |= draw(table(**{one: NET[one] for one in draw(st.lists(st.sampled_from(list(NET)), max_size=2))}))
        model |= draw(table(time=mostly("when", "a", "y", "no such", 3)))
    model |= draw(table(label=mostly("y", "w", "no such", 7), feedback_memory=mostly(10, -1)))
    source = {"path": "in.csv", **draw(table(columns=mostly(COLUMNS, ["a"], ["a", "y", "no such"], ["y", "b"])))}
    source |= draw(
        table(
            time=mostly("when", "a", "no such"),
            key=mostly("k", "a", "no such"),
            on_missing=st.sampled_from(["skip", "mean"]),
        )
    )
    state = draw(
        table(mode=st.sampled_from(["snapshot", "replay"]), every=st.integers(1, 20), max_keys=st.integers(1, 3))
    )
    return {
        "source": source,
        "model": model,
        "alarm": draw(table(rate=mostly(0.1, 0.0), window=mostly(20, 10, 5), warm_up=st.integers(0, 30), cooldown=st.integers(0, 5)))
        | (draw(POLICIES) if draw(st.booleans()) else {}),
        "output": {"fields": draw(FIELDS)},
        "forecast": draw(table(horizon=st.integers(0, 2), level=mostly(0.8, 1.0))),
        "sink": {"path": draw(mostly("out.jsonl", "in.csv", "no such/folder/out.jsonl"))},
        "dead_letter": draw(table(path=mostly("dead.jsonl", "in.csv"), max_share=mostly(0.5, 0.0))),
        "state": {**state, **draw(table(dir=st.just("state"), memory_mb=mostly(5.0, 0.001)))},
    }  # fmt: skip


def code_of(*arguments: object) -> object:
    try:
        main([str(one) for one in arguments])
    except SystemExit as ended:
        return ended.code
    raise AssertionError


@settings(max_examples=80)
@given(configurations())
@example(
    {
        "source": {"path": "in.csv"},
        "model": {"kind": "RNNRegressor", "hidden_size": 8, "label": "no such"},
        "sink": {"path": "out.jsonl"},
    }
)
@example(
    {"source": {"path": "in.csv", "key": "k"}, "model": {"hidden_size": 8, "label": "w"}, "sink": {"path": "out.jsonl"}}
)
def test_they_agree(configuration: dict[str, Any]) -> None:
    """For configurations of all kinds, good ones and bad ones."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [event(i) for i in range(ROWS)]
        with (folder / "in.csv").open("w", newline="") as file:
            out = csv.DictWriter(file, list(rows[0]))
            out.writeheader()
            out.writerows(rows)
        before = (folder / "in.csv").read_bytes()
        path = write(folder / "watch.json", configuration)

        checked = code_of("check", path)
        ran = code_of("run", path)

        assert ran == checked
        assert ran in (0, 66, 73, 78)
        assert (folder / "in.csv").read_bytes() == before
        if ran == 0:
            assert (folder / "out.jsonl").read_bytes().count(b"\n") == ROWS
