"""Every option of the two connectors: type, default, range and text."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import unquote

import msgspec
from msgspec import Meta

from streamrnn.config_secrets import remember
from streamrnn.errors import ConfigError

__all__ = ["ConnectionOptions", "SinkOptions", "SourceOptions", "check_name"]

MOST_NAME_BYTES = 63
"""Of a table's name: PostgreSQL cuts what is longer, and two names may become one."""

_PASSWORD = re.compile(r"://[^/@?]*?:([^@/?]*)@|password\s*=\s*(?:'((?:[^'\\]|\\.)*)'|([^\s&]+))", re.IGNORECASE)


def check_name(option: str, name: str | None, behind: str = "") -> None:
    """Raise where PostgreSQL would cut a name.

    Parameters
    ----------
    option
        The option that names it, for the message.
    name
        The name; None is passed over.
    behind
        The longest ending of a name that is made of it.

    Raises
    ------
    ConfigError
        When it is too long.
    """
    most = MOST_NAME_BYTES - len(behind)
    if name is not None and len(name.encode()) > most:
        raise ConfigError(f"{option}: must have at most {most} bytes. Got {len(name.encode())} instead.")


class ConnectionOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to reach the server: the part that both connectors share.

    Parameters
    ----------
    url
        Where the database is.
    password
        Of the user.
    schema
        Where the tables are. None: where the server looks for them.
    """

    url: Annotated[
        str,
        Meta(description="Where the database is: postgresql://user@host:5432/plant?sslmode=verify-full, or host=... dbname=..., as "
             "libpq reads them. What it does not say comes from PGHOST, PGUSER, PGSSLROOTCERT and so on, and from ~/.pgpass."),
    ]  # fmt: skip
    password: Annotated[
        str | None,
        Meta(description="The password; better a reference, ${PGPASSWORD} or ${file:/run/secrets/postgres}."),
    ] = None
    schema: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="Where the tables are. Unset: where the server looks for them."),
    ] = None

    def remember_secrets(self) -> None:
        """Have no password shown: neither as it is written, nor as it is meant."""
        for found in _PASSWORD.finditer(self.url):
            written = next(one for one in found.groups() if one is not None)
            for one in (written, unquote(written)):
                remember(one)
        if self.password is not None:
            remember(self.password)


class SourceOptions(ConnectionOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[source]`` with ``kind = "postgres"``.

    Parameters
    ----------
    url, password, schema
        See :class:`ConnectionOptions`.
    table
        The table or view to read.
    position
        Column that new rows have the next number in.
    columns
        Columns to watch.
    time
        Column of the event's time. None: events have no time.
    key
        Column of the event's key. None: all events have the same one.
    on_missing
        What a row that lacks some values is: an event, for which the model takes the mean, or a dead letter.
    follow
        Whether to wait for rows that are added.

    Examples
    --------
    >>> from streamrnn_postgres import PostgresSource
    >>> PostgresSource.Options(url="postgresql:///plant", columns=("flow",)).position
    'id'
    """

    table: Annotated[str, Meta(min_length=1, description="The table or view to read.")] = "events"
    position: Annotated[
        str,
        Meta(min_length=1, description="Column that new rows have the next number in, and the order to read in: bigint GENERATED "
             "ALWAYS AS IDENTITY, or bigserial, with an index."),
    ] = "id"  # fmt: skip
    columns: Annotated[
        tuple[str, ...],
        Meta(
            description="Columns to watch, of a type of numbers. Only where records are counted ('every'), there may be none."
        ),
    ] = ()
    time: Annotated[
        str | None,
        Meta(
            description="Column of the event's time: timestamptz, timestamp, date, a number of seconds since 1970, or text."
        ),
    ] = None
    key: Annotated[str | None, Meta(description="Column that says which series an event belongs to.")] = None
    on_missing: Annotated[
        Literal["mean", "dead_letter"],
        Meta(description="A row that lacks some values: passed on (the model takes the mean), or a dead letter."),
    ] = "mean"
    follow: Annotated[bool, Meta(description="Go on as rows are added.")] = False

    def __post_init__(self) -> None:
        self.remember_secrets()
        for option, name in (("schema", self.schema), ("table", self.table), ("position", self.position)):
            check_name(f"[source] {option}", name)
        if len(set(self.columns)) != len(self.columns):
            raise ConfigError(f"[source] columns: must differ from each other. Got {list(self.columns)} instead.")
        for option, one in (("time", self.time), ("key", self.key)):
            check_name(f"[source] {option}", one)
            if one in self.columns:
                raise ConfigError(f"[source] {option}: {one!r} is one of 'columns'; it can only be one of the two.")
        for one in self.columns:
            check_name("[source] columns", one)


class SinkOptions(ConnectionOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[sink]`` with ``kind = "postgres"``.

    Parameters
    ----------
    url, password, schema
        See :class:`ConnectionOptions`.
    table
        The table of results. The names of the tables of dead letters, positions and snapshots begin with it.

    Examples
    --------
    >>> from streamrnn_postgres import PostgresSink
    >>> PostgresSink.Options(url="postgresql:///plant").table
    'results'
    """

    table: Annotated[
        str,
        Meta(
            min_length=1,
            description="The table of results, made where it is missing; dead letters, positions and snapshots are in tables with "
            "_dead_letters, _state and _snapshots behind its name. Each run has one of its own.",
        ),
    ] = "results"

    def __post_init__(self) -> None:
        self.remember_secrets()
        check_name("[sink] schema", self.schema)
        check_name("[sink] table", self.table, "_dead_letters")
