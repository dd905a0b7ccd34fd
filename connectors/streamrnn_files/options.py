"""Every option of the two connectors: type, default, range and text."""

from __future__ import annotations

import codecs
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
        How records are written. ``"auto"``: as the name's end or else the first bytes say.
    skip
        Lines before a CSV's table. None: found.
    comment
        What lines of a CSV begin with that are no rows; ``""``: none do. None: ``#`` where the first one does.
    header
        Whether the first row of a CSV names the columns. None: found.
    delimiter
        The character between two columns of a CSV, a blank for any number of blanks. None: found.
    decimal
        The decimal mark of a CSV, a point or a comma. None: found.
    encoding
        Of text, by its Python name. None: UTF-8, or what the first bytes say.
    missing
        What else stands for "no value": texts, and numbers. None: the usual ones, found. The usual words always do.
    columns
        Columns to watch. Empty: every column of measurements.
    time
        Column of the event's time; with `` + `` between them where several make it. None: found by content.
    time_format
        How times are written, in the letters of ``strptime``. None: found.
    key
        Column of the event's key; with `` + `` between them where several make it. None: one whose name or content says so; ``""``: none.
    order
        ``"auto"``: a regular file that begins with its newest record is read from its end. ``"as_written"``: none is.
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
        Literal["auto", "csv", "jsonl", "json", "influx", "parquet"],
        Meta(
            description="auto: by the name's end (.csv, .tsv, .jsonl, .ndjson), else by the first bytes. json: one document, an "
            "array or an object; influx: line protocol; parquet: needs pip install 'streamrnn[parquet]'."
        ),
    ] = "auto"
    skip: Annotated[
        Annotated[int, Meta(ge=0)] | None, Meta(description="CSV: lines before the table. Unset: found.")
    ] = None
    comment: Annotated[
        str | None,
        Meta(
            description="CSV: lines that begin with this are no rows; an empty text: none are. Unset: # where the first one does."
        ),
    ] = None
    header: Annotated[
        bool | None,
        Meta(
            description="CSV: whether the first row names the columns; false: it is data, and the columns are c0, c1, ... Unset: "
            "found."
        ),
    ] = None
    delimiter: Annotated[
        str | None,
        Meta(
            description="CSV: what separates columns; a blank: any number of blanks. Unset: the one of , ; tab | and blanks that cuts the rows alike."
        ),
    ] = None
    decimal: Annotated[Literal[".", ","] | None, Meta(description="CSV: the decimal mark. Unset: found.")] = None
    encoding: Annotated[
        str | None, Meta(description="Of text, such as cp1252 or utf-16. Unset: UTF-8, or what the first bytes say.")
    ] = None
    missing: Annotated[
        tuple[str, ...] | None,
        Meta(
            description="What stands for no value besides the usual words: texts, and numbers such as -999. Unset: the usual numbers "
            "where they stand far away from all others; an empty list: none."
        ),
    ] = None
    columns: Annotated[
        tuple[str, ...],
        Meta(
            description="Columns to watch; a.b is the field b inside the field a. Empty: every column of measurements."
        ),
    ] = ()
    time: Annotated[
        str | None,
        Meta(
            description="Column of the event's time; with ' + ' between them where several make it, as in 'Date + Time'. ISO 8601 and "
            "numbers are passed on as written, others in ISO 8601. An empty text: none. Unset: found by content."
        ),
    ] = None
    time_format: Annotated[
        str | None, Meta(description="How times are written, as in '%d/%m/%Y %H:%M' (strptime). Unset: found.")
    ] = None
    key: Annotated[
        str | None,
        Meta(
            description="Column that says which series an event belongs to; with ' + ' between them where several do; an empty text: none. Unset: one in which times come again "
            "for each value, or whose name says so (sensor, station_id)."
        ),
    ] = None
    order: Annotated[
        Literal["auto", "as_written"],
        Meta(
            description="auto: a regular file whose first records are its newest is read from its end, if it is no longer than 256 MB; "
            "as_written: none is."
        ),
    ] = "auto"
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

    @property
    def wide(self) -> bool:
        """Whether the encoding that is asked for writes a line end otherwise than ASCII: such text is decoded before it is cut."""
        return self.encoding is not None and "\n".encode(self.encoding) != b"\n"

    def __post_init__(self) -> None:
        if self.delimiter is not None and (
            len(self.delimiter) != 1 or not self.delimiter.isascii() or self.delimiter in '"\r\n'
        ):
            raise ConfigError(
                "[source] delimiter: must be one ASCII character, no quote and no line end. "
                f"Got {self.delimiter!r} instead."
            )
        if self.encoding is not None:
            try:
                codecs.lookup(self.encoding)
            except LookupError:
                raise ConfigError(f"[source] encoding: there is none called {self.encoding!r}.") from None
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
