"""The configuration, described: a JSON Schema, and a page of all options.

Both come from the declarations that also check a configuration; tests hold the published copies current.
"""

from __future__ import annotations

import contextlib
import inspect
from typing import Any

import msgspec

from streamrnn.config import POLICY, Output, Records, describe_type
from streamrnn.config.options import DEFAULT_MODEL, OPTION_TABLES
from streamrnn.engine.fields import Result
from streamrnn.io import connector_kinds, default_kind, find_connector
from streamrnn.models._parameter_table import PARAMETERS
from streamrnn.models._parameters import row_of
from streamrnn.scorers.table import ELSEWHERE, FEEDBACK_MEMORY, LABEL, MODELS, MOST_REMEMBERED, NET, NONE, SHARE

__all__ = ["page", "schema"]

_INTRO = """\
# Options

Made from the declarations by `streamrnn config --options`; do not edit. The same as a JSON Schema, for editors:
[`config.schema.json`](config.schema.json).

A configuration is one file in TOML (`.toml`), YAML (`.yaml`, `.yml`) or JSON (`.json`). Relative paths are relative to it.
In texts, `${NAME}` stands for a variable of the environment, `${NAME:-default}` for the same with a default, `${file:/path}`
for the content of a file (a secret); `$${` stands for the characters `${`. `streamrnn check CONFIG` checks a file.
"""


def _connectors(role: str) -> dict[str, type]:
    """Return the options of each connector of ours, by kind; one that cannot be loaded is left out."""
    found: dict[str, type] = {}
    for kind in connector_kinds(role, ours=True):
        with contextlib.suppress(ImportError, AttributeError):
            found[kind] = find_connector(role, kind).Options
    return found


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _default(field: Any) -> str:
    if field.required:
        return "required"
    if field.default is msgspec.NODEFAULT:
        return "unset"
    value = field.default
    if value is None or value == ():
        return "unset"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _rows(options: type) -> list[str]:
    lines = ["| option | must be | default | what it does |", "|---|---|---|---|"]
    for field in msgspec.structs.fields(options):
        rule, text = describe_type(field.type)
        lines.append(f"| `{field.name}` | {_cell(rule)} | {_default(field)} | {_cell(text)} |")
    return lines


def _model_rows(name: str) -> list[str]:
    import streamrnn  # noqa: PLC0415

    lines = [f'### `kind = "{name}"`', "", "| parameter | must be | default |", "|---|---|---|"]
    predicts = MODELS[name].predicts
    what = (
        "what is predicted from the others" if predicts else "your feedback on each event, 1 for an anomaly, 0 for none"
    )
    lines.append(f"| `{LABEL}` | the name of a column: {what} | {'required' if predicts else 'none'} |")
    if MODELS[name].takes_feedback:
        rule = f"an int from 0 to {MOST_REMEMBERED}: events of a key that are remembered, by time, for feedback that comes later"
        lines.append(f"| `{FEEDBACK_MEMORY}` | {rule} | `0` |")
    shared = f"`'{NET}'`: all keys of a partition share one net, each with a small state of its own; `'{NONE}'`: a net for each key"
    lines.append(f"| `{SHARE}` | {shared} | `'{NET}'` with `[source] key` |")
    parameters = inspect.signature(getattr(streamrnn, name)).parameters
    for parameter in parameters.values():
        if parameter.name in POLICY or parameter.name in ELSEWHERE:  # said in [alarm], in [source] and [state]
            continue
        rule = row_of(parameter.name, parameters).rule if parameter.name in PARAMETERS else "see its docstring"
        default = "required" if parameter.default is parameter.empty else f"`{parameter.default!r}`"
        lines.append(f"| `{parameter.name}` | {_cell(rule)} | {_cell(default)} |")
    return lines


def _fields() -> list[str]:
    """Return what each field of a result says."""
    told = [(field.name, describe_type(field.type)[1]) for field in msgspec.structs.fields(Result)]
    return ["", "The fields ([JSON Schema](result.schema.json)):", "", *(f"- `{name}`: {text}" for name, text in told)]


def page() -> str:
    """Return the page of all options, in Markdown."""
    parts = [_INTRO, "\n".join(["## `[source]`, every `kind`", "", *_rows(Records), ""])]
    for role in ("source", "sink"):
        for kind, options in _connectors(role).items():
            parts.append("\n".join([f'## `[{role}]`, `kind = "{kind}"`', "", *_rows(options), ""]))
    models = "\n\n".join("\n".join(_model_rows(name)) for name in MODELS)
    parts.append(f"## `[model]`\n\n{models}\n")
    for name, options in OPTION_TABLES.items():
        parts.append("\n".join([f"## `[{name}]`", "", *_rows(options), *(_fields() if options is Output else []), ""]))
    return "\n".join(parts)


def _or_reference(declared: dict[str, Any]) -> dict[str, Any]:
    """Allow a reference, ``"${PORT}"``, wherever something else than a text is expected."""
    if declared.get("type") == "string":
        return declared
    reference = {"type": "string", "pattern": r"^\$\{.*\}$", "description": "A reference that is filled in at start."}
    kept: dict[str, Any] = {name: declared.pop(name) for name in ("description", "default") if name in declared}
    return {**kept, "anyOf": [*declared.pop("anyOf", [declared] if declared else []), reference]}


def _table(
    options: type, kind: str | None = None, default: str | None = None, more: type | None = None
) -> dict[str, Any]:
    _, definitions = msgspec.json.schema_components([options])
    declared = definitions[options.__name__]
    properties = {name: _or_reference(dict(one)) for name, one in declared["properties"].items()}
    properties |= {} if more is None else _table(more)["properties"]
    required = list(declared.get("required", []))
    if kind is not None:
        properties = {"kind": {"const": kind}, **properties}
        required = required if kind == default else ["kind", *required]
    made = {"type": "object", "title": options.__name__, "properties": properties, "additionalProperties": False}
    return {**made, "required": required} if required else made


def schema() -> str:
    """Return the JSON Schema (2020-12) of a configuration."""
    tables: dict[str, Any] = {}
    for role in ("source", "sink"):
        default = default_kind(role)
        more = Records if role == "source" else None
        tables[role] = {"oneOf": [_table(options, kind, default, more) for kind, options in _connectors(role).items()]}
    tables["model"] = {
        "type": "object",
        "description": "kind, and the parameters of that class; streamrnn check knows their rules.",
        "properties": {"kind": {"type": "string", "default": DEFAULT_MODEL}},
    }
    tables |= {name: _table(options) for name, options in OPTION_TABLES.items()}
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "streamrnn",
        "type": "object",
        "properties": tables,
        "required": ["source"],
        "additionalProperties": False,
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode() + "\n"
