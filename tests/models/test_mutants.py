"""``loads`` of what anybody may have written: a model that is whole, or a StateError."""

from __future__ import annotations

import hashlib
import struct
import sys
import time
from collections import Counter

import msgspec
import pytest
from river import anomaly, compose, optim, preprocessing

import streamrnn
from streamrnn import dumps, loads
from streamrnn.errors import StateError
from streamrnn.models import persistence
from streamrnn.models._snapshot_writer import Writer
from tests.models.mutants import holds, mutants

HEADER = struct.Struct("<11sQ")
SMALL = {"hidden_size": 8, "window": 8, "stride": 4, "seed": 1}


def _events(model, *labels):
    for i in range(12):
        x = {"u": i % 3, "v": float(i), "k": "ab"[i % 2], "ts": float(i)}
        model.learn_one(
            {name: x[name] for name in ("u", "v", *{model.key, model.time} - {None})}, *(y(i) for y in labels)
        )
    return model


def _pending():
    model = streamrnn.RNNRegressor(**SMALL, advance="predict", key="k")
    for i in range(9):
        model.predict_one({"u": i, "k": "ab"[i % 2]})
    return model


def _filtered():
    numbers = compose.Select("u", "v") | preprocessing.StandardScaler()
    detector = anomaly.QuantileFilter(streamrnn.RNNAnomalyDetector(**SMALL, memory=64), q=0.9)
    model = (numbers + (compose.Select("town") | preprocessing.OneHotEncoder())) | detector
    for i in range(12):
        model.learn_one({"u": i % 3, "v": float(i), "town": "ab"[i % 2]})
    return model


def _forecaster(keyed, **more):
    model = streamrnn.RNNForecaster(horizon=2, **SMALL, key="k" if keyed else None, **more)
    for i in range(9):
        model.learn_one({"a": i % 3, "b": i} if keyed else i % 3, {"k": "ab"[i % 2], "f": i} if keyed else None)
    return model


MODELS = {
    "regressor": lambda: _events(streamrnn.RNNRegressor(**SMALL, key="k", time="ts"), lambda i: i % 5),
    "waiting": _pending,
    "optimised": lambda: _events(
        streamrnn.RNNRegressor(**SMALL, optimizer=optim.Momentum(0.1), loss=optim.losses.Huber(2.0)), lambda i: i
    ),
    "classifier": lambda: _events(streamrnn.RNNClassifier(**SMALL), lambda i: ["x", "y", "z"][i % 3]),
    "targets": lambda: _events(streamrnn.RNNMultiTargetRegressor(**SMALL), lambda i: {"a": i, "b": -i}),
    "transformer": lambda: _events(streamrnn.RNNTransformer(**SMALL)),
    "detector": lambda: _events(streamrnn.RNNAnomalyDetector(**SMALL, memory=64)),
    "supervised": lambda: _events(streamrnn.RNNSupervisedAnomalyDetector(**SMALL, memory=64), lambda i: i % 4),
    "forecaster": lambda: _forecaster(keyed=False, experts=("last", "rls", "lstm")),
    "channels": lambda: _forecaster(keyed=True, experts=("last", "seasonal", "arx")),
    "pipeline": _filtered,
}


def fields(data):
    """What stands before the length of the manifest, and that."""
    start, length = HEADER.unpack_from(data)
    return start, length


@pytest.mark.parametrize("name", MODELS)
def test_mutants_are_whole_or_refused(name):
    """Whatever is changed in a snapshot, its sum made right again: StateError, or a model that is written and read as it is."""
    whole = dumps(MODELS[name]())
    found = Counter(holds(one, loads, dumps) for one in mutants(whole, HEADER, fields, 250, 1))

    assert HEADER.size == len(persistence.MAGIC) + 1 + 8
    assert holds(whole, loads, dumps)
    assert found[False] > 100
    assert found[True] > 0


@pytest.mark.parametrize("plain", [None, 3, "text", [1.0], {"a": 1}, b"bytes", preprocessing])
def test_what_is_no_model_is_neither_written_nor_read(plain):
    """A number, a text, a list: there is no model in them."""
    with pytest.raises(StateError, match=r"no model|cannot be saved"):
        dumps(plain)
    if plain is not preprocessing:
        text = msgspec.json.encode(Writer()(plain))
        body = (
            persistence.MAGIC
            + bytes([persistence.FORMAT])
            + struct.pack("<Q", len(text))
            + text
            + (plain if plain == b"bytes" else b"")
        )
        with pytest.raises(StateError, match="holds no model"):
            loads(body + hashlib.sha256(body).digest())


if __name__ == "__main__":
    n, started, total = int(sys.argv[1]), time.perf_counter(), Counter()
    for seed, (name, make) in enumerate(MODELS.items()):
        for one in mutants(dumps(make()), HEADER, fields, n // len(MODELS), seed + 100):
            total[name, holds(one, loads, dumps)] += 1
    sys.stdout.write(f"{n} mutants in {time.perf_counter() - started:.1f} s: {dict(total)}\n")
