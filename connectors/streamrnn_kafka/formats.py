"""Record values to columns: a fast way for clean records, a careful one for the rest. One row a format in ``FORMATS``."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import ConfigError
from streamrnn.io import MAX_NESTING, Tally, json_of, nests_too_deep
from streamrnn_kafka.cloudevents import Headers, opened
from streamrnn_kafka.registry import Registry, avro_loader, protobuf_loader
from streamrnn_kafka.values import RecordError, Time, cell_of, field_at, key_of, show, text_of, time_of, why_bad

__all__ = ["Columns", "Decoder", "Fields", "Format", "KeyDecoder"]


@dataclass(frozen=True, slots=True)
class Fields:
    """Which fields of a record are features, time and key, and what its format needs to know.

    Parameters
    ----------
    columns
        Fields to watch; ``a.b`` is the field ``b`` inside ``a``, and ``ce.x`` an attribute of a CloudEvent.
    time
        Field of the event's time, or None.
    key
        Field of the event's key, or None.
    allow_missing
        Whether a record may lack some of the features.
    csv_fields
        For the format csv, the names of the cells, in order.
    registry
        For avro and protobuf, where schemas come from.
    cloudevents
        Whether the fields lie in a CloudEvent's data.
    """

    columns: tuple[str, ...]
    time: str | None = None
    key: str | None = None
    allow_missing: bool = True
    csv_fields: tuple[str, ...] = ()
    registry: Registry | None = None
    cloudevents: bool = False

    @property
    def used(self) -> tuple[str, ...]:
        """Every field that is read, features first."""
        return (*self.columns, *(name for name in (self.time, self.key) if name is not None))


@dataclass(slots=True)
class Columns:
    """What came of some records: columns of those that are events, and why the others are none.

    Parameters
    ----------
    values
        Features of the events, shape (n, I); NaN where one is missing.
    times
        Times of the events, as written; None where there is none.
    keys
        Keys of the events; None where there is none.
    faults
        Why a record is no event, by its index.
    """

    values: NDArray[np.float64]
    times: list[Time] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    faults: dict[int, str] = field(default_factory=dict)


def _load_json(value: bytes) -> Any:
    if nests_too_deep(value):
        raise RecordError(f"Its value is nested deeper than {MAX_NESTING} levels.")
    text_of(value)
    try:
        return json_of(value)
    except ValueError as error:
        raise RecordError(f"Its value is not JSON: {error}.") from None


def _load_msgpack(value: bytes) -> Any:
    try:
        return msgspec.msgpack.decode(value)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:  # some faults have types of Python
        raise RecordError(f"Its value is not MessagePack: {error}.") from None


def _nested(cells: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by dotted name as the objects that such names mean."""
    record: dict[str, Any] = {}
    for name, value in cells.items():
        *above, last = name.split(".")
        at = record
        for step in above:
            at = at.setdefault(step, {})
        at[last] = value
    return record


def _number_loader(fields: Fields) -> Callable[[bytes], Any]:
    return lambda value: _nested({(*fields.columns, "value")[0]: text_of(value)})


def _csv_loader(fields: Fields) -> Callable[[bytes], Any]:
    names = fields.csv_fields

    def load(value: bytes) -> Any:
        try:
            rows = list(csv.reader([text_of(value).rstrip("\r\n")], strict=True))
        except csv.Error as error:
            raise RecordError(f"Its value is not CSV: {error}.") from None
        cells = rows[0] if rows else []
        if len(cells) != len(names):
            raise RecordError(f"Its value has {len(cells)} cells, where csv_fields names {len(names)}.")
        return _nested(dict(zip(names, cells, strict=True)))

    return load


def _tree(fields: Fields) -> dict[str, Any]:
    """Return the fields in use as nested dicts with a type at each leaf; the first of two types of one field stays."""
    kinds: list[tuple[str, Any]] = [(name, float | None) for name in fields.columns]
    if fields.time is not None:
        kinds.append((fields.time, str | int | float | None))
    if fields.key is not None:
        kinds.append((fields.key, str | None))
    tree: dict[str, Any] = {}
    for name, kind in kinds:
        *above, last = name.split(".")
        at = tree
        for step in above:
            at = at.setdefault(step, {})
        at.setdefault(last, kind)
    return tree


def _struct(tree: Mapping[str, Any], names: dict[str, Any]) -> type[msgspec.Struct]:
    """Return a struct of just these fields: all others are skipped, not built. ``names`` gets each field's attribute."""
    fields: list[tuple[str, Any, Any]] = []
    rename = {}
    for i, (name, kind) in enumerate(tree.items()):
        at = f"x{i}"
        rename[at] = name
        if isinstance(kind, Mapping):
            inner: dict[str, Any] = {}
            nested = _struct(kind, inner)
            fields.append((at, nested, msgspec.field(default_factory=nested)))
            names.update({f"{name}.{below}": f"{at}.{attribute}" for below, attribute in inner.items()})
        else:
            fields.append((at, kind, None))
            names[name] = at
    return msgspec.defstruct("Record", fields, rename=rename, gc=False)


def _fast_json(fields: Fields) -> Callable[[Sequence[bytes]], list[tuple[Any, ...]]] | None:
    """Return what decodes clean records into one tuple each, of the fields in use."""
    names: dict[str, Any] = {}
    tree = _tree(fields)
    try:
        decoder = msgspec.json.Decoder(_struct(tree, names))
        get = attrgetter(*[names[name] for name in fields.used])
    except (KeyError, TypeError, AttributeError, ValueError):
        return None  # one field lies inside another that is a value, or a name holds quotes
    single = len(fields.used) == 1

    def decoded(values: Sequence[bytes]) -> list[tuple[Any, ...]]:
        lines = b"\n".join(values)
        # Each value has an opening bracket of its own, or is no record: within this sum none is nested too deeply.
        if lines.count(b"[") + lines.count(b"{") >= len(values) + MAX_NESTING and any(
            value.count(b"[") + value.count(b"{") > MAX_NESTING for value in values
        ):
            raise RecordError
        if not lines.isascii():
            lines.decode()
        # All at once where each value is one line from brace to brace. No record spans two of them then (within a string a
        # line break is malformed, behind a value another cannot begin), so that as many records as lines are one each.
        breaks = len(values) - 1
        plain = lines[:1] == b"{" and lines[-1:] == b"}" and lines.count(b"\n") == lines.count(b"}\n{") == breaks
        records = decoder.decode_lines(lines) if plain else [decoder.decode(value) for value in values]
        if len(records) != len(values):
            raise RecordError
        rows = [get(record) for record in records]
        return [(row,) for row in rows] if single else rows

    return decoded


@dataclass(frozen=True, slots=True)
class Format:
    """One way of writing a record: ``load`` makes a reader of any, ``fast`` one of clean ones, each for some fields.

    Parameters
    ----------
    load
        Makes, for some fields, a reader of any record.
    fast
        Makes, for some fields, a reader of clean records, or None where these fields have none. None: the format has
        none.
    """

    load: Callable[[Fields], Callable[[bytes], Any]]
    fast: Callable[[Fields], Callable[[Sequence[bytes]], list[tuple[Any, ...]]] | None] | None = None


def _registered(fields: Fields) -> Registry:
    if fields.registry is None:
        raise ConfigError("[source] registry: is missing; the formats avro and protobuf take their schemas from there.")
    return fields.registry


FORMATS = {
    "json": Format(lambda _fields: _load_json, _fast_json),
    "msgpack": Format(lambda _fields: _load_msgpack),
    "csv": Format(_csv_loader),
    "number": Format(_number_loader),
    "avro": Format(lambda fields: avro_loader(_registered(fields))),
    "protobuf": Format(lambda fields: protobuf_loader(_registered(fields), _tree(fields))),
}

CHUNK = 64
"""Records that one bad one sends the careful way with it."""


class Decoder:
    """Turns record values into columns.

    Parameters
    ----------
    form
        A row of ``FORMATS``.
    fields
        What to read.
    max_bytes
        A longer value is no event.
    tally
        Where cells are counted that hold no number.
    """

    def __init__(self, form: Format, fields: Fields, max_bytes: int, tally: Tally | None = None) -> None:
        self._tally = tally or Tally()
        self._load = form.load(fields)
        self._fields = fields
        self._max_bytes = max_bytes
        self._fast = form.fast(fields) if form.fast is not None and not fields.cloudevents else None
        self._paths = [tuple(name.split(".")) for name in fields.used]

    def columns(self, values: Sequence[bytes | None], headers: Sequence[Headers] = ()) -> Columns:
        """Return the columns of some records. Which of them are decoded together changes nothing.

        Parameters
        ----------
        values
            Values of the records; None is a tombstone.
        headers
            Headers of the records, one sequence a record: needed for CloudEvents alone.
        """
        found = Columns(np.empty((0, len(self._fields.columns))))
        parts: list[NDArray[np.float64]] = []
        for start in range(0, len(values), CHUNK):
            part = values[start : start + CHUNK]
            rows = self._fast_rows(part)
            if rows is None:
                rows = self._careful_rows(part, headers[start : start + CHUNK], start, found.faults)
            if rows:
                parts.append(self._add(rows, found))
        if parts:
            found.values = np.concatenate(parts)
        return found

    def _add(self, rows: Sequence[tuple[Any, ...]], found: Columns) -> NDArray[np.float64]:
        columns = list(zip(*rows, strict=True))
        width = len(self._fields.columns)
        if self._fields.time is not None:
            found.times += [None if time == "" else time for time in columns[width]]
        if self._fields.key is not None:
            found.keys += [key or None for key in columns[-1]]
        return np.array(columns[:width], dtype=np.float64).reshape(width, len(rows)).T

    def _fast_rows(self, values: Sequence[bytes | None]) -> Sequence[tuple[Any, ...]] | None:
        """Return a tuple for each record, or None where any of them is not plainly clean."""
        if self._fast is None or None in values or max(map(len, values)) > self._max_bytes:  # type: ignore[arg-type]
            return None
        try:
            rows = self._fast(values)  # type: ignore[arg-type]
        except (msgspec.DecodeError, UnicodeDecodeError, RecordError, RecursionError):
            return None
        width = len(self._fields.columns)
        for row in rows:
            lacking = row[:width].count(None)
            if lacking and (lacking == width or not self._fields.allow_missing):
                return None
        return rows

    def _careful_rows(
        self, values: Sequence[bytes | None], headers: Sequence[Headers], start: int, faults: dict[int, str]
    ) -> list[tuple[Any, ...]]:
        rows = []
        for i, value in enumerate(values):
            try:
                rows.append(self._careful(value, headers[i] if headers else ()))
            except RecordError as error:
                faults[start + i] = str(error)
        return rows

    def _careful(self, value: bytes | None, headers: Headers) -> tuple[Any, ...]:
        """Return one record's fields, or say why it is no event."""
        if value is None:
            raise RecordError("It has no value: a tombstone.")
        if len(value) > self._max_bytes:
            raise RecordError(f"Its value is longer than max_record_bytes = {self._max_bytes}: {len(value)} bytes.")
        clean = self._fast_rows([value])  # what passes the fast way alone must pass in any company
        if clean is not None:
            return clean[0]
        record = opened(value, headers, self._load, _load_json) if self._fields.cloudevents else self._load(value)
        if not isinstance(record, Mapping):
            raise RecordError(f"Its value is not an object with fields: {show(record)}.")
        fields = self._fields
        found = [field_at(record, path) for path in self._paths]
        row: list[Any] = self._numbers(found)
        if fields.time is not None:
            row.append(time_of(found[len(fields.columns)], fields.time))
        if fields.key is not None:
            row.append(key_of(found[-1], fields.key))
        return tuple(row)

    def _numbers(self, found: Sequence[Any]) -> list[float]:
        """Return the features of a record; count what is no number, and raise RecordError where too few of them are."""
        fields = self._fields
        cells = [cell_of(one) for one in found[: len(fields.columns)]]
        bad = [
            (name, cell.bad, why_bad(one, name, cell.bad))
            for name, cell, one in zip(fields.columns, cells, found, strict=False)
            if cell.bad is not None
        ]
        lacking = [name for name, cell in zip(fields.columns, cells, strict=True) if math.isnan(cell.value)]
        marked = fields.allow_missing and len(bad) < len(cells) and any(cell.marked for cell in cells)
        lost = bool(cells) and len(lacking) == len(cells) and not marked
        if bad and (lost or not fields.allow_missing):
            raise RecordError(bad[0][2])
        if lost:
            raise RecordError(f"It holds no value in any of the fields {', '.join(map(repr, lacking))}.")
        if lacking and not fields.allow_missing:
            raise RecordError(f"It holds no value in field {lacking[0]!r}.")
        for one in bad:
            self._tally.bad(*one)
        return [cell.value for cell in cells]


class KeyDecoder:
    """Turns record keys into names of series.

    Parameters
    ----------
    form
        A row of ``FORMATS``, or None: the key is text.
    field
        The field of the key that names the series; None: the key is the name itself.
    registry
        Where the schemas of avro and protobuf are.
    """

    def __init__(self, form: Format | None, field: str | None, registry: Registry | None) -> None:
        self._name = field
        self._path = () if field is None else tuple(field.split("."))
        self._load = None if form is None else form.load(Fields((), key=field, registry=registry))

    def __call__(self, key: bytes | None) -> str | None:
        """Return the series that a record's key names. Raises RecordError where it names none."""
        if key is None:
            return None
        if self._load is None:
            return key.decode(errors="backslashreplace")
        try:
            return key_of(_field(self._load(key), self._path), self._name or "the record's key")
        except RecordError as error:
            raise RecordError(str(error).replace("Its value", "Its key", 1)) from None


def _field(record: Any, path: Sequence[str]) -> Any:
    """Return a field of what must be an object, or the whole where no field is named."""
    if path and not isinstance(record, Mapping):
        raise RecordError(f"Its value is not an object with fields: {show(record)}.")
    return field_at(record, path)
