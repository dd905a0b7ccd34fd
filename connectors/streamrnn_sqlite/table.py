"""What is asked of a table: statements, names as SQL writes them, and a database that is only read."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

__all__ = ["insertion", "quoted", "read_only", "selection"]


def quoted(name: str) -> str:
    """Return the name of a table or column as SQL writes it.

    Parameters
    ----------
    name
        The name as it is.
    """
    return '"' + name.replace('"', '""') + '"'


def read_only(path: str) -> sqlite3.Connection:
    """Open a database whose data this connection will not change.

    The file is opened for writing where that is allowed: a writer that was killed leaves a journal, and SQLite lets nobody read
    before it is rolled back, which takes the right to write (https://sqlite.org/lockingv3.html#hot_journals).

    Parameters
    ----------
    path
        The file of the database, which must exist.
    """
    database = sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
    database.execute("PRAGMA query_only = 1")
    return database


def selection(table: str, columns: Sequence[str]) -> str:
    """Return the statement for some rows from one on: their numbers and cells. Given are twice the first number, None for any, and how many.

    Parameters
    ----------
    table
        The table.
    columns
        Which cells, in order.
    """
    named = quoted(table)
    cells = [f"{named}.{quoted(name)}" for name in columns]  # a column that is missing would be a text by itself
    return (
        f"SELECT {', '.join(['rowid', *cells])} FROM {named} "  # noqa: S608  (quoted)
        "WHERE ? IS NULL OR rowid >= ? ORDER BY rowid LIMIT ?"
    )


def insertion(table: str, columns: Sequence[str]) -> str:
    """Return the statement for one more row.

    Parameters
    ----------
    table
        The table.
    columns
        Which cells are given, in order.
    """
    names, places = ", ".join(quoted(name) for name in columns), ", ".join("?" for _ in columns)
    return f"INSERT INTO {quoted(table)} ({names}) VALUES ({places})"  # noqa: S608  (quoted)
