"""Many records to columns at once, by compiled code; what it is not sure of is read one by one, with the same result."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn_files.csv_rows import CsvParser
from streamrnn_files.csv_scanned import scan_of_csv
from streamrnn_files.json_rows import JsonParser
from streamrnn_files.records import Records
from streamrnn_files.rows import Found, Parser, Rows, Scan, parse_rows
from streamrnn_files.samples import Head

__all__ = ["ScannedParser", "scanning"]

LEAST = 64
"""Records at once: fewer are read one by one in less time."""


class ScannedParser:
    """Parses records with compiled code before the two ways that a parser has.

    Parameters
    ----------
    parser
        Gets what compiled code is not sure of.
    scan
        The compiled code; None: all goes to the parser.
    """

    def __init__(self, parser: Parser, scan: Scan | None = None) -> None:
        self._parser, self._scan = parser, scan

    def rows(self, records: Records, faults: dict[int, str]) -> Rows:
        """Parse records.

        Parameters
        ----------
        records
            Records without their line ends.
        faults
            Why a record is known to be bad, by its index in ``records``.
        """
        found = None
        if self._scan is not None and len(records) >= LEAST:
            data, spans = records.region()
            if faults:
                spans = spans.copy()
                spans[list(faults), 0] = -1
            found = self._scan(data, spans)
        if found is None:
            return parse_rows(self._parser, list(records), faults)
        n = len(records)
        if not len(found.doubtful):
            return Rows(found.values, found.times or [None] * n, found.keys or [None] * n, {})
        return self._completed(found, records, faults)

    def _completed(self, found: Found, records: Records, faults: dict[int, str]) -> Rows:
        """Return what was found, in which doubtful records stand as the parser reads them."""
        n, doubtful = len(records), found.doubtful.tolist()
        known = {i: faults[at] for i, at in enumerate(doubtful) if at in faults} if faults else {}
        rest = parse_rows(self._parser, list(records.of(found.doubtful)), known)
        bad = {doubtful[i]: why for i, why in rest.faults.items()}
        passed = {doubtful[i] for i in rest.passed}
        read = [at for at in doubtful if at not in bad and at not in passed]
        times, keys = list(found.times or [None] * n), list(found.keys or [None] * n)
        found.values[read] = rest.values
        for at, time, key in zip(read, rest.times, rest.keys, strict=True):
            times[at], keys[at] = time, key
        if not bad and not passed:
            return Rows(found.values, times, keys, {})
        kept = [at for at in range(n) if at not in bad and at not in passed]
        return Rows(found.values[kept], [times[at] for at in kept], [keys[at] for at in kept], bad, passed)


def _scan_of_json(parser: JsonParser, most: int) -> Scan | None:
    """Return what reads JSON; None where fields need more than to be found."""
    fields = parser.plain_fields()
    if fields is None:
        return None
    numbers, time, key = fields
    columns: Any = import_module("streamrnn.columns.json_columns")
    plan = import_module("streamrnn.columns.json_plan").plan_of(
        numbers, [one for one in (time, key) if one is not None]
    )
    if plan is None:
        return None
    literals = [b'"' + name.encode() + b'"' for name in (*numbers, time or "", key or "") if "." in name]
    means = [columns.TIME] * (time is not None) + [columns.KEY] * (key is not None)
    read = columns.JsonColumns(plan, len(numbers), means, parser.least, most)

    def scan(data: bytearray, spans: NDArray[np.int64]) -> Found | None:
        if any(name in data for name in literals):  # a.b may be one name as well
            return None
        scanned = read(data, spans)
        texts: list[Any] = list(scanned.texts)
        times = () if time is None else texts[0]
        return Found(scanned.values, times, () if key is None else list(texts[-1]), scanned.doubtful)

    return scan


def scanning(parser: Parser, head: Head, most: int) -> ScannedParser:
    """Return a parser with compiled code before it, compiled or loaded; without where there is none for these records.

    Parameters
    ----------
    parser
        Of the file's format.
    head
        How the file is written.
    most
        Bytes of the longest record.
    """
    if import_module("streamrnn.columns.compiled").INTERPRETED:
        return ScannedParser(parser)
    scan: Scan | None = None
    if isinstance(parser, JsonParser):
        scan = _scan_of_json(parser, most)
    elif isinstance(parser, CsvParser):
        scan = scan_of_csv(parser, head, most)
    if scan is not None:
        scan(bytearray(b"{}"), np.array([[0, 2]]))
    return ScannedParser(parser, scan)
