"""Every option of the two connectors: type, default, range and text."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from streamrnn.errors import ConfigError

__all__ = ["SinkOptions", "SourceOptions"]


class SourceOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[source]`` with ``kind = "files"``.

    Parameters
    ----------
    path
        The file to read; ``"-"`` is standard input.
    format
        How records are written. ``"auto"``: as the name's end or else the first character says.
    header
        Whether the first row of a CSV names the columns. None: it must, and is checked.
    delimiter
        The character between two columns of a CSV. None: the commonest of ``, ; tab |`` in the first row.
    columns
        Columns to watch. Empty: every column of numbers but time, key and nameless ones.
    time
        Column of the event's time, ISO-8601 or epoch. None: the first one with a usual name for it.
    key
        Column of the event's key. None: all events have the same one.
    on_missing
        What a record that lacks some values is: an event, for which the model takes the mean, or a dead letter.
    follow
        Whether to wait for what is appended to the file, through rotation and truncation.
    max_line_bytes
        A longer record is a dead letter, and is not held in memory.

    Examples
    --------
    >>> from streamrnn_files import FileSource
    >>> FileSource.Options(path="a.csv").on_missing
    'mean'
    """

    path: Annotated[str, Meta(min_length=1, description="The file to read; - is standard input.")]
    format: Annotated[
        Literal["auto", "csv", "jsonl"],
        Meta(description="auto: by the name's end (.csv, .tsv, .jsonl, .ndjson), else by the first character."),
    ] = "auto"
    header: Annotated[
        bool | None,
        Meta(
            description="CSV: whether the first row names the columns. Unset: it must, and is checked; true: it does; "
            "false: it is data, and the columns are c0, c1, ..."
        ),
    ] = None
    delimiter: Annotated[
        str | None, Meta(description="CSV: what separates columns. Unset: the commonest of , ; tab | in the first row.")
    ] = None
    columns: Annotated[
        tuple[str, ...],
        Meta(description="Columns to watch. Empty: every column of numbers but time, key and nameless ones."),
    ] = ()
    time: Annotated[
        str | None,
        Meta(
            description="Column of the event's time, ISO-8601 or epoch; passed on as written. Unset: the first one "
            "named time, timestamp, date, datetime or ts."
        ),
    ] = None
    key: Annotated[str | None, Meta(description="Column that says which series an event belongs to.")] = None
    on_missing: Annotated[
        Literal["mean", "dead_letter"],
        Meta(description="A record that lacks some values: passed on (the model takes the mean), or a dead letter."),
    ] = "mean"
    follow: Annotated[
        bool, Meta(description="Go on as the file grows, through rotation and truncation, like tail -F.")
    ] = False
    max_line_bytes: Annotated[
        int, Meta(ge=64, le=1 << 30, description="A longer record is a dead letter, and is not held in memory.")
    ] = 1 << 20

    def __post_init__(self) -> None:
        if self.delimiter is not None and (
            len(self.delimiter) != 1 or not self.delimiter.isascii() or self.delimiter in '"\r\n'
        ):
            raise ConfigError(
                "[source] delimiter: must be one ASCII character, no quote and no line end. "
                f"Got {self.delimiter!r} instead."
            )
        if self.path == "-" and self.follow:
            raise ConfigError("[source] follow: standard input is read as it comes anyway; leave it unset.")
        if len(set(self.columns)) != len(self.columns):
            raise ConfigError(f"[source] columns: must differ from each other. Got {list(self.columns)} instead.")
        if self.time and self.time == self.key:
            raise ConfigError(f"[source] key: must differ from 'time'. Both are {self.key!r}.")
        for option, name in (("time", self.time), ("key", self.key)):
            if name and name in self.columns:
                raise ConfigError(f"[source] {option}: {name!r} is one of 'columns'; it can only be one of the two.")


class SinkOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[sink]`` with ``kind = "files"``.

    Parameters
    ----------
    path
        The file to write; ``"-"`` is standard output.
    fsync
        With a state directory, what a commit outlives: ``"commit"``: a power cut; ``"never"``: a killed process only.

    Examples
    --------
    >>> from streamrnn_files import FileSink
    >>> FileSink.Options(path="out.jsonl").fsync
    'commit'
    """

    path: Annotated[str, Meta(min_length=1, description="The file to write; - is standard output.")] = "-"
    fsync: Annotated[
        Literal["commit", "never"],
        Meta(
            description="With a state directory. commit: outlives a power cut; never: outlives a killed process only, "
            "and is faster."
        ),
    ] = "commit"
