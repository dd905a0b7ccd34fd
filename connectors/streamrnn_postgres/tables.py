"""The tables of a sink: what they hold, and how they are made where they are missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from streamrnn.errors import ConfigError, SinkError
from streamrnn_postgres.client import quoted
from streamrnn_postgres.options import SinkOptions, check_name

if TYPE_CHECKING:
    import psycopg

__all__ = ["ENDINGS", "Tables"]

NUMBERED = "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, partition text NOT NULL"

COLUMNS = {
    "": f"({NUMBERED}, result json NOT NULL)",
    "_dead_letters": f"({NUMBERED}, position text NOT NULL, line bigint, reason text NOT NULL, raw bytea NOT NULL, key bytea)",
    "_state": "(partition text PRIMARY KEY, position text, run text NOT NULL)",
    "_snapshots": f"({NUMBERED}, position text NOT NULL, sha256 text NOT NULL, data bytea NOT NULL)",
}
"""What is behind the name of the table of results, and the columns. ``json`` keeps the bytes, as ``jsonb`` does not."""

ENDINGS = tuple(COLUMNS)

ALARMS = f"({NUMBERED}, alarm json NOT NULL)"

RIGHTS = {"_state": ("SELECT", "INSERT", "UPDATE"), "_snapshots": ("SELECT", "INSERT", "DELETE")}
"""What is done to a table, but for those that are only written and read back."""

KEEPING = ("json", "text")
"""Types that keep a result as it was written: ``streamrnn verify`` compares bytes."""

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('streamrnn ' || $1, 0))"
"""One at a time: whoever makes tables of this name, or numbers its alarms."""


@dataclass(frozen=True)
class Tables:
    """The names of a sink's tables, quoted, and what is done to all of them.

    Parameters
    ----------
    options
        Where they are, and how the first is called.
    alarms
        The table of alarms, or None.

    Raises
    ------
    ConfigError
        When the table of alarms is another one of them, or its name is too long.

    Examples
    --------
    >>> from streamrnn_postgres import PostgresSink
    >>> from streamrnn_postgres.tables import Tables
    >>> Tables(PostgresSink.Options(url="", schema="plant"), None).named("_state")
    '"plant"."results_state"'
    """

    options: SinkOptions
    alarms: str | None

    def __post_init__(self) -> None:
        check_name("[alarms] table", self.alarms)
        if self.alarms in {self.options.table + ending for ending in ENDINGS}:
            raise ConfigError(
                f"[alarms] table: {self.alarms!r} is a table of [sink] table = {self.options.table!r}. Name another one."
            )

    def named(self, ending: str) -> str:
        """Return the name of a table, quoted.

        Parameters
        ----------
        ending
            What is behind the name of the table of results.
        """
        return quoted(self.options.schema, self.options.table + ending)

    def sql(self, text: str) -> str:
        """Return a statement with {results}, {results_state}, {alarms} and so on filled in.

        Parameters
        ----------
        text
            The statement.
        """
        names = {f"results{ending}": self.named(ending) for ending in ENDINGS}
        return text.format_map(names | {"alarms": quoted(self.options.schema, self.alarms or "")})

    def _wanted(self) -> dict[str, str]:
        """Return the columns of each table by its quoted name."""
        wanted = {self.named(ending): columns for ending, columns in COLUMNS.items()}
        return wanted if self.alarms is None else wanted | {self.sql("{alarms}"): ALARMS}

    def missing(self, connection: psycopg.Connection[Any]) -> dict[str, str]:
        """Return the columns of the tables that are not there, by name.

        Parameters
        ----------
        connection
            To the server.
        """
        found = connection.execute(
            "SELECT n FROM unnest($1::text[]) n WHERE to_regclass(n) IS NULL", (list(self._wanted()),)
        )
        lacking = {name for (name,) in found.fetchall()}
        return {name: columns for name, columns in self._wanted().items() if name in lacking}

    def make(self, connection: psycopg.Connection[Any], *, fresh: bool) -> None:
        """Make what is missing, within a transaction.

        Parameters
        ----------
        connection
            To the server.
        fresh
            Whether to empty them.
        """
        if self.missing(connection):
            connection.execute(LOCK, (self.named(""),))
        for name, columns in self.missing(connection).items():
            connection.execute(f"CREATE TABLE {name} {columns}")
            if name == self.named("_snapshots"):  # bytes that nothing makes smaller
                connection.execute(f"ALTER TABLE {name} ALTER COLUMN data SET STORAGE EXTERNAL")
        if fresh:
            for name in self._wanted():
                connection.execute(f"DELETE FROM {name}")  # noqa: S608  (quoted)

    def problem(self, connection: psycopg.Connection[Any]) -> SinkError | None:
        """Return what is wrong with the tables that are there, or with the place for those that are not.

        Parameters
        ----------
        connection
            To the server.
        """
        schema, missing = self.options.schema, self.missing(connection)
        found = connection.execute(
            "SELECT s, has_schema_privilege(s, 'CREATE') FROM (SELECT CASE WHEN $1::text IS NULL THEN current_schema() ELSE "
            "(SELECT nspname FROM pg_namespace WHERE nspname = $1) END s) t", (schema,)
        ).fetchone() or (None, None)  # fmt: skip
        if found[0] is None:
            return SinkError("There is no schema to write to." if schema is None else f"There is no schema {schema!r}.")
        if missing and not found[1]:
            return SinkError(
                f"The user may not make tables in {found[0]!r}, and these are missing: {', '.join(missing)}."
            )
        rights = {self.named(ending): wanted for ending, wanted in RIGHTS.items()}
        for name, columns in self._wanted().items():
            if name not in missing and (
                problem := _lacking(connection, name, columns, rights.get(name, ("SELECT", "INSERT")))
            ):
                return SinkError(f"The table {name} cannot be written: {problem}.")
        return None


def _lacking(connection: psycopg.Connection[Any], name: str, columns: str, rights: Sequence[str]) -> str | None:
    """Return what a table lacks that is there, if anything."""
    wanted = [one.split()[0] for one in columns.strip("()").split(", ")]
    rows = connection.execute(
        "SELECT attname, atttypid::regtype::text FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 "
        "AND NOT attisdropped", (name,)
    ).fetchall()  # fmt: skip
    types = {str(column): str(kind) for column, kind in rows}
    if lacking := [one for one in wanted if one not in types]:
        return f"it has no column {lacking[0]!r}; give [sink] table a name that is free"
    for one in ("result", "alarm"):
        if one in wanted and types[one] not in KEEPING:
            return (
                f"its column {one!r} is of type {types[one]}, which does not keep what is written; make it json or text"
            )
    for right in rights:
        found = connection.execute("SELECT has_table_privilege(to_regclass($1), $2)", (name, right)).fetchone()
        if found != (True,):
            return f"the user lacks the right to {right}"
    return None
