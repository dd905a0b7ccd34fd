"""The one way out to a terminal: without secrets, and without anything that it would obey."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from streamrnn.config_secrets import redact
from streamrnn.errors import ConfigError, StreamrnnError

__all__ = ["complain", "one_line", "print_lines", "warn"]

EXIT_BUG = 70


def print_lines(text: str, *, err: bool = False) -> None:
    """Print lines: the one way out, without secrets, and without anything that a terminal would obey.

    Parameters
    ----------
    text
        One or more lines.
    err
        Whether they go to standard error.
    """
    from streamrnn.safe_text import safe_text  # noqa: PLC0415

    terminal = (sys.stderr if err else sys.stdout).isatty()  # a program that reads it has no use for marks of direction
    click.echo("\n".join(safe_text(line, isolate=terminal) for line in redact(text).split("\n")), err=err)


def warn(message: Warning | str, *_: Any, **__: Any) -> None:
    """Say what Python or a library warns of, without the place in the source; a run says it in its log instead.

    Parameters
    ----------
    message
        What is warned of.
    *_
        Not used.
    **__
        Not used.
    """
    print_lines(f"streamrnn: warning: {one_line(message)}", err=True)


def one_line(said: object) -> str:
    """Return a message in one line; without secrets before its blanks are others.

    Parameters
    ----------
    said
        An error, or a text.
    """
    return " ".join(redact(str(said)).split())


def complain(error: BaseException, arguments: Sequence[str]) -> int:
    """Say on standard error what went wrong, and return the exit code.

    Parameters
    ----------
    error
        What was raised.
    arguments
        Of the command line: with ``--debug`` the traceback is shown.
    """
    if "--debug" in arguments:
        import traceback  # noqa: PLC0415  (--help needs none)

        print_lines("".join(traceback.format_exception(error)).rstrip(), err=True)
    if isinstance(error, ConfigError):
        for problem in error.problems:
            print_lines(f"streamrnn: {one_line(problem)}", err=True)
        return error.exit_code
    if isinstance(error, StreamrnnError):
        print_lines(f"streamrnn: {one_line(error)}", err=True)
        return error.exit_code
    print_lines(
        f"streamrnn: a bug: {type(error).__name__}: {one_line(error)}. Please report it, with the command you ran"
        + ("." if "--debug" in arguments else " and what --debug adds."),
        err=True,
    )
    return EXIT_BUG
