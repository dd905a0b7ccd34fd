"""What the first bytes of an input tell: format, delimiter, header, columns, fingerprint."""

from __future__ import annotations

import codecs
from pathlib import PurePath
from typing import Any

from streamrnn.errors import SourceError
from streamrnn.io import nests_too_deep
from streamrnn_files.cells import CellError
from streamrnn_files.columns import Layout, choose
from streamrnn_files.csv_head import CsvHead
from streamrnn_files.cutter import Cutter
from streamrnn_files.json_rows import decoded
from streamrnn_files.options import SourceOptions
from streamrnn_files.samples import SAMPLE, Ending, Head, cover, fingerprint, flat, order, sampled, suffix

__all__ = ["read_head"]

HEAD_MOST = (1 << 20, 32 << 20)
"""Bytes, besides one longest line, that columns are chosen from; the second where the first hold no good record."""

_ENDINGS = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


def _format(options: SourceOptions, data: bytes) -> str:
    if options.format in ("csv", "jsonl"):
        return options.format
    if options.format in ("json", "influx", "parquet"):  # made into JSON Lines on the way
        return "jsonl"
    by_name = _ENDINGS.get(PurePath(options.path.removesuffix(".gz").removesuffix(".zst")).suffix.lower())
    return by_name or ("jsonl" if data.lstrip()[:1] == b"{" else "csv")


def _as_dict(record: bytes) -> dict[str, Any] | None:
    if nests_too_deep(record):
        return None
    try:
        found = decoded(record)
    except (CellError, UnicodeDecodeError, RecursionError):
        return None
    return flat(found) if isinstance(found, dict) else None


def read_head(
    options: SourceOptions,
    data: bytes,
    *,
    final: bool,
    live: bool,
    before: Head | None = None,
    counted: bool = False,
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
        The head of the file this one follows (rotation), or None.
    counted
        Whether records are counted.

    Raises
    ------
    SourceError
        When its head cannot be read.
    """
    if len(data) < 4 and not final:
        return None
    if data.startswith(b"PK\x03\x04"):
        raise SourceError(f"{options.path!r} is a zip archive or a spreadsheet: unpack it, or save it as CSV, first.")
    bom = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    for extra in HEAD_MOST:  # the choice must not depend on how many bytes came at once
        most = options.max_line_bytes + extra
        if len(data) < most:
            return _read(options, data, bom, "end" if final else "open", live=live, before=before, counted=counted)
        whole_lines = data[: data.rfind(b"\n", 0, most) + 1] or data[:most]
        ending: Ending = "last cut" if extra == HEAD_MOST[-1] else "cut"
        head = _read(options, whole_lines, bom, ending, live=live, before=before, counted=counted)
        if head is not None:
            break
    return head


def _read(
    options: SourceOptions, data: bytes, bom: int, ending: Ending, *, live: bool, before: Head | None, counted: bool
) -> Head | None:
    body = data[bom:]
    if ending == "open" and not body.strip(b"\r\n"):
        return None
    if _format(options, body) == "csv":
        return CsvHead(options, data, bom, ending, live=live, before=before, counted=counted).read()
    return _json_head(options, data, bom, ending, live=live, before=before, counted=counted)


def _json_head(
    options: SourceOptions, data: bytes, bom: int, ending: Ending, *, live: bool, before: Head | None, counted: bool
) -> Head | None:
    mark = fingerprint(data, 1, final=ending != "open")
    layout = None if before is None else before.layout
    moments: dict[str, Any] = {}
    if layout is None and options.columns and live:
        layout = choose(options, (), (), text=False, strict=False, counted=counted)
    if layout is None:
        cutter = Cutter(offset=bom, limit=options.max_line_bytes)
        cutter.feed(data[bom:], final=ending != "open")
        records = sampled(cutter.take(len(cutter)))
        rows = [row for row in map(_as_dict, records) if row is not None]
        sample = cover(rows, live=live, complete=ending != "open" or len(records) >= SAMPLE)
        if sample is None or (ending == "cut" and not sample):
            return None
        header = list(dict.fromkeys(name for row in sample for name in row))
        if ending == "end" and not records:
            layout = Layout((), tuple(options.columns), options.time or None, options.key or None)
        else:
            layout = choose(options, header, sample, text=False, strict=bool(sample) and not live, counted=counted)
            moments = order(layout, sample)
            if mark is not None:
                mark += suffix(options, layout, header, sample, text=False)
    return None if mark is None else Head(layout, None, bom, 1, mark, moments=moments)
