"""The source: the rows of a table, in the order of their rowid."""

from __future__ import annotations

import math
import sqlite3
import time
from pathlib import Path
from typing import Any, Self

import msgspec
import numpy as np

from streamrnn.config import checked_table
from streamrnn.errors import ConfigError, SourceError, StateError, StreamrnnError
from streamrnn.io import Block, DeadLetter, Feedback, Poll, Position, SourceContext, Tally
from streamrnn_sqlite import feedback
from streamrnn_sqlite.options import SourceOptions
from streamrnn_sqlite.table import quoted, read_only, selection

__all__ = ["SqliteSource"]

PARTITION = "0"

LOOK_S = 0.05
"""Pause between two looks for new rows."""


class SqliteSource:
    """Events of a table in a SQLite database; a position is a rowid.

    Rows must be added with growing rowids, which ``INTEGER PRIMARY KEY AUTOINCREMENT`` sees to, and not be changed once they are
    there. The first poll only announces the partition.

    Parameters
    ----------
    options
        What to read and how, see ``SqliteSource.Options``.
    context
        What the run asks besides.

    Examples
    --------
    >>> import sqlite3, tempfile, pathlib
    >>> from streamrnn_sqlite import SqliteSource
    >>> path = pathlib.Path(tempfile.mkdtemp(), "plant.db")
    >>> with sqlite3.connect(path) as database:
    ...     _ = database.execute("CREATE TABLE events (flow REAL)")
    ...     _ = database.executemany("INSERT INTO events VALUES (?)", [(1.5,), ("much",), (2.5,)])
    >>> with SqliteSource.from_table(path, columns=["flow"]) as source:
    ...     _, poll = source.poll(10, 0.0), source.poll(10, 0.0)
    >>> [event.x for event in poll.blocks[0].events()], poll.blocks[0].dead_letters[0].reason
    ([{'flow': 1.5}, {'flow': 2.5}], "column 'flow': 'much' is not a number.")
    """

    Options = SourceOptions
    keeps_raw = True
    begins_again = True

    def __init__(self, options: SourceOptions, context: SourceContext | None = None) -> None:
        self._options = options
        self._context = context or SourceContext()
        if not options.columns and not self._context.counted:
            raise ConfigError("[source] columns: is missing. It must be a list, each item a text.")
        self._tally = Tally()
        self._database: sqlite3.Connection | None = None
        self._announced = False
        self._next: int | None = None  # no row yet
        self._columns = [*options.columns, *(name for name in (options.time, options.key) if name is not None)]
        self._select = selection(options.table, self._columns)

    @classmethod
    def from_table(cls, path: str | Path, *, keep_raw: bool = False, **options: Any) -> SqliteSource:
        """Return a source of a table, not yet entered.

        Parameters
        ----------
        path
            The database.
        keep_raw
            Keep each row, as JSON, in ``Block.raws``.
        options
            See ``SqliteSource.Options``.

        Raises
        ------
        ConfigError
            With one line for each wrong option.

        Examples
        --------
        >>> from streamrnn_sqlite import SqliteSource
        >>> SqliteSource.from_table("plant.db", columns=["flow"], key="flow")
        Traceback (most recent call last):
        ...
        streamrnn.errors.ConfigError: [source] key: 'flow' is one of 'columns'; it can only be one of the two.
        """
        checked = checked_table("source", SourceOptions, {"path": str(path), **options})
        return cls(checked, SourceContext(keep_raw=keep_raw))

    def __enter__(self) -> Self:
        try:
            self._database = read_only(self._options.path)
            self._database.execute(self._select, (None, None, 0))
        except sqlite3.Error as error:
            self.__exit__()
            raise self._unreadable(error) from error
        return self

    def __exit__(self, *exc: object) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def _unreadable(self, error: sqlite3.Error) -> SourceError:
        return SourceError(f"The table {self._options.table!r} of {self._options.path!r} cannot be read: {error}.")

    def check(self) -> list[StreamrnnError]:
        """Return what is wrong with the input: no database, no such table or column.

        Examples
        --------
        >>> from streamrnn_sqlite import SqliteSource
        >>> print(*SqliteSource.from_table("no-such.db", columns=["flow"]).check())
        The table 'events' of 'no-such.db' cannot be read: unable to open database file.
        """
        try:
            with SqliteSource(self._options):
                return []
        except SourceError as error:
            return [error]

    def reread(self) -> SqliteSource:
        """Return a source of the same table that ends where the table ends when it gets there.

        Examples
        --------
        >>> from streamrnn_sqlite import SqliteSource
        >>> SqliteSource.from_table("plant.db", columns=["flow"], follow=True).reread().files()
        {'[source] path': 'plant.db'}
        """
        return SqliteSource(msgspec.structs.replace(self._options, follow=False), self._context)

    def files(self) -> dict[str, str]:
        """Return the database: no sink may write a file anew in its place.

        Examples
        --------
        >>> from streamrnn_sqlite import SqliteSource
        >>> SqliteSource.from_table("plant.db", columns=["flow"]).files()
        {'[source] path': 'plant.db'}
        """
        return {"[source] path": self._options.path}

    def chosen(self) -> dict[str, Any]:
        """Return what is read, and which cells could not be read so far. May be called from another thread.

        Examples
        --------
        >>> from streamrnn_sqlite import SqliteSource
        >>> SqliteSource.from_table("plant.db", columns=["flow"]).chosen()["bad_cells"]
        {}
        """
        options = self._options
        when = None if options.time is None else {"column": options.time}
        found = {"columns": list(options.columns), "left_out": {}, "time": when, "key": options.key}
        return found | {"order": "oldest first", **self._tally.told()}

    def check_feedback(self) -> None:
        """Look whether rows of feedback would be read.

        Raises
        ------
        ConfigError
            With what stands in the way.
        """
        feedback.check(self._options)

    def append_feedback(self, said: Feedback) -> None:
        """Insert a row of feedback.

        Parameters
        ----------
        said
            What a person says.

        Raises
        ------
        SourceError
            When the table does not take it.
        """
        feedback.append(self._options, said)

    def poll(self, max_events: int, timeout_s: float) -> Poll:
        """Return at most ``max_events`` new events, waiting up to ``timeout_s`` for the first.

        Parameters
        ----------
        max_events
            Most events, >= 1.
        timeout_s
            Longest wait for the first one, in seconds; 0: none.

        Raises
        ------
        SourceError
            When the table cannot be read.
        """
        if not self._announced:
            self._announced = True
            return Poll(assigned=(PARTITION,))
        end = time.monotonic() + timeout_s
        while not (rows := self._rows(max_events)):
            if not self._options.follow:
                return Poll(ended=True)
            if (left := end - time.monotonic()) <= 0:
                return Poll()
            time.sleep(min(left, LOOK_S))
        self._next = rows[-1][0] + 1
        return Poll(blocks=(self._block(rows, self._next),))

    def seek(self, partition: str, position: Position) -> None:
        """Go on reading at the row ``position``, or the first one behind it.

        Parameters
        ----------
        partition
            The only partition, ``"0"``.
        position
            A rowid.

        Raises
        ------
        StateError
            When it is no rowid, or the table ends before the row that was read last.
        """
        if partition != PARTITION or not isinstance(position, int):
            raise StateError(f"The table {self._options.table!r} has no position {position!r}: it is not a rowid.")
        last = self._fetch(f"SELECT max(rowid) FROM {quoted(self._options.table)}", ())[0][0]  # noqa: S608  (quoted)
        if last is None or position > last + 1:
            raise StateError(
                f"The table {self._options.table!r} of {self._options.path!r} ends at row {last}, before row {position} that was "
                "reached: rows were deleted, or it is another table. Put them back, or start anew with --fresh."
            )
        self._announced = True
        self._next = position

    def _rows(self, most: int) -> list[Any]:
        return self._fetch(self._select, (self._next, self._next, most))

    def _fetch(self, statement: str, values: tuple[int | None, ...]) -> list[Any]:
        if self._database is None:
            raise SourceError("The source is not open: read it inside a with statement.")
        try:
            return self._database.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise self._unreadable(error) from error

    def _block(self, rows: list[Any], next_position: int) -> Block:
        options, n = self._options, len(self._options.columns)
        names = ["rowid", *self._columns]
        good, values, dead, raws = [], [], [], []
        for row in rows:
            numbers, bad, fault = self._numbers(row[1 : n + 1])
            raw = b""
            if fault is not None or self._context.keep_raw:
                raw = msgspec.json.encode(dict(zip(names, row, strict=True)))
            if fault is not None:
                dead.append(DeadLetter(row[0], fault, raw, None, PARTITION))
                continue
            for one in bad:
                self._tally.bad(*one)
            good.append(row)
            values.append(numbers)
            raws.append(raw)
        key_at = n + 1 + (options.time is not None)
        return Block(
            names=options.columns,
            values=np.array(values, dtype=np.float64).reshape(len(good), n),
            positions=[row[0] for row in good],
            next_position=next_position,
            keys=None if options.key is None else [None if row[key_at] is None else str(row[key_at]) for row in good],
            times=None if options.time is None else [row[n + 1] for row in good],
            raws=raws if self._context.keep_raw else (),
            dead_letters=dead,
            partition=PARTITION,
            time_name=options.time,
        )

    def _numbers(self, cells: tuple[object, ...]) -> tuple[list[float], list[tuple[str, str, str]], str | None]:
        """Return the values of a row, NaN where one is missing, the cells that hold no number, and why the row is no event, if it is none."""
        numbers, lacking, bad = [math.nan] * len(cells), [], []
        for i, (name, cell) in enumerate(zip(self._options.columns, cells, strict=True)):
            if isinstance(cell, int | float):
                numbers[i] = float(cell)
            elif cell is not None:
                kind = "text" if isinstance(cell, str) else type(cell).__name__
                bad.append((name, kind, f"{str(cell)[:80]!r} is not a number"))
            if math.isnan(numbers[i]):
                lacking.append(name)
        if lacking and (len(lacking) == len(cells) or self._options.on_missing == "dead_letter"):
            if bad:
                return numbers, bad, f"column {bad[0][0]!r}: {bad[0][2]}."
            return numbers, bad, f"It holds no value in column {lacking[0]!r}."
        return numbers, bad, None
