"""``streamrnn snapshot``: list, show, export, import, verify."""

from __future__ import annotations

import sys

import click

from streamrnn.cli.options import debug, load_config
from streamrnn.cli.terminal import print_lines


@click.group(short_help="List, keep and take in what a run has learned.")
def snapshot() -> None:
    """Look at what a run has stored, keep it, take it in elsewhere. All but import change nothing; a run may go on meanwhile."""


@snapshot.command(name="list", short_help="List the snapshots of a run.")
@click.argument("config_file", metavar="CONFIG")
@debug
def list_(config_file: str) -> None:
    """List the snapshots of CONFIG's run, the newest of each partition first."""
    from streamrnn.commands import snapshot as stored  # noqa: PLC0415

    print_lines("\n".join(stored.listed(load_config(config_file))))


@snapshot.command(short_help="Show what a snapshot is of.")
@click.argument("config_file", metavar="CONFIG")
@click.argument("name", required=False)
@debug
def show(config_file: str, name: str | None) -> None:
    """Show what the snapshot NAME (the newest good one) is of: model, numerics, events, keys."""
    from streamrnn.commands import snapshot as stored  # noqa: PLC0415

    print_lines(stored.described(stored.chosen(load_config(config_file), name)))


@snapshot.command(short_help="Write a snapshot to a file.")
@click.argument("config_file", metavar="CONFIG")
@click.argument("file", metavar="FILE")
@click.option("--name", help="Which one. [the newest good one]")
@click.option("--partition", help="Of which partition. [any]")
@debug
def export(config_file: str, file: str, name: str | None, partition: str | None) -> None:
    """Write a snapshot to FILE: to keep it, to import it elsewhere, to replay from it."""
    from streamrnn.commands import export as exported  # noqa: PLC0415
    from streamrnn.commands import snapshot as stored  # noqa: PLC0415

    exported.write_export(stored.chosen(load_config(config_file), name, partition), file)


@snapshot.command(name="import", short_help="Have the next run start from a file.")
@click.argument("config_file", metavar="CONFIG")
@click.argument("file", metavar="FILE")
@click.option("--partition", help="Whose it is from now on. [as before]")
@click.option(
    "--from-start", is_flag=True, help="Read the input from its beginning: another one than the snapshot has seen."
)
@click.option(
    "--skip-gap", is_flag=True, help="The input behind the snapshot is gone: go on where the run's results end."
)
@debug
def import_(config_file: str, file: str, partition: str | None, from_start: bool, skip_gap: bool) -> None:
    """Have the next run of CONFIG start from the exported snapshot FILE, and read on where that one stood.

    The run must not have begun: where it has state of this partition, this is refused. Its outputs begin behind the snapshot.
    With --skip-gap it must have begun, and be stopped: FILE takes the place of its state. Where the input no longer goes back to
    the end of its results either, it goes on at the oldest record there is.
    """
    from streamrnn.commands import export as exported  # noqa: PLC0415
    from streamrnn.commands import snapshot as stored  # noqa: PLC0415

    if from_start and skip_gap:
        raise click.UsageError("--from-start and --skip-gap say different places to go on at. Give one of them.")
    one = exported.read_export(file)
    position = stored.taken_in(
        load_config(config_file), one, partition=partition, from_start=from_start, skip_gap=skip_gap
    )
    print_lines(f"{config_file}: partition {partition or one.partition} goes on from {one.name}, position {position}.")


@snapshot.command(short_help="Restore every snapshot, and compare.")
@click.argument("config_file", metavar="CONFIG")
@debug
def verify(config_file: str) -> None:
    """Restore every snapshot and write it again: good if the bytes are the same. Exit code 76 if any is not."""
    from streamrnn.commands import snapshot as stored  # noqa: PLC0415

    lines, good = stored.verified(load_config(config_file))
    print_lines("\n".join(lines))
    sys.exit(0 if good else 76)
