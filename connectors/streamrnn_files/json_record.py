"""JSON to the fields in use alone, some of them inside others; what else a record holds is skipped, not built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from streamrnn.io import MAX_NESTING

__all__ = ["RecordDecoder"]


class RecordDecoder:
    """Decodes records into a struct that has just the fields in use, and a struct inside of it for each field that holds others.

    ``odd`` says that there is no such struct: a field is a place in a list, lies inside another that is in use, or has a name with quotes.

    Parameters
    ----------
    fields
        Name and type of each; a.b is the field b inside the field a.

    Examples
    --------
    >>> from streamrnn_files.json_record import RecordDecoder
    >>> RecordDecoder([("a.b", float | None), ("c", str | None)]).rows([b'{"a": {"b": 1.5, "x": [1]}, "c": "u"}', b'{"a": {}}'])
    [(1.5, 'u'), (None, None)]
    """

    def __init__(self, fields: Sequence[tuple[str, Any]]) -> None:
        self._nested = any("." in name for name, _ in fields)
        self._literal = [b'"' + name.encode() + b'"' for name, _ in fields if "." in name]
        paths = [name.split(".") if self._nested else [name] for name, _ in fields]
        places = {tuple(path[:end]) for path in paths for end in range(1, len(path))}
        # numbers in a list, and a field that is a value here and holds others there
        self.odd = any(part.isdecimal() for path in paths for part in path[1:]) or any(
            tuple(path) in places for path in paths
        )
        self.odd |= any(c < " " or c in '"\\' for name, _ in fields for c in name)  # a struct has no such names
        tree: dict[str, Any] = {}
        for i, path in enumerate([] if self.odd else paths):
            at = tree
            for part in path[:-1]:
                at = at.setdefault(part, {})
            at[path[-1]] = (f"x{i}", fields[i][1])
        self._decode = msgspec.json.Decoder(_struct(tree)).decode
        self._values: Callable[[Any], tuple[Any, ...]] = msgspec.structs.astuple
        if self._nested and not self.odd:
            getters = attrgetter(
                *(".".join([*(_inner(part) for part in parts[:-1]), f"x{i}"]) for i, parts in enumerate(paths))
            )
            self._values = getters if len(fields) > 1 else lambda record: (getters(record),)

    def rows(self, records: Sequence[bytes]) -> list[tuple[Any, ...]] | None:
        """Return the fields of all records, or None where one is not plainly made of them.

        Parameters
        ----------
        records
            Records without their line ends.
        """
        if self.odd:
            return None
        data = b"\n".join(records)
        if not self._nested:
            if data.count(b"[") + data.count(b"{") > len(records) + MAX_NESTING - 1:
                return None
        elif b"\\u" in data or any(name in data for name in self._literal) or any(map(_is_deep, records)):
            return None
        try:
            if not data.isascii():
                data.decode()
            decode, values = self._decode, self._values
            return [values(decode(record)) for record in records]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, AttributeError):
            return None

    def row(self, record: bytes) -> tuple[Any, ...] | None:
        """Return the fields of one record that is not nested too deep, None where they are of other types.

        Parameters
        ----------
        record
            Without its line end.
        """
        if self.odd:
            return None
        try:
            return self._values(self._decode(record))
        except msgspec.DecodeError:
            return None


def _is_deep(record: bytes) -> bool:
    return record.count(b"[") + record.count(b"{") > MAX_NESTING


def _inner(name: str) -> str:
    """Return the attribute of a field that holds others: some letters, whatever its name is."""
    return "n" + name.encode().hex()


def _struct(tree: dict[str, Any]) -> Any:
    """Return the struct of some fields; a field that holds others is a struct, or absent."""
    fields: list[tuple[str, Any, Any]] = []
    rename = {}
    for name, what in tree.items():
        attribute, kind = what if isinstance(what, tuple) else (_inner(name), _struct(what) | None)
        fields.append((attribute, kind, None))
        rename[attribute] = name
    return msgspec.defstruct("Record", fields, rename=rename)
