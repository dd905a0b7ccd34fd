"""Every option of the two connectors: type, default, range and text."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from streamrnn.errors import ConfigError

__all__ = ["SinkOptions", "SourceOptions"]


class SourceOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[source]`` with ``kind = "sqlite"``.

    Parameters
    ----------
    path
        The database.
    table
        The table to read, in the order of its rowid.
    columns
        Columns to watch.
    time
        Column of the event's time, ISO-8601 or epoch. None: events have no time.
    key
        Column of the event's key. None: all events have the same one.
    on_missing
        What a row that lacks some values is: an event, for which the model takes the mean, or a dead letter.
    follow
        Whether to wait for rows that are added.

    Examples
    --------
    >>> from streamrnn_sqlite import SqliteSource
    >>> SqliteSource.Options(path="plant.db", columns=("flow",)).table
    'events'
    """

    path: Annotated[str, Meta(min_length=1, description="The database.")]
    table: Annotated[str, Meta(min_length=1, description="The table to read, in the order of its rowid.")] = "events"
    columns: Annotated[
        tuple[str, ...],
        Meta(description="Columns to watch. Only where records are counted ('every'), there may be none."),
    ] = ()
    time: Annotated[
        str | None, Meta(description="Column of the event's time, ISO-8601 or epoch; passed on as written.")
    ] = None
    key: Annotated[str | None, Meta(description="Column that says which series an event belongs to.")] = None
    on_missing: Annotated[
        Literal["mean", "dead_letter"],
        Meta(description="A row that lacks some values: passed on (the model takes the mean), or a dead letter."),
    ] = "mean"
    follow: Annotated[bool, Meta(description="Go on as rows are added.")] = False

    def __post_init__(self) -> None:
        if len(set(self.columns)) != len(self.columns):
            raise ConfigError(f"[source] columns: must differ from each other. Got {list(self.columns)} instead.")
        for option, name in (("time", self.time), ("key", self.key)):
            if name in self.columns:
                raise ConfigError(f"[source] {option}: {name!r} is one of 'columns'; it can only be one of the two.")


class SinkOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[sink]`` with ``kind = "sqlite"``.

    Parameters
    ----------
    path
        The database; made where it is missing.
    table
        The table of results. The names of the tables of dead letters, positions and snapshots begin with it.

    Examples
    --------
    >>> from streamrnn_sqlite import SqliteSink
    >>> SqliteSink.Options(path="plant.db").table
    'results'
    """

    path: Annotated[str, Meta(min_length=1, description="The database; made where it is missing.")]
    table: Annotated[
        str,
        Meta(
            min_length=1,
            description="The table of results; dead letters, positions and snapshots are in tables with _dead_letters, _state "
            "and _snapshots behind its name. Each run has one of its own.",
        ),
    ] = "results"
