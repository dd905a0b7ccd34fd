"""What a run writes, as JSON Schemas: results, alarms and dead letters.

They come from the declarations that the lines are written by; tests hold the published copies current, and real outputs to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from streamrnn.engine.episodes import ALARMS
from streamrnn.engine.fields import Result
from streamrnn.io import LetterLine

__all__ = ["OUTPUTS", "schema"]

OUTPUTS: dict[str, tuple[type, ...]] = {"result": (Result,), "alarm": ALARMS, "dead-letter": (LetterLine,)}
"""What may be asked for, and what it may be."""

TITLES = {
    "result": "A result of streamrnn",
    "alarm": "An alarm of streamrnn",
    "dead-letter": "A dead letter of streamrnn",
}


def schema(name: str, fields: Sequence[str] | None = None) -> str:
    """Return the JSON Schema (2020-12) of an output.

    Parameters
    ----------
    name
        A key of ``OUTPUTS``.
    fields
        Of a result: those that it has, all of them. None: any may be missing.

    Examples
    --------
    >>> import json
    >>> from streamrnn.commands.output_schema import schema
    >>> made = json.loads(schema("result", ("key", "score")))
    >>> made["required"], sorted(made["properties"])
    (['key', 'score'], ['key', 'score'])
    """
    kinds = OUTPUTS[name]
    references, found = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    parts: dict[str, Any] = dict(found)
    for part in parts.values():
        part["description"] = part["description"].partition("\n")[0]
        part |= {
            "required": [*part["properties"]],
            "additionalProperties": False,
        }  # whatever is written has all of its fields
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": TITLES[name]}
    if len(kinds) > 1:
        return _text(head | {"oneOf": [*references], "$defs": parts})
    whole = parts.pop(kinds[0].__name__)
    whole.pop("title")
    if kinds == (Result,):
        whole["properties"] = {one: whole["properties"][one] for one in (fields or whole["properties"])}
        whole["required"] = [*(fields or ())]
    return _text(head | whole | ({"$defs": parts} if parts else {}))


def _text(made: dict[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(made), indent=2).decode() + "\n"
