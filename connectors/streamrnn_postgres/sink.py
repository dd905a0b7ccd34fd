"""The sink: results, dead letters, alarms, positions and snapshots in one transaction of a PostgreSQL database."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import msgspec

from streamrnn.config import checked_table
from streamrnn.errors import (
    AccessError,
    ConfigError,
    FullError,
    RetriableSinkError,
    SinkError,
    StreamrnnError,
    UnavailableError,
)
from streamrnn.io import (
    AlarmEvent,
    Block,
    DeadLetter,
    Pieces,
    Position,
    Restored,
    SinkContext,
    StoredSnapshot,
    in_pieces,
    restored_from,
    stored_row,
)
from streamrnn_postgres.client import LOGGERS, Client, passes, said
from streamrnn_postgres.copying import binary_row, copied, storable
from streamrnn_postgres.options import SinkOptions
from streamrnn_postgres.tables import LOCK, Tables

if TYPE_CHECKING:
    import psycopg

__all__ = ["PostgresSink"]

FULL, REFUSED = "53100", "42501"
PAGE = 10_000

SNAPSHOTS = (
    "SELECT id, partition, position, sha256, data FROM {{results_snapshots}} WHERE {} ORDER BY partition, id DESC"
)

PRUNE = (
    "DELETE FROM {results_snapshots} WHERE partition = $1 AND id NOT IN (SELECT id FROM {results_snapshots} "
    "WHERE partition = $1 ORDER BY id DESC LIMIT $2)"
)

CLAIM = (
    "INSERT INTO {results_state} AS s (partition, run) SELECT n, $2 FROM unnest($1::text[]) n "
    "ON CONFLICT (partition) DO UPDATE SET run = excluded.run RETURNING s.position"
)

MOVE = "UPDATE {results_state} SET position = p FROM unnest($1::text[], $2::text[]) AS moved(n, p) WHERE partition = n AND run = $3"


class PostgresSink:
    """Results in a table of a PostgreSQL database, with dead letters, positions and snapshots in tables beside it.

    A commit is one transaction: a reader of the database sees all of it or nothing, and so does a restart. The input may be a
    table of the same database. A partition belongs to the run that has restored it last: the next commit of one that had it before fails.

    Parameters
    ----------
    options
        Where to write, see ``PostgresSink.Options``.
    context
        How many snapshots are kept, where alarms go, and whether to begin anew.

    Raises
    ------
    ConfigError
        When the address of the server is none, or tables cannot be called so.
    MissingExtraError
        When the library is not installed.

    Examples
    --------
    >>> from streamrnn_postgres import PostgresSink
    >>> sink = PostgresSink.to_table("postgresql://127.0.0.1:1/plant")
    >>> sink.delivery, [type(one).__name__ for one in sink.check()]
    ('exactly_once', ['UnavailableError'])
    """

    Options = SinkOptions
    takes = frozenset(("[alarms] table", "[state] keep", "--fresh"))
    delivery = "exactly_once"
    keeps_state = True
    client_loggers = LOGGERS

    def __init__(self, options: SinkOptions, context: SinkContext | None = None) -> None:
        self._options = options
        self._context = context or SinkContext()
        self._client = Client("sink", options)
        self._tables = Tables(options, self._context.alarms)
        self._connection: psycopg.Connection[Any] | None = None
        self._open = False
        self._run = uuid.uuid4().hex
        self._mine: set[str] = set()

    @classmethod
    def to_table(
        cls, url: str, *, snapshots_kept: int = 3, alarms: str | None = None, fresh: bool = False, **options: Any
    ) -> PostgresSink:
        """Return a sink to a table, not yet entered.

        Parameters
        ----------
        url
            Where the database is.
        snapshots_kept
            Snapshots kept of each partition.
        alarms
            Table for starts and ends of episodes; None: there is none.
        fresh
            Forget the state and the outputs of earlier runs.
        options
            See ``PostgresSink.Options``.

        Raises
        ------
        ConfigError
            With one line for each wrong option.

        Examples
        --------
        >>> from streamrnn_postgres import PostgresSink
        >>> PostgresSink.to_table("postgresql:///plant", tabel="scores")
        Traceback (most recent call last):
        ...
        streamrnn.errors.ConfigError: [sink] tabel: there is no such option. Did you mean 'table'?
        """
        checked = checked_table("sink", SinkOptions, {"url": url, **options})
        return cls(checked, SinkContext(snapshots_kept=snapshots_kept, alarms=alarms, fresh=fresh))

    def __enter__(self) -> Self:
        self._open = True
        try:
            self._connection = self._client.connect()
            with self._transaction():
                self._tables.make(self._connection, fresh=self._context.fresh)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._open = False
        self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Any]:
        """Give what runs a statement; all of them count, or none does."""
        connection = self._connection
        if not self._open:
            raise SinkError("The sink is not open: write it inside a with statement.")
        if connection is None:
            raise RetriableSinkError(f"The connection to {self._client.name} is lost.")
        try:
            with connection.transaction():
                yield lambda text, *values: connection.execute(self._tables.sql(text), values)
        except self._client.errors as error:
            if connection.closed or connection.broken:
                self._drop()
            raise self._unwritten(error) from error

    def _unwritten(self, error: Any) -> StreamrnnError:
        text = f"The tables of {self._client.name} cannot be written: {said(error)}."
        if error.sqlstate == FULL:
            return FullError(f"{text} Make room there: nothing is lost.")
        if error.sqlstate == REFUSED:
            return AccessError(text)
        return RetriableSinkError(text) if passes(error) else SinkError(text)

    def check(self) -> list[StreamrnnError]:
        """Return what is wrong with the place to write to: no server, no schema, no rights, a table that is no run's.

        Examples
        --------
        >>> from streamrnn_postgres import PostgresSink
        >>> print(*PostgresSink.to_table("postgresql://127.0.0.1:1/plant").check())
        The server of 'plant' at 127.0.0.1:1 cannot be reached: ...
        """
        try:
            with contextlib.closing(self._client.connect()) as connection:
                problem = self._tables.problem(connection)
                return [] if problem is None else [problem]
        except StreamrnnError as error:
            return [error]
        except self._client.errors as error:
            return [self._unread(error)]

    def _unread(self, error: Exception) -> SinkError:
        return SinkError(f"The tables of {self._client.name} cannot be read: {said(error)}.")

    def _look(self, text: str, *values: object) -> Iterator[Any]:
        """Yield the rows of a query from outside a run, as of one moment; none where a table is missing."""
        try:
            with contextlib.closing(self._client.connect()) as connection:
                if self._tables.missing(connection):
                    return
                connection.read_only = True
                with connection.transaction(), connection.cursor("streamrnn") as cursor:
                    cursor.itersize = PAGE
                    yield from cursor.execute(self._tables.sql(text), values)
        except self._client.errors as error:
            raise self._unread(error) from error

    def written(self) -> Iterator[tuple[str, bytes]]:
        """Yield every committed result with the partition of its event. A run may go on meanwhile.

        Examples
        --------
        >>> from streamrnn_postgres import PostgresSink
        >>> next(PostgresSink.to_table("postgresql://127.0.0.1:1/plant").written())
        Traceback (most recent call last):
        ...
        streamrnn.errors.UnavailableError: The server of 'plant' at 127.0.0.1:1 cannot be reached: ...
        """
        for partition, result in self._look("SELECT partition, result::text FROM {results} ORDER BY id"):
            yield partition, result.encode()

    def alarms(self, after: Mapping[str, int]) -> Iterator[tuple[str, int, bytes]]:
        """Yield the committed alarms behind ``after``, as :meth:`streamrnn.io.AlarmSink.alarms` says: the place is the table, the number an id.

        Parameters
        ----------
        after
            What was yielded with the last one read, by place.

        Raises
        ------
        ConfigError
            When no table of alarms is given.

        Examples
        --------
        >>> from streamrnn_postgres import PostgresSink
        >>> next(PostgresSink.to_table("postgresql:///plant").alarms({}))
        Traceback (most recent call last):
        ...
        streamrnn.errors.ConfigError: [alarms] table: is missing. Name the table of alarms.
        """
        table = self._context.alarms
        if table is None:
            raise ConfigError("[alarms] table: is missing. Name the table of alarms.")
        query = "SELECT id, alarm::text FROM {alarms} WHERE id > $1 ORDER BY id"
        for number, alarm in self._look(query, after.get(table, 0)):
            yield table, number, alarm.encode()

    def snapshots(self) -> list[StoredSnapshot]:
        """Return the snapshots of the run, the newest of each partition first.

        Examples
        --------
        >>> from streamrnn_postgres import PostgresSink
        >>> PostgresSink.to_table("postgresql://127.0.0.1:1/plant").snapshots()
        Traceback (most recent call last):
        ...
        streamrnn.errors.UnavailableError: The server of 'plant' at 127.0.0.1:1 cannot be reached: ...
        """
        return [stored_row(row) for row in self._look(SNAPSHOTS.format("true"))]

    def restore(self, partition: str) -> Restored | None:
        """Return what the last commit of ``partition`` recorded, or None for a fresh start; from now on it is this run's.

        A damaged newest snapshot falls back to the one before it, with a warning.

        Parameters
        ----------
        partition
            A name that the source has announced.

        Raises
        ------
        RetriableSinkError
            When the server does not answer for now.
        StateError
            When no snapshot is whole.
        """
        if self._open and self._connection is None:
            try:
                self._connection = self._client.connect()
            except UnavailableError as error:
                raise RetriableSinkError(str(error)) from error
        with self._transaction() as run:
            [[state]] = run(CLAIM, [partition], self._run).fetchall()
            kept = run(SNAPSHOTS.format("partition = $1"), partition).fetchall()
        self._mine.add(partition)
        return None if state is None else restored_from(partition, state, [stored_row(row) for row in kept])

    def whole_lines(self) -> bool:
        """Whether results are taken in one piece: always.

        Examples
        --------
        >>> from streamrnn_postgres import PostgresSink
        >>> PostgresSink.to_table("postgresql:///plant").whole_lines()
        True
        """
        return True

    def commit(
        self,
        outputs: Sequence[bytes],
        dead_letters: Sequence[DeadLetter],
        positions: Mapping[str, Position],
        snapshots: Mapping[str, bytes | Pieces] | None = None,
        blocks: Sequence[Block] = (),
        alarms: Sequence[AlarmEvent] = (),
    ) -> None:
        """Write all of it, or (after an error, or a crash and a restart) none of it.

        Parameters
        ----------
        outputs
            Lines of JSON, one for each event of ``blocks``, in order.
        dead_letters
            Records that are no events.
        positions
            For each partition touched, where reading goes on.
        snapshots
            For some of them, the model state that belongs to that position.
        blocks
            The events that the outputs are about. Empty: all outputs are of the first partition of ``positions``.
        alarms
            Starts and ends of episodes, in order.

        Raises
        ------
        SinkError
            When it cannot be written, or another run has taken this one's place.
        """
        names = sorted(positions)  # rows are locked in one order by all
        with self._transaction() as run:
            if new := [name for name in names if name not in self._mine]:
                run(CLAIM, new, self._run)
            moved = run(MOVE, names, [_json(positions[name]) for name in names], self._run)
            if moved.rowcount != len(names):
                raise SinkError(
                    f"Another run writes to the table {self._options.table!r}. Give each run one of its own."
                )
            if outputs:
                rows = copied(outputs, blocks, next(iter(positions), ""))
                self._copy("COPY {results} (partition, result) FROM STDIN", rows)
            if dead_letters:
                self._copy(
                    "COPY {results_dead_letters} (partition, position, line, reason, raw, key) FROM STDIN",
                    [
                        (one.partition, _json(one.position), one.line, storable(one.reason), one.raw, one.key)
                        for one in dead_letters
                    ],
                )
            if alarms:
                run(LOCK, self._tables.sql("{alarms}"))  # numbers are then in the order of commits
                self._copy(
                    "COPY {alarms} (partition, alarm) FROM STDIN",
                    [(one.partition, one.data.decode()) for one in alarms],
                )
            for name, data in (snapshots or {}).items():
                pieces = in_pieces(data)
                self._copy(
                    "COPY {results_snapshots} (partition, position, sha256, data) FROM STDIN (FORMAT binary)",
                    binary_row([name, _json(positions[name]), pieces.sha256()], pieces),
                )
                run(PRUNE, name, self._context.snapshots_kept)
        self._mine.update(names)

    def _copy(self, statement: str, rows: bytes | Iterator[bytes | memoryview] | Sequence[tuple[Any, ...]]) -> None:
        if self._connection is None:
            raise SinkError("The sink is not open: write it inside a with statement.")
        with self._connection.cursor() as cursor, cursor.copy(self._tables.sql(statement)) as copy:
            for row in (rows,) if isinstance(rows, bytes) else rows:
                if isinstance(row, tuple):
                    copy.write_row(row)
                else:
                    copy.write(row)


def _json(position: Position) -> str:
    return msgspec.json.encode(position).decode()
