"""The head of a CSV: where its table starts, its names, its columns."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Any

from streamrnn.errors import SourceError
from streamrnn_files.cells import CellError
from streamrnn_files.clocks import CLOCK
from streamrnn_files.columns import Layout, choose
from streamrnn_files.csv_careful import again
from streamrnn_files.cutter import Cutter
from streamrnn_files.dialect import LINES, Start, find_start, has_header, unique
from streamrnn_files.dialect_rows import (
    BLANKS,
    are_codes,
    holds_units,
    is_remark,
    is_ruler,
    like_data,
    names_below,
    split_row,
)
from streamrnn_files.line_stage import encoding_of
from streamrnn_files.options import SourceOptions
from streamrnn_files.samples import LIVE_SAMPLE, SAMPLE, Ending, Head, cover, fingerprint, order, sampled, suffix

__all__ = ["CsvHead"]


class CsvHead:
    """Reads the head of a CSV.

    Parameters
    ----------
    options
        What the user asks for.
    data
        The first bytes, from the very start.
    bom
        Bytes of the mark at the start.
    ending
        How they end.
    live
        Whether to decide as soon as can be.
    before
        The head of the file this one follows (rotation), or None.
    counted
        Whether records are counted.
    """

    def __init__(
        self,
        options: SourceOptions,
        data: bytes,
        bom: int,
        ending: Ending,
        *,
        live: bool,
        before: Head | None,
        counted: bool = False,
    ) -> None:
        self._options = options
        self._data = data
        self._bom = bom
        self._ending = ending
        self._live = live
        self._before = before
        self._path = options.path
        self._counted = counted

    def read(self) -> Head | None:
        """Return the head, or None while too little of the file is there.

        Raises
        ------
        SourceError
            When it cannot be read.
        """
        data = self._data
        if not data[self._bom :].strip(b"\r\n"):
            raise SourceError(f"{self._path!r} is empty: a header row is expected.")
        found = self._start()
        if found is None:
            return None
        start, offset = found
        cutter = self._cutter(start, offset)
        cutter.feed(data[offset:], final=self._ending != "open")
        if not len(cutter):
            if len(data) - self._bom > self._options.max_line_bytes:
                raise SourceError(
                    f"{self._path!r}: its first line is longer than max_line_bytes = {self._options.max_line_bytes}. "
                    "Is it a CSV? If so, raise max_line_bytes."
                )
            return None
        first = cutter.take(1)
        if 0 in first.faults:
            raise SourceError(f"{self._path!r}: its first row cannot be read. {first.faults[0]}")
        batch = cutter.take(len(cutter))
        return self._table(start, first.records[0], sampled(batch), (offset, first.end, *batch.starts[1:6].tolist()))

    def _start(self) -> tuple[Start, int] | None:
        """Find where the table starts, and the offset of that line."""
        data, skip = self._data, self._options.skip or 0
        ends = [self._bom]
        for _ in range(skip + LINES):
            at = data.find(b"\n", ends[-1]) + 1
            if not at:
                break
            ends.append(at)
        complete = self._ending != "open" or len(ends) > skip + LINES
        if self._ending != "open" and ends[-1] < len(data) and len(ends) <= skip + LINES:
            ends.append(len(data))
        encoding = self._options.encoding if self._options.encoding and not self._options.wide else None
        encoding = encoding or encoding_of(data[ends[0] : ends[-1]])
        lines = [
            data[a:b].decode(encoding, "replace").rstrip("\r\n")
            for a, b in zip(ends[skip:], ends[skip + 1 :], strict=False)
        ]
        wanted = self._options.delimiter or (None if self._before is None else self._before.delimiter)
        start = find_start(lines, delimiter=wanted, comment=self._options.comment, complete=complete, live=self._live)
        if start is None:
            return (Start(wanted or ",", 0, ""), self._bom) if complete else None
        return start, ends[skip + start.line]

    def _cutter(self, start: Start, offset: int) -> Cutter:
        delimiter = None if start.delimiter == BLANKS else start.delimiter
        return Cutter(offset=offset, limit=self._options.max_line_bytes, delimiter=delimiter)

    def _encoding(self, records: Sequence[bytes]) -> str:
        """Return UTF-8, or another one where more records cannot be it than need it."""
        if self._options.encoding is not None and not self._options.wide:
            return self._options.encoding
        wide = 0
        broken = []
        for record in records:
            if not record.isascii():
                try:
                    record.decode()
                except UnicodeDecodeError:
                    broken.append(record)
                else:
                    wide += 1
        return encoding_of(b"\n".join(broken)) if len(broken) > wide else "utf-8"

    def _table(self, start: Start, first: bytes, records: list[bytes], offsets: Sequence[int]) -> Head | None:
        encoding = self._encoding([first, *records])
        try:
            row = split_row(first.decode(encoding, "replace"), start.delimiter)
        except CellError as error:
            raise SourceError(f"{self._path!r}: its first row cannot be read. {error}.") from None
        cells, rows = [cell.strip() for cell in row], []
        for record in records:
            text = record.decode(encoding, "replace")
            if (start.comment and text.startswith(start.comment)) or (len(cells) > 1 and is_ruler(text.strip())):
                continue
            try:
                rows.append(split_row(text, start.delimiter))
            except CellError:
                continue
        if not rows and self._ending == "open":
            return None
        deeper = 0  # rows of names below the first
        if self._options.header is not False and not start.heading and len(rows) == len(records):
            while deeper < 2 and (below := names_below(cells, rows[deeper:] or [[]])) is not None:
                cells, deeper = below, deeper + 1
            if self._ending == "open" and len(rows) < 3 and not any(map(like_data, rows[-1])):
                return None  # a row of names, or of texts: what comes next tells
        rows = rows[deeper:]
        names, nameless = self._names(start, cells, rows)
        codes = not names and self._options.header is None and self._before is None and are_codes(cells, rows)
        begin = offsets[0] if not codes and (not names or start.heading) else offsets[1 + deeper]
        units = 0  # rows of them
        while (
            names
            and units < 2
            and holds_units(rows[units:], cells, start.delimiter)
            and len(offsets) > 2 + deeper + units
        ):
            units += 1
            begin = offsets[1 + deeper + units]
        rows = rows[units:]
        return self._head(start, names, nameless, [row, *rows] if begin == offsets[0] else rows, begin, encoding)

    def _head(
        self, start: Start, names: list[str], nameless: frozenset[str], rows: list[list[str]], begin: int, encoding: str
    ) -> Head | None:
        """Choose the columns, and put the head together."""
        ended = self._ending != "open"
        width = len(rows[0]) if rows else len(names)
        header = names or [f"c{i}" for i in range(width)]
        lines = 1 if self._options.header is False else 2
        mark = fingerprint(self._data, lines + start.line + (self._options.skip or 0), final=ended)
        moments: dict[str, Any] = {}
        if self._before is not None:
            layout = self._before.layout
            if names:
                layout = dataclasses.replace(layout, header=tuple(names))
            moments = dict(self._before.moments)
        else:
            dicts = [dict(zip(header, row, strict=False)) for row in rows if _fits(row, header, names)][:SAMPLE]
            complete = ended or len(rows) >= SAMPLE
            if self._live and self._options.columns:
                sample = dicts[:1] or cover(dicts, live=False, complete=ended)
            else:
                sample = cover(dicts, live=self._live, complete=complete)
            if sample is None or (self._ending == "cut" and not sample):
                return None
            if self._ending == "end" and not rows and not self._options.columns:
                layout = Layout(tuple(header), (), None, None)
            else:
                layout = self._choose(header, nameless, sample, start)
                if self._live and not self._said() and self._suffix(layout, header, sample):
                    if len(dicts) < LIVE_SAMPLE and not ended:
                        return None  # what is no plain table is not told by its first rows
                    sample = dicts[:LIVE_SAMPLE]
                    layout = self._choose(header, nameless, sample, start)
                moments = order(layout, sample)
                if mark is not None:
                    mark += self._suffix(layout, header, sample)
        if mark is None:
            return None
        return Head(
            layout, start.delimiter, begin, 1 + self._data.count(b"\n", 0, begin), mark, bool(names), start.comment, encoding, moments
        )  # fmt: skip

    def _said(self) -> bool:
        """Whether the user has said all that is chosen from records."""
        return bool(self._options.columns) and self._options.time is not None

    def _choose(
        self, header: list[str], nameless: frozenset[str], sample: Sequence[dict[str, Any]], start: Start
    ) -> Layout:
        return choose(
            self._options,
            header,
            sample,
            text=True,
            nameless=nameless,
            delimiter=start.delimiter,
            counted=self._counted,
            ended=self._ending == "end" and not self._live and len(sample) < SAMPLE,
        )

    def _suffix(self, layout: Layout, header: list[str], sample: Sequence[dict[str, Any]]) -> str:
        return suffix(self._options, layout, header, sample, text=True)

    def _names(self, start: Start, cells: list[str], rows: Sequence[Sequence[str]]) -> tuple[list[str], frozenset[str]]:
        """Return the header's names, with those it gives none for; [] where the first row is data."""
        if start.heading:
            cells = list(start.heading)
        elif self._options.header is False:
            return [], frozenset()
        elif self._before is not None:
            if not set(self._before.layout.used) <= set(unique(cells)):
                if len(cells) == len(self._before.layout.header):
                    return [], frozenset()
                raise SourceError(
                    f"{self._path!r} was replaced by a file with other columns: {', '.join(cells[:20])}. "
                    f"Expected: {', '.join(self._before.layout.used)}."
                )
        elif self._options.header is None and not has_header(cells, rows[:50]):
            return [], frozenset()
        if len(cells) > 2 and {len(row) for row in rows[:50]} == {len(cells) - 1}:
            cells = cells[:-1]  # the name of remarks that no row has
        more = _longer(cells, rows[:50])
        if more == 1:
            at = next((i for i in (1, -1) if start.delimiter == BLANKS and _are_clocks(rows[:50], i)), 0)
            # one name for date and clock; R writes no name above its row names
            cells = [cells[0], "", *cells[1:]] if at == 1 else [*cells, ""] if at else ["", *cells]
        elif more:
            cells = [*cells, *[""] * more]
        nameless = frozenset(f"c{i}" for i, cell in enumerate(cells) if not cell)
        return unique([cell or f"c{i}" for i, cell in enumerate(cells)]), nameless


def _longer(names: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Return how many more cells nearly all rows have than there are names, 0 where most of them end with nothing."""
    more = Counter(len(row) - len(names) for row in rows if bool(row[-1].strip()))
    count, times = more.most_common(1)[0] if more else (0, 0)
    return count if count > 0 and times > 0.8 * len(rows) else 0


def _are_clocks(rows: Sequence[Sequence[str]], at: int) -> bool:
    return all(len(row) > 1 and ":" in row[at] and CLOCK.fullmatch(row[at]) for row in rows)


def _fits(row: Sequence[str], header: Sequence[str], names: Sequence[str]) -> bool:
    """Whether a row has as many cells as there are names, and does not hold the names again."""
    return (
        len(row) >= len(header)
        and not any(row[len(header) :])
        and not is_remark(row)
        and not (names and again(row, names))
    )
