"""Many records of a CSV to columns at once, by compiled code."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.columns.sequences import Texts
from streamrnn_files.csv_rows import CsvParser
from streamrnn_files.keys import joined
from streamrnn_files.rows import Found, Scan, Time
from streamrnn_files.samples import Head

__all__ = ["scan_of_csv"]

ZERO, NINE = 48, 57


def scan_of_csv(parser: CsvParser, head: Head, most: int) -> Scan | None:
    """Return what reads a CSV; None where its numbers have units, or cells are not told apart by one character.

    Parameters
    ----------
    parser
        Of the file.
    head
        How it is written.
    most
        Bytes of the longest record.
    """
    csv: Any = import_module("streamrnn.columns.csv_columns")
    layout, delimiter = head.layout, head.delimiter or ","
    place = {name: i for i, name in enumerate(layout.header)}
    numerals = {place[name]: layout.numerals_of(name) for name in layout.features}
    times = layout.timing.columns if layout.timing.made else () if layout.time is None else (layout.time,)
    texts = [place[name] for name in (*times, *layout.keys)]
    known = all(one.unit == ("", "") and not one.scales and one.decimal != delimiter for one in numerals.values())
    once = len({*numerals, *texts}) == len(layout.features) + len(texts)
    if not (numerals and known and once and csv.delimits(delimiter)):
        return None
    marks = {i: one.sentinels for i, one in enumerate(numerals.values()) if one.sentinels}
    utf8 = head.encoding.lower() in ("utf-8", "utf8")
    read = csv.CsvColumns(
        len(layout.header),
        {at: one.decimal for at, one in numerals.items()},
        texts,
        delimiter,
        utf8,
        parser.least,
        most,
    )
    comment = head.comment.encode(head.encoding)

    def scan(data: bytearray, spans: NDArray[np.int64]) -> Found | None:
        found = read(data, _without(comment, data, spans) if comment else spans)
        doubtful = found.doubtful
        if marks:
            doubtful = _marked(found.values, marks, doubtful, parser.least)
        made = _times(parser, head, found.texts[: len(times)], doubtful) if times else ()
        if made is None:
            return None
        keys: list[Any] = found.texts[len(times) :]
        named = (
            list(keys[0])
            if len(keys) == 1
            else [joined([one or "" for one in cells]) or None for cells in zip(*keys, strict=True)]
        )
        return Found(found.values, made, named, doubtful)

    return scan


def _without(comment: bytes, data: bytearray, spans: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places of records, -1 for those that are comments."""
    kept = spans.copy()
    for i, (start, _) in enumerate(spans.tolist()):
        if start >= 0 and data.startswith(comment, start):
            kept[i, 0] = -1
    return kept


def _marked(
    values: NDArray[np.float64], marks: dict[int, tuple[float, ...]], doubtful: NDArray[np.int64], least: int
) -> NDArray[np.int64]:
    """Take numbers that stand for no value out; return which records are doubtful then."""
    for i, sentinels in marks.items():
        values[np.isin(values[:, i], sentinels), i] = np.nan
    few = np.flatnonzero(np.isfinite(values).sum(axis=1) < least)
    return np.union1d(doubtful, few)


def _times(
    parser: CsvParser, head: Head, columns: Sequence[Texts], doubtful: NDArray[np.int64]
) -> Sequence[Time] | None:
    """Return times; None where one is none."""
    layout, first = head.layout, columns[0]
    if layout.timing.made:
        return parser.made_times([[cell or "" for cell in cells] for cells in columns])
    if layout.epoch:
        sure = np.ones(len(first), np.bool_)
        sure[doubtful] = False
        at = np.flatnonzero(sure).tolist()
        found = parser.plain_times([first[i] or "" for i in at])
        if found is None:
            return None
        times: list[Time] = [None] * len(first)
        for i, time in zip(at, found, strict=True):
            times[i] = time
        return times
    begins = first.data[first.ends[:-1]]
    digits = (begins >= ZERO) & (begins <= NINE)
    digits[first.missing] = True
    if not layout.timing.totals and (layout.timing.form is None or digits.all()):
        return first
    return None if parser.plain_times([cell or "" for cell in first]) is None else first
