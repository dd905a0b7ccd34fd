"""One value of a record: a number, a time, a key; and what a record that is no event raises."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from streamrnn.io import INFINITE, MISSING, signed

__all__ = ["RecordError", "field_at", "key_of", "number", "show", "text_of", "time_of"]

Time = str | float | None


class RecordError(ValueError):
    """A record is no event; the message says why, as a sentence."""


def show(value: object) -> str:
    """Return a value for a message: as JSON, cut where it is long.

    Parameters
    ----------
    value
        What the record holds.
    """
    text = value if isinstance(value, str) else msgspec.json.encode(value, enc_hook=repr).decode(errors="replace")
    text = repr(text) if isinstance(value, str) else text
    return text if len(text) <= 40 else text[:37] + "..."


def number(value: Any, name: str) -> float:
    """Return the number that a field holds, NaN where it is missing. Infinity is a number, as JSON the text "Infinity"; -0.0 keeps its sign, -0 has none.

    Parameters
    ----------
    value
        What the record holds; None is a missing value.
    name
        Name of the field, for the message.

    Raises
    ------
    RecordError
        When it is no number, or too large to be one.
    """
    if value is None:
        return math.nan
    found = value
    if isinstance(value, str):
        bare = value.strip().lower()
        if bare in MISSING:
            return math.nan
        if bare in INFINITE:
            return float(bare)
        try:
            found = math.nan if "_" in value else signed(float(value), value)
        except ValueError:
            found = math.nan
    if isinstance(found, int | float | decimal.Decimal):  # true and false are 1 and 0
        try:
            found = float(found)
        except OverflowError:
            found = math.inf
        if math.isfinite(found) or (isinstance(value, float) and math.isinf(value)):
            return float(found)
    raise RecordError(f"Field {name!r}: {show(value)} is not a finite number.")


def time_of(value: Any, name: str) -> Time:
    """Return the time that a field holds, as written.

    Parameters
    ----------
    value
        What the record holds.
    name
        Name of the field, for the message.

    Raises
    ------
    RecordError
        When it is no time.
    """
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if value is None or (isinstance(value, str | int | float) and not isinstance(value, bool)):
        return value
    raise RecordError(f"Field {name!r}: {show(value)} is not a time.")


def key_of(value: Any, name: str) -> str | None:
    """Return the key that a field holds.

    Parameters
    ----------
    value
        What the record holds.
    name
        Name of the field, for the message.

    Raises
    ------
    RecordError
        When it is no key.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float):  # true and false as JSON writes them
        return msgspec.json.encode(value).decode()
    raise RecordError(f"Field {name!r}: {show(value)} is not a key.")


def text_of(value: bytes) -> str:
    """Return bytes as text.

    Parameters
    ----------
    value
        The value of a record.

    Raises
    ------
    RecordError
        When they are not UTF-8.
    """
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise RecordError(f"Its value is not UTF-8 text: {error.reason} at byte {error.start}.") from None


def field_at(record: Any, path: Sequence[str]) -> Any:
    """Return the field at a path, None where there is none.

    Parameters
    ----------
    record
        Objects inside of each other.
    path
        Names of fields, from the outside in; none: the whole.
    """
    for step in path:
        if not isinstance(record, Mapping):
            return None
        record = record.get(step)
    return record
