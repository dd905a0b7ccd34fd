"""A person's word on an event, inserted into the table that is read."""

from __future__ import annotations

import contextlib

from streamrnn.errors import SourceError
from streamrnn.io import Feedback, check_feedback_options
from streamrnn_postgres.client import Client, quoted
from streamrnn_postgres.client import said as said_of
from streamrnn_postgres.options import SourceOptions

__all__ = ["append", "check"]

WAIT_MS = 5000
"""For whoever holds the table: a person waits for the answer."""


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


def append(client: Client, options: SourceOptions, said: Feedback) -> None:
    """Insert a row; the database numbers it.

    Parameters
    ----------
    client
        Of the database.
    options
        Of the source.
    said
        What a person says.

    Raises
    ------
    ConfigError
        When such rows would be no events.
    SourceError
        When the table does not take it: it is a view, a column must not be empty, a right is missing.
    UnavailableError, AccessError
        When the server does not.
    """
    check(options)
    cells = said.cells(options.time, options.key)
    columns, places = ", ".join(quoted(name) for name in cells), ", ".join(f"${i}" for i in range(1, len(cells) + 1))
    insert = f"INSERT INTO {quoted(options.schema, options.table)} ({columns}) VALUES ({places})"  # noqa: S608  (quoted)
    with contextlib.closing(client.connect()) as connection:
        try:
            with connection.transaction():
                connection.execute(f"SET LOCAL statement_timeout = {WAIT_MS}")
                connection.execute(insert, tuple(cells.values()))
        except client.errors as error:
            raise SourceError(
                f"Feedback cannot be added to the table {options.table!r} of {client.name}: {said_of(error)}."
            ) from error
