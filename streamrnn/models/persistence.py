"""Models as bytes: versioned, checked, exact, and never code.

A snapshot is ``magic | length of manifest | manifest (JSON) | state | SHA-256 of all before``. The manifest names a class out
of an allow-list; loading builds that class from its parameters and puts the arrays back. Nothing is
unpickled or evaluated.

Why not an existing library: safetensors and the like store arrays, not which estimator they belong to; joblib, skops and
cloudpickle store objects by pickle or by importing whatever they name. What is left is this page.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Any, Final

import msgspec

from streamrnn.errors import StateError
from streamrnn.models.anomaly_detector import RNNAnomalyDetector
from streamrnn.models.classifier import RNNClassifier
from streamrnn.models.multi_target_regressor import RNNMultiTargetRegressor
from streamrnn.models.regressor import RNNRegressor

__all__ = ["dumps", "loads"]

MAGIC: Final = b"streamrnn\x00\x01"
_LENGTH: Final = struct.Struct("<Q")
MODELS: Final[dict[str, Any]] = {
    cls.__name__: cls for cls in (RNNAnomalyDetector, RNNClassifier, RNNMultiTargetRegressor, RNNRegressor)
}


class _Manifest(msgspec.Struct, forbid_unknown_fields=True):
    model: str
    params: dict[str, Any]
    names: list[str | int]
    targets: list[str | int | float | bool]
    areas: int
    keys: list[tuple[Any, int]]
    pending: list[tuple[int, bytes, bytes]]
    dropped: int
    format: int = 1


def dumps(model: Any) -> bytes:
    """Return a model as bytes.

    Parameters
    ----------
    model
        One of the library's estimators.

    Raises
    ------
    StateError
        When the model's class is not on the allow-list.

    Examples
    --------
    >>> from streamrnn import RNNAnomalyDetector, dumps, loads
    >>> model = RNNAnomalyDetector(hidden_size=4)
    >>> model.learn_one({"level": 1.0})
    >>> loads(dumps(model)).expected_one()
    {'level': 1.0}
    """
    kind = type(model).__name__
    if MODELS.get(kind) is not type(model):
        raise StateError(f"{kind} cannot be saved. These can: {', '.join(MODELS)}.")
    state = model.__getstate__()
    body_state = state.pop("state")
    manifest = msgspec.json.encode(_Manifest(model=kind, **state))
    body = b"".join((MAGIC, _LENGTH.pack(len(manifest)), manifest, body_state))
    return body + hashlib.sha256(body).digest()


def loads(data: bytes) -> Any:
    """Return the model that :func:`dumps` wrote: it goes on as if it had never stopped.

    Parameters
    ----------
    data
        Bytes from :func:`dumps`.

    Raises
    ------
    StateError
        When the bytes are cut, changed, foreign, from a later version, or name an unknown class.

    Examples
    --------
    >>> from streamrnn import loads
    >>> loads(b"something else")
    Traceback (most recent call last):
    ...
    streamrnn.errors.StateError: These bytes are no streamrnn snapshot.
    """
    data = bytes(data)
    if data[: len(MAGIC) - 1] != MAGIC[:-1]:
        raise StateError("These bytes are no streamrnn snapshot.")
    if data[len(MAGIC) - 1 : len(MAGIC)] != MAGIC[-1:]:
        raise StateError("The snapshot was written by a later version of streamrnn. Upgrade to read it.")
    if len(data) < len(MAGIC) + _LENGTH.size + 32 or hashlib.sha256(data[:-32]).digest() != data[-32:]:
        raise StateError("The snapshot is damaged: its checksum does not match. Use an older one.")
    start = len(MAGIC) + _LENGTH.size
    (length,) = _LENGTH.unpack(data[len(MAGIC) : start])
    try:
        manifest = msgspec.json.decode(data[start : start + length], type=_Manifest)
    except msgspec.MsgspecError as error:
        raise StateError(f"The snapshot's manifest cannot be read: {error}.") from error
    if manifest.model not in MODELS:
        raise StateError(f"The snapshot holds a {manifest.model!r}, which this version does not know.")
    model = MODELS[manifest.model].__new__(MODELS[manifest.model])
    try:
        parts = msgspec.structs.asdict(manifest)
        model.__setstate__({**parts, "state": data[start + length : -32]})
    except TypeError as error:
        raise StateError(f"The snapshot's parameters do not fit {manifest.model}: {error}.") from error
    return model
