"""The command line: ``streamrnn run``, ``alerts``, ``backfill``, ``check``, ``config``, ``replay``, ``schema``, ``snapshot``, ``top``, ``verify`` and ``warmup``.

Nothing heavy is imported before a command knows that it needs it: ``--help`` answers at once.

Exit codes: 0 done or asked to stop; 64 wrong usage; 65 too many dead letters; 66 input missing; 69 nobody answers; 70 a bug; 73 output
cannot be written; 75 temporary; 76 state does not fit; 77 credentials refused; 78 wrong configuration; 128 + n after a second signal n. No secret of a configuration is ever printed.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import warnings
from collections.abc import Callable, Sequence

import click

from streamrnn.cli.alerts import alerts
from streamrnn.cli.backfill import backfill
from streamrnn.cli.check import check, describe, output_schema, top, warmup
from streamrnn.cli.replay import replay
from streamrnn.cli.run import run
from streamrnn.cli.snapshot import snapshot
from streamrnn.cli.terminal import complain, print_lines, warn
from streamrnn.cli.verify import verify_output
from streamrnn.errors import SinkError

__all__ = ["cli", "main"]

EXIT_USAGE = 64
FULL = errno.ENOSPC, errno.EDQUOT, errno.EFBIG


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="streamrnn", message="%(prog)s %(version)s")
def cli() -> None:
    """Watch a stream with a recurrent net that never stops learning."""


for command in (run, alerts, backfill, check, warmup, top, snapshot, verify_output, describe, output_schema, replay):
    cli.add_command(command)


def _is_full(error: BaseException) -> bool:
    """Whether standard output is a file on a disk without room: other files have an error of their own."""
    return isinstance(error, OSError) and error.filename is None and error.errno in FULL


def _is_broken_pipe(error: BaseException | None) -> bool:
    """Whether nobody reads standard output any more (``| head``)."""
    return error is not None and (isinstance(error, BrokenPipeError) or _is_broken_pipe(error.__cause__))


def main(arguments: Sequence[str] | None = None, at_end: Callable[[], None] | None = None) -> None:
    """Run the command line and exit with its code.

    Parameters
    ----------
    arguments
        As in ``sys.argv[1:]``, the default.
    at_end
        Called once the exit code is known.

    Examples
    --------
    >>> from streamrnn.cli import main
    >>> main(["replay"])
    Traceback (most recent call last):
    ...
    SystemExit: 64
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = warn
            code = cli.main(list(arguments), prog_name="streamrnn", standalone_mode=False)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        print_lines(shown.getvalue().rstrip(), err=True)
        code = EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except Exception as error:  # noqa: BLE001  (the last line of defence: a person gets a sentence, not a traceback)
        if _is_broken_pipe(error) or _is_full(error):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter complains when it flushes at exit
            full = SinkError("Standard output cannot be written: no space left on its disk.")
            code = complain(full, arguments) if _is_full(error) else 0
        else:
            code = complain(error, arguments)
    if at_end is not None:
        at_end()
    sys.exit(code or 0)
