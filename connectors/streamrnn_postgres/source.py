"""The source: the rows of a table or view, in the order of a column."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any, Self

import msgspec

from streamrnn.config import checked_table
from streamrnn.errors import (
    ConfigError,
    RetriableSourceError,
    SourceError,
    StateError,
    StreamrnnError,
    UnavailableError,
)
from streamrnn.io import Feedback, Poll, Position, SourceContext, Tally
from streamrnn_postgres import feedback
from streamrnn_postgres.client import LOGGERS, Client, passes, quoted, said
from streamrnn_postgres.horizon import Horizon
from streamrnn_postgres.options import SourceOptions
from streamrnn_postgres.rows import block_of
from streamrnn_postgres.table import Table, find_table

if TYPE_CHECKING:
    import psycopg

__all__ = ["PostgresSource"]

PARTITION = "0"

LOOK_S = 0.05
"""Pause between two looks for new rows."""

WAIT_S = 0.005
"""The same while rows are there that others may have to come before."""

GIVE_UP_S = 120.0
"""A server that was reached once, and is gone for longer than that, ends the run."""

LEAST = -(2**63)


class PostgresSource:
    """Events of a table or view in a PostgreSQL database; a position is a value of one of its columns.

    Rows must be added with growing values, which an identity column or a sequence sees to, and not be changed once they are there. The
    transactions that add them may end in any order: none is passed over. The first poll only announces the partition. A server that
    restarts is waited for.

    Parameters
    ----------
    options
        What to read and how, see ``PostgresSource.Options``.
    context
        What the run asks besides.

    Raises
    ------
    ConfigError
        When there is nothing to watch, or the address of the server is none.
    MissingExtraError
        When the library is not installed.

    Examples
    --------
    >>> from streamrnn_postgres import PostgresSource
    >>> source = PostgresSource.from_table("postgresql://127.0.0.1:1/plant", columns=["flow"])
    >>> print(*source.check())
    The server of 'plant' at 127.0.0.1:1 cannot be reached: ...
    """

    Options = SourceOptions
    keeps_raw = True
    begins_again = True
    client_loggers = LOGGERS

    def __init__(self, options: SourceOptions, context: SourceContext | None = None) -> None:
        self._options = options
        self._context = context or SourceContext()
        if not options.columns and not self._context.counted:
            raise ConfigError("[source] columns: is missing. It must be a list, each item a text.")
        self._client = Client("source", options)
        self._tally = Tally()
        self._entered = False
        self._connection: psycopg.Connection[Any] | None = None
        self._table: Table | None = None
        self._horizon: Horizon | None = None
        self._gone_since: float | None = None
        self._announced = False
        self._next = LEAST

    @classmethod
    def from_table(cls, url: str, *, keep_raw: bool = False, **options: Any) -> PostgresSource:
        """Return a source of a table, not yet entered.

        Parameters
        ----------
        url
            Where the database is.
        keep_raw
            Keep each row, as JSON, in ``Block.raws``.
        options
            See ``PostgresSource.Options``.

        Raises
        ------
        ConfigError
            With one line for each wrong option.

        Examples
        --------
        >>> from streamrnn_postgres import PostgresSource
        >>> PostgresSource.from_table("postgresql:///plant", columns=["flow"], key="flow")
        Traceback (most recent call last):
        ...
        streamrnn.errors.ConfigError: [source] key: 'flow' is one of 'columns'; it can only be one of the two.
        """
        checked = checked_table("source", SourceOptions, {"url": url, **options})
        return cls(checked, SourceContext(keep_raw=keep_raw))

    def __enter__(self) -> Self:
        self._entered = True
        self._open()
        return self

    def __exit__(self, *exc: object) -> None:
        self._entered = False
        self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _open(self) -> psycopg.Connection[Any]:
        """Return the connection; make it where there is none, and look at the table."""
        if not self._entered:
            raise SourceError("The source is not open: read it inside a with statement.")
        if self._connection is not None:
            return self._connection
        connection = self._client.connect()
        try:
            self._refuse_standby(connection)
            self._table = find_table(connection, self._options)
            connection.execute(self._table.rows(), (0, 0, 0))
        except BaseException as error:
            connection.close()
            if isinstance(error, self._client.errors):
                raise self._unreadable(error) from error
            raise
        self._connection, self._horizon = connection, Horizon(connection, self._table)
        return connection

    def _refuse_standby(self, connection: psycopg.Connection[Any]) -> None:
        if connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,):
            raise SourceError(
                f"The server of {self._client.name} is a standby, which does not know what its primary is still writing: rows could be "
                "passed over. Read from the primary."
            )

    def _unreadable(self, error: Exception) -> SourceError:
        kind = RetriableSourceError if passes(error) else SourceError
        return kind(f"The table {self._options.table!r} of {self._client.name} cannot be read: {said(error)}.")

    def check(self) -> list[StreamrnnError]:
        """Return what is wrong with the input: no server, no such table or column, a type that is not read.

        Examples
        --------
        >>> from streamrnn_postgres import PostgresSource
        >>> [type(one).__name__ for one in PostgresSource.from_table("host=127.0.0.1 port=1", columns=["flow"]).check()]
        ['UnavailableError']
        """
        try:
            with PostgresSource(self._options, self._context):
                return []
        except StreamrnnError as error:
            return [error]

    def reread(self) -> PostgresSource:
        """Return a source of the same table that ends where the table ends when it gets there.

        Examples
        --------
        >>> from streamrnn_postgres import PostgresSource
        >>> PostgresSource.from_table("postgresql:///plant", columns=["flow"], follow=True).reread().chosen()["columns"]
        ['flow']
        """
        return PostgresSource(msgspec.structs.replace(self._options, follow=False), self._context)

    def chosen(self) -> dict[str, Any]:
        """Return what is read, and which cells could not be read so far. May be called from another thread.

        Examples
        --------
        >>> from streamrnn_postgres import PostgresSource
        >>> PostgresSource.from_table("postgresql:///plant", columns=["flow"]).chosen()["bad_cells"]
        {}
        """
        options = self._options
        when = None if options.time is None else {"column": options.time}
        found = {"columns": list(options.columns), "left_out": {}, "time": when, "key": options.key}
        return found | {"order": "oldest first", **self._tally.told()}

    def check_feedback(self) -> None:
        """Look whether feedback could be written that is read as such.

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
        UnavailableError, AccessError
            When the server does not.
        """
        feedback.append(self._client, self._options, said)

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
        try:
            self._open()
            found = self._polled(max_events, end)
        except (RetriableSourceError, UnavailableError) as error:
            self._wait_for_server(error, end)
            return Poll()
        self._gone_since = None
        return found

    def _wait_for_server(self, error: StreamrnnError, end: float) -> None:
        """Let a moment pass, as the server may come back; raise where it has been gone for long."""
        self._drop()
        now = time.monotonic()
        if self._gone_since is None:
            self._gone_since = now
        elif now - self._gone_since > GIVE_UP_S:
            raise RetriableSourceError(str(error)) from error
        time.sleep(max(0.0, min(1.0, end - now)))

    def _polled(self, max_events: int, end: float) -> Poll:
        while not (rows := self._rows(max_events)):
            if self._look():
                continue
            waits = self._horizon is not None and self._horizon.waits
            if not self._options.follow and not waits:
                return Poll(ended=True)
            if (left := end - time.monotonic()) <= 0:
                return Poll()
            time.sleep(min(left, WAIT_S if waits else LOOK_S))
        self._next = rows[-1][0] + 1
        exact = () if self._table is None else self._table.exact
        return Poll(blocks=(block_of(rows, self._options, self._context, exact, self._tally, PARTITION),))

    def _rows(self, most: int) -> list[Any]:
        """Return the next rows of those that are final."""
        if self._table is None or self._horizon is None or self._horizon.end is None or self._horizon.end < self._next:
            return []
        rows = self._fetch(self._table.rows(), (self._next, self._horizon.end, most + 1))
        for before, row in itertools.pairwise(rows):
            if before[0] == row[0]:
                raise SourceError(
                    f"The column {self._options.position!r} of {self._options.table!r} is {row[0]} in two rows: a position must be unique."
                )
        if len(rows) <= most:
            self._next = self._horizon.end + 1  # what follows is behind it
        return rows[:most]

    def _look(self) -> bool:
        if self._horizon is None:
            return False
        try:
            return self._horizon.look()
        except self._client.errors as error:
            raise self._unreadable(error) from error

    def _fetch(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        try:
            with self._open().cursor(binary=True) as cursor:
                return cursor.execute(statement, values).fetchall()
        except self._client.errors as error:
            raise self._unreadable(error) from error

    def seek(self, partition: str, position: Position) -> None:
        """Go on reading at the row ``position``, or the first one behind it.

        Parameters
        ----------
        partition
            The only partition, ``"0"``.
        position
            A value of the column.

        Raises
        ------
        StateError
            When it is none, or neither the table nor its sequence has come to the row that was read last.
        RetriableSourceError
            When the server does not answer for now.
        """
        if partition != PARTITION or not isinstance(position, int):
            raise StateError(
                f"The table {self._options.table!r} has no position {position!r}: it is not a whole number."
            )
        try:
            last = self._last()
        except (RetriableSourceError, UnavailableError) as error:
            self._drop()
            raise RetriableSourceError(str(error)) from error
        if last is None or position > last + 1:
            raise StateError(
                f"The table {self._options.table!r} of {self._client.name} ends at row {last}, before row {position} that was "
                "reached: rows were deleted, or it is another table. Put them back, or start anew with --fresh."
            )
        self._announced = True
        self._next = position

    def _last(self) -> int | None:
        """Return the last position that the table has, or has had where a sequence knows."""
        column, table = quoted(self._options.position), quoted(self._options.schema, self._options.table)
        [[last]] = self._fetch(
            f"SELECT greatest(max({column}), (SELECT CASE WHEN has_sequence_privilege(s, 'USAGE, SELECT') "  # noqa: S608  (quoted)
            f"THEN pg_sequence_last_value(s::regclass) END FROM pg_get_serial_sequence($1, $2) s)) FROM {table}",
            (table, self._options.position),
        )
        return None if last is None else int(last)
