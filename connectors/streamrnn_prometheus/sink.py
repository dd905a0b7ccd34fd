"""The sink: the numbers of results by remote write, one request at a time; positions and snapshots in a file beside."""

from __future__ import annotations

import contextlib
import sqlite3
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import msgspec

from streamrnn.config import checked_table
from streamrnn.errors import FullError, SinkError, StreamrnnError, UnavailableError
from streamrnn.io import (
    AlarmEvent,
    Block,
    DeadLetter,
    Pieces,
    Position,
    Restored,
    SinkContext,
    in_pieces,
    restored_from,
    stored_row,
)
from streamrnn_prometheus.client import Client
from streamrnn_prometheus.options import SinkOptions
from streamrnn_prometheus.samples import Batch, samples_of
from streamrnn_prometheus.sending import Sending

__all__ = ["PrometheusSink"]

FILE = "prometheus.db"

TABLES = (
    "CREATE TABLE IF NOT EXISTS positions (partition TEXT PRIMARY KEY, position TEXT)",
    "CREATE TABLE IF NOT EXISTS snapshots (id INTEGER PRIMARY KEY AUTOINCREMENT, partition TEXT, position TEXT, sha256 TEXT, data BLOB)",
    "CREATE TABLE IF NOT EXISTS waiting (batch BLOB)",
)


class PrometheusSink:
    """Scores and what was expected as series of a Prometheus, at the times of their events, with the labels of their keys.

    A commit notes positions, snapshots and samples in one transaction of a file in ``[state] dir``, and then sends the samples; what was
    not sent when a process was killed is sent first by the next run. Samples that the server has already are no others when they come again.

    Parameters
    ----------
    options
        Where to write, see ``PrometheusSink.Options``.
    context
        Where state is kept, how many snapshots, and whether to begin anew.

    Examples
    --------
    >>> from streamrnn_prometheus import PrometheusSink
    >>> sink = PrometheusSink.to_server("http://127.0.0.1:1")
    >>> sink.delivery, sink.keeps_state, *map(str, sink.check())
    ('at_least_once', False, 'http://127.0.0.1:1 cannot be reached: ...')
    """

    Options = SinkOptions
    takes = frozenset(("[state] dir", "[state] keep", "--fresh"))
    delivery = "at_least_once"

    def __init__(self, options: SinkOptions, context: SinkContext | None = None) -> None:
        self._options = options
        self._context = context or SinkContext()
        self._sending = Sending(Client("sink", options), options.endpoint)
        self._database: sqlite3.Connection | None = None
        self._again = True  # what waits may have been sent before
        self.untimed = 0
        """Results without a time: none of their numbers is a sample."""

    @classmethod
    def to_server(
        cls, url: str, *, state: str | Path | None = None, fresh: bool = False, **options: Any
    ) -> PrometheusSink:
        """Return a sink to a server, not yet entered.

        Parameters
        ----------
        url
            Address of the server.
        state
            Folder of positions and snapshots; None: a restart begins anew.
        fresh
            Forget the state of earlier runs.
        options
            See ``PrometheusSink.Options``.

        Raises
        ------
        ConfigError
            With one line for each wrong option.

        Examples
        --------
        >>> from streamrnn_prometheus import PrometheusSink
        >>> PrometheusSink.to_server("localhost:9090")
        Traceback (most recent call last):
        ...
        streamrnn.errors.ConfigError: [sink] url: must match ^https?://. Got 'localhost:9090' instead.
        """
        checked = checked_table("sink", SinkOptions, {"url": url, **options})
        return cls(checked, SinkContext(state=None if state is None else str(state), fresh=fresh))

    @property
    def keeps_state(self) -> bool:
        """Whether there is a folder for it."""
        return self._context.state is not None

    @property
    def dropped(self) -> int:
        """Samples that the server refuses for what they are."""
        return self._sending.dropped

    def __enter__(self) -> Self:
        state = self._context.state
        try:
            if state is not None:
                Path(state).mkdir(parents=True, exist_ok=True)
            place = ":memory:" if state is None else Path(state, FILE)
            self._database = sqlite3.connect(place, timeout=1.0, isolation_level=None)
            self._database.execute("PRAGMA locking_mode = EXCLUSIVE")  # of two runs the later one is refused
            with self._transaction() as run:
                for one in TABLES:
                    run(one)
                if self._context.fresh:
                    for name in ("positions", "snapshots", "waiting"):
                        run(f"DELETE FROM {name}")  # noqa: S608  (ours)
        except (OSError, sqlite3.Error) as error:
            self._close()
            raise SinkError(f"[state] dir: {state!r} cannot be written: {error}.") from error
        with contextlib.suppress(FullError):  # the first commit waits for it
            self._send()
        return self

    def __exit__(self, *exc: object) -> None:
        try:
            if self._database is not None and exc == (None, None, None):
                self._send()
        except FullError as error:
            kept = "are sent by the next run" if self.keeps_state else "are lost"
            warnings.warn(f"{error} The last results {kept}.", RuntimeWarning, stacklevel=2)
        finally:
            self._close()

    def _close(self) -> None:
        self._sending.close()
        if self._database is not None:
            self._database.close()
            self._database = None

    def _fill(self, row: int, pieces: Pieces) -> None:
        """Write a snapshot into the room that its row has for it."""
        if self._database is not None:
            with self._database.blobopen("snapshots", "data", row) as blob:
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
            yield lambda text, *values: database.execute(text, values)
            database.execute("COMMIT")
        except BaseException as error:
            with contextlib.suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
                raise (FullError if full else SinkError)(
                    f"[state] dir: {self._context.state!r} cannot be written: {error}."
                ) from error
            raise

    def check(self) -> list[StreamrnnError]:
        """Return what is wrong with the server: none, or one that takes no remote write. Nothing is written.

        Examples
        --------
        >>> from streamrnn_prometheus import PrometheusSink
        >>> [type(one).__name__ for one in PrometheusSink.to_server("http://127.0.0.1:1").check()]
        ['UnavailableError']
        """
        try:
            self._sending.check()
        except StreamrnnError as error:
            return [error]
        finally:
            self._sending.close()
        return []

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
            state = run("SELECT position FROM positions WHERE partition = ?", partition).fetchone()
            kept = run(
                "SELECT id, partition, position, sha256, data FROM snapshots WHERE partition = ? ORDER BY id DESC",
                partition,
            ).fetchall()
        return None if state is None else restored_from(partition, state[0], [stored_row(row) for row in kept])

    def commit(
        self,
        outputs: Sequence[bytes],
        dead_letters: Sequence[DeadLetter],
        positions: Mapping[str, Position],
        snapshots: Mapping[str, bytes | Pieces] | None = None,
        blocks: Sequence[Block] = (),
        alarms: Sequence[AlarmEvent] = (),
    ) -> None:
        """Note all of it, and send the samples.

        Parameters
        ----------
        outputs
            Lines of JSON, one for each event of ``blocks``, in order.
        dead_letters
            Records that are no events: there is no place for them.
        positions
            For each partition touched, where reading goes on.
        snapshots
            For some of them, the model state that belongs to that position.
        blocks
            The events that the outputs are about.
        alarms
            None: there is no place for them.

        Raises
        ------
        FullError
            While the server does not take the samples of the commit before.
        SinkError
            When the folder of state cannot be written.
        """
        del dead_letters, alarms
        self._send()
        batch, untimed = samples_of(outputs, blocks, self._options.labels)
        with self._transaction() as run:
            for name, position in positions.items():
                run("INSERT OR REPLACE INTO positions VALUES (?, ?)", name, msgspec.json.encode(position).decode())
            for name, data in (snapshots or {}).items():
                pieces, where = in_pieces(data), msgspec.json.encode(positions[name]).decode()
                row = run(
                    "INSERT INTO snapshots (partition, position, sha256, data) VALUES (?, ?, ?, zeroblob(?))",
                    name, where, pieces.sha256(), len(pieces),
                ).lastrowid  # fmt: skip
                self._fill(row, pieces)
                run(
                    "DELETE FROM snapshots WHERE partition = ?1 AND id NOT IN "
                    "(SELECT id FROM snapshots WHERE partition = ?1 ORDER BY id DESC LIMIT ?2)",
                    name, self._context.snapshots_kept,
                )  # fmt: skip
            if batch:
                run("INSERT INTO waiting VALUES (?)", msgspec.msgpack.encode(batch))
        self.untimed += untimed
        with contextlib.suppress(FullError):  # the next commit waits for it
            self._send()

    def _send(self) -> None:
        """Send what waits, if anything does."""
        with self._transaction() as run:
            found = run("SELECT batch FROM waiting").fetchone()
        if found is None:
            self._again = False
            return
        try:
            self._sending.send(msgspec.msgpack.decode(found[0], type=Batch), again=self._again)
        except UnavailableError as error:
            self._again = True
            raise FullError(f"{error} Nothing is lost.") from error
        with self._transaction() as run:
            run("DELETE FROM waiting")
        self._again = False
