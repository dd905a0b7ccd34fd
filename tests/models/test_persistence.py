"""Files of models: exact, whole or not at all, and never code."""

from __future__ import annotations

import hashlib
import os
import pickle
import struct
from pathlib import Path

import msgspec
import pytest
from river import anomaly, compose, optim, preprocessing, stats

import streamrnn
from streamrnn import RNNAnomalyDetector, RNNClassifier, RNNForecaster, RNNRegressor, dumps, load, loads, save
from streamrnn.errors import ParameterError, StateError
from streamrnn.models import persistence
from streamrnn.models._snapshot_classes import MODELS
from streamrnn.models._snapshot_writer import Writer

GOLDEN = Path(__file__).parent / "golden"


def pipeline():
    """Scalers, an encoder, a selection, and a net with an optimiser of river's."""
    numbers = compose.Select("u", "v") | preprocessing.StandardScaler() | preprocessing.MinMaxScaler()
    towns = compose.Select("town") | preprocessing.OneHotEncoder()
    net = RNNRegressor(
        hidden_size=8,
        window=8,
        stride=3,
        optimizer=optim.Momentum(optim.schedulers.InverseScaling(0.01)),
        loss=optim.losses.Huber(2.0),
    )
    return (numbers + towns) | net


def events(n, start=0):
    """Numbers and a category."""
    for i in range(start, start + n):
        yield {"u": i % 7 / 3, "v": float(i), "town": ["Oslo", "Rome"][i % 2]}, i % 5 / 2


def play(model, stream):
    """Predict, then learn."""
    answers = []
    for x, y in stream:
        answers.append(model.predict_one(x))
        model.learn_one(x, y)
    return answers


def test_a_whole_pipeline_goes_on(tmp_path):
    """Scalers, encoders, unions and the net: the continued run gives the bits of the uninterrupted one."""
    whole, stopped = pipeline(), pipeline()
    expected = play(whole, events(60))

    first = play(stopped, events(40))
    save(stopped, tmp_path / "model.streamrnn")
    second = play(load(tmp_path / "model.streamrnn"), events(20, 40))

    assert first + second == expected


def test_keys_of_many_kinds_survive():
    """Text, numbers, tuples, None: keys of JSON's kinds and beyond; others are refused by name."""
    model = RNNRegressor(hidden_size=8, key="k", window=8, stride=3)
    for key in ("a", 1, 2.5, None, (1, "b"), 2**70):
        model.learn_one({"k": key, "u": 1.0}, 1.0)

    assert [key for key, _ in loads(dumps(model))._keys.items()] == ["a", 1, 2.5, None, (1, "b"), 2**70]
    model.learn_one({"k": object, "u": 1.0}, 1.0)
    with pytest.raises(StateError, match="cannot be saved"):
        dumps(model)


@pytest.mark.parametrize("protect", [True, False])
@pytest.mark.parametrize("stop", [0, 1, 4, 5, 6, 150])
def test_a_filter_goes_on_where_it_stopped(stop, protect):
    """River's QuantileFilter with a detector, as in the example: scores and verdicts of the continued run are those of one run."""

    def watch(model, start, stop):
        filtering, found = model["QuantileFilter"], []
        for t in range(start, stop):
            score = model.score_one({"flow": t % 8 + 9.0 * (t % 61 == 60)})
            found.append((score, filtering.classify(score), filtering.quantile.get()))
            model.learn_one({"flow": t % 8 + 9.0 * (t % 61 == 60)})
        return found

    def made():
        detector = RNNAnomalyDetector(hidden_size=8)
        return preprocessing.StandardScaler() | anomaly.QuantileFilter(
            detector, q=0.98, protect_anomaly_detector=protect
        )

    whole, stopped = made(), made()
    first = watch(stopped, 0, stop)
    again = loads(dumps(stopped))

    assert dumps(again) == dumps(stopped)
    assert first + watch(again, stop, 200) == watch(whole, 0, 200)


def test_a_threshold_filter_goes_on():
    """Threshold and protection are kept, with the detector, in a pipeline or alone."""
    model = anomaly.ThresholdFilter(RNNAnomalyDetector(hidden_size=8), threshold=0.7)
    for t in range(50):
        model.learn_one({"flow": t % 4})
    again = loads(dumps(preprocessing.StandardScaler() | model))["ThresholdFilter"]

    assert (again.threshold, again.protect_anomaly_detector) == (0.7, True)
    assert again.score_one({"flow": 9.0}) == model.score_one({"flow": 9.0})


def quantile(**changed):
    """A running quantile as a manifest has it, some of its 23 numbers changed."""
    made = stats.Quantile(0.5)
    for i in range(10):
        made.update(i)
    node = Writer()(made)
    for place, value in changed.items():
        node["quantile"][int(place[1:])] = value
    return node


@pytest.mark.parametrize("model", [preprocessing.RobustScaler(), compose.FuncTransformer(dict), object(), print])
def test_what_is_not_on_the_list_is_refused(model):
    """The error names the class and those that can be saved."""
    with pytest.raises(StateError, match=r"cannot be saved\. These can: RNNAnomalyDetector"):
        dumps(compose.Pipeline(model, RNNRegressor()) if hasattr(model, "transform_one") else model)


def test_any_changed_or_missing_byte_is_noticed():
    """Damage of every kind is an error of one kind, never another model."""
    data = dumps(RNNRegressor(hidden_size=8))
    damaged = [data[:n] for n in (0, 5, 12, 100, len(data) - 1)] + [data + b"x", b"PK" + data]
    damaged += [bytes([*data[:i], data[i] ^ 1, *data[i + 1 :]]) for i in range(0, len(data), 997)]

    for one in damaged:
        with pytest.raises(StateError):
            loads(one)


def test_a_path_is_no_data():
    """Whoever gives ``loads`` a path is told of ``load``."""
    with pytest.raises(ParameterError, match=r"must be bytes\. Got str instead; load reads a path"):
        loads("model.srnn")


def forged(manifest, blobs=b"", version=persistence.FORMAT):
    """A file with a right checksum and whatever inside."""
    text = msgspec.json.encode(manifest)
    body = persistence.MAGIC + bytes([version]) + struct.pack("<Q", len(text)) + text + blobs
    return body + hashlib.sha256(body).digest()


def deep(n):
    """Lists in lists."""
    node = []
    for _ in range(n):
        node = [node]
    return node


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ({"model": ["os.system", {}]}, "'os.system'.*does not know"),
        ({"river": ["FuncTransformer", []]}, "'FuncTransformer'.*does not know"),
        ({"default": ["eval", []]}, "'eval'.*does not know"),
        ({"pickle": "gANYAAAA"}, "'pickle'.*does not know"),
        ({"a": 1, "b": 2}, "single tag"),
        ({"bytes": 10}, "shorter"),
        ({"bytes": -1}, "shorter"),
        ({"model": ["RNNRegressor", []]}, "does not fit"),
        ({"model": ["RNNRegressor", {"dict": [["params", {"dict": [["hidden_size", -5]]}]]}]}, "does not fit"),
        ({"set": [[1]]}, "does not fit"),
        (deep(60), "levels"),
        ({"quantile": []}, "does not fit"),
        ({"quantile": [0.5]}, "does not fit"),
        (quantile(_0=2.0), "other parts"),
        (quantile(_0="high"), "other parts"),
        (quantile(_7=None), "other parts"),
        (quantile(_21=6), "cannot have 6"),
        (quantile(_21=4), "cannot have 4"),
        (quantile(_22=-1), "cannot have 5 values, -1"),
    ],
)
def test_forged_files_are_errors(manifest, said):
    """A file with a right checksum and a wrong content is refused with a reason, and runs nothing."""
    with pytest.raises(StateError, match=said):
        loads(forged(manifest))


def test_forged_states_are_errors():
    """Counters and offsets that the layout cannot have do not reach compiled code."""
    model = RNNRegressor(hidden_size=8)
    parts = model.__getstate__()
    for place in range(0, 256 * 8, 8):
        state = bytearray(parts["state"])
        state[place : place + 8] = struct.pack("<q", 2**40)
        try:
            loads(forged({"model": ["RNNRegressor", tagged(parts, state)]}, bytes(state)))
        except StateError:
            continue
        assert place // 8 in free_words(), place // 8


def tagged(parts, state):
    """The parts of a model as a manifest has them."""
    writer = Writer()
    node = writer({**parts, "state": bytes(state)})
    assert len(writer.blobs) == 1
    return node


def free_words():
    """Header words that may hold any number: switches that are tested against zero, and counts that are only shown."""
    from streamrnn.kernels.net import words as at

    return {at.NORMALIZE_X, at.NORMALIZE_Y, at.FROZEN, at.EVENTS, at.LEARNED, at.UPDATES, at.REFUSED}


def test_a_later_format_says_so():
    """The message tells what to do."""
    with pytest.raises(StateError, match=rf"format {persistence.FORMAT + 1}.*Upgrade"):
        loads(forged(None, version=persistence.FORMAT + 1))


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    """A full disk costs neither the file that was there nor a place for rubbish."""
    target = tmp_path / "model.streamrnn"
    save(RNNClassifier(), target)
    before = target.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save(RNNRegressor(), target)

    assert target.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model.streamrnn"]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc that names an open file")
def test_a_saved_file_outlives_a_power_cut(tmp_path, monkeypatch):
    """The content is on disk before the file has its name, and the name before ``save`` returns."""
    path, seen, fsync = tmp_path / "model.streamrnn", [], os.fsync
    model = RNNRegressor(hidden_size=8)

    def noted(descriptor):
        what = Path(f"/proc/self/fd/{descriptor}").readlink()
        seen.append(("directory" if what.is_dir() else what.read_bytes(), path.exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    save(model, path)

    assert seen == [(dumps(model), False), ("directory", True)]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.streamrnn")), ids=lambda path: path.name)
def test_golden_files_load_for_ever(path):
    """A file of each released format is kept: it loads, and what it holds goes on."""
    model = load(path)

    assert type(model["RNNRegressor"]) is RNNRegressor
    assert model["RNNRegressor"].n_events == 40
    assert all(abs(answer) < 10.0 for answer in play(model, events(20, 40)))


def test_there_is_a_golden_file_of_this_format():
    """Nobody changes the format without keeping a file of the old one.

    Before the first release a change of the layout writes the file anew: ``python -m tests.models.test_persistence``.
    """
    assert (GOLDEN / f"format_{persistence.FORMAT}.streamrnn").exists()


def test_forecasters_are_not_imported_for_others():
    """Reading the table of models loads no module of river's time series."""
    assert MODELS["RNNForecaster"] == "forecaster"
    assert loads(dumps(RNNForecaster(horizon=2, hidden_size=8))).horizon == 2
    assert set(MODELS) == {name for name in streamrnn.__all__ if name.startswith("RNN")}
    assert pickle.dumps(loads(dumps(RNNRegressor(hidden_size=8)))) == pickle.dumps(RNNRegressor(hidden_size=8))


if __name__ == "__main__":
    model = pipeline()
    play(model, events(40))
    save(model, GOLDEN / f"format_{persistence.FORMAT}.streamrnn")
