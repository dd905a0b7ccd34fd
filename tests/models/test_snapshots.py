"""Snapshots: exact, and harmless whatever is in them."""

from __future__ import annotations

import hashlib
import json
import pickle
import random
import struct

import numpy as np
import pytest

from streamrnn import RNNAnomalyDetector, RNNRegressor, dumps, loads
from streamrnn.errors import StateError, StreamrnnError
from streamrnn.models.persistence import FORMAT, MAGIC

RNG = np.random.default_rng(3)
EVENTS = [{"a": a, "b": b} for a, b in RNG.normal(size=(90, 2)).tolist()]


def step(model, x):
    """Ask about an event, then learn it."""
    if isinstance(model, RNNAnomalyDetector):
        answer = model.score_one(x)
        model.learn_one(x)
    else:
        answer = model.predict_one(x)
        model.learn_one(x, x["a"] - x["b"])
    return answer


@pytest.fixture(params=[RNNAnomalyDetector, RNNRegressor], ids=lambda cls: cls.__name__)
def model(request):
    """A model in the middle of a window, which has learned something."""
    model = request.param(hidden_size=8, seed=5)
    for x in EVENTS[:50]:
        step(model, x)
    return model


def test_continued_is_uninterrupted(model):
    """Loaded in the middle of a window, the model gives the answers of the one that went on, to the bit."""
    loaded = loads(dumps(model))

    assert [step(loaded, x) for x in EVENTS[50:]] == [step(model, x) for x in EVENTS[50:]]
    assert dumps(loaded) == dumps(model)


def test_bytes_are_a_function_of_the_state(model):
    """Saving what was loaded gives the same bytes; so does saving twice, or after a question."""
    data = dumps(model)
    ask = model.score_one if isinstance(model, RNNAnomalyDetector) else model.predict_one
    ask({"a": 9.0, "b": -9.0})

    assert dumps(loads(data)) == dumps(model) == data


def test_an_empty_model_is_saved_too():
    """Before its first event a model can be saved and loaded, and then learns like a new one."""
    new, loaded = RNNAnomalyDetector(hidden_size=8), loads(dumps(RNNAnomalyDetector(hidden_size=8)))

    assert [step(new, x) for x in EVENTS] == [step(loaded, x) for x in EVENTS]


def test_cut_short(model):
    """Cut at any sixteenth, or by one byte: an error that says so."""
    data = dumps(model)
    for end in [*range(0, len(data), len(data) // 16), len(data) - 1]:
        with pytest.raises(StateError):
            loads(data[:end])


def test_flipped_bits(model):
    """Any bit of it flipped: an error."""
    data, rng = dumps(model), random.Random(1)
    for _ in range(300):
        hurt = bytearray(data)
        hurt[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        with pytest.raises(StateError):
            loads(bytes(hurt))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no streamrnn snapshot"),
        (pickle.dumps({"a": 1}), "no streamrnn snapshot"),
        (b"PK\x03\x04" + bytes(200), "no streamrnn snapshot"),
        (MAGIC + bytes([FORMAT + 1]) + bytes(200), "later version"),
        (MAGIC + bytes([FORMAT - 1]) + bytes(200), "earlier build.*build that wrote it, or train"),
        (MAGIC + bytes([FORMAT]) + bytes(200), "damaged"),
    ],
)
def test_foreign_and_future(data, said):
    """What is no snapshot, or one of another format, is told apart from a damaged one."""
    with pytest.raises(StateError, match=said):
        loads(data)


def forged(data, change=lambda manifest: None, change_state=lambda state: state, length=None):
    """A snapshot whose checksum is right and whose content is not."""
    start = len(MAGIC) + 9
    (n,) = struct.unpack("<Q", data[len(MAGIC) + 1 : start])
    [name, parts] = json.loads(data[start : start + n])["model"]
    manifest = {"model": name, **dict(parts["dict"])}
    manifest["params"] = dict(manifest["params"]["dict"])
    change(manifest)
    if "params" in manifest:
        manifest["params"] = {"dict": list(manifest["params"].items())}
    name = manifest.pop("model")
    text = json.dumps({"model": [name, {"dict": list(manifest.items())}]}).encode()
    body = MAGIC + bytes([FORMAT]) + struct.pack("<Q", len(text) if length is None else length) + text
    body += change_state(data[start + n : -32])
    return body + hashlib.sha256(body).digest()


MANIFESTS = {
    "unknown class": lambda m: m.update(model="Pipeline"),
    "builtin": lambda m: m.update(model="eval"),
    "class of another kind": lambda m: m.update(
        model="RNNRegressor" if m["model"] == "RNNAnomalyDetector" else "RNNAnomalyDetector"
    ),
    "unknown parameter": lambda m: m["params"].update(command="rm"),
    "parameter of another type": lambda m: m["params"].update(hidden_size="8"),
    "other size": lambda m: m["params"].update(hidden_size=9),
    "enormous": lambda m: m["params"].update(hidden_size=10**9),
    "negative": lambda m: m["params"].update(window=-1),
    "unknown cell": lambda m: m["params"].update(cell="../../etc/passwd"),
    "other optimiser": lambda m: m["params"].update(optimizer="amsgrad"),
    "fewer names": lambda m: m["names"].pop(),
    "more names": lambda m: m["names"].append("c"),
    "names of another type": lambda m: m.update(names={"a": 1}),
    "unknown field": lambda m: m.update(then="import os"),
    "missing field": lambda m: m.pop("params"),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_forged_manifests(model, name):
    """With a right checksum, a manifest that names or claims something else is refused, never followed."""
    with pytest.raises(StreamrnnError):
        loads(forged(dumps(model), MANIFESTS[name]))


def test_forged_lengths(model):
    """Lengths of the manifest that lie are refused."""
    for length in (0, 1, 10**6, 2**64 - 1):
        with pytest.raises(StateError):
            loads(forged(dumps(model), length=length))


def test_forged_headers(model):
    """Every word of the state's header changed, to a small, a large and a negative number: refused, or harmless.

    The header holds the places of all arrays: a wrong one would be read and written out of bounds. What loads learns on.
    """
    data, harmless = dumps(model), 0
    for word in range(256):
        for value in (1, 2**40, -1):

            def change(state, word=word, value=value):
                words = np.frombuffer(state, np.uint8).copy()
                header = words[: 256 * 8].view(np.int64)
                header[word] += value
                return words.tobytes()

            try:
                loaded = loads(forged(data, change_state=change))
            except StateError:
                continue
            harmless += 1
            for x in EVENTS[50:60]:
                step(loaded, x)
    assert harmless < 40


def test_only_our_classes_are_saved():
    """A subclass, or anything else, is not written: it could not be loaded as what it is."""

    class Mine(RNNAnomalyDetector):
        pass

    for other in (Mine(), object(), RNNAnomalyDetector):
        with pytest.raises(StateError, match="cannot be saved"):
            dumps(other)
