"""A person's word on an event, inserted into the table that is read."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from streamrnn.errors import SourceError
from streamrnn.io import Feedback, check_feedback_options
from streamrnn_sqlite.options import SourceOptions
from streamrnn_sqlite.table import insertion

__all__ = ["append", "check"]

WAIT_S = 2.0
"""For whoever holds the database: a person waits for the answer."""


def check(options: SourceOptions) -> None:
    """Raise where a row with nothing but key, time and label would be no event, or nobody would read it.

    Parameters
    ----------
    options
        Of the source.

    Raises
    ------
    ConfigError
        With what stands in the way.
    """
    check_feedback_options(follow=options.follow, time=options.time, on_missing=options.on_missing)


def append(options: SourceOptions, said: Feedback) -> None:
    """Insert a row.

    Parameters
    ----------
    options
        Of the source.
    said
        What a person says.

    Raises
    ------
    ConfigError
        When such rows would be no events.
    SourceError
        When the table does not take it.
    """
    check(options)
    cells = said.cells(options.time, options.key)
    where = f"{Path(options.path).absolute().as_uri()}?mode=rw"
    try:
        with contextlib.closing(sqlite3.connect(where, uri=True, timeout=WAIT_S)) as database, database:
            database.execute(insertion(options.table, list(cells)), tuple(cells.values()))
    except sqlite3.Error as error:
        raise SourceError(
            f"Feedback cannot be added to the table {options.table!r} of {options.path!r}: {error}."
        ) from error
