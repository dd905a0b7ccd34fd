"""The connection to a server, by an optional library, and what its errors mean."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from streamrnn.config_secrets import remember
from streamrnn.errors import AccessError, ConfigError, MissingExtraError, StreamrnnError, UnavailableError
from streamrnn_postgres.options import ConnectionOptions

if TYPE_CHECKING:
    import psycopg

__all__ = ["Client", "passes", "quoted", "said"]

LOGGERS = ("psycopg",)

CONNECT_S = 10
LEAST_VERSION = 120_000

# A server, or a client, that is gone without a word is given up after half a minute.
KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}
SESSION = {
    "timezone": "UTC", "datestyle": "ISO", "idle_in_transaction_session_timeout": "60s",
    "tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3",
}  # fmt: skip

PASSES = {"08", "40", "53", "57", "55"}
"""Classes of SQLSTATE that are no fault of a statement: the connection, other transactions, resources, an operator, locks."""

READ_ONLY = "25006"
"""The server became a standby: another one is, or will be, the primary."""


def quoted(*names: str | None) -> str:
    """Return the name of a table or column as SQL writes it.

    Parameters
    ----------
    names
        The name as it is, that of its schema before it; None is passed over.

    Examples
    --------
    >>> from streamrnn_postgres.client import quoted
    >>> quoted("plant", 'a"b'), quoted(None, "events")
    ('"plant"."a""b"', '"events"')
    """
    return ".".join('"' + one.replace('"', '""') + '"' for one in names if one is not None)


def said(error: BaseException) -> str:
    """Return what a server or the library says of an error, on one line.

    Parameters
    ----------
    error
        Of the library.
    """
    return " ".join(str(error).split()).rstrip(".")


def passes(error: BaseException) -> bool:
    """Whether what a statement failed for may pass: no connection, another transaction, no resources, a restart.

    Parameters
    ----------
    error
        Of the library.
    """
    state = getattr(error, "sqlstate", None)
    if state is None:
        return isinstance(error, _library().OperationalError | _library().InterfaceError)
    return state[:2] in PASSES or state == READ_ONLY


def _library() -> Any:
    try:
        return importlib.import_module("psycopg")
    except ImportError as error:
        raise MissingExtraError("PostgreSQL needs more: pip install 'streamrnn[postgres]'") from error


class Client:
    """Makes connections to one database.

    Parameters
    ----------
    table
        The table of the configuration, for messages: ``"source"`` or ``"sink"``.
    options
        How to reach it.

    Raises
    ------
    MissingExtraError
        When the library is not installed.
    ConfigError
        When the address is none.
    """

    def __init__(self, table: str, options: ConnectionOptions) -> None:
        self.errors = _library().Error
        try:
            parts = _library().conninfo.conninfo_to_dict(options.url)
        except _library().Error:
            raise ConfigError(
                f"[{table}] url: must be postgresql://user@host:port/database, or words such as host=... dbname=...."
            ) from None
        if parts.get("password"):
            remember(str(parts["password"]))
        mine = {} if options.password is None else {"password": options.password}
        self._parts: dict[str, Any] = (
            KEEPALIVE | {"application_name": "streamrnn"} | parts | mine | {"client_encoding": "UTF8"}
        )
        self._parts.setdefault("connect_timeout", CONNECT_S)
        self.name = _named(parts)

    def connect(self) -> psycopg.Connection[Any]:
        """Return a new connection, each statement a transaction of its own.

        Raises
        ------
        UnavailableError
            When no server answers.
        AccessError
            When it refuses who asks.
        """
        library = _library()
        try:
            connection: psycopg.Connection[Any] = library.connect(
                **self._parts, autocommit=True, cursor_factory=library.RawCursor
            )
        except library.Error as error:
            raise self._refused(error) from error
        connection.server_cursor_factory = library.RawServerCursor
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _refused(self, error: Any) -> StreamrnnError:
        asked = getattr(error, "pgconn", None)
        if asked is not None and (asked.needs_password or asked.used_password):
            return AccessError(f"The server of {self.name} refuses the log-in: {said(error)}.")
        return UnavailableError(f"The server of {self.name} cannot be reached: {said(error)}.")

    def _prepare(self, connection: psycopg.Connection[Any]) -> None:
        if connection.info.server_version < LEAST_VERSION:
            raise UnavailableError(f"The server of {self.name} is older than PostgreSQL 12.")
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise UnavailableError(f"The database {self.name} must have the encoding UTF8. It has {encoding}.")
        each = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in SESSION.items())
        connection.execute(f"SELECT {each}")


def _named(parts: dict[str, Any]) -> str:
    """Return the database as messages call it: without a user, and so without anything that belongs to one."""
    name, host = parts.get("dbname"), parts.get("host") or parts.get("hostaddr")
    at = "" if host is None else f" at {host}" + (f":{parts['port']}" if parts.get("port") else "")
    return f"{'the database of its user' if name is None else repr(name)}{at}"
