"""The source: a CSV or JSON Lines file, standard input, or a growing file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import msgspec
import numpy as np

from streamrnn.columns.sequences import Numbered, Texts
from streamrnn.config import checked_table
from streamrnn.errors import SourceError, StateError, StreamrnnError
from streamrnn.io import Block, DeadLetter, Feedback, Poll, Position, SourceContext, Tally
from streamrnn_files import feedback
from streamrnn_files.about import about
from streamrnn_files.backward import Backward
from streamrnn_files.csv_rows import CsvParser
from streamrnn_files.cutter import Cutter
from streamrnn_files.dialect_rows import BLANKS
from streamrnn_files.head import read_head
from streamrnn_files.json_rows import JsonParser
from streamrnn_files.options import SourceOptions
from streamrnn_files.rows import Parser
from streamrnn_files.samples import FINGERPRINT_MOST, Head, fingerprint
from streamrnn_files.scanned import ScannedParser, scanning
from streamrnn_files.textstream import TextStream
from streamrnn_files.translate import Translator

__all__ = ["FileSource"]

PARTITION = "0"

MOST = 256 << 20
"""Bytes of a file that is held in memory to be read from its end."""

LONG = 8 << 20
"""Bytes of a file that compiled code is loaded for."""

CHUNKS = 4
"""Reads for one block, at most: some megabytes."""

POLL_S = 0.2
"""Longest wait at once where a pipe must give more before reading can go on."""


@dataclass(slots=True)
class _Reading:
    """What it takes to read on, once the head is known."""

    head: Head
    parser: ScannedParser
    cutter: Cutter | Backward
    mark: str


class FileSource:
    r"""Events of a CSV or JSON Lines file, of standard input, or of a file that grows.

    A position is ``fingerprint:offset``: what tells the file from others, and the byte its record starts at. The first
    poll only announces the partition, so that a runtime can send the source back before anything is read.

    Parameters
    ----------
    options
        What to read and how, see ``FileSource.Options``.
    context
        What the run asks besides.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from streamrnn_files import FileSource
    >>> path = pathlib.Path(tempfile.mkdtemp(), "a.csv")
    >>> _ = path.write_text("time,flow,note\n2024-01-01,1.5,x\n2024-01-02,,y\n2024-01-03,2.5,z\n")
    >>> with FileSource.from_path(path) as source:
    ...     poll = source.poll(100, 0.0)
    ...     while not poll.ended:
    ...         poll = source.poll(100, 0.0)
    ...         for block in poll.blocks:
    ...             print([(event.time, event.x) for event in block.events()])
    ...             print([letter.reason for letter in block.dead_letters])
    [('2024-01-01', {'flow': 1.5}), ('2024-01-03', {'flow': 2.5})]
    ["It holds no value in column 'flow'."]
    """

    Options = SourceOptions
    keeps_raw = True
    begins_again = True

    def __init__(self, options: SourceOptions, context: SourceContext | None = None) -> None:
        self._options = options
        self._context = context or SourceContext()
        self._stream = TextStream(options)
        self._tally = Tally()
        self._announced = False
        self._restart()

    @classmethod
    def from_path(cls, path: str | Path, *, keep_raw: bool = False, **options: Any) -> FileSource:
        """Return a source of ``path``, not yet entered; ``options`` are fields of ``FileSource.Options``.

        Parameters
        ----------
        path
            The file; ``-`` is standard input.
        keep_raw
            Keep each record as it was read in ``Block.raws``.
        options
            See ``FileSource.Options``.

        Raises
        ------
        ConfigError
            With one line for each wrong option.

        Examples
        --------
        >>> from streamrnn_files import FileSource
        >>> FileSource.from_path("a.csv", colums=["x"])
        Traceback (most recent call last):
        ...
        streamrnn.errors.ConfigError: [source] colums: there is no such option. Did you mean 'columns'?
        """
        checked = checked_table("source", SourceOptions, {"path": str(path), **options})
        return cls(checked, SourceContext(keep_raw=keep_raw))

    def __enter__(self) -> Self:
        self._stream.open()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stream.close()

    def check(self) -> list[StreamrnnError]:
        """Return what is wrong with the input: it is missing, or its head does not fit the options.

        What can be read only once (standard input, a pipe) is left alone.

        Examples
        --------
        >>> from streamrnn_files import FileSource
        >>> print(*FileSource.from_path("no-such.csv").check())
        The input 'no-such.csv' cannot be read: No such file or directory.
        """
        if self._options.path == "-" or (Path(self._options.path).exists() and not Path(self._options.path).is_file()):
            return []
        try:
            with FileSource(self._options) as trial:
                trial.poll(1, 0.0)
                trial.poll(1, 0.0)
        except StreamrnnError as error:
            return [error]
        return []

    def reread(self) -> FileSource:
        """Return a source of the same file that ends where the file ends now.

        Raises
        ------
        SourceError
            When it can be read once only: standard input, a pipe.

        Examples
        --------
        >>> from streamrnn_files import FileSource
        >>> FileSource.from_path("-").reread()
        Traceback (most recent call last):
        ...
        streamrnn.errors.SourceError: The input '-' can be read once only.
        """
        path = Path(self._options.path)
        if self._options.path == "-" or (path.exists() and not path.is_file()):
            raise SourceError(f"The input {self._options.path!r} can be read once only.")
        return FileSource(msgspec.structs.replace(self._options, follow=False), self._context)

    def files(self) -> dict[str, str]:
        """Return the file that is read.

        Examples
        --------
        >>> from streamrnn_files import FileSource
        >>> FileSource.from_path("a.csv").files()
        {'[source] path': 'a.csv'}
        """
        return {"[source] path": self._options.path}

    def chosen(self) -> dict[str, Any] | None:
        r"""Return what was chosen of the input, and what of it could not be read so far; None before its first record.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> from streamrnn_files import FileSource
        >>> path = pathlib.Path(tempfile.mkdtemp(), "a.csv")
        >>> _ = path.write_text("time;flow;note\n2024-01-01;1,5;x\n2024-01-02;2,5;y\n")
        >>> with FileSource.from_path(path) as source:
        ...     _, _ = source.poll(1, 0.0), source.poll(1, 0.0)
        ...     chosen = source.chosen()
        >>> chosen["columns"], chosen["decimal"], chosen["left_out"], chosen["time"]["column"]
        (['flow'], ',', {'note': "'x' is text"}, 'time')
        """
        if self._reading is None:
            return None
        backward = isinstance(self._reading.cutter, Backward)
        return about(
            self._options,
            self._reading.head,
            self._stream.stages(),
            self._tally,
            backward=backward,
            zone=self._context.zone,
        )

    def _restart(self) -> None:
        """Forget all that was read of a file."""
        self._first = b""
        self._look_at = 0  # bytes that make it worth to try again: each try starts over
        self._final = False
        self._reading: _Reading | None = None
        self._before: Head | None = None

    def check_feedback(self) -> None:
        """Look whether feedback could be written that is read as such.

        Raises
        ------
        ConfigError
            With what stands in the way.
        """
        feedback.check(self._options)

    def append_feedback(self, said: Feedback) -> None:
        """Append a line of feedback.

        Parameters
        ----------
        said
            What a person says.

        Raises
        ------
        SourceError
            When the file cannot be written.
        """
        feedback.append(self._options, said)

    def poll(self, max_events: int, timeout_s: float) -> Poll:
        r"""Return at most ``max_events`` new events, waiting up to ``timeout_s`` for the first.

        Parameters
        ----------
        max_events
            Most events, >= 1.
        timeout_s
            Longest wait for the first one, in seconds; 0: none.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> from streamrnn_files import FileSource
        >>> path = pathlib.Path(tempfile.mkdtemp(), "a.jsonl")
        >>> _ = path.write_text('{"a": 1}\n{"a": 2}\n')
        >>> with FileSource.from_path(path) as source:
        ...     source.poll(1, 0.0).assigned, source.poll(1, 0.0).blocks[0].values.tolist()
        (('0',), [[1.0]])
        """
        if not self._announced:
            self._announced = True
            return Poll(assigned=(PARTITION,))
        deadline = time.monotonic() + timeout_s
        while True:
            if self._reading is not None and len(self._reading.cutter):
                self._first = b""
                self._fill(self._reading.cutter, max_events)
                return Poll(blocks=(self._block(self._reading, max_events),))
            if self._final and not self._stream.endless:
                return Poll(ended=True)
            if self._final and not self._next_file():
                return Poll()
            if not self._more(deadline - time.monotonic()):
                return Poll()

    def seek(self, partition: str, position: Position) -> None:
        r"""Go on reading at ``position``, one that an earlier event or block of this input had.

        Parameters
        ----------
        partition
            The only partition, ``"0"``.
        position
            One that an event or a block of this input had.

        Raises
        ------
        StateError
            When the input is another one, no longer reaches there, or cannot be read again.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> from streamrnn_files import FileSource
        >>> path = pathlib.Path(tempfile.mkdtemp(), "a.csv")
        >>> _ = path.write_text("flow\n1\n2\n3\n")
        >>> with FileSource.from_path(path) as source:
        ...     _, poll = source.poll(2, 0.0), source.poll(2, 0.0)
        ...     source.seek("0", poll.blocks[0].positions[1])
        ...     source.poll(9, 0.0).blocks[0].values.tolist()
        [[2.0], [3.0]]
        """
        path = self._options.path
        mark, _, digits = position.rpartition(":") if isinstance(position, str) else ("", "", "")
        if partition != PARTITION or not mark or not digits.isdecimal():
            raise StateError(f"The input {path!r} cannot read the position {position!r}: it is not one of a file.")
        self._announced = True
        self._return_to_start(mark)
        while self._reading is None and not self._final:
            if not self._more(POLL_S) and self._stream.endless:
                break
        if self._reading is None or self._reading.mark.split("-")[0] != mark.split("-")[0]:
            raise StateError(
                f"{path!r} is not the file that was read before: its first lines differ. Put that one back, or start "
                "anew without the state."
            )
        if self._reading.mark != mark:
            raise StateError(
                f"{path!r} would be read otherwise than before: its columns, or how they are written, look different now that it "
                "holds more, or it grew while it is read from its end. Name them in [source] (columns, time, key), and start anew "
                "without the state."
            )
        self._skip_to(self._reading, int(digits))

    def _return_to_start(self, mark: str) -> None:
        """Open the input anew, or the rotated file that ``mark`` tells."""
        if not self._stream.regular:
            if self._reading is not None:
                raise StateError(f"The input {self._options.path!r} was read already and cannot be read again.")
            return
        self._restart()
        self._stream.open()
        if not self._options.follow or self._has_mark(self._options.path, mark):
            return
        for file in reversed(self._stream.rotated()):
            if self._has_mark(file, mark):
                self._stream.open_rotated(file)
                return

    def _has_mark(self, path: str, mark: str) -> bool:
        with Path(path).open("rb") as opened:
            data = opened.read(2 * FINGERPRINT_MOST)
        try:
            data = Translator(self._options).feed(data, final=True)
        except SourceError:
            return False
        lines = range(1, 2 + data[:FINGERPRINT_MOST].count(b"\n"))
        return mark.split("-", maxsplit=1)[0] in (fingerprint(data, n, final=True) for n in lines)

    def _skip_to(self, reading: _Reading, offset: int) -> None:
        """Start cutting at ``offset``: pass over what lies before it, counting its lines."""
        path = self._options.path
        if isinstance(reading.cutter, Backward):
            reading.cutter.skip(offset)
            return
        offset = max(offset, reading.head.start)
        line, last, left, data = 1, b"\n", offset, self._first
        if self._stream.regular:
            self._stream.rewind()
            self._final = False
            data = b""
        while True:
            passed, data = data[:left], data[left:]
            line += passed.count(b"\n")
            last = passed[-1:] or last
            left -= len(passed)
            if data or self._final:
                break
            more = self._stream.read(0.0 if self._stream.endless or not left else POLL_S)
            if more is None and (self._stream.endless or not left):
                break
            self._final = more == b""
            data = more or b""
        if left:
            raise StateError(
                f"{path!r} is shorter than when it was read before: it ends before byte {offset}. It was truncated or "
                "replaced; put the old one back, or start anew without the state."
            )
        if last != b"\n" and data[:1] not in (b"\n", b"\r", b""):
            raise StateError(
                f"{path!r} has no record that starts at byte {offset}: the line that ended there was added to, or the "
                "file was replaced. Start anew without the state."
            )
        reading.cutter = self._cutter(reading.head, offset, line)
        reading.cutter.feed(data, final=self._final)

    def _fill(self, cutter: Cutter | Backward, events: int) -> None:
        """Have so many records of a file at hand, where it holds them and they are not long: a commit has its cost."""
        if self._stream.regular and not self._stream.endless:
            for _ in range(CHUNKS):
                if self._final or len(cutter) >= events:
                    return
                self._more(0.0)

    def _more(self, timeout_s: float) -> bool:
        """Read some more; return False when nothing came in time."""
        data = self._stream.read(max(0.0, timeout_s))
        if data is None:
            return False
        if not data:
            self._final = True
        if self._reading is not None:
            self._reading.cutter.feed(data, final=self._final)
        else:
            self._first += data
            self._look()
        return True

    def _look(self) -> None:
        """Try to read the head; when it is there, start cutting behind it."""
        if self._stream.endless and self._final and not self._first.strip():
            return  # was rotated away before anything was written
        if len(self._first) < self._look_at and not self._final:
            return
        self._look_at = 2 * len(self._first) if len(self._first) > 1 << 20 else 0
        said = bool(self._options.columns) and self._options.time is not None
        live = self._options.follow or (
            said and not self._stream.regular
        )  # a pipe is read as its bytes in a file would be
        head = read_head(
            msgspec.structs.replace(self._options, format="jsonl") if self._stream.made_json else self._options,
            self._first,
            final=self._final,
            live=live,
            before=self._before,
            counted=self._context.counted,
        )
        if head is None:
            return
        allow_missing = self._options.on_missing == "mean"
        parser: Parser = (
            JsonParser(head.layout, allow_missing=allow_missing, tally=self._tally)
            if head.delimiter is None
            else CsvParser(head, allow_missing=allow_missing, tally=self._tally)
        )
        cutter = self._cutter(head, head.start, head.line)
        cutter.feed(self._first[head.start :], final=self._final)
        many = scanning(parser, head, self._options.max_line_bytes) if self._is_long() else ScannedParser(parser)
        self._reading = _Reading(head, many, cutter, head.fingerprint)
        if head.newest_first and self._options.order == "auto" and self._stream.regular and not self._stream.endless:
            self._turn(self._reading, cutter)

    def _turn(self, reading: _Reading, cutter: Cutter) -> None:
        """Read the file to its end, to give its records from there."""
        size = len(self._first)
        while not self._final:
            data = self._stream.read(POLL_S) or b""
            self._final = not data
            size += len(data)
            if size > MOST:
                raise SourceError(
                    f"{self._options.path!r} begins with its newest record, and is longer than 256 MB: sort it by time first, or set "
                    "order = 'as_written' (--order as_written) to read it as it is."
                )
            cutter.feed(data, final=self._final)
        reading.cutter = Backward(cutter.take(len(cutter)), size)
        reading.mark = f"{reading.mark}-{size}"

    def _cutter(self, head: Head, offset: int, line: int) -> Cutter:
        return Cutter(
            offset=offset,
            line=line,
            limit=self._options.max_line_bytes,
            delimiter=None if head.delimiter == BLANKS else head.delimiter,
            width=None if head.delimiter is None else len(head.layout.header),
        )

    def _is_long(self) -> bool:
        """Whether compiled code pays: it takes a moment to be loaded."""
        if self._stream.regular:
            return Path(self._options.path).stat().st_size >= LONG
        return not self._final and not self._options.follow

    def _next_file(self) -> bool:
        """Go on with the file that has taken this one's place, with the same columns."""
        if not self._stream.advance():
            return False
        before = self._before
        if self._reading is not None and (self._reading.head.layout.features or self._context.counted):
            before = self._reading.head
        self._restart()
        self._before = before
        return True

    def _block(self, reading: _Reading, max_events: int) -> Block:
        head, batch = reading.head, reading.cutter.take(max_events)
        rows = reading.parser.rows(batch.records, batch.faults)
        start = f"{reading.mark}:"
        self._tally.passed += len(rows.passed)
        if head.layout.time is not None:
            self._tally.untimed += _untimed(rows.times)
        starts, records = batch.starts, batch.records
        dead = [
            DeadLetter(f"{start}{starts[i]}", why, records[i], int(batch.lines[i]), PARTITION)
            for i, why in sorted(rows.faults.items())
        ]
        if dead or rows.passed:
            kept = np.ones(len(records), np.bool_)
            kept[[*rows.faults, *rows.passed]] = False
            starts, records = starts[kept], records.of(np.flatnonzero(kept))
        return Block(
            names=head.layout.features,
            values=rows.values,
            positions=Numbered(start, starts),
            next_position=f"{start}{batch.end}",
            keys=None if head.layout.key is None else rows.keys,
            times=None if head.layout.time is None else rows.times,
            raws=list(records) if self._context.keep_raw else (),
            dead_letters=dead,
            partition=PARTITION,
            time_name=head.layout.time,
        )


def _untimed(times: Sequence[Any]) -> int:
    """Return how many times are missing."""
    if isinstance(times, Texts):
        return len(times.missing)
    return 0 if all(times) else list(times).count(None)  # a look at each is several times as fast as to count
