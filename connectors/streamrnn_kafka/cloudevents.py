"""CloudEvents 1.0, the Kafka protocol binding: attributes and data out of a record.

Structured: the value is a JSON envelope, and the header ``content-type`` says so. Binary: the value is the data, the
attributes are headers that begin with ``ce_``. Both are told apart record by record, as the specification says.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from streamrnn_kafka.values import RecordError

__all__ = ["Headers", "opened"]

Headers = Sequence[tuple[str, bytes]]

REQUIRED: Final = ("specversion", "id", "source", "type")


def _texts(headers: Headers) -> dict[str, str]:
    """Return headers as text, names in lower case; the last of equal names stays."""
    try:
        return {name.lower(): (value or b"").decode() for name, value in headers}
    except UnicodeDecodeError as error:
        raise RecordError(f"Its headers are not UTF-8 text: {error.reason} at byte {error.start}.") from None


def opened(value: bytes, headers: Headers, load: Callable[[bytes], Any], load_json: Callable[[bytes], Any]) -> Any:
    """Return the fields of a CloudEvent's data, and its attributes as the field ``ce``.

    Parameters
    ----------
    value, headers
        The record's.
    load
        Reads data, in the format of the source.
    load_json
        Reads an envelope.

    Raises
    ------
    RecordError
        When the record is no CloudEvent.
    """
    texts = _texts(headers)
    kind = texts.get("content-type", "").split(";")[0].strip().lower()
    if kind.startswith("application/cloudevents"):
        if kind != "application/cloudevents+json":
            raise RecordError(f"Its content type {kind!r} is none that is read: application/cloudevents+json.")
        envelope = load_json(value)
        if not isinstance(envelope, Mapping):
            raise RecordError("Its value is no CloudEvent: the envelope is not an object.")
        attributes = {name: one for name, one in envelope.items() if name not in ("data", "data_base64")}
        data = envelope.get("data")
        if "data_base64" in envelope:
            try:
                data = load(base64.b64decode(envelope["data_base64"], validate=True))
            except (TypeError, ValueError, binascii.Error) as error:
                if isinstance(error, RecordError):
                    raise
                raise RecordError(f"Its data_base64 is not base64: {error}.") from None
    else:
        attributes = {name.removeprefix("ce_"): one for name, one in texts.items() if name.startswith("ce_")}
        if not attributes:
            raise RecordError("It is no CloudEvent: neither its content-type nor a header ce_specversion says so.")
        data = load(value)
    lacking = [name for name in REQUIRED if not isinstance(attributes.get(name), str) or not attributes[name]]
    if lacking:
        raise RecordError(f"It is no CloudEvent: the attribute {lacking[0]!r} is missing.")
    if attributes["specversion"].split(".")[0] != "1":
        raise RecordError(f"Its CloudEvents version is {attributes['specversion']!r}; 1.0 is read.")
    if not isinstance(data, Mapping):
        raise RecordError("Its data is not an object with fields.")
    return {**data, "ce": attributes}
