"""``streamrnn verify``."""

from __future__ import annotations

import sys

import click

from streamrnn.cli.options import debug, load_config
from streamrnn.cli.terminal import one_line, print_lines


@click.command(name="verify", short_help="Prove that a run's results are right.")
@click.argument("config_file", metavar="CONFIG")
@click.option("--snapshot", "file", metavar="FILE", help="Begin behind this exported snapshot. [the input's beginning]")
@click.option("--imported", is_flag=True, help="The run began with that snapshot: its results begin behind it.")
@debug
def verify_output(config_file: str, file: str | None, imported: bool) -> None:
    """Read CONFIG's input again, and prove that each result its run has written is right, to the last bit.

    Changes nothing; the run may go on meanwhile. Exit code 76 where a result differs: the first one is shown;
    75 where there is none to compare.
    """
    from streamrnn.commands.export import read_export  # noqa: PLC0415
    from streamrnn.commands.snapshot import other_numerics  # noqa: PLC0415
    from streamrnn.commands.verify import verify  # noqa: PLC0415
    from streamrnn.daemon.signals import StopSignals  # noqa: PLC0415

    if imported and file is None:
        raise click.UsageError("--imported needs --snapshot FILE, the snapshot that the run began with.")
    start = None if file is None else read_export(file)
    config = load_config(config_file)
    with StopSignals() as stop:
        verdict = verify(config, start, lambda: stop.stopped, imported=imported)
    if not any(verdict.results.values()) and verdict.difference is None and not stop.stopped:
        print_lines("streamrnn: There is no result to compare yet; nothing is proven.", err=True)
        sys.exit(75)
    for name, n in verdict.results.items():
        print_lines(f"partition {one_line(name)}: {n:,} results are the same, bit for bit.")
    if verdict.difference is not None:
        print_lines(f"streamrnn: {one_line(verdict.difference)}", err=True)
        if changes := other_numerics(config):
            print_lines(f"streamrnn: The run computes with other numerics ({changes}): verify where it runs.", err=True)
        sys.exit(76)
    sys.exit(128 + 2 if stop.stopped else 0)
