"""Events of some keys, exported weights, and what a model says that never stopped: shared by the tests of the adapters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from streamrnn import RNNAnomalyDetector, RNNRegressor
from streamrnn.adapters import FrozenModel, export

KINDS: dict[str, tuple[Any, str | None]] = {
    "detector": (lambda: RNNAnomalyDetector(key="pump", hidden_size=8, memory=64, warm_up=5), None),
    "full detector": (
        lambda: RNNAnomalyDetector(key="pump", hidden_size=8, memory=64, warm_up=5, expectation="full"),
        None,
    ),
    "regressor": (lambda: RNNRegressor(key="pump", hidden_size=8, window=4, learning="tbptt"), "flow"),
}


def events_of(n: int, pumps: int = 5) -> list[dict[str, Any]]:
    """Events of some pumps, not in turns; each pump has a level of its own."""
    return [
        {
            "seq": i,
            "pump": f"pump {(i * i + i // 7) % pumps}",
            "level": 10.0**(i * i % pumps) + math.sin(i / 9.0) + (4.0 if i % 97 == 96 else 0.0),
            "rate": None if i % 11 == 3 else i % 13 / 3.0,
            "flow": i % 5 * 0.5,
        }
        for i in range(n)
    ]  # fmt: skip


def trained(kind: str, n: int = 300, start: int = 0) -> Any:
    """A model that has learned some events."""
    make, label = KINDS[kind]
    model = make()
    for event in events_of(start + n)[start:]:
        x = {name: event[name] for name in ("pump", "level", "rate")}
        if label is None:
            model.learn_one(x)
        else:
            model.learn_one(x, event[label])
    return model


def weights(kind: str, folder: Path, start: int = 0) -> FrozenModel:
    """The model of exported weights."""
    return FrozenModel.load(export(trained(kind, start=start), folder), label=KINDS[kind][1])


def alone(model: FrozenModel, events: Sequence[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """What one model says of the events, one by one, by their numbers."""
    model, begun, said = model.copy(), set(), {}
    for event in events:
        if event["pump"] not in begun:
            model.begin(event["pump"], None)
            begun.add(event["pump"])
        said[event["seq"]] = {name: value for name, [value] in model.run(event["pump"], [event]).items()}
    return said
