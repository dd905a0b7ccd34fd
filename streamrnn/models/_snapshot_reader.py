"""From the manifest and the states of a snapshot, which anybody may have written, to a model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from streamrnn.errors import StateError
from streamrnn.models._quantile import quantile_of
from streamrnn.models._snapshot_classes import (
    COMPOSED,
    FACTORIES,
    MAPPINGS,
    MODELS,
    RIVER,
    SEQUENCES,
    SETTINGS,
    class_of,
    known,
    model_of,
)

__all__ = ["Reader"]

DEEPEST: Final = 50  # levels of a manifest; a pipeline has five, and a hostile file shall not exhaust the stack


def _nests(nodes: list[Any]) -> bool:
    return any(type(one) is dict or type(one) is list for one in nodes)


class Reader:
    """The way back: builds what the tags say, and nothing that is not on the lists.

    Parameters
    ----------
    blobs
        All states of the snapshot, one behind the other.
    """

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
        if tag in SEQUENCES and self.depth < DEEPEST and type(content) is list and not _nests(content):
            return SEQUENCES[tag](content)  # a hundred thousand keys are one such each
        return self._deeper(lambda: self._tagged(tag, content))

    def all(self, node: Any) -> Any:
        """Return what the whole snapshot holds: a model, with all of the states used.

        Parameters
        ----------
        node
            The manifest, decoded from JSON.

        Raises
        ------
        StateError
            When it names what this version does not know, holds no model, or does not use all states.
        """
        found = self(node)
        if self.at != len(self.blobs):
            raise StateError("The snapshot's states are longer than its manifest says.")
        return model_of(found)

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
        if tag in MAPPINGS:
            return MAPPINGS[tag](dict(self._pairs(content)))
        if tag in SEQUENCES:
            return SEQUENCES[tag](self(one) for one in content)
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
                return defaultdict(class_of(FACTORIES, content[0]), self._pairs(content[1]))
            case "model":
                return self._model(known(MODELS, content[0]), content[0], content[1])
            case "pipeline":
                return self._composed("Pipeline", content)
            case "union":
                return self._composed("TransformerUnion", content)
            case "settings":
                return class_of(SETTINGS, content[0])(**dict(self._pairs(content[1])))
            case "quantile":
                return quantile_of([self(one) for one in content])
            case "river":
                made = object.__new__(class_of(RIVER, content[0]))
                kept = dict(self._pairs(content[1]))
                if not all(isinstance(name, str) for name in kept):
                    raise StateError(f"The snapshot's {content[0]} has an attribute without a name.")
                if "anomaly_detector" in kept:
                    model_of(kept["anomaly_detector"])
                vars(made).update(kept)
                return made
        raise StateError(f"The snapshot holds a {tag!r}, which this version does not know.")

    def _composed(self, name: str, content: Any) -> Any:
        parts = [(step, model_of(one)) for step, one in self._pairs(content)]
        if not parts or len({step for step, _ in parts if isinstance(step, str)}) != len(parts):
            raise StateError(f"The snapshot's {name} has no parts, or parts without names of their own.")
        return class_of(COMPOSED, name)(*parts)

    def _model(self, module: str, name: str, content: Any) -> Any:
        cls = getattr(import_module(f"streamrnn.models.{module}"), name)
        model = cls.__new__(cls)
        model.__setstate__(self(content))
        return model
