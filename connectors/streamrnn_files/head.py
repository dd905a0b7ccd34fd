"""What the first bytes of an input tell: format, delimiter, header, columns, fingerprint."""

from __future__ import annotations

import codecs
import hashlib
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Literal

import msgspec

from streamrnn.errors import SourceError
from streamrnn_files.cells import CellError, looks_like_data, split_cells
from streamrnn_files.columns import Layout, choose
from streamrnn_files.cutter import Batch, Cutter
from streamrnn_files.options import SourceOptions

__all__ = ["Head", "fingerprint", "read_head"]

SAMPLE = 100
"""Records that columns are chosen from."""

HEAD_MOST = (1 << 20, 32 << 20)
"""Bytes, besides one longest line, that columns are chosen from; the second where the first hold no good record."""

_Ending = Literal["open", "cut", "last cut", "end"]
"""How the bytes end that a head is read from: more may come; more are there, but left out; there are no more."""

FINGERPRINT_MOST = 4096

_ENDINGS = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_FOREIGN = {
    b"\x1f\x8b": "is compressed (gzip): unpack it first, or pipe it in: gunzip -c FILE | ... with path '-'",
    b"PK\x03\x04": "is a zip archive or a spreadsheet: unpack it, or save it as CSV, first",
    b"PAR1": "is a Parquet file: convert it to CSV or JSON Lines first",
    codecs.BOM_UTF16_LE: "is UTF-16 text: convert it to UTF-8 first",
    codecs.BOM_UTF16_BE: "is UTF-16 text: convert it to UTF-8 first",
}


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of an input before its first event.

    Parameters
    ----------
    layout
        The columns.
    delimiter
        The character between two cells; None for JSON Lines.
    start
        Offset of the first record, in bytes.
    line
        Number of the line that it begins on.
    fingerprint
        What :func:`fingerprint` returns of the file.
    """

    layout: Layout
    delimiter: str | None
    start: int
    line: int
    fingerprint: str


def fingerprint(data: bytes, lines: int, *, final: bool) -> str | None:
    """Return what tells a file from its successor, or None while too little of it is there.

    It is made of the first ``lines`` lines (a header and a record, or a record), of 4096 bytes at most.

    Parameters
    ----------
    data
        The first bytes of the file.
    lines
        How many lines it is made of, >= 1.
    final
        Whether there are no more bytes.
    """
    data = data[:FINGERPRINT_MOST]
    end = -1
    for _ in range(lines):
        end = data.find(b"\n", end + 1)
        if end < 0:
            break
    if end < 0:
        if not final and len(data) < FINGERPRINT_MOST:
            return None
        end = len(data)
    return hashlib.sha256(data[:end].rstrip(b"\r\n")).hexdigest()[:8]


def _format(options: SourceOptions, data: bytes) -> str:
    if options.format != "auto":
        return options.format
    by_name = _ENDINGS.get(PurePath(options.path).suffix.lower())
    return by_name or ("jsonl" if data.lstrip()[:1] == b"{" else "csv")


def _delimiter(options: SourceOptions, data: bytes) -> str:
    if options.delimiter is not None:
        return options.delimiter
    row = data.lstrip(b"\r\n").split(b"\n", 1)[0].decode(errors="replace")
    unquoted = "".join(row.split('"')[::2])
    return max(",;\t|", key=unquoted.count)


def _sampled(batch: Batch) -> list[bytes]:
    return [record for i, record in enumerate(batch.records) if i not in batch.faults][:SAMPLE]


def _as_dict(record: bytes) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _cover(rows: list[dict[str, Any]], *, live: bool, complete: bool) -> list[dict[str, Any]] | None:
    """Return the rows to choose from, or None while there are too few.

    All of them (100, or all there are); of a live input the first ones, up to where each of their columns has shown a
    value.
    """
    if live:
        seen: dict[str, bool] = {}
        for i, row in enumerate(rows):
            for name, value in row.items():
                seen[name] = seen.get(name, False) or value not in (None, "")
            if all(seen.values()):
                return rows[: i + 1]
    return rows if complete else None


def read_head(
    options: SourceOptions, data: bytes, *, final: bool, live: bool, before: Layout | None = None
) -> Head | None:
    """Read the head of an input, or return None while too little of it is there.

    Parameters
    ----------
    options
        What the user asks for.
    data
        The first bytes, from the very start.
    final
        Whether there are no more.
    live
        Whether to decide as soon as can be: the next record may be hours away.
    before
        The columns of the file this one follows (rotation), or None.

    Raises
    ------
    SourceError
        When the file is of another kind (compressed, say), or its head cannot be read.
    """
    if len(data) < 4 and not final:
        return None
    for magic, what in _FOREIGN.items():
        if data.startswith(magic):
            raise SourceError(f"{options.path!r} {what}.")
    bom = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    for extra in HEAD_MOST:  # the choice must not depend on how many bytes came at once
        most = options.max_line_bytes + extra
        if len(data) < most:
            return _read(options, data, bom, "end" if final else "open", live=live, before=before)
        whole_lines = data[: data.rfind(b"\n", 0, most) + 1] or data[:most]
        ending: _Ending = "last cut" if extra == HEAD_MOST[-1] else "cut"
        head = _read(options, whole_lines, bom, ending, live=live, before=before)
        if head is not None:
            break
    return head


def _read(
    options: SourceOptions, data: bytes, bom: int, ending: _Ending, *, live: bool, before: Layout | None
) -> Head | None:
    body = data[bom:]
    if ending == "open" and not body.strip(b"\r\n"):
        return None
    read = _csv_head if _format(options, body) == "csv" else _json_head
    return read(options, data, bom, ending, live=live, before=before)


def _json_head(
    options: SourceOptions, data: bytes, bom: int, ending: _Ending, *, live: bool, before: Layout | None
) -> Head | None:
    mark = fingerprint(data, 1, final=ending != "open")
    layout = before
    if layout is None and options.columns and live:
        layout = choose(options, (), (), text=False, strict=False)
    if layout is None:
        cutter = Cutter(offset=bom, limit=options.max_line_bytes)
        cutter.feed(data[bom:], final=ending != "open")
        records = _sampled(cutter.take(len(cutter)))
        rows = [row for row in map(_as_dict, records) if row is not None]
        sample = _cover(rows, live=live, complete=ending != "open" or len(records) >= SAMPLE)
        if sample is None or (ending == "cut" and not sample):
            return None
        header = list(dict.fromkeys(name for row in sample for name in row))
        if ending == "end" and not records:
            layout = Layout((), tuple(options.columns), options.time or None, options.key or None)
        else:
            layout = choose(options, header, sample, text=False, strict=bool(sample) and not live)
    return None if mark is None else Head(layout, None, bom, 1, mark)


def _csv_head(
    options: SourceOptions, data: bytes, bom: int, ending: _Ending, *, live: bool, before: Layout | None
) -> Head | None:
    if not data[bom:].strip(b"\r\n"):
        raise SourceError(f"{options.path!r} is empty: a header row is expected.")
    delimiter = _delimiter(options, data[bom:])
    cutter = Cutter(offset=bom, limit=options.max_line_bytes, delimiter=delimiter)
    cutter.feed(data[bom:], final=ending != "open")
    if not len(cutter):
        if len(data) - bom > options.max_line_bytes:
            raise SourceError(
                f"{options.path!r}: its first line is longer than max_line_bytes = {options.max_line_bytes}. "
                "Is it a CSV? If so, raise max_line_bytes."
            )
        return None
    first = cutter.take(1)
    cells = _first_cells(options, first, delimiter)
    names, nameless = _names(options, cells, before)
    mark = fingerprint(data, 1 if options.header is False else 2, final=ending != "open")
    start = first.end if names else bom
    header = names or [f"c{i}" for i in range(len(cells))]
    if before is not None:
        layout = before if not names else Layout(tuple(names), before.features, before.time, before.key, before.epoch)
    else:
        records = ([] if names else first.records) + _sampled(cutter.take(len(cutter)))
        rows = _rows(records[:SAMPLE], header, delimiter)
        if live and options.columns:
            sample = rows[:1] or _cover(rows, live=False, complete=ending != "open")
        else:
            sample = _cover(rows, live=live, complete=ending != "open" or len(records) >= SAMPLE)
        if sample is None or (ending == "cut" and not sample):
            return None
        if ending == "end" and not records and not options.columns:
            layout = Layout(tuple(header), (), None, None)
        else:
            layout = choose(options, header, sample, text=True, nameless=nameless)
    return None if mark is None else Head(layout, delimiter, start, 1 + data.count(b"\n", 0, start), mark)


def _first_cells(options: SourceOptions, first: Batch, delimiter: str) -> list[str]:
    problem = first.faults.get(0)
    if problem is None:
        try:
            return [cell.strip() for cell in split_cells(first.records[0].decode(), delimiter)]
        except UnicodeDecodeError:
            problem = "It is not UTF-8 text."
        except CellError as error:
            problem = f"{error}."
    raise SourceError(f"{options.path!r}: its first row cannot be read. {problem}")


def _rows(records: list[bytes], header: list[str], delimiter: str) -> list[dict[str, Any]]:
    rows = []
    for record in records:
        try:
            cells = split_cells(record.decode(), delimiter)
        except (UnicodeDecodeError, CellError):
            continue
        if len(cells) == len(header):
            rows.append(dict(zip(header, cells, strict=True)))
    return rows


def _names(options: SourceOptions, cells: list[str], before: Layout | None) -> tuple[list[str], frozenset[str]]:
    """Return the header's names, with those it gives none for; [] where the first row is data."""
    if options.header is False:
        return [], frozenset()
    if before is not None and not set(before.used) <= set(cells):
        if len(cells) == len(before.header):
            return [], frozenset()
        raise SourceError(
            f"{options.path!r} was replaced by a file with other columns: {', '.join(cells[:20])}. "
            f"Expected: {', '.join(before.used)}."
        )
    if options.header is None and all(map(looks_like_data, cells)):
        raise SourceError(
            f"{options.path!r} has no header row: its first row is {', '.join(cells[:5])}"
            f"{', ...' if len(cells) > 5 else ''}. Set header = false to name the columns c0, c1, ... by position, "
            "or header = true if these are names."
        )
    nameless = frozenset(f"c{i}" for i, cell in enumerate(cells) if not cell)
    names = [cell or f"c{i}" for i, cell in enumerate(cells)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SourceError(f"{options.path!r}: its header names {', '.join(map(repr, twice))} more than once.")
    return names, nameless
