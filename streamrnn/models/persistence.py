"""Models as bytes: versioned, checked, exact, and never code.

A snapshot is ``magic | format | length of manifest | manifest (JSON) | states | SHA-256 of all before``. The manifest names
classes out of an allow-list; loading builds those classes and puts plain data into them. Nothing is unpickled, evaluated
or imported by name.

Why not an existing library: safetensors and the like store arrays, not which estimator they belong to; joblib, skops and
cloudpickle store objects by pickle or by importing whatever they name. What is left is this page.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from river.base import Estimator

from streamrnn.errors import ParameterError, StateError
from streamrnn.models._recurrent import Recurrent
from streamrnn.models._snapshot_reader import Reader
from streamrnn.models._snapshot_writer import Writer
from streamrnn.pieces import Pieces
from streamrnn.whole import write_whole

__all__ = ["decode", "dumps", "encode", "encode_pieces", "load", "load_into", "loads", "save"]

MAGIC: Final = b"streamrnn\x00"
FORMAT: Final = 2
_LENGTH: Final = struct.Struct("<Q")
_START: Final = len(MAGIC) + 1 + _LENGTH.size  # of the manifest
LONG: Final = 16_384  # a manifest that keys have made long
MOST_SAID: Final = 500  # characters of what was wrong with a manifest, which may quote it


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
    body = encode(model)
    return body + hashlib.sha256(body).digest()


def encode(model: Any) -> bytes:
    """Return a model as bytes without a checksum, for a snapshot of many that has one over all.

    Parameters
    ----------
    model
        What :func:`dumps` takes.

    Raises
    ------
    StateError
        As :func:`dumps`.
    """
    return bytes(encode_pieces(model))


def encode_pieces(model: Any) -> Pieces:
    """Return the same in pieces: those of many keys are read where they lie. They are good until the model learns again.

    Parameters
    ----------
    model
        What :func:`dumps` takes.

    Raises
    ------
    StateError
        As :func:`dumps`.
    """
    writer = Writer()
    try:
        manifest = msgspec.json.encode(writer(model))
    except RecursionError as error:
        raise StateError("The model refers to itself and cannot be saved.") from error
    except UnicodeEncodeError as error:
        raise StateError(f"The model holds a name that is no Unicode text and cannot be saved: {error}.") from error
    if not isinstance(model, Estimator):
        raise StateError(f"A {type(model).__name__} is no model and cannot be saved.")
    manifest = manifest.ljust(_room(len(manifest)))
    head, blobs = MAGIC + bytes([FORMAT]) + _LENGTH.pack(len(manifest)) + manifest, writer.blobs

    def make() -> Iterator[bytes | bytearray | memoryview]:
        yield head
        for blob in blobs:
            yield from blob if isinstance(blob, Pieces) else (blob,)

    return Pieces(len(head) + sum(map(len, blobs)), make)


def _room(length: int) -> int:
    """Return the bytes that a manifest gets: one of many keys an eighth more at most, so that few keys more move what lies behind."""
    step = 1 << max(length.bit_length() - 4, 0)
    return length if length < LONG else -(-length // step) * step


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
    return decode(_checked(data))


def _checked(data: bytes) -> bytes:
    """Return a snapshot without its checksum, which is right."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise ParameterError(
            f"The 'data' parameter of loads must be bytes. Got {type(data).__name__} instead; load reads a path."
        )
    data = bytes(data)
    _check_head(data)
    if len(data) < _START + 32 or hashlib.sha256(data[:-32]).digest() != data[-32:]:
        raise StateError("The snapshot is damaged: its checksum does not match. Use an older one.")
    return data[:-32]


def load_into(model: Any, data: bytes) -> None:
    """Put what :func:`dumps` wrote into a model that is there: it is then the one that was written.

    Where they are alike, as for an engine that keeps one state for each of many keys and has one model at hand, nothing is laid out anew.

    Parameters
    ----------
    model
        An estimator of the class that was written.
    data
        Bytes from :func:`dumps`.

    Raises
    ------
    ParameterError
        When data are no bytes.
    StateError
        As :func:`loads`, and when another class was written. The model is what it was then.

    Examples
    --------
    >>> from streamrnn import RNNRegressor, dumps, load_into
    >>> one, other = RNNRegressor(hidden_size=8), RNNRegressor(hidden_size=8)
    >>> one.learn_one({"level": 1.0}, 2.0)
    >>> load_into(other, dumps(one))
    >>> other.predict_one({"level": 1.0})
    2.0
    """
    body = _checked(data)
    (length,) = _LENGTH.unpack(body[len(MAGIC) + 1 : _START])
    if not (isinstance(model, Recurrent) and _take(model, body[_START : _START + length], body[_START + length :])):
        found = decode(body)
        if type(found) is not type(model):
            raise StateError(f"The snapshot holds a {type(found).__name__}, and the model is a {type(model).__name__}.")
        vars(model).clear()
        vars(model).update(vars(found))


def _take(model: Recurrent, manifest: bytes, states: bytes) -> bool:
    """Let a model take up a state that lies as its own does; return whether it does."""
    try:
        reader = Reader(memoryview(states))
        node = msgspec.json.decode(manifest)
        [name, content] = node["model"]
        return name == type(model).__name__ and model.take_state(reader(content)) and reader.at == len(states)
    except (KeyError, TypeError, ValueError, StateError, msgspec.DecodeError, RecursionError):
        return False  # the long way says what is wrong


def _check_head(data: bytes) -> None:
    if data[: len(MAGIC)] != MAGIC:
        raise StateError("These bytes are no streamrnn snapshot.")
    if len(data) > len(MAGIC) and data[len(MAGIC)] != FORMAT:
        raise StateError(_other_format(data[len(MAGIC)]))


def decode(data: bytes) -> Any:
    """Return the model that :func:`encode` wrote.

    Parameters
    ----------
    data
        Bytes whose checksum somebody has looked at.

    Raises
    ------
    StateError
        When they are no model, whatever they are.
    """
    _check_head(data)
    if len(data) < _START:
        raise StateError("The snapshot is damaged: it ends before its manifest. Use an older one.")
    (length,) = _LENGTH.unpack(data[len(MAGIC) + 1 : _START])
    try:
        reader = Reader(memoryview(data)[_START + length :])
        return reader.all(msgspec.json.decode(data[_START : _START + length]))
    except StateError as error:
        if len(str(error)) <= MOST_SAID:
            raise
        raise StateError(f"{str(error)[:MOST_SAID]}...") from None
    except Exception as error:  # whatever building a model from what anybody may have written raises
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise StateError(f"The snapshot's content does not fit: {said[:MOST_SAID].rstrip('.')}.") from error


def _other_format(number: int) -> str:
    if number > FORMAT:
        return f"The snapshot has format {number}, from a later version; this one reads {FORMAT}. Upgrade streamrnn."
    return (
        f"The snapshot has format {number}, from an earlier build; this one reads {FORMAT}. Formats are kept from the first release "
        "on. Load it with the build that wrote it, or train the model anew from the events."
    )


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
