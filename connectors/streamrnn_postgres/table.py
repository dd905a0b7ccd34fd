"""What a source reads of a table or view: its columns, by their types, and the tables that are behind it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from streamrnn.errors import SourceError
from streamrnn_postgres.client import quoted
from streamrnn_postgres.options import SourceOptions

if TYPE_CHECKING:
    import psycopg

__all__ = ["Table", "find_table"]

WHOLE = ("int2", "int4", "int8")
BINARY = {**dict.fromkeys((*WHOLE, "float4", "float8", "oid"), "{}::float8"), "bool": "{}::int::float8"}
"""Types of numbers that a float64 holds, or rounds as Python does, and how to ask for one."""

EXACT = {"numeric": "{}::text"}
"""Types of numbers that a float64 may not hold: they come as text."""

ISO = {"timestamptz": "to_json({}) #>> '{{}}'", "timestamp": "to_json({}) #>> '{{}}'", "date": "{}::text"}
"""Types of times, and how to ask for ISO 8601, in UTC where the column has a zone."""

TEXT = dict.fromkeys(("text", "varchar", "bpchar"), "{}::text")

COLUMNS = """
SELECT a.attname, coalesce(b.typname, t.typname), a.attnotnull
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON b.oid = nullif(t.typbasetype, 0)
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
"""

BEHIND = """
WITH RECURSIVE behind(oid) AS (
    SELECT $1::oid
    UNION
    SELECT d.refobjid FROM behind JOIN pg_rewrite r ON r.ev_class = behind.oid
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
)
SELECT c.oid, c.relkind::text, c.relname FROM behind JOIN pg_class c ON c.oid = behind.oid
"""

INDEXED = """
SELECT count(*) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = $1 AND i.indisvalid AND a.attname = $2
"""

LOCAL = ("r", "p", "v")
"""Kinds of what is written here and now, and of views. Foreign tables and materialised views are not."""


@dataclass(frozen=True)
class Table:
    """What is asked of the server for each row.

    Parameters
    ----------
    name
        Of the table or view, quoted.
    position
        The column of positions, quoted.
    cells
        SQL of each cell: the position, the columns to watch, the time, the key.
    exact
        Which of the watched columns come as text.
    behind
        The table, or those behind the view, by their numbers.
    """

    name: str
    position: str
    cells: tuple[str, ...]
    exact: tuple[int, ...]
    behind: tuple[int, ...]

    def rows(self) -> str:
        """Return the statement that reads the rows from one position up to another, at most so many."""
        return (
            f"SELECT {', '.join(self.cells)} FROM {self.name} "  # noqa: S608  (quoted)
            f"WHERE {self.position} >= $1 AND {self.position} <= $2 ORDER BY {self.position} LIMIT $3"
        )


def find_table(connection: psycopg.Connection[Any], options: SourceOptions) -> Table:
    """Return how to read the table of a configuration.

    Parameters
    ----------
    connection
        To its server.
    options
        What to read.

    Raises
    ------
    SourceError
        When it is not there, lacks a column, or one is of a type that cannot be read.
    """
    if (number := _number(connection, options)) is None:
        raise SourceError(f"There is no table {options.table!r}{_in(options)}, or its user may not see it.")
    behind = connection.execute(BEHIND, (number,)).fetchall()
    for _, kind, name in behind:
        if kind not in LOCAL:
            raise SourceError(
                f"The table {options.table!r} cannot be read: {name!r} is a foreign table or a materialised view, whose "
                "rows cannot be told from those to come. Copy them to a table."
            )
    types = {str(name): (str(kind), bool(full)) for name, kind, full in connection.execute(COLUMNS, (number,))}
    view = any(kind == "v" for one, kind, _ in behind if one == number)
    _check_position(options, types, view=view)
    if not view and connection.execute(INDEXED, (number, options.position)).fetchone() == (0,):
        warnings.warn(
            f"The table {options.table!r} has no index on {options.position!r}: each look for new rows reads all of it. "
            f"CREATE INDEX ON {quoted(options.schema, options.table)} ({quoted(options.position)}).",
            RuntimeWarning,
            stacklevel=2,
        )
    cells = [quoted(options.position)]
    cells += [_cell(options, name, types, BINARY | EXACT) for name in options.columns]
    if options.time is not None:
        cells.append(_cell(options, options.time, types, BINARY | EXACT | ISO | TEXT))
    if options.key is not None:
        cells.append(f"{quoted(_known(options, options.key, types))}::text")
    return Table(
        name=quoted(options.schema, options.table),
        position=quoted(options.position),
        cells=tuple(cells),
        exact=tuple(i for i, name in enumerate(options.columns) if types[name][0] in EXACT),
        behind=tuple(one for one, kind, _ in behind if kind != "v"),
    )


def _in(options: SourceOptions) -> str:
    return "" if options.schema is None else f" in the schema {options.schema!r}"


def _number(connection: psycopg.Connection[Any], options: SourceOptions) -> int | None:
    name = quoted(options.schema, options.table)
    found = connection.execute("SELECT to_regclass($1)::oid::bigint", (name,)).fetchone()
    return None if found is None or found[0] is None else int(found[0])


def _known(options: SourceOptions, name: str, types: dict[str, tuple[str, bool]]) -> str:
    if name not in types:
        raise SourceError(
            f"The table {options.table!r}{_in(options)} has no column {name!r}. It has {', '.join(map(repr, types))}."
        )
    return name


def _check_position(options: SourceOptions, types: dict[str, tuple[str, bool]], *, view: bool) -> None:
    kind, full = types[_known(options, options.position, types)]
    if kind not in WHOLE:
        raise SourceError(
            f"The column {options.position!r} of {options.table!r} is of type {kind}: a position must be a bigint."
        )
    if not full and not view:
        raise SourceError(
            f"The column {options.position!r} of {options.table!r} may be NULL, and such a row would never be read. "
            f"ALTER TABLE {quoted(options.schema, options.table)} ALTER COLUMN {quoted(options.position)} SET NOT NULL."
        )


def _cell(options: SourceOptions, name: str, types: dict[str, tuple[str, bool]], asked: dict[str, str]) -> str:
    """Return the SQL of a column, by its type."""
    kind, _ = types[_known(options, name, types)]
    if kind not in asked:
        raise SourceError(
            f"The column {name!r} of {options.table!r} is of type {kind}, which cannot be read here. Make a view that casts it."
        )
    return asked[kind].format(quoted(name))
