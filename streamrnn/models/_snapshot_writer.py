"""From a model to the manifest and the states of a snapshot."""

from __future__ import annotations

import inspect
import math
from collections import defaultdict
from typing import Any

import numpy as np

from streamrnn.errors import StateError
from streamrnn.models._quantile import markers_of
from streamrnn.models._recurrent import Recurrent
from streamrnn.models._snapshot_classes import FACTORIES, MAPPINGS, MODELS, RIVER, SEQUENCES, SETTINGS
from streamrnn.models._translate import is_river
from streamrnn.pieces import Pieces

__all__ = ["Writer"]


class Writer:
    """Turns objects into JSON's own types, each of the others as an object with one tag.

    ``blobs`` collects the states (bytes) in the order in which the manifest names them.
    """

    def __init__(self) -> None:
        self.blobs: list[bytes | bytearray | Pieces] = []

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
        if type(value) in (bytes, bytearray, Pieces):
            self.blobs.append(value)
            return {"bytes": len(value)}
        for tag, kind in SEQUENCES.items():
            if type(value) is kind:
                ordered = sorted(value, key=repr) if tag != "tuple" else value
                return {tag: [self(one) for one in ordered]}
        for tag, kind in MAPPINGS.items():
            if type(value) is kind:
                return {tag: self._pairs(value)}
        if type(value) is defaultdict and getattr(value.default_factory, "__name__", "") in FACTORIES:
            return {"default": [value.default_factory.__name__, self._pairs(value)]}  # type: ignore[union-attr]
        return self._object(value)

    def _pairs(self, value: Any) -> list[Any]:
        return [[self(key), self(one)] for key, one in value.items()]

    def _object(self, value: Any) -> Any:
        name = type(value).__name__
        if isinstance(value, Recurrent) and type(value).__module__ == f"streamrnn.models.{MODELS.get(name)}":
            return {"model": [name, self(value.written_state())]}
        if is_river(value, "river.compose", "Pipeline"):
            return {"pipeline": self._pairs(value.steps)}
        if is_river(value, "river.compose", "TransformerUnion"):
            return {"union": self._pairs(value.transformers)}
        if is_river(value, "river.stats", "Quantile"):
            return {"quantile": [self(one) for one in markers_of(value)]}
        if is_river(value, RIVER.get(name, ""), name):
            return {"river": [name, self._pairs(vars(value))]}
        if is_river(value, SETTINGS.get(name, ""), name):
            given = {one: getattr(value, one) for one in inspect.signature(type(value)).parameters}
            return {"settings": [name, self._pairs(given)]}
        known = ", ".join([*MODELS, "Pipeline", "TransformerUnion", *RIVER, *SETTINGS])
        raise StateError(f"{type(value).__module__}.{name} cannot be saved. These can: {known}.")
