"""One value of a record: a number, a time, a key; and what a record that is no event raises."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from streamrnn.io import MARKS, MISSING, kind_of, signed

__all__ = ["Cell", "RecordError", "cell_of", "field_at", "key_of", "show", "text_of", "time_of", "why_bad"]

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


@dataclass(frozen=True, slots=True)
class Cell:
    """What a field holds: a number, or none.

    Parameters
    ----------
    value
        The number, infinity included; NaN where there is none.
    bad
        What it holds that is no number, in a word; None: nothing of the kind.
    marked
        Whether a mark for "no value" says that it was measured, and failed.
    """

    value: float = math.nan
    bad: str | None = None
    marked: bool = False


MISSING_CELL = Cell()


def cell_of(value: Any) -> Cell:
    """Return what a field holds. Zero keeps its sign, but an integer has none.

    Parameters
    ----------
    value
        What the record holds; None is a missing value.
    """
    if value is None:
        return MISSING_CELL
    if isinstance(value, str):
        return _of_text(value)
    if isinstance(value, int | float | decimal.Decimal):  # true and false are 1 and 0
        try:
            return Cell(float(value))
        except OverflowError:
            return Cell(bad="too large")
    return Cell(bad=type(value).__name__)


def _of_text(text: str) -> Cell:
    lower = text.strip().lower()
    if lower in MARKS:
        return MISSING_CELL if lower in MISSING else Cell(marked=True)
    try:
        found = float(text)
    except ValueError:
        return Cell(bad=kind_of(text))
    if "_" in text or not text.isascii() or (math.isinf(found) and any(map(str.isdigit, lower))):
        return Cell(bad=kind_of(text))
    return Cell(signed(found, text))


def why_bad(value: Any, name: str, bad: str) -> str:
    """Return in a sentence why a field holds no number.

    Parameters
    ----------
    value
        What the record holds.
    name
        Name of the field.
    bad
        What that is, in a word.
    """
    return f"Field {name!r}: {show(value)} is not a {'finite ' if bad == 'too large' else ''}number."


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
