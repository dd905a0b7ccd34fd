"""The sink: results, dead letters, positions and snapshots in one transaction of a SQLite database."""

from __future__ import annotations

import contextlib
import sqlite3
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import msgspec

from streamrnn.config import checked_table
from streamrnn.errors import ConfigError, FullError, RetriableSinkError, SinkError, StreamrnnError
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
from streamrnn_sqlite.options import SinkOptions
from streamrnn_sqlite.table import quoted, read_only

__all__ = ["SqliteSink"]

TABLES = {
    "": "(id INTEGER PRIMARY KEY, partition TEXT, result TEXT)",
    "_dead_letters": "(id INTEGER PRIMARY KEY, partition TEXT, position TEXT, line INTEGER, reason TEXT, raw BLOB)",
    "_state": "(partition TEXT PRIMARY KEY, position TEXT)",
    "_snapshots": "(id INTEGER PRIMARY KEY AUTOINCREMENT, partition TEXT, position TEXT, sha256 TEXT, data BLOB)",
    "_owner": "(run TEXT)",
}
"""What is behind the name of the table of results, and the columns. Positions are JSON: 12 and "12" are two."""


class SqliteSink:
    """Results in a table of a SQLite database, with dead letters, positions and snapshots in tables beside it.

    A commit is one transaction: a reader of the database sees all of it or nothing, and so does a restart. The input may be a
    table of the same database. Of two runs with the same table the later one goes on, and the next commit of the other fails.

    Parameters
    ----------
    options
        Where to write, see ``SqliteSink.Options``.
    context
        How many snapshots are kept, where alarms go, and whether to begin anew.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from streamrnn_sqlite import SqliteSink
    >>> path = pathlib.Path(tempfile.mkdtemp(), "plant.db")
    >>> with SqliteSink.to_table(path) as sink:
    ...     sink.commit([b'{"score":0.5}'], [], {"0": 17}, {"0": b"weights"})
    >>> with SqliteSink.to_table(path) as sink:
    ...     sink.delivery, sink.restore("0").position, sink.restore("0").snapshot
    ('exactly_once', 17, b'weights')
    """

    Options = SinkOptions
    takes = frozenset(("[alarms] table", "[state] keep", "--fresh"))
    delivery = "exactly_once"
    keeps_state = True

    def __init__(self, options: SinkOptions, context: SinkContext | None = None) -> None:
        self._options = options
        self._context = context or SinkContext()
        if self._context.alarms in {options.table + suffix for suffix in TABLES}:
            raise ConfigError(
                f"[alarms] table: {self._context.alarms!r} is a table of [sink] table = {options.table!r}. Name another one."
            )
        self._database: sqlite3.Connection | None = None
        self._run = uuid.uuid4().hex

    @classmethod
    def to_table(
        cls,
        path: str | Path,
        *,
        snapshots_kept: int = 3,
        alarms: str | None = None,
        fresh: bool = False,
        **options: Any,
    ) -> SqliteSink:
        """Return a sink to a table, not yet entered.

        Parameters
        ----------
        path
            The database.
        snapshots_kept
            Snapshots kept of each partition.
        alarms
            Table for starts and ends of episodes; None: there is none.
        fresh
            Forget the state and the outputs of earlier runs.
        options
            See ``SqliteSink.Options``.

        Raises
        ------
        ConfigError
            With one line for each wrong option.

        Examples
        --------
        >>> from streamrnn_sqlite import SqliteSink
        >>> SqliteSink.to_table("plant.db", tabel="scores")
        Traceback (most recent call last):
        ...
        streamrnn.errors.ConfigError: [sink] tabel: there is no such option. Did you mean 'table'?
        """
        checked = checked_table("sink", SinkOptions, {"path": str(path), **options})
        return cls(checked, SinkContext(snapshots_kept=snapshots_kept, alarms=alarms, fresh=fresh))

    def _sql(self, text: str) -> str:
        """Return a statement with {results}, {results_state} and so on filled in."""
        names = {f"results{suffix}": quoted(self._options.table + suffix) for suffix in TABLES}
        return text.format_map(names | {"alarms": quoted(self._context.alarms or "")})

    def __enter__(self) -> Self:
        try:
            self._database = sqlite3.connect(self._options.path, isolation_level=None)
            with self._transaction() as run:
                for suffix, columns in TABLES.items():
                    run(f"CREATE TABLE IF NOT EXISTS {{results{suffix}}} {columns}")
                    if self._context.fresh:
                        run(f"DELETE FROM {{results{suffix}}}")  # noqa: S608  (quoted)
                if self._context.alarms is not None:
                    run(
                        "CREATE TABLE IF NOT EXISTS {alarms} (id INTEGER PRIMARY KEY AUTOINCREMENT, partition TEXT, alarm TEXT)"
                    )
                    if self._context.fresh:
                        run("DELETE FROM {alarms}")
                run("DELETE FROM {results_owner}")
                run("INSERT INTO {results_owner} VALUES (?)", self._run)
        except BaseException as error:
            self.__exit__()
            if isinstance(error, sqlite3.Error):
                raise SinkError(f"The database {self._options.path!r} cannot be opened: {error}.") from error
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def _fill(self, row: int, pieces: Pieces) -> None:
        """Write a snapshot into the room that its row has for it."""
        if self._database is not None:
            with self._database.blobopen(f"{self._options.table}_snapshots", "data", row) as blob:
                for piece in pieces:
                    blob.write(piece)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Any]:
        """Give what runs a statement; all of them count, or none does."""
        database = self._database
        if database is None:
            raise SinkError("The sink is not open: write it inside a with statement.")
        try:
            database.execute("BEGIN IMMEDIATE")
            yield lambda text, *values: database.execute(self._sql(text), values)
            database.execute("COMMIT")
        except BaseException as error:
            with contextlib.suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise self._unwritten(error) from error
            raise

    def _unwritten(self, error: sqlite3.Error) -> SinkError:
        said = f"The database {self._options.path!r} cannot be written: {error}."
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            return FullError(f"{said} Make room there: nothing is lost.")
        return RetriableSinkError(said) if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) else SinkError(said)

    def check(self) -> list[StreamrnnError]:
        """Return what is wrong with the place to write to: no directory, no database, a table that is no run's.

        Examples
        --------
        >>> from streamrnn_sqlite import SqliteSink
        >>> print(*SqliteSink.to_table("no-such/plant.db").check())
        The database 'no-such/plant.db' cannot be written: there is no directory 'no-such'.
        """
        path = Path(self._options.path)
        if not path.parent.is_dir():
            why = f"there is no directory {str(path.parent)!r}"
            return [SinkError(f"The database {self._options.path!r} cannot be written: {why}.")]
        try:
            self._look("SELECT partition, result FROM {results} LIMIT 0")
        except SinkError as error:
            return [error]
        return []

    def _look(self, text: str, *values: object) -> list[Any]:
        """Return the rows of a query from outside a run; none where there is no such database or table yet."""
        if not Path(self._options.path).exists():
            return []
        try:
            with contextlib.closing(read_only(self._options.path)) as database:
                names = [self._options.table + suffix for suffix in TABLES]
                there = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
                if not {(name,) for name in names} & set(there):
                    return []
                return database.execute(self._sql(text), values).fetchall()
        except sqlite3.Error as error:
            raise SinkError(f"The database {self._options.path!r} cannot be read: {error}.") from error

    def written(self) -> Iterator[tuple[str, bytes]]:
        """Yield every committed result with the partition of its event. A run may go on meanwhile.

        Examples
        --------
        >>> from streamrnn_sqlite import SqliteSink
        >>> list(SqliteSink.to_table("no-such.db").written())
        []
        """
        last = 0
        while rows := self._look(
            "SELECT id, partition, result FROM {results} WHERE id > ? ORDER BY id LIMIT 10000", last
        ):
            last = rows[-1][0]
            yield from ((partition, result.encode()) for _, partition, result in rows)

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
        >>> from streamrnn.io import AlarmEvent
        >>> from streamrnn_sqlite import SqliteSink
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp(), "plant.db")
        >>> with SqliteSink.to_table(path, alarms="alarms") as sink:
        ...     sink.commit([], [], {"0": 17}, alarms=[AlarmEvent("5f2a", b'{"id":"5f2a"}')])
        >>> list(sink.alarms({})), list(sink.alarms({"alarms": 1}))
        ([('alarms', 1, b'{"id":"5f2a"}')], [])
        """
        table = self._context.alarms
        if table is None:
            raise ConfigError("[alarms] table: is missing. Name the table of alarms.")
        last = after.get(table, 0)
        while rows := self._look("SELECT id, alarm FROM {alarms} WHERE id > ? ORDER BY id LIMIT 10000", last):
            for number, alarm in rows:
                last = number
                yield table, number, alarm.encode()

    def snapshots(self) -> list[StoredSnapshot]:
        """Return the snapshots of the run, the newest of each partition first.

        Examples
        --------
        >>> from streamrnn_sqlite import SqliteSink
        >>> SqliteSink.to_table("no-such.db").snapshots()
        []
        """
        return [stored_row(row) for row in self._look(_SNAPSHOTS.format("1"))]

    def restore(self, partition: str) -> Restored | None:
        """Return what the last commit of ``partition`` recorded, or None for a fresh start.

        A damaged newest snapshot falls back to the one before it, with a warning.

        Parameters
        ----------
        partition
            A name that the source has announced.

        Raises
        ------
        StateError
            When no snapshot is whole.
        """
        with self._transaction() as run:
            state = run("SELECT position FROM {results_state} WHERE partition = ?", partition).fetchone()
            kept = [stored_row(row) for row in run(_SNAPSHOTS.format("partition = ?"), partition).fetchall()]
        return None if state is None else restored_from(partition, state[0], kept)

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
        names = [block.partition for block in blocks for _ in range(len(block))] or [next(iter(positions), "")] * len(
            outputs
        )
        with self._transaction() as run:
            if run("SELECT run FROM {results_owner}").fetchone() != (self._run,):
                raise SinkError(
                    f"Another run writes to the table {self._options.table!r}. Give each run one of its own."
                )
            for name, line in zip(names, outputs, strict=True):
                run("INSERT INTO {results} (partition, result) VALUES (?, ?)", name, line.decode())
            for one in dead_letters:
                run(
                    "INSERT INTO {results_dead_letters} (partition, position, line, reason, raw) VALUES (?, ?, ?, ?, ?)",
                    one.partition, _json(one.position), one.line, one.reason, one.raw,
                )  # fmt: skip
            for alarm in alarms:
                run("INSERT INTO {alarms} (partition, alarm) VALUES (?, ?)", alarm.partition, alarm.data.decode())
            for name, position in positions.items():
                run("INSERT OR REPLACE INTO {results_state} VALUES (?, ?)", name, _json(position))
            for name, data in (snapshots or {}).items():
                pieces = in_pieces(data)
                row = run(
                    "INSERT INTO {results_snapshots} (partition, position, sha256, data) VALUES (?, ?, ?, zeroblob(?))",
                    name, _json(positions[name]), pieces.sha256(), len(pieces),
                ).lastrowid  # fmt: skip
                self._fill(row, pieces)
                run(
                    "DELETE FROM {results_snapshots} WHERE partition = ?1 AND id NOT IN (SELECT id FROM {results_snapshots} "
                    "WHERE partition = ?1 ORDER BY id DESC LIMIT ?2)",
                    name, self._context.snapshots_kept,
                )  # fmt: skip


_SNAPSHOTS = (
    "SELECT id, partition, position, sha256, data FROM {{results_snapshots}} WHERE {} ORDER BY partition, id DESC"
)


def _json(position: Position) -> str:
    return msgspec.json.encode(position).decode()
