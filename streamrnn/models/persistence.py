"""Models as bytes: versioned, checked, exact, and never code.

A snapshot is ``magic | format | length of manifest | manifest (JSON) | states | SHA-256 of all before``. The manifest names
classes out of an allow-list; loading builds those classes and puts plain data into them. Nothing is unpickled, evaluated
or imported by name.

Why not an existing library: safetensors and the like store arrays, not which estimator they belong to; joblib, skops and
cloudpickle store objects by pickle or by importing whatever they name. What is left is this page.
"""

from __future__ import annotations

import hashlib
import inspect
import math
import os
import struct
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from river.base import Estimator

from streamrnn.errors import ParameterError, StateError
from streamrnn.kernels.net.losses.table import LOSSES
from streamrnn.kernels.net.optimizers.schedules import SCHEDULES
from streamrnn.kernels.net.optimizers.table import OPTIMIZERS
from streamrnn.models._recurrent import Recurrent
from streamrnn.models._translate import is_river
from streamrnn.whole import write_whole

__all__ = ["dumps", "load", "loads", "save"]

MAGIC: Final = b"streamrnn\x00"
FORMAT: Final = 1
_LENGTH: Final = struct.Struct("<Q")
MOST_SAID: Final = 500  # characters of what was wrong with a manifest, which may quote it
DEEPEST: Final = 50  # levels of a manifest; a pipeline has five, and a hostile file shall not exhaust the stack

# Ours, by the module that holds it: a forecaster's imports river.time_series, which takes two seconds.
MODELS: Final = {
    "RNNAnomalyDetector": "anomaly_detector",
    "RNNClassifier": "classifier",
    "RNNForecaster": "forecaster",
    "RNNMultiTargetRegressor": "multi_target_regressor",
    "RNNRegressor": "regressor",
    "RNNSupervisedAnomalyDetector": "supervised_anomaly_detector",
    "RNNTransformer": "transformer",
}
# River's classes by name, with the module that is imported when a snapshot holds one. First those whose whole state is
# plain data; then those that are settings, where what they have learned does not count (see streamrnn.models._translate).
_PLAIN: Final = {
    "river.preprocessing": (
        "StandardScaler", "MinMaxScaler", "MaxAbsScaler", "Normalizer", "OneHotEncoder", "OrdinalEncoder", "PreviousImputer",
    ),
    "river.compose": ("Select", "Discard", "Prefixer", "Suffixer", "Renamer"),
    "river.stats": ("Min", "Max", "AbsMax"),
    "river.anomaly": ("QuantileFilter", "ThresholdFilter"),
}  # fmt: skip
_SETTINGS: Final = {
    "river.optim.schedulers": tuple(SCHEDULES),
    "river.optim": tuple(rule.river for rule in OPTIMIZERS.values() if rule.river),
    "river.optim.losses": tuple(row.river for row in LOSSES.values() if row.river),
}
RIVER: Final = {name: module for module, names in _PLAIN.items() for name in names}
SETTINGS: Final = {name: module for module, names in _SETTINGS.items() for name in names}
_BUILTIN: Final[dict[str, type]] = {cls.__name__: cls for cls in (float, int, set, dict)}
_FACTORIES: Final = {**dict.fromkeys(_BUILTIN, "builtins"), **{name: RIVER[name] for name in _PLAIN["river.stats"]}}
# A running quantile of river's lies in its Rust part: q, then four times five markers, then how many values have come (to
# 5) and whether they are sorted. As numbers they do not depend on what its own pickles look like.
_QUANTILE: Final = struct.Struct("<21d2B")
_COMPOSED: Final = dict.fromkeys(("Pipeline", "TransformerUnion"), "river.compose")
_MAPPINGS: Final[dict[str, Callable[[Any], Any]]] = {"dict": dict, "ordered": OrderedDict, "counter": Counter}
_SEQUENCES: Final[dict[str, Callable[[Any], Any]]] = {"tuple": tuple, "set": set, "frozenset": frozenset}


class _Writer:
    """Turns objects into JSON's own types, each of the others as an object with one tag."""

    def __init__(self) -> None:
        self.blobs: list[bytes] = []

    def __call__(self, value: Any) -> Any:
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or type(value) in (bool, str):
            return value
        if type(value) is int:
            return value if abs(value) < 2**63 else {"int": str(value)}
        if type(value) is float:
            return value if math.isfinite(value) else {"float": str(value)}
        if type(value) is list:
            return [self(one) for one in value]
        if type(value) is bytes:
            self.blobs.append(value)
            return {"bytes": len(value)}
        for tag, kind in _SEQUENCES.items():
            if type(value) is kind:
                ordered = sorted(value, key=repr) if tag != "tuple" else value
                return {tag: [self(one) for one in ordered]}
        for tag, kind in _MAPPINGS.items():
            if type(value) is kind:
                return {tag: self._pairs(value)}
        if type(value) is defaultdict and getattr(value.default_factory, "__name__", "") in _FACTORIES:
            return {"default": [value.default_factory.__name__, self._pairs(value)]}  # type: ignore[union-attr]
        return self._object(value)

    def _pairs(self, value: Any) -> list[Any]:
        return [[self(key), self(one)] for key, one in value.items()]

    def _object(self, value: Any) -> Any:
        name = type(value).__name__
        if isinstance(value, Recurrent) and type(value).__module__ == f"streamrnn.models.{MODELS.get(name)}":
            return {"model": [name, self(value.__getstate__())]}
        if is_river(value, "river.compose", "Pipeline"):
            return {"pipeline": self._pairs(value.steps)}
        if is_river(value, "river.compose", "TransformerUnion"):
            return {"union": self._pairs(value.transformers)}
        if is_river(value, "river.stats", "Quantile"):
            return {"quantile": [self(one) for one in _markers(value)]}
        if is_river(value, RIVER.get(name, ""), name):
            return {"river": [name, self._pairs(vars(value))]}
        if is_river(value, SETTINGS.get(name, ""), name):
            given = {one: getattr(value, one) for one in inspect.signature(type(value)).parameters}
            return {"settings": [name, self._pairs(given)]}
        known = ", ".join([*MODELS, "Pipeline", "TransformerUnion", *RIVER, *SETTINGS])
        raise StateError(f"{type(value).__module__}.{name} cannot be saved. These can: {known}.")


class _Reader:
    """The way back: builds what the tags say, and nothing that is not on the lists."""

    def __init__(self, blobs: memoryview) -> None:
        self.blobs = blobs
        self.at = 0
        self.depth = 0

    def __call__(self, node: Any) -> Any:
        if isinstance(node, list):
            return self._deeper(lambda: [self(one) for one in node])
        if not isinstance(node, dict):
            return node
        if len(node) != 1:
            raise StateError("The snapshot's manifest holds an object without a single tag.")
        [(tag, content)] = node.items()
        return self._deeper(lambda: self._tagged(tag, content))

    def all(self, node: Any) -> Any:
        """Return what the whole snapshot holds: a model, with all of the states used."""
        found = self(node)
        if self.at != len(self.blobs):
            raise StateError("The snapshot's states are longer than its manifest says.")
        return _model(found)

    def _deeper(self, build: Callable[[], Any]) -> Any:
        self.depth += 1
        if self.depth > DEEPEST:
            raise StateError(f"The snapshot's manifest has more than {DEEPEST} levels.")
        made = build()
        self.depth -= 1
        return made

    def _pairs(self, content: Any) -> list[tuple[Any, Any]]:
        return [(self(key), self(one)) for key, one in content]

    def _tagged(self, tag: str, content: Any) -> Any:
        if tag in _MAPPINGS:
            return _MAPPINGS[tag](dict(self._pairs(content)))
        if tag in _SEQUENCES:
            return _SEQUENCES[tag](self(one) for one in content)
        match tag:
            case "int" if isinstance(content, str):
                return int(content)
            case "float" if isinstance(content, str):
                return float(content)
            case "bytes" if type(content) is int:
                start, self.at = self.at, self.at + content
                if content < 0 or self.at > len(self.blobs):
                    raise StateError("The snapshot's states are shorter than its manifest says.")
                return bytes(self.blobs[start : self.at])
            case "default":
                return defaultdict(_class(_FACTORIES, content[0]), self._pairs(content[1]))
            case "model":
                return self._model(_known(MODELS, content[0]), content[0], content[1])
            case "pipeline":
                return self._composed("Pipeline", content)
            case "union":
                return self._composed("TransformerUnion", content)
            case "settings":
                return _class(SETTINGS, content[0])(**dict(self._pairs(content[1])))
            case "quantile":
                return _quantile([self(one) for one in content])
            case "river":
                made = object.__new__(_class(RIVER, content[0]))
                kept = dict(self._pairs(content[1]))
                if not all(isinstance(name, str) for name in kept):
                    raise StateError(f"The snapshot's {content[0]} has an attribute without a name.")
                if "anomaly_detector" in kept:
                    _model(kept["anomaly_detector"])
                vars(made).update(kept)
                return made
        raise StateError(f"The snapshot holds a {tag!r}, which this version does not know.")

    def _composed(self, name: str, content: Any) -> Any:
        parts = [(step, _model(one)) for step, one in self._pairs(content)]
        if not parts or len({step for step, _ in parts if isinstance(step, str)}) != len(parts):
            raise StateError(f"The snapshot's {name} has no parts, or parts without names of their own.")
        return _class(_COMPOSED, name)(*parts)

    def _model(self, module: str, name: str, content: Any) -> Any:
        cls = getattr(import_module(f"streamrnn.models.{module}"), name)
        model = cls.__new__(cls)
        model.__setstate__(self(content))
        return model


def _markers(quantile: Any) -> tuple[Any, ...]:
    raw = quantile._quantile.__getstate__()  # noqa: SLF001  nothing public holds them
    if len(raw) != _QUANTILE.size:
        raise StateError("This version of river keeps a running quantile in another form; it cannot be saved.")
    return _QUANTILE.unpack(raw)


def _quantile(markers: list[Any]) -> Any:
    *numbers, count, is_sorted = markers
    if len(markers) != 23 or not all(isinstance(one, float) for one in numbers) or not 0 < numbers[0] < 1:
        raise StateError("The snapshot's running quantile has other parts than 21 numbers and two counts.")
    if (count, is_sorted) not in [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (5, 1)]:
        raise StateError(f"The snapshot's running quantile cannot have {count} values, {is_sorted} sorted.")
    made = _class({"Quantile": "river.stats"}, "Quantile")(numbers[0])
    if _markers(made)[0] != numbers[0]:
        raise StateError("This version of river keeps a running quantile in another form; it cannot be loaded.")
    made._quantile.__setstate__(_QUANTILE.pack(*markers))  # noqa: SLF001  numbers only
    made._is_updated = count > 0  # noqa: SLF001
    return made


def _model(value: Any) -> Any:
    """Return an estimator as it is; raise where a snapshot holds something else."""
    if not isinstance(value, Estimator):
        raise StateError(f"The snapshot holds no model where one must be, but a {type(value).__name__}.")
    return value


def _known(table: dict[str, Any], name: Any) -> Any:
    if not isinstance(name, str) or name not in table:
        raise StateError(f"The snapshot holds a {name!r}, which this version does not know.")
    return table[name]


def _class(table: dict[str, str], name: Any) -> Any:
    return getattr(import_module(_known(table, name)), name)


def dumps(model: Any) -> bytes:
    """Return a model as bytes.

    Parameters
    ----------
    model
        One of the library's estimators, or a river pipeline of transformers and them.

    Raises
    ------
    StateError
        When it is no model, or a class in it is not on the allow-list.

    Examples
    --------
    >>> from river import preprocessing
    >>> from streamrnn import RNNAnomalyDetector, dumps, loads
    >>> model = preprocessing.StandardScaler() | RNNAnomalyDetector()
    >>> model.learn_one({"level": 4.0})
    >>> loads(dumps(model))["RNNAnomalyDetector"].n_events
    1
    """
    writer = _Writer()
    try:
        manifest = msgspec.json.encode(writer(model))
    except RecursionError as error:
        raise StateError("The model refers to itself and cannot be saved.") from error
    except UnicodeEncodeError as error:
        raise StateError(f"The model holds a name that is no Unicode text and cannot be saved: {error}.") from error
    if not isinstance(model, Estimator):
        raise StateError(f"A {type(model).__name__} is no model and cannot be saved.")
    body = b"".join((MAGIC, bytes([FORMAT]), _LENGTH.pack(len(manifest)), manifest, *writer.blobs))
    return body + hashlib.sha256(body).digest()


def loads(data: bytes) -> Any:
    """Return the model that :func:`dumps` wrote: it goes on as if it had never stopped.

    Parameters
    ----------
    data
        Bytes from :func:`dumps`.

    Raises
    ------
    ParameterError
        When data are no bytes.
    StateError
        When the bytes are cut, changed, foreign, from a later version, name an unknown class, or hold no model: whatever they are,
        no other error comes of them.

    Examples
    --------
    >>> from streamrnn import loads
    >>> loads(b"something else")
    Traceback (most recent call last):
    ...
    streamrnn.errors.StateError: These bytes are no streamrnn snapshot.
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise ParameterError(
            f"The 'data' parameter of loads must be bytes. Got {type(data).__name__} instead; load reads a path."
        )
    data = bytes(data)
    start = len(MAGIC) + 1 + _LENGTH.size
    if data[: len(MAGIC)] != MAGIC:
        raise StateError("These bytes are no streamrnn snapshot.")
    if len(data) > len(MAGIC) and data[len(MAGIC)] != FORMAT:
        raise StateError(
            f"The snapshot has format {data[len(MAGIC)]}, from a later version; this one reads {FORMAT}. Upgrade streamrnn."
        )
    if len(data) < start + 32 or hashlib.sha256(data[:-32]).digest() != data[-32:]:
        raise StateError("The snapshot is damaged: its checksum does not match. Use an older one.")
    (length,) = _LENGTH.unpack(data[len(MAGIC) + 1 : start])
    try:
        reader = _Reader(memoryview(data)[start + length : -32])
        return reader.all(msgspec.json.decode(data[start : start + length]))
    except StateError as error:
        if len(str(error)) <= MOST_SAID:
            raise
        raise StateError(f"{str(error)[:MOST_SAID]}...") from None
    except Exception as error:  # whatever building a model from what anybody may have written raises
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise StateError(f"The snapshot's content does not fit: {said[:MOST_SAID].rstrip('.')}.") from error


def save(model: Any, path: str | os.PathLike[str]) -> None:
    """Write a model to a file, whole or not at all: a crash leaves the file that was there before.

    Parameters
    ----------
    model
        What :func:`dumps` takes.
    path
        The file; it is replaced. It keeps its mode, and a symbolic link to it stays one.

    Raises
    ------
    StateError
        When a class in the model is not on the allow-list.

    Examples
    --------
    >>> from streamrnn import RNNRegressor, load, save
    >>> model = RNNRegressor()
    >>> model.learn_one({"level": 1.0}, 2.0)
    >>> save(model, "model.streamrnn")
    >>> load("model.streamrnn").predict_one({"level": 1.0})
    2.0
    """
    write_whole(path, dumps(model))


def load(path: str | os.PathLike[str]) -> Any:
    """Return the model in a file that :func:`save` wrote.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    StateError
        When the file is not a whole snapshot of this version.

    Examples
    --------
    >>> from streamrnn import RNNClassifier, load, save
    >>> save(RNNClassifier(), "model.streamrnn")
    >>> load("model.streamrnn").classes
    []
    """
    return loads(Path(path).read_bytes())
