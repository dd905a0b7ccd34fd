"""What the first bytes of an input tell: format, delimiter, header, columns, fingerprint."""

from __future__ import annotations

import codecs
import hashlib
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import msgspec

from streamrnn.errors import SourceError
from streamrnn_files.cells import CellError, looks_like_data, split_cells
from streamrnn_files.columns import Layout, choose
from streamrnn_files.cutter import Batch, Cutter
from streamrnn_files.options import SourceOptions

__all__ = ["Head", "fingerprint", "read_head"]

SAMPLE = 100
"""Records that columns are chosen from."""

HEAD_MOST = 8 << 20
"""Bytes, besides one longest line, after which the choice is made with what has come."""

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

    ``delimiter`` is None for JSON Lines; ``start`` and ``line`` tell where the first record lies.
    """

    layout: Layout
    delimiter: str | None
    start: int
    line: int
    fingerprint: str


def fingerprint(data: bytes, lines: int, *, final: bool) -> str | None:
    """Return what tells a file from its successor, or None while too little of it is there.

    It is made of the first ``lines`` lines (a header and a record, or a record), of 4096 bytes at most.
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


def _sampled(batch: Batch, n: int) -> list[bytes]:
    return [record for i, record in enumerate(batch.records) if i not in batch.faults][:n]


def _as_dict(record: bytes) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _enough(sample: list[dict[str, Any]], header: list[str], *, live: bool) -> bool:
    if len(sample) >= SAMPLE:
        return True
    return live and bool(sample) and all(any(row.get(name) not in (None, "") for row in sample) for name in header)


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
    """
    if len(data) < 4 and not final:
        return None
    for magic, what in _FOREIGN.items():
        if data.startswith(magic):
            raise SourceError(f"{options.path!r} {what}.")
    bom = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    body = data[bom:]
    if not body.strip(b"\r\n") and not final:
        return None
    if _format(options, body) == "csv":
        return _csv_head(options, data, bom, final=final, live=live, before=before)
    return _json_head(options, data, bom, final=final, live=live, before=before)


def _json_head(
    options: SourceOptions, data: bytes, bom: int, *, final: bool, live: bool, before: Layout | None
) -> Head | None:
    mark = fingerprint(data, 1, final=final)
    layout = before
    if layout is None and options.columns and live:
        layout = choose(options, (), (), text=False, strict=False)
    if layout is None:
        cutter = Cutter(offset=bom, limit=options.max_line_bytes)
        cutter.feed(data[bom:], final=final)
        records = _sampled(cutter.take(len(cutter)), SAMPLE)
        sample = [row for row in map(_as_dict, records) if row is not None]
        header = list(dict.fromkeys(name for row in sample for name in row))
        whole = final or len(records) >= SAMPLE or len(data) > options.max_line_bytes + HEAD_MOST
        if not whole and not _enough(sample, header, live=live):
            return None
        if not records:
            header, layout = [], Layout((), tuple(options.columns), options.time, options.key)
        else:
            layout = choose(options, header, sample, text=False, strict=bool(sample) and not live)
    return None if mark is None else Head(layout, None, bom, 1, mark)


def _csv_head(
    options: SourceOptions, data: bytes, bom: int, *, final: bool, live: bool, before: Layout | None
) -> Head | None:
    if not data[bom:].strip(b"\r\n"):
        raise SourceError(f"{options.path!r} is empty: a header row is expected.")
    delimiter = _delimiter(options, data[bom:])
    cutter = Cutter(offset=bom, limit=options.max_line_bytes, delimiter=delimiter)
    cutter.feed(data[bom:], final=final)
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
    mark = fingerprint(data, 1 if options.header is False else 2, final=final)
    start = first.end if names else bom
    header = names or [f"c{i}" for i in range(len(cells))]
    if before is not None:
        layout = before if not names else Layout(tuple(names), before.features, before.time, before.key, before.epoch)
    else:
        rest = cutter.take(SAMPLE + 1)
        records = _sampled(rest if names else Batch(first.records + rest.records, faults={}), SAMPLE)
        sample = _rows(records, header, delimiter)
        whole = final or len(data) > options.max_line_bytes + HEAD_MOST or (live and options.columns and sample)
        if not whole and not _enough(sample, header, live=live):
            return None
        if final and not records and not options.columns:
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
