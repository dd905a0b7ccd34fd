"""What heads are made from and of: the first records of an input, what they tell, what tells a file from its successor."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from streamrnn_files.cells import is_number
from streamrnn_files.columns import Layout
from streamrnn_files.cutter import Batch
from streamrnn_files.keys import joined
from streamrnn_files.meanings import TIME_NAMES
from streamrnn_files.options import SourceOptions
from streamrnn_files.ordering import moments_of, order_of

__all__ = [
    "Ending",
    "Head",
    "cover",
    "fingerprint",
    "flat",
    "order",
    "sampled",
    "suffix",
]

SAMPLE = 500
"""Records that columns are chosen from."""

LIVE_SAMPLE = 50
"""The same of a CSV that is no plain table, where the next record may be hours away."""

FINGERPRINT_MOST = 4096

SPREAD = 16
"""Numbers of a list that are columns each: axes, phases, percentiles; more are a picture or an embedding."""

Ending = Literal["open", "cut", "last cut", "end"]
"""How the bytes end that a head is read from: more may come; more are there, but left out; there are no more."""


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of an input before its first event.

    Parameters
    ----------
    layout
        The columns.
    delimiter
        The character between two cells, a blank for any number of blanks; None for JSON Lines.
    start
        Offset of the first record, in bytes.
    line
        Number of the line that it begins on.
    fingerprint
        What :func:`fingerprint` returns of the file; behind it, where the columns are not those of a plain table, what tells
        the choice from others.
    named
        Whether the first row of a CSV names the columns.
    comment
        What lines begin with that are no rows; ``""`` where there are none.
    encoding
        Of the records.
    moments
        Order, step and gaps of the first records.
    """

    layout: Layout
    delimiter: str | None
    start: int
    line: int
    fingerprint: str
    named: bool = True
    comment: str = ""
    encoding: str = "utf-8"
    moments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def newest_first(self) -> bool:
        """Whether the first records are the newest."""
        return self.moments.get("order") == "newest first"


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


def sampled(batch: Batch) -> list[bytes]:
    """Return the first records that are whole.

    Parameters
    ----------
    batch
        The first records.
    """
    first = batch.part(0, SAMPLE + len(batch.faults))
    return [record for i, record in enumerate(first.records) if i not in first.faults][:SAMPLE]


def cover(rows: list[dict[str, Any]], *, live: bool, complete: bool) -> list[dict[str, Any]] | None:
    """Return the rows to choose from, or None while there are too few.

    All of them (500, or all there are); of a live input the first ones, up to where each of their columns has shown a
    value.

    Parameters
    ----------
    rows
        The first ones.
    live
        Whether to decide as soon as can be.
    complete
        Whether there are 500, or no more.
    """
    if live:
        seen: dict[str, bool] = {}
        for i, row in enumerate(rows):
            for name, value in row.items():
                seen[name] = seen.get(name, False) or value not in (None, "")
            if all(seen.values()):
                return rows[: i + 1]
    return rows if complete else None


def _cells(sample: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    return ["" if row.get(name) is None else str(row[name]) for row in sample]


def order(layout: Layout, sample: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return order, step and gaps of the first records.

    Parameters
    ----------
    layout
        The columns.
    sample
        The records.
    """
    columns = {name: _cells(sample, name) for name in (*layout.timing.columns, *layout.keys)}
    keys = list(map(joined, zip(*(columns[name] for name in layout.keys), strict=True))) if layout.keys else None
    return order_of(moments_of(layout.timing, columns), keys)


def suffix(
    options: SourceOptions, layout: Layout, header: Sequence[str], sample: Sequence[Mapping[str, Any]], *, text: bool
) -> str:
    """Return what tells the choice of columns from others, ``""`` where it is that of a plain table.

    A plain table's columns of numbers are all watched, its time has one of the five usual names, and nothing in it had to be guessed.

    Parameters
    ----------
    options
        What the user asks for.
    layout
        What was chosen.
    header
        Every column, in order.
    sample
        The records that it was chosen from.
    text
        Whether values are texts.
    """
    usual = next((name for name in header if name.strip().lower() in TIME_NAMES and name not in options.columns), None)
    features = options.columns or tuple(
        name for name in header if name not in (usual, options.key) and (layout.left_out.get(name, "") == "has no name" or _numeric(sample, name, text))
    )  # fmt: skip
    plain = (
        layout.settled
        and not layout.numerals
        and not layout.timing.made
        and not layout.timing.totals
        and layout.time == (options.time or usual)
        and layout.key == (options.key or None)
        and set(features) - set(layout.left_out) == set(layout.features)
    )
    if plain:
        return ""
    chosen = [layout.features, layout.time, layout.timing.form, layout.key, sorted(layout.numerals.items())]
    chosen += ["totals"] * layout.timing.totals
    return "-" + hashlib.sha256(repr(chosen).encode()).hexdigest()[:4]


def _numeric(sample: Sequence[Mapping[str, Any]], name: str, text: bool) -> bool:
    values = [row[name] for row in sample[:100] if row.get(name) not in (None, "")]
    fits = [is_number(v) if text else isinstance(v, int | float) and not isinstance(v, bool) for v in values]
    return 2 * sum(fits) >= len(fits) > 0


def flat(record: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return the fields of a record by name, ``a.b`` for the field b inside the field a, ``a.0`` for the first of a few numbers in a list.

    Parameters
    ----------
    record
        Decoded JSON.
    before
        What stands before each name.
    """
    found: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, list) and 1 < len(value) <= SPREAD and all(type(cell) in (int, float) for cell in value):
            value = {str(i): cell for i, cell in enumerate(value)}  # noqa: PLW2901
        if isinstance(value, dict):
            found.update({one: v for one, v in flat(value, f"{before}{name}.").items() if one not in found})
        else:
            found[before + name] = msgspec.json.encode(value).decode() if isinstance(value, list) else value
    return found
