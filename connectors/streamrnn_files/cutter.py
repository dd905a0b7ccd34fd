"""Cuts bytes into records: line ends, quoted fields, lines that are too long."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamrnn_files.cells import CellError, patterns, split_cells
from streamrnn_files.records import Records, joined, of_parts

__all__ = ["Batch", "Cutter"]

RAW_KEPT = 1024
"""Bytes kept of a record that is too long: enough to see what it is, little enough for a dead-letter file."""

QUOTED_LINES = 100
"""Line ends a quoted field may hold. More would let one stray quote swallow, or hold back, more of the stream."""

_MOST_LINES = re.compile(rb"(?:[^\n]*+\n){%d}" % (QUOTED_LINES + 1))


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records: as read without line end, offset and line of their start, and why some are bad by form.

    Parameters
    ----------
    records
        The records, as read, without their line ends.
    starts
        Offset of the first byte of each, in bytes from the start of the file: int64, shape (n,).
    lines
        Number of the first line of each: int64, shape (n,).
    faults
        Why a record is bad by form, by its index in ``records``.
    end
        Offset behind the last record, in bytes.
    """

    records: Records
    starts: NDArray[np.int64]
    lines: NDArray[np.int64]
    faults: dict[int, str]
    end: int

    def __len__(self) -> int:
        return len(self.records)

    def part(self, start: int, end: int) -> Batch:
        """Return some of the records.

        Parameters
        ----------
        start
            The first one.
        end
            The one behind the last.
        """
        faults = {i - start: why for i, why in self.faults.items() if start <= i < end} if self.faults else {}
        behind = self.end if end >= len(self) else int(self.starts[end])
        return Batch(self.records[start:end], self.starts[start:end], self.lines[start:end], faults, behind)


def _together(batches: list[Batch], end: int) -> Batch:
    """Return several batches as one.

    Parameters
    ----------
    batches
        In order.
    end
        Offset behind the last record, in bytes.
    """
    if not batches:
        none = np.empty(0, np.int64)
        return Batch(Records(b"", none.reshape(0, 2)), none, none, {}, end)
    if len(batches) == 1:
        one = batches[0]
        return Batch(one.records, one.starts, one.lines, one.faults, end)
    faults: dict[int, str] = {}
    before = 0
    for one in batches:
        faults |= {before + i: why for i, why in one.faults.items()}
        before += len(one)
    return Batch(
        joined([one.records for one in batches]),
        np.concatenate([one.starts for one in batches]),
        np.concatenate([one.lines for one in batches]),
        faults,
        end,
    )


@dataclass(slots=True)
class _Singles:
    """Records that were cut one by one."""

    records: list[bytes] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    faults: dict[int, str] = field(default_factory=dict)

    def add(self, record: bytes, start: int, line: int, fault: str | None) -> None:
        if fault is not None:
            self.faults[len(self.records)] = fault
        self.records.append(record)
        self.starts.append(start)
        self.lines.append(line)

    def batch(self) -> Batch:
        starts, lines = np.array(self.starts, np.int64), np.array(self.lines, np.int64)
        return Batch(of_parts(self.records), starts, lines, self.faults, 0)


LINE_END, CARRIAGE_RETURN = 10, 13


class _Csv(NamedTuple):
    delimiter: str
    record: re.Pattern[bytes]
    lines: re.Pattern[bytes]


def _reach(buffer: bytes, at: int, most: int) -> tuple[int, int]:
    """Return where a record that begins at ``at`` ends at the latest, and how many line ends lie before that."""
    lines = _MOST_LINES.match(buffer, at, at + most + 1)
    if lines is not None:
        return lines.end(), QUOTED_LINES + 1
    return at + most + 1, buffer.count(b"\n", at, at + most + 1)


class Cutter:
    """Fed with bytes as they come; gives records. What it gives depends on the bytes alone, not on how they come.

    Parameters
    ----------
    offset, line
        Where the first byte lies in its file.
    limit
        Bytes of the longest record.
    delimiter
        Of a CSV; None where quotes mean nothing.
    width
        Columns of the CSV; None: as many as the first record has.
    """

    def __init__(
        self, *, offset: int = 0, line: int = 1, limit: int, delimiter: str | None = None, width: int | None = None
    ) -> None:
        self._buffer = b""
        self._offset = offset
        self._line = line
        self._limit = limit
        self._csv = None if delimiter is None else _Csv(delimiter, *patterns(delimiter.encode()))
        self._width = width
        self._overlong: bytes | None = None  # the first bytes of a line that is being skipped
        self._skipped = 0
        self._ready: list[Batch] = []
        self._singles = _Singles()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def feed(self, data: bytes, *, final: bool = False) -> None:
        """Take in what comes next; ``final``: there is no more, and a last line counts without its line end.

        Parameters
        ----------
        data
            Bytes of any length, which continue those of the call before.
        final
            Whether there is no more: a last line then counts without its line end.
        """
        if self._overlong is not None:
            data = self._skip(self._overlong, data, final)
        buffer = self._buffer + data if self._buffer else data
        real = len(buffer)
        if final and buffer and not buffer.endswith(b"\n"):
            buffer += b"\n"
        at = self._cut(buffer, final)
        self._buffer = buffer[at:]
        self._offset += min(at, real)
        if len(self._buffer) > self._limit and self._buffer.find(b"\n", 0, self._limit + 1) < 0:
            self._overlong = self._buffer[:RAW_KEPT]
            self._skipped = len(self._buffer)
            self._buffer = b""

    def take(self, most: int) -> Batch:
        """Return the next records, ``most`` at most.

        Parameters
        ----------
        most
            Most records, >= 0.
        """
        self._settle()
        taken: list[Batch] = []
        left = most
        while self._ready and left > 0:
            batch = self._ready.pop(0)
            if len(batch) > left:
                self._ready.insert(0, batch.part(left, len(batch)))
                batch = batch.part(0, left)
            taken.append(batch)
            left -= len(batch)
        self._count -= most - left
        return _together(taken, int(self._ready[0].starts[0]) if self._ready else self._offset)

    def _settle(self) -> None:
        """Put what was cut one by one behind the rest."""
        if self._singles.records:
            self._ready.append(self._singles.batch())
            self._singles = _Singles()

    def _cut(self, buffer: bytes, final: bool) -> int:
        """Cut all whole records off; return where the rest starts."""
        end = buffer.rfind(b"\n") + 1
        at = 0
        if self._csv is None:
            self._plain(buffer, 0, end)
            return end
        while at < end and self._width is None:
            at, stuck = self._one(self._csv, buffer, at, final)
            if stuck:
                return at
        quote = buffer.find(b'"', at, end)
        if quote < 0:
            self._plain(buffer, at, end)
            return end
        if self._csv.lines.fullmatch(buffer, at, end):
            self._plain(buffer, at, end)
            return end
        plain_end = max(at, buffer.rfind(b"\n", at, quote) + 1)
        self._plain(buffer, at, plain_end)
        at, stuck = plain_end, False
        while at < end and not stuck:
            at, stuck = self._one(self._csv, buffer, at, final)
        return at

    def _plain(self, buffer: bytes, start: int, end: int) -> None:
        """Cut a stretch in which every line is a record."""
        if start == end:
            return
        data = np.frombuffer(buffer, np.uint8)
        ends = np.flatnonzero(data[start:end] == LINE_END) + start
        spans = np.empty((len(ends), 2), np.int64)
        spans[0, 0], spans[1:, 0], spans[:, 1] = start, ends[:-1] + 1, ends
        starts, lines = spans[:, 0] + self._offset, np.arange(self._line, self._line + len(spans))
        self._line += len(spans)
        lengths = spans[:, 1] - spans[:, 0]
        if int(lengths.max()) > self._limit:
            for (at, behind), offset, line in zip(spans.tolist(), starts.tolist(), lines.tolist(), strict=True):
                self._add(buffer[at:behind], offset, line)
            return
        if buffer.find(b"\r", start, end) >= 0:
            cut = (lengths > 0) & (data[spans[:, 1] - 1] == CARRIAGE_RETURN)
            spans[:, 1] -= cut
            lengths -= cut
        if int(lengths.min()) == 0:
            kept = lengths > 0
            spans, starts, lines = spans[kept], starts[kept], lines[kept]
        if len(spans):
            self._settle()
            self._ready.append(Batch(Records(buffer, spans), starts, lines, {}, 0))
            self._count += len(spans)

    def _add(self, record: bytes, start: int, line: int, fault: str | None = None) -> None:
        if len(record) > self._limit:
            self._add_overlong(record[:RAW_KEPT], len(record), start, line)
            return
        record = record.removesuffix(b"\r")
        if not record:
            return
        self._singles.add(record, start, line, fault)
        self._count += 1

    def _add_overlong(self, kept: bytes, length: int, start: int, line: int) -> None:
        fault = (
            f"The line is {length} bytes long; max_line_bytes is {self._limit}. raw holds its first {len(kept)} bytes."
        )
        self._singles.add(kept, start, line, fault)
        self._count += 1

    def _one(self, csv: _Csv, buffer: bytes, at: int, final: bool) -> tuple[int, bool]:
        """Cut one record that may hold quotes; return where the next one starts, and whether more bytes are needed."""
        start, line = self._offset + at, self._line
        line_end = buffer.find(b"\n", at) + 1
        fault = None
        if line_end - 1 - at <= self._limit:
            match, seen = csv.record.match(buffer, at, line_end), 0
            if match is None:  # a quote opens and is not closed in this line
                behind, seen = _reach(buffer, at, self._limit)
                match = csv.record.match(buffer, at, behind)
            if match is not None and self._whole(csv, match.group()):
                line_end = match.end()
            else:
                if match is None and not final and seen <= QUOTED_LINES and len(buffer) - at <= self._limit:
                    return at, True
                fault = "A quote opens in this line and is not closed."
        self._line += buffer.count(b"\n", at, line_end)
        self._add(buffer[at : line_end - 1], start, line, fault)
        return line_end, False

    def _whole(self, csv: _Csv, text: bytes) -> bool:
        """Whether a match is one record: a quoted line end counts only where the number of columns then is right."""
        inside = text.count(b"\n") - 1
        if inside == 0 and self._width is not None:
            return True
        try:
            cells = split_cells(text[:-1].decode(errors="replace"), csv.delimiter)
        except CellError:
            return inside == 0
        if self._width is None:
            if text.strip():
                self._width = len(cells)
            return inside <= QUOTED_LINES
        return inside <= QUOTED_LINES and len(cells) == self._width

    def _skip(self, overlong: bytes, data: bytes, final: bool) -> bytes:
        """Go on skipping an overlong line; return what lies behind it."""
        end = data.find(b"\n")
        rest = b"" if end < 0 else data[end + 1 :]
        if len(overlong) < RAW_KEPT:
            overlong += data[: len(data) if end < 0 else end][: RAW_KEPT - len(overlong)]
            self._overlong = overlong
        self._skipped += len(data) if end < 0 else end
        if end >= 0 or final:
            self._add_overlong(overlong, self._skipped, self._offset, self._line)
            self._offset += self._skipped + (end >= 0)
            self._line += 1
            self._overlong = None
        return rest
