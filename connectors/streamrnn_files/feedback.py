"""A person's word on an event, appended to the file that is followed."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from streamrnn.errors import SourceError
from streamrnn.io import Feedback, check_feedback_options, nested
from streamrnn_files.options import SourceOptions

__all__ = ["append", "check"]

LINES = (".jsonl", ".ndjson")


def check(options: SourceOptions) -> None:
    """Raise where a line with nothing but key, time and label cannot be appended, or nobody would read it.

    Parameters
    ----------
    options
        Of the source.

    Raises
    ------
    ConfigError
        With what stands in the way.
    """
    problems = []
    if options.format != "jsonl" and not (options.format == "auto" and Path(options.path).suffix in LINES):
        problems.append("[source] format: feedback can be appended to JSON Lines alone ('jsonl').")
    if options.encoding is not None:
        problems.append("[source] encoding: feedback is written as UTF-8; leave it unset.")
    if options.key is None:
        problems.append("[source] key: feedback is written by its name; give that of the column, or '' for none.")
    problems += [
        f"[source] {option}: feedback is written into one column. Got {name!r} instead."
        for option, name in (("time", options.time), ("key", options.key))
        if name and " + " in name
    ]
    check_feedback_options(follow=options.follow, time=options.time, on_missing=options.on_missing, others=problems)
    nested(dict.fromkeys(name for name in (options.time, options.key, *options.columns) if name))


def append(options: SourceOptions, said: Feedback) -> None:
    """Append a line to the file, in one piece.

    Parameters
    ----------
    options
        Of the source.
    said
        What a person says.

    Raises
    ------
    ConfigError
        When such lines cannot be written.
    SourceError
        When the file cannot be, or somebody else is in the middle of a line.
    """
    check(options)
    line = msgspec.json.encode(nested(said.cells(options.time, options.key or None))) + b"\n"
    try:
        file = os.open(options.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        try:
            length = os.fstat(file).st_size
            if length and os.pread(file, 1, length - 1) != b"\n":
                raise SourceError(
                    f"The last line of {options.path!r} is not ended yet: somebody is writing it. Say it again in a moment."
                )
            os.write(file, line)
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        raise SourceError(f"Feedback cannot be appended to {options.path!r}: {error.strerror}.") from error
